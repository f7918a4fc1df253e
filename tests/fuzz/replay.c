/* replay.c - main() of a fuzz target where there is no libFuzzer: each of the
 * files named, once, by whatever compiler
 */
#include "tests/fuzz/fuzz.h"

#define MOST 65536u

static bool replay(const char *name)
{
	static uint8_t buf[MOST];
	FILE *f = fopen(name, "rb");
	size_t n;

	if (!f) {
		perror(name);
		return false;
	}
	n = fread(buf, 1, sizeof(buf), f);
	fclose(f);
	LLVMFuzzerTestOneInput(buf, n);
	return true;
}

int main(int argc, char **argv)
{
	int failed = 0;

	for (int i = 1; i < argc; i++) {
		/* a finding ends the program: the last name is its file's */
		fprintf(stderr, "%s\n", argv[i]);
		failed += !replay(argv[i]);
	}
	printf("%d passed, %d failed\n", argc - 1 - failed, failed);
	return failed > 0 || argc == 1;
}
