#include "stack/engine/pcap.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "stack/wire/pcapng.h"

#define BUF_LEN  (8 * PCAPNG_BLOCK_MAX)
#define SNAP_LEN 65535

struct pcap {
	int fd; /* -1: ended */
	int err;
	int64_t unix_minus_mono; /* nanoseconds */
	size_t used;
	uint8_t buf[BUF_LEN];
};

static int64_t read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * NANOS_S + ts.tv_nsec;
}

struct pcap *pcap_new(int fd)
{
	struct pcap *p = calloc(1, sizeof(*p));
	struct wr w;

	if (!p) {
		return NULL;
	}
	p->fd = fd;
	p->unix_minus_mono =
		read_clock(CLOCK_REALTIME) - read_clock(CLOCK_MONOTONIC);
	w = wr_make(p->buf, sizeof(p->buf));
	p->used = pcapng_section(&w, "mptcp-run " MPTCP_RUN_VERSION);
	return p;
}

/* room for one more block */
static struct wr room(struct pcap *p)
{
	if (sizeof(p->buf) - p->used < PCAPNG_BLOCK_MAX) {
		p->err = pcap_flush(p); /* told by the next flush */
	}
	return wr_make(p->buf + p->used, sizeof(p->buf) - p->used);
}

void pcap_interface(struct pcap *p, const char *name)
{
	struct wr w = room(p);

	p->used += pcapng_interface(&w, name, SNAP_LEN);
}

void pcap_in(struct pcap *p, struct instant now, const struct pkt *pkt)
{
	struct iov v = { pkt->data, pkt->len };
	struct wr w;

	if (p->fd < 0) {
		return;
	}
	w = room(p);
	p->used += pcapng_packet(&w, pkt->dev, now.ns + p->unix_minus_mono,
				 false, &v, 1, NULL);
}

void pcap_out(struct pcap *p, struct instant now, const struct pkt_out *out)
{
	struct iov v[4] = { { out->hdr, out->hdr_len } };
	unsigned n = 1;
	struct wr w;

	if (p->fd < 0) {
		return;
	}
	for (unsigned i = 0; i < out->n_iov; i++) {
		v[n++] = out->iov[i];
	}
	w = room(p);
	p->used += pcapng_packet(&w, out->dev, now.ns + p->unix_minus_mono,
				 true, v, n, NULL);
}

int pcap_flush(struct pcap *p)
{
	size_t at = 0;
	int err;

	while (p->fd >= 0 && at < p->used) {
		ssize_t n = write(p->fd, p->buf + at, p->used - at);

		if (n > 0) {
			at += (size_t)n;
		} else if (n == 0 || errno != EINTR) {
			p->err = n ? errno : EIO;
			close(p->fd);
			p->fd = -1;
		}
	}
	p->used = 0;
	err = p->err;
	p->err = 0;
	return err;
}

int pcap_free(struct pcap *p)
{
	int err;

	if (!p) {
		return 0;
	}
	err = pcap_flush(p);
	if (p->fd >= 0) {
		close(p->fd);
	}
	free(p);
	return err;
}
