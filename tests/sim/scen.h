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

/* one of n, by weight; from the rng of encryption or of the rest */
const struct scen_kind *scen_draw(struct rng *r, const struct scen_kind *k,
				  unsigned n);
/* between lo and hi, each order of magnitude as likely as the next */
double scen_spread(struct rng *r, double lo, double hi);

/* --- scen_crypt.c: what a world with encryption has besides --------------- */

void scen_crypt_host(struct world *w, struct host *h);
/* sizes that leave time for many seeds; what the programs ask for */
void scen_crypt_conn(struct world *w, struct conn *c);
/* c lasts for seconds, so that paths can be joined and then fail */
void scen_crypt_long(struct world *w, struct conn *c);
/* c is the n-th to the same peer as first */
void scen_crypt_again(struct world *w, struct conn *c,
		      const struct conn *first);
/* what may go wrong: a kind of encryption's own, or NULL, one of the others */
const struct scen_kind *scen_crypt_kind(struct world *w);
/* ... to one path, when others were joined */
const struct scen_kind *scen_crypt_path_kind(struct world *w);

#endif
