/* tcp_tfo_cookie.h - a server's Fast Open cookies (RFC 7413 4.1.2)
 *
 * A cookie is a keyed hash of both addresses, so nothing is stored.  The keys are
 * drawn twice a day, and the last ones still count; or they are the program's
 * (TCP_FASTOPEN_KEY): then the first makes cookies, and the second, that it was
 * before, still counts.  With such keys a cookie is the one that Linux makes of
 * them, so that servers of both kinds may stand behind one address.
 */
#ifndef TCP_TCP_TFO_COOKIE_H
#define TCP_TCP_TFO_COOKIE_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/addr.h"
#include "stack/base/env.h"
#include "stack/base/siphash.h"
#include "stack/base/time.h"

#define TCP_TFO_EPOCH   (12 * 3600 * NANOS_S)
#define TCP_TFO_COOKIE  8  /* octets of ours */
#define TCP_TFO_KEY_LEN 16 /* octets of one key */

/* drawn by us */
struct tcp_tfo_secret {
	bool any, has_old;
	uint64_t epoch;
	struct siphash_key key[2]; /* by the epoch's lowest bit */
};

/* set by a program, for one listener; n 0: none */
struct tcp_tfo_keys {
	struct siphash_key key[2];
	uint8_t n;
};

enum tcp_tfo_cookie {
	TCP_TFO_WRONG,
	TCP_TFO_GOOD,
	TCP_TFO_OLD, /* good, and a newer one should be given */
};

/* n keys of TCP_TFO_KEY_LEN octets each, at most two */
void tcp_tfo_keys_set(struct tcp_tfo_keys *k, const uint8_t *p, unsigned n);
/* draws what is due; before the other two */
void tcp_tfo_secret_turn(struct tcp_tfo_secret *s, struct instant now,
			 const struct entropy *e);
/* the cookie for the peer of t now */
void tcp_tfo_cookie_make(const struct tcp_tfo_secret *s,
			 const struct tcp_tfo_keys *k, const struct tuple *t,
			 uint8_t out[TCP_TFO_COOKIE]);
enum tcp_tfo_cookie tcp_tfo_cookie_check(const struct tcp_tfo_secret *s,
					 const struct tcp_tfo_keys *k,
					 const struct tuple *t,
					 const uint8_t *cookie, unsigned len);

#endif
