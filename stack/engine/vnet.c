#include "stack/engine/vnet.h"

#include <stdbool.h>
#include <string.h>

#include <linux/virtio_net.h>

static_assert(sizeof(struct virtio_net_hdr) == VNET_LEN, "wire format");

static bool gso_ok(const struct virtio_net_hdr *h)
{
	switch (h->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_NONE:
		return true;
	case VIRTIO_NET_HDR_GSO_TCPV4:
	case VIRTIO_NET_HDR_GSO_TCPV6:
		return h->gso_size > 0;
	default: /* UDP: we never said that we can take it */
		return false;
	}
}

enum vnet_result vnet_decode(uint8_t *p, uint32_t n, struct pkt *out)
{
	struct virtio_net_hdr h;
	uint32_t len;

	if (n <= VNET_LEN) {
		return VNET_SHORT;
	}
	memcpy(&h, p, sizeof(h));
	len = n - VNET_LEN;
	if (!gso_ok(&h)) {
		return VNET_BAD_GSO;
	}
	if ((h.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) &&
	    (uint32_t)h.csum_start + h.csum_offset + 2 > len) {
		return VNET_BAD_CSUM;
	}
	out->data = p + VNET_LEN;
	out->len = len;
	out->csum_ok = (h.flags & (VIRTIO_NET_HDR_F_NEEDS_CSUM |
				   VIRTIO_NET_HDR_F_DATA_VALID)) != 0;
	out->gso_size = h.gso_type == VIRTIO_NET_HDR_GSO_NONE ? 0 : h.gso_size;
	return VNET_OK;
}

void vnet_encode(uint8_t out[VNET_LEN], const struct pkt_out *p)
{
	struct virtio_net_hdr h = { 0 };

	if (p->csum_start) {
		h.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		h.csum_start = p->csum_start;
		h.csum_offset = p->csum_offset;
	}
	if (p->gso_size) {
		h.gso_type = p->family == 6 ? VIRTIO_NET_HDR_GSO_TCPV6
					    : VIRTIO_NET_HDR_GSO_TCPV4;
		h.gso_size = p->gso_size;
		h.hdr_len = p->hdr_len;
	}
	memcpy(out, &h, sizeof(h));
}
