/* io_tun.h - private to io*.c: one TUN queue and its pool of read buffers
 *
 * A pool of IO_TUN_BUFS buffers, each large enough for any packet.  A packet
 * goes up by reference; its release() gives the buffer back to the pool.  When
 * fewer than a quarter are left the packet is copied into memory of its size
 * instead, so that reading never stops for want of buffers.
 */
#ifndef ENGINE_IO_TUN_H
#define ENGINE_IO_TUN_H

#include "stack/engine/io.h"
#include "stack/engine/vnet.h"

#define IO_TUN_BUFS   128 /* a power of two: the kernel's ring wants one */
#define IO_TUN_STRIDE 65600
/* headers in front end so that the IP header lies on a multiple of 16 */
#define IO_TUN_HEAD (16 - VNET_LEN)
#define IO_TUN_ROOM (IO_TUN_STRIDE - IO_TUN_HEAD)
#define IO_TUN_IOV  5 /* virtio header, headers, three pieces of payload */

struct io_buf {
	struct pkt pkt;
	struct io_tun *t;
	struct io_buf *next; /* on the free list */
	uint16_t idx;
};

struct io_tun {
	struct list node;
	struct io *io;
	int fd;
	uint16_t path;
	bool stopped;
	bool more;  /* poll mode: packets may be left, look again at once */
	bool armed; /* ring mode: the multishot read is under way */
	void (*rx)(void *ctx, struct pkt *p);
	void (*dead)(void *ctx, int err);
	void *ctx;
	/* the pool */
	uint8_t *mem;
	struct io_buf buf[IO_TUN_BUFS];
	struct io_buf *free; /* NULL in ring mode: the kernel has them */
	unsigned n_free;     /* on the list, or with the kernel */
	void (*put)(struct io_tun *t, struct io_buf *b);
	bool orphan; /* io_tun_free() came while packets were still held */
	/* of the implementation */
	struct io_op poll;
	void *ring;
	uint16_t group;
};

struct io_tun *io_tun_new(struct io *io, int fd, uint16_t path);
void io_tun_free(struct io_tun *t); /* at once, or with its last packet */
uint8_t *io_tun_space(const struct io_tun *t, const struct io_buf *b);
/* n octets were read into b (taken off the pool): decodes and hands up */
void io_tun_deliver(struct io_tun *t, struct io_buf *b, uint32_t n);
/* poll mode: reads what is there, bounded; sets t->more when not all */
void io_tun_pump(struct io_tun *t);
/* poll mode by way of t->poll: readable sets t->more; 0 or errno */
int io_tun_poll_start(struct io *io, struct io_tun *t,
		      void (*readable)(struct io_op *op, int res,
				       unsigned flags));
bool io_tun_pump_wanted(const struct io *io); /* some device may have packets */
void io_tun_pump_all(struct io *io);
/* the device is gone */
void io_tun_dead(struct io_tun *t, int err);
/* pieces of p to write; vnet holds the header; the count */
unsigned io_tun_iov(const struct pkt_out *p, uint8_t vnet[VNET_LEN],
		    struct iovec v[IO_TUN_IOV]);

#endif
