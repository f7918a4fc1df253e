#include <errno.h>

#include "stack/base/check.h"
#include "stack/sock/sock_state.h"

unsigned sock_write_vec(struct sock *sk, uint32_t want, struct iov_mut v[2])
{
	unsigned n;

	if (sk->state != SOCK_OPEN || sk->shut_wr) {
		return 0;
	}
	n = mp_write_vec(sk->conn, want, v);
	if (n == 0) {
		sk->wait_room = true;
	}
	return n;
}

void sock_write_done(struct sock *sk, struct instant now, uint32_t n)
{
	if (sk->state == SOCK_OPEN) {
		mp_write_done(sk->conn, now, n);
	}
}

unsigned sock_read_vec(const struct sock *sk, struct iov *v, unsigned max)
{
	if (!sk->conn || sk->shut_rd) {
		return 0;
	}
	return mp_read_vec(sk->conn, v, max);
}

void sock_read_done(struct sock *sk, struct instant now, uint64_t n)
{
	if (sk->conn) {
		mp_read_done(sk->conn, now, n);
	}
}

void sock_read_held(struct sock *sk, struct instant now, uint32_t n)
{
	if (sk->conn) {
		mp_read_held(sk->conn, now, n);
	}
}

uint64_t sock_read_len(const struct sock *sk)
{
	return sk->conn && !sk->shut_rd ? mp_read_len(sk->conn) : 0;
}

uint64_t sock_read_mark(const struct sock *sk)
{
	return sk->conn && !sk->shut_rd ? mp_read_mark(sk->conn) : UINT64_MAX;
}

bool sock_read_eof(const struct sock *sk)
{
	return sk->conn && (sk->shut_rd || mp_read_eof(sk->conn));
}

uint64_t sock_outq(const struct sock *sk)
{
	return sk->conn ? mp_write_pending(sk->conn) : 0;
}

uint64_t sock_outq_unsent(const struct sock *sk)
{
	return sk->conn ? mp_write_unsent(sk->conn) : 0;
}

void sock_urgent(struct sock *sk, struct instant now)
{
	if (sk->state == SOCK_OPEN) {
		mp_write_urgent(sk->conn, now);
	}
}

int sock_shutdown_write(struct sock *sk, struct instant now)
{
	if (sk->state == SOCK_LISTENING) {
		return 0; /* Linux: only the read side of a listener matters */
	}
	if (sk->state != SOCK_OPEN) {
		return ENOTCONN;
	}
	if (!sk->shut_wr) {
		sk->shut_wr = true;
		mp_shutdown(sk->conn, now);
	}
	return 0;
}

int sock_shutdown_read(struct sock *sk, struct instant now)
{
	if (sk->state == SOCK_LISTENING) {
		sock_stop_listen(sk, now);
		return 0;
	}
	if (sk->state != SOCK_OPEN) {
		return ENOTCONN;
	}
	if (!sk->shut_rd) {
		sk->shut_rd = true;
		mp_discard(sk->conn, now);
		sock_event(sk, SOCK_EV_READ);
	}
	return 0;
}
