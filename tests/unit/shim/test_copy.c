/* bad pointers of the program: EFAULT, never a crash */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "shim/copy.h"

static char *page; /* one page that is there, one after it that is not */
static size_t size;

static int setup(void **state)
{
	(void)state;
	size = (size_t)sysconf(_SC_PAGESIZE);
	page = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return page == MAP_FAILED || munmap(page + size, size) != 0;
}

static void *bad(uintptr_t at)
{
	return (void *)at;
}

static void test_good(void **state)
{
	char b[8] = "";

	(void)state;
	errno = 77;
	memcpy(page + size - 4, "abcd", 4);
	assert_int_equal(copy_in(b, page + size - 4, 4), 0);
	assert_memory_equal(b, "abcd", 4);
	assert_int_equal(copy_out(page + size - 2, "xy", 2), 0);
	assert_memory_equal(page + size - 4, "abxy", 4);
	assert_int_equal(errno, 77);
}

static void test_bad(void **state)
{
	char b[8] = "";

	(void)state;
	errno = 77;
	assert_int_equal(copy_in(b, NULL, 1), EFAULT);
	assert_int_equal(copy_out(NULL, b, 1), EFAULT);
	assert_int_equal(copy_in(b, bad(1), 8), EFAULT);
	assert_int_equal(copy_in(b, bad(UINTPTR_MAX), 1), EFAULT);
	assert_int_equal(copy_in(b, page + size, 1), EFAULT);
	/* one octet too far */
	assert_int_equal(copy_in(b, page + size - 3, 4), EFAULT);
	assert_int_equal(copy_out(page + size - 3, b, 4), EFAULT);
	assert_int_equal(errno, 77);
	/* nothing to copy: any pointer will do */
	assert_int_equal(copy_in(b, NULL, 0), 0);
	assert_int_equal(copy_out(bad(1), b, 0), 0);
}

static void test_read_only(void **state)
{
	char b = 'x';

	(void)state;
	assert_int_equal(mprotect(page, size, PROT_READ), 0);
	assert_int_equal(copy_out(page, &b, 1), EFAULT);
	assert_int_equal(copy_in(&b, page, 1), 0);
	assert_int_equal(mprotect(page, size, PROT_NONE), 0);
	assert_int_equal(copy_in(&b, page, 1), EFAULT);
	assert_int_equal(mprotect(page, size, PROT_READ | PROT_WRITE), 0);
}

/* as accept() and getsockname() give addresses out */
static void test_addr_out(void **state)
{
	char room[32];
	socklen_t n;

	(void)state;
	memset(room, '.', sizeof(room));
	n = sizeof(room);
	assert_int_equal(copy_addr_out(room, &n, "0123456789abcdef", 16), 0);
	assert_int_equal(n, 16);
	assert_memory_equal(room, "0123456789abcdef.", 17);
	memset(room, '.', sizeof(room));
	n = 5; /* cut short; the true length is told */
	assert_int_equal(copy_addr_out(room, &n, "0123456789abcdef", 16), 0);
	assert_int_equal(n, 16);
	assert_memory_equal(room, "01234.", 6);
	n = 0;
	assert_int_equal(copy_addr_out(NULL, &n, "0123456789abcdef", 16), 0);
	assert_int_equal(n, 16);
	n = (socklen_t)-1;
	assert_int_equal(copy_addr_out(room, &n, "0123", 4), EINVAL);
	n = 8;
	assert_int_equal(copy_addr_out(NULL, &n, "0123", 4), EFAULT);
	assert_int_equal(n, 8);
	assert_int_equal(copy_addr_out(room, NULL, "0123", 4), EFAULT);
	assert_int_equal(copy_addr_out(room, bad(2), "0123", 4), EFAULT);
}

static void test_addr_in(void **state)
{
	struct sockaddr_storage sa;
	char from[200];

	(void)state;
	memset(from, 'f', sizeof(from));
	memset(&sa, 'z', sizeof(sa));
	assert_int_equal(copy_addr_in(&sa, from, 16), 0);
	assert_memory_equal(&sa, from, 16);
	assert_int_equal(((char *)&sa)[16], 0); /* the rest is cleared */
	assert_int_equal(((char *)&sa)[sizeof(sa) - 1], 0);
	assert_int_equal(copy_addr_in(&sa, from, sizeof(sa)), 0);
	assert_int_equal(copy_addr_in(&sa, from, sizeof(sa) + 1), EINVAL);
	assert_int_equal(copy_addr_in(&sa, from, (socklen_t)-1), EINVAL);
	assert_int_equal(copy_addr_in(&sa, NULL, 0), 0);
	assert_int_equal(copy_addr_in(&sa, NULL, 16), EFAULT);
	assert_int_equal(copy_addr_in(&sa, page + size - 15, 16), EFAULT);
}

/* where the system call is forbidden it is a plain copy */
static void test_forbidden(void **state)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigprocmask, 1,
			 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_writev, 0,
			 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog p = { sizeof(f) / sizeof(f[0]), f };
	pid_t pid = fork();
	int st;

	(void)state;
	if (pid == 0) {
		char a[4] = "abc", b[4] = "";

		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
		    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p)) {
			_exit(2);
		}
		errno = 77;
		_exit(copy_in(b, a, 4) == 0 && strcmp(b, "abc") == 0 &&
				      copy_out(a, "xyz", 4) == 0 &&
				      strcmp(a, "xyz") == 0 && errno == 77
			      ? 0
			      : 1);
	}
	assert_int_equal(waitpid(pid, &st, 0), pid);
	if (WIFEXITED(st) && WEXITSTATUS(st) == 2) {
		print_message("seccomp is not possible here\n");
		skip();
	}
	assert_int_equal(st, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_read_only),
		cmocka_unit_test(test_addr_out),
		cmocka_unit_test(test_addr_in),
		cmocka_unit_test(test_forbidden),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
