#include "stack/base/ports.h"

#include <stddef.h>

#include "stack/base/check.h"
#include "stack/base/env.h"

#define PORTS    65536u
#define PER_PAGE (PORTS / PORTS_PAGES)

struct ports_page {
	uint32_t n;
	struct ports_node *first[PER_PAGE];
};

void ports_init(struct ports *p, struct mem *mem)
{
	*p = (struct ports){ .mem = mem };
}

void ports_fini(struct ports *p)
{
	for (unsigned i = 0; i < PORTS_PAGES; i++) {
		mem_free(p->mem, p->page[i], sizeof(*p->page[i]));
		p->page[i] = NULL;
	}
}

bool ports_add(struct ports *p, struct ports_node *node, uint16_t port)
{
	struct ports_page **page = &p->page[port / PER_PAGE];
	struct ports_node **first;

	check(!node->pprev);
	if (!*page) {
		*page = mem_zalloc(p->mem, sizeof(**page));
		if (!*page) {
			return false;
		}
	}
	first = &(*page)->first[port % PER_PAGE];
	node->next = *first;
	node->pprev = first;
	if (node->next) {
		node->next->pprev = &node->next;
	}
	*first = node;
	(*page)->n++;
	return true;
}

void ports_del(struct ports *p, struct ports_node *node, uint16_t port)
{
	struct ports_page **page = &p->page[port / PER_PAGE];

	if (!node->pprev) {
		return;
	}
	check(*page && (*page)->n > 0);
	*node->pprev = node->next;
	if (node->next) {
		node->next->pprev = node->pprev;
	}
	*node = (struct ports_node){ 0 };
	if (--(*page)->n == 0) {
		mem_free(p->mem, *page, sizeof(**page));
		*page = NULL;
	}
}

struct ports_node *ports_first(const struct ports *p, uint16_t port)
{
	const struct ports_page *page = p->page[port / PER_PAGE];

	return page ? page->first[port % PER_PAGE] : NULL;
}

struct ports_node *ports_from(const struct ports *p, uint32_t *port)
{
	while (*port < PORTS) {
		struct ports_node *n = ports_first(p, (uint16_t)*port);

		if (n) {
			return n;
		}
		*port += p->page[*port / PER_PAGE] ? 1 : PER_PAGE -
							  *port % PER_PAGE;
	}
	return NULL;
}
