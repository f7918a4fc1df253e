/* tcp_newreno.h - losses without SACK: duplicate ACKs (RFC 5681 3.2, 6582)
 *
 * Each duplicate ACK says that one segment, unknown which, has left the path;
 * the third in a row, that the first unacknowledged one is lost; and in the
 * recovery that follows a partial ACK, that the next one is, too.
 */
#ifndef TCP_TCP_NEWRENO_H
#define TCP_TCP_NEWRENO_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/tcp/tcp_sent.h"

#define TCP_NEWRENO_DUPTHRESH 3u

struct tcp_newreno {
	uint32_t dupacks; /* in a row */
	uint32_t left;    /* octets that they say have left the path */
};

static inline void tcp_newreno_reset(struct tcp_newreno *n)
{
	*n = (struct tcp_newreno){ 0 };
}

/* una moved by acked octets, outstanding are left.  Returns the octets newly
 * delivered: those counted by duplicates before are not. */
uint32_t tcp_newreno_acked(struct tcp_newreno *n, uint32_t acked,
			   uint32_t outstanding, uint32_t mss);
/* A duplicate ACK, nothing having been sent again after a timeout.  Returns as
 * above. */
uint32_t tcp_newreno_dup(struct tcp_newreno *n, uint32_t outstanding,
			 uint32_t mss);
/* Octets of s that are lost now, and marked so.  recovering: in fast recovery;
 * advanced: this ACK moved una; may: a recovery may begin. */
uint32_t tcp_newreno_detect(const struct tcp_newreno *n, struct tcp_sent *s,
			    uint16_t mss, bool recovering, bool advanced,
			    bool may);

#endif
