/* sock_state.h - what the files of this folder share */
#ifndef SOCK_SOCK_STATE_H
#define SOCK_SOCK_STATE_H

#include "stack/base/hmap.h"
#include "stack/base/list.h"
#include "stack/base/same.h"
#include "stack/base/ports.h"
#include "stack/base/siphash.h"
#include "stack/base/wheel.h"
#include "stack/sock/sock_opt_kept.h"
#include "stack/sock/stack.h"
#include "stack/tcp/tcp.h"

#define SOCK_MAX_DEFAULT   65536u
#define SOCK_BACKLOG_MAX   4096u /* Linux: net.core.somaxconn */
#define SOCK_HALF_OPEN_MIN 128u  /* half-open bound of small backlogs */
#define STACK_ECHO_MAX     8u    /* echo replies waiting for output */
#define STACK_ECHO_LEN     2048u /* octets of ICMP message, most */

enum sock_state {
	SOCK_IDLE, /* not connected; perhaps bound */
	SOCK_LISTENING,
	SOCK_CONNECTING, /* mp_connect() done, no answer yet */
	SOCK_OPEN,       /* established */
	SOCK_ENDED,      /* closed() came; conn still ours to close */
	SOCK_FAILED,     /* the attempt to connect failed; conn still held */
	SOCK_ORPHAN,     /* handle gone, the conn finishes by itself */
};

/* socket options that only this layer keeps; the rest is in mp_conf */
struct sock_opts {
	bool reuseaddr, reuseport, v6only, bind_no_port, dontroute;
	bool linger_on;
	bool freebind;             /* to addresses that we do not have */
	uint16_t port_lo, port_hi; /* IP_LOCAL_PORT_RANGE; 0: usual */
	bool pacing_zero; /* SO_MAX_PACING_RATE 0 */
	bool inq;         /* TCP_INQ */
	uint8_t buf_lock; /* SO_BUF_LOCK's bits: sizes the program chose */
	uint8_t device;   /* SO_BINDTODEVICE: path + 1, 0 any */
	uint8_t pmtudisc; /* IP_MTU_DISCOVER */
	uint8_t save_syn; /* TCP_SAVE_SYN: 0, 1, or 2 with what we have not */
	uint16_t prefer;  /* IPV6_ADDR_PREFERENCES; 0: as at first */
	int32_t linger_s;
	int32_t linger2;        /* -1, 0 default, or seconds */
	int32_t rcvbuf, sndbuf; /* as getsockopt gives them: doubled */
	uint8_t defer_accept; /* retransmissions of a SYN/ACK, Linux's unit */
	int16_t hops;         /* IPV6_UNICAST_HOPS, -1 default */
	uint8_t tclass;
	uint8_t tos;
	int16_t ttl; /* IP_TTL, -1 default */
	uint32_t user_timeout_ms;
};

/* a listener's part */
struct sock_queue {
	struct mp_listener *lst; /* NULL: it listens no more */
	struct list ready;       /* to be accepted */
	struct list deferred;    /* TCP_DEFER_ACCEPT: no data yet */
	uint32_t backlog, n_ready, n_half;
};

/* TCP_DEFER_ACCEPT: to be accepted without data, too, then */
struct sock_defer {
	struct wheel_timer timer;
	struct sock *sk;
};

struct sock {
	struct stack *s;
	struct hnode by_id;
	uint64_t id;
	struct list link;      /* in stack.socks */
	struct list ev_link;   /* in stack.events */
	struct list q_link;    /* in the listener's ready or deferred list */
	struct ports_node same_port; /* in stack.bound */
	void *user;
	unsigned bits;
	enum sock_state state;
	uint8_t family;
	int err;
	bool bound; /* local.port is ours */
	bool shut_rd, shut_wr;
	bool wait_room; /* sock_write_vec() gave 0 */
	struct endpoint local, remote;
	struct sock_opts opt;
	struct sock_kept *kept; /* NULL: all as at first */
	struct tcp_saved *saved; /* TCP_SAVED_SYN; NULL: none, or was read */
	/* of stack.confs: to be written from sock_conf_own() to _done() alone */
	struct mp_conf *conf;
	struct mp_conn *conn;
	struct sock_queue *q; /* kept once made, NULL none */

	/* on a listener's queue */
	struct sock *listener;
	struct sock_defer *defer; /* NULL: it is not deferred */
};

enum echo_state {
	ECHO_FREE,
	ECHO_WAITS,
	ECHO_SENT, /* handed out: its memory must stay until the next input */
};

struct stack_echo {
	enum echo_state state;
	struct pkt_out out;
	uint8_t *buf;
};

struct stack {
	struct env env;
	struct stack_cfg cfg;
	struct crypt *crypt; /* NULL: encryption is off */
	struct crypt_memo *memo; /* NULL: none, or the caller's */
	struct wheel wheel;
	struct ip *ip;
	struct tcp *tcp;
	struct mp *mp;
	struct hmap ids;
	struct siphash_key key;
	uint64_t next_id;
	uint32_t n_socks; /* handles, and connections waiting to be accepted */
	struct list socks;
	struct list events;
	struct ports bound; /* sockets that have a port */
	struct mp_conf conf; /* of a new socket */
	struct same confs;   /* struct mp_conf */
	struct stack_echo echo[STACK_ECHO_MAX];
	struct wheel_timer frag_timer;
	void (*obituary)(void *ctx, const struct mp_info *info);
	void *obituary_ctx;
	void (*refused)(void *ctx, const struct mp_info *info);
	void *refused_ctx;
};

extern const struct mp_owner sock_owner;

struct sock *sock_new(struct stack *s, uint8_t family);
void sock_free(struct sock *sk);

/* sock_port.c: e's port is sk's from now on, any if that is 0; an errno */
int sock_bind_port(struct sock *sk, const struct endpoint *e);
void sock_unbind(struct sock *sk);
/* A free port for want's address, to bind to it or (to not NULL) to connect
 * from it: from a random place on, once round the range (IP_LOCAL_PORT_RANGE).
 * 0: none. */
uint16_t sock_port_within(const struct sock *sk, const struct endpoint *want,
			  const struct endpoint *to);

/* sock_listen.c: sk can be accepted */
void sock_queue_ready(struct sock *listener, struct sock *sk);
void sock_stop_listen(struct sock *sk, struct instant now);
/* it is no longer deferred */
void sock_undefer(struct sock *sk);

/* sock_open.c: the rest of a failed attempt goes; the handle is needed for the
 * next one */
void sock_drop_conn(struct sock *sk, struct instant now);
/* lets go of a handle that has a connection; sk may be gone afterwards */
void sock_end_conn(struct sock *sk, struct instant now, bool abort);

/* sock_event.c: sets bits and queues the socket, unless it still waits on a
 * listener's queue or its handle is gone */
void sock_event(struct sock *sk, unsigned bits);
void sock_event_resume(struct sock *sk);
void sock_event_drop(struct sock *sk);

/* its conf, to be changed: false, no memory */
bool sock_conf_own(struct sock *sk);
void sock_conf_done(struct sock *sk);
/* another one: false, no memory */
bool sock_conf_set(struct sock *sk, const struct mp_conf *conf);
/* conf changed: tells the connection, 0 or ENOBUFS */
int sock_apply(struct sock *sk, struct instant now);
static inline struct mp_listener *sock_listener(const struct sock *sk)
{
	return sk->q ? sk->q->lst : NULL;
}

void stack_echo_in(struct stack *s, struct instant now, const struct ip_in *in,
		   unsigned path);
/* p is not taken: its sender hears why */
void stack_icmp_refuse(struct stack *s, struct instant now,
		       const struct ip_in *in, const struct pkt *p);
/* the timer of fragments that wait for others */
void stack_frag_arm(struct stack *s);
void stack_frag_fire(struct wheel_timer *t, struct instant now);
void stack_echo_reap(struct stack *s);
void stack_echo_fini(struct stack *s);
bool stack_echo_out(struct stack *s, struct pkt_out *out);

/* one file per level */
int sock_opt_socket_set(struct sock *sk, struct instant now, int name,
			const void *val, uint32_t len);
int sock_opt_socket_get(struct sock *sk, int name, void *val, uint32_t *len);
int sock_opt_tcp_set(struct sock *sk, struct instant now, int name,
		     const void *val, uint32_t len);
/* a listener is told of TCP_FASTOPEN_KEY */
void sock_opt_tcp_key(struct sock *sk);
int sock_opt_tcp_get(struct sock *sk, struct instant now, int name, void *val,
		     uint32_t *len);
int sock_opt_ip_set(struct sock *sk, struct instant now, int level, int name,
		    const void *val, uint32_t len);
int sock_opt_ip_get(struct sock *sk, struct instant now, int level, int name,
		    void *val, uint32_t *len);
int sock_opt_mptcp_set(struct sock *sk, struct instant now, int name,
		       const void *val, uint32_t len);
int sock_opt_mptcp_get(struct sock *sk, int name, void *val, uint32_t *len);

/* the int that every integer option begins with; EINVAL when too short */
int sock_opt_int(const void *val, uint32_t len, int *out);
/* copies at most *len octets of p and sets *len to what was copied */
int sock_opt_put(const void *p, uint32_t n, void *val, uint32_t *len);
int sock_opt_put_int(int v, void *val, uint32_t *len);

#endif
