/* the stack is killed while a program uses it: errors at once, never a hang */
#include "../t.h"

#include <dirent.h>
#include <pthread.h>

static struct sockaddr_in at;
static int listener, blocked_fd, waiting_fd;
static char said[3][32];

static void note(char out[32], long rc)
{
	snprintf(out, 32, "%s", rc == -1 ? strerrorname_np(errno) : "success");
}

static void *in_accept(void *p)
{
	note(said[0], accept(listener, NULL, NULL));
	return p;
}

static void *in_read(void *p)
{
	note(said[1], read(blocked_fd, (char[4]){ 0 }, 4));
	return p;
}

static void *in_connect(void *p)
{
	note(said[2], connect(waiting_fd, SA(&at), sizeof(at)));
	return p;
}

/* every process of that name in our network namespace */
static int kill_stack(void)
{
	DIR *d = opendir("/proc");
	char own[64] = "", path[300], text[64];
	struct dirent *e;
	int n = 0;

	readlink("/proc/self/ns/net", own, sizeof(own) - 1);
	while ((e = readdir(d)) != NULL) {
		int pid = atoi(e->d_name), fd;

		snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
		memset(text, 0, sizeof(text));
		if (pid <= 0 || readlink(path, text, sizeof(text) - 1) < 0 ||
		    strcmp(text, own) != 0) {
			continue;
		}
		snprintf(path, sizeof(path), "/proc/%d/comm", pid);
		memset(text, 0, sizeof(text));
		fd = open(path, O_RDONLY);
		if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 &&
		    strncmp(text, "mptcp-stackd", 12) == 0) {
			n += kill(pid, SIGKILL) == 0;
		}
		close(fd);
	}
	closedir(d);
	return n;
}

int main(void)
{
	pthread_t t[3];
	int far, client = connected(&far), fresh, server = accepted(&far);
	struct timespec t0, t1;
	char b[4];

	blocked_fd = connected(&far);
	at = far_full();
	fresh = socket(AF_INET, SOCK_STREAM, 0);
	waiting_fd = socket(AF_INET, SOCK_STREAM, 0);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	must(listen(listener, 4) == 0, "listen");
	pthread_create(&t[0], NULL, in_accept, NULL);
	pthread_create(&t[1], NULL, in_read, NULL);
	pthread_create(&t[2], NULL, in_connect, NULL);
	settle();
	settle();
	say("killed %d", kill_stack() > 0);
	clock_gettime(CLOCK_MONOTONIC, &t0);
	for (int i = 0; i < 3; i++) {
		pthread_join(t[i], NULL);
	}
	clock_gettime(CLOCK_MONOTONIC, &t1);
	say("accept %s, read %s, connect %s", said[0], said[1], said[2]);
	say("in time %d", t1.tv_sec - t0.tv_sec < 4);
	SHOW(read(client, b, 4));
	SHOW(recv(client, b, 4, 0));
	SHOW(send(client, b, 4, MSG_NOSIGNAL));
	SHOW(read(server, b, 4));
	SHOW(send(server, b, 4, MSG_NOSIGNAL));
	SHOW(getpeername(server, SA(&at), &(socklen_t){ sizeof(at) }));
	SHOW(shutdown(client, SHUT_RDWR));
	SHOW(connect(fresh, SA(&at), sizeof(at)));
	SHOW(listen(fresh, 1));
	SHOW(setsockopt(fresh, SOL_SOCKET, SO_KEEPALIVE, &(int){ 1 }, 4));
	SHOW(accept(listener, NULL, NULL));
	SHOW(socket(AF_INET, SOCK_STREAM, 0));
	SHOW(socket(AF_INET6, SOCK_STREAM, 0));
	show_fd("socket of another kind", socket(AF_INET, SOCK_DGRAM, 0));
	return 0;
}
