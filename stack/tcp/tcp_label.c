#include "stack/tcp/tcp_label.h"

#include "stack/tcp/tcb.h"

static bool is_v6(const struct tcb *tcb)
{
	return tcb->entry.t.local.addr.family == 6;
}

void tcp_label_set(struct tcb *tcb)
{
	struct tcp_label *l = &tcb->label;

	l->now = is_v6(tcb) && tcb->conf.no_label
			 ? 0
			 : tcp_seg_label(&tcb->tcp->demux.key, &tcb->entry.t,
					 l->nth);
}

/* false: it has none, or is to keep it (SO_TXREHASH) */
static bool change(struct tcb *tcb)
{
	if (!is_v6(tcb) || tcb->conf.no_label || tcb->conf.no_rehash) {
		return false;
	}
	tcb->label.nth++;
	tcp_label_set(tcb);
	return true;
}

void tcp_label_change(struct tcb *tcb)
{
	if (change(tcb)) {
		tcb_count(tcb, TCP_REHASH);
	}
}

void tcp_label_data(struct tcb *tcb, const struct tcp_seg *seg)
{
	tcb->label.peer = seg->label;
}

void tcp_label_dup(struct tcb *tcb, const struct tcp_seg *seg)
{
	if (seg->label != tcb->label.peer && change(tcb)) {
		tcb_count(tcb, TCP_REHASH_DUP);
	}
	tcb->label.peer = seg->label;
}
