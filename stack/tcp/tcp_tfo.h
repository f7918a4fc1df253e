/* tcp_tfo.h - TCP Fast Open (RFC 7413): data in the SYN for who has a cookie
 *
 * Client: the cookies that servers gave are in tcp_tfo_known.h.  A destination
 * that answered only the second SYN, which has neither option nor data, or
 * none, or without taking the data or giving a cookie, twice in a row is left
 * alone for minutes, and longer each time.  Who wants data in the SYN
 * (conf.tfo_connect) and has a cookie begins with a SYN that waits for the
 * first data, if any fit.
 *
 * Server: cookies are in tcp_tfo_cookie.h.  A listener takes data of at most
 * conf.tfo_queue connections whose handshake is not complete; they are
 * ESTABLISHED for all above, and wait here for what answers their SYN-ACK.
 * Those that were reset before it came count for a while, too.
 *
 * The layer above must allow it (tcp_open.fastopen).
 */
#ifndef TCP_TCP_TFO_H
#define TCP_TCP_TFO_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/addr.h"
#include "stack/base/env.h"
#include "stack/base/list.h"
#include "stack/base/time.h"
#include "stack/tcp/tcp.h"
#include "stack/tcp/tcp_tfo_cookie.h"
#include "stack/tcp/tcp_tfo_known.h"
#include "stack/wire/tcp_hdr.h"

struct tcp;
struct tcb;
struct tcp_tx;
struct tcp_listener;

struct tcp_tfo { /* of all connections */
	struct tcp_tfo_secret secret; /* server */
	struct tcp_tfo_known known;   /* client */
};

/* of one connection that has to do with it; gone when its handshake is
 * complete */
struct tcp_tfo_conn {
	bool hold;    /* active: the SYN waits for data */
	bool quiet;   /* active, another SYN: without option or data */
	bool option;  /* the SYN, or SYN-ACK, has the option with cookie */
	bool bold;    /* active: data without a cookie */
	bool take;    /* passive: the SYN's data are to be taken */
	bool wait;    /* passive: they were; SYN-ACK not acknowledged */
	uint8_t len;  /* of cookie; 0: one is asked for */
	uint8_t cookie[TCP_HDR_TFO_MAX];
	uint16_t mss;  /* active: of the server, as it was */
	uint16_t sent; /* active: octets in our SYN */
	struct tcp_listener *l; /* wait: in its list */
	struct list link;
};

void tcp_tfo_init(struct tcp_tfo *f);
void tcp_tfo_fini(struct tcp_tfo *f, struct mem *mem);

/* --- client --------------------------------------------------------------- */

/* An active open whose upper allows it: cookie, request, or nothing. */
void tcp_tfo_open(struct tcb *tcb, struct instant now);
/* octets that our SYN may have, when its options take opt_len */
uint32_t tcp_tfo_room(const struct tcb *tcb, unsigned opt_len);
/* may a SYN of ours be acknowledged this way? */
bool tcp_tfo_acceptable(const struct tcb *tcb, uint32_t ack);
/* The SYN-ACK came, and the connection is open: keeps the cookie, and accounts
 * for data that it acknowledges. */
void tcp_tfo_synack(struct tcb *tcb, struct instant now,
		    const struct tcp_seg *seg);

/* --- server --------------------------------------------------------------- */

/* A passive open whose upper allows it: looks at option and data of the SYN. */
void tcp_tfo_accept(struct tcb *tcb, struct instant now,
		    struct tcp_listener *l, const struct tcp_seg *syn);
/* After on_syn(): the connection is open for its upper, with the data of its
 * SYN, if they are to be taken. */
void tcp_tfo_start(struct tcb *tcb, struct instant now,
		   const struct tcp_seg *syn);
/* After a timeout what is sent again is the SYN-ACK alone (RFC 6298 5.4: the
 * earliest segment); data that went with it wait for its answer. */
bool tcp_tfo_alone(const struct tcb *tcb);
/* an acceptable ACK came */
void tcp_tfo_heard(struct tcb *tcb);
/* the listener goes */
void tcp_tfo_unlisten(struct tcp_listener *l);

/* --- both ----------------------------------------------------------------- */

/* the option of a SYN or SYN-ACK */
void tcp_tfo_option(struct tcb *tcb, const struct tcp_tx *tx, struct wr *w);
/* the connection ends while the handshake is not complete */
void tcp_tfo_over(struct tcb *tcb, struct instant now, enum tcp_end end);
/* the SYN went unanswered for one timeout */
void tcp_tfo_timeout(struct tcb *tcb);
void tcp_tfo_end(struct tcb *tcb);

#endif
