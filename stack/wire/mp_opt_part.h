/* mp_opt_part.h - private: the families of MPTCP options behind mp_opt.h
 *
 * Each parser gets a whole option of its subtype, at least 3 octets, and
 * returns false, with `out` untouched, when that length does not exist.
 */
#ifndef WIRE_MP_OPT_PART_H
#define WIRE_MP_OPT_PART_H

#include "stack/wire/mp_opt.h"

bool mp_opt_open_capable(const uint8_t *p, uint8_t len, struct mp_opts *out);
bool mp_opt_open_join(const uint8_t *p, uint8_t len, struct mp_opts *out);
bool mp_opt_dss_parse(const uint8_t *p, uint8_t len, struct mp_opts *out);
bool mp_opt_addr_add(const uint8_t *p, uint8_t len, struct mp_opts *out);
bool mp_opt_addr_remove(const uint8_t *p, uint8_t len, struct mp_opts *out);
bool mp_opt_addr_prio(const uint8_t *p, uint8_t len, struct mp_opts *out);
bool mp_opt_end_fail(const uint8_t *p, uint8_t len, struct mp_opts *out);
bool mp_opt_end_fastclose(const uint8_t *p, uint8_t len, struct mp_opts *out);
bool mp_opt_end_rst(const uint8_t *p, uint8_t len, struct mp_opts *out);

/* Kind, length, and the octet of the subtype and its low four bits `low`.
 * false, and nothing written, without room for all `len` octets. */
bool mp_opt_head(struct wr *w, unsigned len, enum mp_opt_subtype subtype,
		 uint8_t low);

#endif
