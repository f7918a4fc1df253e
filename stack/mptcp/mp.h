/* mp.h - private to stack/mptcp: a connection and a subflow, as rows of small
 * structs, each written by the file named in its comment
 *
 * Data sequence numbers are kept as 64-bit stream offsets: offset 0 is the
 * first octet of data, that is DSN = IDSN + 1 + offset (RFC 8684 3.1).  They
 * do not wrap in practice, and the send ring uses the same numbers.
 *
 * Lifetime: nothing is freed while a hook may still be on the stack.  What
 * ends is taken off its lists and freed by the next mp_flush().
 */
#ifndef MPTCP_MP_H
#define MPTCP_MP_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "stack/base/hmap.h"
#include "stack/base/list.h"
#include "stack/base/ranges.h"
#include "stack/base/ring.h"
#include "stack/base/same.h"
#include "stack/base/seq.h"
#include "stack/base/siphash.h"
#include "stack/mptcp/mp_conn.h"
#include "stack/mptcp/mp_crypt.h"
#include "stack/mptcp/mp_idle.h"
#include "stack/mptcp/mp_keys.h"
#include "stack/mptcp/mp_map.h"
#include "stack/mptcp/mp_reasm.h"
#include "stack/mptcp/mp_seal.h"
#include "stack/mptcp/mp_sndbuf.h"
#include "stack/mptcp/mp_timer.h"
#include "stack/mptcp/mp_token.h"
#include "stack/mptcp/mp_unseal.h"
#include "stack/mptcp/mp_urg.h"
#include "stack/mptcp/mp_wnd.h"
#include "stack/mptcp/mptcp.h"
#include "stack/mptcp/pm/pm.h"
#include "stack/mptcp/sched/sched.h"
#include "stack/prim/hash.h"

/* One mapping must fit one packet of 64 KiB with all its headers. */
#define MP_BURST_MAX   64000u
#define MP_TX_MAPS_MAX 8192u
#define MP_RX_MAPS_MAX 8192u
#define MP_RM_MAX      8
#define MP_ORPHANS_MAX 65536u /* closed and not gone; one more is reset */
#define MP_OLD_MAX     MP_SUBFLOWS_MAX /* ended subflows kept for reports */

struct mp {
	const struct env *env;
	struct mp_cfg cfg;
	struct ip *ip;
	struct tcp *tcp;
	struct wheel *wheel;
	struct hash *hash;
	struct mp_tokens tokens;
	const struct sched_ops *sched;
	const struct pm_ops *pm;
	struct list conns; /* struct mp_conn.all */
	struct list dirty; /* struct mp_conn.dirty: may send */
	struct list dead;  /* struct mp_conn.all: to be freed */
	struct same confs; /* struct mp_conf */
	struct mp_idle idle;
	struct list half;  /* struct mp_sub.half, oldest first */
	uint32_t n_conns, n_owing, n_half_open;
	struct instant last; /* of the last flush */
	uint64_t counter[MP_REASON_N];
	void (*obituary)(void *ctx, struct instant now,
			 const struct mp_conn *c);
	void *obituary_ctx;
	void (*refused)(void *ctx, const struct mp_conn *c);
	void *refused_ctx;
};

struct mp_listener {
	struct mp *mp;
	struct tcp_listener *tl;
	struct mp_conf conf;
	const struct mp_listener_ops *ops;
	void *lo;
	struct list half; /* struct mp_sub.half: no third ACK, oldest first */
};

enum mp_sub_state {
	MP_SUB_SYN,  /* handshake not complete */
	MP_SUB_PRE,  /* our third ACK of a join is not answered yet: no data */
	MP_SUB_OPEN,
	MP_SUB_DEAD, /* no tcb any more; freed by the next flush */
};

/* what the next segments of a subflow must carry; mp_sub_opt.c clears */
struct mp_sub_sig {
	bool fin : 1;  /* lone DATA_FIN */
	bool dss : 1;  /* the DATA_ACK had to give way to another signal */
	bool prio : 1; /* MP_PRIO with the current backup flag */
	bool fail : 1; /* MP_FAIL with fail_dsn */
	uint8_t n_rm; /* REMOVE_ADDR */
	uint8_t rm[MP_RM_MAX];
	uint64_t fail_dsn;
};

/* options of the RST that ends a subflow */
struct mp_sub_rst {
	bool with_reason : 1, transient : 1, fastclose : 1, fail : 1;
	uint8_t reason;
};

struct mp_sub {
	struct list node; /* in mp_conn.subs, or .graves when dead */
	struct list half; /* passive, not verified yet: a join in mp.half, a
			   * first one in mp_listener.half */
	struct mp_conn *c;
	struct tcb *tcb; /* NULL when dead */
	enum mp_sub_state state;
	struct tuple t;
	uint16_t path;
	uint8_t nr;   /* in the order of creation */
	bool first : 1;   /* opened with MP_CAPABLE */
	bool passive : 1; /* the peer opened it */
	uint8_t local_id, remote_id;
	bool backup : 1;      /* our path is a backup one */
	bool peer_backup : 1; /* the peer asks us not to send here (B) */
	bool stale : 1;       /* does not answer while another subflow works */
	bool suspect : 1;     /* had a timeout: everything was given to others */
	bool dss_seen : 1;    /* a DATA_ACK, or data with a mapping, came here */
	bool third_out : 1;   /* both keys left on an ACK, no DATA_FIN since */
	bool seg_dss : 1;     /* the segment in progress has an MPTCP option */
	bool seg_dack : 1;    /* ... a DATA_ACK among them */
	bool acks_bare : 1;   /* ... or the last segments had none */
	bool acks_odd : 1;    /* something new acknowledged, other options, and no
			   * DATA_ACK since */
	bool fin_in : 1, fin_out : 1; /* FIN received, queued */
	bool probed : 1;      /* its address was withdrawn */
	bool blocked : 1;     /* tcp_blocked() is set */
	uint32_t irs;     /* peer's initial sequence number */
	struct {
		uint32_t nonce_local, nonce_remote;
		uint8_t tries; /* third ACKs sent */
	} join;

	struct mp_maps tx; /* mp_tx.c adds, mp_sub_acked() drops */
	uint32_t una;      /* ssn, cumulatively acknowledged */
	uint32_t first_len; /* of the mapping at ssn 1 */
	uint32_t given;    /* ssn up to which others have it, given_any */
	bool given_any : 1;
	uint8_t opt_len; /* of our options in the last segment with data */
	/* it acknowledged what the connection never got: suspect, until
	 * doubt_end at least; trusted again since .. */
	bool doubted : 1;
	uint8_t doubts; /* such times in a row: each is twice the last */
	struct instant doubt_end, trusted;
	uint64_t took; /* the head that it acknowledged alone, plus 1 */
	struct {           /* copy of what a stale subflow still owes, so that
			    * the ring need not keep it: mp_reinject.c */
		uint8_t *p;
		uint32_t ssn, len;
	} stash;

	struct mp_maps rx;  /* mp_rx.c */
	uint32_t rx_nxt;    /* ssn of the next octet TCP will hand up */
	struct list held;   /* slices by ssn: no mapping yet, or unverified */
	uint64_t held_len;
	uint32_t held_n;
	struct mp_run *hint; /* mp_reasm.c: where its last piece went */

	struct mp_sub_sig sig;
	struct mp_sub_rst rst;
	bool rst_in : 1, rst_in_transient : 1; /* MP_TCPRST of the peer's RST */
	uint8_t rst_in_reason;
	struct mp_timers timers;
	struct instant due[MP_T_SUB_N];
	struct instant born;
	uint64_t sent, received, reinjected; /* octets of payload */
};

/* mp_tx.c, mp_ack.c, mp_reinject.c */
struct mp_snd {
	struct ring ring;
	uint32_t size; /* what it may hold now: mp_sndbuf.c */
	uint64_t una;  /* DATA_ACKed */
	uint64_t nxt;  /* next to be given to a subflow */
	uint64_t edge; /* peer's window: the first offset not allowed */
	uint64_t small_end;  /* end of the last burst below a full segment */
	uint64_t opp_end;    /* opportunistically sent again up to here */
	uint64_t mixed_end;  /* before this, data is on several subflows */
	struct ranges again; /* to be sent on another subflow */
	uint8_t backoff;     /* of the data-level timer */
	bool asked : 1;          /* when it fired last: for a DATA_ACK alone */
	bool shut : 1;           /* nothing more will be written */
	bool fin_sent : 1, fin_acked : 1;
	bool fin_mapped : 1;     /* DATA_FIN is in the mapping of FINp */
	bool want_room : 1;      /* the writer was told "full" */
	bool refused : 1;        /* memory was: nothing else may wake us */
	bool cork_due : 1;       /* corked for long enough */
	uint64_t urgent; /* behind the last urgent octet not marked yet, 0: none */
	uint64_t total, again_total; /* octets for reports */
};

/* mp_rx.c, mp_wnd.c, mp_reasm.c */
struct mp_rcv {
	uint64_t nxt;
	struct list q; /* in order, unread */
	uint64_t q_len;
	struct mp_reasm ooo;
	struct mp_rwnd wnd;
	bool fin_known; /* a DATA_FIN was announced, at fin_off */
	bool fin_in;    /* and everything before it is here */
	bool discard;
	uint64_t fin_off;
	uint64_t total;
	struct mp_urg urg; /* mp_urg.c */
};

/* mp_fall.c */
struct mp_fallen {
	bool infinite;      /* an infinite mapping is to be sent */
	uint32_t inf_at;    /* ... with the packet that has this ssn */
	uint32_t inf_ssn;   /* what it says, with inf_off */
	uint32_t tx_ssn;    /* ssn tx_ssn carries offset tx_off */
	uint64_t inf_off, tx_off;
};

/* an address the peer announced */
struct mp_addr {
	bool used, echo;
	uint8_t id;
	struct endpoint ep; /* with the port to connect to */
	uint16_t port;      /* as announced, 0 when it was not */
};

/* mp_addr.c */
struct mp_addrs {
	struct mp_addr *remote; /* MP_ADDRS_MAX, with the first; NULL: none */
	uint64_t to_announce; /* bit per local ID */
	uint64_t announced;
	uint8_t cur, tries;   /* ID under way, 0: none */
	bool cur_due;
	uint8_t n_echo; /* echoes to be sent */
};

struct mp_conn {
	struct list all;   /* mp.conns, or mp.dead */
	struct list dirty; /* mp.dirty */
	struct mp_idle_conn idle;
	struct mp *mp;
	struct mp_fsm fsm;
	enum mp_mode mode;
	enum mp_reason why_plain;
	bool passive : 1, checksum : 1;
	bool peer_deny_join : 1; /* C flag: not to the initial address and port */
	bool plain_syn : 1;      /* a SYN without option went out */
	bool established : 1;    /* owner told, or accepted */
	bool told : 1;           /* owner told before that (TCP_FASTOPEN_CONNECT) */
	bool defers : 1;         /* mp_defers() */
	bool confirmed : 1;      /* the keys are known on both sides */
	bool dss_in : 1;         /* a DSS came: joins are allowed (RFC 8684 3.1) */
	bool dss_any : 1;        /* ... or one that did not count as such */
	bool confirm_due : 1;    /* the path manager is to be told */
	bool ack8 : 1;           /* the peer uses 64-bit DSNs */
	bool over : 1;           /* owner told that it is over */
	bool closed : 1;         /* mp_close() called: no owner */
	bool closed_last : 1;    /* the peer's DATA_FIN was there before ours */
	bool joined : 1;         /* a second subflow was open at some time */
	bool shutting : 1;       /* the subflows' FINs are sent */
	bool dead : 1;           /* on mp.dead */
	int err;

	const struct mp_owner *owner;
	void *o;
	struct mp_listener *listener; /* until accepted */
	const struct mp_conf *conf;   /* never NULL; of mp.confs */

	struct mp_keys keys;
	struct mp_token token;

	struct list subs, graves;
	struct mp_sub *first; /* NULL once freed */
	uint8_t n_subs, n_open, n_joining; /* joining: passive, unverified */
	uint8_t n_old;
	uint8_t next_nr;
	uint8_t old_nr[MP_OLD_MAX];
	struct mp_sub_info *old; /* MP_OLD_MAX, allocated with the first */
	struct tuple t;          /* of the first subflow */

	struct mp_crypt crypt; /* mp_crypt.c */
	struct mp_seal *seal;  /* mp_seal.c; NULL when CLEAR */
	struct mp_unseal *open; /* mp_unseal.c; as seal */

	struct mp_snd snd;
	struct mp_rcv rcv;
	struct mp_fallen fall;
	struct mp_addrs addrs;
	struct mp_pm pm;
	struct {             /* mp_close.c: what MP_T_ORPHAN is running for */
		bool fin2 : 1;
		uint64_t una;
	} orphan;
	struct mp_timers timers;
	struct instant due[MP_T_CONN_N];
};

/* Identity mapping of plain TCP: the data offset of an ssn.  Counted from the
 * oldest unacknowledged octet, because ssn wraps every 4 GiB. */
static inline uint64_t mp_plain_off(const struct mp_conn *c, uint32_t ssn)
{
	uint32_t una = c->fall.tx_ssn + (uint32_t)(c->snd.una - c->fall.tx_off);

	return c->snd.una + (uint64_t)(int64_t)seq_diff(ssn, una);
}

/* nothing but Init and frames travels */
static inline bool mp_sealed(const struct mp_conn *c)
{
	return c->crypt.state == MP_CRYPT_SEALED;
}

/* --- mp.c ------------------------------------------------------------ */
void mp_dirty(struct mp_conn *c);

/* --- mp_conn.c: creation, end, and what the owner is told ------------ */
struct mp_conn *mp_conn_new(struct mp *mp, const struct mp_conf *conf,
			    struct instant now);
void mp_conn_established(struct mp_conn *c, struct instant now);
void mp_conn_readable(struct mp_conn *c, struct instant now);
void mp_conn_writable(struct mp_conn *c, struct instant now);
/* tells the owner, once, that it is over */
void mp_conn_over(struct mp_conn *c, struct instant now, int err);
/* it is passive and the policy does not accept it */
void mp_conn_refused(const struct mp_conn *c);
/* ends it now: subflows are reset, the owner hears err */
void mp_conn_fail(struct mp_conn *c, struct instant now, int err);
/* if nothing is left to do and no owner holds it: to be freed */
void mp_conn_maybe_gone(struct mp_conn *c, struct instant now);
void mp_conn_event(struct mp_conn *c, enum mp_event ev);
void mp_conn_free(struct mp_conn *c);
/* there is no owner (any more) */
void mp_conn_disown(struct mp_conn *c);

/* --- mp_sub.c -------------------------------------------------------- */
extern const struct tcp_upper mp_sub_upper;
struct mp_sub *mp_sub_new(struct mp_conn *c, struct instant now);
/* the connection's options as its TCP has them now */
struct tcp_conf mp_sub_conf(const struct mp_sub *s);
/* undoes mp_sub_new() when TCP refused */
void mp_sub_drop(struct mp_sub *s);
/* RST with s->rst, and dead */
void mp_sub_abort(struct mp_sub *s, struct instant now);
void mp_sub_reset_why(struct mp_sub *s, uint8_t reason, bool transient);
void mp_sub_open(struct mp_sub *s, struct instant now);
/* the tcb is gone: gives its data to others, keeps its numbers */
void mp_sub_dead(struct mp_sub *s, struct instant now);
void mp_sub_free(struct mp_sub *s);
/* cannot be used for Multipath TCP any more: RST, reported as lost */
void mp_sub_broken(struct mp_sub *s, struct instant now, uint8_t reason);
/* open, not yet shut, and has a way out */
bool mp_sub_usable(const struct mp_sub *s);
/* ACK on a subflow fit for signals; NULL: none is open */
struct mp_sub *mp_sub_best(struct mp_conn *c);

/* --- mp_sub_opt.c ---------------------------------------------------- */
unsigned mp_sub_options(void *up, const struct tcp_tx *tx, uint8_t *buf,
			unsigned room);
/* no ACK could carry a signal yet (RFC 8684 3.1) */
bool mp_sub_opt_mute(const struct mp_sub *s);
/* --- mp_sub_in.c ----------------------------------------------------- */
enum tcp_verdict mp_sub_segment(void *up, struct instant now,
				const struct tcp_seg *seg, uint32_t wnd);

/* --- mp_open.c ------------------------------------------------------- */
enum tcp_verdict mp_open_synack(struct mp_sub *s, struct instant now,
				const struct tcp_seg *seg, uint32_t wnd);
enum tcp_verdict mp_open_third(struct mp_sub *s, struct instant now,
			       const struct tcp_seg *seg, uint32_t wnd);

/* --- mp_join.c ------------------------------------------------------- */
/* Opens one more subflow; false: not possible now */
bool mp_join_open(struct mp_conn *c, struct instant now, unsigned path,
		  const struct endpoint *remote, uint8_t remote_id);
enum tcp_verdict mp_join_synack(struct mp_sub *s, struct instant now,
				const struct tcp_seg *seg);
enum tcp_verdict mp_join_third(struct mp_sub *s, struct instant now,
			       const struct tcp_seg *seg);
void mp_join_established(struct mp_sub *s, struct instant now);
void mp_join_timer(struct mp_sub *s, struct instant now);

/* --- mp_tx.c --------------------------------------------------------- */
void mp_tx_run(struct mp_conn *c, struct instant now);
bool mp_tx_push(struct mp_sub *s, struct instant now, uint64_t off,
		uint32_t n, bool again);
/* where an ssn's octets are; see tcp_upper.payload */
unsigned mp_tx_payload(struct mp_sub *s, uint32_t ssn, uint32_t len,
		       struct iov v[3]);
uint32_t mp_tx_burst(struct mp_sub *s, uint32_t ssn, uint32_t len);

/* --- mp_burst.c ------------------------------------------------------ */
/* octets that the subflow could take now */
uint32_t mp_tx_room(const struct mp_sub *s);
/* data waits that no subflow has yet; also what cannot be sealed yet */
bool mp_tx_waiting(const struct mp_conn *c);
/* ... and only windows, Nagle or cork hold it back, not missing keys */
bool mp_tx_held_up(const struct mp_conn *c);
/* the peer's window takes nothing of what waits */
bool mp_tx_shut_out(const struct mp_conn *c);

/* --- mp_ack.c -------------------------------------------------------- */
/* a DATA_ACK arrived with this window */
void mp_ack_data(struct mp_conn *c, struct instant now, uint64_t off,
		 uint32_t wnd);
/* the subflow acknowledged up to una */
void mp_ack_sub(struct mp_sub *s, struct instant now, uint32_t una);
/* gives back what nobody needs */
void mp_ack_release(struct mp_conn *c, struct instant now);
void mp_ack_timer(struct mp_conn *c, struct instant now);
void mp_ack_arm(struct mp_conn *c, struct instant now, bool restart);
/* a subflow that carries the first octet without DATA_ACK and has not got it
 * acknowledged; NULL: none has */
struct mp_sub *mp_ack_head_holder(struct mp_conn *c);

/* --- mp_reinject.c --------------------------------------------------- */
/* everything the subflow has not got acknowledged goes to others */
void mp_reinject_sub(struct mp_sub *s, struct instant now);
void mp_reinject_range(struct mp_conn *c, uint64_t lo, uint64_t hi);
void mp_reinject_timeout(struct mp_sub *s, struct instant now, unsigned n);
/* what subflows with a timeout still hold goes to others, if any work now */
void mp_reinject_suspects(struct mp_conn *c, struct instant now);
void mp_reinject_recovered(struct mp_sub *s, struct instant now);
/* the subflow acknowledges, and the connection gets nothing */
void mp_reinject_doubt(struct mp_sub *s, struct instant now);
/* una has moved: doubts that are over end */
void mp_reinject_trust(struct mp_conn *c, struct instant now);
/* the window or the ring is full because of a slow subflow */
void mp_reinject_blocked(struct mp_conn *c, struct instant now);
/* copies what a stale subflow still claims of the ring */
bool mp_reinject_stash(struct mp_sub *s, struct instant now);
void mp_reinject_unstash(struct mp_sub *s);

/* --- mp_rx.c --------------------------------------------------------- */
enum tcp_verdict mp_rx_dss(struct mp_sub *s, struct instant now,
			   const struct tcp_seg *seg,
			   const struct mp_opt_dss *d);
void mp_rx_deliver(struct mp_sub *s, struct instant now, struct slice *sl);
/* hands on what is mapped, verified and held */
void mp_rx_pump(struct mp_sub *s, struct instant now);
uint32_t mp_rx_consumed(const struct mp_sub *s);
/* in fallback: everything held, in order */
void mp_rx_flush(struct mp_sub *s, struct instant now);
void mp_rx_unmapped_timer(struct mp_sub *s, struct instant now);

/* --- mp_rx_data.c ---------------------------------------------------- */
/* take over sl, with its data offset; or, single stream, the next octets */
void mp_rx_data(struct mp_sub *s, struct instant now, struct slice *sl);
void mp_rx_data_plain(struct mp_sub *s, struct instant now, struct slice *sl);
void mp_rx_fin(struct mp_conn *c, struct instant now);
/* the peer's FIN came on s */
void mp_rx_sub_fin(struct mp_sub *s, struct instant now);
/* the first offset that no promise covers */
uint64_t mp_rx_limit(const struct mp_conn *c);
/* octets to be offered on a subflow */
uint32_t mp_rx_window(struct mp_conn *c);
/* everything was read, and the peer's stream has ended */
bool mp_rx_eof(const struct mp_conn *c);
/* sealed: verified slices, whole frames, not here yet, by offset in seq; ready
 * is empty afterwards */
void mp_rx_verified(struct mp_sub *s, struct instant now, struct list *ready);
/* sealed: the next n octets belonged to the peer's Init message */
void mp_rx_init_done(struct mp_conn *c, uint32_t n);
uint64_t mp_rx_data_ack(const struct mp_conn *c); /* DSN */

/* --- mp_fall.c ------------------------------------------------------- */
/* Becomes plain TCP for this reason.  False: not possible (several subflows,
 * or Multipath TCP is required); the caller resets the subflow. */
bool mp_fall(struct mp_conn *c, struct instant now, enum mp_reason why);
/* ... or goes on as it was: perhaps that was one segment of many, or forged */
bool mp_fall_if(struct mp_conn *c, struct instant now, enum mp_reason why);
/* the subflow ends because it cannot fall: notes it when the policy is why */
void mp_fall_refuse(struct mp_conn *c, enum mp_reason why);
/* Sealed: no DATA_ACK for more than the first mapping, whose option was another
 * one: the peer may never have had a DSS, and have fallen back. */
bool mp_fall_early(const struct mp_sub *s);
/* After the fallback: does the segment's mapping still say what plain TCP takes
 * its octets for?  TCP_UP_RESET: no, and they must not be delivered. */
enum tcp_verdict mp_fall_in(struct mp_sub *s, const struct tcp_seg *seg);

/* --- mp_close.c ------------------------------------------------------ */
void mp_close_fin_due(struct mp_conn *c);
void mp_close_step(struct mp_conn *c, struct instant now);
void mp_close_timer(struct mp_conn *c, enum mp_timer which,
		    struct instant now);
/* RST with MP_FASTCLOSE on every subflow */
void mp_close_fast(struct mp_conn *c, struct instant now);
void mp_close_no_subflow(struct mp_conn *c, struct instant now);
enum tcp_verdict mp_close_fast_rx(struct mp_sub *s, struct instant now,
				  uint64_t key);

/* --- mp_addr.c ------------------------------------------------------- */
uint8_t mp_addr_local_id(const struct mp_conn *c, const struct addr *a);
void mp_addr_announce(struct mp_conn *c);
void mp_addr_rx_add(struct mp_sub *s, struct instant now,
		    const struct mp_opt_add_addr *a);
void mp_addr_rx_remove(struct mp_conn *c, struct instant now,
		       const uint8_t *ids, unsigned n);
/* withdraws a local address on every open subflow */
void mp_addr_remove(struct mp_conn *c, uint8_t id);
void mp_addr_timer(struct mp_conn *c, struct instant now);
/* writes one pending ADD_ADDR or echo; octets, 0 when none or no room */
unsigned mp_addr_emit(struct mp_sub *s, struct wr *w, struct instant now);
bool mp_addr_due(const struct mp_conn *c);
bool mp_addr_by_id(const struct mp_conn *c, uint8_t id, struct addr *out);

/* --- mp_info.c ------------------------------------------------------- */
void mp_info_keep(struct mp_sub *s);

#endif
