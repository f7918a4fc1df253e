#include "stack/engine/confine.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "stack/base/check.h"

/* --- capabilities --------------------------------------------------------- */

static int set_caps(uint32_t keep_low)
{
	struct __user_cap_header_struct h = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct d[2];

	if (syscall(SYS_capget, &h, d) != 0) {
		return errno;
	}
	for (unsigned i = 0; i < 2; i++) {
		uint32_t keep = i == 0 ? keep_low : 0;

		d[i].permitted &= keep;
		d[i].effective = d[i].permitted;
		d[i].inheritable = 0;
	}
	h.pid = 0;
	return syscall(SYS_capset, &h, d) == 0 ? 0 : errno;
}

static int no_new_privs(void)
{
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : errno;
}

int confine_keeper(void)
{
	int err = no_new_privs();

	return err ? err : set_caps(1u << CAP_NET_ADMIN);
}

/* --- files ---------------------------------------------------------------- */

/* Landlock's numbers; Debian 12's headers stop at version 2 */
#define LANDLOCK_VERSION 1u
#define FS_V1            0x1fffull
#define FS_V2            0x2000ull /* REFER */
#define FS_V3            0x4000ull /* TRUNCATE */
#define FS_V5            0x8000ull /* IOCTL_DEV */

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_restrict_self  446
#endif

static bool no_files(void)
{
	long v =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION);
	uint64_t fs = FS_V1 | (v >= 2 ? FS_V2 : 0) | (v >= 3 ? FS_V3 : 0) |
		      (v >= 5 ? FS_V5 : 0);
	long fd;
	bool ok;

	if (v < 1) {
		return false;
	}
	/* only the first member of the structure: abstract sockets, which
	 * later versions can forbid, are how programs are reached */
	fd = syscall(SYS_landlock_create_ruleset, &fs, sizeof(fs), 0);
	if (fd < 0) {
		return false;
	}
	ok = syscall(SYS_landlock_restrict_self, (int)fd, 0) == 0;
	close((int)fd);
	return ok;
}

/* --- system calls --------------------------------------------------------- */

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

#ifdef ARCH

#define DATA(field) \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define EQ(v, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (v), (yes), (no))
#define RET(v)         BPF_STMT(BPF_RET | BPF_K, (v))
#define ALLOW          RET(SECCOMP_RET_ALLOW)
#define DENY           RET(SECCOMP_RET_ERRNO | EPERM)
/* low half of a 64-bit argument; the arguments looked at are ints */
#define ARG(i) DATA(args[i])

/* what the engine calls after set-up, by any way through libc */
static const uint16_t allowed[] = {
	/* the loop */
	SYS_io_uring_enter,
	SYS_epoll_pwait,
	SYS_epoll_ctl,
	SYS_epoll_create1,
	SYS_ppoll,
#ifdef SYS_epoll_wait
	SYS_epoll_wait,
	SYS_poll,
#endif
	/* data */
	SYS_read,
	SYS_readv,
	SYS_write,
	SYS_writev,
	SYS_recvfrom,
	SYS_recvmsg,
	SYS_sendto,
	SYS_sendmsg,
	SYS_pwrite64,
	SYS_ftruncate,
	SYS_lseek,
	/* sockets; socket() itself is below */
	SYS_bind,
	SYS_connect,
	SYS_listen,
	SYS_accept,
	SYS_accept4,
	SYS_shutdown,
	SYS_getsockname,
	SYS_getpeername,
	SYS_getsockopt,
	SYS_setsockopt,
	SYS_socketpair,
	/* descriptors */
	SYS_close,
	SYS_fcntl,
	SYS_ioctl,
	SYS_fstat,
	SYS_dup3,
	/* processes that belong to the run */
	SYS_pidfd_open,
	/* memory; mmap() and mprotect() are below */
	SYS_brk,
	SYS_munmap,
	SYS_mremap,
	SYS_madvise,
	/* time and chance */
	SYS_clock_gettime,
	SYS_clock_nanosleep,
	SYS_nanosleep,
	SYS_gettimeofday,
	SYS_getrandom,
	/* libc's own, and the way out */
	SYS_futex,
	SYS_rt_sigaction,
	SYS_rt_sigprocmask,
	SYS_rt_sigreturn,
	SYS_sigaltstack,
	SYS_restart_syscall,
	SYS_getpid,
	SYS_gettid,
	SYS_tgkill,
	SYS_exit,
	SYS_exit_group,
};

static bool no_calls(void)
{
	static const struct sock_filter head[] = {
		DATA(arch), EQ(ARCH, 1, 0), RET(SECCOMP_RET_KILL_PROCESS),
		DATA(nr),
		/* memory, but nothing to execute */
		EQ(SYS_mmap, 1, 0), EQ(SYS_mprotect, 0, 4), ARG(2),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1), DENY,
		ALLOW,
		/* sockets of these families only */
		EQ(SYS_socket, 0, 6), ARG(0), EQ(AF_UNIX, 2, 0),
		EQ(AF_INET, 1, 0), EQ(AF_INET6, 0, 1), ALLOW, DENY,
		/* here nr is still loaded: every branch above ended */
	};
	struct sock_filter f[ARRAY_SIZE(head) + 2 * ARRAY_SIZE(allowed) + 1];
	struct sock_fprog prog = { .filter = f };
	unsigned n = ARRAY_SIZE(head);

	memcpy(f, head, sizeof(head));
	for (unsigned i = 0; i < ARRAY_SIZE(allowed); i++) {
		f[n++] = (struct sock_filter)EQ(allowed[i], 0, 1);
		f[n++] = (struct sock_filter)ALLOW;
	}
	f[n++] = (struct sock_filter)DENY;
	prog.len = (unsigned short)n;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) == 0;
}

#else

static bool no_calls(void)
{
	return false; /* no list for this machine */
}

#endif

unsigned confine_engine(void)
{
	unsigned got = 0;

	/* secrets: no core file, no debugger of the same user */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (no_new_privs() != 0) {
		return 0;
	}
	got |= set_caps(0) == 0 ? CONFINE_NO_CAPS : 0;
	got |= no_files() ? CONFINE_NO_FILES : 0;
	got |= no_calls() ? CONFINE_NO_CALLS : 0;
	return got;
}
