#include "stack/chan/chan_name.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "stack/base/bytes.h"
#include "stack/base/check.h"
#include "stack/base/siphash.h"

static const uint8_t magic[9] = { 0, 'm', 'p', 't', 'c', 'p', 'r', 'u', 'n' };

#define TAG_AT (CHAN_NAME_LEN - 8)

static uint64_t name_tag(const struct chan_run *run, const uint8_t *p)
{
	struct siphash_key k = { be64_get(run->secret),
				 be64_get(run->secret + 8) };

	return siphash24(&k, p, TAG_AT);
}

static void put_endpoint(struct wr *w, uint8_t family, const struct endpoint *e)
{
	struct addr a = family == 6 ? addr_map(e->addr) : e->addr;

	wr_copy(w, a.b, sizeof(a.b));
	wr_u16(w, e->port);
}

static void get_endpoint(struct rd *r, uint8_t family, struct endpoint *e)
{
	uint8_t b[16];
	struct addr a = { 0 };

	rd_copy(r, b, sizeof(b));
	if (family == 4 || family == 6) {
		a = addr_unmap(addr_from(family, b));
	}
	*e = endpoint_make(a, rd_u16(r));
}

void chan_name_encode(const struct chan_run *run, const struct chan_name *n,
		      uint8_t out[CHAN_NAME_LEN])
{
	struct wr w = wr_make(out, CHAN_NAME_LEN);

	wr_copy(&w, magic, sizeof(magic));
	wr_u64(&w, run->id);
	wr_u8(&w, n->kind);
	wr_u8(&w, n->family);
	wr_u64(&w, n->id);
	put_endpoint(&w, n->family, &n->local);
	put_endpoint(&w, n->family, &n->remote);
	wr_u64(&w, name_tag(run, out));
	check(w.ok && wr_left(&w) == 0);
}

static bool kind_family_ok(uint8_t kind, uint8_t family)
{
	switch (kind) {
	case CHAN_KIND_CTL:
	case CHAN_KIND_DATA:
		return family == 0;
	case CHAN_KIND_SOCK:
	case CHAN_KIND_CONN:
		return family == 4 || family == 6;
	default:
		return false;
	}
}

bool chan_name_decode(const struct chan_run *run, const void *p, unsigned n,
		      struct chan_name *out)
{
	struct rd r = rd_make(p, n);
	const uint8_t *m;
	bool conn;

	memset(out, 0, sizeof(*out));
	if (n != CHAN_NAME_LEN || !p) {
		return false;
	}
	m = rd_take(&r, sizeof(magic));
	if (!m || memcmp(m, magic, sizeof(magic)) != 0 ||
	    rd_u64(&r) != run->id) {
		return false;
	}
	out->kind = rd_u8(&r);
	out->family = rd_u8(&r);
	conn = out->kind == CHAN_KIND_CONN;
	out->id = rd_u64(&r);
	if (!kind_family_ok(out->kind, out->family)) {
		return false;
	}
	/* the others have none: zero octets must not become :: */
	get_endpoint(&r, conn ? out->family : 0, &out->local);
	get_endpoint(&r, conn ? out->family : 0, &out->remote);
	return rd_u64(&r) == name_tag(run, p) && r.ok;
}

void chan_run_text(const struct chan_run *run, char out[CHAN_RUN_TEXT])
{
	int n = snprintf(out, CHAN_RUN_TEXT,
			 "%016llx:", (unsigned long long)run->id);

	for (unsigned i = 0; i < CHAN_SECRET_LEN; i++) {
		snprintf(out + n + 2 * i, 3, "%02x", run->secret[i]);
	}
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	if (c >= 'a' && c <= 'f') {
		return c - 'a' + 10;
	}
	return -1;
}

static bool hex_octets(const char *text, uint8_t *out, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int hi = hex_digit(text[2 * i]);
		int lo = hi < 0 ? -1 : hex_digit(text[2 * i + 1]);

		if (lo < 0) {
			return false;
		}
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	return true;
}

bool chan_run_parse(const char *text, struct chan_run *out)
{
	uint8_t id[8];

	memset(out, 0, sizeof(*out));
	/* strnlen: the environment may hold anything of any length */
	if (!text || strnlen(text, CHAN_RUN_TEXT) != CHAN_RUN_TEXT - 1 ||
	    text[16] != ':' || !hex_octets(text, id, sizeof(id)) ||
	    !hex_octets(text + 17, out->secret, CHAN_SECRET_LEN)) {
		memset(out, 0, sizeof(*out));
		return false;
	}
	out->id = be64_get(id);
	return true;
}
