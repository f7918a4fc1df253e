/* The stack is held up, and the queue of sockets that begin is full: the next
 * one asks, and waits.  None is lost.  run.sh makes the queue 64 long.
 * Over loopback everybody asks anyway. */
#include "../t.h"

#define N 100

static pid_t stack_of(int fd)
{
	struct ucred cr = { 0 };
	socklen_t len = sizeof(cr);

	raw(SYS_getsockopt, fd, SOL_SOCKET, SO_PEERCRED, (long)&cr,
	    (long)&len, 0);
	return cr.pid;
}

int main(void)
{
	struct sockaddr_in at;
	int sys = open("/proc/sys/net/core/somaxconn", O_WRONLY);
	int l, fd[N], far, in_progress = 0, up = 0;
	pid_t stack;

	must(write(sys, "4096", 4) == 4, "let the far end's queue be longer");
	l = far_listen(&at, 4096);

	fd[0] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	connect(fd[0], SA(&at), sizeof(at));
	far_close(far_accept(l));
	stack = stack_of(fd[0]);
	close(fd[0]);
	must(stack > 1 && kill(stack, SIGSTOP) == 0, "stop the stack");
	if (fork() == 0) {
		for (int i = 0; i < 8; i++) {
			settle();
		}
		kill(stack, SIGCONT);
		_exit(0);
	}
	for (int i = 0; i < N; i++) {
		fd[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		in_progress += connect(fd[i], SA(&at), sizeof(at)) == -1 &&
			       errno == EINPROGRESS;
	}
	say("in progress %d", in_progress);
	for (int i = 0; i < N; i++) {
		struct pollfd p = { .fd = fd[i], .events = POLLOUT };

		up += poll(&p, 1, 5000) == 1 && p.revents == POLLOUT &&
		      sock_error_of(fd[i]) == 0 && write(fd[i], "x", 1) == 1;
	}
	say("established %d", up);
	up = 0;
	for (int i = 0; i < N; i++) {
		char b[4];

		far = far_accept(l);
		up += far_read(far, b, 4) == 1;
		far_close(far);
	}
	say("heard of %d", up);
	return 0;
}
