#include "stack/tcp/tcp_ports.h"

#include <stddef.h>

#include "stack/base/check.h"
#include "stack/base/env.h"

#define PER_PAGE (65536u / TCP_PORTS_PAGES)

struct tcp_ports_page {
	uint32_t all;
	uint32_t n[PER_PAGE];
};

void tcp_ports_init(struct tcp_ports *p, struct mem *mem)
{
	*p = (struct tcp_ports){ .mem = mem };
}

void tcp_ports_fini(struct tcp_ports *p)
{
	for (unsigned i = 0; i < TCP_PORTS_PAGES; i++) {
		mem_free(p->mem, p->page[i], sizeof(*p->page[i]));
		p->page[i] = NULL;
	}
}

bool tcp_ports_add(struct tcp_ports *p, uint16_t port)
{
	struct tcp_ports_page **page = &p->page[port / PER_PAGE];

	if (!*page) {
		*page = mem_zalloc(p->mem, sizeof(**page));
		if (!*page) {
			return false;
		}
	}
	(*page)->all++;
	(*page)->n[port % PER_PAGE]++;
	return true;
}

void tcp_ports_del(struct tcp_ports *p, uint16_t port)
{
	struct tcp_ports_page **page = &p->page[port / PER_PAGE];

	check(*page && (*page)->n[port % PER_PAGE] > 0);
	(*page)->n[port % PER_PAGE]--;
	if (--(*page)->all == 0) {
		mem_free(p->mem, *page, sizeof(**page));
		*page = NULL;
	}
}

uint32_t tcp_ports_count(const struct tcp_ports *p, uint16_t port)
{
	const struct tcp_ports_page *page = p->page[port / PER_PAGE];

	return page ? page->n[port % PER_PAGE] : 0;
}
