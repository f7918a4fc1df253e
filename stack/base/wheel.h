/* wheel.h - hierarchical timer wheel: constant time to arm, cancel and expire
 *
 * Resolution is WHEEL_TICK; a timer never fires before its instant and fires
 * at most one tick after the wheel is advanced past it.  Timers due in the
 * same tick fire in the order of (instant, arming), so runs replay.
 * wheel_deadline() may be early by the slot granularity of a far timer, never
 * late; advancing at an early deadline is harmless.
 */
#ifndef BASE_WHEEL_H
#define BASE_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/list.h"
#include "stack/base/time.h"

#define WHEEL_TICK   (500 * NANOS_US)
#define WHEEL_BITS   6
#define WHEEL_SLOTS  (1u << WHEEL_BITS)
#define WHEEL_LEVELS 6 /* 64^6 ticks of 0.5 ms: more than a year */

struct wheel_timer {
	struct list node;
	struct instant when; /* INSTANT_NEVER: not armed */
	void (*fire)(struct wheel_timer *t, struct instant now);
};

struct wheel {
	uint64_t tick; /* every timer of an earlier tick has fired */
	uint64_t busy[WHEEL_LEVELS]; /* a bit per slot that is not empty */
	struct list slot[WHEEL_LEVELS][WHEEL_SLOTS];
	uint32_t n;
};

void wheel_init(struct wheel *w, struct instant now);
void wheel_timer_init(struct wheel_timer *t,
		      void (*fire)(struct wheel_timer *, struct instant));
/* arms or re-arms; an instant already past fires at the next advance */
void wheel_arm(struct wheel *w, struct wheel_timer *t, struct instant when);
void wheel_cancel(struct wheel *w, struct wheel_timer *t); /* idempotent */
bool wheel_armed(const struct wheel_timer *t);
struct instant wheel_deadline(const struct wheel *w);
/* fires what is due; a handler may arm and cancel any timer, also its own */
void wheel_advance(struct wheel *w, struct instant now);

#endif
