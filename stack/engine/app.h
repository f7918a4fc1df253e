/* app.h - the programs' sockets, as the parts of app*.c share them
 *
 * An entry is one socket of some program, named by (kind, id) of its abstract
 * name.  It is made by the first request that names it and goes when the name
 * is free again (nobody holds the descriptor) or, for accepted sockets, when
 * the connection is over and its errno was forgotten.
 *
 *   app.c       start, turn, stop        app_ctl.c   requests in, answers out
 *   app_ent.c   the table, the sweep     app_req*.c  one handler per request
 *   app_scope.c who carries an address   app_wire.c  descriptors to programs
 *   app_say.c   words about beginnings
 *   app_conn.c  begins, ends: core       app_move.c  octets: core <-> program
 *   app_relay.c begins, ends: kernel     relay.c     octets: kernel <-> program
 *   app_listen.c connections to programs
 */
#ifndef ENGINE_APP_H
#define ENGINE_APP_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/env.h"
#include "stack/base/hmap.h"
#include "stack/base/list.h"
#include "stack/base/siphash.h"
#include "stack/base/time.h"
#include "stack/chan/chan_msg.h"
#include "stack/engine/app_watch.h"
#include "stack/engine/engine.h"
#include "stack/engine/past.h"
#include "stack/engine/relay.h"

#define APP_ENT_MAX    65536u /* entries of every state */
#define APP_DEAD_MAX   8192u  /* ... of which tombstones */
#define APP_CTL_MAX    512u   /* requests being received */
#define APP_SOCKBUF    (2 << 20) /* asked for; the kernel doubles it */
#define APP_CONN_TURN  (256u << 10) /* octets per direction and turn */
#define APP_CONN_LITTLE (16u << 10) /* asked for until a read fills it */
#define APP_SWEEP      NANOS_S
#define APP_SWEEP_CALM (8 * NANOS_S) /* at most, while nothing happens */
#define APP_SWEEP_MOST 1024u /* entries probed per sweep */
#define APP_RETRY      (10 * NANOS_MS) /* a program's full backlog */
#define APP_HALF_DEAD  (60 * NANOS_S) /* after shutdown(SHUT_RDWR) */

/* what was refused or given up here, and why */
#define APP_REASONS(X)                                                         \
	X(APP_CTL_FORMAT, "AppRequestBad", "request refused: not well formed") \
	X(APP_CTL_SECRET, "AppRequestSecret", "request refused: wrong secret") \
	X(APP_CTL_VERSION, "AppRequestVersion", "request refused: the shim is of another version") \
	X(APP_CTL_SILENT, "AppRequestSilent", "requests given up: nothing came within 5 seconds") \
	X(APP_CTL_FULL, "AppRequestFull", "requests refused: too many at once") \
	X(APP_ENT_FULL, "AppSocketsFull", "request refused: the table of sockets is full") \
	X(APP_DEAD_FORGOTTEN, "AppErrorForgotten", "errors of ended connections that nobody asked for in time") \
	X(APP_DATA_FOREIGN, "AppDataForeign", "connection to the data socket that no request announced: closed") \
	X(APP_WIRE_FAILED, "AppWireFailed", "a program's descriptor could not be connected") \
	X(APP_BACKLOG_WAIT, "AppBacklogWait", "connections that waited: the program's backlog was full") \
	X(APP_LISTENER_GONE, "AppListenerGone", "listeners ended: the program had closed them") \
	X(APP_CONNECT_GONE, "AppConnectGone", "connection attempts ended: the program had closed the socket")

enum app_reason {
#define X(id, name, text) id,
	APP_REASONS(X)
#undef X
		APP_REASON_N
};

enum app_state {
	APP_FRESH,      /* no connection; perhaps bound */
	APP_LISTEN,
	APP_CONNECTING, /* the program's descriptor is stuffed */
	APP_CONNECTED,
	APP_DEAD,       /* only its names and its error are left */
};

/* who carries it: undecided until connect, or bind to one's own address */
enum app_via {
	APP_VIA_ANY,
	APP_VIA_CORE,
	APP_VIA_KERNEL,
};

struct app_opts {
	unsigned n, room;
	struct chan_opt opt[];
};

/* a listener's part */
struct app_queue {
	struct app_ent *l;
	struct app_watch kl; /* kernel listener: kfd while it listens */
	int parked_fd;    /* accepted, and the program's backlog is full */
	struct list wait; /* app.waiting: for room in that backlog */
};

/* Ten thousands of these rest at once: what few of them need is made when they
 * need it. */
struct app_ent {
	struct hnode by_id;
	struct list link;  /* app.live, .held or .dead */
	struct list ready; /* app.ready: goes on next turn */
	struct app *app;
	uint64_t id;
	uint8_t kind, family; /* of the name */
	uint8_t state;        /* enum app_state: app_ent_state() writes it */
	uint8_t via;          /* enum app_via */
	bool buried : 1;      /* freed at the end of the turn */
	bool bind_zero : 1;   /* port 0 was asked for */
	bool failed : 1;      /* the next connect() tells that the last failed */
	bool blocking : 1;    /* the program waits in connect() */
	bool was_eof : 1;     /* the peer's FIN was delivered: reads stay at 0 */
	bool told : 1;        /* a connect() was told how it went */
	bool unproven : 1;    /* past_note() has not seen data of the peer */
	/* connected or connecting, by the core */
	bool can_in : 1, can_out : 1; /* as the last event and call told */
	bool in_all : 1;      /* urgent data or an end may be there: to be
			       * read until nothing is left */
	bool oob : 1;         /* ... urgent data it may be */
	bool in_much : 1;     /* the last read filled what it was given */
	bool in_eof : 1;      /* the program shut its write side */
	bool out_eof : 1;     /* it was told the peer's FIN */
	bool hup : 1;         /* both directions of u are shut */
	bool closed : 1;      /* ... because the program closed it */
	bool ask_wr : 1, ask_rd : 1; /* the program asked for shutdown() */
	bool resetting : 1;   /* ... and next turn the connection is reset */
	bool ending : 1;      /* connection lost; the rest is delivered */
	bool begun : 1;       /* stuffed by the shim: the last is by itself */
	bool roomy : 1;       /* our end's send buffer has been enlarged */

	struct sock *sk; /* NULL: not made yet, or carried by the kernel */
	struct app_opts *opts; /* to be replayed on a kernel socket; NULL none */
	struct list port;      /* app.bound: holds a port, not connected */
	int kfd;         /* kernel socket, bound or listening; -1 none */
	uint32_t rcvbuf; /* the program's own SO_RCVBUF; 0 none */
	int err;         /* SO_ERROR, when nobody carries it any more */
	uint32_t stuffed; /* octets in the program's send buffer that are ours */
	char *line;      /* PAST_LINE octets for the program's standard error,
			  * with its next question; NULL none */
	struct instant since; /* shut both ways; app_ent_shut() */
	uint64_t reset_turn;  /* the turn before that of resetting */
	struct app_watch u;

	/* kept once made, NULL none */
	struct relay *relay;    /* between u and a kernel socket */
	struct endpoint *local; /* to be told when nothing else knows it */
	struct app_queue *q;
};

struct app {
	struct engine *e;
	struct mem mem; /* an account of its own in the engine's heap */
	struct siphash_key key;
	struct hmap ents;
	/* live: only a look at their names tells when they are gone; held: the
	 * end of a descriptor tells */
	struct list live, held, dead;
	struct list grave, ready, waiting, bound, ctls;
	uint32_t n_live, n_dead, n_ctl;
	struct app_watch_set set;
	struct io_op poll; /* of set.epfd */
	struct app_watch ctl_listen;
	struct app_watch data_listen;
	uint64_t turns;
	uint64_t conns; /* delivered to programs' listeners so far */
	bool starved;  /* descriptors ran out: see app_ctl_starved() */
	bool ctl_more; /* connections left in the listeners' queues */
	struct instant next_sweep, next_retry;
	nanos sweep_gap; /* from one sweep to the next */
	bool stirred;    /* something began or ended since the last one */
	struct list sweep_at; /* cursor in live */
	uint8_t *scratch; /* RELAY_BUF */
	uint64_t count[APP_REASON_N];
};

static inline struct instant app_now(const struct app *a)
{
	return io_time(a->e->io);
}

/* does the kernel carry it, between two descriptors of ours? */
static inline bool app_relayed(const struct app_ent *t)
{
	return t->relay && !t->relay->over;
}

void app_count(struct app *a, enum app_reason r);
/* fn for each named counter, in a fixed order */
void app_counters(const struct engine *e,
		  void (*fn)(void *ctx, const char *name, const char *text,
			     uint64_t value),
		  void *ctx);
/* system calls made here and not by io: for the statistics */
uint64_t app_calls(const struct engine *e);
/* the entry goes on in the next turn */
void app_again(struct app_ent *t);

/* --- app_ent.c ------------------------------------------------------------ */
bool app_ent_init(struct app *a);
void app_ent_fini(struct app *a); /* every entry is dropped: dead stack */
struct app_ent *app_ent_find(struct app *a, uint8_t kind, uint64_t id);
/* NULL: the table is full */
struct app_ent *app_ent_new(struct app *a, uint8_t kind, uint8_t family,
			    uint64_t id);
void app_ent_state(struct app_ent *t, enum app_state s);
/* nobody can ask about it any more */
void app_ent_free(struct app_ent *t);
/* Over: descriptors and sockets are let go, names and err remain.  The core's
 * socket is closed, with a reset when abort. */
void app_ent_die(struct app_ent *t, int err, bool abort);
/* does some process hold the descriptor of that name? (SOCK only) */
bool app_ent_alive(const struct app_ent *t);
/* frees listeners and bound sockets of this port whose descriptor nobody
 * holds: before it is bound or connected to */
void app_ent_probe_port(struct app *a, uint16_t port);
void app_ent_sweep(struct app *a);
bool app_ent_unsure(const struct app *a); /* a sweep would look at some */
/* the program asked for both directions to be shut, and may be gone now */
void app_ent_shut(struct app_ent *t);
/* its local name, for when nothing else knows it */
void app_ent_keep_name(struct app_ent *t, const struct endpoint *e);
void app_ent_grave(struct app *a); /* frees what was buried this turn */
struct sock *app_ent_sock(struct app_ent *t); /* makes it; NULL: limit */
/* what getsockname() and getpeername() say; false: family is 0 in out */
bool app_ent_local(const struct app_ent *t, struct endpoint *out);
bool app_ent_remote(const struct app_ent *t, struct endpoint *out);
bool app_ent_name_of(int fd, bool peer, struct endpoint *out);
/* the kernel socket behind it, connected, bound or listening; -1 none */
int app_ent_kernel_fd(const struct app_ent *t);

/* --- app_ctl.c -------------------------------------------------------------- */
int app_ctl_start(struct app *a); /* 0 or errno */
void app_ctl_stop(struct app *a);
void app_ctl_sweep(struct app *a);
void app_ctl_accept(struct app *a);
/* accept4() of a listener of ours failed: EAGAIN is nothing */
void app_ctl_starved(struct app *a, int err);
/* fd: the other end of the stream of the program's socket `id`, which speaks
 * first; taken over */
void app_data_in(struct app *a, int fd, uint64_t id);

/* --- app_req*.c ----------------------------------------------------------------- */
struct app_req {
	const struct chan_req *q;
	int fd[2]; /* -1 none; a handler that keeps one sets it to -1 */
	struct chan_rep *rep; /* cleared */
};

/* the answer's err; rep's other fields are filled in */
int app_req(struct app *a, struct app_req *r);
int app_req_setsockopt(struct app_ent *t, struct app_req *r);
int app_req_getsockopt(struct app_ent *t, struct app_req *r);
int app_req_bind(struct app_ent *t, struct app_req *r);
int app_req_listen(struct app_ent *t, struct app_req *r);
int app_req_connect(struct app_ent *t, struct app_req *r);
/* CHAN_OP_BEGIN: takes fd, the other end of the program's socket */
void app_req_begin(struct app *a, const struct chan_req *q, int fd);
void app_req_forget_opts(struct app_ent *t);
/* switches of chan_early.h, set before anything else was asked */
void app_req_early(struct app_ent *t, uint32_t word);
/* fills in rep's options for a kernel socket; CHAN_NEED_KERNEL */
int app_req_need_kernel(const struct app_ent *t, struct app_req *r);
/* fd[i] as a non-blocking TCP socket of the entry's family, or -1 */
int app_req_kernel_fd(const struct app_ent *t, struct app_req *r, unsigned i);
/* reads and clears the socket's error */
int app_req_error(struct app_ent *t);

/* --- app_say.c ----------------------------------------------------------------- */
void app_say_begun(struct app_ent *t);   /* the handshake succeeded */
void app_say_refused(struct app_ent *t); /* it failed with EPROTO */
/* ... before it began: Multipath TCP is off here, and to this destination it is
 * the least */
void app_say_at_once(struct app_ent *t, const struct endpoint *to);
void app_say_seen(struct app_ent *t);    /* the peer's first data, or the end */
void app_say_forget(struct app_ent *t);

/* --- app_scope.c ------------------------------------------------------------ */
enum app_scope {
	APP_SCOPE_CORE,
	APP_SCOPE_KERNEL, /* loopback, excluded networks */
	APP_SCOPE_BOTH,   /* the wildcard */
};
enum app_scope app_scope_bind(const struct engine *e, const struct addr *a);
/* connect() to the wildcard means loopback, as on Linux */
enum app_scope app_scope_connect(const struct engine *e, const struct addr *a);

/* --- app_wire.c --------------------------------------------------------------- */
/* Connects the program's descriptor to us and returns our end; -1 and errno.
 * stuff: fills its send buffer, so that it does not poll writable. */
int app_wire_connect(struct app_ent *t, int fd, bool stuff,
		     uint32_t *stuffed);
/* takes n octets of stuffing out again: the program's socket polls writable;
 * how many were not there (yet) */
uint32_t app_wire_unstuff(int fd, uint32_t n, uint8_t *scratch, uint32_t room);
/* Every connection in the queue of the DATA listener is looked at: sockets that
 * began before some request was sent are known before that is handled. */
void app_data_drain(struct app *a);
/* A socket named CONN `n`, connected to listener l of the program; -1 and
 * errno: EAGAIN its backlog is full, ECONNREFUSED it is gone. */
int app_wire_accept(const struct app_ent *l, const struct chan_name *n);
/* Sizes our end's send buffer: at once as the program chose, else when the one
 * that the kernel gives was full for the first time. */
void app_wire_buf(const struct app_ent *t, struct app_watch *u);

/* --- app_conn.c ----------------------------------------------------------------- */
/* takes over fd (our end) for t->sk; 0 or errno: fd was not taken */
int app_conn_start(struct app_ent *t, int fd);
void app_conn_event(struct app_ent *t, unsigned bits); /* SOCK_EV_* */
void app_conn_go_on(struct app_ent *t);
/* it has no line for the program any more */
void app_conn_said(struct app_ent *t);
void app_conn_shutdown(struct app_ent *t, int how);
void app_conn_urgent(struct app_ent *t);
/* The attempt, or the connection, is over and the socket is unconnected
 * again: it may bind, listen or connect anew.  The program sees HUP. */
void app_conn_undo(struct app_ent *t);
void app_conn_failed(struct app_ent *t, int err);

/* --- app_move.c ----------------------------------------------------------------- */
/* As much as goes, at most APP_CONN_TURN octets; when more could, the entry goes
 * on in the next turn.  The last of it may be the end: a FIN. */
void app_move_in(struct app_ent *t);  /* program to core; may set resetting */
void app_move_out(struct app_ent *t); /* core to program */
int app_move_inq(const struct app_ent *t); /* octets we did not take yet */
/* Both directions of u are shut: did the program close it?  err: EPOLLERR came
 * with it. */
void app_move_hup(struct app_ent *t, bool err);
/* closed in a way that TCP answers with a reset */
bool app_move_resets(const struct app_ent *t);
/* What the program wrote would natively be on its way since its write(): what
 * the core can send this turn goes before the reset. */
void app_move_reset_soon(struct app_ent *t);

/* --- app_relay.c ---------------------------------------------------------------- */
/* it is connected over the kernel: the core's socket is not needed */
void app_relay_only(struct app_ent *t);
/* takes over u and k; 0 or errno: nothing was taken */
int app_relay_start(struct app_ent *t, int u, int k, bool connecting);

/* --- app_listen.c ----------------------------------------------------------------- */
int app_listen_start(struct app_ent *l, int backlog); /* 0 or errno */
void app_listen_stop(struct app_ent *l);
void app_listen_core(struct app_ent *l); /* SOCK_EV_ACCEPT */
void app_listen_retry(struct app *a);
void app_retry_soon(struct app *a);
/* Somebody here connected over the kernel to that port: its listener, if it
 * is one of ours, takes the connection before the caller is told. */
void app_listen_kick(struct app *a, uint16_t port);

#endif
