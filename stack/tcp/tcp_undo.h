/* tcp_undo.h - was a reduction of the window needless?
 *
 * It can be taken back while `ok`: when the timestamp echo shows that the first
 * copy of what was sent again had arrived (Eifel, RFC 3522), or when D-SACKs
 * account for everything that was sent again (RFC 3708).
 */
#ifndef TCP_TCP_UNDO_H
#define TCP_TCP_UNDO_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/time.h"
#include "stack/tcp/tcp_sent.h"

struct tcp_undo {
	bool ok;
	uint32_t una;             /* when the window was reduced */
	int64_t resent;           /* octets sent again, less D-SACKed ones */
	struct instant first_rtx; /* first retransmission, NEVER: none yet */
};

void tcp_undo_init(struct tcp_undo *u);
/* the window was reduced */
void tcp_undo_arm(struct tcp_undo *u, uint32_t una);
/* it was right to, or cannot be told any more */
void tcp_undo_cancel(struct tcp_undo *u);
/* len octets were sent again */
void tcp_undo_resent(struct tcp_undo *u, struct instant now, uint32_t len);
/* An ACK was applied with this result.  recovering: in RECOVERY or LOSS.
 * echo_before as in struct tcp_sent_in.  True: the reduction was needless. */
bool tcp_undo_ack(struct tcp_undo *u, const struct tcp_sent_out *o,
		  struct instant echo_before, bool recovering);

#endif
