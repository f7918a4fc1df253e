#include "stack/engine/known.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stack/base/bytes.h"
#include "stack/base/check.h"

void known_init(struct known *k)
{
	*k = (struct known){ 0 };
}

void known_fini(struct known *k)
{
	free(k->e);
	known_init(k);
}

static int compare(const struct endpoint *a, const struct endpoint *b)
{
	if (a->addr.family != b->addr.family) {
		return a->addr.family < b->addr.family ? -1 : 1;
	}
	if (!addr_eq(&a->addr, &b->addr)) {
		return memcmp(a->addr.b, b->addr.b, sizeof(a->addr.b));
	}
	return a->port < b->port ? -1 : a->port > b->port;
}

/* where it is, or belongs */
static unsigned place(const struct known *k, const struct endpoint *to)
{
	unsigned lo = 0, hi = k->n;

	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;

		if (compare(&k->e[mid].to, to) < 0) {
			lo = mid + 1;
		} else {
			hi = mid;
		}
	}
	return lo;
}

static bool is_at(const struct known *k, unsigned i, const struct endpoint *to)
{
	return i < k->n && compare(&k->e[i].to, to) == 0;
}

const struct known_entry *known_find(const struct known *k,
				     const struct endpoint *to, int64_t now)
{
	unsigned i = place(k, to);

	if (!is_at(k, i, to) || now - k->e[i].last > KNOWN_AGE) {
		return NULL;
	}
	return &k->e[i];
}

static void drop(struct known *k, unsigned i)
{
	memmove(&k->e[i], &k->e[i + 1], (k->n - i - 1) * sizeof(*k->e));
	k->n--;
}

static void drop_oldest(struct known *k)
{
	unsigned old = 0;

	for (unsigned i = 1; i < k->n; i++) {
		if (k->e[i].last < k->e[old].last) {
			old = i;
		}
	}
	drop(k, old);
}

static bool grow(struct known *k)
{
	unsigned room = k->room ? 2 * k->room : 16;
	struct known_entry *e;

	if (k->n < k->room) {
		return true;
	}
	e = realloc(k->e, room * sizeof(*e));
	if (!e) {
		return false;
	}
	k->e = e;
	k->room = room;
	return true;
}

static bool join(struct known_entry *have, const struct known_entry *e)
{
	bool news =
		e->mode > have->mode || e->last - have->last >= KNOWN_REFRESH;

	if (e->mode > have->mode) {
		have->mode = e->mode;
	}
	if (e->first < have->first) {
		have->first = e->first;
	}
	if (news && e->last > have->last) {
		have->last = e->last;
	}
	return news;
}

bool known_add(struct known *k, const struct known_entry *e)
{
	unsigned i = place(k, &e->to);

	if (e->mode == KNOWN_NONE) {
		return false;
	}
	if (is_at(k, i, &e->to)) {
		return join(&k->e[i], e);
	}
	if (k->n == KNOWN_MAX) {
		drop_oldest(k);
		i = place(k, &e->to);
	}
	if (!grow(k)) {
		return false;
	}
	memmove(&k->e[i + 1], &k->e[i], (k->n - i) * sizeof(*k->e));
	k->e[i] = *e;
	k->n++;
	return true;
}

void known_expire(struct known *k, int64_t now)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < k->n; i++) {
		if (now - k->e[i].last <= KNOWN_AGE) {
			k->e[kept++] = k->e[i];
		}
	}
	k->n = kept;
}

/* --- lines ---------------------------------------------------------------------- */

const char *known_mode_text(enum known_mode m)
{
	switch (m) {
	case KNOWN_TCPCRYPT:
		return "tcpcrypt";
	case KNOWN_SMTCP:
		return "smtcp";
	case KNOWN_NONE:
		break;
	}
	return "none";
}

void known_text(const struct known_entry *e, char out[KNOWN_LINE])
{
	char a[ADDR_TEXT_MAX];

	snprintf(out, KNOWN_LINE, "%s %u %s %" PRId64 " %" PRId64,
		 addr_text(&e->to.addr, a), e->to.port,
		 known_mode_text(e->mode), e->first, e->last);
}

bool known_parse(const char *line, struct known_entry *out)
{
	char addr[ADDR_TEXT_MAX], mode[16], rest;
	unsigned port;
	int n;

	*out = (struct known_entry){ 0 };
	static_assert(ADDR_TEXT_MAX == 46, "in the format below");
	n = sscanf(line, "%45s %u %15s %" SCNd64 " %" SCNd64 " %c", addr, &port,
		   mode, &out->first, &out->last, &rest);
	if (n != 5 || port == 0 || port > 65535 || out->first < 0 ||
	    out->last < out->first || !addr_parse(addr, &out->to.addr)) {
		return false;
	}
	out->to.port = (uint16_t)port;
	for (int m = KNOWN_TCPCRYPT; m <= KNOWN_SMTCP; m++) {
		if (strcmp(mode, known_mode_text((enum known_mode)m)) == 0) {
			out->mode = (enum known_mode)m;
			return true;
		}
	}
	return false;
}
