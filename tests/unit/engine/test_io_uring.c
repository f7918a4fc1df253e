/* what the loop does where io_uring, or a part of it, is refused: a filter in
 * a child of the test plays the container */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "stack/base/check.h"
#include "stack/engine/io.h"
#include "stack/engine/vnet.h"

#define REGISTER_PBUF_RING 22

/* call nr fails with err; arg1 >= 0: only with that second argument */
static bool deny(unsigned nr, int arg1, unsigned err)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, arg1 < 0 ? 0 : 2),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, args[1])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)arg1, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | err),
	};
	struct sock_fprog prog = { ARRAY_SIZE(f), f };

	if (arg1 < 0) {
		f[1].jt = 3;
		f[1].jf = 2;
	}
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) == 0;
}

static int in_child(int (*fn)(void))
{
	int st;
	pid_t pid = fork();

	if (pid == 0) {
		_exit(fn());
	}
	return waitpid(pid, &st, 0) == pid && WIFEXITED(st) ? WEXITSTATUS(st)
							    : -1;
}

static int forbidden(void)
{
	struct io *io;

	if (!deny(SYS_io_uring_setup, -1, EPERM)) {
		return 1;
	}
	io = io_new(IO_URING);
	if (io || errno != EPERM) {
		return 2;
	}
	io = io_new(IO_AUTO);
	if (!io || io_backend(io) != IO_EPOLL ||
	    !strstr(io_why(io), "forbidden")) {
		return 3;
	}
	io_turn(io, io_now());
	io_free(io);
	/* asked for, it needs no excuse */
	io = io_new(IO_EPOLL);
	return io && *io_why(io) == '\0' ? 0 : 4;
}

static int absent(void)
{
	struct io *io;

	if (!deny(SYS_io_uring_setup, -1, ENOSYS)) {
		return 1;
	}
	io = io_new(IO_AUTO);
	return io && io_backend(io) == IO_EPOLL && *io_why(io) ? 0 : 2;
}

static struct pkt *got[256];
static unsigned n_got;

static void rx(void *ctx, struct pkt *p)
{
	(void)ctx;
	got[n_got++ % 256] = p;
}

static void dead(void *ctx, int err)
{
	(void)ctx;
	(void)err;
}

/* no provided buffers: polled and read one by one, in order */
static int no_buffers(void)
{
	uint8_t frame[VNET_LEN + 50] = { 0 };
	struct instant end;
	struct io *io;
	int sv[2];

	if (!deny(SYS_io_uring_register, REGISTER_PBUF_RING, EINVAL)) {
		return 1;
	}
	io = io_new(IO_URING);
	if (!io) {
		return 77;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv) != 0 ||
	    !io_tun_start(io, sv[0], 2, rx, NULL, dead)) {
		return 3;
	}
	for (unsigned round = 0; round < 20; round++) {
		n_got = 0;
		for (unsigned i = 0; i < 150; i++) {
			frame[VNET_LEN] = (uint8_t)i;
			if (write(sv[1], frame, sizeof(frame)) < 0) {
				return 4;
			}
		}
		end = instant_add(io_now(), NANOS_S);
		while (n_got < 150 && instant_before(io_now(), end)) {
			io_turn(io, end);
		}
		if (n_got != 150) {
			return 5;
		}
		for (unsigned i = 0; i < 150; i++) {
			if (got[i]->data[0] != i || got[i]->dev != 2) {
				return 6;
			}
			pkt_put(got[i]);
		}
	}
	io_free(io);
	return 0;
}

static void test_forbidden(void **state)
{
	(void)state;
	assert_int_equal(in_child(forbidden), 0);
}

static void test_absent(void **state)
{
	(void)state;
	assert_int_equal(in_child(absent), 0);
}

static void test_no_buffers(void **state)
{
	int rc = in_child(no_buffers);

	(void)state;
	if (rc == 77) {
		skip();
	}
	assert_int_equal(rc, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forbidden),
		cmocka_unit_test(test_absent),
		cmocka_unit_test(test_no_buffers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
