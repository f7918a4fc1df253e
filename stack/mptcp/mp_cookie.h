/* mp_cookie.h - what of a SYN's MP_CAPABLE and ENO options outlives a SYN
 * cookie (stack/tcp/tcp_cookie.h), in the few bits that there are
 *
 * MP_CAPABLE of the third ACK has nearly all that is needed; our key is the
 * cookie's tag, so that the key which comes back verifies itself (RFC 8684
 * 3.1).  Of the SYN's flags A and C are kept, for the transcript of smtcp(7).
 *
 * ENO options are in a transcript as they were sent, and too long for those
 * bits: the offers that this stack's hosts make are in a table, and its index
 * is kept.  Other offers, session secrets to resume among them, cannot be
 * answered.
 */
#ifndef MPTCP_MP_COOKIE_H
#define MPTCP_MP_COOKIE_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/wire/tcp_hdr.h"

/* Bits that make syn known again; an ENO offer that they cannot hold is taken
 * out of it, and the result is false. */
bool mp_cookie_keep(struct tcp_seg *syn, uint8_t *bits);
/* The reverse: gives syn the options that it had, by the bits and the options
 * of its ACK.  key: ours. */
void mp_cookie_recall(struct tcp_seg *syn, const struct tcp_seg *ack,
		      uint8_t bits, uint64_t key);

#endif
