/* tcp_cookie.h - SYN cookies (RFC 4987 3.6): a SYN is answered without keeping
 * anything of it; what must be known later comes back with the third ACK
 *
 * The cookie is our initial sequence number: a hash of the four-tuple, plus the
 * peer's number, plus the epoch's low octet on top of 24 bits that hold a
 * keyed hash of all that and the MSS.  So it grows with time as an initial
 * sequence number should (RFC 6528), and one guess in 2^28 is right.
 *
 * The low bits of our timestamp hold what else a SYN says: window scale, SACK,
 * ECN, and bits of the upper layer.  Without timestamps there is neither; the
 * SYN-ACK then offers nothing that would be forgotten.
 *
 * Keys are drawn for each epoch of a minute; a cookie counts in its epoch and
 * the next one, so for one to two minutes.
 */
#ifndef TCP_TCP_COOKIE_H
#define TCP_TCP_COOKIE_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/env.h"
#include "stack/base/siphash.h"
#include "stack/base/time.h"
#include "stack/tcp/tcp.h"
#include "stack/wire/tcp_hdr.h"

#define TCP_COOKIE_EPOCH (60 * NANOS_S)
/* the longest that a cookie counts */
#define TCP_COOKIE_LIFE  (2 * TCP_COOKIE_EPOCH)

/* bits in our timestamp, those of the upper layer included */
#define TCP_COOKIE_BITS  (6 + TCP_COOKIE_UPPER)

struct tcp_cookie_jar { /* of all listeners */
	bool any;                     /* keys were drawn */
	uint64_t epoch;               /* of the newest */
	struct siphash_key fixed;     /* of the part that grows with time */
	struct siphash_key key[2];    /* by the epoch's lowest bit */
	bool has_old;                 /* also that of the epoch before */
};

/* What is left of a SYN that is answered this way; *syn is altered so that no
 * more is promised. */
void tcp_cookie_reduce(struct tcp_seg *syn);
/* The answer to syn: out->tag, for the upper to choose its bits by. */
void tcp_cookie_begin(struct tcp_cookie_jar *j, struct instant now,
		      const struct entropy *entropy,
		      const struct tcp_seg *syn, struct tcp_cookie *out);
/* out->upper is chosen: out->isn.  Afterwards our timestamp, tsval at
 * present, must be what tcp_cookie_tsval() says. */
void tcp_cookie_make(const struct tcp_cookie_jar *j,
		     const struct tcp_seg *syn, struct tcp_cookie *out);
uint32_t tcp_cookie_tsval(const struct tcp_seg *syn,
			  const struct tcp_cookie *c, uint32_t tsval);
/* Does the ACK answer such a SYN-ACK of ours?  Then *syn is the SYN as it was,
 * without options of the upper layer. */
bool tcp_cookie_check(struct tcp_cookie_jar *j, struct instant now,
		      const struct entropy *entropy,
		      const struct tcp_seg *ack, struct tcp_seg *syn,
		      struct tcp_cookie *out);

#endif
