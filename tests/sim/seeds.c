/* The list of seeds that once failed: "plain|sealed SEED what it was" a line,
 * # in front of comments.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/sim/sim.h"

/* 1: a seed, 0: nothing on this line, -1: neither */
static int parse(const char *line, uint64_t *seed, bool *crypted)
{
	char world[8], first;

	if (sscanf(line, " %c", &first) != 1 || first == '#') {
		return 0;
	}
	if (sscanf(line, "%7s %" SCNu64, world, seed) != 2) {
		return -1;
	}
	*crypted = strcmp(world, "sealed") == 0;
	return *crypted || strcmp(world, "plain") == 0 ? 1 : -1;
}

bool seeds_each(const char *path, seeds_fn *fn, struct seeds_count *n)
{
	FILE *f = fopen(path, "r");
	char line[256];
	bool ok = f != NULL;

	while (f && ok && fgets(line, sizeof(line), f)) {
		uint64_t seed;
		bool crypted;
		int r = parse(line, &seed, &crypted);

		ok = r >= 0;
		if (r > 0 && fn(seed, crypted)) {
			n->passed++;
		} else if (r > 0) {
			n->failed++;
		}
	}
	if (f) {
		fclose(f);
	}
	if (!ok) {
		fprintf(stderr, "sim: %s: %s\n", path,
			f ? "a line that is neither seed nor comment" :
			    "cannot be read");
	}
	return ok;
}
