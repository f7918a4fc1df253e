/* pair.h - two struct tcp joined back to back in virtual time
 *
 * End 0 is the client, end 1 the server.  Every packet passes fate(), which
 * may drop, double or delay it.  The upper layer of each connection is plain:
 * an array of octets to send and one of octets received.
 */
#ifndef TESTS_LIB_PAIR_H
#define TESTS_LIB_PAIR_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/list.h"
#include "stack/base/wheel.h"
#include "stack/ip/ip.h"
#include "stack/tcp/tcp.h"
#include "tests/lib/fake.h"

#define PAIR_TAP 32 /* segments remembered per end */

struct pair;

/* a plain upper layer */
struct pair_conn {
	struct pair_end *end;
	struct tcb *tcb; /* NULL after closed() or tcp_detach() */
	uint8_t *out;    /* out_len octets to send; sent so far: pushed */
	uint64_t out_len, out_cap, pushed, acked;
	uint32_t ssn_base; /* ssn of out[0]: 1 */
	uint8_t *in;
	uint64_t in_len, in_cap, in_read; /* in_read < in_len fills the window */
	uint32_t rcv_max; /* window() = rcv_max - (in_len - in_read) */
	bool hold;        /* received octets are not read */
	bool shut;        /* FIN when all is pushed */
	bool shut_done;
	bool established, fin, closed;
	enum tcp_end end_why;
	unsigned timeouts, can_sends;
	enum tcp_verdict verdict; /* of the next segment() */
	uint32_t burst_max;       /* 0: no limit */
	uint8_t opt[40];          /* options in each segment but SYNs */
	unsigned opt_len;
	unsigned acks_forced;
	uint32_t last_wnd;
};

struct pair_end {
	struct pair *pair;
	struct fake fake;
	struct ip *ip;
	struct wheel wheel;
	struct tcp *tcp;
	struct addr addr;
	int path;
	struct tcp_listener *listener;
	struct pair_conn conn; /* the only or the first connection */
	bool refuse;           /* on_syn() accepts nothing */
	struct tcp_conf conf;
};

/* what fate() sees: a parsed packet on its way from end `from` */
struct pair_pkt {
	struct pkt *pkt;
	unsigned from;
	uint64_t nr; /* of all packets from that end, from 1 */
	struct tcp_seg seg;
};

struct pair_fate {
	bool drop, dup;
	nanos delay; /* in addition */
};

struct pair {
	struct instant now;
	struct pair_end end[2];
	struct list wire; /* in flight, by time of arrival */
	nanos delay;      /* each way */
	uint64_t rate;    /* octets a second each way, 0: endless */
	uint32_t queue_max; /* octets that wait for the rate, then drop */
	struct instant busy[2];
	bool gso, gro;    /* large packets leave; ... and arrive whole */
	bool csum_offload;
	uint16_t mtu;
	bool v6;
	struct pair_fate (*fate)(void *ctx, const struct pair_pkt *p);
	void *fate_ctx;
	uint64_t sent[2], dropped[2], octets[2];
	bool print;
	struct rng rng;
	struct tcp_seg tap[2][PAIR_TAP];
};

/* set the fields that differ from the default between the two calls */
void pair_defaults(struct pair *p, uint64_t seed);
void pair_start(struct pair *p);
void pair_stop(struct pair *p);

/* end 1 listens on port 80, end 0 connects to it; not run yet */
void pair_connect(struct pair *p);
/* both ends connect to each other at once (simultaneous open) */
void pair_connect_both(struct pair *p);
/* both connections are over: forgets them and connects again, from port `from`
 * (0: any) */
void pair_again(struct pair *p, uint16_t from);
/* n more octets of a known pattern to send; shut: FIN behind them */
void pair_write(struct pair_conn *c, uint64_t n, bool shut);
/* what was received is a prefix of what the other end was given to send */
bool pair_prefix_ok(const struct pair *p);
/* the application of an end reads everything and opens the window */
void pair_read_all(struct pair_conn *c);

/* runs until done() is true (checked after every event) or the time is over;
 * returns whether done() was true.  done NULL: the time */
bool pair_run(struct pair *p, nanos most, bool (*done)(const struct pair *p));
/* done(): all that both ends were given has arrived, with FINs if asked for */
bool pair_all_arrived(const struct pair *p);
bool pair_established(const struct pair *p);
bool pair_both_closed(const struct pair *p);

/* --- watching and forging ------------------------------------------------- */

/* i = 0 is the newest; payload and packet are gone.  NULL: fewer were sent */
const struct tcp_seg *pair_sent(const struct pair *p, unsigned from, unsigned i);

/* a segment that end `from` could send now: right numbers, ACK, no payload and
 * no options but timestamps if in use */
struct tcp_seg pair_forge(const struct pair *p, unsigned from);
/* a raw segment put on the wire towards end `to`, arriving now */
void pair_inject(struct pair *p, unsigned to, const struct tcp_seg *seg);

#endif
