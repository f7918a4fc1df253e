#include "stack/tcp/tcp_saved.h"

#include <string.h>

#include "stack/base/pkt.h"
#include "stack/wire/tcp_hdr.h"

struct tcp_saved *tcp_saved_make(struct mem *mem, const struct tcp_seg *syn)
{
	const struct pkt *p = syn->pkt;
	struct tcp_saved *s;
	size_t n;

	if (!p || syn->data < p->data || syn->data > p->data + p->len) {
		return NULL;
	}
	n = (size_t)(syn->data - p->data);
	if (n > TCP_SAVED_MAX) {
		return NULL;
	}
	s = mem_alloc(mem, sizeof(*s) + n);
	if (s) {
		s->len = (uint16_t)n;
		memcpy(s->octets, p->data, n);
	}
	return s;
}

void tcp_saved_free(struct mem *mem, struct tcp_saved **s)
{
	if (*s) {
		mem_free(mem, *s, sizeof(**s) + (*s)->len);
		*s = NULL;
	}
}
