#include "stack/tcp/cc/cc_max.h"

/* from place i on there is nothing but this value */
static void put(struct cc_max *m, unsigned i, uint32_t at, uint64_t v)
{
	for (; i < 3; i++) {
		m->v[i] = v;
		m->at[i] = at;
	}
}

static void shift(struct cc_max *m, uint32_t at, uint64_t v)
{
	m->v[0] = m->v[1];
	m->at[0] = m->at[1];
	m->v[1] = m->v[2];
	m->at[1] = m->at[2];
	put(m, 2, at, v);
}

uint64_t cc_max_add(struct cc_max *m, uint32_t window, uint32_t at, uint64_t v)
{
	uint32_t age;

	if (v >= m->v[0] || at - m->at[2] > window) {
		put(m, 0, at, v);
		return v;
	}
	if (v >= m->v[1]) {
		put(m, 1, at, v);
	} else if (v >= m->v[2]) {
		put(m, 2, at, v);
	}
	age = at - m->at[0];
	if (age > window) {
		shift(m, at, v);
		if (at - m->at[0] > window) {
			shift(m, at, v);
		}
	} else if (m->at[1] == m->at[0] && age > window / 4) {
		/* a successor from the second quarter of the window.. */
		put(m, 1, at, v);
	} else if (m->at[2] == m->at[1] && age > window / 2) {
		put(m, 2, at, v); /* ..and one from the second half */
	}
	return m->v[0];
}
