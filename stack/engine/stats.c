/* The core tells when a connection disappears, with its whole record.  What it
 * does not tell is when data first and last moved and that a handshake ended:
 * that is sampled, at most every SAMPLE, as long as there are few connections.
 */
#include "stack/engine/stats.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stack/base/check.h"
#include "stack/base/list.h"
#include "stack/engine/app.h"
#include "stack/engine/crypt_use.h"
#include "stack/engine/json.h"
#include "stack/engine/past.h"
#include "stack/engine/stats_conn.h"

#define REWRITE (50 * NANOS_MS)
#define SAMPLE  (20 * NANOS_MS)

/* one closed connection, as text */
struct record {
	struct list node;
	size_t len;
	char text[];
};

struct stats {
	struct engine *e;
	int fd;
	struct list records; /* oldest first */
	unsigned n_records;
	uint64_t n_closed;
	bool dirty;
	struct instant written, sampled;
	struct stats_seen seen[STATS_SEEN_MAX];
};

/* --- what connections did ------------------------------------------------- */

static void keep_record(struct stats *s, const struct json *j)
{
	struct record *r;

	if (!j->ok) {
		return;
	}
	r = malloc(sizeof(*r) + j->len);
	if (!r) {
		return;
	}
	r->len = j->len;
	memcpy(r->text, j->buf, j->len);
	list_push_back(&s->records, &r->node);
	if (++s->n_records > STATS_CONNS_MAX) {
		r = list_entry(s->records.next, struct record, node);
		list_del(&r->node);
		free(r);
		s->n_records--;
	}
}

static void say(const struct stats *s, const struct mp_info *info,
		const char *what)
{
	char line[512];

	char id[CRYPT_USE_ID];

	if (s->e->verbose >= 2) {
		engine_log(s->e, 2, "%s%s",
			   stats_conn_line(info, line, sizeof(line)), what);
	}
	if (s->e->verbose >= 3 && info->have_session_id) {
		engine_log(s->e, 3, "session %s, role %s",
			   crypt_use_id(info, id),
			   info->crypt.role_b ? "B" : "A");
	}
}

static void bye(void *ctx, const struct mp_info *info)
{
	struct stats *s = ctx;
	struct stats_seen *seen = stats_conn_find(s->seen, info);
	struct instant now = io_time(s->e->io);
	struct json j;

	s->n_closed++;
	if (s->e->past) {
		past_note(s->e->past, info);
	}
	if (seen) {
		stats_conn_sample(seen, info, now);
	}
	say(s, info, ", closed");
	if (s->fd >= 0) {
		json_init(&j);
		stats_conn_json(&j, NULL, info, seen, true);
		/* without what json_end() puts behind the outermost bracket */
		j.len -= j.len && j.buf[j.len - 1] == '\n';
		keep_record(s, &j);
		json_fini(&j);
		s->dirty = true;
	}
	if (seen) {
		*seen = (struct stats_seen){ 0 };
	}
}

static void sample_one(void *ctx, const struct mp_info *info)
{
	struct stats *s = ctx;
	struct stats_seen *seen = stats_conn_find(s->seen, info);

	if (!seen) {
		seen = stats_conn_add(s->seen, info, io_time(s->e->io));
	}
	if (!seen) {
		return;
	}
	stats_conn_sample(seen, info, io_time(s->e->io));
	if (!seen->announced && info->mode != MP_MODE_PENDING) {
		seen->announced = true;
		say(s, info, "");
	}
}

struct stats *stats_new(struct engine *e, int fd)
{
	struct stats *s = calloc(1, sizeof(*s));

	if (!s) {
		return NULL;
	}
	s->e = e;
	s->fd = fd;
	s->sampled = io_now();
	list_init(&s->records);
	s->dirty = fd >= 0;
	stack_set_obituary(e->stack, bye, s);
	return s;
}

/* --- the file ------------------------------------------------------------- */

static void counter(void *ctx, const char *name, const char *text,
		    uint64_t value)
{
	(void)text;
	json_uint(ctx, name, value);
}

struct open_conns {
	struct stats *s;
	struct json *j;
};

static void open_conn(void *ctx, const struct mp_info *info)
{
	struct open_conns *o = ctx;

	stats_conn_json(o->j, NULL, info, stats_conn_find(o->s->seen, info),
			false);
}

static void compose(struct stats *s, struct json *j, bool final)
{
	const struct io_stats *io = io_stats(s->e->io);
	struct open_conns o = { s, j };

	json_object(j, NULL);
	json_bool(j, "final", final);
	json_text(j, "version", MPTCP_RUN_VERSION);
	json_text(j, "io",
		  io_backend(s->e->io) == IO_URING ? "io_uring" : "epoll");
	json_text(j, "io_reason", *io_why(s->e->io) ? io_why(s->e->io) : NULL);
	json_uint(j, "connections_closed", s->n_closed);
	json_array(j, "connections");
	list_each (p, &s->records) {
		const struct record *r = list_entry(p, struct record, node);

		json_raw(j, NULL, r->text, r->len);
	}
	stack_each_conn(s->e->stack, open_conn, &o);
	json_end(j, ']');
	json_object(j, "counters");
	stack_counters(s->e->stack, counter, j);
	app_counters(s->e, counter, j);
	for (unsigned i = 0; i < IO_REASON_N; i++) {
		json_uint(j, io_reason_name(i), io_counter(s->e->io, i));
	}
	json_uint(j, "TunIn", io->tun_in);
	json_uint(j, "TunOut", io->tun_out);
	json_uint(j, "CryptKeysAhead", s->e->idle.done);
	json_uint(j, "IoTurns", io->turns);
	json_uint(j, "IoSystemCalls", io->syscalls + app_calls(s->e));
	json_end(j, '}');
	json_end(j, '}');
}

/* The new text goes over the old one in one call, then the rest is cut off: a
 * reader sees the one or the other, but for the moment in between. */
static int overwrite(int fd, const struct json *j, bool final)
{
	size_t at = 0;

	if (lseek(fd, 0, SEEK_SET) < 0) {
		if (!final) {
			return 0;
		}
		while (at < j->len) {
			ssize_t n = write(fd, j->buf + at, j->len - at);

			if (n <= 0) {
				return errno;
			}
			at += (size_t)n;
		}
		return 0;
	}
	while (at < j->len) {
		ssize_t n = pwrite(fd, j->buf + at, j->len - at, (off_t)at);

		if (n <= 0) {
			return errno;
		}
		at += (size_t)n;
	}
	return ftruncate(fd, (off_t)j->len) == 0 ? 0 : errno;
}

static void write_file(struct stats *s, bool final)
{
	struct json j;
	int err = ENOMEM;

	if (s->fd < 0) {
		return;
	}
	json_init(&j);
	compose(s, &j, final);
	if (j.ok) {
		err = overwrite(s->fd, &j, final);
	}
	json_fini(&j);
	if (err) {
		engine_log(s->e, 1, "statistics are no longer written: %s",
			   strerror(err));
		close(s->fd);
		s->fd = -1;
	}
	s->dirty = false;
	s->written = io_time(s->e->io);
}

static struct instant next_write(const struct stats *s)
{
	return instant_add(s->written, REWRITE);
}

void stats_turn(struct stats *s)
{
	struct instant now = io_time(s->e->io);

	if ((s->fd >= 0 || s->e->verbose >= 2) &&
	    instant_since(now, s->sampled) >= SAMPLE &&
	    stack_conns(s->e->stack) <= STATS_SEEN_MAX) {
		s->sampled = now;
		stack_each_conn(s->e->stack, sample_one, s);
	}
	if (s->e->past) {
		past_turn(s->e->past, now);
	}
	if (s->dirty && instant_due(next_write(s), now)) {
		write_file(s, false);
	}
}

struct instant stats_deadline(const struct stats *s)
{
	return s->dirty ? next_write(s) : INSTANT_NEVER;
}

void stats_final(struct stats *s)
{
	write_file(s, true);
}

void stats_free(struct stats *s)
{
	if (!s) {
		return;
	}
	list_each_safe (p, &s->records) {
		free(list_entry(p, struct record, node));
	}
	if (s->fd >= 0) {
		close(s->fd);
	}
	free(s);
}
