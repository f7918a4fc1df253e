/* devices in a network namespace of this process's own, and packets through
 * them by both implementations of the loop */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "stack/base/bytes.h"
#include "stack/engine/io.h"
#include "stack/engine/netlink.h"
#include "stack/engine/tun.h"
#include "stack/engine/yield.h"

static char err[CONF_ERR_MAX];
static unsigned said;

static void say(void *ctx, const char *line)
{
	(void)ctx;
	assert_null(strchr(line, '\n'));
	said++;
}

static struct conf_tun conf(const char *spec)
{
	struct run_conf c;

	conf_init(&c);
	assert_true(conf_tun_parse(&c, spec, err));
	return c.tun[0];
}

static bool up(struct tun *t, const struct conf_tun *c)
{
	err[0] = '\0';
	return tun_open(t, c, say, NULL, err) && tun_setup(t, c, err);
}

static int sh(const char *command)
{
	int st = system(command);

	return WIFEXITED(st) ? WEXITSTATUS(st) : -1;
}

static void test_made(void **state)
{
	struct conf_tun c =
		conf("ut0,addr=10.99.0.2/24,peer=10.99.0.1,mtu=1400");
	struct tun t;

	(void)state;
	assert_true(up(&t, &c));
	assert_true(t.made);
	assert_true(t.offload);
	assert_int_equal(t.mtu, 1400);
	assert_int_equal(t.ifindex, if_nametoindex("ut0"));
	assert_int_equal(sh("ip -o addr show ut0 | "
			    "grep -q '10.99.0.1 peer 10.99.0.2/24'"),
			 0);
	assert_int_equal(sh("ip -o link show ut0 | grep -q 'UP.*mtu 1400'"), 0);
	assert_int_equal(sh("ip route get 10.99.0.77 | grep -q 'dev ut0'"), 0);
	tun_close(&t);
	assert_int_equal(if_nametoindex("ut0"), 0);
	assert_int_equal(said, 0);
}

static void test_six(void **state)
{
	struct conf_tun c = conf("ut6,addr=fd99::2/64,peer=fd99::1");
	struct tun t;

	(void)state;
	assert_true(up(&t, &c));
	assert_int_equal(sh("ip -6 -o addr show ut6 | "
			    "grep -q 'fd99::1 peer fd99::2/64'"),
			 0);
	/* nothing of the kernel's own on the path */
	assert_int_equal(sh("ip -6 -o addr show ut6 | grep -q fe80"), 1);
	tun_close(&t);
}

/* one that the caller made keeps its MTU, and loses what we added */
static void test_existing(void **state)
{
	struct conf_tun c = conf("ute,addr=10.98.0.2/24,peer=10.98.0.1");
	struct tun t;

	(void)state;
	assert_int_equal(sh("ip tuntap add ute mode tun && "
			    "ip link set ute mtu 1300"),
			 0);
	assert_true(up(&t, &c));
	assert_false(t.made);
	assert_int_equal(t.mtu, 1300);
	assert_int_equal(sh("ip -o addr show ute | grep -q 10.98.0.1"), 0);
	tun_undo(&t, &c);
	tun_close(&t);
	assert_int_not_equal(if_nametoindex("ute"), 0);
	assert_int_equal(sh("ip -o addr show ute | grep -q 10.98.0.1"), 1);
	/* with the address there already nothing is ours to take away */
	assert_int_equal(sh("ip addr add 10.98.0.1/24 dev ute"), 0);
	assert_true(up(&t, &c));
	tun_undo(&t, &c);
	tun_close(&t);
	assert_int_equal(sh("ip -o addr show ute | grep -q 10.98.0.1"), 0);
	assert_int_equal(sh("ip link del ute"), 0);
	/* made for several queues */
	assert_int_equal(sh("ip tuntap add ute mode tun multi_queue"), 0);
	assert_true(up(&t, &c));
	tun_close(&t);
	assert_int_equal(sh("ip link del ute"), 0);
}

static void refused(const char *spec, const char *says)
{
	struct conf_tun c = conf(spec);
	struct tun t;

	assert_false(up(&t, &c));
	if (!strstr(err, says)) {
		fail_msg("'%s' does not say '%s'", err, says);
	}
	assert_null(strchr(err, '\n'));
	tun_close(&t);
}

static void test_refusals(void **state)
{
	(void)state;
	assert_int_equal(sh("ip link add utv type veth peer name utw && "
			    "ip addr add 10.97.0.2/24 dev utv"),
			 0);
	refused("ut1,addr=10.97.0.2/24,peer=10.97.0.1",
		"already in use on 'utv'");
	refused("utv,addr=10.96.0.2/24,peer=10.96.0.1", "no TUN device");
	assert_int_equal(if_nametoindex("ut1"), 0);
	assert_int_equal(sh("ip link del utv"), 0);
	assert_int_equal(sh("ip tuntap add utl mode tun && "
			    "ip link set utl mtu 600"),
			 0);
	refused("utl,addr=10.96.0.2/24,peer=10.96.0.1", "MTU of 600");
	assert_int_equal(sh("ip link del utl"), 0);
}

/* the address of another stack's path is taken as well */
static void test_two_stacks(void **state)
{
	struct conf_tun c = conf("uta,addr=10.95.0.2/24,peer=10.95.0.1");
	struct tun t;

	(void)state;
	assert_true(up(&t, &c));
	refused("utb,addr=10.95.0.2/24,peer=10.95.0.9",
		"already in use on 'uta'");
	tun_close(&t);
}

/* in a mount namespace of this process's own: the device file for everybody,
 * as distributions have it */
static bool open_to_all(void)
{
	struct stat st;

	if (stat("/dev/net/tun", &st) == 0 && (st.st_mode & 06) == 06) {
		return true;
	}
	umask(0);
	return unshare(CLONE_NEWNS) == 0 &&
	       mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("tmpfs", "/dev/net", "tmpfs", 0, "mode=755") == 0 &&
	       mknod("/dev/net/tun", S_IFCHR | 0666, makedev(10, 200)) == 0;
}

/* a user namespace without a range of users has no other user */
static bool alone(void)
{
	char text[8] = "";
	FILE *f = fopen("/proc/self/setgroups", "re");

	if (f) {
		(void)!fgets(text, sizeof(text), f);
		fclose(f);
	}
	return strncmp(text, "deny", 4) == 0;
}

static void test_unprivileged(void **state)
{
	int st;
	pid_t pid;

	(void)state;
	if (alone()) {
		print_message("needs a range of users (newuidmap)\n");
		skip();
	}
	assert_int_equal(sh("ip tuntap add uto mode tun user 65534 && "
			    "ip addr add 10.94.0.1/24 dev uto && "
			    "ip link set uto up"),
			 0);
	pid = fork();
	if (pid == 0) {
		struct conf_tun mine =
			conf("uto,addr=10.94.0.2/24,peer=10.94.0.1");
		struct conf_tun other =
			conf("utz,addr=10.93.0.2/24,peer=10.93.0.1");
		struct tun t;

		/* a user namespace makes no device files and may have one user */
		if (!open_to_all() || setgid(65534) != 0 ||
		    setuid(65534) != 0) {
			_exit(77);
		}
		if (!tun_open(&t, &mine, say, NULL, err)) {
			/* the device file may be root's only */
			_exit(strstr(err, "permission") ? 77 : 3);
		}
		if (!tun_setup(&t, &mine, err)) {
			_exit(4);
		}
		tun_close(&t);
		if (tun_open(&t, &other, say, NULL, err)) {
			_exit(5);
		}
		_exit(strstr(err, "no privilege") ? 0 : 6);
	}
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_int_equal(sh("ip link del uto"), 0);
	assert_true(WIFEXITED(st));
	if (WEXITSTATUS(st) == 77) {
		print_message("/dev/net/tun is closed to other users\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(st), 0);
}

/* a holder that goes in time is waited for, and is asked to go */
static void test_held(void **state)
{
	struct conf_tun c = conf("uth,addr=10.92.0.2/24,peer=10.92.0.1");
	struct tun t;
	int p[2], st;
	pid_t pid;
	char word;

	(void)state;
	assert_int_equal(pipe(p), 0);
	pid = fork();
	if (pid == 0) {
		int fd = yield_listen("uth");
		bool ok = up(&t, &c);

		if (!ok || write(p[1], "x", 1) != 1) {
			_exit(1);
		}
		while (!yield_asked(fd)) {
			usleep(10000);
		}
		usleep(200000);
		_exit(0);
	}
	assert_int_equal(read(p[0], &word, 1), 1);
	assert_true(up(&t, &c));
	assert_true(t.made);
	assert_int_equal(said, 0);
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_int_equal(st, 0);
	tun_close(&t);
	close(p[0]);
	close(p[1]);
}

/* --- packets -------------------------------------------------------------- */

struct catch
{
	unsigned n, ok_csum;
	uint16_t gso;
	uint32_t longest;
	struct pkt *held;
};

static void rx(void *ctx, struct pkt *p)
{
	struct catch *c = ctx;

	if ((p->data[0] >> 4) == 4 && p->data[9] == IPPROTO_UDP) {
		c->n++;
		c->ok_csum += p->csum_ok;
		c->longest = p->len;
		if (!c->held) {
			c->held = p;
			return;
		}
	}
	pkt_put(p);
}

static void dead(void *ctx, int e)
{
	(void)ctx;
	(void)e;
}

static uint16_t sum16(const uint8_t *p, unsigned n)
{
	uint32_t s = 0;

	for (unsigned i = 0; i < n; i += 2) {
		s += (uint32_t)p[i] << 8 | p[i + 1];
	}
	s = (s & 0xffff) + (s >> 16);
	return (uint16_t) ~(s + (s >> 16));
}

/* a UDP packet to the kernel's side, its checksum left to the device */
static void make_udp(struct pkt_out *o, uint16_t port, const char *text)
{
	uint16_t n = (uint16_t)strlen(text);
	uint8_t *h = o->hdr;
	uint32_t pseudo = 0;

	*o = (struct pkt_out){ .hdr_len = 28,
			       .family = 4,
			       .n_iov = 1,
			       .len = 28u + n,
			       .csum_start = 20,
			       .csum_offset = 6 };
	h[0] = 0x45;
	be16_put(h + 2, (uint16_t)(28 + n));
	h[8] = 64;
	h[9] = IPPROTO_UDP;
	memcpy(h + 12, (uint8_t[]){ 10, 91, 0, 2, 10, 91, 0, 1 }, 8);
	be16_put(h + 10, sum16(h, 20));
	be16_put(h + 20, 4444);
	be16_put(h + 22, port);
	be16_put(h + 24, (uint16_t)(8 + n));
	for (unsigned i = 12; i < 20; i += 2) {
		pseudo += be16_get(h + i);
	}
	pseudo += IPPROTO_UDP + 8u + n;
	pseudo = (pseudo & 0xffff) + (pseudo >> 16);
	be16_put(h + 26, (uint16_t)pseudo);
	o->iov[0] = (struct iov){ (const uint8_t *)text, n };
}

static void packets(enum io_backend b)
{
	struct conf_tun c = conf("utp,addr=10.91.0.2/24,peer=10.91.0.1");
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(4444) };
	struct sockaddr_in me = to;
	socklen_t len = sizeof(me);
	struct catch got = { 0 };
	struct instant end;
	struct io *io = io_new(b);
	struct io_tun *q;
	struct pkt_out o;
	char buf[64] = "";
	struct tun t;
	int s;

	if (!io) {
		skip();
	}
	assert_true(up(&t, &c));
	q = io_tun_start(io, t.fd, 0, rx, &got, dead);
	assert_non_null(q);
	assert_int_equal(io_seal(io), 0);
	s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	inet_pton(AF_INET, "10.91.0.1", &me.sin_addr);
	me.sin_port = 0;
	assert_int_equal(bind(s, (struct sockaddr *)&me, sizeof(me)), 0);
	assert_int_equal(getsockname(s, (struct sockaddr *)&me, &len), 0);
	inet_pton(AF_INET, "10.91.0.2", &to.sin_addr);
	for (unsigned i = 0; i < 200; i++) {
		assert_int_equal(sendto(s, buf, 60, 0, (struct sockaddr *)&to,
					sizeof(to)),
				 60);
	}
	end = instant_add(io_now(), 2 * NANOS_S);
	while (got.n < 200 && instant_before(io_now(), end)) {
		io_turn(io, end);
	}
	assert_int_equal(got.n, 200);
	assert_int_equal(got.longest, 88);
	assert_non_null(got.held);
	/* our turn */
	make_udp(&o, ntohs(me.sin_port), "hello, kernel");
	assert_true(io_tun_write(io, q, &o));
	io_flush(io);
	assert_int_equal(io_counter(io, IO_TUN_WRITE), 0);
	assert_int_equal(recv(s, buf, sizeof(buf), MSG_DONTWAIT), 13);
	assert_string_equal(buf, "hello, kernel");
	/* a device that is down refuses packets, and that is counted */
	assert_int_equal(sh("ip link set utp down"), 0);
	assert_true(io_tun_write(io, q, &o));
	io_flush(io);
	assert_int_equal(io_counter(io, IO_TUN_WRITE), 1);
	io_tun_stop(io, q);
	io_turn(io, instant_add(io_now(), 10 * NANOS_MS));
	io_free(io);
	pkt_put(got.held);
	close(s);
	tun_close(&t);
}

static void test_packets_epoll(void **state)
{
	(void)state;
	packets(IO_EPOLL);
}

static void test_packets_uring(void **state)
{
	(void)state;
	packets(IO_URING);
}

static void gone(void *ctx, int e)
{
	*(int *)ctx = e;
}

static void drop(void *ctx, struct pkt *p)
{
	(void)ctx;
	pkt_put(p);
}

/* somebody deletes the device under us */
static void test_deleted(void **state)
{
	static const enum io_backend all[] = { IO_EPOLL, IO_URING };

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct conf_tun c =
			conf("utd,addr=10.90.0.2/24,peer=10.90.0.1");
		struct io *io = io_new(all[i]);
		struct instant end;
		struct tun t;
		int why = 0;

		if (!io) {
			continue;
		}
		assert_true(up(&t, &c));
		assert_non_null(io_tun_start(io, t.fd, 0, drop, &why, gone));
		io_turn(io, instant_add(io_now(), 10 * NANOS_MS));
		assert_int_equal(sh("ip link del utd"), 0);
		end = instant_add(io_now(), 2 * NANOS_S);
		while (!why && instant_before(io_now(), end)) {
			io_turn(io, end);
		}
		assert_int_not_equal(why, 0);
		io_free(io);
		tun_close(&t);
	}
}

static void test_needs_namespace(void **state)
{
	(void)state;
	print_message("no network namespace or no /dev/net/tun\n");
	skip();
}

static bool private_net(void)
{
	int fd;

	if (unshare(CLONE_NEWNET) != 0 &&
	    unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
		return false;
	}
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd >= 0) {
		close(fd);
	}
	return fd >= 0 && sh("ip link set lo up 2>/dev/null") == 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_made),
		cmocka_unit_test(test_six),
		cmocka_unit_test(test_existing),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_two_stacks),
		cmocka_unit_test(test_unprivileged),
		cmocka_unit_test(test_held),
		cmocka_unit_test(test_packets_epoll),
		cmocka_unit_test(test_packets_uring),
		cmocka_unit_test(test_deleted),
	};
	const struct CMUnitTest none[] = {
		cmocka_unit_test(test_needs_namespace),
	};

	if (!private_net()) {
		return cmocka_run_group_tests(none, NULL, NULL);
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
