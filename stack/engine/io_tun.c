#include "stack/engine/io_tun.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "stack/base/check.h"
#include "stack/base/env.h"
#include "stack/engine/io_impl.h"

#define PUMP_MAX 64 /* packets of one device in one turn, poll mode */

/* a packet in memory of its own size */
struct copy {
	struct pkt pkt;
	struct mem *mem;
	size_t size;
	uint8_t data[];
};

static void put_list(struct io_tun *t, struct io_buf *b)
{
	b->next = t->free;
	t->free = b;
}

static void give_back(struct io_tun *t, struct io_buf *b)
{
	t->n_free++;
	t->put(t, b);
}

static void release_buf(struct pkt *p)
{
	struct io_buf *b = container_of(p, struct io_buf, pkt);
	struct io_tun *t = b->t;

	if (!t->orphan) {
		give_back(t, b);
		return;
	}
	t->n_free++;
	io_tun_free(t);
}

static void release_copy(struct pkt *p)
{
	struct copy *c = container_of(p, struct copy, pkt);

	if (c->mem) {
		mem_free(c->mem, c, c->size);
	} else {
		free(c);
	}
}

struct io_tun *io_tun_new(struct io *io, int fd, uint16_t path)
{
	struct io_tun *t = calloc(1, sizeof(*t));
	void *m;

	if (!t) {
		return NULL;
	}
	m = mmap(NULL, (size_t)IO_TUN_BUFS * IO_TUN_STRIDE,
		 PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (m == MAP_FAILED) {
		free(t);
		return NULL;
	}
	list_init(&t->node);
	t->mem = m;
	t->io = io;
	t->fd = fd;
	t->path = path;
	t->put = put_list;
	for (unsigned i = IO_TUN_BUFS; i-- > 0;) {
		t->buf[i].t = t;
		t->buf[i].idx = (uint16_t)i;
		give_back(t, &t->buf[i]);
	}
	return t;
}

void io_tun_free(struct io_tun *t)
{
	t->orphan = true;
	if (t->n_free < IO_TUN_BUFS) {
		return;
	}
	munmap(t->mem, (size_t)IO_TUN_BUFS * IO_TUN_STRIDE);
	free(t);
}

uint8_t *io_tun_space(const struct io_tun *t, const struct io_buf *b)
{
	return t->mem + (size_t)b->idx * IO_TUN_STRIDE + IO_TUN_HEAD;
}

static bool decode(struct io_tun *t, struct io_buf *b, uint32_t n)
{
	enum io_reason why = IO_TUN_SHORT;

	switch (vnet_decode(io_tun_space(t, b), n, &b->pkt)) {
	case VNET_OK:
		return true;
	case VNET_SHORT:
		break;
	case VNET_BAD_GSO:
		why = IO_TUN_GSO;
		break;
	case VNET_BAD_CSUM:
		why = IO_TUN_CSUM;
		break;
	}
	t->io->reasons[why]++;
	return false;
}

static struct pkt *copy_of(struct io_tun *t, const struct pkt *p)
{
	size_t size = sizeof(struct copy) + p->len;
	struct mem *mem = t->io->mem;
	struct copy *c = mem ? mem_alloc(mem, size) : malloc(size);

	if (!c) {
		t->io->reasons[IO_TUN_NOMEM]++;
		return NULL;
	}
	t->io->reasons[IO_TUN_COPIED]++;
	c->pkt = *p;
	c->mem = mem;
	c->size = size;
	memcpy(c->data, p->data, p->len);
	c->pkt.data = c->data;
	c->pkt.truesize = (uint32_t)size;
	c->pkt.release = release_copy;
	return &c->pkt;
}

void io_tun_deliver(struct io_tun *t, struct io_buf *b, uint32_t n)
{
	struct pkt *p = &b->pkt;

	t->n_free--;
	t->io->stats.tun_in++;
	if (!decode(t, b, n) || t->stopped) {
		give_back(t, b);
		return;
	}
	p->truesize = IO_TUN_STRIDE;
	p->dev = t->path;
	p->refs = 1;
	p->release = release_buf;
	p->owner = t;
	if (t->n_free < IO_TUN_BUFS / 4) {
		p = copy_of(t, p);
		give_back(t, b);
	}
	if (p) {
		t->rx(t->ctx, p);
	}
}

void io_tun_dead(struct io_tun *t, int err)
{
	if (!t->stopped) {
		t->stopped = true;
		t->dead(t->ctx, err);
	}
}

void io_tun_pump(struct io_tun *t)
{
	t->more = false;
	for (unsigned i = 0; i < PUMP_MAX && !t->stopped; i++) {
		struct io_buf *b = t->free;
		ssize_t n;

		/* a quarter of the pool is never handed up */
		check(b != NULL);
		n = read(t->fd, io_tun_space(t, b), IO_TUN_ROOM);
		t->io->stats.syscalls++;
		if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			return;
		}
		if (n < 0) {
			io_tun_dead(t, errno);
			return;
		}
		t->free = b->next;
		io_tun_deliver(t, b, (uint32_t)n);
	}
	t->more = !t->stopped;
}

/* O_NONBLOCK so that reading stops when all is read */
int io_tun_poll_start(struct io *io, struct io_tun *t,
		      void (*readable)(struct io_op *op, int res,
				       unsigned flags))
{
	int flags = fcntl(t->fd, F_GETFL);

	if (flags < 0 || fcntl(t->fd, F_SETFL, flags | O_NONBLOCK) < 0) {
		return errno;
	}
	t->poll.done = readable;
	io_poll(io, &t->poll, t->fd, POLLIN, true);
	return 0;
}

bool io_tun_pump_wanted(const struct io *io)
{
	list_each (p, &io->tuns) {
		if (list_entry(p, struct io_tun, node)->more) {
			return true;
		}
	}
	return false;
}

void io_tun_pump_all(struct io *io)
{
	list_each_safe (p, &io->tuns) {
		struct io_tun *t = list_entry(p, struct io_tun, node);

		if (t->more) {
			io_tun_pump(t);
		}
	}
}

/* writing does not change what the pieces point at */
static struct iovec piece(const void *p, size_t n)
{
	return (struct iovec){ (void *)(uintptr_t)p, n };
}

unsigned io_tun_iov(const struct pkt_out *p, uint8_t vnet[VNET_LEN],
		    struct iovec v[IO_TUN_IOV])
{
	unsigned n = 2;

	vnet_encode(vnet, p);
	v[0] = piece(vnet, VNET_LEN);
	v[1] = piece(p->hdr, p->hdr_len);
	for (unsigned i = 0; i < p->n_iov; i++) {
		v[n++] = piece(p->iov[i].p, p->iov[i].n);
	}
	return n;
}
