/* cksum.h - the Internet checksum (RFC 1071, 1624)
 *
 * A partial sum is a 64-bit accumulation of 16-bit big-endian words, folded
 * only at the end.  Pieces may be of any length and alignment; a piece that
 * begins at an odd offset of the whole is added with cksum_add_odd().
 */
#ifndef WIRE_CKSUM_H
#define WIRE_CKSUM_H

#include <stddef.h>
#include <stdint.h>

#include "stack/base/addr.h"
#include "stack/base/bytes.h"

uint64_t cksum_add(uint64_t sum, const void *p, size_t n);
uint64_t cksum_add_odd(uint64_t sum, const void *p, size_t n);
/* pieces one after the other, the first at an even offset */
uint64_t cksum_add_iov(uint64_t sum, const struct iov *v, unsigned n);
uint16_t cksum_fold(uint64_t sum);   /* 16-bit ones-complement sum */
uint16_t cksum_finish(uint64_t sum); /* its complement: what goes on the wire */
/* pseudo-header of RFC 9293 3.1 or RFC 8200 8.1; len = TCP header + payload */
uint64_t cksum_pseudo(const struct addr *src, const struct addr *dst,
		      uint8_t proto, uint32_t len);
/* RFC 1624: checksum `was` after the word `from` became `to` */
uint16_t cksum_update(uint16_t was, uint16_t from, uint16_t to);

#endif
