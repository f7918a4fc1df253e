/* wirepkt.h - packets on a test's wire: a pkt_out becomes one or more received
 * packets, cut and completed as a device would do it
 */
#ifndef TESTS_LIB_WIREPKT_H
#define TESTS_LIB_WIREPKT_H

#include <stdint.h>

#include "stack/base/pkt.h"

/* heap packet of len octets, copied from p; one reference */
struct pkt *wirepkt_make(const void *p, uint32_t len, uint16_t dev);

/* Cuts o as the device's segmentation offload does (gso_size 0: one packet)
 * and completes partial checksums.  emit() gets each packet and its
 * reference. */
void wirepkt_split(const struct pkt_out *o, uint16_t dev,
		   void (*emit)(void *ctx, struct pkt *p), void *ctx);
/* one packet however large, checksum marked as vouched for when partial */
struct pkt *wirepkt_whole(const struct pkt_out *o, uint16_t dev);

#endif
