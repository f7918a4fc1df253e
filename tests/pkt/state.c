/* state.c - what the stack keeps of a four-tuple, by RFC 9293's names */
#include <string.h>

#include "stack/sock/sock_state.h"
#include "stack/tcp/tcb.h"
#include "tests/pkt/pkt.h"

static const char *state_of(const struct run *r, const struct flow *f,
			    const char *want)
{
	const struct tcp_demux *d = &r->s->tcp->demux;
	struct tcp_entry *e = tcp_demux_find(d, &f->t);
	const struct tcb *tcb;

	if (!e) {
		/* with a listener, who asks for CLOSED means the tuple alone */
		return strcmp(want, "CLOSED") != 0 &&
				       tcp_demux_bound(d, &f->t)
			       ? "LISTEN"
			       : "CLOSED";
	}
	if (e->timewait) {
		return "TIME-WAIT";
	}
	tcb = container_of(e, struct tcb, entry);
	return tcp_fsm_name(tcb->fsm.state);
}

void state_call(struct run *r, struct words *w)
{
	const struct flow *f = run_flow(r, words_next(r, w));
	const char *want = words_next(r, w), *got;

	if (!f) {
		pkt_fail(r, "no such flow");
	}
	got = state_of(r, f, want);
	if (strcmp(want, got) != 0) {
		pkt_fail(r, "state: got %s", got);
	}
}
