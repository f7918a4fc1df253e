/* tcp_guard.h - is this segment one that a blind attacker could have sent?
 * (RFC 5961) and how often we may say so
 */
#ifndef TCP_TCP_GUARD_H
#define TCP_TCP_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/siphash.h"
#include "stack/base/time.h"

/* RFC 5961 7: at most one per connection in this time, and between a half and
 * one and a half times this number a second for all connections together: a
 * number that an attacker could count down tells him about others */
#define TCP_GUARD_SPACING (500 * NANOS_MS)
#define TCP_GUARD_PER_S   1000

enum tcp_guard_rst {
	TCP_GUARD_RESET,     /* exactly at the left edge */
	TCP_GUARD_CHALLENGE, /* elsewhere in the window */
	TCP_GUARD_DROP,      /* outside */
};

/* RFC 5961 3.2; the window counts as at least one octet */
enum tcp_guard_rst tcp_guard_rst(uint32_t seq, uint32_t rcv_nxt, uint32_t wnd);
/* RFC 5961 5.2: SND.UNA - MAX.SND.WND <= ack <= SND.NXT */
bool tcp_guard_ack(uint32_t ack, uint32_t una, uint32_t nxt, uint32_t max_wnd);
/* RFC 9293 3.10.7.4, table 6; len counts SYN and FIN */
bool tcp_guard_seq(uint32_t seq, uint32_t len, uint32_t rcv_nxt, uint32_t wnd);

struct tcp_guard_rate { /* of all connections */
	struct instant second;
	uint32_t left;
	struct siphash_key key; /* makes the bound of each second */
};

struct tcp_guard { /* of one connection */
	struct instant last;
	bool any;
};

/* the spacing alone, for answers that are no challenge */
bool tcp_guard_spaced(struct tcp_guard *g, struct instant now);
void tcp_guard_rate_init(struct tcp_guard_rate *all, struct instant now,
			 const struct siphash_key *key);
bool tcp_guard_allow(struct tcp_guard *g, struct tcp_guard_rate *all,
		     struct instant now);

#endif
