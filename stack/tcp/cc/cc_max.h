/* cc_max.h - the greatest of the values seen in a sliding window of rounds
 *
 * Three values are kept: the greatest of the window, the greatest behind it
 * and the greatest behind that, so that a successor is there when the first
 * grows too old (the estimator of K. Nichols).  Rounds may wrap.
 */
#ifndef TCP_CC_MAX_H
#define TCP_CC_MAX_H

#include <stdint.h>

struct cc_max {
	uint64_t v[3]; /* falling */
	uint32_t at[3];
};

/* v, seen in round `at`; returns the greatest of the last `window` rounds */
uint64_t cc_max_add(struct cc_max *m, uint32_t window, uint32_t at, uint64_t v);

static inline uint64_t cc_max_get(const struct cc_max *m)
{
	return m->v[0];
}

#endif
