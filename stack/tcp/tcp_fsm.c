#include "stack/tcp/tcp_fsm.h"

#include "stack/base/check.h"

/* 0 (TCP_CLOSED) means "no such transition" except in the END column. */
static const uint8_t fsm_next[][TCP_EV_N] = {
	[TCP_CLOSED] = { [TCP_EV_ACTIVE] = TCP_SYN_SENT,
			 [TCP_EV_PASSIVE] = TCP_SYN_RECEIVED },
	[TCP_SYN_SENT] = { [TCP_EV_SYN] = TCP_SYN_RECEIVED,
			   [TCP_EV_OPEN] = TCP_ESTABLISHED },
	[TCP_SYN_RECEIVED] = { [TCP_EV_OPEN] = TCP_ESTABLISHED },
	[TCP_ESTABLISHED] = { [TCP_EV_CLOSE] = TCP_FIN_WAIT_1,
			      [TCP_EV_FIN] = TCP_CLOSE_WAIT },
	[TCP_FIN_WAIT_1] = { [TCP_EV_FIN_ACKED] = TCP_FIN_WAIT_2,
			     [TCP_EV_FIN] = TCP_CLOSING },
	[TCP_FIN_WAIT_2] = { [TCP_EV_FIN] = TCP_TIME_WAIT },
	[TCP_CLOSING] = { [TCP_EV_FIN_ACKED] = TCP_TIME_WAIT },
	[TCP_CLOSE_WAIT] = { [TCP_EV_CLOSE] = TCP_LAST_ACK },
};

static const char *const fsm_names[] = {
	[TCP_CLOSED] = "CLOSED",
	[TCP_SYN_SENT] = "SYN-SENT",
	[TCP_SYN_RECEIVED] = "SYN-RECEIVED",
	[TCP_ESTABLISHED] = "ESTABLISHED",
	[TCP_FIN_WAIT_1] = "FIN-WAIT-1",
	[TCP_FIN_WAIT_2] = "FIN-WAIT-2",
	[TCP_CLOSING] = "CLOSING",
	[TCP_TIME_WAIT] = "TIME-WAIT",
	[TCP_CLOSE_WAIT] = "CLOSE-WAIT",
	[TCP_LAST_ACK] = "LAST-ACK",
};

_Static_assert(ARRAY_SIZE(fsm_names) == TCP_LAST_ACK + 1, "a name per state");

bool tcp_fsm_event(struct tcp_fsm *f, enum tcp_event ev)
{
	enum tcp_state to;

	if (ev == TCP_EV_END) {
		f->state = TCP_CLOSED;
		return true;
	}
	if (f->state >= ARRAY_SIZE(fsm_next)) {
		return false; /* LAST-ACK: only END leads out */
	}
	to = (enum tcp_state)fsm_next[f->state][ev];
	if (to == TCP_CLOSED) {
		return false;
	}
	f->state = to;
	return true;
}

const char *tcp_fsm_name(enum tcp_state s)
{
	check(s < ARRAY_SIZE(fsm_names));
	return fsm_names[s];
}
