/* ip_ext.h - IPv6 extension headers (RFC 8200 4), one after the other
 */
#ifndef WIRE_IP_EXT_H
#define WIRE_IP_EXT_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/wire/ip_hdr.h"

#define IP_EXT_OPTIONS_MAX 8 /* unknown ones in one header: RFC 8504 5.3 */

/* Walks from the header's end (offset 40 of p) to a transport; n octets of the
 * packet count.  Fills in proto, body, body_len, frag and bad of out.  quoted:
 * in an ICMP error, by whoever sent it: nothing is refused that leads on. */
enum ip_hdr_status ip_ext_walk(const uint8_t *p, uint32_t n, bool quoted,
			       struct ip_hdr *out);

#endif
