/* ADD_ADDR, REMOVE_ADDR, MP_PRIO (RFC 8684 3.4.1, 3.4.2, 3.3.8) */
#include "stack/wire/mp_opt_part.h"

#include "stack/base/check.h"

#define ADD_ECHO    0x01 /* E */
#define PRIO_BACKUP 0x01 /* B */

#define ADD_HEAD    4
#define ADD_MAC     8
#define REMOVE_HEAD 3
#define PRIO_LEN    3

bool mp_opt_addr_add(const uint8_t *p, uint8_t len, struct mp_opts *out)
{
	struct mp_opt_add_addr *a = &out->add_addr;
	bool echo = (p[2] & ADD_ECHO) != 0;
	unsigned rest = echo ? len : len - ADD_MAC;
	unsigned v4 = ADD_HEAD + 4, v6 = ADD_HEAD + 16;
	bool port = rest == v4 + 2 || rest == v6 + 2;

	/* the length tells the family, and whether there is a port */
	if (!port && rest != v4 && rest != v6) {
		return false;
	}
	a->echo = echo;
	a->id = p[3];
	a->addr = addr_from(rest < v6 ? 4 : 6, p + ADD_HEAD);
	p += ADD_HEAD + addr_len(&a->addr);
	if (port) {
		a->port = be16_get(p);
		p += 2;
	}
	if (!echo) {
		memcpy(a->mac, p, ADD_MAC);
	}
	return true;
}

unsigned mp_opt_emit_add_addr(struct wr *w, const struct mp_opt_add_addr *a)
{
	unsigned addr = (unsigned)addr_len(&a->addr);
	unsigned len =
		ADD_HEAD + addr + (a->port ? 2 : 0) + (a->echo ? 0 : ADD_MAC);

	check(addr > 0);
	if (!mp_opt_head(w, len, MP_OPT_ADD_ADDR, a->echo ? ADD_ECHO : 0)) {
		return 0;
	}
	wr_u8(w, a->id);
	wr_copy(w, a->addr.b, addr);
	if (a->port) {
		wr_u16(w, a->port);
	}
	if (!a->echo) {
		wr_copy(w, a->mac, ADD_MAC);
	}
	return len;
}

bool mp_opt_addr_remove(const uint8_t *p, uint8_t len, struct mp_opts *out)
{
	unsigned n = len - REMOVE_HEAD;

	if (n == 0 || n > MP_OPT_REMOVE_MAX) {
		return false;
	}
	out->remove_n = (uint8_t)n;
	memcpy(out->remove_id, p + REMOVE_HEAD, n);
	return true;
}

unsigned mp_opt_emit_remove(struct wr *w, const uint8_t *ids, unsigned n)
{
	check(n > 0 && n <= MP_OPT_REMOVE_MAX);
	if (!mp_opt_head(w, REMOVE_HEAD + n, MP_OPT_REMOVE_ADDR, 0)) {
		return 0;
	}
	wr_copy(w, ids, n);
	return REMOVE_HEAD + n;
}

/* version 0 had a form of 4 octets, with an Address ID */
bool mp_opt_addr_prio(const uint8_t *p, uint8_t len, struct mp_opts *out)
{
	if (len != PRIO_LEN) {
		return false;
	}
	out->prio_backup = (p[2] & PRIO_BACKUP) != 0;
	return true;
}

unsigned mp_opt_emit_prio(struct wr *w, bool backup)
{
	return mp_opt_head(w, PRIO_LEN, MP_OPT_PRIO, backup ? PRIO_BACKUP : 0)
		       ? PRIO_LEN
		       : 0;
}
