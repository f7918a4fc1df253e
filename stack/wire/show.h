/* show.h - one line of text for any packet: traces, test failures, dumps
 *
 * "10.0.0.1:80 > 10.0.1.1:4242 [S.] seq 1 ack 2 win 65535 len 0 <mss 1460,
 *  sackOK, ts 1 2, mp_capable v1 H key b..>": tcpdump's habits.
 */
#ifndef WIRE_SHOW_H
#define WIRE_SHOW_H

#include <stddef.h>
#include <stdint.h>

struct tcp_seg;

/* returns buf, always terminated */
const char *show_seg(const struct tcp_seg *s, char *buf, size_t n);
/* parses and shows an IP packet, malformed ones too */
const char *show_packet(const uint8_t *p, uint32_t n, char *buf, size_t size);

#endif
