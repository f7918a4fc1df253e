#include "stack/tcp/cc.h"

#include <string.h>

#include "stack/base/check.h"

/* the first one is the default */
static const struct cc_ops *const all[] = { &cc_cubic, &cc_reno, &cc_bbr };

const struct cc_ops *cc_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		if (strcmp(all[i]->name, name) == 0) {
			return all[i];
		}
	}
	return NULL;
}

const char *cc_name(unsigned i)
{
	return i < ARRAY_SIZE(all) ? all[i]->name : NULL;
}

/* RFC 6928 2 */
uint32_t cc_initial_window(uint32_t mss)
{
	return min_u32(10 * mss, max_u32(2 * mss, 14600));
}

uint32_t cc_quantum(uint64_t rate, uint32_t mss)
{
	uint64_t n = min_u64(rate / 1000, UINT16_MAX);

	mss = max_u32(mss, 1);
	n = max_u64(n, 2 * (uint64_t)mss);
	return (uint32_t)(n - n % mss);
}

void cc_init(struct cc *cc, const struct cc_ops *ops, uint32_t mss,
	     struct instant now)
{
	memset(cc, 0, sizeof(*cc));
	cc->ops = ops;
	cc->mss = min_u32(max_u32(mss, 1), UINT16_MAX);
	cc->cwnd = cc_initial_window(cc->mss);
	cc->ssthresh = CC_INF;
	ops->init(cc, now);
}

void cc_set_mss(struct cc *cc, uint32_t mss)
{
	cc->mss = min_u32(max_u32(mss, 1), UINT16_MAX);
	cc->cwnd = max_u32(cc->cwnd, cc->mss);
	cc->ssthresh = max_u32(cc->ssthresh, 2 * cc->mss); /* RFC 5681 (4) */
}
