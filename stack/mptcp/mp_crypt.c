#include "stack/mptcp/mp_crypt.h"

#include <errno.h>

#include "stack/base/check.h"
#include "stack/mptcp/mp.h"

bool mp_crypt_open(struct mp_conn *c, struct instant now,
		   const struct endpoint *remote, const struct tcp_seg *syn)
{
	(void)now;
	(void)remote;
	(void)syn;
	c->crypt.why = CRYPT_OFF_CONF;
	return true;
}

bool mp_crypt_excludes_mptcp(const struct mp_conn *c)
{
	(void)c;
	return false;
}

bool mp_crypt_wants_room(const struct mp_conn *c)
{
	(void)c;
	return false;
}

void mp_crypt_option(struct mp_sub *s, const struct tcp_tx *tx, struct wr *w)
{
	(void)s;
	(void)tx;
	(void)w;
}

enum tcp_verdict mp_crypt_segment(struct mp_sub *s, struct instant now,
				  const struct tcp_seg *seg)
{
	(void)s;
	(void)now;
	(void)seg;
	return TCP_UP_OK;
}

void mp_crypt_established(struct mp_conn *c, struct instant now)
{
	(void)c;
	(void)now;
}

bool mp_crypt_init_in(struct mp_conn *c, struct instant now, bool mapped,
		      const uint8_t *p, size_t n, size_t *used)
{
	(void)c;
	(void)now;
	(void)mapped;
	(void)p;
	(void)n;
	*used = 0;
	return true;
}

bool mp_crypt_keyed(const struct mp_conn *c)
{
	return c->crypt.k && crypt_state(c->crypt.k) == CRYPT_KEYED;
}

void mp_crypt_verified(struct mp_conn *c, struct instant now)
{
	(void)c;
	(void)now;
}

void mp_crypt_bad(struct mp_sub *s, struct instant now, enum crypt_reason why)
{
	(void)s;
	(void)now;
	(void)why;
}

void mp_crypt_abort(struct mp_conn *c, struct instant now, enum mp_reason why)
{
	(void)c;
	(void)now;
	(void)why;
}

void mp_crypt_acked(struct mp_conn *c, uint64_t off)
{
	(void)c;
	(void)off;
}

void mp_crypt_timer(struct mp_conn *c, struct instant now)
{
	(void)c;
	(void)now;
}

void mp_crypt_fini(struct mp_conn *c)
{
	(void)c;
}

bool mp_crypt_may_join(const struct mp_conn *c)
{
	return !mp_sealed(c);
}

int mp_rekey(struct mp_conn *c, struct instant now)
{
	if (!mp_crypt_keyed(c)) {
		return ENOTCONN;
	}
	if (!crypt_rekey(c->crypt.k, now)) {
		return EALREADY;
	}
	mp_dirty(c);
	return 0;
}

void mp_forget(struct mp_conn *c)
{
	if (c->crypt.k) {
		crypt_forget(c->crypt.k);
	}
}
