#include "tests/lib/wirepkt.h"

#include <stdlib.h>
#include <string.h>

#include "stack/base/addr.h"
#include "stack/base/bytes.h"
#include "stack/base/check.h"
#include "stack/wire/cksum.h"
#include "stack/wire/ip_hdr.h"
#include "stack/wire/tcp_hdr.h"

static void wirepkt_release(struct pkt *p)
{
	free(p);
}

struct pkt *wirepkt_make(const void *p, uint32_t len, uint16_t dev)
{
	struct pkt *k = calloc(1, sizeof(*k) + len);

	check(k);
	k->data = (uint8_t *)(k + 1);
	memcpy(k->data, p, len);
	k->len = len;
	k->truesize = len + (uint32_t)sizeof(*k);
	k->dev = dev;
	k->refs = 1;
	k->release = wirepkt_release;
	return k;
}

static uint8_t *wirepkt_flatten(const struct pkt_out *o)
{
	uint8_t *b = malloc(o->len);
	uint32_t at = o->hdr_len;

	check(b);
	memcpy(b, o->hdr, o->hdr_len);
	for (unsigned i = 0; i < o->n_iov; i++) {
		check(at + o->iov[i].n <= o->len);
		memcpy(b + at, o->iov[i].p, o->iov[i].n);
		at += (uint32_t)o->iov[i].n;
	}
	check(at == o->len);
	return b;
}

/* rewrites lengths and both checksums of a TCP packet of either family */
static void wirepkt_finish(uint8_t *b, uint32_t len)
{
	uint32_t ip_len = b[0] >> 4 == 4 ? IP4_HDR_LEN : IP6_HDR_LEN;
	struct addr src, dst;
	uint16_t sum;

	if (ip_len == IP4_HDR_LEN) {
		be16_put(b + 2, (uint16_t)len);
		be16_put(b + 10, 0);
		be16_put(b + 10, cksum_finish(cksum_add(0, b, ip_len)));
		src = addr_from(4, b + 12);
		dst = addr_from(4, b + 16);
	} else {
		be16_put(b + 4, (uint16_t)(len - ip_len));
		src = addr_from(6, b + 8);
		dst = addr_from(6, b + 24);
	}
	be16_put(b + ip_len + 16, 0);
	sum = cksum_finish(cksum_add(
		cksum_pseudo(&src, &dst, IP_PROTO_TCP, len - ip_len),
		b + ip_len, len - ip_len));
	be16_put(b + ip_len + 16, sum);
}

void wirepkt_split(const struct pkt_out *o, uint16_t dev,
		   void (*emit)(void *ctx, struct pkt *p), void *ctx)
{
	uint8_t *b = wirepkt_flatten(o);
	uint32_t ip_len = b[0] >> 4 == 4 ? IP4_HDR_LEN : IP6_HDR_LEN;
	uint32_t payload = o->len - o->hdr_len, at = 0;
	uint32_t step = o->gso_size ? o->gso_size : payload;

	do {
		uint32_t n = min_u32(step, payload - at);
		struct pkt *k = wirepkt_make(b, o->hdr_len + n, dev);
		uint8_t *tcp = k->data + ip_len;

		memcpy(k->data + o->hdr_len, b + o->hdr_len + at, n);
		be32_put(tcp + 4, be32_get(tcp + 4) + at);
		if (at + n < payload) {
			tcp[13] &= (uint8_t)~(TCP_FIN | TCP_PSH);
		}
		if (at || at + n < payload || o->csum_start) {
			wirepkt_finish(k->data, k->len);
		}
		at += n;
		emit(ctx, k);
	} while (at < payload);
	free(b);
}

struct pkt *wirepkt_whole(const struct pkt_out *o, uint16_t dev)
{
	uint8_t *b = wirepkt_flatten(o);
	struct pkt *k = wirepkt_make(b, o->len, dev);

	k->csum_ok = o->csum_start != 0;
	k->gso_size = o->gso_size;
	free(b);
	return k;
}
