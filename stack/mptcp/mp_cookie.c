#include "stack/mptcp/mp_cookie.h"

#include <string.h>

#include "stack/base/check.h"

#define OFFER 0x0f /* place in the table and 1; 0: none */
#define CSUM  0x10 /* flags of MP_CAPABLE */
#define DENY  0x20

#define SM 0xa0, 'S', 'M'

/* Whole SYN-form options, with X25519 unless said.  Keys of cookies die with
 * the process, so the order may change from version to version. */
static const uint8_t offers[][8] = {
	{ 69, 7, 0x23, SM, 0x03 },       /* tcpcrypt and SMTCP */
	{ 69, 6, SM, 0x03 },             /* SMTCP alone */
	{ 69, 3, 0x23 },                 /* tcpcrypt alone */
	{ 69, 8, 0x02, 0x23, SM, 0x03 }, /* the program knows of it */
	{ 69, 7, 0x02, SM, 0x03 },
	{ 69, 3, 0x21 },                 /* P-256, which all must have */
	{ 69, 4, 0x21, 0x23 },           /* both, in either order */
	{ 69, 4, 0x23, 0x21 },
};

static_assert(ARRAY_SIZE(offers) < OFFER, "an offer has a number");

/* 0: not one of them */
static uint8_t place_of(const struct eno_opt_seen *eno)
{
	for (unsigned i = 0; i < ARRAY_SIZE(offers); i++) {
		if (eno->n == 1 && eno->len == offers[i][1] &&
		    memcmp(eno->opt, offers[i], eno->len) == 0) {
			return (uint8_t)(i + 1);
		}
	}
	return 0;
}

bool mp_cookie_keep(struct tcp_seg *syn, uint8_t *bits)
{
	struct tcp_opts *o = &syn->opts;
	bool kept = true;

	*bits = 0;
	if (o->mp.have & MP_HAVE(MP_OPT_CAPABLE)) {
		*bits |= o->mp.capable.flags & MP_CAP_CSUM ? CSUM : 0;
		*bits |= o->mp.capable.flags & MP_CAP_DENY ? DENY : 0;
	}
	if (o->eno.n) {
		uint8_t place = o->has_ts ? place_of(&o->eno) : 0;

		*bits |= place;
		kept = place != 0;
	}
	if (!kept) {
		o->eno = (struct eno_opt_seen){ 0 };
	}
	return kept;
}

static uint8_t flags_of(const struct tcp_seg *ack, uint8_t bits)
{
	uint8_t keep = MP_CAP_CSUM | MP_CAP_DENY;

	if (!ack->opts.has_ts) {
		/* its own say what holds; no transcript needs the SYN's */
		return ack->opts.mp.capable.flags & keep;
	}
	return (uint8_t)((bits & CSUM ? MP_CAP_CSUM : 0) |
			 (bits & DENY ? MP_CAP_DENY : 0));
}

void mp_cookie_recall(struct tcp_seg *syn, const struct tcp_seg *ack,
		      uint8_t bits, uint64_t key)
{
	const struct mp_opts *m = &ack->opts.mp;
	uint8_t place = bits & OFFER;

	if (m->have & MP_HAVE(MP_OPT_CAPABLE) && m->capable.len >= 20 &&
	    m->capable.key_rcv == key) {
		syn->opts.mp.have = MP_HAVE(MP_OPT_CAPABLE);
		syn->opts.mp.capable = (struct mp_opt_capable){
			.version = 1,
			.len = 4,
			.flags = (uint8_t)(MP_CAP_SHA256 |
					   flags_of(ack, bits)),
		};
	}
	if (place >= 1 && place <= ARRAY_SIZE(offers)) {
		eno_opt_note(&syn->opts.eno, offers[place - 1],
			     offers[place - 1][1]);
	}
}
