/* stats.h - connections as they are seen from outside: --stats-json and -v
 *
 * The file is one JSON object, rewritten in place through a descriptor opened
 * before confinement: at each connection's close (at most 20 times a second)
 * and at the end, when "final" becomes true.  A file that cannot be rewritten
 * (a pipe) gets the final text only.
 */
#ifndef ENGINE_STATS_H
#define ENGINE_STATS_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/engine/engine.h"

#define STATS_CONNS_MAX 1000 /* closed connections that are kept, the newest */

struct stats;

/* fd: of the file, taken over; -1: none.  Observes e->stack. */
struct stats *stats_new(struct engine *e, int fd);
/* once a turn; cheap when nothing is asked for */
void stats_turn(struct stats *s);
struct instant stats_deadline(const struct stats *s);
/* the last text; every connection still there is in it */
void stats_final(struct stats *s);
void stats_free(struct stats *s);

#endif
