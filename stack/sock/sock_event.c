/* One entry per socket on the stack's list; what happened meanwhile is merged
 * into its bits.  A connection that nobody accepted yet collects its bits
 * silently; so does nothing for an orphan.
 */
#include "stack/base/check.h"
#include "stack/sock/sock_state.h"

void sock_event_resume(struct sock *sk)
{
	if (sk->bits && !sk->listener && sk->state != SOCK_ORPHAN &&
	    !list_linked(&sk->ev_link)) {
		list_push_back(&sk->s->events, &sk->ev_link);
	}
}

void sock_event(struct sock *sk, unsigned bits)
{
	sk->bits |= bits;
	sock_event_resume(sk);
}

void sock_event_drop(struct sock *sk)
{
	list_del(&sk->ev_link);
}

bool stack_event(struct stack *s, struct stack_event *ev)
{
	struct list *n = list_pop_front(&s->events);
	struct sock *sk;

	if (!n) {
		return false;
	}
	sk = list_entry(n, struct sock, ev_link);
	ev->sk = sk;
	ev->user = sk->user;
	ev->bits = sk->bits;
	sk->bits = 0;
	return true;
}
