/* the statistics file: always one valid JSON text, whatever the file is */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "stack/engine/stats.h"
#include "stack/engine/stats_conn.h"
#include "stack/wire/crypt_msg.h"
#include "stack/wire/eno_opt.h"

static char text[1 << 20];
static struct engine e;
static struct mem mem;
static struct env env;

static void *get(void *ctx, size_t n)
{
	(void)ctx;
	return malloc(n);
}

static void put(void *ctx, void *p, size_t n)
{
	(void)ctx;
	(void)n;
	free(p);
}

static void fill(void *ctx, void *p, size_t n)
{
	(void)ctx;
	memset(p, 7, n);
}

static int setup(void **state)
{
	struct stack_cfg cfg = { .mp = { .policy = MP_PREFER,
					 .subflows_max = 8,
					 .scheduler = "minrtt" } };

	(void)state;
	mem = (struct mem){ .alloc = get, .release = put, .limit = 1u << 30 };
	env = (struct env){ .mem = &mem, .entropy = { fill, NULL } };
	e = (struct engine){ .keeper_fd = -1 };
	e.io = io_new(IO_EPOLL);
	e.stack = stack_new(&env, &cfg, io_now());
	return e.io && e.stack ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	io_free(e.io);
	stack_free(e.stack);
	return mem.used == 0 ? 0 : -1;
}

/* --- a JSON reader, as small as it can be ---------------------------------- */

static const char *value(const char *p);

static const char *blank(const char *p)
{
	return p + strspn(p, " \t\r\n");
}

static const char *string(const char *p)
{
	assert_int_equal(*p, '"');
	for (p++; *p != '"'; p++) {
		assert_true((unsigned char)*p >= 0x20);
		p += *p == '\\';
	}
	return p + 1;
}

static const char *members(const char *p, char end)
{
	p = blank(p + 1);
	if (*p == end) {
		return p + 1;
	}
	for (;;) {
		if (end == '}') {
			p = blank(string(p));
			assert_int_equal(*p, ':');
			p++;
		}
		p = blank(value(p));
		if (*p == end) {
			return p + 1;
		}
		assert_int_equal(*p, ',');
		p = blank(p + 1);
	}
}

static const char *value(const char *p)
{
	static const char *const words[] = { "true", "false", "null" };
	size_t n;

	p = blank(p);
	if (*p == '{') {
		return members(p, '}');
	}
	if (*p == '[') {
		return members(p, ']');
	}
	if (*p == '"') {
		return string(p);
	}
	for (unsigned i = 0; i < 3; i++) {
		if (strncmp(p, words[i], strlen(words[i])) == 0) {
			return p + strlen(words[i]);
		}
	}
	n = strspn(p, "0123456789");
	assert_true(n > 0);
	return p + n;
}

static void valid(void)
{
	assert_int_equal(*blank(value(text)), '\0');
}

static void load(int fd)
{
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	assert_true(n > 0);
	text[n] = '\0';
}

static int temp(void)
{
	char name[] = "/tmp/mptcp-test-stats.XXXXXX";
	int fd = mkstemp(name);

	assert_true(fd >= 0);
	unlink(name);
	return fd;
}

/* --- tests ------------------------------------------------------------------ */

static void test_file(void **state)
{
	static char old[65536];
	int fd = temp(), keep = dup(fd);
	struct stats *s;

	(void)state;
	memset(old, 'x', sizeof(old)); /* longer than what comes */
	assert_int_equal(write(fd, old, sizeof(old)), sizeof(old));
	s = stats_new(&e, fd);
	io_turn(e.io, io_now());
	stats_turn(s);
	load(keep);
	valid();
	assert_non_null(strstr(text, "\"final\": false"));
	assert_non_null(strstr(text, "\"MPTcpExtMPCapableSYNTX\": 0"));
	assert_non_null(strstr(text, "\"TunDropGso\": 0"));
	assert_true(instant_never(stats_deadline(s)));
	stats_final(s);
	load(keep);
	valid();
	assert_non_null(strstr(text, "\"final\": true"));
	stats_free(s);
	close(keep);
}

static void test_pipe(void **state)
{
	struct stats *s;
	ssize_t n;
	int p[2];

	(void)state;
	assert_int_equal(pipe2(p, O_NONBLOCK), 0);
	s = stats_new(&e, p[1]);
	io_turn(e.io, io_now());
	stats_turn(s);
	assert_true(read(p[0], text, sizeof(text)) < 0);
	stats_final(s);
	n = read(p[0], text, sizeof(text) - 1);
	assert_true(n > 0);
	text[n] = '\0';
	valid();
	stats_free(s);
	close(p[0]);
}

static void test_full(void **state)
{
	struct stats *s = stats_new(&e, open("/dev/full", O_WRONLY));

	(void)state;
	io_turn(e.io, io_now());
	stats_turn(s);
	stats_turn(s);
	stats_final(s);
	stats_free(s);
	s = stats_new(&e, -1);
	stats_turn(s);
	stats_final(s);
	stats_free(s);
}

static struct mp_info example(void)
{
	struct mp_info i = { .mode = MP_MODE_MPTCP,
			     .n_subs = 2,
			     .why_clear = CRYPT_OK,
			     .bytes_sent = 10,
			     .bytes_received = 2000 };

	for (unsigned k = 0; k < 2; k++) {
		struct mp_sub_info *s = &i.sub[k];

		s->path = (uint16_t)k;
		s->t.local = endpoint_make(addr_v4(10, 0, (uint8_t)k, 2), 1000);
		s->t.remote = endpoint_make(addr_v4(10, 9, 0, 1), 80);
		s->established = k == 0;
		s->tcp.srtt = 1500 * NANOS_US;
		s->tcp.retrans = 3;
	}
	return i;
}

static void test_connection(void **state)
{
	struct mp_info i = example();
	static struct stats_seen all[STATS_SEEN_MAX];
	struct stats_seen *seen;
	struct instant t = { 0 };
	struct json j;
	char line[256];

	(void)state;
	assert_null(stats_conn_find(all, &i));
	seen = stats_conn_add(all, &i, t);
	assert_ptr_equal(stats_conn_find(all, &i), seen);
	/* idle at first: does not count; then 1 MB in 1 s; idle again */
	stats_conn_sample(seen, &i, instant_add(t, 5 * NANOS_S));
	i.bytes_received += 1000000;
	stats_conn_sample(seen, &i, instant_add(t, 6 * NANOS_S));
	stats_conn_sample(seen, &i, instant_add(t, 60 * NANOS_S));
	json_init(&j);
	stats_conn_json(&j, NULL, &i, seen, true);
	assert_true(j.ok && j.len < sizeof(text));
	memcpy(text, j.buf, j.len);
	text[j.len] = '\0';
	json_fini(&j);
	valid();
	assert_non_null(strstr(text, "\"goodput_bps\": 8000000"));
	assert_non_null(strstr(text, "\"local\": \"10.0.0.2:1000\""));
	assert_non_null(strstr(text, "\"srtt_us\": 1500"));
	assert_non_null(strstr(text, "\"retransmissions\": 3"));
	assert_non_null(strstr(text, "\"fallback\": null"));
	assert_string_equal(stats_conn_line(&i, line, sizeof(line)),
			    "10.0.0.2:1000 > 10.9.0.1:80 mptcp, 2 subflows, "
			    "sent 10, received 1002000");
	i.mode = MP_MODE_TCP;
	i.why_plain = MP_FALLBACK_SYNACK;
	json_init(&j);
	stats_conn_json(&j, NULL, &i, NULL, false);
	memcpy(text, j.buf, j.len);
	text[j.len] = '\0';
	json_fini(&j);
	valid();
	assert_non_null(strstr(
		text, "\"fallback\": \"MPTcpExtMPCapableFallbackSYNACK"));
	assert_non_null(strstr(text, "\"goodput_bps\": 0"));
	assert_non_null(strstr(stats_conn_line(&i, line, sizeof(line)),
			       "80 plain TCP: the SYN/ACK had no MP_CAPABLE"));
}

static const char *json_of(const struct mp_info *i)
{
	struct json j;

	json_init(&j);
	stats_conn_json(&j, NULL, i, NULL, true);
	assert_true(j.ok && j.len < sizeof(text));
	memcpy(text, j.buf, j.len);
	text[j.len] = '\0';
	json_fini(&j);
	valid();
	return text;
}

static void test_encrypted(void **state)
{
	struct mp_info i = example();
	char line[512];

	(void)state;
	i.sealed = true;
	i.sec = MP_SEC_SMTCP;
	json_of(&i); /* agreed, and no keys yet */
	assert_non_null(strstr(text, "\"mode\": \"smtcp\""));
	assert_non_null(strstr(text, "\"session_id\": null"));
	assert_non_null(strstr(text, "\"cipher\": null"));
	i.have_session_id = true;
	memset(i.session_id, 0xa5, sizeof(i.session_id));
	i.crypt = (struct crypt_info){ .role_b = true,
				       .resumed = true,
				       .kx = ENO_TEP_X448,
				       .aead = CRYPT_CHACHA20_POLY1305,
				       .tx_gen = 3,
				       .tx_frames = 77,
				       .rx_bytes = 1234 };
	json_of(&i);
	assert_non_null(strstr(text, "\"session_id\": \"a5a5a5"));
	assert_non_null(strstr(text, "\"role\": \"B\""));
	assert_non_null(strstr(text, "\"key_exchange\": \"x448\""));
	assert_non_null(strstr(text, "\"cipher\": \"chacha20\""));
	assert_non_null(strstr(text, "\"resumed\": true"));
	assert_non_null(strstr(text, "\"rekeyings_sent\": 3"));
	assert_non_null(strstr(text, "\"frames_sent\": 77"));
	assert_non_null(strstr(text, "\"data_received\": 1234"));
	assert_non_null(strstr(text, "\"clear\": null"));
	assert_non_null(strstr(stats_conn_line(&i, line, sizeof(line)),
			       ":80 smtcp, 2 subflows, sent"));
	i.mode = MP_MODE_TCP;
	i.sec = MP_SEC_TCPCRYPT;
	i.why_plain = MP_FALLBACK_SYNACK;
	assert_non_null(strstr(json_of(&i), "\"mode\": \"tcpcrypt\""));
	assert_non_null(strstr(stats_conn_line(&i, line, sizeof(line)),
			       ":80 tcpcrypt, no Multipath TCP: the SYN/ACK "
			       "had no"));
}

/* what is missing is named: encryption, Multipath TCP, both */
static void test_clear(void **state)
{
	struct mp_info i = example();
	char line[512];

	(void)state;
	i.why_clear = CRYPT_OFF_NO_SYNACK;
	i.weaker = true;
	json_of(&i);
	assert_non_null(strstr(text, "\"mode\": \"mptcp\""));
	assert_non_null(strstr(text, "\"clear\": \"CryptOffNoEnoSynack\""));
	assert_non_null(strstr(text, "\"clear_text\": \"no ENO option in"));
	assert_non_null(strstr(text, "\"weaker\": true"));
	assert_non_null(strstr(text, "\"encryption\": null"));
	assert_non_null(strstr(stats_conn_line(&i, line, sizeof(line)),
			       "mptcp, 2 subflows, not encrypted: no ENO "
			       "option in the SYN-ACK, sent"));
	i.mode = MP_MODE_TCP;
	i.why_plain = MP_FALLBACK_SYNACK;
	assert_non_null(strstr(stats_conn_line(&i, line, sizeof(line)),
			       "stripped); not encrypted: no ENO option"));
	i.mode = MP_MODE_PENDING;
	assert_non_null(strstr(stats_conn_line(&i, line, sizeof(line)),
			       "no connection: no ENO option"));
	i.mode = MP_MODE_MPTCP;
	i.why_clear = CRYPT_OFF_CONF; /* that was his own wish */
	assert_null(
		strstr(stats_conn_line(&i, line, sizeof(line)), "encrypted"));
	assert_non_null(strstr(json_of(&i), "\"clear\": \"CryptOffConf\""));
}

static void test_table_full(void **state)
{
	static struct stats_seen all[STATS_SEEN_MAX];
	struct mp_info i = example();

	(void)state;
	for (unsigned k = 0; k < STATS_SEEN_MAX; k++) {
		i.sub[0].t.local.port = (uint16_t)(k + 1);
		assert_non_null(stats_conn_add(all, &i, io_now()));
	}
	i.sub[0].t.local.port = 9999;
	assert_null(stats_conn_add(all, &i, io_now()));
	assert_null(stats_conn_find(all, &i));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_file),
		T(test_pipe),
		T(test_full),
		cmocka_unit_test(test_connection),
		cmocka_unit_test(test_encrypted),
		cmocka_unit_test(test_clear),
		cmocka_unit_test(test_table_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
