#include "stack/engine/idle.h"

void idle_turn(struct idle *w, struct io *io, struct instant deadline)
{
	const struct io_stats *s = io_stats(io);
	uint64_t before = s->completions + s->tun_in;

	if (!w->want) {
		io_turn(io, deadline);
		return;
	}
	io_turn(io, io_time(io)); /* in the past: looks, and does not wait */
	if (s->completions + s->tun_in != before ||
	    instant_due(deadline, io_time(io))) {
		return;
	}
	w->want = w->work(w->ctx);
	w->done += w->want;
}
