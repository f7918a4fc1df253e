/* tcp_isn.h - initial sequence numbers (RFC 6528): a 4 microsecond clock plus
 * a keyed hash of the four-tuple
 */
#ifndef TCP_TCP_ISN_H
#define TCP_TCP_ISN_H

#include <stdint.h>

#include "stack/base/addr.h"
#include "stack/base/siphash.h"
#include "stack/base/time.h"

uint32_t tcp_isn(const struct siphash_key *key, const struct tuple *t,
		 struct instant now);

#endif
