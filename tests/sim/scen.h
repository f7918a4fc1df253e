/* scen.h - what scen.c and scen_crypt.c share: a kind of fault */
#ifndef TESTS_SIM_SCEN_H
#define TESTS_SIM_SCEN_H

#include "tests/sim/sim.h"

/* how often each is drawn, and what is special about it */
struct scen_kind {
	enum sim_fault fault;
	unsigned weight;
	bool early; /* matters during handshakes: from the beginning */
	bool risky; /* may end a connection that has no other path */
};

/* one fault on one path */
struct scen_plan {
	enum sim_fault fault;
	unsigned host, path;
	double x; /* how much, 0..1 */
	bool risky;
};

/* one of n, by weight; from the rng of encryption or of the rest */
const struct scen_kind *scen_draw(struct rng *r, const struct scen_kind *k,
				  unsigned n);
/* between lo and hi, each order of magnitude as likely as the next */
double scen_spread(struct rng *r, double lo, double hi);

/* a connection of whatever kind, that starts so much later */
struct conn *scen_conn(struct world *w, nanos at);
/* n of them to the same peer, one after the other: sessions may be resumed */
void scen_again(struct world *w, unsigned n);

/* --- scen_fault.c --------------------------------------------------------- */

void scen_fault(struct world *w, const struct scen_plan *p, struct instant from,
		struct instant to);
/* one of any kind, anywhere */
void scen_fault_any(struct world *w);
/* nobody reaches the first host any more, after a while */
void scen_fault_cut_all(struct world *w);

/* --- scen_crypt.c: what a world with encryption has besides --------------- */

/* what kind of world: first of all */
void scen_crypt_world(struct world *w);
void scen_crypt_host(struct world *w, struct host *h);
/* connections and faults of a world that is about one thing; false: of any */
bool scen_crypt_special(struct world *w);
/* sizes that leave time for many seeds; what the programs ask for */
void scen_crypt_conn(struct world *w, struct conn *c);
/* c is the n-th to the same peer as first */
void scen_crypt_again(struct world *w, struct conn *c,
		      const struct conn *first);
/* what may go wrong: a kind of encryption's own, or NULL, one of the others */
const struct scen_kind *scen_crypt_kind(struct world *w);

/* --- scen_more.c: what came later ----------------------------------------- */

void scen_more_host(struct world *w, struct host *h);
void scen_more_conn(struct world *w, struct conn *c);
void scen_more_faults(struct world *w);

#endif
