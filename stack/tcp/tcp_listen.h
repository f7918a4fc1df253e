/* tcp_listen.h - listeners: who is asked about a SYN */
#ifndef TCP_TCP_LISTEN_H
#define TCP_TCP_LISTEN_H

#include <stdbool.h>

#include "stack/tcp/tcp.h"
#include "stack/tcp/tcp_demux.h"
#include "stack/tcp/tcp_tfo_cookie.h"

#define TCP_SYNACK_RETRIES 5 /* Linux: net.ipv4.tcp_synack_retries */

struct tcp_listener {
	struct tcp_bound bound;
	struct list link;
	const struct tcp_listener_ops *ops;
	void *lctx;
	/* cookies are looked for until then: not where none was sent */
	struct instant cookies_until;
	struct list tfo; /* struct tcp_tfo_conn.link: not acknowledged yet */
	uint32_t n_tfo;
	uint32_t tfo_reset[2]; /* of those, reset: this minute, the last one */
	int64_t tfo_minute;
	struct tcp_tfo_keys tfo_keys; /* TCP_FASTOPEN_KEY */
};

/* RFC 5082: may the SYN of a connection that is to have this conf have come from
 * so far away?  If not, that is counted. */
bool tcp_listen_near(struct tcp *tcp, const struct tcp_seg *syn,
		     const struct tcp_conf *c);

/* A segment that belongs to no connection (RFC 9293 3.10.7.1 and .2): a SYN
 * is offered to join, then to a listener; anything else is answered with a
 * reset.  Not NULL: a connection restored from a SYN cookie, whose ACK the
 * segment is and that is to process it. */
struct tcp_entry *tcp_listen_input(struct tcp *tcp, struct instant now,
		      const struct tcp_seg *seg,
		      bool (*join)(void *ctx, struct instant now,
				   const struct tcp_seg *syn),
		      void *join_ctx);

#endif
