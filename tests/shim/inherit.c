/* descriptors across fork, exec, dup and SCM_RIGHTS */
#include "t.h"

#include <spawn.h>

extern char **environ;

static char self[4096];

/* started again with a descriptor: who am I, and send what I was told */
static int child(int fd, const char *text)
{
	struct sockaddr_in in = { 0 };
	socklen_t len = sizeof(in);
	int nodelay = -1, far = getppid();

	(void)far;
	SHOW(getpeername(fd, SA(&in), &len));
	say("family %d", in.sin_family);
	len = sizeof(nodelay);
	SHOW(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &nodelay, &len));
	say("nodelay %d", nodelay);
	SHOW(write(fd, text, strlen(text)));
	return 0;
}

static void run(int fd, int how)
{
	char num[16];
	char *argv[] = { self, num, (char[]){ "hello" }, NULL };
	char *none[] = { NULL };
	pid_t pid;
	int status = -1;

	snprintf(num, sizeof(num), "%d", fd);
	switch (how) {
	case 0:
		pid = fork();
		if (pid == 0) {
			_exit(child(fd, "hello"));
		}
		break;
	case 1:
		pid = fork();
		if (pid == 0) {
			execv(self, argv);
			_exit(127);
		}
		break;
	case 2:
		pid = vfork();
		if (pid == 0) {
			execve(self, argv, none);
			_exit(127);
		}
		break;
	case 3:
		pid = fork();
		if (pid == 0) {
			clearenv();
			execlp(self, self, num, "hello", (char *)0);
			_exit(127);
		}
		break;
	default:
		must(posix_spawn(&pid, self, NULL, NULL, argv, none) == 0,
		     "spawn");
	}
	waitpid(pid, &status, 0);
	say("status %d", status);
}

static void test(int fd, int far)
{
	char b[16];
	int on = 1, sp[2];
	struct iovec v = { b, 1 };
	char room[CMSG_SPACE(sizeof(int))];
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1,
			    .msg_control = room,
			    .msg_controllen = sizeof(room) };

	SHOW(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)));
	for (int how = 0; how < 5; how++) {
		say("-- way %d", how);
		run(fd, how);
		memset(b, 0, sizeof(b));
		SHOW(far_read(far, b, 5));
		say("%s", b);
	}
	say("-- passed");
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, sp) == 0, "make a pair");
	memset(room, 0, sizeof(room));
	CMSG_FIRSTHDR(&m)->cmsg_level = SOL_SOCKET;
	CMSG_FIRSTHDR(&m)->cmsg_type = SCM_RIGHTS;
	CMSG_FIRSTHDR(&m)->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), &fd, sizeof(int));
	SHOW(sendmsg(sp[0], &m, 0));
	if (fork() == 0) {
		int got;

		close(fd);
		SHOW(recvmsg(sp[1], &m, 0));
		memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(int));
		_exit(child(got, "world"));
	}
	wait(NULL);
	SHOW(far_read(far, b, 5));
	close(sp[0]);
	close(sp[1]);
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		return child(atoi(argv[1]), argv[2]);
	}
	must(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0,
	     "find myself");
	each_kind(test);
	return 0;
}
