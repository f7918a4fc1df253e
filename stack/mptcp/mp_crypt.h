/* mp_crypt.h - encryption of a connection: offered, agreed, keyed, refused and
 * ended (RFC 8547, RFC 8548, smtcp(7))
 *
 * mp_crypt.c (handshake and policy) and mp_crypt_keys.c (all that comes
 * behind) talk to stack/crypt and decide; they touch no octet of the stream.
 * mp_seal.c makes the stream that leaves, mp_unseal.c takes apart the one that
 * comes.
 *
 * States: ASKING until the handshake of the first subflow has decided, then
 * SEALED or CLEAR for good.  SEALED holds from the moment at which both sides
 * know it, before there are keys: nothing but Init and frames ever leaves or is
 * taken from then on, whatever becomes of Multipath TCP.
 */
#ifndef MPTCP_MP_CRYPT_H
#define MPTCP_MP_CRYPT_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/bytes.h"
#include "stack/base/time.h"
#include "stack/crypt/crypt.h"
#include "stack/mptcp/mp_watch.h"
#include "stack/mptcp/mptcp.h"
#include "stack/tcp/tcp.h"

struct mp_sub;

enum mp_crypt_state {
	MP_CRYPT_CLEAR,  /* not encrypted; `why` */
	MP_CRYPT_ASKING, /* k is there, ENO under way */
	MP_CRYPT_SEALED, /* k is there */
};

struct mp_crypt {
	enum mp_crypt_state state;
	enum mp_crypt_policy policy; /* mp_cfg's, or what memory asks for */
	uint8_t known;           /* enum crypt_memo_level of the destination */
	bool weaker;             /* it is less this time */
	enum crypt_reason why;   /* CLEAR */
	enum mp_watch watch;     /* CLEAR, but the peer may think otherwise */
	struct crypt_conn *k;    /* NULL when CLEAR */
	bool smtcp;              /* SEALED: TEP 0x20 */
	bool no_resume;          /* no secret, whatever conf says */
	bool asked;              /* a SYN or SYN-ACK of ours had ENO */
	bool wants_room;         /* see mp_crypt_wants_room() */
	bool heard;              /* a segment without SYN came: ENO is over */
	bool crossed;            /* both opened (RFC 9293 3.5) */
	bool started;            /* crypt_start() was called */
	bool have_mpc;           /* ... with the transcript of MP_CAPABLE */
	uint8_t syn_flags, synack_flags; /* of the MP_CAPABLEs, for that */
	bool confirmed;          /* a frame of the peer was verified */
	bool peer_confirmed;     /* our first frame has a DATA_ACK */
	uint8_t bad;             /* subflows reset since one was verified */
};

/* --- handshake of the first subflow -------------------------------------- */

/* Before the first subflow exists.  syn: the one received, or NULL for an
 * active open, where remote names the peer.  false: no memory. */
bool mp_crypt_open(struct mp_conn *c, struct instant now,
		   const struct endpoint *remote, const struct tcp_seg *syn);
/* Passive, after that and before the SYN-ACK is made: must Multipath TCP give
 * way to a peer's plain tcpcrypt? */
bool mp_crypt_excludes_mptcp(struct mp_conn *c);
/* The same: will the answer name TEP 0x20? */
bool mp_crypt_answers_smtcp(const struct mp_conn *c);
/* What is certain by now is less than the policy asks for: counted, c->err is
 * EPROTO. */
bool mp_crypt_refuse(struct mp_conn *c);
/* The handshake is over, or was refused: is it less than memory says? */
void mp_crypt_compare(struct mp_conn *c);
/* a frame of the peer shows that it is protected */
void mp_crypt_remember(struct mp_conn *c, struct instant now);
/* Our SYN or SYN-ACK should have no timestamps: the option would not fit. */
bool mp_crypt_wants_room(const struct mp_conn *c);
/* octets to be kept free for it in a segment without SYN */
unsigned mp_crypt_reserve(const struct mp_sub *s);
/* writes the ENO option of a segment of the first subflow */
void mp_crypt_option(struct mp_sub *s, const struct tcp_tx *tx, struct wr *w);
/* SYNs of ours with MP_CAPABLE that may go unanswered */
unsigned mp_crypt_syn_offers(const struct mp_conn *c);
/* A segment of the first subflow, each of them, no RST: after the MPTCP part
 * has looked at SYN-ACK or third ACK.  TCP_UP_RESET: refused by policy, or a
 * peer that seals where we do not; counted, c->err set. */
enum tcp_verdict mp_crypt_segment(struct mp_sub *s, struct instant now,
				  const struct tcp_seg *seg);
/* The handshake is over: begins the key exchange where it is ours to begin.
 * false: the connection was ended. */
bool mp_crypt_established(struct mp_conn *c, struct instant now);

/* --- keys ---------------------------------------------------------------- */

#define MP_CRYPT_TRANSCRIPT 32

/* mpc_transcript of smtcp(7): both MP_CAPABLEs of the SYNs, and the keys;
 * once both sides know them */
void mp_crypt_transcript(const struct mp_conn *c,
			 uint8_t out[MP_CRYPT_TRANSCRIPT]);
/* Octets of the peer's Init, in order; *used of them belong to it.  mapped:
 * they came under a mapping (MP_CAPABLE with a length, or DSS).  false: the
 * connection was ended. */
bool mp_crypt_init_in(struct mp_conn *c, struct instant now, bool mapped,
		      const uint8_t *p, size_t n, size_t *used);
bool mp_crypt_keyed(const struct mp_conn *c);
/* mp_unseal.c verified a frame: confirmed, the count of bad subflows ends, an
 * answer to a rekeying goes out */
void mp_crypt_verified(struct mp_conn *c, struct instant now);
/* A bad frame or mapping came by s (smtcp(7), Bad frames): resets the subflow,
 * or ends the connection.  s may be dead afterwards, and c over. */
void mp_crypt_bad(struct mp_sub *s, struct instant now, enum crypt_reason why);
/* The stream ends before its authentic end, or a verified frame breaks a rule:
 * the connection ends with ECONNABORTED. */
void mp_crypt_abort(struct mp_conn *c, struct instant now, enum mp_reason why);
/* our stream is acknowledged before this offset */
void mp_crypt_acked(struct mp_conn *c, uint64_t off);
void mp_crypt_timer(struct mp_conn *c, struct instant now);
void mp_crypt_fini(struct mp_conn *c);

/* may subflows be joined and addresses announced? */
bool mp_crypt_may_join(const struct mp_conn *c);
/* ... or is it too early for the peer to do so: ignored */
bool mp_crypt_early(const struct mp_conn *c);

/* host and port as octets: whom secrets and memory belong to; the octets */
size_t mp_crypt_name(const struct endpoint *ep, uint8_t out[CRYPT_PEER_MAX]);

/* The HMAC of a join or an announcement: the one that we send (ours), or that
 * the peer should have sent.  false: there are no keys, or libcrypto fails. */
bool mp_crypt_join_mac(const struct mp_sub *s, bool ours, uint8_t out[32]);
bool mp_crypt_addr_mac(const struct mp_conn *c, bool ours,
		       const struct mp_opt_add_addr *a, uint8_t out[8]);
/* The key in an MP_FASTCLOSE that we send (ours) or believe.  false: none. */
bool mp_crypt_close_key(const struct mp_conn *c, bool ours, uint64_t *key);

#endif
