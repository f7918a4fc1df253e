/* mptcp.h - Multipath TCP connections over subflows (RFC 8684, version 1)
 *
 * Every connection of the stack is one of these, also plain TCP: that is a
 * connection with one subflow and the identity mapping, so there is one data
 * path.  The send ring holds the octets by data sequence number; a subflow
 * keeps only which range of its own sequence space carries which data.  A
 * sealed connection (tcpcrypt, or SMTCP as smtcp(7) says) is one whose stream
 * holds Init and frames in place of the program's octets.
 *
 * Re-entrancy: owner hooks may call mp_write_*, mp_read_*, mp_shutdown and the
 * asking functions; not mp_close() or mp_abort().
 */
#ifndef MPTCP_MPTCP_H
#define MPTCP_MPTCP_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/env.h"
#include "stack/base/time.h"
#include "stack/base/wheel.h"
#include "stack/crypt/crypt.h"
#include "stack/ip/ip.h"
#include "stack/tcp/tcp.h"

#define MP_SUBFLOWS_MAX    8   /* per connection */
#define MP_ADDRS_MAX       8   /* announced by a peer, per connection */
#define MP_HALF_OPEN_MAX   4   /* joins not yet verified, per connection */
#define MP_HALF_OPEN_TOTAL 256 /* ... and in all (RFC 7430 4.1) */

struct mp;
struct mp_conn;
struct mp_listener;

/* Linux names where Linux counts the same thing (net/mptcp/mib.c). */
#define MP_REASONS(X)                                                          \
	X(MP_CAPABLE_SYN_RX, "MPTcpExtMPCapableSYNRX", "SYN with MP_CAPABLE received") \
	X(MP_CAPABLE_SYN_TX, "MPTcpExtMPCapableSYNTX", "SYN with MP_CAPABLE sent") \
	X(MP_CAPABLE_SYNACK_RX, "MPTcpExtMPCapableSYNACKRX", "SYN/ACK with MP_CAPABLE received") \
	X(MP_CAPABLE_ACK_RX, "MPTcpExtMPCapableACKRX", "third ACK with MP_CAPABLE received") \
	X(MP_CAPABLE_REFUSED, "MPTcpExtMPCapableRefused", \
	  "MP_CAPABLE ignored: version, flags or crypto bits not acceptable") \
	X(MP_FALLBACK_SYNACK, "MPTcpExtMPCapableFallbackSYNACK", \
	  "the SYN/ACK had no MP_CAPABLE (peer has none, or it was stripped)") \
	X(MP_FALLBACK_ACK, "MPTcpExtMPCapableFallbackACK", \
	  "the third ACK had no MP_CAPABLE (stripped on the path)") \
	X(MP_FALLBACK_SYN_TIMEOUT, "MPTcpExtMPCapableSYNTXDrop", \
	  "SYNs with MP_CAPABLE went unanswered") \
	X(MP_FALLBACK_PEER, "MPTcpExtFallbackPeerPlain", \
	  "the peer's SYN had no MP_CAPABLE") \
	X(MP_FALLBACK_OFF, "MPTcpExtFallbackOff", "Multipath TCP is switched off here") \
	X(MP_FALLBACK_NO_DSS, "MPTcpExtNoDSSFallback", \
	  "data arrived without a mapping before the connection was confirmed") \
	X(MP_FALLBACK_NO_DATA_ACK, "MPTcpExtNoDataAckFallback", \
	  "our data was acknowledged without DATA_ACK") \
	X(MP_FALLBACK_INFINITE_RX, "MPTcpExtInfiniteMapRx", \
	  "the peer sent an infinite mapping") \
	X(MP_FALLBACK_CSUM, "MPTcpExtMPFailFallback", \
	  "checksum failure on the only subflow") \
	X(MP_FALLBACK_SIMULTANEOUS, "MPTcpExtFallbackSimultaneous", \
	  "simultaneous open") \
	X(MP_INFINITE_TX, "MPTcpExtInfiniteMapTx", "infinite mappings sent") \
	X(MP_JOIN_SYN_TX, "MPTcpExtMPJoinSynTx", "MP_JOIN SYNs sent") \
	X(MP_JOIN_SYN_RX, "MPTcpExtMPJoinSynRx", "MP_JOIN SYNs received") \
	X(MP_JOIN_SYNACK_RX, "MPTcpExtMPJoinSynAckRx", "MP_JOIN SYN/ACKs received") \
	X(MP_JOIN_SYNACK_MAC, "MPTcpExtMPJoinSynAckHMacFailure", "MP_JOIN SYN/ACK with a wrong HMAC: reset") \
	X(MP_JOIN_ACK_RX, "MPTcpExtMPJoinAckRx", "MP_JOIN third ACKs received: subflow open") \
	X(MP_JOIN_ACK_MAC, "MPTcpExtMPJoinAckHMacFailure", "MP_JOIN third ACK with a wrong HMAC: reset") \
	X(MP_JOIN_NO_TOKEN, "MPTcpExtMPJoinNoTokenFound", "MP_JOIN with an unknown token: reset") \
	X(MP_JOIN_LIMIT, "MPTcpExtMPJoinRejected", "MP_JOIN beyond a limit: reset") \
	X(MP_JOIN_STRIPPED, "MPTcpExtMPJoinStripped", "SYN/ACK or third ACK of a join without MP_JOIN: reset") \
	X(MP_JOIN_PROHIBITED, "MPTcpExtMPJoinProhibited", "MP_JOIN refused: fallen back, closing, or forbidden here") \
	X(MP_JOIN_TIMEOUT, "MPTcpExtMPJoinTimeout", "joins that got no answer") \
	X(MP_JOIN_DONE, "MPTcpExtMPJoinEstablished", "additional subflows established by us") \
	X(MP_DSS_NOT_MATCHING, "MPTcpExtDSSNotMatching", "mapping contradicts an earlier one: ignored") \
	X(MP_DSS_CORRUPT, "MPTcpExtDSSCorruptionReset", "checksum field present or absent against what was agreed: reset") \
	X(MP_DSS_NO_MAP, "MPTcpExtDSSNoMap", "in-window data with no mapping within a window: reset") \
	X(MP_DSS_WINDOW, "MPTcpExtDSSOutOfWindow", "data sequence number outside the window: dropped") \
	X(MP_DSS_MAP_LIMIT, "MPTcpExtDSSMapLimit", "more mappings than one subflow may have pending: dropped") \
	X(MP_CSUM_ERROR, "MPTcpExtDataCsumErr", "DSS checksum wrong") \
	X(MP_DUP_DATA, "MPTcpExtDuplicateData", "octets received again at the data level") \
	X(MP_OFO, "MPTcpExtOFOQueue", "pieces queued out of order at the data level") \
	X(MP_OFO_PRUNED, "MPTcpExtOFOPruned", "out-of-order data refused: the connection's bound is reached") \
	X(MP_NOMEM, "MPTcpExtNoMem", "memory limit reached") \
	X(MP_ADD_ADDR_RX, "MPTcpExtAddAddr", "ADD_ADDR received") \
	X(MP_ADD_ADDR_TX, "MPTcpExtAddAddrTx", "ADD_ADDR sent") \
	X(MP_ADD_ADDR_MAC, "MPTcpExtAddAddrHMacFailure", "ADD_ADDR with a wrong HMAC: ignored") \
	X(MP_ADD_ADDR_DROP, "MPTcpExtAddAddrDrop", "ADD_ADDR ignored: table full, no memory for it, or the ID has another address") \
	X(MP_ADD_ADDR_ECHO_RX, "MPTcpExtEchoAdd", "ADD_ADDR echo received") \
	X(MP_ADD_ADDR_ECHO_TX, "MPTcpExtEchoAddTx", "ADD_ADDR echo sent") \
	X(MP_RM_ADDR_RX, "MPTcpExtRmAddr", "REMOVE_ADDR received") \
	X(MP_RM_ADDR_TX, "MPTcpExtRmAddrTx", "REMOVE_ADDR sent") \
	X(MP_RM_SUBFLOW, "MPTcpExtRmSubflow", "subflows removed because their address went") \
	X(MP_PRIO_RX, "MPTcpExtMPPrioRx", "MP_PRIO received") \
	X(MP_PRIO_TX, "MPTcpExtMPPrioTx", "MP_PRIO sent") \
	X(MP_FAIL_RX, "MPTcpExtMPFailRx", "MP_FAIL received") \
	X(MP_FAIL_TX, "MPTcpExtMPFailTx", "MP_FAIL sent") \
	X(MP_FASTCLOSE_RX, "MPTcpExtMPFastcloseRx", "MP_FASTCLOSE received") \
	X(MP_FASTCLOSE_TX, "MPTcpExtMPFastcloseTx", "MP_FASTCLOSE sent") \
	X(MP_FASTCLOSE_KEY, "MPTcpExtMPFastcloseBadKey", "MP_FASTCLOSE with a wrong key: ignored") \
	X(MP_RST_RX, "MPTcpExtMPRstRx", "MP_TCPRST received") \
	X(MP_RST_TX, "MPTcpExtMPRstTx", "MP_TCPRST sent") \
	X(MP_SUBFLOW_STALE, "MPTcpExtSubflowStale", "subflows found stale: their data goes elsewhere") \
	X(MP_SUBFLOW_RECOVER, "MPTcpExtSubflowRecover", "stale subflows that came back") \
	X(MP_SUBFLOW_LOST, "MPTcpExtSubflowLost", "subflows that ended by reset or timeout") \
	X(MP_REINJECT, "MPTcpExtReinject", "pieces of data sent again on another subflow") \
	X(MP_DATA_RTX, "MPTcpExtDataRetrans", "connection-level retransmission timeouts") \
	X(MP_NO_SUBFLOW, "MPTcpExtNoSubflow", "connections left with no subflow") \
	X(MP_NO_SUBFLOW_TIMEOUT, "MPTcpExtNoSubflowTimeout", "connections ended: no subflow came back in time") \
	X(MP_DATA_FIN_RX, "MPTcpExtDataFinRx", "DATA_FIN received in order") \
	X(MP_DATA_FIN_TX, "MPTcpExtDataFinTx", "DATA_FIN sent") \
	X(MP_TOKEN_COLLISION, "MPTcpExtMPCapableTokenCollision", "keys drawn again: token in use") \
	X(MP_FALLBACK_CRYPT, "MPTcpExtFallbackCrypt", \
	  "the peer has tcpcrypt and Multipath TCP, but not together, and encryption is preferred") \
	X(MP_CRYPT_REFUSED, "MPTcpExtCryptRefused", \
	  "connections refused: encryption is required and the peer or path has none") \
	X(MP_CRYPT_BAD_FRAME, "MPTcpExtCryptBadFrame", \
	  "subflows reset because a frame was not authentic") \
	X(MP_CRYPT_BAD_LIMIT, "MPTcpExtCryptBadLimit", \
	  "connections ended: too many subflows in a row brought bad frames") \
	X(MP_CRYPT_ABORT, "MPTcpExtCryptAbort", \
	  "connections ended: bad Init message, bad frame, or a peer that breaks a rule") \
	X(MP_CRYPT_TRUNCATED, "MPTcpExtCryptTruncated", \
	  "connections ended: the stream stopped without its authentic end") \
	X(MP_CRYPT_UNCONFIRMED, "MPTcpExtCryptUnconfirmed", \
	  "connections ended: keys were not confirmed in time") \
	X(MP_CRYPT_FIN_EARLY, "MPTcpExtCryptFinEarly", \
	  "DATA_FIN without an authentic end of the stream: ignored") \
	X(MP_CRYPT_SIGNAL, "MPTcpExtCryptSignal", \
	  "MP_FAIL or infinite mapping on a sealed connection: ignored") \
	X(MP_CRYPT_EARLY, "MPTcpExtCryptEarly", \
	  "MP_JOIN or ADD_ADDR before keys were confirmed: ignored") \
	X(MP_CRYPT_ALONE, "MPTcpExtCryptAlone", \
	  "sealed connections that went on as a single TCP stream") \
	X(MP_CRYPT_HELD, "MPTcpExtCryptHeld", \
	  "connections whose first octets were held back: they may be a peer's that seals") \
	X(MP_CRYPT_WEAKER, "MPTcpExtCryptWeaker", \
	  "connections with less protection than the same destination had before") \
	X(MP_JOIN_EVICTED, "MPTcpExtMPJoinEvicted", \
	  "half-open joins given up for a newer one: too many at once") \
	X(MP_FASTOPEN_OFF, "MPTcpExtFastOpenOff", \
	  "TCP Fast Open wanted and not used: Multipath TCP or encryption is on") \
	X(MP_HALF_EVICTED, "MPTcpExtHalfOpenEvicted", \
	  "half-open connections given up for one whose offer no SYN cookie keeps") \
	X(MP_COOKIE_NO_ENO, "MPTcpExtCookieNoEno", \
	  "encryption not answered, or SYN ignored where it is required: a SYN cookie cannot keep this offer") \
	X(MP_REQUIRE_REFUSED, "MPTcpExtRequireRefused", "connections refused: Multipath TCP is required and the peer or path has none")

enum mp_reason {
#define X(id, name, text) id,
	MP_REASONS(X)
#undef X
		MP_REASON_N
};

const char *mp_reason_name(enum mp_reason r);
const char *mp_reason_text(enum mp_reason r);

enum mp_policy {
	MP_OFF,     /* never offered, never accepted */
	MP_PREFER,  /* offered; plain TCP when the peer or path has none */
	MP_REQUIRE, /* plain TCP is refused: EPROTO to the program */
};

/* smtcp(7), Policies */
enum mp_crypt_policy {
	MP_CRYPT_OFF,         /* no ENO option is sent or taken */
	MP_CRYPT_PREFER,      /* what both sides have */
	MP_CRYPT_REQUIRE_ANY, /* SMTCP or tcpcrypt, else EPROTO */
	MP_CRYPT_REQUIRE,     /* SMTCP, else EPROTO */
};

/* when a destination is less protected than it was before */
enum mp_memo_mode {
	MP_MEMO_OFF,     /* nothing is looked up or kept */
	MP_MEMO_WARN,    /* mp_info.weaker */
	MP_MEMO_ENFORCE, /* what it had is the least that is accepted */
};

/* what a connection turned out to be; "none" until that is known */
enum mp_sec {
	MP_SEC_NONE,
	MP_SEC_TCPCRYPT, /* one TCP stream, any TEP */
	MP_SEC_SMTCP,    /* TEP 0x20 and Multipath TCP */
};

enum mp_mode {
	MP_MODE_PENDING, /* handshake not finished */
	MP_MODE_TCP,     /* plain; why_plain says why */
	MP_MODE_MPTCP,
};

struct mp_cfg {
	enum mp_policy policy;
	bool checksum;       /* ask for DSS checksums (A flag); default false */
	bool server_joins;   /* we open joins for connections we accepted */
	uint8_t subflows_max; /* 1..MP_SUBFLOWS_MAX */
	bool announce;       /* ADD_ADDR our other addresses */
	const char *scheduler; /* "minrtt" */
	nanos close_timeout; /* no subflow left: 60 s */
	/* encryption: NULL is MP_CRYPT_OFF.  crypt outlives the struct mp;
	 * on, plain and smtcp of crypt_conf are set by the policy */
	struct crypt *crypt;
	enum mp_crypt_policy crypt_policy;
	struct crypt_conf crypt_conf;
	/* what destinations had before; outlives the struct mp, may be NULL */
	struct crypt_memo *memo;
	enum mp_memo_mode memo_mode;
	/* Both protocols, but not TEP 0x20: node N of smtcp(7), for tests of
	 * what meets such peers */
	bool crypt_apart;
};

/* socket options, beside those of one TCP connection */
struct mp_conf {
	struct tcp_conf tcp;
	uint32_t sndbuf, rcvbuf; /* octets, most; default 4 MiB / 6 MiB */
	uint32_t rcvlowat;       /* the window is never too small for it */
	uint32_t wnd_clamp;      /* TCP_WINDOW_CLAMP; 0: none */
	uint32_t notsent_lowat;  /* octets that may wait unsent; 0: no limit */
	uint8_t only_path;       /* SO_BINDTODEVICE: path + 1, 0 any */
	bool nodelay : 1, cork : 1;
	/* a size that somebody chose: it is had at once and stays */
	bool sndbuf_fixed : 1, rcvbuf_fixed : 1;
	/* before connect or listen; each adds to mp_cfg.crypt_conf */
	struct {
		bool b : 1;          /* active open in the passive role, as a
				      * simultaneous open needs (RFC 8547
				      * 4.2) */
		bool aware : 1;      /* application-aware bit (likewise) */
		bool aware_only : 1; /* mandatory application-aware mode */
		bool no_resume : 1;  /* neither names nor accepts secrets */
		bool no_cache : 1;   /* leaves none for later connections */
	} crypt;
};

/* what a connection tells its owner; any may be NULL */
struct mp_owner {
	/* handshake of the first subflow complete: reading and writing start */
	void (*established)(void *o, struct instant now);
	void (*readable)(void *o, struct instant now); /* data or EOF to read */
	void (*writable)(void *o, struct instant now); /* ring has room again */
	/* The connection is over for the owner: err is 0 after an orderly end
	 * of both directions, else ECONNRESET, ECONNREFUSED, ETIMEDOUT,
	 * EHOSTUNREACH, ENETUNREACH, EPROTO (refused by policy), ECONNABORTED
	 * (sealed: not authentic, or cut off), ENOBUFS (a Linux errno).  Data
	 * already received in order stays readable.  mp_close() is still due. */
	void (*closed)(void *o, struct instant now, int err);
	/* after mp_close(): the peer has everything and both FINs are done, or
	 * it was given up; the conn is gone */
	void (*gone)(void *o, struct instant now);
};

enum mp_admit {
	MP_ADMIT_NO,        /* the SYN, or the third ACK, is ignored */
	MP_ADMIT_YES,
	MP_ADMIT_STATELESS, /* the SYN is answered with a cookie; failed() is
			     * not called for it */
};

struct mp_listener_ops {
	/* May another connection be in the making?  ack: NULL, or what
	 * answered such a cookie, perhaps with data. */
	enum mp_admit (*admit)(void *lo, const struct tcp_seg *ack);
	/* A connection finished its handshake (MPTCP: or carried its first
	 * data).  The owner sets itself with mp_set_owner(), or refuses by
	 * returning false: reset. */
	bool (*accepted)(void *lo, struct instant now, struct mp_conn *c);
	/* one admitted by admit() failed before accepted() */
	void (*failed)(void *lo);
};

struct mp *mp_new(const struct env *env, const struct mp_cfg *cfg,
		  struct ip *ip, struct tcp *tcp, struct wheel *wheel,
		  struct instant now);
void mp_free(struct mp *mp);

struct mp_conn *mp_connect(struct mp *mp, struct instant now,
			   const struct tuple *t, unsigned path,
			   const struct mp_conf *conf,
			   const struct mp_owner *owner, void *o, int *err);
/* Fast Open: its SYN waits for the first data, so that established() is not to
 * be waited for before one writes */
bool mp_connect_held(const struct mp_conn *c);
/* TCP_DEFER_ACCEPT, and its handshake could not wait for data, because keys are
 * exchanged before: whoever accepts it has to wait */
bool mp_defers(const struct mp_conn *c);
/* tcp_take_syn() of its first subflow */
struct tcp_saved *mp_take_syn(struct mp_conn *c);
struct mp_listener *mp_listen(struct mp *mp, const struct endpoint *local,
			      bool dual, bool reuseport,
			      const struct mp_conf *conf,
			      const struct mp_listener_ops *ops, void *lo,
			      int *err);
/* TCP_FASTOPEN_KEY: as tcp_listen_tfo_keys() */
void mp_listen_tfo_keys(struct mp_listener *l, const uint8_t *keys, unsigned n);
void mp_unlisten(struct mp *mp, struct mp_listener *l);
/* options of the connections to come */
void mp_listen_set_conf(struct mp_listener *l, const struct mp_conf *conf);
void mp_set_owner(struct mp_conn *c, const struct mp_owner *owner, void *o);
/* false: no memory; all is as it was */
bool mp_set_conf(struct mp_conn *c, struct instant now,
		 const struct mp_conf *conf);

/* --- writing: straight into the send ring ------------------------------ */

/* Free pieces at the tail, up to 2, at least min(want, room) octets; 0: full,
 * or the write side is shut.  They stay valid until mp_write_done(). */
unsigned mp_write_vec(struct mp_conn *c, uint32_t want, struct iov_mut v[2]);
/* n octets were written there (0: none after all) */
void mp_write_done(struct mp_conn *c, struct instant now, uint32_t n);
uint32_t mp_write_room(const struct mp_conn *c);
/* octets written and not yet acknowledged by the peer (SIOCOUTQ) */
uint64_t mp_write_pending(const struct mp_conn *c);
/* of these, what no path has taken yet (SIOCOUTQNSD) */
uint64_t mp_write_unsent(const struct mp_conn *c);
void mp_write_urgent(struct mp_conn *c, struct instant now);

/* --- reading: straight from the packets' buffers ----------------------- */

/* In-order pieces, up to max, not across an urgent octet: what is before it, or
 * it alone; valid until mp_read_done() */
unsigned mp_read_vec(const struct mp_conn *c, struct iov *v, unsigned max);
void mp_read_done(struct mp_conn *c, struct instant now, uint64_t n);
uint64_t mp_read_len(const struct mp_conn *c);
/* octets before the urgent one, 0: it is next; UINT64_MAX: there is none */
uint64_t mp_read_mark(const struct mp_conn *c);
bool mp_read_eof(const struct mp_conn *c); /* FIN received, all read */
/* octets handed on but not yet taken by the application: they still count
 * against the receive window */
void mp_read_held(struct mp_conn *c, struct instant now, uint32_t n);

/* --- ending ------------------------------------------------------------ */

void mp_shutdown(struct mp_conn *c, struct instant now); /* write side */
void mp_discard(struct mp_conn *c, struct instant now);  /* read side: data
							   * is dropped */
/* The owner lets go.  Unread received data, or abort: reset (MP_FASTCLOSE and
 * RST).  Otherwise what was written is delivered and FINs are exchanged
 * without the owner; then gone(). */
void mp_close(struct mp_conn *c, struct instant now, bool abort);

/* --- engine of the layer ------------------------------------------------ */

/* tcp_input()'s join hook, ctx = struct mp */
bool mp_join_syn(void *mp, struct instant now, const struct tcp_seg *syn);
/* pushes data of connections that may send; before tcp_output() */
void mp_flush(struct mp *mp, struct instant now);
bool mp_wants_flush(const struct mp *mp);
/* a path appeared, went up or down, or changed its backup flag */
void mp_path_changed(struct mp *mp, struct instant now, unsigned path);

/* --- asking -------------------------------------------------------------- */

struct mp_sub_info {
	struct tuple t;
	uint16_t path;
	uint8_t local_id, remote_id;
	bool backup, peer_backup, established, stale, closed;
	struct tcp_info_core tcp;
	uint64_t bytes_sent, bytes_received; /* payload, retransmissions excluded */
	uint64_t bytes_reinjected; /* octets here that were sent elsewhere before */
};

struct mp_info {
	enum mp_mode mode;
	enum mp_reason why_plain; /* when MP_MODE_TCP */
	bool passive;
	bool checksum;
	bool fin_acked; /* MPTCP: our DATA_FIN is acknowledged */
	enum mp_sec sec;
	bool weaker; /* this destination had more before (mp_cfg.memo) */
	bool sealed; /* nothing but Init and frames leaves, or is taken */
	bool have_session_id;
	uint8_t session_id[CRYPT_SESSION_ID];
	enum crypt_reason why_clear; /* not sealed: why; CRYPT_OK: no ENO */
	struct crypt_info crypt;     /* sealed; else zero */
	uint32_t token_local, token_remote;
	uint32_t sndbuf, rcvbuf; /* what either may hold now, octets */
	uint64_t unsent; /* written, and on no path yet */
	/* data level; of a sealed connection with Init and frames */
	uint64_t bytes_sent, bytes_received, bytes_reinjected;
	uint64_t write_seq, snd_una, rcv_nxt;
	uint8_t n_subs; /* slots filled below, closed ones included */
	struct mp_sub_info sub[MP_SUBFLOWS_MAX * 2];
};

/* subflows that ended stay listed (closed) while there is room, so that a
 * report at the end is complete */
void mp_info(const struct mp_conn *c, struct mp_info *out);
const struct tuple *mp_tuple(const struct mp_conn *c); /* of the first subflow */
bool mp_passive(const struct mp_conn *c);
/* the errno of what ICMP said last of its only subflow, told once; 0: nothing, or
 * there are others to go on with */
int mp_soft_error(struct mp_conn *c);
enum mp_mode mp_mode(const struct mp_conn *c);
const char *mp_mode_text(enum mp_mode m);
/* "pending", "tcp", "tcpcrypt", "mptcp" or "smtcp" */
const char *mp_info_mode(const struct mp_info *i);
/* one sentence: why there is no Multipath TCP, or no encryption; "" when there
 * is both */
const char *mp_info_why(const struct mp_info *i);
/* false: not sealed, or not keyed yet */
bool mp_session_id(const struct mp_conn *c, uint8_t out[CRYPT_SESSION_ID]);
/* Begins a rekeying, as a probe of life or for new keys.  0, or ENOTCONN (not
 * sealed, or no frame of the peer verified yet), EALREADY (the last one is
 * under way). */
int mp_rekey(struct mp_conn *c, struct instant now);
/* the session secret this connection left for later ones is wiped */
void mp_forget(struct mp_conn *c);
/* This destination was encrypted so at that time, in an earlier run: for
 * cfg.memo, without which nothing happens. */
void mp_recall(struct mp *mp, const struct endpoint *to, enum mp_sec sec,
	       struct instant when);
/* a connection is about to disappear: last chance to report it */
void mp_set_obituary(struct mp *mp,
		     void (*fn)(void *ctx, struct instant now,
				const struct mp_conn *c),
		     void *ctx);
/* fn for each connection that a peer asked for and the policy refused */
void mp_set_refused(struct mp *mp,
		    void (*fn)(void *ctx, const struct mp_conn *c), void *ctx);
uint32_t mp_count_conns(const struct mp *mp);
uint32_t mp_count_owing(const struct mp *mp); /* closed by the owner, not done */
void mp_count(struct mp *mp, enum mp_reason r);
uint64_t mp_counter(const struct mp *mp, enum mp_reason r);

#endif
