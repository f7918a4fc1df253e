/* tcb.h - one connection: a row of small structs, each with one owner module
 *
 * Private to stack/tcp.  Sequence numbers are absolute; they become relative
 * (ssn) only where a hook is called.
 */
#ifndef TCP_TCB_H
#define TCP_TCB_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/list.h"
#include "stack/base/seq.h"
#include "stack/base/wheel.h"
#include "stack/tcp/tcp.h"
#include "stack/tcp/tcp_cookie.h"
#include "stack/tcp/tcp_chrono.h"
#include "stack/tcp/tcp_defer.h"
#include "stack/tcp/tcp_delack.h"
#include "stack/tcp/tcp_demux.h"
#include "stack/tcp/tcp_fsm.h"
#include "stack/tcp/tcp_guard.h"
#include "stack/tcp/tcp_isn.h"
#include "stack/tcp/tcp_label.h"
#include "stack/tcp/tcp_pace.h"
#include "stack/tcp/tcp_rcvrtt.h"
#include "stack/tcp/tcp_reasm.h"
#include "stack/tcp/tcp_recover.h"
#include "stack/tcp/tcp_rst.h"
#include "stack/tcp/tcp_saved.h"
#include "stack/tcp/tcp_seg.h"
#include "stack/tcp/tcp_tfo.h"
#include "stack/tcp/tcp_ts.h"
#include "stack/tcp/tcp_wnd.h"

struct tcp {
	const struct env *env;
	struct ip *ip;
	struct wheel *wheel;
	struct tcp_demux demux;
	struct siphash_key isn_key;
	struct list ready;    /* connections that may want to send */
	struct list waits;    /* TIME-WAIT, oldest first */
	struct list listeners;
	struct tcp_rst rst;
	struct tcp_guard_rate challenges;
	uint32_t isn_floor;   /* RFC 6191: while a SYN takes over a TIME-WAIT */
	bool has_isn_floor;
	const uint32_t *isn_exact; /* while a cookie's connection is made */
	struct tcp_cookie_jar jar;
	struct tcp_tfo tfo;
	struct tcp_listener *asked; /* whose on_syn() is on the stack */
	uint32_t n_conns, n_owing, n_waits;
	uint64_t counter[TCP_REASON_N];
};

/* what we send; the oldest unacknowledged and the next number are those of
 * rec.sent once the SYN is acknowledged */
struct tcp_snd {
	uint32_t iss;
	uint32_t end; /* behind the last pushed octet; the FIN's number */
	uint32_t psh; /* behind the last octet that ends a push */
	uint32_t mark; /* another such place, for good; tcp_push_mark() */
	uint32_t urg; /* behind the last urgent octet */
	uint32_t wnd; /* the peer's, in octets from una */
	uint32_t max_wnd;
	uint32_t wl1, wl2; /* RFC 9293 3.10.7.4: of the last window update */
	uint8_t shift;     /* the peer's window scale */
	bool has_psh, has_mark, has_urg;
	bool syn_sent, syn_acked;
	bool fin;      /* the upper has closed */
	bool fin_sent; /* sent.nxt counts it */
	bool blocked;  /* tcp_blocked() */
	bool override; /* small segments may fill the window (SWS timer) */
	bool probe;    /* a tail loss probe is to be sent */
	struct instant last; /* last segment with sequence space */
};

/* what we receive */
struct tcp_rcv {
	uint32_t irs;
	uint32_t nxt;
	uint32_t last_ack; /* RFC 7323: Last.ACK.sent */
	uint32_t fin_seq;  /* with has_fin */
	bool syn;          /* the numbers here are valid */
	bool has_fin;      /* seen, perhaps out of order */
	bool fin;          /* arrived in order */
	struct instant last;
};

/* segment sizes */
struct tcp_mss {
	uint16_t ours; /* in our SYN's option */
	uint16_t peer; /* from the peer's SYN */
	uint16_t pmtu; /* last path MTU used.. */
	uint32_t news; /* ..as of this ip_mtu_news() */
	uint16_t base; /* payload and options together, of one segment */
	uint8_t opt;   /* option octets of the last data segment */
};

/* what the connection's timer for sending is running for */
enum tcp_timer_kind {
	TCP_TIMER_NONE,
	TCP_TIMER_SYN,
	TCP_TIMER_RECOVER, /* whatever tcp_recover_deadline() says, and pacing */
	TCP_TIMER_PACE,    /* nothing is out, and the rate lets nothing go yet */
	TCP_TIMER_PERSIST,
};

struct tcp_timers {
	struct wheel_timer send;
	struct wheel_timer ack;  /* delayed acknowledgement */
	struct wheel_timer idle; /* keep-alive, probes, orphan in FIN-WAIT-2 */
	enum tcp_timer_kind kind;
};

/* zero-window probes: tcp_persist.c */
struct tcp_persist {
	uint8_t backoff;
	uint8_t unanswered;
	struct instant since; /* first probe of this shut window */
};

/* keep-alive and tcp_probe_alive(): tcp_keep.c */
struct tcp_keep {
	uint32_t sent;      /* keep-alive probes without answer */
	uint8_t alive_left; /* of tcp_probe_alive(), with alive */
	bool alive;
	struct instant alive_at; /* next probe */
	struct instant since;    /* idle time counts from here at the earliest */
	struct instant fin2_at;  /* orphaned FIN-WAIT-2 ends, or NEVER */
};

/* connections without an owner that still owe data or FIN; one more is reset */
#define TCP_ORPHANS_MAX 16384u

/* segments owed besides data: bits of tcb.owe */
#define TCP_OWE_SYN    0x01 /* SYN or SYN-ACK */
#define TCP_OWE_ACK    0x02
#define TCP_OWE_FORCED 0x04 /* tcp_ack_now() */
#define TCP_OWE_PROBE  0x08 /* zero-window or keep-alive probe */

struct tcp_stats {
	uint64_t bytes_sent, bytes_acked, bytes_received, bytes_retrans;
	uint32_t segs_out, segs_in, retrans;
	uint32_t data_segs_out, data_segs_in, ooo_in;
	uint16_t rtos;
};

struct tcb {
	struct tcp_entry entry; /* the four-tuple */
	struct tcp *tcp;
	struct list ready;
	const struct tcp_upper *upper; /* never NULL */
	void *up;
	struct tcp_conf conf;
	struct tcp_fsm fsm;
	uint16_t path;
	uint8_t depth; /* our functions on the stack: no free above zero */
	bool dead;     /* ended; freed at depth zero */
	bool passive;
	bool detached; /* the upper let go: tcb_orphan answers the hooks */
	bool owing;    /* counted in n_owing */
	bool sack_ok, ts_ok, wscale_ok;
	bool no_ts;    /* our SYN offers none */
	bool restored; /* from a SYN cookie */
	uint8_t syns;  /* SYNs or SYN-ACKs sent */
	uint8_t owe;
	struct tcp_label label;
	uint8_t soft; /* enum tcp_end: what ICMP said since the last ACK */
	struct tcp_defer defer;
	struct tcp_snd snd;
	struct tcp_rcv rcv;
	struct tcp_mss mss;
	struct tcp_wnd wnd;
	struct tcp_guard guard;
	struct tcp_guard strange; /* answers to bare ACKs out of place */
	struct tcp_recover rec;
	struct tcp_pace pace;
	struct tcp_reasm reasm;
	struct tcp_delack delack;
	struct tcp_rcvrtt rcvrtt;
	struct tcp_chrono chrono;
	struct tcp_ts ts;
	struct tcp_ecn ecn;
	struct tcp_timers timers;
	struct tcp_persist persist;
	struct tcp_keep keep;
	struct tcp_stats stats;
	struct tcp_tfo_conn *tfo; /* NULL: nothing to do with it */
	struct tcp_saved *saved;  /* NULL: none, or taken */
};

static inline void tcb_count(struct tcb *tcb, enum tcp_reason r)
{
	tcb->tcp->counter[r]++;
}

/* puts the connection where tcp_output() looks */
static inline void tcb_ready(struct tcb *tcb)
{
	if (!list_linked(&tcb->ready)) {
		list_push_back(&tcb->tcp->ready, &tcb->ready);
	}
}

/* Every entry point into a connection that may call a hook is between these
 * two; tcb_leave() frees a connection that ended meanwhile and then returns
 * false. */
static inline void tcb_enter(struct tcb *tcb)
{
	tcb->depth++;
}

bool tcb_leave(struct tcb *tcb);

/* A fresh connection in state CLOSED, on no list; o->t is complete.  NULL: no
 * memory. */
struct tcb *tcb_new(struct tcp *tcp, const struct tcp_open *o,
		    struct instant now);
/* zeroes in a conf become defaults */
void tcb_conf(struct tcp_conf *c);
/* the conf's bounds of timers, to who keeps them */
void tcb_timing(struct tcb *tcb);
/* takes everything from the peer's SYN or SYN-ACK */
void tcb_peer_syn(struct tcb *tcb, struct instant now,
		  const struct tcp_seg *seg);
/* passive, from CLOSED: SYN-RECEIVED, and a SYN-ACK is owed */
void tcb_accept(struct tcb *tcb, struct instant now,
		const struct tcp_seg *syn);
/* never entered the map: gone, and no hook hears of it */
void tcb_discard(struct tcb *tcb);
/* Nobody answered for too long: what ICMP said meanwhile is why (Linux:
 * sk_err_soft), else TCP_END_TIMEOUT. */
static inline enum tcp_end tcb_timed_out(const struct tcb *tcb)
{
	return tcb->soft ? (enum tcp_end)tcb->soft : TCP_END_TIMEOUT;
}

/* The number of a segment without payload.  Where timeouts say that the peer
 * took its window back with octets on their way, one that it may accept: its
 * window's end (rounded down by less than a unit of its scale). */
uint32_t tcb_bare_seq(const struct tcb *tcb);
/* enters the four-tuple map; false (and tcb is gone): taken or full */
bool tcb_enlist(struct tcb *tcb);
/* Ends it: off every list and timer, then closed().  The memory goes at depth
 * zero.  Idempotent. */
void tcb_end(struct tcb *tcb, struct instant now, enum tcp_end end);
/* queues a RST with the upper's options, if the peer knows of us */
void tcb_send_rst(struct tcb *tcb, struct instant now);
/* tcb_send_rst(), then tcb_end() */
void tcb_reset(struct tcb *tcb, struct instant now, enum tcp_end end);
/* No hook reaches the upper any more. */
void tcb_orphan(struct tcb *tcb);
/* keeps n_owing right after a change of state */
void tcb_account(struct tcb *tcb);
/* the connection is over but for TIME-WAIT */
void tcb_to_wait(struct tcb *tcb, struct instant now);

static inline uint32_t tcb_ssn(const struct tcb *tcb, uint32_t seq)
{
	return seq - tcb->snd.iss;
}

static inline uint32_t tcb_una(const struct tcb *tcb)
{
	return tcb->snd.syn_acked ? tcb->rec.sent.una : tcb->snd.iss;
}

static inline uint32_t tcb_nxt(const struct tcb *tcb)
{
	return tcb->snd.syn_sent ? tcb->rec.sent.nxt : tcb->snd.iss;
}

/* pushed and not sent yet */
static inline uint32_t tcb_unsent(const struct tcb *tcb)
{
	return tcb->snd.fin_sent ? 0 : tcb->snd.end - tcb->rec.sent.nxt;
}

/* payload of one full segment with the options of the last one */
static inline uint32_t tcb_mss(const struct tcb *tcb)
{
	return (uint32_t)tcb->mss.base - tcb->mss.opt;
}

#endif
