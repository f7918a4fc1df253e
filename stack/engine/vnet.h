/* vnet.h - the virtio-net header in front of each packet of a TUN device
 *
 * struct virtio_net_hdr of the kernel's tun driver, 10 octets in host order:
 * flags(1) gso_type(1) hdr_len(2) gso_size(2) csum_start(2) csum_offset(2).
 * It says what the kernel left undone (checksum, segmentation) and takes the
 * same from us.
 */
#ifndef ENGINE_VNET_H
#define ENGINE_VNET_H

#include <stdint.h>

#include "stack/base/pkt.h"

#define VNET_LEN 10

enum vnet_result {
	VNET_OK,
	VNET_SHORT,   /* shorter than the header, or nothing behind it */
	VNET_BAD_GSO, /* unknown segmentation type, or none of TCP's, or size 0 */
	VNET_BAD_CSUM, /* the checksum's place is outside of the packet */
};

/* p, n: header and packet as read.  Sets data, len, csum_ok and gso_size. */
enum vnet_result vnet_decode(uint8_t *p, uint32_t n, struct pkt *out);
void vnet_encode(uint8_t out[VNET_LEN], const struct pkt_out *p);

#endif
