/* DSS: mapping, DATA_ACK, DATA_FIN, checksum (RFC 8684 3.3) */
#include "stack/wire/mp_opt_part.h"

#include "stack/wire/cksum.h"

#define DSS_ACK  0x01 /* A */
#define DSS_ACK8 0x02 /* a */
#define DSS_MAP  0x04 /* M */
#define DSS_DSN8 0x08 /* m */
#define DSS_FIN  0x10 /* F */

#define DSS_HEAD 4
#define MAP_REST 6 /* SSN and length */
#define CSUM_LEN 2

/* a and m mean nothing without A and M */
static unsigned len_of(const struct mp_opt_dss *d)
{
	unsigned len = DSS_HEAD;

	if (d->ack) {
		len += d->ack8 ? 8u : 4u;
	}
	if (d->map) {
		len += (d->dsn8 ? 8u : 4u) + MAP_REST;
		len += d->has_csum ? CSUM_LEN : 0;
	}
	return len;
}

unsigned mp_opt_dss_len(const struct mp_opt_dss *d)
{
	return len_of(d);
}

bool mp_opt_dss_parse(const uint8_t *p, uint8_t len, struct mp_opts *out)
{
	struct mp_opt_dss d = { 0 };
	struct rd r = rd_make(p, len);
	uint8_t flags;

	rd_take(&r, 3);
	flags = rd_u8(&r);
	d.ack = (flags & DSS_ACK) != 0;
	d.map = (flags & DSS_MAP) != 0;
	d.ack8 = d.ack && (flags & DSS_ACK8);
	d.dsn8 = d.map && (flags & DSS_DSN8);
	/* a DATA_FIN is the last octet of a mapping, or it is nowhere */
	d.fin = d.map && (flags & DSS_FIN);
	d.has_csum = d.map && len == len_of(&d) + CSUM_LEN;
	if (len != len_of(&d) || (!d.ack && !d.map)) {
		return false;
	}
	if (d.ack) {
		d.data_ack = d.ack8 ? rd_u64(&r) : rd_u32(&r);
	}
	if (d.map) {
		d.dsn = d.dsn8 ? rd_u64(&r) : rd_u32(&r);
		d.ssn = rd_u32(&r);
		d.data_len = rd_u16(&r);
		d.infinite = d.data_len == 0;
	}
	if (d.has_csum) {
		d.csum = rd_u16(&r);
	}
	if (!r.ok) {
		return false;
	}
	out->dss = d;
	return true;
}

unsigned mp_opt_emit_dss(struct wr *w, const struct mp_opt_dss *d)
{
	unsigned len = len_of(d), flags = 0;

	flags |= d->ack ? DSS_ACK : 0;
	flags |= d->ack && d->ack8 ? DSS_ACK8 : 0;
	flags |= d->map ? DSS_MAP : 0;
	flags |= d->map && d->dsn8 ? DSS_DSN8 : 0;
	flags |= d->map && d->fin ? DSS_FIN : 0;
	if (!mp_opt_head(w, len, MP_OPT_DSS, 0)) {
		return 0;
	}
	wr_u8(w, (uint8_t)flags);
	if (d->ack && d->ack8) {
		wr_u64(w, d->data_ack);
	} else if (d->ack) {
		wr_u32(w, (uint32_t)d->data_ack);
	}
	if (d->map) {
		if (d->dsn8) {
			wr_u64(w, d->dsn);
		} else {
			wr_u32(w, (uint32_t)d->dsn);
		}
		wr_u32(w, d->ssn);
		wr_u16(w, d->data_len);
		if (d->has_csum) {
			wr_u16(w, d->csum);
		}
	}
	return len;
}

uint16_t mp_opt_dss_csum(uint64_t dsn, uint32_t ssn, uint16_t data_len,
			 uint64_t data_sum)
{
	uint64_t sum = cksum_fold(data_sum);

	sum += (dsn >> 32) + (dsn & 0xffffffff);
	sum += ssn;
	return cksum_finish(sum + data_len);
}
