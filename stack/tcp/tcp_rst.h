/* tcp_rst.h - segments of no connection: resets (RFC 9293 3.10.7.1) and the
 * acknowledgements of TIME-WAIT, in a small bounded queue
 */
#ifndef TCP_TCP_RST_H
#define TCP_TCP_RST_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/addr.h"
#include "stack/tcp/tcp_seg.h"
#include "stack/wire/tcp_hdr.h"

#define TCP_RST_QUEUE 128

/* a segment without payload */
struct tcp_stray {
	struct tuple t;
	uint16_t path;
	uint8_t ttl, tos, flags, opt_len;
	uint16_t wnd;
	uint32_t seq, ack;
	uint8_t opt[TCP_HDR_OPT_MAX];
};

struct tcp_rst {
	uint32_t head, n;
	struct tcp_stray q[TCP_RST_QUEUE];
};

/* a place at the tail with opt_len 0, or NULL: full */
struct tcp_stray *tcp_rst_add(struct tcp_rst *r);
/* fills s as the reset that answers seg; false: seg is a reset itself */
bool tcp_rst_answer(struct tcp_stray *s, const struct tcp_seg *seg);
/* pads with NOPs; options that do not fit are left out */
void tcp_rst_options(struct tcp_stray *s, const uint8_t *opt, unsigned len);
/* the oldest as a description that lives as long as the queue is untouched;
 * false: empty */
bool tcp_rst_take(struct tcp_rst *r, struct tcp_seg_desc *d);

#endif
