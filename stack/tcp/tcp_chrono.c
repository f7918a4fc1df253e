#include "stack/tcp/tcp_chrono.h"

void tcp_chrono_set(struct tcp_chrono *c, struct instant now,
		    enum tcp_chrono_kind kind)
{
	if (kind == c->kind) {
		return;
	}
	c->busy = tcp_chrono_busy(c, now);
	c->window = tcp_chrono_window(c, now);
	c->since = now;
	c->kind = kind;
}

nanos tcp_chrono_busy(const struct tcp_chrono *c, struct instant now)
{
	return c->busy + (c->kind != TCP_CHRONO_REST
				  ? instant_since(now, c->since)
				  : 0);
}

nanos tcp_chrono_window(const struct tcp_chrono *c, struct instant now)
{
	return c->window + (c->kind == TCP_CHRONO_WINDOW
				    ? instant_since(now, c->since)
				    : 0);
}
