/* stack.h - the whole core as one object: packets, calls and `now` in;
 * packets, events and a deadline out
 *
 * Sans-I/O: no system call, no clock, no global.  One thread per stack.
 * After every call except stack_output() the caller should, before it waits:
 * drain stack_event(), then stack_output() until it returns less than max,
 * then look at stack_deadline().
 */
#ifndef SOCK_STACK_H
#define SOCK_STACK_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/addr.h"
#include "stack/base/bytes.h"
#include "stack/base/env.h"
#include "stack/base/pkt.h"
#include "stack/base/time.h"
#include "stack/ip/ip.h"
#include "stack/mptcp/mptcp.h"
#include "stack/tcp/tcp.h"

struct stack;
struct sock;

/* SYN cookies */
enum stack_cookies {
	STACK_COOKIES_AUTO, /* when a listener's half-open queue is full */
	STACK_COOKIES_ALWAYS, /* for every SYN; for tests */
	STACK_COOKIES_NEVER,
};

struct stack_cfg {
	struct mp_cfg mp;
	enum stack_cookies cookies;
	uint32_t socks_max;   /* sockets, default 65536 */
	uint32_t rcvbuf, sndbuf; /* defaults for new sockets; 0: built-in */
	const char *congestion;  /* NULL: "cubic" */
	enum tcp_mtup_mode mtu_probing;
	enum tcp_ecn_mode ecn;
	bool drop_fragments; /* instead of putting them together */
	/* of mp.crypt_policy; stack_new() makes mp.crypt, and mp.memo if
	 * mp.memo_mode asks for one and there is none */
	struct crypt_setup crypt;
	uint32_t memo_max; /* destinations in that; 0: 8192 */
};

/* NULL: no memory, or an unknown congestion control or scheduler */
struct stack *stack_new(const struct env *env, const struct stack_cfg *cfg,
			struct instant now);
void stack_free(struct stack *s); /* silently: no packet is sent */

/* --- paths ---------------------------------------------------------------- */
/* index or -1 */
int stack_path_add(struct stack *s, struct instant now,
		   const struct ip_path *p);
void stack_path_set_up(struct stack *s, struct instant now, unsigned path,
		       bool up);
void stack_path_set_backup(struct stack *s, struct instant now, unsigned path,
			   bool backup);

/* --- packets and time ----------------------------------------------------- */
/* takes over the caller's reference of p */
void stack_input(struct stack *s, struct instant now, struct pkt *p);
/* fills up to max packets; they are valid until the next call that is not
 * stack_output() */
unsigned stack_output(struct stack *s, struct instant now,
		      struct pkt_out *out, unsigned max);
/* stack_output() would have something: also right after it had less than max,
 * when what it sent set off more (another option, the end of a connection) */
bool stack_wants_output(const struct stack *s);
struct instant stack_deadline(const struct stack *s);
void stack_tick(struct stack *s, struct instant now);
/* Work that only saves time later (one key pair made ahead, tens to hundreds
 * of microseconds), for when nothing else is to be done.  false: nothing */
bool stack_idle(struct stack *s);

/* --- sockets -------------------------------------------------------------- */
enum {
	SOCK_EV_CONNECTED = 1, /* active open done */
	SOCK_EV_READ = 2,      /* data or EOF arrived */
	SOCK_EV_WRITE = 4,     /* room appeared after sock_write_vec() gave 0 */
	SOCK_EV_ACCEPT = 8,    /* sock_accept() has one */
	SOCK_EV_CLOSED = 16,   /* sock_error() tells why (0: orderly); data
				* may still be readable */
};

struct stack_event {
	struct sock *sk;
	void *user; /* of sock_set_user() */
	unsigned bits;
};

/* next pending event; false: none.  Events of one socket are merged. */
bool stack_event(struct stack *s, struct stack_event *ev);

/* family 4 or 6; NULL: limit reached */
struct sock *sock_open(struct stack *s, uint8_t family);
/* A new one, unconnected, with the options of this one: for a descriptor that
 * outlives its connection.  NULL: limit reached */
struct sock *sock_heir(const struct sock *sk);
void sock_set_user(struct sock *sk, void *user);

/* All return 0 or a Linux errno (positive).
 * An IPv6 socket takes IPv4-mapped addresses unless v6only. */
int sock_bind(struct sock *sk, const struct endpoint *local);
int sock_listen(struct sock *sk, struct instant now, unsigned backlog);
/* EINPROGRESS: under way, SOCK_EV_CONNECTED or SOCK_EV_CLOSED follows */
int sock_connect(struct sock *sk, struct instant now,
		 const struct endpoint *remote);
/* an established connection taken off a listener; NULL: none */
struct sock *sock_accept(struct sock *listener, struct instant now);
/* undoes sock_accept()'s reservation for one that cannot be delivered now:
 * puts it back in front */
void sock_unaccept(struct sock *listener, struct sock *sk);
/* another listener takes it: the one that it came to is gone */
void sock_pass_on(struct sock *listener, struct sock *sk);
struct sock *sock_find(struct stack *s, uint64_t id); /* NULL: gone */
uint64_t sock_id(const struct sock *sk); /* unique for the stack's life */

/* see mp_write_vec(), mp_read_vec(): same contracts */
unsigned sock_write_vec(struct sock *sk, uint32_t want, struct iov_mut v[2]);
void sock_write_done(struct sock *sk, struct instant now, uint32_t n);
unsigned sock_read_vec(const struct sock *sk, struct iov *v, unsigned max);
void sock_read_done(struct sock *sk, struct instant now, uint64_t n);
void sock_read_held(struct sock *sk, struct instant now, uint32_t n);
uint64_t sock_read_len(const struct sock *sk);
/* octets before the peer's urgent one, 0: it is next; UINT64_MAX: none.  What
 * becomes of SO_OOBINLINE is the caller's: here it is one octet as any other. */
uint64_t sock_read_mark(const struct sock *sk);
bool sock_read_eof(const struct sock *sk);
uint64_t sock_outq(const struct sock *sk); /* unacknowledged plus queued */
uint64_t sock_outq_unsent(const struct sock *sk); /* of these, not sent yet */
void sock_urgent(struct sock *sk, struct instant now);

int sock_shutdown_write(struct sock *sk, struct instant now);
int sock_shutdown_read(struct sock *sk, struct instant now);
/* Lets go of the handle.  Pieces from *_vec() must not be in use any more.
 * abort: RST.  Also reset when received data was never read, as TCP does. */
void sock_close(struct sock *sk, struct instant now, bool abort);

int sock_error(struct sock *sk); /* and clears it (SO_ERROR) */
int sock_error_peek(const struct sock *sk);
/* what ICMP said of an open connection, which goes on; told once.  SO_ERROR has
 * this when there is no other error. */
int sock_soft_error(struct sock *sk);
bool sock_connected(const struct sock *sk);
bool sock_local(const struct sock *sk, struct endpoint *out); /* false: unbound */
bool sock_remote(const struct sock *sk, struct endpoint *out);
bool sock_info(const struct sock *sk, struct mp_info *out); /* false: no connection */
struct stack *sock_stack(const struct sock *sk);

/* Linux levels, names, values and errors for what concerns the stack:
 * SOL_SOCKET: KEEPALIVE LINGER RCVBUF SNDBUF RCVLOWAT REUSEADDR REUSEPORT
 *   ERROR DOMAIN PROTOCOL TYPE ACCEPTCONN OOBINLINE ..; IPPROTO_TCP: NODELAY
 *   CORK MAXSEG KEEP* USER_TIMEOUT QUICKACK LINGER2 SYNCNT CONGESTION INFO
 *   WINDOW_CLAMP DEFER_ACCEPT NOTSENT_LOWAT ..; IPPROTO_IP: TOS TTL MTU ..;
 *   IPPROTO_IPV6: V6ONLY UNICAST_HOPS TCLASS ..; SOL_MPTCP: INFO, and those
 *   of encryption that no kernel has.
 * ENOPROTOOPT for an option not known here: never a false success. */
int sock_setopt(struct sock *sk, struct instant now, int level, int name,
		const void *val, uint32_t len);
int sock_getopt(struct sock *sk, struct instant now, int level, int name,
		void *val, uint32_t *len);
bool sock_linger_zero(const struct sock *sk); /* SO_LINGER {1,0} set */
/* an option of this stack alone, which no kernel has (mptcp-shim(7)) */
bool sock_opt_private(int level, int name);

/* --- asking --------------------------------------------------------------- */
/* calls fn for each named counter of every layer, in a fixed order */
void stack_counters(const struct stack *s,
		    void (*fn)(void *ctx, const char *name, const char *text,
			       uint64_t value),
		    void *ctx);
/* fn for every connection, also those whose owner is gone; and once more for
 * each just before it disappears (bye) */
void stack_each_conn(const struct stack *s,
		     void (*fn)(void *ctx, const struct mp_info *info),
		     void *ctx);
void stack_set_obituary(struct stack *s,
			void (*fn)(void *ctx, const struct mp_info *info),
			void *ctx);
/* what an earlier run found out: the destination was encrypted so, and when */
void stack_recall(struct stack *s, const struct endpoint *to, enum mp_sec sec,
		  struct instant when);
/* fn for each connection that a peer asked for and the policy refused */
void stack_set_refused(struct stack *s,
		       void (*fn)(void *ctx, const struct mp_info *info),
		       void *ctx);
/* connections that still owe the peer data or a FIN though no handle is left */
uint32_t stack_owing(const struct stack *s);
/* of these, what TCP finishes alone, and no stack_each_conn() shows any more */
uint32_t stack_orphans(const struct stack *s);
/* what TCP keeps all in all, also where only the peer's FIN is missing */
uint32_t stack_tcbs(const struct stack *s);
uint32_t stack_timewait(const struct stack *s);
uint32_t stack_conns(const struct stack *s);
const char *stack_version(void);

#endif
