/* sim.h - the deterministic simulator: whole stacks joined by simulated
 * links, middleboxes and attackers, in virtual time
 *
 * One seed is one world: everything random comes from it, nothing from the
 * system, so the same seed gives the same packets at the same instants.
 *
 *   host --up link--> box --> core --> box --down link--> host
 *
 * Every path of every host has its own two links and its own middlebox; the
 * core routes by destination address.  world.c keeps time, host.c a stack and
 * its programs' turns, link.c and box.c what happens to packets, forge.c what
 * an attacker adds, app.c the programs, scen.c what a seed means, check.c
 * what must hold.
 */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/addr.h"
#include "stack/base/env.h"
#include "stack/base/pkt.h"
#include "stack/base/rng.h"
#include "stack/base/time.h"
#include "stack/crypt/crypt_memo.h"
#include "stack/sock/stack.h"

#define SIM_HOSTS_MAX 3
#define SIM_PATHS_MAX 4
#define SIM_CONNS_MAX 24
#define SIM_PORT      80 /* every server's listener */
#define SIM_PORT_LAZY 81 /* ... whose program is slow to accept */
/* the lazy program accepts so late; two fit its queue, so seven connections
 * take so many turns */
#define SIM_LAZY        (4 * NANOS_S)
#define SIM_LAZY_ROUNDS 4
#define SIM_PORT_SHUT 82 /* nobody listens here */
#define SIM_STALL     NANOS_S /* F_STALL, at most */

/* what can go wrong: name and what it does; each is counted when it really
 * touched a packet or a call */
#define SIM_FAULTS(X)                                                          \
	X(F_LOSS, "random loss")                                               \
	X(F_BURST, "burst loss")                                               \
	X(F_QUEUE, "queue overflow")                                           \
	X(F_JITTER, "jitter")                                                  \
	X(F_REORDER, "reordering")                                             \
	X(F_DUP, "duplication")                                                \
	X(F_CORRUPT, "octets corrupted")                                       \
	X(F_TRUNCATE, "packet truncated")                                      \
	X(F_REWRITE, "payload rewritten, checksum fixed")                      \
	X(F_CUT, "path cut silently, both ways")                               \
	X(F_CUT_ONE, "path cut one way")                                       \
	X(F_CUT_FOREVER, "path cut and never healed")                          \
	X(F_LINK_DOWN, "path taken down and up with notice")                   \
	X(F_BACKUP, "path's backup flag changed")                              \
	X(F_MTU_ICMP, "MTU drop with ICMP")                                    \
	X(F_MTU_SILENT, "MTU drop without ICMP")                               \
	X(F_RATE, "rate lowered tenfold")                                      \
	X(F_MEMORY, "memory refused")                                          \
	X(F_ENTROPY, "entropy repeats itself")                                 \
	X(F_STRIP_SYN, "MPTCP stripped from SYN")                              \
	X(F_STRIP_SYNACK, "MPTCP stripped from SYN/ACK")                       \
	X(F_STRIP_ACK, "MPTCP stripped from third ACK")                        \
	X(F_STRIP_DATA, "MPTCP stripped from data")                            \
	X(F_STRIP_ONE_WAY, "MPTCP stripped from one direction")                \
	X(F_STRIP_JOIN, "MPTCP stripped from joins")                           \
	X(F_STRIP_TS, "timestamps stripped from SYN")                          \
	X(F_STRIP_SACK, "SACK permitted stripped")                             \
	X(F_STRIP_WSCALE, "window scale stripped from SYN")                    \
	X(F_SPLIT, "segment split, options copied")                            \
	X(F_COALESCE, "segments coalesced, one DSS lost")                      \
	X(F_SHIFT, "sequence numbers rewritten")                               \
	X(F_BAD_MAC, "HMAC of a join or ADD_ADDR altered")                     \
	X(F_BAD_TOKEN, "token of a join altered")                              \
	X(F_OLD_VERSION, "MP_CAPABLE rewritten to version 0")                  \
	X(F_BAD_DSN, "data sequence number altered")                           \
	X(F_DSS_CSUM, "DSS checksum added against what was agreed")            \
	X(F_FORGED_IP, "forged or malformed IP packets")                       \
	X(F_FORGED_TCP, "forged segments")                                     \
	X(F_FORGED_RST, "forged exact reset")                                  \
	X(F_FORGED_ICMP, "forged ICMP errors")                                 \
	X(F_FORGED_MP, "forged MPTCP options")                                 \
	X(F_FORGED_HARD, "forged ICMP errors during a handshake")              \
	X(F_ECHO, "echo requests")                                             \
	X(F_FLOOD, "SYN flood")                                                \
	X(F_ABORT, "program aborts")                                           \
	X(F_UNREAD, "program closes with unread data")                         \
	X(F_SLOW, "program reads slowly")                                      \
	X(F_LAZY, "program accepts late")                                      \
	X(F_NO_LISTENER, "nobody listens")                                     \
	X(F_SIMULTANEOUS, "simultaneous open")                                 \
	X(F_PORT_REUSE, "port used again at once")                             \
	X(F_ENO_SYN, "ENO stripped from SYN")                                  \
	X(F_ENO_SYNACK, "ENO stripped from SYN/ACK")                           \
	X(F_ENO_ACK, "ENO stripped from third ACK")                            \
	X(F_ENO_LATE, "ENO stripped behind the third ACK")                     \
	X(F_ENO_ALTER, "ENO altered, still well-formed")                       \
	X(F_ENO_BREAK, "ENO made useless")                                     \
	X(F_ENO_BLOCK, "SYNs with ENO dropped")                                \
	X(F_CAP_ALTER, "MP_CAPABLE altered beside ENO")                        \
	X(F_INIT_ALTER, "Init message altered, checksum fixed")                \
	X(F_SEAL_ALTER, "sealed payload altered, checksum fixed")              \
	X(F_SEAL_FORGE, "segments forged beside sealed ones")                  \
	X(F_SEAL_REPLAY, "sealed segments replayed as new ones")               \
	X(F_CUTS, "segment cut at any octets")                                 \
	X(F_MERGE, "segments of one mapping coalesced")                        \
	X(F_REKEY, "program asks for new keys")                                \
	X(F_FORGET, "program has the session's secret wiped")                  \
	X(F_PASSIVE, "simultaneous open, one in the passive role")             \
	X(F_AGAIN, "connection to a peer of before")                           \
	X(F_STALL, "path stalls, then delivers all")                           \
	X(F_FRAGMENT, "packet cut into fragments")                             \
	X(F_CE, "congestion marked by a router")                               \
	X(F_FAST, "program wants its data in the SYN")

enum sim_fault {
#define X(id, text) id,
	SIM_FAULTS(X)
#undef X
		SIM_FAULT_N
};

#define SIM_REASON_MAX 256

struct sim_stats {
	uint64_t fault[SIM_FAULT_N];
	const char *reason_name[SIM_REASON_MAX];
	uint64_t reason[SIM_REASON_MAX];
	unsigned n_reasons;
	uint64_t packets, octets, conns, conns_mptcp, conns_excused, conns_died;
	int64_t virtual_ns;
	uint64_t sealed, smtcp, resumed, refused, doomed;
	/* frames were bad on one path, or all paths, and all arrived */
	uint64_t survived, rejoined;
};

struct world;
struct host;
struct side;
struct watch;

typedef void sim_fn(struct world *w, void *ctx, uint64_t arg);

struct sim_event {
	struct instant at;
	uint64_t order; /* of scheduling: the tie-breaker */
	sim_fn *fn;
	void *ctx;
	uint64_t arg;
};

/* --- link ----------------------------------------------------------------- */

struct link_fault {
	double loss, burst_in, burst_out, dup, reorder, corrupt;
	nanos jitter, reorder_by;
	uint32_t slower; /* divides the rate; 0 or 1: not */
	double mark; /* of packets that may be marked (RFC 3168) */
	struct instant stall; /* nothing arrives before; 0: not so */
	bool down;
	enum sim_fault why_down;
};

struct link {
	struct world *w;
	struct host *host; /* whose path this is */
	unsigned path;
	bool up; /* away from the host */
	uint64_t rate; /* bits a second */
	nanos delay;
	uint32_t queue; /* octets */
	uint32_t mark_above; /* with more before it a packet is marked; 0: not */
	struct link_fault fault;
	bool bad; /* burst state */
	struct instant busy, last;
	uint64_t passed, dropped; /* packets; dropped: by the full queue */
};

/* takes over the packet's reference */
void link_send(struct link *l, struct pkt *p);

/* --- middlebox ------------------------------------------------------------ */

#define BOX_FLOWS 256
#define BOX_ALTER 0x11 /* what F_REWRITE adds to one octet of a packet: two
			* of them never cancel out in a checksum */

struct box_flow {
	struct tuple t;
	uint32_t shift_out, shift_in;
};

struct box {
	struct world *w;
	struct host *host;
	unsigned path;
	uint64_t faults[2]; /* bits of enum sim_fault: on */
	bool one_way_out;   /* direction of F_STRIP_ONE_WAY */
	bool mac_third;     /* F_BAD_MAC: the third ACK, not the SYN/ACK */
	uint32_t rewrite_left; /* packets F_REWRITE still alters */
	uint32_t bad_dsn_left;
	uint32_t dss_csum_left;
	uint32_t strip_skip; /* F_STRIP_DATA starts after so many packets */
	uint32_t block_left; /* SYNs that F_ENO_BLOCK still drops */
	double alter;        /* chance per packet, of F_SEAL_* */
	struct pkt *kept;    /* F_SEAL_REPLAY: what went by before */
	double forge;       /* chance per packet of something forged */
	uint16_t mtu;       /* of the net behind; 0: none */
	bool mtu_icmp;
	struct pkt *held[2]; /* for coalescing, per direction */
	uint64_t held_id[2];
	struct box_flow flow[BOX_FLOWS];
	unsigned next_flow;
};

void box_on(struct box *b, enum sim_fault f, bool on);
bool box_has(const struct box *b, enum sim_fault f);
/* out: away from the host.  Packets that come out go to net_route() or the
 * host's down link */
void box_pass(struct box *b, struct pkt *p, bool out);
void box_forward(struct box *b, struct pkt *p, bool out);
void box_fini(struct box *b);

/* forge.c: perhaps sends something forged beside p, which is only looked at */
void forge_beside(struct box *b, const struct pkt *p, bool out);
/* an ICMP "too big" from the net behind b, about p */
void forge_too_big(struct box *b, const struct pkt *p, bool out, uint16_t mtu);
/* port unreachable and the like for a SYN */
void forge_refusal(struct box *b, const struct pkt *p, bool out);
void forge_flood(struct world *w, struct host *victim, uint16_t port,
		 unsigned n);

/* --- host ----------------------------------------------------------------- */

struct host_path {
	struct ip_path cfg;
	struct link up, down;
	struct box box;
	unsigned risky; /* faults on that may end what runs here */
};

struct host {
	struct world *w;
	unsigned index;
	struct mem mem;
	struct env env;
	struct rng entropy, alloc_rng;
	double refuse; /* chance that an allocation fails */
	double repeat; /* ... that 8 octets of entropy come again */
	uint64_t last_entropy;
	unsigned repeats; /* .. times in a row */
	nanos lag; /* between packets coming in and the turn they cause */
	bool turn_due;
	uint32_t truesize; /* least octets that a received packet pins */
	uint32_t rcvbuf;   /* of the listeners, 0: built-in */
	uint16_t fast;     /* ... TCP_FASTOPEN */
	uint8_t defer;     /* ... TCP_DEFER_ACCEPT, seconds */
	uint8_t fast_keys; /* ... TCP_FASTOPEN_KEY: set so often */
	bool ever_refused;
	struct stack *stack;
	unsigned n_paths;
	struct host_path path[SIM_PATHS_MAX];
	struct stack_cfg cfg;
	struct crypt_memo memo; /* in use if cfg.mp.memo_mode says so */
	struct sock *listener[2]; /* SIM_PORT, SIM_PORT_LAZY */
	struct instant tick_at;
	bool in_turn, again;
	uint64_t pinned, pinned_peak;
	unsigned ticks_in_row;
	struct instant last_tick;
};

void host_start(struct host *h, uint64_t seed);
void host_stop(struct host *h);
/* after any call into h's stack */
void host_turn(struct host *h);
void host_deliver(struct host *h, unsigned path, struct pkt *p);

/* --- programs ------------------------------------------------------------- */

enum close_how {
	CLOSE_AFTER_EOF,   /* shutdown after all, close at the peer's EOF */
	CLOSE_AT_ONCE,     /* close when all is sent: the peer sends nothing */
	CLOSE_ABORT,       /* abort after stop_at octets, sent and received */
	CLOSE_UNREAD,      /* close then, leaving data unread */
};

struct side {
	struct conn *conn;
	struct host *host;
	struct sock *sk;
	bool client;
	uint64_t key;       /* of the stream this side sends */
	uint64_t tx_total, tx, rx;
	/* round i may be sent once i * peer_round octets came; 0: freely */
	uint64_t round, peer_round;
	uint32_t write_max; /* octets per write */
	nanos write_gap;
	uint32_t read_max;  /* octets per read; 0: all */
	nanos read_gap;
	uint32_t held;      /* octets claimed by sock_read_held() */
	bool hold;
	enum close_how how;
	uint64_t stop_at;
	bool urgent;
	nanos idle; /* all sent, the connection is left open so long */
	bool idle_timer;
	bool connected, shut, eof, closed, ended;
	bool peer_done_seen;
	int err;
	bool write_timer, read_timer;
	bool has_id; /* of what was confirmed */
	uint8_t session_id[CRYPT_SESSION_ID];
};

struct conn {
	struct world *w;
	unsigned index;
	struct side side[2]; /* 0 client */
	struct instant start, progress;
	uint16_t port, local_port;
	struct addr from, to; /* of the client, and that it connected to */
	uint8_t family;
	unsigned dst_path; /* of the server's address that is connected to */
	bool started, accepted, simultaneous, reuse;
	bool may_die; /* the scenario allows this connection to fail */
	bool was_mptcp, was_sealed, was_smtcp, was_resumed;
	bool v6only_sock;
	struct {
		uint32_t sndbuf, rcvbuf, maxseg;
		bool nodelay, keepalive, quickack, min_ttl, fast;
		bool new_key; /* for Fast Open, at the server, before it */
		const char *cc;
	} opt;
	double rekey; /* chance per event that a program asks for new keys */
	bool forget, again;
	bool passive; /* simultaneous: the server asks for the passive role */
};

void app_start(struct world *w, void *conn, uint64_t arg);
void app_event(struct host *h, const struct stack_event *ev);
void app_listen(struct host *h);
/* octets from pos on of the stream with this key; odd keys: with marks that
 * watch.c looks for */
void app_octets(uint64_t key, uint64_t pos, uint8_t *out, size_t n);
/* both programs have let go */
bool app_done(const struct conn *c);

/* --- seeds.c -------------------------------------------------------------- */

struct seeds_count {
	unsigned long passed, failed;
};

/* true: the seed passed */
typedef bool seeds_fn(uint64_t seed, bool crypted);

/* runs fn for each seed of the list; false: it is no list, said on stderr */
bool seeds_each(const char *path, seeds_fn *fn, struct seeds_count *n);

/* --- world ---------------------------------------------------------------- */

struct world {
	uint64_t seed;
	struct instant now;
	struct sim_event *heap;
	unsigned n_heap, cap_heap;
	uint64_t order, steps;
	uint64_t hash;
	struct rng rng;  /* faults as they happen */
	struct rng scen; /* what the seed means: drawn before the start */
	struct rng seal; /* ... with encryption: the rest stays as it was */
	struct rng more; /* ... and what came later, scen_more.c */
	struct rng late; /* ... and later than that */
	bool crypted;    /* there is encryption in this world */
	unsigned special;    /* scen_crypt.c */
	bool no_loss;        /* nothing is lost, but to full queues */
	struct watch *watch; /* watch.h; NULL unless crypted */
	struct sim_stats *stats;
	struct host host[SIM_HOSTS_MAX];
	unsigned n_hosts;
	struct conn conn[SIM_CONNS_MAX];
	unsigned n_conns;
	int64_t pkts; /* alive */
	/* faults of the net: [fault_from, heal) */
	struct instant fault_from, heal;
	nanos bound; /* see check.c */
	unsigned risky; /* faults on now that may end any connection */
	uint32_t altered; /* octets that F_REWRITE changed */
	bool memory_fault, dirty_end; /* the end need not be clean */
	bool verbose, stopping;
	bool failed;
	char why[256];
	/* a packet that is not for the host's stack: taken. NULL: none is */
	bool (*take)(struct world *w, struct host *h, const struct pkt *p);
};

/* a seed is two worlds: one of them has encryption */
void world_init(struct world *w, uint64_t seed, bool crypted,
		struct sim_stats *st);
void world_fini(struct world *w);
void world_at(struct world *w, struct instant at, sim_fn *fn, void *ctx,
	      uint64_t arg);
void world_in(struct world *w, nanos after, sim_fn *fn, void *ctx,
	      uint64_t arg);
/* runs events until none is left, the limit, or a failure */
void world_run(struct world *w, struct instant until);
bool world_chance(struct world *w, double p);
uint64_t world_below(struct world *w, uint64_t n);
void world_fault(struct world *w, enum sim_fault f);
/* the run failed: an invariant does not hold */
void world_fail(struct world *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void world_say(struct world *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void world_trace(struct world *w, const char *where, const struct host *h,
		 unsigned path, const struct pkt *p);

/* data NULL: zeros */
struct pkt *world_pkt(struct world *w, const void *data, uint32_t len);
/* a wirepkt becomes one that the world counts */
void world_adopt(struct world *w, struct pkt *p);
/* to whoever has the destination address; from: for the MTU of both ends */
/* whose address that is, NULL: nobody's */
struct host_path *net_path_of(struct world *w, const struct addr *a);
void net_route(struct world *w, struct box *from, struct pkt *p);

/* --- scenario and invariants ---------------------------------------------- */

void scen_build(struct world *w);
nanos check_bound(const struct world *w);
void check_start(struct world *w);
void check_progress(struct conn *c);
/* octets that arrived at the program */
void check_data(struct side *s, const uint8_t *p, uint64_t n);
void check_eof(struct side *s);
void check_end(struct world *w);
/* the scenario allows this connection to fail, or to wait for ever */
bool check_excused(const struct conn *c);

const char *sim_fault_text(enum sim_fault f);

#endif
