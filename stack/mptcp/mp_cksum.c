#include "stack/mptcp/mp_cksum.h"

#include "stack/base/check.h"
#include "stack/mptcp/mp.h"
#include "stack/wire/cksum.h"

static uint64_t add_at(uint64_t sum, uint32_t at, const uint8_t *p, size_t n)
{
	return at & 1 ? cksum_add_odd(sum, p, n) : cksum_add(sum, p, n);
}

uint16_t mp_cksum_tx(struct mp_sub *s, struct mp_map *m, uint64_t dsn)
{
	struct iov v[3];
	uint64_t sum = 0;
	unsigned n;

	if (m->has_csum) {
		return m->csum;
	}
	n = mp_tx_payload(s, m->ssn, m->len, v);
	sum = cksum_add_iov(0, v, n);
	m->csum = mp_opt_dss_csum(dsn, m->ssn, (uint16_t)m->len, sum);
	m->has_csum = true;
	return m->csum;
}

bool mp_cksum_rx(const struct list *held, const struct mp_map *m,
		 uint64_t dsn)
{
	uint64_t sum = 0;
	uint32_t at = 0;

	list_each(n, held) {
		const struct slice *sl = list_entry(n, struct slice, node);
		uint32_t ssn = (uint32_t)sl->seq;
		uint32_t skip, take;

		if (seq_leq(ssn + sl->len, m->ssn)) {
			continue;
		}
		/* part of it may have gone up by another mapping */
		if (at == m->len || seq_gt(ssn, m->ssn + at)) {
			break;
		}
		skip = m->ssn + at - ssn;
		take = min_u32(sl->len - skip, m->len - at);
		sum = add_at(sum, at, sl->p + skip, take);
		at += take;
	}
	return at == m->len &&
	       mp_opt_dss_csum(dsn, m->ssn, (uint16_t)(m->len + m->fin),
			       sum) == m->csum;
}

uint16_t mp_cksum_fin(uint64_t dsn)
{
	return mp_opt_dss_csum(dsn, 0, 1, 0);
}
