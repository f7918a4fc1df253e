#include "stack/base/addr.h"

#include <stdio.h>
#include <string.h>

#include "stack/base/bytes.h"
#include "stack/base/check.h"

static const uint8_t mapped_prefix[12] = { 0, 0, 0, 0, 0,    0,
					   0, 0, 0, 0, 0xff, 0xff };

struct addr addr_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	return (struct addr){ .family = 4, .b = { a, b, c, d } };
}

struct addr addr_from(uint8_t family, const void *octets)
{
	struct addr a = { .family = family };

	check(family == 4 || family == 6);
	memcpy(a.b, octets, addr_len(&a));
	return a;
}

struct addr addr_any(uint8_t family)
{
	return (struct addr){ .family = family };
}

size_t addr_len(const struct addr *a)
{
	return a->family == 4 ? 4 : a->family == 6 ? 16 : 0;
}

bool addr_eq(const struct addr *a, const struct addr *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

bool addr_is_any(const struct addr *a)
{
	static const uint8_t zero[16];

	return memcmp(a->b, zero, sizeof(zero)) == 0;
}

bool addr_is_loopback(const struct addr *a)
{
	static const uint8_t one[16] = { [15] = 1 };

	if (a->family == 4) {
		return a->b[0] == 127;
	}
	return a->family == 6 && memcmp(a->b, one, sizeof(one)) == 0;
}

bool addr_is_multicast(const struct addr *a)
{
	if (a->family == 4) {
		return (a->b[0] & 0xf0) == 0xe0 || be32_get(a->b) == 0xffffffff;
	}
	return a->family == 6 && a->b[0] == 0xff;
}

bool addr_is_linklocal(const struct addr *a)
{
	if (a->family == 4) {
		return a->b[0] == 169 && a->b[1] == 254;
	}
	return a->family == 6 && a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

bool addr_is_v4mapped(const struct addr *a)
{
	return a->family == 6 &&
	       memcmp(a->b, mapped_prefix, sizeof(mapped_prefix)) == 0;
}

struct addr addr_unmap(struct addr a)
{
	return addr_is_v4mapped(&a) ? addr_from(4, a.b + 12) : a;
}

struct addr addr_map(struct addr a)
{
	struct addr m = { .family = 6 };

	if (a.family != 4) {
		return a;
	}
	memcpy(m.b, mapped_prefix, sizeof(mapped_prefix));
	memcpy(m.b + 12, a.b, 4);
	return m;
}

bool addr_in_net(const struct addr *a, const struct addr *net, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;
	uint8_t mask = (uint8_t)(0xff00u >> rest);

	if (a->family != net->family || bits > addr_len(net) * 8) {
		return false;
	}
	if (memcmp(a->b, net->b, whole) != 0) {
		return false;
	}
	return rest == 0 || ((a->b[whole] ^ net->b[whole]) & mask) == 0;
}

bool addr_is_broadcast(const struct addr *a, const struct addr *net,
		       unsigned bits)
{
	uint32_t host = bits < 31 ? UINT32_MAX >> bits : 0;

	return host && a->family == 4 && addr_in_net(a, net, bits) &&
	       (be32_get(a->b) & host) == host;
}

/* one decimal number of at most `max`, no leading zeros; the end, or NULL */
static const char *parse_dec(const char *s, unsigned max, unsigned *out)
{
	unsigned v = 0;
	const char *p = s;

	while (*p >= '0' && *p <= '9') {
		v = v * 10 + (unsigned)(*p++ - '0');
		if (v > max) {
			return NULL;
		}
	}
	if (p == s || (*s == '0' && p != s + 1)) {
		return NULL;
	}
	*out = v;
	return p;
}

/* the end of the dotted quad, or NULL */
static const char *parse_v4(const char *s, uint8_t out[4])
{
	unsigned v;

	for (unsigned i = 0; i < 4; i++) {
		if (i > 0 && *s++ != '.') {
			return NULL;
		}
		s = parse_dec(s, 255, &v);
		if (!s) {
			return NULL;
		}
		out[i] = (uint8_t)v;
	}
	return s;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	if (c >= 'a' && c <= 'f') {
		return c - 'a' + 10;
	}
	if (c >= 'A' && c <= 'F') {
		return c - 'A' + 10;
	}
	return -1;
}

/* one to four hexadecimal digits; the end, or NULL */
static const char *parse_group(const char *s, uint8_t out[2])
{
	unsigned v = 0, n = 0;

	while (n < 5 && hex_digit(*s) >= 0) {
		v = v << 4 | (unsigned)hex_digit(*s++);
		n++;
	}
	if (n == 0 || n > 4) {
		return NULL;
	}
	be16_put(out, (uint16_t)v);
	return s;
}

/* the end of the address, or NULL (RFC 4291 2.2, without zone) */
static const char *parse_v6(const char *s, uint8_t out[16])
{
	uint8_t b[16] = { 0 };
	unsigned n = 0, gap = 17; /* octets; where "::" was (17: nowhere) */

	if (s[0] == ':') {
		if (s[1] != ':') {
			return NULL;
		}
		gap = 0;
		s += 2;
	}
	while (n < 16 && hex_digit(*s) >= 0) {
		const char *e = n <= 12 ? parse_v4(s, b + n) : NULL;

		if (e) {
			n += 4;
			s = e;
			break;
		}
		s = parse_group(s, b + n);
		if (!s) {
			return NULL;
		}
		n += 2;
		if (s[0] != ':') {
			break;
		}
		if (s[1] == ':') {
			if (gap != 17) {
				return NULL;
			}
			gap = n;
			s++;
		} else if (hex_digit(s[1]) < 0) {
			return NULL;
		}
		if (n < 16) {
			s++;
		}
	}
	/* "::" stands for at least one group of zeros */
	if (gap == 17 ? n != 16 : n > 14) {
		return NULL;
	}
	memcpy(out, b, 16);
	if (gap != 17) {
		memset(out + gap, 0, 16 - gap);
		memcpy(out + 16 - (n - gap), b + gap, n - gap);
	}
	return s;
}

/* the end of either kind of address, or NULL */
static const char *parse_any(const char *text, struct addr *out)
{
	struct addr a = { .family = 4 };
	const char *e = parse_v4(text, a.b);

	if (!e) {
		a = (struct addr){ .family = 6 };
		e = parse_v6(text, a.b);
	}
	if (e) {
		*out = a;
	}
	return e;
}

bool addr_parse(const char *text, struct addr *out)
{
	struct addr a;
	const char *e = parse_any(text, &a);

	if (!e || *e != '\0') {
		return false;
	}
	*out = a;
	return true;
}

bool addr_parse_net(const char *text, struct addr *out, unsigned *bits)
{
	struct addr a;
	const char *e = parse_any(text, &a);
	unsigned n;

	if (!e) {
		return false;
	}
	n = (unsigned)addr_len(&a) * 8;
	if (*e == '/') {
		e = parse_dec(e + 1, n, &n);
	}
	if (!e || *e != '\0') {
		return false;
	}
	*out = a;
	*bits = n;
	return true;
}

static size_t text_v4(const uint8_t *b, char *buf, size_t size)
{
	return (size_t)snprintf(buf, size, "%u.%u.%u.%u", b[0], b[1], b[2],
				b[3]);
}

/* RFC 5952: the first longest run of two or more zero groups is "::" */
static void text_v6(const uint8_t *b, char *buf, size_t size)
{
	unsigned run_at = 8, run_len = 1;
	size_t n = 0;

	for (unsigned i = 0; i < 8; i++) {
		unsigned len = 0;

		while (i + len < 8 && be16_get(b + 2 * (i + len)) == 0) {
			len++;
		}
		if (len > run_len) {
			run_at = i;
			run_len = len;
		}
	}
	for (unsigned i = 0; i < 8; i++) {
		if (i == run_at) {
			n += (size_t)snprintf(buf + n, size - n, "::");
			i += run_len - 1;
			continue;
		}
		if (i > 0 && i != run_at + run_len) {
			n += (size_t)snprintf(buf + n, size - n, ":");
		}
		n += (size_t)snprintf(buf + n, size - n, "%x",
				      be16_get(b + 2 * i));
	}
}

const char *addr_text(const struct addr *a, char buf[ADDR_TEXT_MAX])
{
	if (a->family == 4) {
		text_v4(a->b, buf, ADDR_TEXT_MAX);
	} else if (addr_is_v4mapped(a)) {
		memcpy(buf, "::ffff:", 7);
		text_v4(a->b + 12, buf + 7, ADDR_TEXT_MAX - 7);
	} else if (a->family == 6) {
		text_v6(a->b, buf, ADDR_TEXT_MAX);
	} else {
		memcpy(buf, "none", 5);
	}
	return buf;
}

struct endpoint endpoint_make(struct addr a, uint16_t port)
{
	return (struct endpoint){ .addr = a, .port = port };
}

bool endpoint_eq(const struct endpoint *a, const struct endpoint *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

const char *endpoint_text(const struct endpoint *e, char buf[ENDPOINT_TEXT_MAX])
{
	char text[ADDR_TEXT_MAX];

	addr_text(&e->addr, text);
	if (e->addr.family == 6) {
		snprintf(buf, ENDPOINT_TEXT_MAX, "[%s]:%u", text, e->port);
	} else {
		snprintf(buf, ENDPOINT_TEXT_MAX, "%s:%u", text, e->port);
	}
	return buf;
}

bool tuple_eq(const struct tuple *a, const struct tuple *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}
