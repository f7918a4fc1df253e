/* past.h - what a run thinks of how its connections began: a refusal gets its
 * one line, a destination that had more encryption before a warning; and what
 * outlives the run
 */
#ifndef ENGINE_PAST_H
#define ENGINE_PAST_H

#include "stack/chan/conf.h"
#include "stack/engine/engine.h"
#include "stack/engine/known.h"

#define PAST_LINE 480

struct past_setup {
	const struct run_conf *conf;
	struct known known; /* of earlier runs; taken over */
	const char *file;   /* where they are kept; "" nowhere */
};

struct past;

/* NULL: no memory */
struct past *past_new(struct engine *e, const struct past_setup *s);
void past_free(struct past *p); /* NULL is allowed */
/* what earlier runs found out, for the core, which compares and refuses */
void past_tell(struct past *p, struct stack *s);

/* A program's connect() succeeded, or was refused by policy (EPROTO).  line: for
 * the program's standard error, "" when there is nothing to say, or it was said
 * in the log. */
void past_connected(struct past *p, const struct mp_info *i,
		    char line[PAST_LINE]);
void past_refused(struct past *p, const struct mp_info *i,
		  char line[PAST_LINE]);
/* A client of one of our listeners was refused by policy: with -v a line, one
 * for each client in a while. */
void past_client(void *past, const struct mp_info *i);
/* data came, or the connection ends: if it is known by now that the peer has
 * the keys, that is written down */
void past_note(struct past *p, const struct mp_info *i);

/* With -v: how many clients of our listeners were refused, when there are more
 * and at most every PAST_EVERY.  They leave nothing behind but a count. */
#define PAST_EVERY (10 * NANOS_S)
void past_turn(struct past *p, struct instant now);

#endif
