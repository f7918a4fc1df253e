/* flows.h - flows that share a bottleneck, in the simulator's virtual time
 *
 *   host A --\
 *             +--> bottleneck (drop-tail queue) --> host B
 *   host C --/
 *
 * A and C have an access link each, ten times as fast; the bottleneck is host
 * B's down link.  A flow is a bulk connection of the stack, from A or C to B,
 * or a model that shares no code with the stack (ref_cubic.c) and sends its own
 * packets over the same links.
 */
#ifndef TESTS_PLOTS_FLOWS_H
#define TESTS_PLOTS_FLOWS_H

#include <stdio.h>

#include "tests/sim/sim.h"

#define FLOWS_MAX 2

enum flow_kind {
	FLOW_TCP,    /* no Multipath TCP, no encryption */
	FLOW_MPTCP,  /* one subflow */
	FLOW_SMTCP,  /* ... sealed */
	FLOW_CRYPT,  /* sealed TCP */
	FLOW_MODEL,  /* ref_cubic.c */
};

struct flow_plan {
	enum flow_kind kind;
	const char *cc;
	double start; /* seconds */
	double rtt;   /* ms, both ways, without a queue */
};

struct scene {
	const char *name; /* of its files */
	const char *text;
	struct flow_plan flow[FLOWS_MAX];
	unsigned n;
	double mbit;     /* of the bottleneck */
	double queue;    /* in products of its rate and the longest round trip */
	double loss;     /* random, of the bottleneck */
	double ecn;      /* marked from this part of the queue on; 0: no ECN */
	const char *note; /* for the picture: what is expected, or NULL */
	double from, to; /* seconds that are judged; the scene ends with `to` */
	/* what must hold of them: 0 asks for nothing */
	double jain;   /* Jain's index of the goodputs, at least */
	double use;    /* of the bottleneck, at least */
	double share;  /* of the first flow, at least; of the second, too */
};

struct flow_state {
	double cwnd, rtt, goodput; /* KB, ms, Mbit/s */
};

struct flow_result {
	double goodput; /* Mbit/s of programs' octets */
	double retrans; /* packets sent again, of all */
};

struct result {
	struct flow_result flow[FLOWS_MAX];
	double jain, use, share;
	double queue; /* mean, ms */
	double drops; /* of the packets that came to the queue */
};

extern const struct scene scenes[];
extern const unsigned n_scenes;

/* Runs it; writes a line for each 50 ms to f, if there is one.  false: it could
 * not run, said on stderr. */
bool scene_run(const struct scene *s, uint64_t seed, FILE *f,
	       struct result *r);

/* --- ref_cubic.c ---------------------------------------------------------- */

struct ref;

struct ref *ref_new(struct world *w, struct host *from, struct host *to);
void ref_free(struct ref *r);
void ref_start(struct world *w, void *r, uint64_t arg);
/* a packet for this host is the model's: taken */
bool ref_take(struct ref *r, struct host *h, const struct pkt *p);
/* octets that arrived, and packets sent, and sent again */
uint64_t ref_arrived(const struct ref *r);
uint64_t ref_sent(const struct ref *r);
uint64_t ref_resent(const struct ref *r);
void ref_state(const struct ref *r, struct flow_state *s);

#endif
