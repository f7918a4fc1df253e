/* time.h - an instant and a distance between instants
 *
 * An instant is nanoseconds of an arbitrary clock that never goes back; the
 * caller of the core reads the clock, the core only takes `now`.  A nanos is a
 * distance.  INSTANT_NEVER sorts after every other instant.
 */
#ifndef BASE_TIME_H
#define BASE_TIME_H

#include <stdbool.h>
#include <stdint.h>

typedef int64_t nanos;

struct instant {
	int64_t ns;
};

#define NANOS_US      ((nanos)1000)
#define NANOS_MS      ((nanos)1000000)
#define NANOS_S       ((nanos)1000000000)
#define INSTANT_NEVER ((struct instant){ INT64_MAX })

static inline bool instant_never(struct instant a)
{
	return a.ns == INT64_MAX;
}

static inline bool instant_before(struct instant a, struct instant b)
{
	return a.ns < b.ns;
}

/* a is due at now */
static inline bool instant_due(struct instant a, struct instant now)
{
	return a.ns <= now.ns;
}

/* saturates at INSTANT_NEVER */
static inline struct instant instant_add(struct instant a, nanos d)
{
	if (d > 0 && a.ns > INT64_MAX - d) {
		return INSTANT_NEVER;
	}
	return (struct instant){ a.ns + d };
}

static inline nanos instant_since(struct instant later, struct instant earlier)
{
	return later.ns - earlier.ns;
}

static inline struct instant instant_min(struct instant a, struct instant b)
{
	return a.ns < b.ns ? a : b;
}

static inline nanos nanos_min(nanos a, nanos b)
{
	return a < b ? a : b;
}

static inline nanos nanos_max(nanos a, nanos b)
{
	return a > b ? a : b;
}

#endif
