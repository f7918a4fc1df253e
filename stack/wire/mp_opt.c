#include "stack/wire/mp_opt.h"

#include "stack/base/check.h"
#include "stack/wire/mp_opt_part.h"

typedef bool (*part_parse)(const uint8_t *p, uint8_t len, struct mp_opts *out);

static const part_parse parts[] = {
	[MP_OPT_CAPABLE] = mp_opt_open_capable,
	[MP_OPT_JOIN] = mp_opt_open_join,
	[MP_OPT_DSS] = mp_opt_dss_parse,
	[MP_OPT_ADD_ADDR] = mp_opt_addr_add,
	[MP_OPT_REMOVE_ADDR] = mp_opt_addr_remove,
	[MP_OPT_PRIO] = mp_opt_addr_prio,
	[MP_OPT_FAIL] = mp_opt_end_fail,
	[MP_OPT_FASTCLOSE] = mp_opt_end_fastclose,
	[MP_OPT_TCPRST] = mp_opt_end_rst,
};

void mp_opt_parse(const uint8_t *opt, uint8_t len, struct mp_opts *out)
{
	unsigned subtype;

	if (len < 3) {
		return;
	}
	subtype = opt[2] >> 4;
	/* of two of a subtype the first counts */
	if (out->have & MP_HAVE(subtype)) {
		return;
	}
	if (subtype < ARRAY_SIZE(parts) && parts[subtype](opt, len, out)) {
		out->have |= MP_HAVE(subtype);
	} else {
		out->bad |= MP_HAVE(subtype);
	}
}

bool mp_opt_head(struct wr *w, unsigned len, enum mp_opt_subtype subtype,
		 uint8_t low)
{
	if (!w->ok || wr_left(w) < len) {
		return false;
	}
	wr_u8(w, MP_OPT_KIND);
	wr_u8(w, (uint8_t)len);
	wr_u8(w, (uint8_t)((unsigned)subtype << 4 | (low & 0x0fu)));
	return true;
}

uint64_t mp_opt_extend(uint32_t wire, uint64_t near)
{
	int32_t ahead = (int32_t)(wire - (uint32_t)near);

	return near + (uint64_t)(int64_t)ahead;
}
