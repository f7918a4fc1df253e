/* pkt.h - packet scripts: one stack, packets in and out as a script says them,
 * in virtual time.  The language is described in tests/pkt/README.
 *
 * Everything about MPTCP that a packet must carry (tokens, HMACs, initial data
 * sequence numbers, checksums) is computed in value.c, apart from the stack.
 */
#ifndef TESTS_PKT_PKT_H
#define TESTS_PKT_PKT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "stack/crypt/crypt_memo.h"
#include "stack/prim/hash.h"
#include "stack/sock/stack.h"
#include "stack/wire/tcp_hdr.h"
#include "tests/lib/fake.h"

#define PKT_CONNS 4
#define PKT_FLOWS 64
#define PKT_SOCKS 64
#define PKT_QUEUE 4096
#define PKT_WORDS 64
#define PKT_LINE  512
#define PKT_MAPS  64
#define PKT_DEPTH 4

#define PEER_STREAM (512u << 10) /* octets of an encrypted stream, most */
#define PEER_FRAME  65600

/* the words of a line, or of one option */
struct words {
	char buf[PKT_LINE];
	char *w[PKT_WORDS];
	unsigned n, at;
};

struct flow;

/* the peer's half of an encrypted connection: peer.c */
struct peer {
	struct crypt_conn *k; /* NULL: none */
	bool active;
	const struct flow *first; /* the flow that is negotiated on */
	uint8_t asked[TCP_HDR_OPT_MAX], asked_len; /* ENO of a crossing SYN */
	uint8_t said[TCP_HDR_OPT_MAX], said_len;   /* in its SYN or SYN-ACK */
	uint8_t out[PEER_STREAM]; /* what it says, and how much */
	uint32_t out_len;
	uint64_t out_plain; /* octets of data in there */
	uint8_t in[PEER_STREAM]; /* what the stack says, where it is known */
	bool in_has[PEER_STREAM];
	uint32_t in_at; /* up to here it was taken apart */
	uint64_t in_plain;
};

/* an MPTCP connection; keys as on the wire, most significant octet first */
struct conn {
	uint64_t key_local, key_peer;
	bool has_local;
	uint8_t flags_syn, flags_synack; /* of MP_CAPABLE in both SYNs */
	struct peer peer;
};

/* octets from ssn on are those from dsn on, both relative; len 0: all */
struct mapping {
	uint64_t dsn;
	uint32_t ssn, len;
};

struct flow {
	char name[16];
	unsigned path;
	struct tuple t; /* local port 0: learnt from the first SYN */
	uint32_t isn_local, isn_peer;
	struct conn *conn;
	uint32_t nonce_local, nonce_peer;
	uint32_t ts_last; /* newest TSval that the stack sent */
	uint8_t shift;    /* window scale in the stack's SYN */
	uint32_t label;   /* IPv6 flow label of the last packet matched */
	uint32_t edge;    /* right edge of what the stack said may come */
	struct mapping out[PKT_MAPS];
	unsigned n_out;
	struct mapping in; /* last one that the script sent */
	bool has_in;
};

struct handle {
	char name[16];
	struct sock *sk; /* NULL: closed */
	uint64_t wrote, read;
};

/* one packet that the stack sent */
struct sent {
	struct pkt *pkt;
	struct instant at;
	uint16_t path;
	struct flow *f; /* NULL: of no declared flow */
	struct tcp_seg seg;
};

#define SWEEP_RANGES 16

/* the values a script is run with, one after the other; n 0: none */
struct sweep {
	char name[16];
	long range[SWEEP_RANGES][2];
	unsigned n, i;
	long at;
};

struct run {
	const char *file;
	struct sweep sweep;
	unsigned line;
	char text[PKT_LINE]; /* of the line, for messages */
	struct fake fake;
	struct hash *hash;
	struct fake peer_fake;
	struct crypt *peer_crypt; /* the peers'; NULL until there is one */
	struct stack_cfg cfg;
	struct crypt_memo memo; /* of the stack, when config says so */
	struct stack *s;
	bool running; /* too late for configuration */
	struct instant start, now;
	nanos early, late; /* how far a packet's time may be off */
	unsigned coarse;   /* and later by a part of the wait; 0: no */
	struct ip_path path[IP_PATHS_MAX];
	unsigned n_paths;
	bool gso;  /* large packets are matched whole */
	bool hold; /* what wants to leave waits */
	bool secret; /* no packet may have what the program wrote */
	bool verbose;
	struct conn conn[PKT_CONNS];
	struct flow flow[PKT_FLOWS];
	unsigned n_flows;
	struct handle sock[PKT_SOCKS];
	unsigned n_socks;
	uint32_t icmp_sent; /* last one that the stack sent: type, code, word */
	uint32_t icmp_word;
	unsigned n_icmp;
	struct sent q[PKT_QUEUE];
	unsigned n_q;
	uint8_t tfo[TCP_HDR_TFO_MAX], tfo_len; /* last cookie of the stack */
};

/* --- words.c ---------------------------------------------------------------- */
void words_split(struct words *w, const char *text, const char *seps);
const char *words_peek(const struct words *w); /* NULL: no more */
const char *words_next(struct run *r, struct words *w);
bool words_take(struct words *w, const char *what); /* if it is the next */
int64_t words_num(struct run *r, struct words *w);
double words_real(struct run *r, const char *text);
bool words_is_num(const char *text);
void words_end(struct run *r, const struct words *w);

/* "NAME .." and "S = NAME ..": the functions that know the rest of the line */
struct words_call {
	const char *name;
	void (*fn)(struct run *r, struct words *w);
};
struct words_maker {
	const char *name;
	void (*fn)(struct run *r, const char *made, struct words *w);
};
/* calls the one that is named first; NULL, or the name that nobody knows */
const char *words_call(struct run *r, struct words *w,
		       const struct words_call *calls, unsigned n_calls,
		       const struct words_maker *makers, unsigned n_makers);
void words_endpoint(struct run *r, const char *text, struct endpoint *e);
/* ends the program: file, line, the line itself, and why */
__attribute__((noreturn, format(printf, 2, 3))) void pkt_fail(struct run *r,
							      const char *form,
							      ...);

/* --- value.c ----------------------------------------------------------------- */
/* octet number off (from 0) of every stream, either way */
uint8_t value_octet(uint64_t off);
uint32_t value_token(struct run *r, uint64_t key);
uint64_t value_idsn(struct run *r, uint64_t key);
/* the key of an HMAC made by the stack, or by the peer: of MP_CAPABLE, or of
 * the session when there is one and clear is not asked for */
struct mac_key {
	uint8_t k[64];
	size_t n;
};

struct mac_key value_key(const struct conn *c, bool by_stack, bool clear);
/* HMAC-SHA256 over a join's nonces, the sender's first */
void value_join(struct run *r, const struct mac_key *k, uint32_t nonce1,
		uint32_t nonce2, uint8_t out[32]);
void value_add_addr(struct run *r, const struct mac_key *k, uint8_t id,
		    const struct endpoint *e, uint8_t out[8]);
/* what MP_FASTCLOSE must hold to end the stack, or the peer */
uint64_t value_fastclose(const struct conn *c, bool to_stack, bool clear);
/* checksum of a mapping; dsn is absolute, off the stream offset of its first
 * octet, payload the number of octets (len less a DATA_FIN) */
uint16_t value_dss_csum(uint64_t dsn, uint32_t ssn, uint16_t len, uint64_t off,
			uint32_t payload);

/* --- build.c ------------------------------------------------------------------- */
void build_packet(struct run *r, const char *attrs, const char *opts);
void build_icmp(struct run *r, struct words *w);

/* --- build_ip.c ---------------------------------------------------------------- */
/* between the IP header and TCP's */
struct build_ip {
	uint32_t frag; /* cut into pieces of so many octets; 0: not */
	char part[16]; /* which of them, in this order; "": all */
	uint8_t ext_type, ext[256];
	unsigned ext_len;
	uint32_t label; /* IPv6 flow label */
};

bool build_ip_word(struct run *r, struct words *w, struct build_ip *how);
void build_ip_send(struct run *r, unsigned path, uint8_t *p, uint32_t n,
		   const struct build_ip *how);

/* --- build_opt.c ---------------------------------------------------------------- */
/* what an option may refer to */
struct build_ctx {
	struct flow *f;
	uint8_t flags;
	uint32_t seq, len; /* relative; payload octets */
	bool has_map;
	struct mapping map; /* of a DSS or MP_CAPABLE in this segment */
};

void build_opt(struct run *r, struct build_ctx *x, struct words *w,
	       struct wr *o);
/* the flags of an MP_CAPABLE, as letters */
uint8_t build_flags(struct run *r, struct words *w);

/* --- match.c --------------------------------------------------------------------- */
/* takes what the stack has to send; sorts it to flows, checks what is true of
 * every packet */
void match_take(struct run *r, struct pkt *p);
/* the queued packet i is as described, or fail */
void match_packet(struct run *r, unsigned i, const char *attrs,
		  const char *opts);
void match_drop(struct run *r, unsigned i);
/* the first queued packet of the flow in attrs (first word, if it is one) */
int match_find(struct run *r, const char *attrs);
/* a line of ICMP that the stack sent */
void match_icmp(struct run *r, struct words *w);
const char *match_show(struct run *r, const struct sent *p, char *buf,
		       size_t n);

/* --- match_opt.c ------------------------------------------------------------------ */
/* NULL: as described; else what is different, in buf */
const char *match_opt(struct run *r, struct flow *f, const struct sent *p,
		      struct words *w, char buf[PKT_LINE]);
/* NULL or a fault: lengths and reserved bits of every MPTCP option */
const char *match_reserved(const uint8_t *opt, unsigned n);
void match_learn(struct run *r, struct flow *f, const struct sent *p);

/* --- peer.c ----------------------------------------------------------------------- */
void peer_line(struct run *r, struct words *w);
bool peer_conf_word(struct run *r, struct crypt_conf *c, struct words *w);
void peer_option(struct run *r, struct peer *p, uint8_t flags, struct wr *o);
void peer_option_again(struct run *r, struct words *w, struct wr *o);
void peer_hears(struct run *r, struct flow *f, const struct sent *s);
uint8_t peer_octet(struct run *r, const struct peer *p, uint64_t off);
void peer_gather(struct run *r, struct peer *p, uint64_t off,
		 const uint8_t *data, uint32_t n);
bool peer_word(struct run *r, const struct crypt_info *i, const char *t);
void peer_session(struct run *r, const struct mp_info *info, struct words *w);
void peer_free(struct peer *p);
void peer_free_all(struct run *r);

/* --- call.c, or kernel_call.c ----------------------------------------------------- */
void call_line(struct run *r, struct words *w);

/* --- opts.c ----------------------------------------------------------------------- */
struct opt_name {
	const char *name;
	int level, v;
};

/* the socket option of that name */
const struct opt_name *opts_find(struct run *r, const char *name);
#define OPTS_VALUE_MAX 64
/* a number, or `hex OCTETS`; returns how many octets it has */
uint32_t opts_value(struct run *r, struct words *w,
		    uint8_t out[OPTS_VALUE_MAX]);
const char *opts_errno(int v); /* EINVAL .. */
void opts_errno_want(struct run *r, const char *want, int got);

/* --- state.c ---------------------------------------------------------------------- */
/* state FLOW NAME: RFC 9293's name for what the stack keeps of a four-tuple */
void state_call(struct run *r, struct words *w);

/* --- sweep.c ---------------------------------------------------------------------- */
void sweep_read(struct run *r, struct sweep *w, const char *file);
bool sweep_next(struct sweep *w); /* false: that was the last value */
void sweep_expand(struct run *r, char line[PKT_LINE]);

/* --- run.c ------------------------------------------------------------------------ */
struct flow *run_flow(struct run *r, const char *name); /* NULL: none */

/* --- virtual.c: our stack in virtual time; kernel.c: this machine's kernel in real */
void run_clock(struct run *r);
/* on to that instant, or until stop() */
void run_advance(struct run *r, struct instant to, bool (*stop)(void *),
		 void *ctx);
/* everything that wants to leave now is queued */
void run_pump(struct run *r);
void run_input(struct run *r, unsigned path, const void *p, uint32_t n);
void run_end(struct run *r);

#endif
