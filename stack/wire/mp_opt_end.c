/* MP_FAIL, MP_FASTCLOSE, MP_TCPRST (RFC 8684 3.7, 3.5, 3.6) */
#include "stack/wire/mp_opt_part.h"

#define FAIL_LEN      12
#define FASTCLOSE_LEN 12
#define RST_LEN       4

#define RST_TRANSIENT 0x01 /* T */

bool mp_opt_end_fail(const uint8_t *p, uint8_t len, struct mp_opts *out)
{
	if (len != FAIL_LEN) {
		return false;
	}
	out->fail_dsn = be64_get(p + 4);
	return true;
}

unsigned mp_opt_emit_fail(struct wr *w, uint64_t dsn)
{
	if (!mp_opt_head(w, FAIL_LEN, MP_OPT_FAIL, 0)) {
		return 0;
	}
	wr_u8(w, 0);
	wr_u64(w, dsn);
	return FAIL_LEN;
}

bool mp_opt_end_fastclose(const uint8_t *p, uint8_t len, struct mp_opts *out)
{
	if (len != FASTCLOSE_LEN) {
		return false;
	}
	out->fastclose_key = be64_get(p + 4);
	return true;
}

unsigned mp_opt_emit_fastclose(struct wr *w, uint64_t key)
{
	if (!mp_opt_head(w, FASTCLOSE_LEN, MP_OPT_FASTCLOSE, 0)) {
		return 0;
	}
	wr_u8(w, 0);
	wr_u64(w, key);
	return FASTCLOSE_LEN;
}

bool mp_opt_end_rst(const uint8_t *p, uint8_t len, struct mp_opts *out)
{
	if (len != RST_LEN) {
		return false;
	}
	out->rst_transient = (p[2] & RST_TRANSIENT) != 0;
	out->rst_reason = p[3];
	return true;
}

unsigned mp_opt_emit_rst(struct wr *w, bool transient, uint8_t reason)
{
	if (!mp_opt_head(w, RST_LEN, MP_OPT_TCPRST,
			 transient ? RST_TRANSIENT : 0)) {
		return 0;
	}
	wr_u8(w, reason);
	return RST_LEN;
}
