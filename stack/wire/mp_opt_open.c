/* MP_CAPABLE (RFC 8684 3.1) and MP_JOIN (3.2) */
#include "stack/wire/mp_opt_part.h"

#include <string.h>

#include "stack/base/check.h"

#define CAPABLE_SYN     4
#define CAPABLE_SYNACK  12 /* also a SYN of version 0 */
#define CAPABLE_ACK     20
#define CAPABLE_DATA    22
#define CAPABLE_DATA_CS 24

#define JOIN_SYN        12
#define JOIN_SYNACK     16
#define JOIN_ACK        24

#define JOIN_BACKUP     0x01

static bool capable_len_ok(uint8_t len)
{
	return len == CAPABLE_SYN || len == CAPABLE_SYNACK ||
	       len == CAPABLE_ACK || len == CAPABLE_DATA ||
	       len == CAPABLE_DATA_CS;
}

bool mp_opt_open_capable(const uint8_t *p, uint8_t len, struct mp_opts *out)
{
	struct mp_opt_capable *c = &out->capable;

	if (!capable_len_ok(len)) {
		return false;
	}
	c->version = p[2] & 0x0f;
	c->flags = p[3];
	c->len = len;
	if (len >= CAPABLE_SYNACK) {
		c->key_snd = be64_get(p + 4);
	}
	if (len >= CAPABLE_ACK) {
		c->key_rcv = be64_get(p + 12);
	}
	if (len >= CAPABLE_DATA) {
		c->data_len = be16_get(p + 20);
	}
	if (len == CAPABLE_DATA_CS) {
		c->csum = be16_get(p + 22);
	}
	return true;
}

unsigned mp_opt_emit_capable(struct wr *w, const struct mp_opt_capable *c)
{
	check(capable_len_ok(c->len));
	if (!mp_opt_head(w, c->len, MP_OPT_CAPABLE, c->version)) {
		return 0;
	}
	wr_u8(w, c->flags);
	if (c->len >= CAPABLE_SYNACK) {
		wr_u64(w, c->key_snd);
	}
	if (c->len >= CAPABLE_ACK) {
		wr_u64(w, c->key_rcv);
	}
	if (c->len >= CAPABLE_DATA) {
		wr_u16(w, c->data_len);
	}
	if (c->len == CAPABLE_DATA_CS) {
		wr_u16(w, c->csum);
	}
	return c->len;
}

bool mp_opt_open_join(const uint8_t *p, uint8_t len, struct mp_opts *out)
{
	struct mp_opt_join *j = &out->join;

	if (len != JOIN_SYN && len != JOIN_SYNACK && len != JOIN_ACK) {
		return false;
	}
	j->len = len;
	if (len == JOIN_ACK) {
		memcpy(j->mac, p + 4, 20);
		return true;
	}
	j->backup = (p[2] & JOIN_BACKUP) != 0;
	j->addr_id = p[3];
	if (len == JOIN_SYN) {
		j->token = be32_get(p + 4);
		j->nonce = be32_get(p + 8);
	} else {
		memcpy(j->mac, p + 4, 8);
		j->nonce = be32_get(p + 12);
	}
	return true;
}

unsigned mp_opt_emit_join(struct wr *w, const struct mp_opt_join *j)
{
	bool ack = j->len == JOIN_ACK;

	check(ack || j->len == JOIN_SYN || j->len == JOIN_SYNACK);
	if (!mp_opt_head(w, j->len, MP_OPT_JOIN,
			 j->backup && !ack ? JOIN_BACKUP : 0)) {
		return 0;
	}
	wr_u8(w, ack ? 0 : j->addr_id);
	if (ack) {
		wr_copy(w, j->mac, 20);
	} else if (j->len == JOIN_SYN) {
		wr_u32(w, j->token);
		wr_u32(w, j->nonce);
	} else {
		wr_copy(w, j->mac, 8);
		wr_u32(w, j->nonce);
	}
	return j->len;
}
