/* mp_crypt.h - encryption of a connection: offered, agreed, keyed, refused and
 * ended (RFC 8547, RFC 8548, smtcp(7))
 *
 * mp_crypt.c talks to stack/crypt and decides; it touches no octet of the
 * stream.  mp_seal.c makes the stream that leaves, mp_unseal.c takes apart the
 * one that comes.
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
	enum crypt_reason why;   /* CLEAR */
	struct crypt_conn *k;    /* NULL when CLEAR */
	bool smtcp;              /* SEALED: TEP 0x20 */
	bool started;            /* crypt_start() was called */
	bool have_capable;       /* both MP_CAPABLEs of the SYNs are known */
	uint8_t syn_flags, synack_flags; /* of them, for the transcript */
	bool confirmed;          /* a frame of the peer was verified */
	bool peer_confirmed;     /* our first frame has a DATA_ACK */
	uint8_t bad;             /* subflows reset since one was verified */
};

/* --- handshake of the first subflow --------------------------------------- */

/* Before the first subflow exists.  syn: the one received, or NULL for an
 * active open, where remote names the peer.  false: no memory. */
bool mp_crypt_open(struct mp_conn *c, struct instant now,
		   const struct endpoint *remote, const struct tcp_seg *syn);
/* Passive, after that and before the SYN-ACK is made: must Multipath TCP give
 * way to a peer's plain tcpcrypt? */
bool mp_crypt_excludes_mptcp(const struct mp_conn *c);
/* Our SYN should have no timestamps: the option would not fit. */
bool mp_crypt_wants_room(const struct mp_conn *c);
/* writes the ENO option of a segment of the first subflow */
void mp_crypt_option(struct mp_sub *s, const struct tcp_tx *tx, struct wr *w);
/* A segment of the first subflow, while ASKING or (A) until B's first segment
 * without SYN: after the MPTCP part has looked at SYN-ACK or third ACK.
 * TCP_UP_RESET: refused by policy; counted, c->err set. */
enum tcp_verdict mp_crypt_segment(struct mp_sub *s, struct instant now,
				  const struct tcp_seg *seg);
/* The handshake is over: begins the key exchange where it is ours to begin. */
void mp_crypt_established(struct mp_conn *c, struct instant now);

/* --- keys ------------------------------------------------------------------- */

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

#endif
