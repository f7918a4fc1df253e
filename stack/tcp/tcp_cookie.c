#include "stack/tcp/tcp_cookie.h"

#include <string.h>

#include "stack/base/check.h"

#define LOW       0xffffffu /* of the cookie: hash and MSS */
#define MSS_NONE  536       /* RFC 9293 3.7.1: the default, by family */
#define MSS_NONE6 1220
#define NO_SCALE  0xf

/* Rounded down, so that no segment is larger than the peer can take.  What
 * Ethernet, PPPoE, tunnels and the minima of both families make; the least is
 * below what anybody means. */
static const uint16_t sizes[] = { 64,   536,  1220, 1340,
				  1400, 1440, 1460, 8940 };

/* in our timestamp */
#define TS_SCALE 0x00f
#define TS_SACK  0x010
#define TS_ECN   0x020
#define TS_UPPER 6 /* shift */
#define TS_MASK  ((1u << TCP_COOKIE_BITS) - 1)

/* what the 24 bits are a hash of; no padding that is not zero */
struct input {
	struct tuple t;
	uint32_t irs;
	uint32_t kind; /* what the hash is for, and the timestamp's bits */
	uint64_t epoch;
};

#define KIND_TAG  0x80000000u
#define KIND_BARE 0x40000000u /* no timestamps */

static void turn(struct tcp_cookie_jar *j, struct instant now,
		 const struct entropy *entropy)
{
	uint64_t epoch = (uint64_t)(now.ns / TCP_COOKIE_EPOCH);

	if (j->any && epoch == j->epoch) {
		return;
	}
	if (!j->any) {
		entropy->fill(entropy->ctx, &j->fixed, sizeof(j->fixed));
	}
	j->has_old = j->any && epoch == j->epoch + 1;
	j->any = true;
	j->epoch = epoch;
	entropy->fill(entropy->ctx, &j->key[epoch & 1], sizeof(j->key[0]));
}

static uint64_t keyed(const struct tcp_cookie_jar *j, const struct tuple *t,
		      uint32_t irs, uint32_t kind, uint64_t epoch)
{
	struct input in;

	memset(&in, 0, sizeof(in));
	in.t = *t;
	in.irs = irs;
	in.kind = kind;
	in.epoch = epoch;
	return siphash24(&j->key[epoch & 1], &in, sizeof(in));
}

static uint32_t base(const struct tcp_cookie_jar *j, const struct tuple *t,
		     uint32_t irs)
{
	return (uint32_t)siphash24(&j->fixed, t, sizeof(*t)) + irs;
}

static uint32_t size_of(const struct tcp_seg *syn)
{
	uint16_t mss = syn->opts.has_mss		 ? syn->opts.mss
		       : syn->t.local.addr.family == 4 ? MSS_NONE
							 : MSS_NONE6;
	uint32_t i = ARRAY_SIZE(sizes) - 1;

	while (i > 0 && sizes[i] > mss) {
		i--;
	}
	return i;
}

static uint32_t bits_of(const struct tcp_seg *syn, uint8_t upper)
{
	const struct tcp_opts *o = &syn->opts;
	/* RFC 3168 6.1.1: a SYN is not ECT itself */
	bool ecn = (syn->flags & (TCP_ECE | TCP_CWR)) ==
			   (TCP_ECE | TCP_CWR) &&
		   !(syn->tos & 3);
	uint32_t scale = o->wscale > 14 ? 14 : o->wscale;

	return (o->has_wscale ? scale : NO_SCALE) |
	       (o->sack_perm ? TS_SACK : 0) | (ecn ? TS_ECN : 0) |
	       (uint32_t)upper << TS_UPPER;
}

void tcp_cookie_reduce(struct tcp_seg *syn)
{
	struct tcp_opts *o = &syn->opts;

	if (!o->has_ts) {
		o->sack_perm = false;
		o->has_wscale = false;
		syn->flags &= (uint8_t)~(TCP_ECE | TCP_CWR);
	}
	/* data in it would have to be kept */
	syn->len = 0;
	syn->data = NULL;
}

void tcp_cookie_begin(struct tcp_cookie_jar *j, struct instant now,
		      const struct entropy *entropy,
		      const struct tcp_seg *syn, struct tcp_cookie *out)
{
	turn(j, now, entropy);
	*out = (struct tcp_cookie){ 0 };
	out->tag = keyed(j, &syn->t, syn->seq, KIND_TAG, j->epoch);
}

static uint32_t low_of(const struct tcp_cookie_jar *j, const struct tuple *t,
		       uint32_t irs, bool ts, uint32_t bits, uint64_t epoch)
{
	return (uint32_t)keyed(j, t, irs, ts ? bits : KIND_BARE, epoch);
}

void tcp_cookie_make(const struct tcp_cookie_jar *j,
		     const struct tcp_seg *syn, struct tcp_cookie *out)
{
	bool ts = syn->opts.has_ts;
	uint32_t low = low_of(j, &syn->t, syn->seq, ts,
			      bits_of(syn, out->upper), j->epoch);

	out->isn = base(j, &syn->t, syn->seq) + ((uint32_t)j->epoch << 24) +
		   ((low + size_of(syn)) & LOW);
}

uint32_t tcp_cookie_tsval(const struct tcp_seg *syn,
			  const struct tcp_cookie *c, uint32_t tsval)
{
	uint32_t v = (tsval & ~TS_MASK) | bits_of(syn, c->upper);

	/* never ahead of the clock: what follows must not look old */
	return (int32_t)(v - tsval) > 0 ? v - TS_MASK - 1 : v;
}

/* *epoch and *size, when the number is one that we made */
static bool opened(const struct tcp_cookie_jar *j, const struct tcp_seg *ack,
		   uint32_t bits, uint64_t *epoch, uint32_t *size)
{
	uint32_t irs = ack->seq - 1;
	uint32_t d = ack->ack - 1 - base(j, &ack->t, irs);

	if (d >> 24 == (j->epoch & 0xff)) {
		*epoch = j->epoch;
	} else if (j->has_old && d >> 24 == ((j->epoch - 1) & 0xff)) {
		*epoch = j->epoch - 1;
	} else {
		return false;
	}
	*size = (d - low_of(j, &ack->t, irs, ack->opts.has_ts, bits, *epoch)) &
		LOW;
	return *size < ARRAY_SIZE(sizes);
}

bool tcp_cookie_check(struct tcp_cookie_jar *j, struct instant now,
		      const struct entropy *entropy,
		      const struct tcp_seg *ack, struct tcp_seg *syn,
		      struct tcp_cookie *out)
{
	uint32_t bits = ack->opts.has_ts ? ack->opts.ts_ecr & TS_MASK : 0;
	struct tcp_opts *o = &syn->opts;
	uint64_t epoch;
	uint32_t size;

	turn(j, now, entropy);
	if (!opened(j, ack, bits, &epoch, &size)) {
		return false;
	}
	*syn = (struct tcp_seg){ .t = ack->t,
				 .seq = ack->seq - 1,
				 .flags = TCP_SYN,
				 .wnd = ack->wnd,
				 .ttl = ack->ttl,
				 .dev = ack->dev };
	o->has_mss = true;
	o->mss = sizes[size];
	*out = (struct tcp_cookie){ .isn = ack->ack - 1 };
	out->tag = keyed(j, &ack->t, syn->seq, KIND_TAG, epoch);
	if (!ack->opts.has_ts) {
		return true;
	}
	out->upper = (uint8_t)(bits >> TS_UPPER);
	o->has_ts = true;
	o->ts_val = ack->opts.ts_val;
	o->sack_perm = bits & TS_SACK;
	o->has_wscale = (bits & TS_SCALE) != NO_SCALE;
	o->wscale = o->has_wscale ? bits & TS_SCALE : 0;
	if (bits & TS_ECN) {
		syn->flags |= TCP_ECE | TCP_CWR;
	}
	return true;
}
