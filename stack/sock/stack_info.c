#include "stack/base/check.h"
#include "stack/sock/sock_state.h"

void stack_counters(const struct stack *s,
		    void (*fn)(void *ctx, const char *name, const char *text,
			       uint64_t value),
		    void *ctx)
{
	for (unsigned i = 0; i < IP_REASON_N; i++) {
		enum ip_reason r = (enum ip_reason)i;

		fn(ctx, ip_reason_name(r), ip_reason_text(r),
		   ip_counter(s->ip, r));
	}
	for (unsigned i = 0; i < TCP_REASON_N; i++) {
		enum tcp_reason r = (enum tcp_reason)i;

		fn(ctx, tcp_reason_name(r), tcp_reason_text(r),
		   tcp_counter(s->tcp, r));
	}
	for (unsigned i = 0; i < MP_REASON_N; i++) {
		enum mp_reason r = (enum mp_reason)i;

		fn(ctx, mp_reason_name(r), mp_reason_text(r),
		   mp_counter(s->mp, r));
	}
	for (unsigned i = 0; i < CRYPT_REASON_N; i++) {
		enum crypt_reason r = (enum crypt_reason)i;

		fn(ctx, crypt_reason_name(r), crypt_reason_text(r),
		   s->crypt ? crypt_counter(s->crypt, r) : 0);
	}
}

void stack_each_conn(const struct stack *s,
		     void (*fn)(void *ctx, const struct mp_info *info),
		     void *ctx)
{
	list_each(n, &s->socks) {
		const struct sock *sk = list_entry(n, struct sock, link);
		struct mp_info info;

		if (sk->conn) {
			mp_info(sk->conn, &info);
			fn(ctx, &info);
		}
	}
}

void stack_recall(struct stack *s, const struct endpoint *to, enum mp_sec sec,
		  struct instant when)
{
	mp_recall(s->mp, to, sec, when);
}

void stack_set_obituary(struct stack *s,
			void (*fn)(void *ctx, const struct mp_info *info),
			void *ctx)
{
	s->obituary = fn;
	s->obituary_ctx = ctx;
}

static void refused(void *ctx, const struct mp_conn *c)
{
	struct stack *s = ctx;
	struct mp_info info;

	mp_info(c, &info);
	s->refused(s->refused_ctx, &info);
}

void stack_set_refused(struct stack *s,
		       void (*fn)(void *ctx, const struct mp_info *info),
		       void *ctx)
{
	s->refused = fn;
	s->refused_ctx = ctx;
	mp_set_refused(s->mp, fn ? refused : NULL, s);
}

uint32_t stack_owing(const struct stack *s)
{
	return mp_count_owing(s->mp) + tcp_count_owing(s->tcp);
}

uint32_t stack_orphans(const struct stack *s)
{
	return tcp_count_owing(s->tcp);
}

uint32_t stack_tcbs(const struct stack *s)
{
	return tcp_count_conns(s->tcp);
}

uint32_t stack_timewait(const struct stack *s)
{
	return tcp_count_timewait(s->tcp);
}

uint32_t stack_conns(const struct stack *s)
{
	return mp_count_conns(s->mp);
}
