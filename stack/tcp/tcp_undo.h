/* tcp_undo.h - was a reduction of the window needless?
 *
 * It can be taken back while `ok`: when the timestamp echo shows that the first
 * copy of what was sent again had arrived (Eifel, RFC 3522), or when D-SACKs
 * account for everything that was sent again (RFC 3708).  A network that
 * duplicates packets causes D-SACKs, too: those about anything else, and those
 * heard twice, account for nothing.
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
	/* Of what was sent again and is not acknowledged, or was since the
	 * window was reduced.  One recovery may begin while retransmissions of
	 * another are out: they count, or their ACKs would be taken for those
	 * of first copies. */
	int64_t resent;           /* octets, less D-SACKed ones */
	struct instant first_rtx; /* the first time, NEVER: none */
	uint32_t rtx_end;         /* end of the highest, or una.. */
	uint32_t hi;              /* ..which it was, whatever una is */
	struct range32 heard;     /* the last D-SACK, empty: none */
};

/* seq: the first octet that will be sent */
void tcp_undo_init(struct tcp_undo *u, uint32_t seq);
/* the window was reduced; una as the last tcp_undo_ack() had it */
void tcp_undo_arm(struct tcp_undo *u, uint32_t una);
/* it was right to, or cannot be told any more */
void tcp_undo_cancel(struct tcp_undo *u);
/* [seq, seq + len) was sent again, for whatever reason */
void tcp_undo_resent(struct tcp_undo *u, struct instant now, uint32_t seq,
		     uint32_t len);
/* An ACK up to una was applied with this result.  recovering: in RECOVERY or
 * LOSS.  echo_before as in struct tcp_sent_in.  True: the reduction was
 * needless. */
bool tcp_undo_ack(struct tcp_undo *u, const struct tcp_sent_out *o,
		  uint32_t una, struct instant echo_before, bool recovering);

#endif
