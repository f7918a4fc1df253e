#include "stack/wire/pcapng.h"

#include <string.h>

#include "stack/base/check.h"

/* Blocks are written big-endian; the byte-order magic says so. */
#define BLOCK_SECTION   0x0a0d0d0au
#define BLOCK_INTERFACE 1u
#define BLOCK_PACKET    6u
#define MAGIC           0x1a2b3c4du
#define VERSION_MAJOR   1
#define VERSION_MINOR   0
#define LINKTYPE_RAW    101

#define OPT_END         0
#define OPT_COMMENT     1
#define SHB_USERAPPL    4
#define IF_NAME         2
#define IF_TSRESOL      9
#define EPB_FLAGS       2
#define DIR_INBOUND     1u
#define DIR_OUTBOUND    2u

/* what PCAPNG_BLOCK_MAX leaves beside the largest packet and its fields */
#define COMMENT_MAX  80

#define TSRESOL_NANO 9

static void pad(struct wr *w)
{
	while (w->ok && wr_len(w) % 4 != 0) {
		wr_u8(w, 0);
	}
}

static void option(struct wr *w, uint16_t code, const void *p, size_t n)
{
	wr_u16(w, code);
	wr_u16(w, (uint16_t)n);
	wr_copy(w, p, n);
	pad(w);
}

static void option_text(struct wr *w, uint16_t code, const char *text,
			size_t max)
{
	option(w, code, text, strnlen(text, max));
}

/* A block is built in a writer of its own, so that padding counts from its
 * beginning and a block without room leaves no trace. */
static struct wr block_begin(const struct wr *w, uint32_t type)
{
	struct wr b = wr_make(w->p, w->ok ? wr_left(w) : 0);

	wr_u32(&b, type);
	wr_u32(&b, 0);
	return b;
}

static unsigned block_end(struct wr *w, struct wr *b)
{
	uint32_t len = (uint32_t)wr_len(b) + 8;

	option(b, OPT_END, NULL, 0);
	wr_u32(b, len);
	if (!b->ok) {
		return 0;
	}
	be32_put(b->start + 4, len);
	w->p = b->p;
	return len;
}

unsigned pcapng_section(struct wr *w, const char *application)
{
	struct wr b = block_begin(w, BLOCK_SECTION);

	wr_u32(&b, MAGIC);
	wr_u16(&b, VERSION_MAJOR);
	wr_u16(&b, VERSION_MINOR);
	wr_u64(&b, UINT64_MAX); /* length of the section: not known */
	option_text(&b, SHB_USERAPPL, application, UINT16_MAX);
	return block_end(w, &b);
}

unsigned pcapng_interface(struct wr *w, const char *name, uint32_t snaplen)
{
	struct wr b = block_begin(w, BLOCK_INTERFACE);
	uint8_t resolution = TSRESOL_NANO;

	wr_u16(&b, LINKTYPE_RAW);
	wr_u16(&b, 0);
	wr_u32(&b, snaplen);
	option_text(&b, IF_NAME, name, UINT16_MAX);
	option(&b, IF_TSRESOL, &resolution, 1);
	return block_end(w, &b);
}

unsigned pcapng_packet(struct wr *w, uint32_t interface, int64_t unix_ns,
		       bool outbound, const struct iov *v, unsigned n_iov,
		       const char *comment)
{
	struct wr b = block_begin(w, BLOCK_PACKET);
	uint8_t flags[4];
	size_t len = 0;

	for (unsigned i = 0; i < n_iov; i++) {
		len += v[i].n;
	}
	wr_u32(&b, interface);
	wr_u64(&b, (uint64_t)unix_ns);
	wr_u32(&b, (uint32_t)len);
	wr_u32(&b, (uint32_t)len);
	for (unsigned i = 0; i < n_iov; i++) {
		wr_copy(&b, v[i].p, v[i].n);
	}
	pad(&b);
	be32_put(flags, outbound ? DIR_OUTBOUND : DIR_INBOUND);
	option(&b, EPB_FLAGS, flags, sizeof(flags));
	if (comment) {
		option_text(&b, OPT_COMMENT, comment, COMMENT_MAX);
	}
	return block_end(w, &b);
}
