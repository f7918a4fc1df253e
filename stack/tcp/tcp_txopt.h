/* tcp_txopt.h - the options of a segment to be sent: TCP's own first, then the
 * upper's, then SACK blocks in what is left of 40 octets
 */
#ifndef TCP_TCP_TXOPT_H
#define TCP_TCP_TXOPT_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/tcp/tcp.h"

#define TCP_TXOPT_TS 12 /* timestamps, padded */

/* Returns octets written, a multiple of 4.  sack: blocks may be used up for
 * this segment (a D-SACK is reported once). */
uint8_t tcp_txopt_write(struct tcb *tcb, const struct tcp_tx *tx, bool sack,
			uint8_t out[TCP_HDR_OPT_MAX]);

#endif
