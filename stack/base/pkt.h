/* pkt.h - a received packet, a piece of one, and a packet to be sent
 *
 * struct pkt: a buffer that arrived on a device.  Its owner (engine, test)
 * fills it in and hands over one reference; whoever keeps the buffer longer
 * than a call takes another.  At zero references release() gives it back.
 * truesize is what the buffer pins in memory; queues are charged with that.
 *
 * struct slice: an owned piece of a packet's payload, with its own reference,
 * as it travels from TCP to the socket.  Its octets never move, and no other
 * slice has them: whoever holds it may change them (slice_bytes), which is how
 * encrypted payload is opened in place.  So whoever hands over a packet does
 * not look at its payload again, nor hand it over twice.
 *
 * struct pkt_out: one packet to write: headers by value, payload by reference
 * into a send ring.  The caller of stack_output() provides them; they are
 * valid until the next call into the core that is not stack_output().
 */
#ifndef BASE_PKT_H
#define BASE_PKT_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/bytes.h"
#include "stack/base/list.h"

struct mem;

struct pkt {
	uint8_t *data;     /* first octet of the IP header */
	uint32_t len;      /* octets of the IP packet */
	uint32_t truesize; /* octets of memory it pins */
	uint16_t dev;      /* index of the path it arrived on */
	bool csum_ok;      /* virtio NEEDS_CSUM or DATA_VALID: do not verify
			    * the TCP checksum; the IPv4 header's is always */
	uint16_t gso_size; /* payload octets per original segment, 0 unknown */
	uint32_t refs;
	void (*release)(struct pkt *p);
	void *owner; /* for release() */
};

struct slice {
	struct list node;
	struct pkt *pkt;  /* NULL: the octets follow the struct (a copy) */
	const uint8_t *p; /* len octets */
	uint32_t len;
	uint32_t charge;  /* octets of memory this slice is accounted for */
	uint32_t alloc;   /* octets to give back to mem */
	uint64_t seq;     /* meaning is the holder's (subflow or data level) */
};

#define PKT_HDR_MAX 128

struct pkt_out {
	uint16_t dev;     /* path index */
	uint16_t hdr_len; /* octets used in hdr: IP and TCP headers */
	uint16_t gso_size;    /* TCP payload octets per segment; 0: one segment */
	uint16_t csum_start;  /* partial checksum from here on, 0: complete */
	uint16_t csum_offset; /* ... stored there, relative to csum_start */
	uint8_t family;       /* 4 or 6 */
	uint8_t n_iov;
	uint32_t len; /* hdr_len plus payload */
	uint8_t hdr[PKT_HDR_MAX];
	struct iov iov[3];
};

static inline void pkt_get(struct pkt *p)
{
	p->refs++;
}

static inline void pkt_put(struct pkt *p)
{
	check(p->refs > 0);
	if (--p->refs == 0) {
		p->release(p);
	}
}

/* A slice of [p, p+len) inside pkt.  Takes a reference, or copies when len is
 * less than a quarter of truesize (one octet must not pin 64 KiB).  NULL when
 * mem refuses. */
struct slice *slice_make(struct mem *mem, struct pkt *pkt, const uint8_t *p,
			 uint32_t len);
/* The first n < len octets of s, in front of it, as a slice of their own, even
 * if few: for who keeps most of the packet anyway.  s keeps the rest.  NULL
 * when mem refuses: nothing has changed. */
struct slice *slice_head(struct mem *mem, struct slice *s, uint32_t n);
/* Cuts s behind its first n < len octets; the rest, a reference or a copy as
 * with slice_make().  NULL when mem refuses: nothing has changed. */
struct slice *slice_split(struct mem *mem, struct slice *s, uint32_t n);
/* one of len octets of its own, to be filled in by slice_bytes(); NULL when
 * mem refuses */
struct slice *slice_new(struct mem *mem, uint32_t len);
/* the octets of s, to be changed */
uint8_t *slice_bytes(struct slice *s);
/* Hangs s, now the queue's, at the end of q.  Small copies that follow each
 * other share memory, or a queue of single octets would need a hundred times
 * its length; what is in q already stays where it is. */
void slice_queue(struct mem *mem, struct list *q, struct slice *s);
void slice_free(struct mem *mem, struct slice *s);
void slice_free_all(struct mem *mem, struct list *head);
/* drops n < len octets in front; seq moves along */
void slice_trim(struct slice *s, uint32_t n);

#endif
