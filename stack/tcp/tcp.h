/* tcp.h - one TCP connection as seen from above (RFC 9293 and friends)
 *
 * TCP knows neither MPTCP nor sockets: everything above is a table of hooks.
 * TCP keeps no payload.  Outgoing octets stay with the upper layer, which
 * says how many there are (tcp_push) and yields them by relative sequence
 * number when a segment is built, also again for a retransmission.  Incoming
 * octets are handed up in order, by slice.
 *
 * Relative sequence numbers ("ssn") count from the initial sequence number:
 * SYN is 0, the first octet of data 1, and they wrap at 2^32 (RFC 8684 3.3.1
 * uses the same).
 *
 * Re-entrancy: hooks may call any tcp_* function of the same connection that
 * is marked [hook-safe]; TCP frees nothing while one of its functions for that
 * connection is on the stack.  After closed() the tcb is gone for the upper.
 */
#ifndef TCP_TCP_H
#define TCP_TCP_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/addr.h"
#include "stack/base/bytes.h"
#include "stack/base/env.h"
#include "stack/base/pkt.h"
#include "stack/base/siphash.h"
#include "stack/base/time.h"
#include "stack/base/wheel.h"
#include "stack/ip/ip.h"
#include "stack/tcp/cc.h"
#include "stack/tcp/tcp_chrono.h"
#include "stack/tcp/tcp_ecn.h"
#include "stack/wire/tcp_hdr.h"

struct tcp; /* all connections and listeners of one stack */
struct tcb; /* one connection */

/* Names that Linux has in /proc/net/snmp and netstat are used as they are. */
#define TCP_REASONS(X)                                                         \
	X(TCP_ACTIVE_OPENS, "TcpActiveOpens", "connections opened by us")     \
	X(TCP_PASSIVE_OPENS, "TcpPassiveOpens", "connections opened to us")   \
	X(TCP_ATTEMPT_FAILS, "TcpAttemptFails",                               \
	  "handshakes that ended without a connection")                      \
	X(TCP_ESTAB_RESETS, "TcpEstabResets",                                 \
	  "open connections that ended at once: reset, or timed out")        \
	X(TCP_IN_SEGS, "TcpInSegs", "segments received")                      \
	X(TCP_OUT_SEGS, "TcpOutSegs", "segments sent, each MSS of a burst")   \
	X(TCP_RETRANS_SEGS, "TcpRetransSegs", "segments sent again")          \
	X(TCP_OUT_RSTS, "TcpOutRsts", "resets sent")                          \
	X(TCP_RST_SKIP, "TcpOutRstsSkipped",                                  \
	  "resets not sent: their queue was full")                           \
	X(TCP_DROP_SHORT, "TcpDropShort", "segment shorter than its header")  \
	X(TCP_DROP_DOFF, "TcpDropDoff", "data offset below five words")       \
	X(TCP_DROP_CKSUM, "TcpInCsumErrors", "checksum wrong")                \
	X(TCP_DROP_NO_CONN, "TcpDropNoConn",                                  \
	  "segment for no connection and no listener: answered with a reset") \
	X(TCP_DROP_FLAGS, "TcpDropFlags",                                     \
	  "flags that no segment may have in this state")                    \
	X(TCP_DROP_FIN, "TcpDropFin",                                         \
	  "FIN in the middle of data that are here, or data behind it: ignored") \
	X(TCP_DROP_BACKLOG, "TcpExtListenOverflows",                          \
	  "SYN ignored: the listener's queue is full")                       \
	X(TCP_COOKIE_SENT, "TcpExtSyncookiesSent",                            \
	  "SYNs answered with a cookie, because the listener's queue is full") \
	X(TCP_COOKIE_RECV, "TcpExtSyncookiesRecv",                            \
	  "connections restored from a SYN cookie")                          \
	X(TCP_COOKIE_FAILED, "TcpExtSyncookiesFailed",                        \
	  "ACK without a valid SYN cookie: answered with a reset")           \
	X(TCP_TFO_ACTIVE, "TcpExtTCPFastOpenActive",                          \
	  "data in our SYN that were acknowledged at once")                  \
	X(TCP_TFO_ACTIVE_FAIL, "TcpExtTCPFastOpenActiveFail",                 \
	  "data in our SYN that were not, or a SYN with Fast Open lost")     \
	X(TCP_TFO_PASSIVE, "TcpExtTCPFastOpenPassive",                        \
	  "connections opened to us by the data of their SYN")               \
	X(TCP_TFO_PASSIVE_FAIL, "TcpExtTCPFastOpenPassiveFail",               \
	  "Fast Open cookies that were not ours, or too old")                \
	X(TCP_TFO_ALT_KEY, "TcpExtTCPFastOpenPassiveAltKey",                  \
	  "Fast Open cookies of the last key: a newer one was given")        \
	X(TCP_TFO_OVERFLOW, "TcpExtTCPFastOpenListenOverflow",                \
	  "SYN data not taken: the listener's Fast Open queue is full")      \
	X(TCP_TFO_REQUEST, "TcpExtTCPFastOpenCookieReqd",                     \
	  "Fast Open cookies that were asked for")                           \
	X(TCP_DROP_NOMEM, "TcpDropNoMem", "memory limit reached")             \
	X(TCP_DROP_PAWS, "TcpExtPAWSEstab", "timestamp older than the last (PAWS)") \
	X(TCP_DROP_WINDOW, "TcpDropWindow", "entirely outside the window")    \
	X(TCP_DROP_ACK, "TcpDropAck", "acknowledges what was never sent, or long ago") \
	X(TCP_DROP_TTL, "TcpExtTCPMinTTLDrop",                                \
	  "came from further away than IP_MINTTL allows")                    \
	X(TCP_DROP_NO_ACK, "TcpDropNoAck", "no ACK bit in a synchronized state") \
	X(TCP_DROP_SYN, "TcpExtTCPSYNChallenge",                              \
	  "SYN on an open connection: challenge ACK")                        \
	X(TCP_DROP_RST, "TcpDropRst",                                         \
	  "reset not exactly at the left edge, or of no connection")         \
	X(TCP_DROP_OOO, "TcpExtOfoPruned",                                    \
	  "out-of-order data refused: the queue's bound is reached")         \
	X(TCP_DROP_UPPER, "TcpDropUpper", "refused by the layer above")       \
	X(TCP_DROP_AFTER_CLOSE, "TcpExtTCPAbortOnData",                       \
	  "data after the application closed: reset")                        \
	X(TCP_CHALLENGE_ACK, "TcpExtTCPChallengeACK", "challenge ACKs sent")  \
	X(TCP_CHALLENGE_SKIP, "TcpExtTCPACKSkippedChallenge",                 \
	  "challenge ACKs held back by rate")                                \
	X(TCP_ACK_SKIP, "TcpExtTCPACKSkippedSeq",                             \
	  "bare ACKs out of place, not answered because of their rate")      \
	X(TCP_RTO, "TcpExtTCPTimeouts", "retransmission timeouts")            \
	X(TCP_REHASH, "TcpExtTcpTimeoutRehash",                               \
	  "IPv6 flow labels changed after a timeout, or a SYN again")        \
	X(TCP_REHASH_DUP, "TcpExtTcpDuplicateDataRehash",                     \
	  "flow labels changed because data came again, with another")       \
	X(TCP_FAST_RTX, "TcpExtTCPFastRetrans", "fast retransmissions")       \
	X(TCP_LOST_RTX, "TcpExtTCPLostRetransmit",                            \
	  "a retransmission was lost too")                                   \
	X(TCP_SPURIOUS, "TcpExtTCPDSACKUndo",                                 \
	  "recoveries found spurious and undone")                            \
	X(TCP_SPURIOUS_RTO, "TcpExtTCPSpuriousRTOs",                          \
	  "timeouts found needless by new data (F-RTO)")                     \
	X(TCP_CE_IN, "IpExtInCEPkts",                                         \
	  "data that a router had marked for congestion (ECN)")              \
	X(TCP_ECE_CUT, "TcpEcnReductions",                                    \
	  "windows reduced because the peer reported such a mark")           \
	X(TCP_TLP, "TcpExtTCPLossProbes", "tail loss probes")                 \
	X(TCP_PROBE, "TcpExtTCPWinProbe", "zero-window probes sent")          \
	X(TCP_DELACK, "TcpExtDelayedACKs", "delayed acknowledgements sent")   \
	X(TCP_OOO, "TcpExtTCPOFOQueue", "segments queued out of order")       \
	X(TCP_DUP, "TcpExtTCPDSACKOldSent", "segments wholly received before") \
	X(TCP_ABORT_ORPHANS, "TcpExtTCPAbortOnMemory",                        \
	  "connections reset at close: too many still owed their end")       \
	X(TCP_ABORT_TIMEOUT, "TcpExtTCPAbortOnTimeout",                       \
	  "connections given up after too many retransmissions")             \
	X(TCP_ABORT_KEEPALIVE, "TcpExtTCPKeepAliveAbort",                     \
	  "connections given up after unanswered keep-alive probes")         \
	X(TCP_KEEPALIVE, "TcpExtTCPKeepAlive", "keep-alive probes sent")      \
	X(TCP_DEFER_DROP, "TcpExtTCPDeferAcceptDrop",                         \
	  "bare ACKs not taken: the listener waits for data")                \
	X(TCP_SYN_RETRANS, "TcpExtTCPSynRetrans", "SYN or SYN-ACK sent again") \
	X(TCP_TIMEWAIT, "TcpExtTW", "connections that entered TIME-WAIT")     \
	X(TCP_TIMEWAIT_FULL, "TcpExtTCPTimeWaitOverflow",                     \
	  "TIME-WAITs that ended early: there were too many")                \
	X(TCP_TIMEWAIT_REUSE, "TcpExtTWRecycled",                             \
	  "SYN that took over a connection in TIME-WAIT")                    \
	X(TCP_PMTU, "TcpPmtuLowered", "MSS lowered by an ICMP error")         \
	X(TCP_PMTU_WAITS, "TcpPmtuWaits",                                     \
	  "ICMP errors about size that wait for what they quote (RFC 5927)") \
	X(TCP_PMTU_DENIED, "TcpPmtuDenied",                                   \
	  "ICMP errors about size of packets that did arrive: ignored")      \
	X(TCP_PMTU_ABSURD, "TcpPmtuAbsurd",                                   \
	  "ICMP errors with an MTU that no link has: ignored")               \
	X(TCP_MTU_BLACKHOLE, "TcpMtuBlackHoles",                              \
	  "large packets vanished without an ICMP error: smaller ones")      \
	X(TCP_MTUP_PROBES, "TcpMtuProbes", "path MTU probes sent")            \
	X(TCP_MTUP_SUCCESS, "TcpExtTCPMTUPSuccess", "path MTU probes that arrived") \
	X(TCP_MTUP_FAIL, "TcpExtTCPMTUPFail", "path MTU probes that did not") \
	X(TCP_ICMP_SOFT, "TcpIcmpSoft", "ICMP errors noted, not acted on")    \
	X(TCP_ICMP_HARD, "TcpIcmpHard", "handshakes ended by an ICMP error")  \
	X(TCP_SIMULTANEOUS, "TcpSimultaneousOpen", "simultaneous opens")      \
	X(TCP_URG_IN, "TcpUrgentIn", "segments with urgent data")

enum tcp_reason {
#define X(id, name, text) id,
	TCP_REASONS(X)
#undef X
		TCP_REASON_N
};

const char *tcp_reason_name(enum tcp_reason r);
const char *tcp_reason_text(enum tcp_reason r);

enum tcp_state {
	TCP_CLOSED,
	TCP_SYN_SENT,
	TCP_SYN_RECEIVED,
	TCP_ESTABLISHED,
	TCP_FIN_WAIT_1,
	TCP_FIN_WAIT_2,
	TCP_CLOSING,
	TCP_TIME_WAIT,
	TCP_CLOSE_WAIT,
	TCP_LAST_ACK,
};

/* why a connection ended, for closed() */
enum tcp_end {
	TCP_END_NORMAL,   /* both FINs exchanged and acknowledged */
	TCP_END_ABORTED,  /* by us: tcp_abort() or refused by a hook */
	TCP_END_RESET,    /* RST from the peer */
	TCP_END_REFUSED,  /* RST in answer to our SYN */
	TCP_END_TIMEOUT,  /* retransmissions, handshake or keep-alive */
	TCP_END_UNREACH,  /* ICMP: the host, in the handshake or before a timeout */
	TCP_END_NET,      /* ICMP: the network, likewise.. */
	TCP_END_PROHIBIT, /* ..the port */
	TCP_END_PROTO,    /* ..the protocol */
	TCP_END_HEADER,   /* ..ICMPv6: the same, as a header it does not know */
	TCP_END_ACCESS,   /* ..ICMPv6: administratively prohibited */
	TCP_END_NOMEM,
};

/* what kind of segment options are wanted for */
enum tcp_tx_kind {
	TCP_TX_SYN,
	TCP_TX_SYNACK,
	TCP_TX_DATA,
	TCP_TX_ACK, /* no payload; FIN possible */
	TCP_TX_RST,
};

struct tcp_tx {
	enum tcp_tx_kind kind;
	bool retransmit;
	uint8_t syns;     /* SYN, SYNACK: how many of them went unanswered */
	bool probe;       /* zero-window or keep-alive probe: seq is old */
	bool forced;      /* tcp_ack_now(): exists to carry options */
	uint32_t ssn;     /* of the first octet (DATA) or of snd_nxt */
	uint32_t len;     /* payload octets, all segments of a burst together */
	struct instant now;
};

enum tcp_verdict {
	TCP_UP_OK,
	TCP_UP_DROP,  /* ignore this segment (payload not accepted) */
	TCP_UP_RESET, /* send RST (options by TCP_TX_RST) and end: ABORTED */
};

/* The layer above one connection; `up` is the pointer given at open. */
struct tcp_upper {
	/* Writes upper-layer options for a segment; room octets at buf;
	 * returns octets used (any number; TCP pads with NOPs).  TCP's own
	 * options come first; for SACK it leaves room: options() is called
	 * before SACK blocks are placed.  May be called again for the same
	 * segment with a smaller len, when the options leave less room for
	 * payload than thought (only without segmentation offload). */
	unsigned (*options)(void *up, const struct tcp_tx *tx, uint8_t *buf,
			    unsigned room);
	/* A segment passed the sequence and acknowledgement checks (for
	 * SYN-SENT: an acceptable SYN-ACK or SYN; for SYN-RECEIVED: the third
	 * ACK), before its acknowledgement, payload and FIN are processed.
	 * Also a valid RST, just before closed(): the verdict is ignored;
	 * and, passive in SYN-RECEIVED, the peer's SYN when it comes again.
	 * wnd is the peer's window in octets, already scaled. */
	enum tcp_verdict (*segment)(void *up, struct instant now,
				    const struct tcp_seg *seg, uint32_t wnd);
	/* the handshake is complete (also at the passive side) */
	void (*established)(void *up, struct instant now);
	/* In-order payload; the slice now belongs to the upper.  seq is the
	 * ssn of its first octet.  tail: last one of this input call */
	void (*deliver)(void *up, struct instant now, struct slice *s);
	/* The octet at this ssn, which has not been delivered yet, is urgent:
	 * told before it is.  May be NULL. */
	void (*urgent)(void *up, uint32_t ssn);
	/* the peer's FIN, in order */
	void (*fin)(void *up, struct instant now);
	/* every ssn before una is acknowledged (FIN and SYN not counted) */
	void (*acked)(void *up, struct instant now, uint32_t una);
	/* room may have opened: window or congestion window moved, recovery
	 * ended, or the connection just became able to send */
	void (*can_send)(void *up, struct instant now);
	/* octets the upper can take from rcv_nxt on: what to advertise.
	 * For plain TCP it must not shrink faster than data arrives. */
	uint32_t (*window)(void *up);
	/* the pieces of [ssn, ssn+len), as pushed before; at most 3 */
	unsigned (*payload)(void *up, uint32_t ssn, uint32_t len,
			    struct iov v[3]);
	/* Given the range TCP would like to send as one packet, the most of it
	 * that may go in one (a mapping boundary); 1..len */
	uint32_t (*burst)(void *up, uint32_t ssn, uint32_t len);
	/* retransmission timeout number n in a row (1, 2, ..) */
	void (*timeout)(void *up, struct instant now, unsigned n);
	/* the connection is over; the tcb is not the upper's any more.
	 * Never called from within tcp_connect() or tcp_accept(). */
	void (*closed)(void *up, struct instant now, enum tcp_end end);
};

/* when a path's MTU is looked for without ICMP (RFC 4821) */
enum tcp_mtup_mode {
	TCP_MTUP_BLACKHOLE, /* when large packets vanish: the default */
	TCP_MTUP_OFF,
	TCP_MTUP_ON, /* from the first packet on */
};

/* Socket options that reach one connection; zero means default. */
struct tcp_conf {
	/* largest first: each connection has it three times */
	const struct cc_ops *cc;
	nanos keep_idle, keep_intvl; /* 7200 s, 75 s */
	nanos user_timeout;          /* 0: retries2 (15) */
	nanos linger2;               /* orphaned FIN-WAIT-2, 60 s */
	uint64_t max_pacing_rate;    /* octets per second, 0: no limit */
	uint32_t rcv_wnd_max;        /* the receive buffer; 6 MiB */
	/* largest window that the upper may ever offer, fixes the scale; no
	 * less than rcv_wnd_max */
	uint32_t rcv_wnd_limit;
	/* of retransmission and delayed ACK; 0: 200 ms, 120 s, 200 ms */
	uint32_t rto_min_us, rto_max_ms, delack_max_us;
	uint16_t mss_clamp; /* TCP_MAXSEG, 0: none */
	/* TCP Fast Open (RFC 7413): a listener's queue, 0 for none; an active
	 * open that waits for its first data; no cookie asked or given */
	uint16_t tfo_queue;
	bool tfo_connect : 1, tfo_no_cookie : 1;
	bool keepalive : 1;
	bool thin_linear : 1; /* a thin stream's timeouts do not double at first */
	/* IP_MTU_DISCOVER: packets may be fragmented on their way; what was
	 * learnt of the path is not looked at */
	bool may_fragment : 1, ignore_pmtu : 1;
	/* IPv6 flow labels: none (IPV6_AUTOFLOWLABEL 0), or always the same one
	 * (SO_TXREHASH 0) */
	bool no_label : 1, no_rehash : 1;
	bool save_syn : 1; /* a listener's: tcp_take_syn() has something */
	uint8_t ttl; /* default 64 */
	uint8_t tos;
	uint8_t syn_retries; /* default 6 (Linux) */
	uint8_t keep_cnt;    /* 9 */
	/* a listener's: timeouts to wait for data; who connects has the ACK of
	 * the SYN-ACK wait for data, too, as with quickack 0 */
	uint8_t defer_accept;
	/* TCP_QUICKACK, an act and no state: the value (tcp_delack.h), and how
	 * many times it was set, modulo 256 but 0 for never */
	uint8_t quickack, quickack_nth;
	uint8_t min_ttl; /* IP_MINTTL: segments with less are dropped */
	enum tcp_mtup_mode mtup : 8; /* path MTU without ICMP */
	enum tcp_ecn_mode ecn : 8;
};

struct tcp_open {
	struct tuple t; /* local port 0: an ephemeral one is chosen */
	uint16_t path;
	const struct tcp_upper *upper;
	void *up;
	/* window() is one of several connections together and may offer less
	 * than this one was promised (RFC 8684 3.3.4) */
	bool shared_wnd;
	bool no_ts; /* our SYN offers no timestamps: options need the room */
	bool fastopen; /* RFC 7413 may be used, as conf says (tcp_tfo.h) */
	struct tcp_conf conf;
};

/* A listener.  on_syn() decides and, to accept, calls tcp_accept() with the
 * same segment before it returns; returning without it ignores the SYN. */
struct tcp_listener;

/* what a SYN cookie makes known again, beside the SYN */
struct tcp_cookie {
	uint64_t tag;  /* unpredictable, the same for the SYN and its ACK */
	uint32_t isn;  /* ours */
	uint8_t upper; /* bits of the upper layer; 0 without timestamps */
};

#define TCP_COOKIE_UPPER 6 /* how many of them there are */

struct tcp_listener_ops {
	void (*on_syn)(void *lctx, struct instant now,
		       const struct tcp_seg *syn);
	/* The ACK of a tcp_answer() came, and its cookie is one of ours: syn
	 * is as it was then, but for the upper's options; c has the upper's
	 * bits and tag.  tcp_accept() with that syn, before it returns,
	 * restores the connection in SYN-RECEIVED, and ack goes there; without
	 * it ack is ignored.  NULL: tcp_answer() is never called. */
	void (*restore)(void *lctx, struct instant now,
			const struct tcp_seg *syn, const struct tcp_seg *ack,
			const struct tcp_cookie *c);
};

/* wheel, ip and env outlive the struct tcp; secret keys are taken from
 * env->entropy.  NULL: no memory. */
struct tcp *tcp_new(const struct env *env, struct ip *ip, struct wheel *wheel,
		    struct instant now);
void tcp_free(struct tcp *tcp); /* ends everything silently */

/* --- opening ---------------------------------------------------------- */

/* Starts an active open; the SYN goes out with the next tcp_output().
 * NULL and *err = EADDRNOTAVAIL (no port), EADDRINUSE (tuple in use), ENOBUFS */
struct tcb *tcp_connect(struct tcp *tcp, struct instant now,
			const struct tcp_open *o, int *err);
/* An active open with tcp_open.fastopen may hold its SYN back until it has
 * data: tcp_push() at most tcp_tfo_most() octets, if any, then tcp_tfo_go(). */
bool tcp_tfo_holds(const struct tcb *tcb);
uint32_t tcp_tfo_most(const struct tcb *tcb);
void tcp_tfo_go(struct tcb *tcb);
/* Passive: makes a connection in SYN-RECEIVED for this SYN.  NULL, counted, and
 * *err: IP_MINTTL does not let it in (EHOSTUNREACH), or no memory. */
struct tcb *tcp_accept(struct tcp *tcp, struct instant now,
		       const struct tcp_seg *syn, const struct tcp_open *o,
		       int *err);
/* addr may be any of its family; v6 any with dual set also takes IPv4.
 * NULL and *err = EADDRINUSE, ENOBUFS. */
struct tcp_listener *tcp_listen(struct tcp *tcp, const struct endpoint *local,
				bool dual, bool reuseport,
				const struct tcp_listener_ops *ops, void *lctx,
				int *err);
/* TCP_FASTOPEN_KEY: n keys of 16 octets for its cookies, the newest first */
void tcp_listen_tfo_keys(struct tcp_listener *l, const uint8_t *keys,
			 unsigned n);
void tcp_unlisten(struct tcp *tcp, struct tcp_listener *l);

/* SYN cookies (tcp_cookie.h): in on_syn(), instead of tcp_accept(), first
 * tcp_cookie_syn(): *out is what can be answered of syn, tag an unpredictable
 * number that restore() will have, too. */
void tcp_cookie_syn(struct tcp *tcp, struct instant now,
		    const struct tcp_seg *syn, struct tcp_seg *out,
		    uint64_t *tag);
/* Then the answer: the SYN-ACK of a connection made with o, of which nothing is
 * kept.  o->upper has options() and window() called, as for any SYN-ACK, and no
 * other hook.  upper: bits that come back, TCP_COOKIE_UPPER of them, none
 * unless syn has timestamps.  False: no memory, no room in a queue, or not let
 * in by IP_MINTTL. */
bool tcp_answer(struct tcp *tcp, struct instant now, struct tcp_listener *l,
		const struct tcp_seg *syn, const struct tcp_open *o,
		uint8_t upper);
/* is a local port free to bind (no listener, and unless reuse no connection)?
 * port 0 in: picks one and returns it; 0 out: none. */
uint16_t tcp_port_get(struct tcp *tcp, const struct endpoint *want, bool reuse);
/* could a new connection have this four-tuple? */
bool tcp_tuple_free(const struct tcp *tcp, const struct tuple *t);

/* --- a segment arrives ------------------------------------------------- */

/* seg->pkt stays the caller's reference (TCP takes its own for what it
 * keeps).  join: the upper's chance to take a SYN by its token before any
 * listener sees it; returns true when it dealt with it (accepted, or refused
 * through tcp_reset_seg). */
void tcp_input(struct tcp *tcp, struct instant now, const struct tcp_seg *seg,
	       bool (*join)(void *ctx, struct instant now,
			    const struct tcp_seg *syn),
	       void *join_ctx);
/* An ICMP error that quotes q (its addresses are ours first: q.src is local):
 * ports and sequence number are read from q.body.  False: about no connection
 * or implausible (RFC 5927: snd_una <= seq < snd_nxt). */
bool tcp_icmp(struct tcp *tcp, struct instant now, const struct ip_hdr *q,
	      const struct icmp_msg *m, unsigned path);
/* what the last such error said of an open connection, and nothing was
 * acknowledged since; told once.  TCP_END_NORMAL: there is none */
enum tcp_end tcp_soft_error(struct tcb *tcb);
/* queues a stateless RST in answer to seg; opt: extra options (MP_TCPRST) */
void tcp_reset_seg(struct tcp *tcp, const struct tcp_seg *seg,
		   const uint8_t *opt, unsigned opt_len);

/* --- sending ----------------------------------------------------------- */

/* [hook-safe] octets that could leave now beyond what was pushed: the least
 * of congestion and peer's window, minus flight and unsent; whole segments
 * unless nothing is out or the peer's window is that small */
uint32_t tcp_room(const struct tcb *tcb);
/* [hook-safe] n more octets exist, next to the last pushed; psh: mark the end */
void tcp_push(struct tcb *tcb, struct instant now, uint32_t n, bool psh);
/* [hook-safe] PSH also on the segment with the last octet pushed so far, however
 * often it is sent and whatever is pushed behind it; one place at a time */
void tcp_push_mark(struct tcb *tcb);
/* [hook-safe] ssn that the next pushed octet will have */
uint32_t tcp_push_ssn(const struct tcb *tcb);
/* [hook-safe] the upper has data that only the peer's window holds back:
 * keeps the persist timer running while set */
void tcp_blocked(struct tcb *tcb, struct instant now, bool blocked);
/* [hook-safe] FIN after everything pushed */
void tcp_shutdown(struct tcb *tcb, struct instant now);
/* [hook-safe] an ACK goes out with the next output, to carry options;
 * several calls before it make one ACK.  dup allowed: it is never counted as
 * a window update or duplicate by us. */
void tcp_ack_now(struct tcb *tcb);
/* [hook-safe] the same, to carry what each segment carries: data or a FIN that
 * leaves at once does it, too */
void tcp_ack_due(struct tcb *tcb);
/* [hook-safe] the upper's window grew: send an update if it is worth one
 * (RFC 9293 3.8.6.2.2) */
void tcp_window_opened(struct tcb *tcb, struct instant now);
/* [hook-safe] urgent pointer behind everything pushed so far */
void tcp_urgent(struct tcb *tcb);
/* [hook-safe] RST (with upper options) and end.  closed() is not called: the
 * caller knows. */
void tcp_abort(struct tcb *tcb, struct instant now);
/* [hook-safe] the upper lets go: no hook is called any more; the connection
 * finishes FIN exchange and TIME-WAIT by itself; data still arriving is
 * answered with RST.  All pushed data must be acknowledged or abandoned:
 * payload() is not called after this. */
void tcp_detach(struct tcb *tcb, struct instant now);

/* [hook-safe] Nothing moves at present: gives back the memory that holds
 * nothing.  Harmless at any time. */
void tcp_trim(struct tcb *tcb);

/* Writes the next packet that wants to leave; false: none.  Fair between
 * connections.  Sets every field of out. */
bool tcp_output(struct tcp *tcp, struct instant now, struct pkt_out *out);
bool tcp_wants_output(const struct tcp *tcp);

/* --- asking ------------------------------------------------------------ */

/* congestion state, with Linux's numbers */
enum tcp_ca {
	TCP_CA_OPEN = 0,
	TCP_CA_DISORDER = 1,
	TCP_CA_RECOVERY = 3,
	TCP_CA_LOSS = 4,
};

struct tcp_info_core {
	enum tcp_state state;
	nanos srtt, rttvar, min_rtt, rto; /* srtt 0: no sample yet */
	uint32_t cwnd, ssthresh, mss;
	uint32_t in_flight;  /* octets sent, not acknowledged, not lost */
	uint32_t unsent;     /* pushed, not sent yet */
	uint32_t unacked;    /* pushed or sent, not cumulatively acknowledged */
	uint32_t snd_wnd, rcv_wnd;
	uint32_t rto_count;  /* timeouts in a row, 0 after progress */
	uint64_t pacing_rate;   /* octets per second, 0: not paced */
	uint64_t delivery_rate; /* last sample, 0: none; it may be.. */
	bool app_limited;       /* ..of an application that gave too little */
	uint64_t delivered;     /* octets that the peer has, in order or not */
	uint64_t bytes_sent, bytes_acked, bytes_received, bytes_retrans;
	uint32_t segs_out, segs_in, retrans;
	uint8_t snd_wscale, rcv_wscale;
	bool sack, ts, wscale_ok, peer_closed;
	const char *cc;
	struct instant last_sent, last_received;
	enum tcp_ca ca;
	uint32_t sacked, lost, resent; /* octets outstanding: sum of them.. */
	uint32_t advmss, rcv_mss;      /* ours; what the peer's look like */
	uint32_t probes;    /* of window or life, without answer */
	nanos ato, rcv_rtt; /* 0: none */
	bool pingpong; /* ACKs wait for answers of the application */
	uint32_t data_segs_out, data_segs_in, ooo_in, rtos;
	bool reordering;    /* seen */
	bool ecn;           /* negotiated */
	struct tcp_chrono chrono;
};

void tcp_info(const struct tcb *tcb, struct tcp_info_core *out);
const struct tuple *tcp_tuple(const struct tcb *tcb);
uint16_t tcp_path(const struct tcb *tcb);
nanos tcp_srtt(const struct tcb *tcb);
nanos tcp_rto(const struct tcb *tcb);
/* as a receiver sees it; srtt when there is no better; 0: not known */
nanos tcp_rcv_rtt(const struct tcb *tcb);
uint32_t tcp_cwnd(const struct tcb *tcb); /* octets */
uint32_t tcp_mss(const struct tcb *tcb); /* payload with usual options */
enum tcp_state tcp_state(const struct tcb *tcb);
void tcp_set_conf(struct tcb *tcb, const struct tcp_conf *c, struct instant now);
/* [hook-safe] one segment that the peer answers with its current state (RFC
 * 9293 3.8.4's probe); nothing happens without an answer */
void tcp_ask(struct tcb *tcb);
/* REMOVE_ADDR and stale detection: probe now, n times one RTO apart; a
 * segment in answer stops it; without answer: closed(TIMEOUT) */
void tcp_probe_alive(struct tcb *tcb, struct instant now, unsigned n);

/* the headers of a SYN, in env's memory */
struct tcp_saved {
	uint16_t len;
	uint8_t octets[]; /* IP header, extension headers, TCP header */
};

/* conf.save_syn: those of its SYN, which are now the caller's; NULL: none */
struct tcp_saved *tcp_take_syn(struct tcb *tcb);
/* NULL: harmless; *s is NULL afterwards */
void tcp_saved_free(struct mem *mem, struct tcp_saved **s);

uint32_t tcp_count_conns(const struct tcp *tcp);  /* TIME-WAIT not counted */
uint32_t tcp_count_owing(const struct tcp *tcp);  /* detached, still owe FIN or data */
uint32_t tcp_count_timewait(const struct tcp *tcp);
void tcp_count(struct tcp *tcp, enum tcp_reason r);
uint64_t tcp_counter(const struct tcp *tcp, enum tcp_reason r);

#endif
