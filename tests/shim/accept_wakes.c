/* what ends a blocked accept() */
#include "t.h"

#include <pthread.h>

static int l;

static void *later(void *how)
{
	struct sockaddr_in at;
	socklen_t n = sizeof(at);

	settle();
	if (how) {
		shutdown(l, *(int *)how);
		return NULL;
	}
	getsockname(l, SA(&at), &n);
	far_connect(ntohs(at.sin_port));
	return NULL;
}

static void listener(void)
{
	struct sockaddr_in at = addr_of("T_LOCAL", 0);

	l = socket(AF_INET, SOCK_STREAM, 0);
	must(bind(l, SA(&at), sizeof(at)) == 0 && listen(l, 4) == 0, "listen");
}

int main(void)
{
	int rd = SHUT_RD, rdwr = SHUT_RDWR, one = 1;
	struct timespec t0, t1;
	pthread_t t;

	listener();
	pthread_create(&t, NULL, later, NULL);
	show_fd("connection", accept(l, NULL, NULL));
	pthread_join(t, NULL);

	/* a handler that restarts does not end it */
	handle(SIGALRM, SA_RESTART);
	alarm_ms(30);
	clock_gettime(CLOCK_MONOTONIC, &t0);
	pthread_create(&t, NULL, later, NULL);
	show_fd("restarted", accept(l, NULL, NULL));
	clock_gettime(CLOCK_MONOTONIC, &t1);
	pthread_join(t, NULL);
	say("signals %d", signals_seen);

	pthread_create(&t, NULL, later, &rd);
	show_fd("SHUT_RD", accept(l, NULL, NULL));
	pthread_join(t, NULL);
	SHOW(accept(l, NULL, NULL));
	SHOW(shutdown(l, SHUT_RDWR));
	close(l);

	listener();
	pthread_create(&t, NULL, later, &rdwr);
	show_fd("SHUT_RDWR", accept(l, NULL, NULL));
	pthread_join(t, NULL);
	getsockopt(l, SOL_SOCKET, SO_TYPE, &one, &(socklen_t){ 4 });
	close(l);
	return 0;
}
