/* watch.h - what sealed connections must keep to, seen from outside
 *
 * Three witnesses that share no code with what they watch:
 *   seal.c    every frame sealed and opened, by the linker's --wrap: no (key,
 *             nonce) pair seals twice; what opens was sealed by the other end
 *             for this place
 *   watch.c   every segment that a host sends, before anything can happen to
 *   stream.c  it: one data sequence number has one octet for ever, a stream is
 *             Init and sealed frames and nothing else, mappings hold whole
 *             frames, no DATA_ACK covers what was not opened, no octet of a
 *             program is readable
 *   rules.c   what may not be sent, or not yet
 *   expect.c  what the handshake must come to, from the options that each side
 *             sent and what arrived of them (smtcp(7), What is stripped, and
 *             NODES AND POLICIES)
 */
#ifndef TESTS_SIM_WATCH_H
#define TESTS_SIM_WATCH_H

#include "stack/wire/tcp_hdr.h"
#include "tests/sim/sim.h"

/* --- seal.c --------------------------------------------------------------- */

/* forgets all; what fails, fails w */
void seal_init(struct world *w);
void seal_fini(void);

struct seal_frame {
	uint64_t hash; /* of its octets, header to tag; 0: free slot */
	uint64_t off;
	uint32_t len;
	bool opened;    /* by another connection object than sealed it */
	const void *by; /* who sealed it */
};

/* NULL: nobody sealed these octets */
const struct seal_frame *seal_find(const uint8_t *p, uint32_t len);
/* ... of a frame that was found before */
bool seal_opened(uint64_t hash);

/* --- stream.c ------------------------------------------------------------- */

/* one direction of a sealed connection: octets by offset */
struct stream {
	struct world *w;
	unsigned conn, side; /* who sends it */
	uint8_t *octet, *mark;
	uint32_t cap;
	uint64_t seen;   /* everything before was sent at least once */
	uint64_t parsed; /* ... and consists of whole frames, up to here */
	uint64_t init;   /* octets of Init */
	uint64_t first;  /* end of a mapping that begins at 0 */
	uint64_t gen;    /* of the frame before `parsed`, and */
	uint64_t first_of_gen; /* ... the end of the first one of it */
	uint64_t acked;  /* highest DATA_ACK sent for it */
	bool any, phases;
	bool single; /* octets without a mapping were sent */
	bool has_fin;
	uint64_t fin; /* DATA_FIN's place */
	struct {
		uint64_t hash, end;
	} *frame;
	uint32_t n_frames, cap_frames;
	uint32_t n_opened;
	uint64_t opened; /* everything before was opened by the peer */
};

void stream_fini(struct stream *s);
void stream_put(struct stream *s, uint64_t off, const uint8_t *p, uint32_t n);
/* a mapping of [lo, hi) was declared */
void stream_mapped(struct stream *s, uint64_t lo, uint64_t hi);
/* everything before was opened by the other side */
uint64_t stream_opened(struct stream *s);
/* the receiver acknowledges everything before off */
void stream_data_ack(struct stream *s, uint64_t off);

/* --- rules.c -------------------------------------------------------------- */

/* this side sends a SYN with MP_JOIN */
void rules_join(struct conn *c, unsigned side);
void rules_options(struct conn *c, unsigned side, const struct tcp_seg *seg);
void rules_rekey(const struct stream *s);

/* --- expect.c ------------------------------------------------------------- */

enum expect_state {
	EXPECT_ASKING,
	EXPECT_CLEAR,
	EXPECT_SEALED,
};

/* options of a segment of the handshake */
struct expect_opts {
	bool there;
	uint8_t eno_n; /* ENO options: 0, 1, 2 (more) */
	uint8_t eno_len, eno[ENO_OPT_MAX];
	bool cap;
	struct mp_opt_capable capable;
};

#define EXPECT_SAID 16 /* the last ones */

struct expect {
	bool murky;       /* ambiguous: take the stack's word */
	bool eno_touched; /* a SYN's ENO is not what was sent */
	bool cap_touched, key_touched;
	bool eno_dropped; /* both kinds of SYN left A, or reached B */
	uint32_t iss[2], irs[2];
	uint32_t ts; /* of the SYN that reached B, 0: none */
	/* a host that keeps nothing names another ISS each time */
	uint32_t said[EXPECT_SAID];
	unsigned n_said;
	struct expect_opts syn_out, syn_in, sa_out, sa_in, ack_out, ack_in;
	enum expect_state state[2];
	bool sm, resumed;           /* of what was agreed */
	enum mp_crypt_policy least; /* A's memory asks for it */
	bool refused[2];            /* by policy, this side */
	const char *doom;           /* why it cannot live */
};

void expect_out(struct conn *c, unsigned side, const struct tcp_seg *seg);
void expect_in(struct conn *c, unsigned side, const struct tcp_seg *seg);
/* what the side's stack says of itself agrees */
void expect_side(struct side *s);
void expect_end(struct conn *c);
/* the side's policy, as it is for this connection */
enum mp_crypt_policy expect_policy(const struct conn *c, unsigned side);
/* nothing that could come back would satisfy the side's policy */
bool expect_hopeless(const struct side *s);
/* the server answers with SYN cookies: its word is taken */
bool expect_stateless(const struct conn *c);
/* what both sides' programs are configured for has a cipher in common */
bool expect_common_cipher(const struct conn *c);

/* --- watch.c -------------------------------------------------------------- */

#define WATCH_FLOWS 2048

struct flow {
	struct flow *next;
	struct endpoint a, b; /* a sent the SYN */
	struct conn *conn;
	bool first;      /* no join */
	unsigned a_side; /* of the connection */
	bool has_iss[2];
	uint32_t iss[2]; /* 0: a's */
};

struct watch_side {
	uint32_t has_key; /* keys may come again: the last one is meant */
	uint64_t key, idsn;
	uint32_t token;
	bool spoke; /* octets of the program went out readable */
	struct stream stream;
};

struct watch_conn {
	struct expect x;
	struct watch_side side[2];
	uint32_t bad_resets; /* MP_TCPRST reason 6 */
	uint32_t joins;
	bool init_out; /* host A sent Init1: no resumption */
};

struct watch {
	struct watch_conn conn[SIM_CONNS_MAX];
	struct flow *bucket[256];
	unsigned n_flows;
	uint32_t n_keys;
};

void watch_init(struct world *w);
void watch_fini(struct world *w);
void watch_out(struct host *h, const struct pkt *p);
void watch_in(struct host *h, const struct pkt *p);
/* both ends of the connection that this segment belongs to hold it for sealed;
 * NULL: not so, or unknown */
struct conn *watch_sealed(struct world *w, const struct tcp_seg *seg);
/* whose segment that is, whatever it holds of it; or NULL */
struct conn *watch_conn(struct world *w, const struct tcp_seg *seg);
struct watch_conn *watch_of(const struct conn *c);
/* 8 octets in each 32 of every stream: never in ciphertext by chance */
extern const uint8_t watch_mark[8];

#endif
