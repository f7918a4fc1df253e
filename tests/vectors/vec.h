/* vec.h - reads tests/vectors/NAME.txt: [section], then lines "name value" */
#ifndef TESTS_VECTORS_VEC_H
#define TESTS_VECTORS_VEC_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VEC_LINE 2048

/* the value of a name as text; false: there is none */
static inline bool vec_text(const char *file, const char *section,
			    const char *name, char out[VEC_LINE])
{
	static char line[VEC_LINE];
	char path[128], want[256];
	bool in = false, found = false;
	FILE *f;

	snprintf(path, sizeof(path), "tests/vectors/%s.txt", file);
	f = fopen(path, "r");
	if (!f) {
		perror(path);
		abort();
	}
	snprintf(want, sizeof(want), "[%s]\n", section);
	while (!found && fgets(line, sizeof(line), f)) {
		size_t n = strlen(name);

		if (line[0] == '[') {
			in = strcmp(line, want) == 0;
		} else if (in && strncmp(line, name, n) == 0 &&
			   line[n] == ' ') {
			line[strcspn(line, "\n")] = 0;
			memcpy(out, line + n + 1, strlen(line + n + 1) + 1);
			found = true;
		}
	}
	fclose(f);
	return found;
}

static inline unsigned vec_unhex(const char *text, uint8_t *out)
{
	unsigned n = 0, v;

	if (text[0] == '-') {
		return 0;
	}
	while (text[2 * n] && text[2 * n] != ' ') {
		if (sscanf(text + 2 * n, "%2x", &v) != 1) {
			abort();
		}
		out[n++] = (uint8_t)v;
	}
	return n;
}

/* the value of a name as octets; ends the test when there is none */
static inline unsigned vec(const char *file, const char *section,
			   const char *name, uint8_t *out)
{
	static char text[VEC_LINE];

	if (!vec_text(file, section, name, text)) {
		fprintf(stderr, "%s [%s] %s: not there\n", file, section, name);
		abort();
	}
	return vec_unhex(text, out);
}

#endif
