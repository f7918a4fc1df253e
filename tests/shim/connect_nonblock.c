/* a connect() that does not wait */
#include "t.h"

#define EVENTS (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)

static int ep;

/* edges since the last look */
static void show_edges(const char *when)
{
	unsigned all = edges_of(ep);

	say("edges %s:%s%s%s%s%s", when, all & EPOLLIN ? " IN" : "",
	    all & EPOLLOUT ? " OUT" : "", all & EPOLLERR ? " ERR" : "",
	    all & EPOLLHUP ? " HUP" : "", all & EPOLLRDHUP ? " RDHUP" : "");
}

static void ok(void)
{
	struct sockaddr_in at;
	int l = far_listen(&at, 8);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), far;
	struct epoll_event ev = { .events = EVENTS };
	char b[4];

	ep = epoll_create1(0);
	epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
	show_edges("before");
	SHOW(connect(fd, SA(&at), sizeof(at)));
	far = far_accept(l);
	settle();
	show_edges("after");
	show_edges("again");
	show_poll("connected", fd);
	show_so_error(fd);
	SHOW(connect(fd, SA(&at), sizeof(at)));
	SHOW(connect(fd, SA(&at), sizeof(at)));
	SHOW(recv(fd, b, 4, 0));
	far_write(far, "abcd", 4);
	settle();
	show_edges("data");
	SHOW(recv(fd, b, 4, 0));
	far_shutdown(far, SHUT_WR);
	show_edges("FIN");
	show_poll("FIN", fd);
	SHOW(shutdown(fd, SHUT_WR));
	settle();
	show_edges("both");
	show_poll("both", fd);
	close(fd);
	far_close(far);
	far_close(l);
	close(ep);
}

static void refused(bool ask)
{
	struct sockaddr_in at;
	int l = far_listen(&at, 8);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct epoll_event ev = { .events = EVENTS };

	ep = epoll_create1(0);
	epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
	show_edges("before");
	far_close(l);
	SHOW(connect(fd, SA(&at), sizeof(at)));
	settle();
	show_edges("after");
	show_poll("refused", fd);
	if (ask) {
		show_so_error(fd);
		show_so_error(fd);
		SHOW(connect(fd, SA(&at), sizeof(at)));
	} else {
		SHOW(connect(fd, SA(&at), sizeof(at)));
	}
	SHOW(recv(fd, (char[1]){ 0 }, 1, 0));
	SHOW(send(fd, "x", 1, MSG_NOSIGNAL));
	SHOW(getpeername(fd, SA(&at), &(socklen_t){ sizeof(at) }));
	close(fd);
	close(ep);
}

int main(void)
{
	say("== established");
	ok();
	say("== refused, asked");
	refused(true);
	say("== refused, not asked");
	refused(false);
	return 0;
}
