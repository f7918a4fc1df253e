#include "stack/mptcp/mp_watch.h"

#include <errno.h>

#include "stack/mptcp/mp.h"

#define MAGIC_LEN 4u

bool mp_watch_opens(const struct mp_sub *s, const struct tcp_seg *seg)
{
	return s->c->crypt.watch == MP_WATCH_FIRST && seg->seq == s->irs + 1 &&
	       seg->len >= MAGIC_LEN && be32_get(seg->data) == CRYPT_INIT1_MAGIC;
}

/* Octets of the stream, all that came or the first four: are they Init1's?
 * Those that the program has read already were. */
static bool like_init1(const struct mp_conn *c)
{
	uint64_t at = c->rcv.nxt - c->rcv.q_len;
	uint8_t magic[MAGIC_LEN];

	be32_put(magic, CRYPT_INIT1_MAGIC);
	list_each(n, &c->rcv.q) {
		const struct slice *sl = list_entry(n, struct slice, node);

		for (uint32_t i = 0; i < sl->len && at < MAGIC_LEN; i++, at++) {
			if (sl->p[i] != magic[at]) {
				return false;
			}
		}
	}
	return true;
}

void mp_watch_release(struct mp_conn *c)
{
	if (c->crypt.watch == MP_WATCH_HELD) {
		c->crypt.watch = MP_WATCH_LATE;
		mp_timer_stop(&c->timers, MP_T_CRYPT);
	}
}

bool mp_watch_queued(struct mp_conn *c, struct instant now)
{
	enum mp_watch *w = &c->crypt.watch;

	if (*w == MP_WATCH_OFF) {
		return true;
	}
	if (!like_init1(c)) {
		mp_watch_release(c);
		*w = MP_WATCH_OFF;
		return true;
	}
	if (c->rcv.nxt >= MAGIC_LEN) {
		*w = MP_WATCH_HELD;
		mp_count(c->mp, MP_CRYPT_ABORT);
		/* no MP_FASTCLOSE: the peer believes none with a clear key */
		mp_conn_fail(c, now, ECONNABORTED);
		return false;
	}
	if (c->rcv.urg.at) {
		mp_watch_release(c);
		*w = MP_WATCH_LATE;
	} else if (*w == MP_WATCH_FIRST) {
		*w = MP_WATCH_HELD;
		mp_count(c->mp, MP_CRYPT_HELD);
		mp_timer_set(&c->timers, MP_T_CRYPT,
			     instant_add(now, MP_WATCH_WAIT));
	}
	return true;
}
