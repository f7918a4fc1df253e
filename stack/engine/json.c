#include "stack/engine/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stack/base/check.h"

void json_init(struct json *j)
{
	*j = (struct json){ .ok = true };
}

void json_fini(struct json *j)
{
	free(j->buf);
	*j = (struct json){ 0 };
}

static void put(struct json *j, const char *p, size_t n)
{
	if (j->ok && j->cap - j->len < n) {
		size_t cap = (j->cap + n) * 2;
		char *buf = realloc(j->buf, cap);

		if (buf) {
			j->buf = buf;
			j->cap = cap;
		} else {
			j->ok = false;
		}
	}
	if (j->ok && n) {
		memcpy(j->buf + j->len, p, n);
		j->len += n;
	}
}

static void put_text(struct json *j, const char *text)
{
	put(j, text, strlen(text));
}

/* octets of the well-formed UTF-8 sequence at p; 0: none (RFC 3629 4) */
static unsigned utf8(const unsigned char *p)
{
	unsigned n = p[0] < 0x80   ? 1
		     : p[0] < 0xc2 ? 0
		     : p[0] < 0xe0 ? 2
		     : p[0] < 0xf0 ? 3
		     : p[0] < 0xf5 ? 4
				   : 0;
	static const unsigned char low[] = { [0] = 0xa0, [0x10] = 0x90 };
	static const unsigned char high[] = { [0x0d] = 0x9f, [0x14] = 0x8f };

	for (unsigned i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80) {
			return 0; /* the terminator stops here, too */
		}
	}
	if (n >= 3) {
		unsigned lead = p[0] - 0xe0u;

		if (lead < sizeof(low) && low[lead] && p[1] < low[lead]) {
			return 0;
		}
		if (lead < sizeof(high) && high[lead] && p[1] > high[lead]) {
			return 0;
		}
	}
	return n;
}

static void put_quoted(struct json *j, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	put(j, "\"", 1);
	while (*p) {
		unsigned n = utf8(p);
		char esc[8];

		if (n == 0) {
			put_text(j, "\\ufffd");
			n = 1;
		} else if (*p == '"' || *p == '\\') {
			put(j, "\\", 1);
			put(j, (const char *)p, 1);
		} else if (*p < 0x20) {
			snprintf(esc, sizeof(esc), "\\u%04x", *p);
			put_text(j, esc);
		} else {
			put(j, (const char *)p, n);
		}
		p += n;
	}
	put(j, "\"", 1);
}

/* the comma, the line and the key in front of a value */
static void lead(struct json *j, const char *key)
{
	if (j->comma[j->depth]) {
		put(j, ",", 1);
	}
	j->comma[j->depth] = true;
	if (j->depth > 0 && j->depth <= 2) {
		put_text(j, "\n");
	}
	if (key) {
		put_quoted(j, key);
		put_text(j, ": ");
	}
}

static void open(struct json *j, const char *key, const char *bracket)
{
	lead(j, key);
	put_text(j, bracket);
	check(j->depth + 1 < JSON_DEPTH_MAX);
	j->depth++;
	j->comma[j->depth] = false;
}

void json_object(struct json *j, const char *key)
{
	open(j, key, "{");
}

void json_array(struct json *j, const char *key)
{
	open(j, key, "[");
}

void json_end(struct json *j, char bracket)
{
	check(j->depth > 0);
	j->depth--;
	put(j, &bracket, 1);
	if (j->depth == 0) {
		put_text(j, "\n");
	}
}

void json_text(struct json *j, const char *key, const char *value)
{
	lead(j, key);
	if (value) {
		put_quoted(j, value);
	} else {
		put_text(j, "null");
	}
}

void json_uint(struct json *j, const char *key, uint64_t value)
{
	char text[24];

	lead(j, key);
	snprintf(text, sizeof(text), "%" PRIu64, value);
	put_text(j, text);
}

void json_bool(struct json *j, const char *key, bool value)
{
	lead(j, key);
	put_text(j, value ? "true" : "false");
}

void json_raw(struct json *j, const char *key, const char *text, size_t n)
{
	lead(j, key);
	put(j, text, n);
}
