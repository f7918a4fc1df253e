/* export.h - the functions that stand before the C library's
 *
 * shim_x is x to the program: the label gives it that symbol.  In C it has a
 * name and prototype of its own, since the C library declares some of them in
 * ways (transparent unions, nonnull) that a definition cannot repeat.
 * shim.map lists the same names.
 */
#ifndef SHIM_EXPORT_H
#define SHIM_EXPORT_H

#include <spawn.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#define EXPORT(name) __asm__(name)

/* call_open.c, call_connect.c */
int shim_socket(int domain, int type, int protocol) EXPORT("socket");
int shim_bind(int fd, const struct sockaddr *sa, socklen_t len) EXPORT("bind");
int shim_listen(int fd, int backlog) EXPORT("listen");
int shim_connect(int fd, const struct sockaddr *sa, socklen_t len)
	EXPORT("connect");
int shim_accept(int fd, struct sockaddr *sa, socklen_t *len) EXPORT("accept");
int shim_accept4(int fd, struct sockaddr *sa, socklen_t *len, int flags)
	EXPORT("accept4");

/* call_name.c */
int shim_getsockname(int fd, struct sockaddr *sa, socklen_t *len)
	EXPORT("getsockname");
int shim_getpeername(int fd, struct sockaddr *sa, socklen_t *len)
	EXPORT("getpeername");

/* call_opt.c */
int shim_getsockopt(int fd, int level, int name, void *val, socklen_t *len)
	EXPORT("getsockopt");
int shim_setsockopt(int fd, int level, int name, const void *val, socklen_t len)
	EXPORT("setsockopt");
int shim_shutdown(int fd, int how) EXPORT("shutdown");
int shim_ioctl(int fd, unsigned long request, ...) EXPORT("ioctl");

/* call_read.c */
ssize_t shim_read(int fd, void *buf, size_t n) EXPORT("read");
ssize_t shim_readv(int fd, const struct iovec *v, int n) EXPORT("readv");
ssize_t shim_recv(int fd, void *buf, size_t n, int flags) EXPORT("recv");
ssize_t shim_recvfrom(int fd, void *buf, size_t n, int flags,
		      struct sockaddr *sa, socklen_t *len) EXPORT("recvfrom");
ssize_t shim_recvmsg(int fd, struct msghdr *m, int flags) EXPORT("recvmsg");
int shim_recvmmsg(int fd, struct mmsghdr *m, unsigned n, int flags,
		  struct timespec *timeout) EXPORT("recvmmsg");
ssize_t shim_splice(int in, off64_t *off_in, int out, off64_t *off_out,
		    size_t n, unsigned flags) EXPORT("splice");
ssize_t shim_read_chk(int fd, void *buf, size_t n, size_t room)
	EXPORT("__read_chk");
ssize_t shim_recv_chk(int fd, void *buf, size_t n, size_t room, int flags)
	EXPORT("__recv_chk");
ssize_t shim_recvfrom_chk(int fd, void *buf, size_t n, size_t room, int flags,
			  struct sockaddr *sa, socklen_t *len)
	EXPORT("__recvfrom_chk");

/* call_msg.c */
ssize_t shim_write(int fd, const void *buf, size_t n) EXPORT("write");
ssize_t shim_writev(int fd, const struct iovec *v, int n) EXPORT("writev");
ssize_t shim_send(int fd, const void *buf, size_t n, int flags) EXPORT("send");
ssize_t shim_sendto(int fd, const void *buf, size_t n, int flags,
		    const struct sockaddr *sa, socklen_t len) EXPORT("sendto");
ssize_t shim_sendmsg(int fd, const struct msghdr *m, int flags)
	EXPORT("sendmsg");
int shim_sendmmsg(int fd, struct mmsghdr *m, unsigned n, int flags)
	EXPORT("sendmmsg");

/* call_proc.c, call_path.c */
int shim_execve(const char *path, char *const argv[], char *const envp[])
	EXPORT("execve");
int shim_execv(const char *path, char *const argv[]) EXPORT("execv");
int shim_execvp(const char *file, char *const argv[]) EXPORT("execvp");
int shim_execvpe(const char *file, char *const argv[], char *const envp[])
	EXPORT("execvpe");
int shim_execl(const char *path, const char *arg, ...) EXPORT("execl");
int shim_execlp(const char *file, const char *arg, ...) EXPORT("execlp");
int shim_execle(const char *path, const char *arg, ...) EXPORT("execle");
int shim_fexecve(int fd, char *const argv[], char *const envp[])
	EXPORT("fexecve");
int shim_execveat(int dir, const char *path, char *const argv[],
		  char *const envp[], int flags) EXPORT("execveat");
int shim_posix_spawn(pid_t *pid, const char *path,
		     const posix_spawn_file_actions_t *fa,
		     const posix_spawnattr_t *attr, char *const argv[],
		     char *const envp[]) EXPORT("posix_spawn");
int shim_posix_spawnp(pid_t *pid, const char *file,
		      const posix_spawn_file_actions_t *fa,
		      const posix_spawnattr_t *attr, char *const argv[],
		      char *const envp[]) EXPORT("posix_spawnp");
int shim_system(const char *command) EXPORT("system");
FILE *shim_popen(const char *command, const char *type) EXPORT("popen");

/* call_sys.c */
long shim_syscall(long number, ...) EXPORT("syscall");
int shim_prctl(int option, ...) EXPORT("prctl");

#endif
