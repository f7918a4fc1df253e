/* a process that locked itself up with seccomp: read, write, shutdown and close
 * of its sockets make no call that the filter does not know, as sshd's does
 */
#include "../t.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

#define ALLOW(nr)                                                              \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), 0, 1),                      \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static void lock_up(bool by_syscall)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		ALLOW(SYS_read),
		ALLOW(SYS_write),
		ALLOW(SYS_shutdown),
		ALLOW(SYS_close),
		ALLOW(SYS_clock_nanosleep),
		ALLOW(SYS_exit_group),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog p = { sizeof(f) / sizeof(f[0]), f };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	must(by_syscall ? syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0,
				  &p) == 0 :
			  prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p) == 0,
	     "set a filter");
}

static void test(bool by_syscall, bool reset)
{
	int far, fd = connected(&far), status;
	ssize_t n;
	char b[8];

	if (fork() == 0) {
		far_close(far);
		lock_up(by_syscall);
		SHOW(write(fd, "abc", 3));
		SHOW(read(fd, b, 8));
		settle();
		settle();
		settle();
		SHOW(read(fd, b, 8));
		if (!reset) {
			SHOW(shutdown(fd, SHUT_WR));
		}
		SHOW(close(fd));
		_exit(0);
	}
	close(fd);
	n = far_read(far, b, 8);
	settle(); /* the child says its line first */
	show("far_read(far, b, 8)", n);
	SHOW(far_write(far, "de", 2));
	settle();
	if (reset) {
		far_reset(far);
	} else {
		far_close(far);
	}
	wait(&status);
	say("status %d", status);
}

int main(void)
{
	say("== clean");
	test(false, false);
	say("== clean, by syscall()");
	test(true, false);
	say("== reset");
	test(false, true);
	return 0;
}
