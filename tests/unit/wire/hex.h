/* hex.h - octets from text, and copies that a sanitizer can guard */
#ifndef TESTS_WIRE_HEX_H
#define TESTS_WIRE_HEX_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* text of n octets into out; returns n.  Spaces are skipped. */
static inline unsigned hex(const char *text, uint8_t *out)
{
	unsigned n = 0, v;

	while (*text) {
		if (*text == ' ') {
			text++;
			continue;
		}
		if (sscanf(text, "%2x", &v) != 1) {
			abort();
		}
		out[n++] = (uint8_t)v;
		text += 2;
	}
	return n;
}

/* a heap block of exactly n octets: reading beyond it is seen */
static inline uint8_t *heap_copy(const void *p, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);

	if (!copy) {
		abort();
	}
	memcpy(copy, p, n);
	return copy;
}

#endif
