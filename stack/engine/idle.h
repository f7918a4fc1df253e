/* idle.h - waiting, with work for when there is nothing else to do
 *
 * The work saves time later and takes tens to hundreds of microseconds a piece.
 * It begins only after a look that found nothing come and nothing due, so that
 * what was queued has left; whatever comes meanwhile waits for one piece.
 */
#ifndef ENGINE_IDLE_H
#define ENGINE_IDLE_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/engine/io.h"

struct idle {
	bool want;     /* there may be work: whoever takes from it sets this */
	uint64_t done; /* pieces */
	bool (*work)(void *ctx); /* one piece; false: there was none */
	void *ctx;
};

/* One io_turn(): until something comes or the deadline; or, while work is
 * wanted, without waiting, and then at most one piece of it. */
void idle_turn(struct idle *w, struct io *io, struct instant deadline);

#endif
