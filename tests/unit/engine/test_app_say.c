/* a program's connect(), the line that comes with its answer, and options of
 * encryption: two real stacks, one of them with app.c in front */
#include "tests/unit/engine/app_far.h"

#include <time.h>

#include "stack/engine/past.h"

#define SOL_MPTCP_ 284
#define SESSION_ID 0x4d500001
#define AWARE      0x4d500005

static struct run_conf conf;

/* near and far stacks with these policies; known: the far one was encrypted
 * in an earlier run */
static void up(enum mp_crypt_policy near, enum conf_crypt_policy word,
	       enum mp_crypt_policy there, bool known)
{
	struct past_setup s = { .conf = &conf, .file = "/known" };
	struct known_entry old = { far(80), KNOWN_SMTCP, time(NULL),
				   time(NULL) };
	struct past *p;

	conf_init(&conf);
	conf.crypt.policy = word;
	known_init(&s.known);
	if (known) {
		assert_true(known_add(&s.known, &old));
	}
	p = past_new(&rig.e, &s);
	rig_remembers = conf.crypt.policy != CONF_CRYPT_OFF &&
			conf.crypt.memory != CONF_MEMORY_OFF;
	rig_crypt = near;
	rig_up(NULL);
	past_tell(p, rig.e.stack);
	rig.e.past = p;
	rig.e.verbose = 1;
	rig_remembers = false;
	rig_crypt = there;
	far_start();
	rig_crypt = MP_CRYPT_OFF;
}

/* a socket; the far end was encrypted in an earlier run and is not now */
static int was_encrypted(struct chan_name *n)
{
	up(MP_CRYPT_PREFER, CONF_CRYPT_PREFER, MP_CRYPT_OFF, true);
	return prog_socket(n);
}

static void down(int fd)
{
	struct past *p = rig.e.past;

	close(fd);
	turn(3);
	rig_down(NULL);
	past_free(p);
}

/* connect() without blocking; what SO_ERROR says */
static int connect_and_ask(int fd, const struct chan_name *n)
{
	assert_int_equal(prog_connect(fd, n, far(80), false), EINPROGRESS);
	turn(10);
	assert_int_equal(ask(CHAN_OP_ERROR, n, 0), 0);
	return int_of_rep();
}

static const char *line(void)
{
	static char text[CHAN_VAL_MAX];
	size_t n = rep.len - sizeof(int);

	memcpy(text, rep.val + sizeof(int), n);
	text[n] = '\0';
	return text;
}

static void refused(void **st)
{
	struct chan_name n;
	int fd;

	(void)st;
	up(MP_CRYPT_REQUIRE, CONF_CRYPT_REQUIRE, MP_CRYPT_OFF, false);
	fd = prog_socket(&n);
	assert_int_equal(connect_and_ask(fd, &n), EPROTO);
	assert_non_null(strstr(line(), "10.9.0.1:80 refused: it is not "
				       "encrypted: no ENO option in the"));
	/* once, and not for the next one to the same place */
	assert_int_equal(ask(CHAN_OP_ERROR, &n, 0), 0);
	assert_int_equal(rep.len, sizeof(int));
	close(fd);
	fd = prog_socket(&n);
	assert_int_equal(connect_and_ask(fd, &n), EPROTO);
	assert_string_equal(line(), "");
	down(fd);
}

static void less_than_before(void **st)
{
	struct chan_name n;
	int fd = was_encrypted(&n);

	(void)st;
	assert_int_equal(connect_and_ask(fd, &n), 0);
	assert_non_null(strstr(line(), "10.9.0.1:80: not encrypted: no ENO"));
	assert_non_null(strstr(line(), "earlier it was smtcp"));
	down(fd);
}

/* SO_ERROR of such a socket is not asked for, unless something of what filled
 * it is still there: it is, and the line is not lost */
static void less_than_before_and_not_waited_for(void **st)
{
	struct chan_name n;
	int fd = was_encrypted(&n);

	(void)st;
	prog_begin(fd, &n, far(80));
	turn(10);
	assert_int_equal(events(fd), POLLOUT);
	assert_true(outq(fd) > 0);
	assert_int_equal(ask(CHAN_OP_OUTQ, &n, 0), 0);
	assert_int_equal(int_of_rep(), 0);
	assert_int_equal(ask(CHAN_OP_ERROR, &n, 0), 0);
	assert_non_null(strstr(line(), "earlier it was smtcp"));
	turn(2);
	assert_int_equal(outq(fd), 0);
	down(fd);
}

/* what the program writes instead of asking is all that arrives, and its end
 * is no reset */
static void a_line_that_nobody_asks_for(void **st)
{
	struct chan_name n;
	struct sock *sk;
	int fd = was_encrypted(&n);

	(void)st;
	prog_begin(fd, &n, far(80));
	turn(10);
	assert_true(outq(fd) > 0);
	assert_int_equal(write(fd, "abc", 3), 3);
	turn(10);
	assert_int_equal(outq(fd), 0);
	sk = sock_accept(far_listener, rig.e.now);
	assert_non_null(sk);
	assert_int_equal(sock_read_len(sk), 3);
	sock_close(sk, rig.e.now, false);
	turn(4);
	assert_int_equal(read(fd, (char[1]){ 0 }, 1), 0);
	down(fd);
}

static int get_session(const struct chan_name *n)
{
	return get_opt(n, SOL_MPTCP_, SESSION_ID, CHAN_VAL_MAX);
}

/* what was encrypted is remembered once the peer's data has shown it */
static void encrypted(void **st)
{
	struct chan_name n;
	struct sock *peer;
	struct iov_mut v[2];
	char b[4];
	int fd, keeper[2];

	(void)st;
	up(MP_CRYPT_PREFER, CONF_CRYPT_PREFER, MP_CRYPT_PREFER, false);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0,
				    keeper),
			 0);
	rig.e.keeper_fd = keeper[0];
	rig.e.idle.want = false;
	fd = prog_socket(&n);
	assert_int_equal(set_int(&n, SOL_MPTCP_, AWARE, 1), 0);
	assert_int_equal(get_session(&n), ENOTCONN);
	assert_int_equal(connect_and_ask(fd, &n), 0);
	assert_true(rig.e.idle.want); /* a key pair was taken */
	assert_string_equal(line(), "");
	assert_int_equal(set_int(&n, SOL_MPTCP_, AWARE, 0), EINVAL);
	assert_int_equal(write(fd, "abc", 3), 3);
	turn(10);
	peer = sock_accept(far_listener, rig.e.now);
	assert_non_null(peer);
	assert_int_equal(sock_read_len(peer), 3);
	assert_int_equal(recv(keeper[1], b, sizeof(b), 0), -1);
	assert_true(sock_write_vec(peer, 1, v) > 0);
	v[0].p[0] = 'x';
	sock_write_done(peer, rig.e.now, 1);
	turn(10);
	assert_int_equal(read(fd, b, sizeof(b)), 1);
	assert_true(recv(keeper[1], b, sizeof(b), 0) > 0);
	assert_int_equal(get_session(&n), 0);
	assert_int_equal(rep.len, CRYPT_SESSION_ID);
	down(fd);
	close(keeper[0]);
	close(keeper[1]);
}

/* connections that the kernel carries: no option of ours goes there, and none
 * pretends */
static void by_kernel(void **st)
{
	struct chan_name n;
	uint16_t port;
	int l, fd;

	(void)st;
	if (!own_netns()) {
		without_netns(st);
	}
	up(MP_CRYPT_REQUIRE, CONF_CRYPT_REQUIRE, MP_CRYPT_PREFER, false);
	l = peer_listen(1, &port);
	fd = prog_socket(&n);
	assert_int_equal(set_int(&n, SOL_MPTCP_, AWARE, 2), 0);
	assert_int_equal(prog_connect(fd, &n, lo(port), true), 0);
	assert_int_equal(rep.n_opt, 0);
	assert_int_equal(get_session(&n), EOPNOTSUPP);
	assert_int_equal(set_int(&n, SOL_MPTCP_, AWARE, 1), EOPNOTSUPP);
	close(l);
	down(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused),
		cmocka_unit_test(less_than_before),
		cmocka_unit_test(less_than_before_and_not_waited_for),
		cmocka_unit_test(a_line_that_nobody_asks_for),
		cmocka_unit_test(encrypted),
		cmocka_unit_test(by_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
