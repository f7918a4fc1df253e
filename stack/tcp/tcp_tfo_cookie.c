#include "stack/tcp/tcp_tfo_cookie.h"

#include <string.h>

#include "stack/base/check.h"

static uint64_t le64(const uint8_t *p)
{
	uint64_t v = 0;

	for (unsigned i = 8; i-- > 0;) {
		v = v << 8 | p[i];
	}
	return v;
}

void tcp_tfo_keys_set(struct tcp_tfo_keys *k, const uint8_t *p, unsigned n)
{
	check(n <= ARRAY_SIZE(k->key));
	for (unsigned i = 0; i < n; i++, p += TCP_TFO_KEY_LEN) {
		k->key[i] = (struct siphash_key){ le64(p), le64(p + 8) };
	}
	k->n = (uint8_t)n;
}

void tcp_tfo_secret_turn(struct tcp_tfo_secret *s, struct instant now,
			 const struct entropy *e)
{
	uint64_t epoch = (uint64_t)(now.ns / TCP_TFO_EPOCH);

	if (s->any && s->epoch == epoch) {
		return;
	}
	s->has_old = s->any && epoch == s->epoch + 1;
	s->any = true;
	s->epoch = epoch;
	e->fill(e->ctx, &s->key[epoch & 1], sizeof(s->key[0]));
}

/* newest first; NULL: no more */
static const struct siphash_key *key_of(const struct tcp_tfo_secret *s,
					const struct tcp_tfo_keys *k,
					unsigned i)
{
	if (k->n) {
		return i < k->n ? &k->key[i] : NULL;
	}
	return i == 0		   ? &s->key[s->epoch & 1] :
	       i == 1 && s->has_old ? &s->key[~s->epoch & 1] :
				      NULL;
}

/* Linux: source and destination of the SYN, the hash with its least octet
 * first */
static void cookie_of(const struct siphash_key *key, const struct tuple *t,
		      uint8_t out[TCP_TFO_COOKIE])
{
	size_t n = t->remote.addr.family == 4 ? 4 : 16;
	uint8_t pair[32];
	uint64_t v;

	memcpy(pair, t->remote.addr.b, n);
	memcpy(pair + n, t->local.addr.b, n);
	v = siphash24(key, pair, 2 * n);
	for (unsigned i = 0; i < TCP_TFO_COOKIE; i++, v >>= 8) {
		out[i] = (uint8_t)v;
	}
}

void tcp_tfo_cookie_make(const struct tcp_tfo_secret *s,
			 const struct tcp_tfo_keys *k, const struct tuple *t,
			 uint8_t out[TCP_TFO_COOKIE])
{
	cookie_of(key_of(s, k, 0), t, out);
}

/* in time that does not tell how much of it is right */
static bool equal(const uint8_t *a, const uint8_t *b)
{
	uint8_t d = 0;

	for (unsigned i = 0; i < TCP_TFO_COOKIE; i++) {
		d |= a[i] ^ b[i];
	}
	return d == 0;
}

enum tcp_tfo_cookie tcp_tfo_cookie_check(const struct tcp_tfo_secret *s,
					 const struct tcp_tfo_keys *k,
					 const struct tuple *t,
					 const uint8_t *cookie, unsigned len)
{
	const struct siphash_key *key;
	uint8_t want[TCP_TFO_COOKIE];

	if (len != TCP_TFO_COOKIE) {
		return TCP_TFO_WRONG;
	}
	for (unsigned i = 0; (key = key_of(s, k, i)) != NULL; i++) {
		cookie_of(key, t, want);
		if (equal(want, cookie)) {
			return i ? TCP_TFO_OLD : TCP_TFO_GOOD;
		}
	}
	return TCP_TFO_WRONG;
}
