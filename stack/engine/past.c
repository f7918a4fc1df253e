#include "stack/engine/past.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "stack/base/check.h"
#include "stack/engine/crypt_use.h"
#include "stack/engine/keeper.h"
#include "stack/engine/notice.h"

enum kind {
	SAY_REFUSED,
	SAY_LESS,
	SAY_CLIENT,
};

struct past {
	struct engine *e;
	const struct run_conf *conf;
	struct known known;
	const char *file;
	struct notice notice;
	struct instant said;    /* past_turn() did */
	uint64_t refused;       /* clients, of the core's count */
	uint64_t ours;          /* of these: connections of programs here */
};

static bool remembers(const struct run_conf *c)
{
	return c->crypt.policy != CONF_CRYPT_OFF &&
	       c->crypt.memory != CONF_MEMORY_OFF;
}

static enum mp_sec sec_of(enum known_mode m)
{
	switch (m) {
	case KNOWN_TCPCRYPT:
		return MP_SEC_TCPCRYPT;
	case KNOWN_SMTCP:
		return MP_SEC_SMTCP;
	case KNOWN_NONE:
		break;
	}
	return MP_SEC_NONE;
}

void past_tell(struct past *p, struct stack *s)
{
	int64_t wall = time(NULL);

	known_expire(&p->known, wall);
	for (unsigned i = 0; i < p->known.n; i++) {
		const struct known_entry *e = &p->known.e[i];
		nanos ago = wall > e->last ? (wall - e->last) * NANOS_S : 0;

		stack_recall(s, &e->to, sec_of(e->mode),
			     instant_add(io_now(), -ago));
	}
}

struct past *past_new(struct engine *e, const struct past_setup *s)
{
	struct past *p = calloc(1, sizeof(*p));

	if (!p) {
		return NULL;
	}
	p->e = e;
	p->conf = s->conf;
	p->known = s->known;
	p->file = s->file;
	return p;
}

void past_free(struct past *p)
{
	if (p) {
		known_fini(&p->known);
		free(p);
	}
}

static struct endpoint destination(const struct mp_info *i)
{
	const struct endpoint *r = &i->sub[0].t.remote;

	return endpoint_make(addr_unmap(r->addr), r->port);
}

/* With -v the log has it, with -q nobody; else it is left in line. */
static void say(struct past *p, enum kind kind, const struct mp_info *i,
		char line[PAST_LINE])
{
	struct endpoint to = destination(i);

	if (p->e->verbose >= 1 &&
	    !notice_may(&p->notice, io_time(p->e->io), (uint8_t)kind, &to)) {
		line[0] = '\0';
	}
	if (line[0] && p->e->verbose >= 2) {
		engine_log(p->e, 2, "%s", line);
	}
	if (p->e->verbose != 1) {
		line[0] = '\0';
	}
}

static const char *to_text(const struct mp_info *i, char out[ENDPOINT_TEXT_MAX])
{
	struct endpoint to = destination(i);

	return endpoint_text(&to, out);
}

/* --- refused --------------------------------------------------------------------- */

static void refusal(const struct past *p, const struct mp_info *i,
		    char line[PAST_LINE])
{
	const char *clear = crypt_use_why(i), *plain = "";
	const char *would = i->passive ? "accept it" : "connect";
	char to[ENDPOINT_TEXT_MAX + 8] = "";

	memcpy(to, "client ", i->passive ? 8 : 0);
	to_text(i, to + strlen(to));
	if (i->mode == MP_MODE_TCP) {
		plain = mp_reason_text(i->why_plain);
	}
	if (p->conf->crypt.policy >= CONF_CRYPT_REQUIRE_ANY && !i->sealed) {
		snprintf(line, PAST_LINE,
			 "%s refused: it is not encrypted: %s; --crypt=prefer "
			 "would %s",
			 to, clear ? clear : "the handshake did not get there",
			 would);
	} else if (p->conf->crypt.policy == CONF_CRYPT_REQUIRE &&
		   i->sec != MP_SEC_SMTCP) {
		snprintf(
			line, PAST_LINE,
			"%s refused: encrypted, but without Multipath TCP%s%s; "
			"--crypt=require-any would %s",
			to, *plain ? ": " : "", plain, would);
	} else {
		snprintf(line, PAST_LINE,
			 "%s refused: no Multipath TCP%s%s; --mptcp=prefer "
			 "would %s",
			 to, *plain ? ": " : "", plain, would);
	}
}

/* --- less than before ------------------------------------------------------------ */

/* what this connection is not, in words */
static void lack(const struct mp_info *i, char out[PAST_LINE])
{
	const char *why = crypt_use_why(i);

	if (i->sealed) {
		snprintf(out, PAST_LINE,
			 "encrypted, but without Multipath TCP%s%s",
			 i->mode == MP_MODE_TCP ? ": " : "",
			 i->mode == MP_MODE_TCP ? mp_reason_text(i->why_plain)
						: "");
	} else {
		snprintf(out, PAST_LINE, "not encrypted%s%s", why ? ": " : "",
			 why ? why : "");
	}
}

/* "192.0.2.1:80: not encrypted: no ENO ...; earlier it was smtcp (3 days ago):
 * somebody on the path may have prevented that; ..." */
static void less(const struct past *p, const struct mp_info *i, bool refused,
		 char line[PAST_LINE])
{
	struct endpoint dst = destination(i);
	int64_t now = time(NULL);
	const struct known_entry *e = known_find(&p->known, &dst, now);
	char to[ENDPOINT_TEXT_MAX], what[PAST_LINE];
	size_t n;

	lack(i, what);
	snprintf(line, PAST_LINE,
		 "%s%s: %.200s; earlier it was %s (%lld days ago): somebody on "
		 "the path may have prevented that; ",
		 to_text(i, to), refused ? " refused" : "", what,
		 known_mode_text(e ? e->mode : KNOWN_NONE),
		 (long long)(e ? (now - e->last) / 86400 : 0));
	n = strlen(line);
	if (!refused) {
		snprintf(line + n, PAST_LINE - n,
			 "--crypt-memory=enforce would refuse");
	} else if (*p->file) {
		snprintf(line + n, PAST_LINE - n,
			 "to allow it, delete its line in %s", p->file);
	} else {
		snprintf(line + n, PAST_LINE - n,
			 "--crypt-memory=warn would connect");
	}
}

static void count(void *ctx, const char *name, const char *text, uint64_t value)
{
	uint64_t *n = ctx;

	(void)text;
	if (strcmp(name, mp_reason_name(MP_CRYPT_REFUSED)) == 0 ||
	    strcmp(name, mp_reason_name(MP_REQUIRE_REFUSED)) == 0) {
		*n += value;
	}
}

static bool requires(const struct run_conf *c)
{
	return c->crypt.policy >= CONF_CRYPT_REQUIRE_ANY ||
	       c->mptcp == CONF_MPTCP_REQUIRE;
}

void past_turn(struct past *p, struct instant now)
{
	uint64_t n = 0;

	if (p->e->verbose < 2 || !requires(p->conf) ||
	    instant_since(now, p->said) < PAST_EVERY) {
		return;
	}
	stack_counters(p->e->stack, count, &n);
	n -= min_u64(n, p->ours);
	if (n > p->refused) {
		engine_log(
			p->e, 2,
			"refused clients without what --crypt or --mptcp "
			"requires, %llu by now; \"prefer\" would accept them",
			(unsigned long long)n);
		p->refused = n;
		p->said = now;
	}
}

void past_refused(struct past *p, const struct mp_info *i, char line[PAST_LINE])
{
	bool forced = i->weaker &&
		      p->conf->crypt.memory == CONF_MEMORY_ENFORCE &&
		      p->conf->crypt.policy < CONF_CRYPT_REQUIRE;

	p->ours++;
	if (forced) {
		less(p, i, true, line);
	} else {
		refusal(p, i, line);
	}
	say(p, SAY_REFUSED, i, line);
}

void past_client(void *past, const struct mp_info *i)
{
	struct past *p = past;
	struct endpoint from = endpoint_make(destination(i).addr, 0);
	char line[PAST_LINE];

	if (p->e->verbose >= 2 &&
	    notice_may(&p->notice, io_time(p->e->io), SAY_CLIENT, &from)) {
		refusal(p, i, line);
		engine_log(p->e, 2, "%s", line);
	}
}

void past_connected(struct past *p, const struct mp_info *i,
		    char line[PAST_LINE])
{
	line[0] = '\0';
	if (i->weaker) {
		less(p, i, false, line);
		say(p, SAY_LESS, i, line);
	}
}

/* --- what outlives the run ------------------------------------------------------- */

static enum known_mode mode_of(const struct mp_info *i)
{
	switch (i->sec) {
	case MP_SEC_TCPCRYPT:
		return KNOWN_TCPCRYPT;
	case MP_SEC_SMTCP:
		return KNOWN_SMTCP;
	case MP_SEC_NONE:
		break;
	}
	return KNOWN_NONE;
}

void past_note(struct past *p, const struct mp_info *i)
{
	struct known_entry e = { .to = destination(i), .mode = mode_of(i) };

	/* options alone prove nothing: anybody can put them in */
	if (!remembers(p->conf) || i->passive || !i->sealed ||
	    i->crypt.rx_frames == 0 || e.mode == KNOWN_NONE) {
		return;
	}
	e.first = e.last = time(NULL);
	if (known_add(&p->known, &e) && p->e->keeper_fd >= 0) {
		keeper_known(p->e->keeper_fd, &e);
	}
}
