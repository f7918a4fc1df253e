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

static struct stack_echo *echo_slot(struct stack *s)
{
	for (unsigned i = 0; i < STACK_ECHO_MAX; i++) {
		if (s->echo[i].state == ECHO_FREE) {
			return &s->echo[i];
		}
	}
	return NULL;
}

void stack_echo_in(struct stack *s, struct instant now, const struct ip_in *in,
		   unsigned path)
{
	struct stack_echo *e = echo_slot(s);

	/* more than STACK_ECHO_MAX between two outputs is a rate, too */
	if (!e || in->hdr.body_len > STACK_ECHO_LEN) {
		ip_count(s->ip, IP_ICMP_LIMIT);
		return;
	}
	if (!e->buf) {
		e->buf = mem_alloc(s->env.mem, STACK_ECHO_LEN);
	}
	if (!e->buf) {
		ip_count(s->ip, IP_ICMP_LIMIT);
		return;
	}
	if (ip_echo_reply(s->ip, in, path, now, &e->out, e->buf,
			  STACK_ECHO_LEN)) {
		e->state = ECHO_WAITS;
	}
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
