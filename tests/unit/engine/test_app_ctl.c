/* streams that begin with their request: what the shim's connect() does that
 * does not wait, and what somebody else may do at the same name */
#include "tests/unit/engine/app_far.h"

#include <linux/tcp.h>
#include <sys/resource.h>

#include "stack/chan/chan_early.h"

static bool writable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	return poll(&p, 1, 0) == 1;
}

/* what the far end has got: it must be `want` and nothing else */
static void far_got(const char *want)
{
	struct sock *sk = sock_accept(far_listener, rig.e.now);
	struct iov v[4];
	char got[64] = "";
	size_t at = 0;
	unsigned n;

	assert_non_null(sk);
	n = sock_read_vec(sk, v, 4);
	for (unsigned i = 0; i < n; i++) {
		assert_true(at + v[i].n < sizeof(got));
		memcpy(got + at, v[i].p, v[i].n);
		at += v[i].n;
	}
	assert_string_equal(got, want);
	assert_int_equal(at, strlen(want));
	sock_close(sk, rig.e.now, true);
}

static void it_polls_writable_when_it_is(void **st)
{
	struct chan_name n;
	int fd = prog_socket(&n);

	(void)st;
	prog_begin(fd, &n, far(80));
	assert_false(writable(fd));
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(events(fd), POLLOUT);
	assert_int_equal(outq(fd), 0);
	assert_int_equal(ask(CHAN_OP_ERROR, &n, 0), 0);
	assert_int_equal(int_of_rep(), 0);
	assert_int_equal(write(fd, "hello", 5), 5);
	turn(4);
	far_got("hello");
	close(fd);
	turn(4);
	assert_int_equal(app_busy(&rig.e), 0);
}

static void a_later_request_finds_it(void **st)
{
	struct chan_name n;
	int fd = prog_socket(&n);

	(void)st;
	prog_begin(fd, &n, far(80));
	assert_int_equal(ask(CHAN_OP_NAMES, &n, 0), 0);
	assert_int_not_equal(rep.local.port, 0);
	assert_int_equal(prog_connect(fd, &n, far(80), false), 0);
	assert_int_equal(prog_connect(fd, &n, far(80), false), EISCONN);
	close(fd);
	turn(4);
}

static void nobody_answers(void **st)
{
	struct chan_name n;
	struct stack *there = rig.far;
	int fd = prog_socket(&n);

	(void)st;
	rig.far = NULL;
	prog_begin(fd, &n, far(80));
	assert_int_equal(events(fd), 0);
	assert_int_equal(prog_connect(fd, &n, far(80), false), EALREADY);
	close(fd);
	turn(2);
	assert_int_equal(count(APP_CONNECT_GONE), 1);
	assert_int_equal(app_busy(&rig.e), 0);
	rig.far = there;
}

static void refused(void **st)
{
	struct chan_name n;
	int fd = prog_socket(&n);

	(void)st;
	prog_begin(fd, &n, far(81));
	assert_int_equal(events(fd), ALL_GONE);
	assert_int_equal(ask(CHAN_OP_ERROR, &n, 0), 0);
	assert_int_equal(int_of_rep(), ECONNREFUSED);
	assert_int_equal(prog_connect(fd, &n, far(81), false), ECONNABORTED);
	close(fd);
}

static void begin_of(uint8_t family, struct endpoint to, int err)
{
	struct chan_name n = { .kind = CHAN_KIND_SOCK, .family = family,
			       .id = 5 };
	struct sockaddr_un un;
	socklen_t len = chan_addr_un(&rig.e.run, &n, &un);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&un, len), 0);
	prog_begin(fd, &n, to);
	assert_int_equal(events(fd), ALL_GONE);
	assert_int_equal(ask(CHAN_OP_ERROR, &n, 0), 0);
	assert_int_equal(int_of_rep(), err);
	close(fd);
	rig.e.app->next_sweep = io_now();
	turn(2);
}

/* errors that connect() itself would have given */
static void no_way_there(void **st)
{
	struct addr six = addr_v4(0, 0, 0, 0);

	(void)st;
	six.family = 6;
	six.b[0] = 0x20;
	six.b[1] = 0x01;
	six.b[15] = 9;
	begin_of(6, endpoint_make(six, 80), ENETUNREACH);
	begin_of(4, endpoint_make(six, 80), EAFNOSUPPORT);
	begin_of(4, lo(80), EADDRNOTAVAIL); /* the kernel carries that */
	assert_int_equal(app_busy(&rig.e), 0);
}

static void closed_at_once(void **st)
{
	struct chan_name n;
	int fd = prog_socket(&n);

	(void)st;
	prog_begin(fd, &n, far(80));
	close(fd);
	turn(4);
	assert_int_equal(app_busy(&rig.e), 0);
}

/* what the program set before anybody was asked */
static void with_switches(void **st)
{
	struct chan_name n;
	int fd = prog_socket(&n);
	struct chan_req q = begin_req(&n, far(80));

	(void)st;
	q.early = chan_early_with(0, CHAN_EARLY_TCP_NODELAY, true);
	q.early = chan_early_with(q.early, CHAN_EARLY_SO_KEEPALIVE, false);
	prog_begin_with(fd, &q, 0);
	assert_int_equal(get_int(&n, IPPROTO_TCP, TCP_NODELAY), 1);
	assert_int_equal(get_int(&n, SOL_SOCKET, SO_KEEPALIVE), 0);
	close(fd);
	turn(4);
}

/* the handshake may be faster than the shim: what it writes late is stuffing
 * all the same */
static void the_shim_is_slow(void **st)
{
	static uint8_t rest[STUFF];
	const size_t head = offsetof(struct chan_req, val);
	struct chan_name n;
	int fd = prog_socket(&n);
	struct chan_req q = begin_req(&n, far(80));

	(void)st;
	prog_begin_with(fd, &q, head + 100);
	turn(6);
	assert_int_equal(send(fd, rest, STUFF - 101, 0), STUFF - 101);
	turn(2);
	assert_int_equal(send(fd, rest, 1, 0), 1);
	assert_int_equal(write(fd, "data", 4), 4);
	turn(6);
	far_got("data");
	close(fd);
	turn(4);
}

/* --- somebody else ------------------------------------------------------------- */

/* from a new socket, whose id is off by so many */
static void malformed(struct chan_req *q, uint64_t off, size_t sent)
{
	uint64_t before = count(APP_CTL_FORMAT);
	struct chan_name n;
	int fd = prog_socket(&n);

	q->id = n.id + off;
	prog_begin_with(fd, q, sent);
	turn(3);
	assert_int_equal(count(APP_CTL_FORMAT), before + 1);
	close(fd);
}

static void refused_requests(void **st)
{
	struct chan_name n;
	int fd = prog_socket(&n);
	struct chan_req q = begin_req(&n, far(80));
	char b;

	(void)st;
	q.secret[3] ^= 1;
	prog_begin_with(fd, &q, 0);
	turn(3);
	assert_int_equal(count(APP_CTL_SECRET), 1);
	assert_int_equal(recv(fd, &b, 1, 0), -1); /* unread: a reset */
	close(fd);

	q.secret[3] ^= 1;
	q.len = CHAN_STUFF_MAX + 1;
	malformed(&q, 0, offsetof(struct chan_req, val));
	q.len = STUFF;
	malformed(&q, 1, 0);  /* another's socket */
	malformed(&q, 0, 40); /* half of one */
	q.op = CHAN_OP_NAMES; /* not what such a stream begins with */
	q.len = 0;
	malformed(&q, 0, offsetof(struct chan_req, val));
	assert_int_equal(app_busy(&rig.e), 0);
	assert_int_equal(rig.sent, 0);
}

/* it waits, others do not wait for it, and it is let go */
static void silent(void **st)
{
	struct chan_name n, m;
	int mute = prog_socket(&n), fd = prog_socket(&m);
	char b;

	(void)st;
	connect_name(mute, CHAN_KIND_DATA);
	turn(2);
	assert_int_equal(rig.e.app->n_ctl, 1);
	prog_begin(fd, &m, far(80));
	assert_int_equal(events(fd), POLLOUT);
	assert_int_equal(recv(mute, &b, 1, 0), -1);
	assert_int_equal(errno, EAGAIN);
	close(mute);
	turn(2);
	assert_int_equal(rig.e.app->n_ctl, 0);
	close(fd);
	turn(4);
}

/* it waits in the queue until some are closed, and the loop sleeps meanwhile */
static void no_descriptors_left(void **st)
{
	static int held[4096];
	struct rlimit old, few;
	struct chan_name n;
	unsigned k = 0;
	int fd = prog_socket(&n);

	(void)st;
	getrlimit(RLIMIT_NOFILE, &old);
	few = old;
	few.rlim_cur = 256;
	setrlimit(RLIMIT_NOFILE, &few);
	while (k < ARRAY_SIZE(held) && (held[k] = dup(fd)) >= 0) {
		k++;
	}
	prog_begin(fd, &n, far(80));
	turn(2);
	assert_false(writable(fd));
	assert_int_equal(app_busy(&rig.e), 0);
	assert_true(app_deadline(&rig.e).ns > io_now().ns - NANOS_MS);
	while (k > 0) {
		close(held[--k]);
	}
	setrlimit(RLIMIT_NOFILE, &old);
	for (unsigned i = 0; i < 100 && !writable(fd); i++) {
		turn(1);
	}
	assert_true(writable(fd));
	close(fd);
	turn(4);
}

/* accepted before it had said anything, and still before what it said next */
static void in_the_order_in_which_they_were_made(void **st)
{
	struct chan_name n, m;
	int fd = prog_socket(&n), other = prog_socket(&m), s, s2;
	struct chan_req q = begin_req(&n, far(80));
	struct chan_req set =
		opt_req(&m, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
	struct chan_req get =
		opt_req(&m, IPPROTO_TCP, TCP_NODELAY, NULL, sizeof(int));

	(void)st;
	connect_name(fd, CHAN_KIND_DATA);
	s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
	connect_name(s, CHAN_KIND_CTL);
	turn(2);
	assert_int_equal(rig.e.app->n_ctl, 2);

	/* as if all of this fell between two looks of the loop at its events:
	 * the listener is drained by hand */
	assert_int_equal(send(fd, &q, offsetof(struct chan_req, val), 0),
			 offsetof(struct chan_req, val));
	assert_int_equal(send(s, &set, chan_req_size(&set), 0),
			 chan_req_size(&set));
	close(s);
	chan_req_init(&q, &rig.e.run, CHAN_OP_NAMES, &n);
	s = raw_ask(&q, chan_req_size(&q), NULL, 0);
	s2 = raw_ask(&get, chan_req_size(&get), NULL, 0);
	app_ctl_accept(rig.e.app);
	assert_int_equal(rig.e.app->n_ctl, 0);
	assert_int_equal(answer_of(s), 0);
	assert_int_not_equal(rep.local.port, 0);
	assert_int_equal(answer_of(s2), 0);
	assert_int_equal(int_of_rep(), 1);
	close(fd);
	close(other);
	turn(4);
}

/* CONNECT only on a connection of its own, BEGIN only without one */
static void at_the_wrong_name(void **st)
{
	struct chan_name n;
	int fd = prog_socket(&n);
	struct chan_req q = begin_req(&n, far(80));

	(void)st;
	assert_int_equal(ask_fd(&q, &fd, 1), EINVAL);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, far_up, rig_down)
		T(it_polls_writable_when_it_is),
		T(a_later_request_finds_it),
		T(nobody_answers),
		T(refused),
		T(no_way_there),
		T(closed_at_once),
		T(with_switches),
		T(the_shim_is_slow),
		T(refused_requests),
		T(silent),
		T(no_descriptors_left),
		T(in_the_order_in_which_they_were_made),
		T(at_the_wrong_name),
	};

	return run_apart(tests);
}
