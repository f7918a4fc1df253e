/* tcp_recover.h - the sending side's loss recovery, put together
 *
 * Owns RTT estimator, sent map, RACK and congestion control of one connection
 * and says what may be sent and when to look again.  It covers [iss + 1, ..),
 * data and FIN; the SYN is the caller's (who uses r->rtt for it).
 *
 *   OPEN      nothing unusual
 *   DISORDER  SACKs or duplicate ACKs, no loss declared
 *   RECOVERY  fast recovery up to `point`, sending by PRR (RFC 6937)
 *   LOSS      after a timeout (or an MTU change), slow start up to `point`
 *
 * How the state machine uses it:
 *   an acceptable ACK arrives     tcp_recover_ack()
 *   before sending                tcp_recover_quota(), then first
 *     - what is lost              tcp_recover_next() .. tcp_recover_resent()
 *     - new data                  tcp_sent_can_add(&r->sent) ..
 *                                 tcp_recover_sent()
 *   after each of these           arm one timer at tcp_recover_deadline()
 *   the timer fires               tcp_recover_fire(), do as it says
 *
 * The peer's window is the caller's.  A quota of at least one octet means that
 * a whole segment may go (no silly segments because of the quota).
 */
#ifndef TCP_TCP_RECOVER_H
#define TCP_TCP_RECOVER_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/env.h"
#include "stack/base/time.h"
#include "stack/tcp/cc.h"
#include "stack/tcp/tcp_alarm.h"
#include "stack/tcp/tcp_frto.h"
#include "stack/tcp/tcp_mtup.h"
#include "stack/tcp/tcp_newreno.h"
#include "stack/tcp/tcp_prr.h"
#include "stack/tcp/tcp_rate.h"
#include "stack/tcp/tcp_rack.h"
#include "stack/tcp/tcp_round.h"
#include "stack/tcp/tcp_rtt.h"
#include "stack/tcp/tcp_sent.h"
#include "stack/tcp/tcp_undo.h"

enum tcp_recover_state {
	TCP_RECOVER_OPEN,
	TCP_RECOVER_DISORDER,
	TCP_RECOVER_RECOVERY,
	TCP_RECOVER_LOSS,
};

/* what tcp_recover_ack() and tcp_recover_fire() did; for the counters */
enum {
	TCP_RECOVER_EV_FAST = 1 << 0,     /* fast recovery began */
	TCP_RECOVER_EV_LOST_RTX = 1 << 1, /* a retransmission was lost */
	TCP_RECOVER_EV_UNDO = 1 << 2,     /* a recovery was spurious */
	TCP_RECOVER_EV_DONE = 1 << 3,     /* recovery or loss ended */
	TCP_RECOVER_EV_PROGRESS = 1 << 4, /* una advanced */
	TCP_RECOVER_EV_DSACK = 1 << 5,    /* the peer got something twice */
	TCP_RECOVER_EV_RENEGED = 1 << 6,  /* the peer dropped SACKed data */
	TCP_RECOVER_EV_REPAIRED = 1 << 7, /* a tail loss probe did */
	TCP_RECOVER_EV_FRTO = 1 << 8,     /* a timeout was, by F-RTO */
	TCP_RECOVER_EV_MARKED = 1 << 9,   /* ..and reduced for a mark (ECN) */
};

struct tcp_recover {
	struct tcp_rtt rtt;
	struct tcp_sent sent;
	struct tcp_rack rack;
	struct tcp_rate rate;
	struct tcp_mtup mtup; /* a lost MTU probe is no congestion */
	struct cc cc;

	enum tcp_recover_state state;
	bool sack_ok;
	bool thin_linear; /* TCP_THIN_LINEAR_TIMEOUTS */
	uint32_t point; /* RECOVERY and LOSS end when this is acknowledged */
	uint32_t marked; /* nxt when a mark was answered, or behind una */
	struct tcp_newreno newreno; /* without SACK */
	struct tcp_prr prr;     /* RECOVERY only */
	struct tcp_undo undo;
	struct tcp_frto frto;   /* LOSS only */
	struct tcp_round round;
	struct instant last_sent;
	struct tcp_alarm alarm;
};

/* seq: first octet to be sent (ISS + 1) */
void tcp_recover_init(struct tcp_recover *r, struct mem *mem,
		      const struct cc_ops *cc, uint16_t mss, uint32_t seq,
		      struct instant now);
void tcp_recover_fini(struct tcp_recover *r);
/* The handshake is done: mss is final (payload octets of a full segment),
 * sack: SACK-permitted on both sides; syn_rtt: sample or -1; syn_lost: the SYN
 * or SYN-ACK was sent again. */
void tcp_recover_start(struct tcp_recover *r, struct instant now, uint16_t mss,
		       bool sack, nanos syn_rtt, bool syn_lost);

struct tcp_recover_ack {
	struct instant now;
	uint32_t ack; /* within [sent.una, sent.nxt] */
	const struct range32 *sack;
	unsigned n_sack;
	bool has_data;    /* the segment carried payload, SYN or FIN */
	bool wnd_changed; /* it moved the peer's window */
	bool marked;      /* the peer reports a mark of a router (ECE) */
	/* from the timestamp echo (tcp_ts_echo_before(), tcp_ts_rtt()); without
	 * timestamps INSTANT_NEVER and -1 */
	struct instant echo_before;
	nanos echo_rtt;
};

/* Does an ACK with n_sack blocks matter?  While nothing is out it may still say
 * what became of copies: by D-SACK, or as the second answer to a tail loss
 * probe. */
static inline bool tcp_recover_hears(const struct tcp_recover *r,
				     unsigned n_sack)
{
	return !tcp_sent_empty(&r->sent) || n_sack > 0 || r->rack.tlp;
}

/* Everything an ACK means for the sender.  Returns TCP_RECOVER_EV_*. */
unsigned tcp_recover_ack(struct tcp_recover *r,
			 const struct tcp_recover_ack *a);

/* Octets that may leave now, retransmissions first.  Applies the restart after
 * idle (RFC 5681 4.1). */
uint32_t tcp_recover_quota(struct tcp_recover *r, struct instant now);

/* The same without the restart: for whoever only asks. */
uint32_t tcp_recover_room(const struct tcp_recover *r);

/* New data was sent: len octets at sent.nxt.  Call tcp_sent_can_add() first. */
bool tcp_recover_sent(struct tcp_recover *r, struct instant now, uint32_t len,
		      uint16_t mss, bool app_limited);
/* F-RTO wants new data before anything is sent again: none is left, or the
 * peer's window takes none */
void tcp_recover_no_new(struct tcp_recover *r);
/* octets that go before new data */
uint32_t tcp_recover_due(const struct tcp_recover *r);
/* What to send again (max octets of it at most), NULL: nothing.  Valid until
 * the next call.  Then tcp_recover_resent() for the same entry. */
struct tcp_sent_entry *tcp_recover_next(struct tcp_recover *r, uint32_t max);
void tcp_recover_resent(struct tcp_recover *r, struct instant now,
			struct tcp_sent_entry *e, uint16_t mss);

/* when it is to be fired */
static inline struct instant tcp_recover_deadline(const struct tcp_recover *r)
{
	return tcp_alarm_next(&r->alarm, NULL);
}

/* The timer fired (harmless when nothing is due).  Returns what was due:
 *   NONE   nothing
 *   REO    losses were marked: send
 *   PROBE  send one segment whatever the quota: new data if there is some and
 *          the peer's window lets it (tcp_recover_sent()), else the range of
 *          tcp_recover_probe() (tcp_recover_resent()); then call
 *          tcp_recover_probed()
 *   RTO    everything was marked lost and the timeout doubled: send; the number
 *          of timeouts in a row is r->rtt.timeouts
 * *ev: TCP_RECOVER_EV_*. */
enum tcp_alarm_kind tcp_recover_fire(struct tcp_recover *r, struct instant now,
				     unsigned *ev);
struct tcp_sent_entry *tcp_recover_probe(struct tcp_recover *r);
/* rtx: the probe was a retransmission.  Also call it when nothing could be
 * sent (sent = false): the RTO is armed then. */
void tcp_recover_probed(struct tcp_recover *r, struct instant now, bool sent,
			bool rtx);

/* The path's MTU fell: segments of mss octets from now on, everything
 * outstanding is sent again without a congestion reaction (RFC 1191 6.5).  mss
 * not below the present one: only sets it. */
void tcp_recover_mss(struct tcp_recover *r, struct instant now, uint16_t mss);
/* another congestion control takes over at the present window */
void tcp_recover_set_cc(struct tcp_recover *r, const struct cc_ops *cc,
			struct instant now);

#endif
