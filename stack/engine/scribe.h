/* scribe.h - the keeper's part in remembering: writes down which destinations
 * were encrypted
 *
 * The engine can open no file.  It tells the keeper, which waits a little for
 * more and then has a child write, so that a slow disk holds up nobody.
 */
#ifndef ENGINE_SCRIBE_H
#define ENGINE_SCRIBE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "stack/base/time.h"
#include "stack/engine/known_file.h"

#define SCRIBE_DELAY (NANOS_S)      /* from the first news to a write */
#define SCRIBE_GAP   (10 * NANOS_S) /* between two writes */

struct scribe {
	struct known_place place;
	bool loud; /* what fails is said on standard error */
	struct known news;
	bool dirty;
	struct instant due;
	pid_t child; /* that writes; 0 none */
};

void scribe_init(struct scribe *s, const struct known_place *place, bool loud);
void scribe_add(struct scribe *s, struct instant now,
		const struct known_entry *e);
/* starts what is due, and takes note of what has ended */
void scribe_turn(struct scribe *s, struct instant now);
/* the last word: waits until everything is written, or cannot be */
void scribe_end(struct scribe *s);

#endif
