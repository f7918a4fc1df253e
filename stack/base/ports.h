/* ports.h - whatever has a local port, by port
 *
 * Who looks for a free port, or asks whether one is taken, visits those that
 * have the very port and nobody else.  A page of lists is made with the first
 * of its ports and goes with the last.
 */
#ifndef BASE_PORTS_H
#define BASE_PORTS_H

#include <stdbool.h>
#include <stdint.h>

struct mem;

#define PORTS_PAGES 256u

struct ports_node {
	struct ports_node *next, **pprev; /* pprev NULL: in no table */
};

struct ports_page; /* private */

struct ports {
	struct mem *mem;
	struct ports_page *page[PORTS_PAGES];
};

void ports_init(struct ports *p, struct mem *mem);
void ports_fini(struct ports *p); /* whoever is in it is abandoned */
/* false: no memory; node must be in no table */
bool ports_add(struct ports *p, struct ports_node *node, uint16_t port);
/* idempotent; port is what node was added with */
void ports_del(struct ports *p, struct ports_node *node, uint16_t port);
/* one that has this port, and by node->next the others; NULL: none */
struct ports_node *ports_first(const struct ports *p, uint16_t port);
/* the same of the lowest port at or above *port that anybody has, which is
 * *port then */
struct ports_node *ports_from(const struct ports *p, uint32_t *port);

#endif
