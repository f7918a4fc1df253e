/* What wants to leave: data that the connections may send, then segments,
 * then echo replies.  A reply's octets live in its slot until the next call
 * that is not stack_output().
 */
#include <string.h>

#include "stack/base/check.h"
#include "stack/sock/sock_state.h"

unsigned stack_output(struct stack *s, struct instant now, struct pkt_out *out,
		      unsigned max)
{
	unsigned n = 0;

	if (mp_wants_flush(s->mp)) {
		mp_flush(s->mp, now);
	}
	while (n < max && tcp_output(s->tcp, now, &out[n])) {
		n++;
	}
	while (n < max && stack_echo_out(s, &out[n])) {
		n++;
	}
	for (unsigned i = 0; i < n; i++) {
		ip_count(s->ip, IP_OUT);
	}
	return n;
}

bool stack_wants_output(const struct stack *s)
{
	return mp_wants_flush(s->mp) || tcp_wants_output(s->tcp);
}

/* a free slot with its memory; NULL, and counted: none, or no memory */
static struct stack_echo *echo_slot(struct stack *s)
{
	for (unsigned i = 0; i < STACK_ECHO_MAX; i++) {
		struct stack_echo *e = &s->echo[i];

		if (e->state != ECHO_FREE) {
			continue;
		}
		if (!e->buf) {
			e->buf = mem_alloc(s->env.mem, STACK_ECHO_LEN);
		}
		if (e->buf) {
			return e;
		}
		break;
	}
	/* more than STACK_ECHO_MAX between two outputs is a rate, too */
	ip_count(s->ip, IP_ICMP_LIMIT);
	return NULL;
}

void stack_echo_in(struct stack *s, struct instant now, const struct ip_in *in,
		   unsigned path)
{
	struct stack_echo *e;

	if (in->hdr.body_len > STACK_ECHO_LEN) {
		ip_count(s->ip, IP_ICMP_LIMIT);
		return;
	}
	e = echo_slot(s);
	if (e && ip_echo_reply(s->ip, in, path, now, &e->out, e->buf,
			       STACK_ECHO_LEN)) {
		e->state = ECHO_WAITS;
	}
}

void stack_icmp_refuse(struct stack *s, struct instant now,
		       const struct ip_in *in, const struct pkt *p)
{
	struct stack_echo *e = echo_slot(s);

	if (e && ip_refuse(s->ip, p, in, now, &e->out, e->buf,
			   STACK_ECHO_LEN)) {
		e->state = ECHO_WAITS;
	}
}

void stack_frag_arm(struct stack *s)
{
	struct instant at = ip_deadline(s->ip);

	if (instant_never(at)) {
		wheel_cancel(&s->wheel, &s->frag_timer);
	} else {
		wheel_arm(&s->wheel, &s->frag_timer, at);
	}
}

void stack_frag_fire(struct wheel_timer *t, struct instant now)
{
	struct stack *s = container_of(t, struct stack, frag_timer);
	static const struct pkt_out none;
	struct stack_echo *e;
	struct pkt_out out = none;
	uint8_t buf[IP_ERROR_LEN];

	while (ip_expire(s->ip, now, &out, buf, sizeof(buf))) {
		e = out.len ? echo_slot(s) : NULL;
		if (e) {
			e->out = out;
			memcpy(e->buf, buf, out.iov[0].n);
			e->out.iov[0].p = e->buf;
			e->state = ECHO_WAITS;
		}
	}
	stack_frag_arm(s);
}

bool stack_echo_out(struct stack *s, struct pkt_out *out)
{
	for (unsigned i = 0; i < STACK_ECHO_MAX; i++) {
		struct stack_echo *e = &s->echo[i];

		if (e->state == ECHO_WAITS) {
			e->state = ECHO_SENT;
			*out = e->out;
			return true;
		}
	}
	return false;
}

void stack_echo_reap(struct stack *s)
{
	for (unsigned i = 0; i < STACK_ECHO_MAX; i++) {
		if (s->echo[i].state == ECHO_SENT) {
			s->echo[i].state = ECHO_FREE;
		}
	}
}

void stack_echo_fini(struct stack *s)
{
	for (unsigned i = 0; i < STACK_ECHO_MAX; i++) {
		mem_free(s->env.mem, s->echo[i].buf, STACK_ECHO_LEN);
		s->echo[i].buf = NULL;
	}
}
