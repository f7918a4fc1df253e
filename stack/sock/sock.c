/* The socket object: its life, its names and its errors.  sock_port.c has the
 * ports, sock_listen.c and sock_open.c make connections, sock_io.c moves
 * octets, sock_event.c reports.
 *
 * A connection whose handle was closed keeps its struct sock as an orphan
 * until the layer below says that it is gone: it can still be listed.
 */
#include <errno.h>
#include <string.h>

#include "stack/base/check.h"
#include "stack/sock/sock_linux.h"
#include "stack/sock/sock_state.h"

/* of a socket without connection: net.ipv4.tcp_rmem's and tcp_wmem's default */
#define RCVBUF_SHOWN 131072
#define SNDBUF_SHOWN 16384

static uint64_t id_hash(const struct stack *s, uint64_t id)
{
	return siphash13(&s->key, &id, sizeof(id));
}

struct sock *sock_new(struct stack *s, uint8_t family)
{
	struct sock *sk;

	if (s->n_socks >= s->cfg.socks_max) {
		return NULL;
	}
	sk = mem_zalloc(s->env.mem, sizeof(*sk));
	if (!sk) {
		return NULL;
	}
	sk->s = s;
	sk->id = s->next_id;
	sk->family = family;
	sk->conf = same_get(&s->confs, &s->conf);
	sk->opt.hops = -1;
	sk->opt.ttl = -1;
	sk->opt.pmtudisc = LX_PMTUDISC_WANT;
	sk->opt.rcvbuf = RCVBUF_SHOWN;
	sk->opt.sndbuf = SNDBUF_SHOWN;
	list_init(&sk->link);
	list_init(&sk->ev_link);
	list_init(&sk->q_link);
	if (!sk->conf || !hmap_add(&s->ids, &sk->by_id, id_hash(s, sk->id))) {
		same_put(&s->confs, sk->conf);
		mem_free(s->env.mem, sk, sizeof(*sk));
		return NULL;
	}
	s->next_id++;
	s->n_socks++;
	list_push_back(&s->socks, &sk->link);
	return sk;
}

void sock_free(struct sock *sk)
{
	struct stack *s = sk->s;

	sock_undefer(sk);
	if (sk->state != SOCK_ORPHAN) {
		s->n_socks--;
	}
	sock_unbind(sk);
	hmap_del(&s->ids, &sk->by_id);
	list_del(&sk->ev_link);
	list_del(&sk->q_link);
	list_del(&sk->link);
	sock_kept_free(&sk->kept, s->env.mem);
	same_put(&s->confs, sk->conf);
	mem_free(s->env.mem, sk->q, sizeof(*sk->q));
	tcp_saved_free(s->env.mem, &sk->saved);
	mem_free(s->env.mem, sk, sizeof(*sk));
}

struct sock *sock_open(struct stack *s, uint8_t family)
{
	if (family != 4 && family != 6) {
		return NULL;
	}
	return sock_new(s, family);
}

struct sock *sock_heir(const struct sock *sk)
{
	struct sock *h = sock_new(sk->s, sk->family);

	if (h) {
		h->opt = sk->opt;
		same_put(&sk->s->confs, h->conf);
		h->conf = same_share(sk->conf);
		h->kept = sock_kept_copy(sk->kept, sk->s->env.mem);
	}
	return h;
}

void sock_set_user(struct sock *sk, void *user)
{
	sk->user = user;
}

struct sock *sock_find(struct stack *s, uint64_t id)
{
	struct hnode *n = hmap_find(&s->ids, id_hash(s, id));

	for (; n; n = hmap_find_next(n)) {
		struct sock *sk = container_of(n, struct sock, by_id);

		if (sk->id == id && sk->state != SOCK_ORPHAN) {
			return sk;
		}
	}
	return NULL;
}

uint64_t sock_id(const struct sock *sk)
{
	return sk->id;
}

struct stack *sock_stack(const struct sock *sk)
{
	return sk->s;
}

int sock_error(struct sock *sk)
{
	int err = sk->err;

	sk->err = 0;
	return err;
}

int sock_error_peek(const struct sock *sk)
{
	return sk->err;
}

int sock_soft_error(struct sock *sk)
{
	return sk->state == SOCK_OPEN && sk->conn ? mp_soft_error(sk->conn) : 0;
}

bool sock_connected(const struct sock *sk)
{
	return sk->state == SOCK_OPEN;
}

/* an IPv6 socket shows IPv4 addresses in their mapped form */
static struct endpoint shown(const struct sock *sk, struct endpoint e)
{
	if (sk->family == 6) {
		e.addr = addr_map(e.addr);
	}
	return e;
}

bool sock_local(const struct sock *sk, struct endpoint *out)
{
	if (sk->conn) {
		*out = shown(sk, mp_tuple(sk->conn)->local);
		return true;
	}
	if (sk->bound || sk->local.addr.family != 0) {
		*out = shown(sk, sk->local);
		return true;
	}
	return false;
}

bool sock_remote(const struct sock *sk, struct endpoint *out)
{
	if (sk->state != SOCK_OPEN) { /* Linux: ENOTCONN after a reset, too */
		return false;
	}
	*out = shown(sk, mp_tuple(sk->conn)->remote);
	return true;
}

bool sock_info(const struct sock *sk, struct mp_info *out)
{
	if (!sk->conn) {
		return false;
	}
	mp_info(sk->conn, out);
	return true;
}

bool sock_linger_zero(const struct sock *sk)
{
	return sk->opt.linger_on && sk->opt.linger_s == 0;
}

bool sock_conf_own(struct sock *sk)
{
	void *own = same_edit(&sk->s->confs, sk->conf);

	if (!own) {
		return false;
	}
	sk->conf = own;
	return true;
}

void sock_conf_done(struct sock *sk)
{
	sk->conf = same_done(&sk->s->confs, sk->conf);
}

bool sock_conf_set(struct sock *sk, const struct mp_conf *conf)
{
	void *got = same_get(&sk->s->confs, conf);

	if (!got) {
		return false;
	}
	same_put(&sk->s->confs, sk->conf);
	sk->conf = got;
	return true;
}

int sock_apply(struct sock *sk, struct instant now)
{
	sk->conf->sndbuf_fixed = sk->opt.buf_lock & LX_SNDBUF_LOCK;
	sk->conf->rcvbuf_fixed = sk->opt.buf_lock & LX_RCVBUF_LOCK;
	if (sk->conn && !mp_set_conf(sk->conn, now, sk->conf)) {
		return ENOBUFS;
	}
	if (sock_listener(sk)) {
		mp_listen_set_conf(sock_listener(sk), sk->conf);
	}
	return 0;
}
