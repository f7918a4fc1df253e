/* notice.h - lines about destinations, once each and not too many */
#ifndef ENGINE_NOTICE_H
#define ENGINE_NOTICE_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/addr.h"
#include "stack/base/time.h"

#define NOTICE_MAX   64              /* destinations in mind, the newest */
#define NOTICE_AGAIN (600 * NANOS_S) /* the same one again after so long */
#define NOTICE_RATE  10              /* lines a minute about all of them */

struct notice {
	unsigned n, at; /* at: where the next one goes */

	struct {
		struct endpoint to;
		uint8_t kind;
		struct instant when;
	} told[NOTICE_MAX];
	struct instant minute; /* its beginning */
	unsigned in_minute;
};

/* May a line of this kind about this destination be said now?  Takes it as
 * said. */
bool notice_may(struct notice *n, struct instant now, uint8_t kind,
		const struct endpoint *to);

#endif
