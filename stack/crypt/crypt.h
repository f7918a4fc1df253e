/* crypt.h - TCP-ENO (RFC 8547) and tcpcrypt (RFC 8548), also as SMTCP uses
 * them (smtcp(7)): octets in, frames out
 *
 * Knows neither TCP nor MPTCP.  The caller shows it the ENO options of a
 * handshake and asks for ours, carries Init1 and Init2 as the first octets of
 * both streams, and has data sealed into frames and frames opened.  "Offset"
 * is a place in one direction's stream of octets as they travel (Init and
 * frames), counted from 0: under SMTCP a data sequence number minus that of
 * the first octet, else a TCP sequence number minus ISN + 1.
 *
 * A connection's life:
 *   crypt_conn_new
 *   crypt_seg_in, crypt_seg_out    each segment until CRYPT_AGREED or OFF
 *   crypt_start                    once CRYPT_AGREED
 *   crypt_init_out, crypt_init_in  unless resumed, until CRYPT_KEYED
 *   crypt_seal, crypt_open         frames
 *   crypt_conn_free                wipes what is left
 *
 * TEPs here define no use of data in SYN segments: data of a SYN with an ENO
 * option are never sent, and always discarded and not acknowledged, even with
 * ENO off by configuration (RFC 8547 4.7); that is the caller's part.
 */
#ifndef CRYPT_CRYPT_H
#define CRYPT_CRYPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stack/base/bytes.h"
#include "stack/base/env.h"
#include "stack/base/time.h"
#include "stack/wire/crypt_msg.h"
#include "stack/wire/eno_opt.h"

/* why a connection is not encrypted, was aborted, or a frame refused; and
 * what happened: counter, its name, a sentence */
#define CRYPT_REASONS(X)                                                      \
	X(CRYPT_FRESH, "CryptFresh", "connections keyed by a key exchange")   \
	X(CRYPT_RESUMED, "CryptResumed",                                      \
	  "connections keyed by a session secret of an earlier one")          \
	X(CRYPT_RESUME_OFFERED, "CryptResumeOffered",                         \
	  "session secrets named in a SYN of ours")                           \
	X(CRYPT_RESUME_MISS, "CryptResumeMiss",                               \
	  "the peer named a session secret that is not known: fresh keys")    \
	X(CRYPT_RESUME_DECLINED, "CryptResumeDeclined",                       \
	  "the peer answered a named session secret with fresh keys")         \
	X(CRYPT_CACHED, "CryptCached", "session secrets kept for later")      \
	X(CRYPT_CACHE_EVICTED, "CryptCacheEvicted",                           \
	  "session secrets given up for newer ones, or too old")              \
	X(CRYPT_REKEY_OUT, "CryptRekeyOut", "rekeyings begun by us")          \
	X(CRYPT_REKEY_IN, "CryptRekeyIn", "rekeyings begun by the peer")      \
	X(CRYPT_SEALED, "CryptSealed", "frames sealed")                       \
	X(CRYPT_OPENED, "CryptOpened", "frames opened")                       \
	X(CRYPT_OFF_CONF, "CryptOffConf", "encryption is switched off here")  \
	X(CRYPT_OFF_NO_SYN, "CryptOffNoEnoSyn", "no ENO option in the SYN")   \
	X(CRYPT_OFF_NO_SYNACK, "CryptOffNoEnoSynack",                         \
	  "no ENO option in the SYN-ACK")                                     \
	X(CRYPT_OFF_NO_ACK, "CryptOffNoEnoAck",                               \
	  "no ENO option in the first ACK segment")                           \
	X(CRYPT_OFF_TWO, "CryptOffTwoEno",                                    \
	  "more than one ENO option in a SYN")                                \
	X(CRYPT_OFF_ILL, "CryptOffIllFormed",                                 \
	  "ill-formed ENO option in a SYN")                                   \
	X(CRYPT_OFF_VACUOUS, "CryptOffVacuous",                               \
	  "an ENO option names no encryption protocol")                       \
	X(CRYPT_OFF_NO_TEP, "CryptOffNoTep",                                  \
	  "no encryption protocol that both sides have")                      \
	X(CRYPT_OFF_HALF, "CryptOffWrongHalf",                                \
	  "the answer names another session secret than we did")              \
	X(CRYPT_OFF_ROLES, "CryptOffRoles",                                   \
	  "both sides took the same role, or the option came back to us")     \
	X(CRYPT_OFF_AWARE, "CryptOffNotAware",                                \
	  "the peer's program does not know of encryption, ours insists")     \
	X(CRYPT_OFF_DROPPED, "CryptOffDropped",                               \
	  "ENO left out after SYNs with it went unanswered")                  \
	X(CRYPT_OFF_CHOICE, "CryptOffChoice",                                 \
	  "declined in favour of what it would exclude")                      \
	X(CRYPT_OFF_ROOM, "CryptOffNoRoom",                                   \
	  "no room for ENO in the TCP header")                                \
	X(CRYPT_BAD_MAGIC, "CryptBadMagic", "the stream begins with no Init") \
	X(CRYPT_BAD_INIT, "CryptBadInit",                                     \
	  "Init of an absurd length, or its fields do not fit")               \
	X(CRYPT_BAD_CIPHER, "CryptBadCipher",                                 \
	  "Init2 chooses a cipher that was not offered")                      \
	X(CRYPT_NO_CIPHER, "CryptNoCipher", "no cipher that both sides have") \
	X(CRYPT_BAD_PUB, "CryptBadPub", "invalid public key")                 \
	X(CRYPT_ZERO_SECRET, "CryptZeroSecret",                               \
	  "a public key that makes the secret zero")                          \
	X(CRYPT_NOMEM, "CryptNoMem", "no memory for keys")                    \
	X(CRYPT_LIB, "CryptLib", "the cryptographic library failed")          \
	X(CRYPT_BAD_LEN, "CryptBadLen", "frame of an impossible length")      \
	X(CRYPT_BAD_TAG, "CryptBadTag", "frame not authentic")                \
	X(CRYPT_BAD_PHASE, "CryptBadPhase",                                   \
	  "frame of a generation that cannot be in flight")                   \
	X(CRYPT_BAD_FIELDS, "CryptBadFields",                                 \
	  "authentic frame too short for what its flags promise")             \
	X(CRYPT_BAD_SIG, "CryptBadSig",                                       \
	  "authentic frame of signals, which were not agreed on")             \
	X(CRYPT_BAD_REKEY, "CryptBadRekey",                                   \
	  "authentic frame whose place contradicts its generation")           \
	X(CRYPT_AFTER_FIN, "CryptAfterFin",                                   \
	  "data behind the authentic end of the stream")                      \
	X(CRYPT_TRUNCATED, "CryptTruncated",                                  \
	  "the stream ended without the authentic end mark")                  \
	X(CRYPT_NOT_KEYED, "CryptNotKeyed", "a frame before there are keys")  \
	X(CRYPT_REFUSE_OFFSET, "CryptRefuseOffset",                           \
	  "not sealed: at this offset or beyond a frame was sealed before")   \
	X(CRYPT_REFUSE_LEN, "CryptRefuseLen",                                 \
	  "not sealed: too long for a frame")                                 \
	X(CRYPT_REFUSE_SIG, "CryptRefuseSig",                                 \
	  "not sealed: the peer does not understand signals")                 \
	X(CRYPT_REFUSE_WORN, "CryptRefuseWorn",                               \
	  "not sealed: the key is worn out, and no other in sight yet")       \
	X(CRYPT_REFUSE_FIN, "CryptRefuseFin",                                 \
	  "not sealed: the end mark was sealed")

enum crypt_reason {
	CRYPT_OK = -1,
#define X(id, name, text) id,
	CRYPT_REASONS(X)
#undef X
	CRYPT_REASON_N
};

const char *crypt_reason_name(enum crypt_reason r); /* "" for CRYPT_OK */
const char *crypt_reason_text(enum crypt_reason r);
/* of crypt_open(): the frame was authentic, so the peer breaks a rule and the
 * connection is aborted; else the path may have altered it */
bool crypt_reason_faulty(enum crypt_reason r);

/* --- the part of a stack ------------------------------------------------- */

struct crypt;

struct crypt_setup {
	uint32_t cache_max; /* session secrets kept; 0: 1024 */
	nanos cache_age;    /* and how long; 0: 2 hours */
	/* a line per keyed connection (see crypt_keys.h); line NULL: none.
	 * It holds secrets: never the ordinary trace. */
	struct trace keylog;
};

/* NULL: no memory, or libcrypto refuses.  env outlives it. */
struct crypt *crypt_new(const struct env *env, const struct crypt_setup *s);
/* every connection must be freed before; wipes cached secrets */
void crypt_free(struct crypt *c);
/* Makes one key pair ahead, of a kind that was used before or is the default.
 * For idle time: tens to hundreds of microseconds.  false: nothing to do */
bool crypt_prepare(struct crypt *c);
/* forgets all cached session secrets */
void crypt_forget_all(struct crypt *c);
uint32_t crypt_cached(const struct crypt *c);
uint64_t crypt_counter(const struct crypt *c, enum crypt_reason r);

/* --- destinations reached before (crypt_memo.c) ---------------------------- */

enum crypt_memo_level {
	CRYPT_MEMO_NONE, /* not known; never kept */
	CRYPT_MEMO_TCPCRYPT,
	CRYPT_MEMO_SMTCP,
};

/* which of them were encrypted, and how: a bounded table */
struct crypt_memo;

/* for max destinations; NULL: no memory.  env outlives it. */
struct crypt_memo *crypt_memo_new(const struct env *env, uint32_t max);
void crypt_memo_free(struct crypt_memo *m); /* NULL is allowed */
/* the best there was; asking is a use */
enum crypt_memo_level crypt_memo_level(struct crypt_memo *m, const void *name,
				       size_t len);
/* This destination was protected.  The level only rises, the time only grows.
 * Makes room by dropping the least recently used.  false: not kept, for want
 * of memory, or the level says nothing, or the name is too long. */
bool crypt_memo_put(struct crypt_memo *m, const void *name, size_t len,
		    enum crypt_memo_level level, struct instant when);

/* --- one connection ------------------------------------------------------ */

struct crypt_conn;

#define CRYPT_KX_MAX   4
#define CRYPT_AEAD_MAX 3

struct crypt_conf {
	bool on;           /* off: no ENO option is ever sent */
	bool plain;        /* TEPs of RFC 8548 are offered and taken */
	bool smtcp;        /* TEP 0x20 "SM" is, and preferred as passive */
	bool sig;          /* S: signalling frames are understood */
	bool b;            /* active opener in the passive role (8547 4.2) */
	bool aware;        /* application-aware bit */
	bool aware_only;   /* mandatory application-aware mode */
	bool vacuous;      /* ENO without a TEP: probes, and falls back */
	bool no_resume;    /* neither names nor accepts session secrets */
	bool no_cache;     /* keeps none of this connection */
	uint8_t nonce_len; /* of resumption, 0..8; under SMTCP 8 is sent in a
			    * SYN, and as many as fit in a SYN-ACK */
	uint8_t n_kx;      /* key exchanges, ENO_TEP_P256.., best first */
	uint8_t kx[CRYPT_KX_MAX];
	uint8_t n_aead; /* ciphers, best first */
	uint16_t aead[CRYPT_AEAD_MAX];
	uint64_t rekey_frames; /* per key; 0: never by that */
	uint64_t rekey_bytes;
	nanos rekey_time;
	/* tests: offsets count from the first frame, as a daemon of the
	 * drafts does, not from the first octet (8548 3.6) */
	bool base_frames;
};

/* on, plain and smtcp, X25519, AES-128-GCM then AES-256-GCM then ChaCha20,
 * nonces of 8, rekeying after 2^23 frames or 64 GiB */
void crypt_conf_init(struct crypt_conf *conf);

#define CRYPT_PEER_MAX 40

/* peer names whom an active opener connects to (an address and a port, say),
 * for finding session secrets again: at most CRYPT_PEER_MAX octets, none for
 * a passive opener.  NULL: no memory */
struct crypt_conn *crypt_conn_new(struct crypt *c,
				  const struct crypt_conf *conf, bool active,
				  const void *peer, size_t peer_len);
void crypt_conn_free(struct crypt_conn *k); /* NULL is allowed */

enum crypt_state {
	CRYPT_NEGOTIATING,
	CRYPT_OFF,    /* not encrypted, for good; see why */
	CRYPT_AGREED, /* a peer's ACK segment with ENO came: crypt_start() */
	CRYPT_INIT,   /* key exchange */
	CRYPT_KEYED,
	CRYPT_DEAD, /* key exchange failed: abort, never fall back */
};

enum crypt_state crypt_state(const struct crypt_conn *k);
/* OFF, DEAD: why; else CRYPT_OK */
enum crypt_reason crypt_why(const struct crypt_conn *k);

enum crypt_seg {
	CRYPT_SEG_SYN, /* SYN without ACK */
	CRYPT_SEG_SYNACK,
	CRYPT_SEG_ACK, /* no SYN; not RST */
};

/* A segment came; in order of arrival, also those that come again. */
void crypt_seg_in(struct crypt_conn *k, struct instant now, enum crypt_seg seg,
		  const struct eno_opt_seen *seen);
/* Writes our ENO option for a segment, at most room octets; 0: none.  The
 * form in SYNs is made for the first one, with the room that has, and never
 * altered (8547 4.6); later ones must have room for it. */
unsigned crypt_seg_out(struct crypt_conn *k, struct instant now,
		       enum crypt_seg seg, uint8_t *buf, unsigned room);
/* Active, before the first SYN: is a session secret known, which the SYN would
 * name if it had room (24 octets)? */
bool crypt_would_resume(struct crypt_conn *k, struct instant now);
/* The TEP that was negotiated, or, passive with the SYN seen, that our SYN-ACK
 * will name; 0: none (yet), or not any more. */
uint8_t crypt_choice(const struct crypt_conn *k);
/* The same of a session secret: both named it, or our SYN-ACK will.  Also when
 * that came to nothing afterwards. */
bool crypt_resumes(const struct crypt_conn *k);
/* No more ENO: left out of a repeated SYN, or declined with the third ACK.
 * false: too late, an ACK segment with ENO was both sent and received. */
bool crypt_give_up(struct crypt_conn *k, enum crypt_reason why);

/* AGREED: begins the key exchange (INIT), or resumes (KEYED).  mpc: the
 * MP_CAPABLE transcript of smtcp(7), at most 64 octets; empty without MPTCP.
 * Anything but CRYPT_OK: DEAD. */
enum crypt_reason crypt_start(struct crypt_conn *k, struct instant now,
			      const uint8_t *mpc, size_t n);
/* INIT, host A under TEP 0x20: the peer may have no MP_CAPABLE transcript
 * (smtcp(7), Transcripts).  Keys are made for both cases when Init2 is there;
 * crypt_confused() holds until crypt_open() of the first frame has decided,
 * and crypt_seal() refuses until then. */
void crypt_mpc_doubtful(struct crypt_conn *k);
bool crypt_confused(const struct crypt_conn *k);

/* Our Init message, to be sent as the first octets, PSH on the last: host A's
 * after crypt_start(), host B's after crypt_init_in() was done.  NULL, 0: none
 * (yet).  Valid until crypt_init_sent() */
const uint8_t *crypt_init_out(const struct crypt_conn *k, size_t *n);
/* the octets were copied: memory is given back when both are through */
void crypt_init_sent(struct crypt_conn *k);
/* The first octets of the peer's stream, as they come in order.  *used: how
 * many belong to its Init.  Anything but CRYPT_OK: DEAD, reset the
 * connection.  KEYED afterwards when the last one was there. */
enum crypt_reason crypt_init_in(struct crypt_conn *k, struct instant now,
				const uint8_t *p, size_t n, size_t *used);
/* CRYPT_NEGOTIATING and later: octets of each side's Init, 0 when resumed;
 * known when KEYED */
uint32_t crypt_init_len(const struct crypt_conn *k, bool peer);

/* --- frames, KEYED ------------------------------------------------------- */

struct crypt_seal {
	struct instant now;
	uint64_t offset;      /* of the frame's first octet */
	bool fin;             /* FINp: the last frame of all */
	bool urgent;          /* URGp, with urgent_at */
	bool sig;             /* SIG; refused unless both announced S */
	uint16_t urgent_at;   /* last urgent octet, from the data's first */
	const struct iov *in; /* data: at most 4 pieces */
	unsigned n_in;
};

#define CRYPT_SEAL_PIECES 4

/* Makes one frame in the pieces of out, which must have room for data and
 * CRYPT_FRAME_OVERHEAD (2 more with urgent).  Data may be where they go, that
 * is 4 octets (6 with urgent) behind the frame's first.  *len: the frame's
 * length.  Offsets may be skipped, but never go back: no nonce is used twice.
 * The octets made must be kept and sent again as they are. */
enum crypt_reason crypt_seal(struct crypt_conn *k, const struct crypt_seal *s,
			     const struct iov_mut *out, unsigned n_out,
			     size_t *len);

struct crypt_opened {
	size_t data_at, data_len; /* octets of the frame that are data now */
	bool fin, urgent, sig, rekey;
	uint16_t urgent_at;
};

/* octets of the longest frame that is sealed or opened */
size_t crypt_frame_max(const struct crypt_conn *k);
/* Length of the frame that begins with these CRYPT_FRAME_HDR octets; 0: no
 * frame can.  Under SMTCP one longer than crypt_frame_max() is none either. */
size_t crypt_frame_len(const uint8_t *hdr);
/* Opens in place one whole frame, len octets in n pieces.  Frames come in
 * order and once; under SMTCP in any order, and copies do no harm.  Anything
 * but CRYPT_OK: the octets are ruined and nothing else has changed; whether to
 * abort is the caller's to say. */
enum crypt_reason crypt_open(struct crypt_conn *k, struct instant now,
			     uint64_t offset, const struct iov_mut *v,
			     unsigned n, size_t len, struct crypt_opened *out);
/* counts, and returns, a reason that the caller found before crypt_open() could:
 * no frame is so long */
enum crypt_reason crypt_blame(struct crypt_conn *k, enum crypt_reason why);
/* The stream (or DATA_FIN) ends before `end`: CRYPT_OK when a FINp frame ended
 * exactly there, else CRYPT_TRUNCATED: not an end of file. */
enum crypt_reason crypt_end_in(struct crypt_conn *k, uint64_t end);
/* everything before `offset` has been opened: old keys go */
void crypt_received(struct crypt_conn *k, uint64_t offset);
/* everything before `offset` has been acknowledged (DATA_ACK) */
void crypt_acked(struct crypt_conn *k, uint64_t offset);

/* Begins a rekeying, also as a probe of life: the next frame has new keys, and
 * crypt_due() asks for one at once.  false: not while the last one is under
 * way, nor after FINp; under SMTCP nor before crypt_acked() and
 * crypt_received() have passed each side's first frame under the present keys,
 * also on a single TCP stream. */
bool crypt_rekey(struct crypt_conn *k, struct instant now);
/* a frame is wanted now, empty if need be (8548 3.8) */
bool crypt_due(const struct crypt_conn *k);
/* our rekeying has not been answered yet */
bool crypt_rekeying(const struct crypt_conn *k);
/* a frame of the peer has been opened: it has the same keys */
bool crypt_confirmed(const struct crypt_conn *k);
/* Gives back what is only there to be fast: the ciphers' contexts, two to four
 * kibioctets in libcrypto.  The next frame makes them anew from the keys.  At
 * any time, and as often as one likes. */
void crypt_rest(struct crypt_conn *k);

/* --- asking -------------------------------------------------------------- */

#define CRYPT_SESSION_ID 33
#define CRYPT_SK         32
#define CRYPT_FC         8

struct crypt_info {
	enum crypt_state state;
	enum crypt_reason why;
	bool role_b; /* as negotiated (8547 4.3) */
	bool resumed;
	bool smtcp;      /* TEP 0x20 */
	bool sig;        /* both announced S */
	bool peer_aware; /* the peer's a bit */
	bool peer_fin;
	uint8_t tep;   /* negotiated; 0: none */
	uint8_t kx;    /* ENO_TEP_P256.. */
	uint16_t aead; /* enum crypt_cipher; 0: not yet */
	uint64_t tx_gen, rx_gen;
	uint64_t tx_frames, rx_frames; /* in all generations */
	uint64_t tx_bytes, rx_bytes;   /* of data */
};

void crypt_info(const struct crypt_conn *k, struct crypt_info *out);
/* false: there is none (8547 5.1) */
bool crypt_session_id(const struct crypt_conn *k,
		      uint8_t out[CRYPT_SESSION_ID]);

/* keys of smtcp(7) for MP_JOIN, ADD_ADDR and MP_FASTCLOSE; A and B as roles */
struct crypt_sk {
	uint8_t sk_a[CRYPT_SK], sk_b[CRYPT_SK];
	uint8_t fc_a[CRYPT_FC], fc_b[CRYPT_FC];
};

/* NULL unless KEYED with TEP 0x20 */
const struct crypt_sk *crypt_sk(const struct crypt_conn *k);
/* drops the session secret that this connection left in the cache, or would */
void crypt_forget(struct crypt_conn *k);

#endif
