/* what is said about beginnings, and what is remembered: with a keeper's
 * socket in our own hands */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "stack/base/check.h"
#include "stack/crypt/crypt_memo.h"
#include "stack/engine/past.h"
#include "stack/mptcp/mp_crypt.h"
#include "stack/sock/sock_state.h"
#include "tests/lib/fake.h"

static struct fake fake;
static struct engine e;
static struct run_conf conf;
static struct past *p;
static int keeper;
static char line[PAST_LINE], logged[600];

void engine_log(const struct engine *en, int level, const char *fmt, ...)
{
	va_list ap;

	assert_true(en->verbose >= level);
	va_start(ap, fmt);
	vsnprintf(logged, sizeof(logged), fmt, ap);
	va_end(ap);
}

static struct endpoint server(void)
{
	return endpoint_make(addr_v4(192, 0, 2, 1), 80);
}

static struct known before(enum known_mode m, int64_t days)
{
	struct known_entry old = { .to = server(), .mode = m };
	struct known k;

	old.first = old.last = time(NULL) - days * 86400 - 60;
	known_init(&k);
	if (m != KNOWN_NONE) {
		assert_true(known_add(&k, &old));
	}
	return k;
}

static void begin(enum known_mode m, int64_t days, const char *file)
{
	struct past_setup s = { &conf, before(m, days), file };

	past_free(p);
	p = past_new(&e, &s);
	assert_non_null(p);
	logged[0] = '\0';
}

static int setup(void **state)
{
	int sv[2];

	(void)state;
	fake_init(&fake, 1);
	conf_init(&conf);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, sv), 0);
	keeper = sv[0];
	e = (struct engine){ .keeper_fd = sv[1], .verbose = 1 };
	e.io = io_new(IO_EPOLL);
	return e.io ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	past_free(p);
	p = NULL;
	io_free(e.io);
	close(keeper);
	close(e.keeper_fd);
	fake_fini(&fake);
	return 0;
}

static struct mp_info i; /* too large for a frame */

static void plain(void)
{
	i = (struct mp_info){ .mode = MP_MODE_TCP,
			      .why_plain = MP_FALLBACK_SYNACK,
			      .why_clear = CRYPT_OFF_NO_SYNACK,
			      .n_subs = 1 };
	i.sub[0].t.remote = server();
}

static void sealed(void)
{
	plain();
	i.mode = MP_MODE_MPTCP;
	i.sealed = true;
	i.sec = MP_SEC_SMTCP;
	i.crypt.rx_frames = 1;
}

static bool has(const char *text)
{
	return strstr(line, text) != NULL;
}

/* clients of our listeners: with -v, one line for each address */
static void test_clients(void **state)
{
	(void)state;
	plain();
	i.passive = true;
	conf.crypt.policy = CONF_CRYPT_REQUIRE;
	begin(KNOWN_NONE, 0, "");
	logged[0] = '\0';
	past_client(p, &i);
	assert_string_equal(logged, ""); /* not without -v */
	e.verbose = 2;
	past_client(p, &i);
	assert_non_null(strstr(logged, "client 192.0.2.1:80 refused: it is not "
				       "encrypted: "));
	assert_non_null(strstr(logged, "; --crypt=prefer would accept it"));
	logged[0] = '\0';
	i.sub[0].t.remote.port++;
	past_client(p, &i);
	assert_string_equal(logged, "");
	i.sub[0].t.remote.addr = addr_v4(192, 0, 2, 2);
	past_client(p, &i);
	assert_non_null(strstr(logged, "client 192.0.2.2:81 refused"));
	logged[0] = '\0';
	i.passive = false;
	e.verbose = 1;
}

static void test_refusals(void **state)
{
	(void)state;
	plain();
	conf.crypt.policy = CONF_CRYPT_REQUIRE;
	begin(KNOWN_NONE, 0, "");
	past_refused(p, &i, line);
	assert_true(has("192.0.2.1:80 refused: it is not encrypted: no ENO "
			"option in the SYN-ACK; --crypt=prefer"));
	past_refused(p, &i, line);
	assert_string_equal(line, ""); /* once */
	i.sealed = true;
	i.sec = MP_SEC_TCPCRYPT;
	begin(KNOWN_NONE, 0, "");
	past_refused(p, &i, line);
	assert_true(has("encrypted, but without Multipath TCP: the "
			"SYN/ACK had no MP_CAPABLE"));
	assert_true(has("; --crypt=require-any"));
	conf.crypt.policy = CONF_CRYPT_PREFER;
	conf.mptcp = CONF_MPTCP_REQUIRE;
	begin(KNOWN_NONE, 0, "");
	past_refused(p, &i, line);
	assert_true(has("refused: no Multipath TCP: the SYN/ACK "));
	assert_true(has("; --mptcp=prefer"));
	assert_string_equal(logged, "");
}

static void test_verbosity(void **state)
{
	(void)state;
	plain();
	conf.crypt.policy = CONF_CRYPT_REQUIRE_ANY;
	e.verbose = 2; /* the log has it, not the program */
	begin(KNOWN_NONE, 0, "");
	past_refused(p, &i, line);
	assert_string_equal(line, "");
	assert_non_null(strstr(logged, "192.0.2.1:80 refused"));
	e.verbose = 0;
	begin(KNOWN_NONE, 0, "");
	past_refused(p, &i, line);
	assert_string_equal(line, "");
	assert_string_equal(logged, "");
}

static void test_less(void **state)
{
	(void)state;
	plain();
	i.weaker = true;
	begin(KNOWN_SMTCP, 3, "/state/known");
	past_connected(p, &i, line);
	assert_true(has("192.0.2.1:80: not encrypted: no ENO option in the "
			"SYN-ACK; earlier it was smtcp (3 days ago): somebody "
			"on the path may have prevented that; "
			"--crypt-memory=enforce would refuse"));
	past_connected(p, &i, line);
	assert_string_equal(line, "");
	i.weaker = false;
	begin(KNOWN_SMTCP, 3, "/state/known");
	past_connected(p, &i, line);
	assert_string_equal(line, "");
	/* enforced: with the way out */
	conf.crypt.memory = CONF_MEMORY_ENFORCE;
	i.weaker = true;
	past_refused(p, &i, line);
	assert_true(has("192.0.2.1:80 refused: not encrypted: no ENO"));
	assert_true(has("; to allow it, delete its line in /state/known"));
	begin(KNOWN_SMTCP, 0, "");
	past_refused(p, &i, line);
	assert_true(has("(0 days ago)"));
	assert_true(has("; --crypt-memory=warn would connect"));
	begin(KNOWN_SMTCP, 0, "");
	i.sealed = true;
	past_refused(p, &i, line);
	assert_true(has("encrypted, but without Multipath TCP: "));
}

static bool told(void)
{
	char b[1000];

	return recv(keeper, b, sizeof(b), 0) > 0;
}

/* only what the peer has proved, and only once */
static void test_note(void **state)
{
	(void)state;
	sealed();
	begin(KNOWN_NONE, 0, "x");
	i.crypt.rx_frames = 0; /* options say so; anybody can put them in */
	past_note(p, &i);
	sealed();
	i.passive = true;
	past_note(p, &i);
	plain();
	past_note(p, &i);
	assert_false(told());
	sealed();
	past_note(p, &i);
	assert_true(told());
	past_note(p, &i);
	assert_false(told());
	/* known from an earlier run, today */
	begin(KNOWN_SMTCP, 0, "x");
	past_note(p, &i);
	assert_false(told());
	begin(KNOWN_TCPCRYPT, 0, "x"); /* better now */
	past_note(p, &i);
	assert_true(told());
	begin(KNOWN_SMTCP, 2, "x"); /* seen again */
	past_note(p, &i);
	assert_true(told());
	conf.crypt.memory = CONF_MEMORY_OFF;
	begin(KNOWN_NONE, 0, "x");
	past_note(p, &i);
	assert_false(told());
}

/* the core finds what earlier runs found, by its own name for it */
static void test_tell(void **state)
{
	static const struct {
		enum known_mode mode;
		int64_t days;
		enum crypt_memo_level level;
	} t[] = {
		{ KNOWN_TCPCRYPT, 1, CRYPT_MEMO_TCPCRYPT },
		{ KNOWN_SMTCP, 1, CRYPT_MEMO_SMTCP },
		{ KNOWN_SMTCP, 181, CRYPT_MEMO_NONE }, /* long forgotten */
	};
	const struct stack_cfg cfg = { .mp = { .policy = MP_PREFER,
					       .crypt_policy = MP_CRYPT_PREFER,
					       .memo_mode = MP_MEMO_WARN } };
	uint8_t name[CRYPT_PEER_MAX];
	struct endpoint to = server();
	size_t n = mp_crypt_name(&to, name);

	(void)state;
	for (unsigned k = 0; k < ARRAY_SIZE(t); k++) {
		struct stack *s = stack_new(&fake.env, &cfg, io_now());
		const struct crypt_memo_entry *m;

		assert_non_null(s);
		begin(t[k].mode, t[k].days, "x");
		past_tell(p, s);
		m = crypt_memo_get(s->memo, name, n);
		assert_int_equal(m ? m->level : CRYPT_MEMO_NONE, t[k].level);
		assert_true(!m || instant_since(io_now(), m->when) >=
					  86400 * NANOS_S);
		stack_free(s);
	}
}

/* no memory asked for: nothing is kept, and telling is harmless */
static void test_tell_nobody(void **state)
{
	const struct stack_cfg cfg = { .mp = { .policy = MP_PREFER,
					       .crypt_policy =
						       MP_CRYPT_PREFER } };
	struct stack *s = stack_new(&fake.env, &cfg, io_now());

	(void)state;
	assert_non_null(s);
	assert_null(s->memo);
	begin(KNOWN_SMTCP, 1, "x");
	past_tell(p, s);
	stack_free(s);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_refusals), T(test_clients), T(test_verbosity), T(test_less),
		T(test_note),     T(test_tell),      T(test_tell_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
