/* tcp_chrono.h - what a sender waited for: acknowledgements, or a window */
#ifndef TCP_TCP_CHRONO_H
#define TCP_TCP_CHRONO_H

#include <stdint.h>

#include "stack/base/time.h"

enum tcp_chrono_kind {
	TCP_CHRONO_REST, /* nothing is out and nothing waits */
	TCP_CHRONO_BUSY,
	TCP_CHRONO_WINDOW, /* busy, and the peer's window lets nothing more out */
};

struct tcp_chrono {
	struct instant since; /* of kind */
	nanos busy, window;   /* before that; busy has window in it */
	enum tcp_chrono_kind kind;
};

/* from now on it is this */
void tcp_chrono_set(struct tcp_chrono *c, struct instant now,
		    enum tcp_chrono_kind kind);
/* until now */
nanos tcp_chrono_busy(const struct tcp_chrono *c, struct instant now);
nanos tcp_chrono_window(const struct tcp_chrono *c, struct instant now);

#endif
