/* common.h - two ends that talk by hand, for the tests of stack/crypt */
#ifndef TESTS_UNIT_CRYPT_COMMON_H
#define TESTS_UNIT_CRYPT_COMMON_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/base/check.h"
#include "stack/crypt/crypt.h"
#include "tests/lib/fake.h"
#include "tests/unit/wire/hex.h"

static const struct instant t0 = { 1000000000 };

/* MP_CAPABLE of SYN, of SYN-ACK, Key-A, Key-B */
static const char mpc_text[] =
	"1e040101 1e0c0101 1112131415161718 0102030405060708 1112131415161718";

struct end {
	struct fake fake;
	struct crypt *crypt;
	struct crypt_conf conf;
	struct crypt_conn *conn;
	char keylog[400];
	uint64_t offset; /* of the next frame sealed */
};

/* all that one end sent has arrived, in order */
static inline void all_came(struct end *from, struct end *to)
{
	crypt_received(to->conn, from->offset);
	crypt_acked(from->conn, from->offset);
}

static inline void keep_line(void *ctx, const char *text)
{
	struct end *e = ctx;

	snprintf(e->keylog, sizeof(e->keylog), "%s", text);
}

static inline void end_init(struct end *e, uint64_t seed)
{
	const struct crypt_setup s = { .keylog = { keep_line, e } };

	memset(e, 0, sizeof(*e));
	fake_init(&e->fake, seed);
	e->crypt = crypt_new(&e->fake.env, &s);
	assert_non_null(e->crypt);
	crypt_conf_init(&e->conf);
}

static inline void end_fini(struct end *e)
{
	crypt_conn_free(e->conn);
	crypt_free(e->crypt);
	fake_fini(&e->fake);
}

static inline void end_open(struct end *e, bool active)
{
	crypt_conn_free(e->conn);
	e->conn = crypt_conn_new(e->crypt, &e->conf, active, "peer",
				 active ? 4 : 0);
	e->offset = 0;
	assert_non_null(e->conn);
}

/* a segment from one end to the other, with the options given */
static inline void deliver(struct end *to, enum crypt_seg seg,
			   const uint8_t *opt, unsigned n)
{
	struct eno_opt_seen seen = { 0 };
	uint8_t *copy = heap_copy(opt, n);

	if (n > 0) {
		eno_opt_note(&seen, copy, (uint8_t)n);
	}
	crypt_seg_in(to->conn, t0, seg, &seen);
	free(copy);
}

static inline unsigned pass(struct end *from, struct end *to,
			    enum crypt_seg seg)
{
	uint8_t opt[64];
	unsigned n = crypt_seg_out(from->conn, t0, seg, opt, ENO_OPT_MAX);

	deliver(to, seg, opt, n);
	return n;
}

/* SYN, SYN-ACK, ACK */
static inline void three_way(struct end *a, struct end *b)
{
	end_open(a, true);
	end_open(b, false);
	pass(a, b, CRYPT_SEG_SYN);
	pass(b, a, CRYPT_SEG_SYNACK);
	pass(a, b, CRYPT_SEG_ACK);
}

/* Init of one end to the other, in parts of at most `part` octets */
static inline enum crypt_reason give_init(struct end *from, struct end *to,
					  size_t part)
{
	enum crypt_reason r = CRYPT_OK;
	size_t n, used;
	const uint8_t *p = crypt_init_out(from->conn, &n);
	size_t all = n;

	for (size_t at = 0; at < all && r == CRYPT_OK; at += part) {
		n = min_size(part, all - at);
		r = crypt_init_in(to->conn, t0, p + at, n, &used);
		if (r == CRYPT_OK) {
			assert_int_equal(used, n);
		}
	}
	from->offset = all;
	crypt_init_sent(from->conn);
	return r;
}

/* crypt_start() and, unless resumed, both Init messages */
static inline void key_up(struct end *a, struct end *b)
{
	uint8_t mpc[64];
	unsigned n = hex(mpc_text, mpc);

	assert_int_equal(crypt_state(a->conn), CRYPT_AGREED);
	assert_int_equal(crypt_state(b->conn), CRYPT_AGREED);
	assert_int_equal(crypt_start(a->conn, t0, mpc, n), CRYPT_OK);
	assert_int_equal(crypt_start(b->conn, t0, mpc, n), CRYPT_OK);
	if (crypt_state(a->conn) == CRYPT_INIT) {
		struct crypt_info i;
		struct end *was = a;

		/* host A begins, whoever that is */
		crypt_info(a->conn, &i);
		a = i.role_b ? b : a;
		b = i.role_b ? was : b;
		assert_int_equal(give_init(a, b, 1000), CRYPT_OK);
		assert_int_equal(give_init(b, a, 1000), CRYPT_OK);
	}
	assert_int_equal(crypt_state(a->conn), CRYPT_KEYED);
	assert_int_equal(crypt_state(b->conn), CRYPT_KEYED);
}

/* a frame with this text; fin: FINp.  Returns its length */
static inline size_t seal(struct end *e, const char *text, bool fin,
			  uint8_t *out, size_t room)
{
	const struct iov in = { (const uint8_t *)text, strlen(text) };
	const struct crypt_seal s = {
		.now = t0, .offset = e->offset, .fin = fin, .in = &in, .n_in = 1
	};
	const struct iov_mut v = { out, room };
	size_t len;

	assert_int_equal(crypt_seal(e->conn, &s, &v, 1, &len), CRYPT_OK);
	assert_int_equal(len, crypt_frame_len(out));
	e->offset += len;
	return len;
}

static inline enum crypt_reason open_at(struct end *e, uint64_t offset,
					const uint8_t *frame, size_t len,
					char *text)
{
	uint8_t *copy = heap_copy(frame, len);
	const struct iov_mut v = { copy, len };
	struct crypt_opened o;
	enum crypt_reason r = crypt_open(e->conn, t0, offset, &v, 1, len, &o);

	if (r == CRYPT_OK && text) {
		memcpy(text, copy + o.data_at, o.data_len);
		text[o.data_len] = 0;
	}
	free(copy);
	return r;
}

/* text from one end arrives at the other */
static inline void say(struct end *from, struct end *to, const char *text)
{
	static uint8_t frame[2000];
	static char got[2000];
	uint64_t at = from->offset;
	size_t n = seal(from, text, false, frame, sizeof(frame));

	assert_int_equal(open_at(to, at, frame, n, got), CRYPT_OK);
	assert_string_equal(got, text);
	all_came(from, to);
}

static inline void same_id(const struct end *a, const struct end *b)
{
	uint8_t x[CRYPT_SESSION_ID], y[CRYPT_SESSION_ID];

	assert_true(crypt_session_id(a->conn, x));
	assert_true(crypt_session_id(b->conn, y));
	assert_memory_equal(x, y, sizeof(x));
}

static inline void is_off(const struct end *e, enum crypt_reason why)
{
	assert_int_equal(crypt_state(e->conn), CRYPT_OFF);
	assert_string_equal(crypt_reason_name(crypt_why(e->conn)),
			    crypt_reason_name(why));
}

static inline uint64_t counts(const struct end *e, enum crypt_reason r)
{
	return crypt_counter(e->crypt, r);
}

#endif
