#include "stack/tcp/tcp_isn.h"

/* RFC 6528 3: ISN = M + F(localip, localport, remoteip, remoteport, secret).
 * struct tuple is zero-padded, so its octets are the four values. */
uint32_t tcp_isn(const struct siphash_key *key, const struct tuple *t,
		 struct instant now)
{
	uint32_t m = (uint32_t)((uint64_t)now.ns / (4 * NANOS_US));

	return m + (uint32_t)siphash24(key, t, sizeof(*t));
}
