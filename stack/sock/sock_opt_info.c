#include "stack/sock/sock_opt_info.h"

#include <string.h>

#include "stack/base/check.h"
#include "stack/sock/sock_state.h"

static uint8_t linux_state(enum tcp_state st)
{
	switch (st) {
	case TCP_SYN_SENT:
		return LX_TCP_SYN_SENT;
	case TCP_SYN_RECEIVED:
		return LX_TCP_SYN_RECV;
	case TCP_ESTABLISHED:
		return LX_TCP_ESTABLISHED;
	case TCP_FIN_WAIT_1:
		return LX_TCP_FIN_WAIT1;
	case TCP_FIN_WAIT_2:
		return LX_TCP_FIN_WAIT2;
	case TCP_CLOSING:
		return LX_TCP_CLOSING;
	case TCP_TIME_WAIT:
		return LX_TCP_TIME_WAIT;
	case TCP_CLOSE_WAIT:
		return LX_TCP_CLOSE_WAIT;
	case TCP_LAST_ACK:
		return LX_TCP_LAST_ACK;
	case TCP_CLOSED:
		break;
	}
	return LX_TCP_CLOSE;
}

/* The connection's state, not a subflow's: a subflow is closed by its own
 * FINs, while programs ask about theirs. */
static uint8_t state_of(const struct sock *sk, const struct mp_info *m)
{
	switch (sk->state) {
	case SOCK_LISTENING:
		return LX_TCP_LISTEN;
	case SOCK_CONNECTING:
		return LX_TCP_SYN_SENT;
	case SOCK_OPEN:
		if (m->mode == MP_MODE_TCP && m->n_subs > 0 &&
		    !m->sub[0].closed) {
			return linux_state(m->sub[0].tcp.state);
		}
		if (mp_read_eof(sk->conn)) {
			return sk->shut_wr ? LX_TCP_LAST_ACK
					   : LX_TCP_CLOSE_WAIT;
		}
		return sk->shut_wr ? LX_TCP_FIN_WAIT2 : LX_TCP_ESTABLISHED;
	case SOCK_IDLE:
	case SOCK_ENDED:
	case SOCK_FAILED:
	case SOCK_ORPHAN:
		break;
	}
	return LX_TCP_CLOSE;
}

static uint32_t us(nanos n)
{
	return (uint32_t)(n / NANOS_US);
}

static uint32_t ms_ago(struct instant now, struct instant then)
{
	return (uint32_t)(instant_since(now, then) / NANOS_MS);
}

static const struct mp_sub_info *main_sub(const struct mp_info *m)
{
	const struct mp_sub_info *best = NULL;

	for (unsigned i = 0; i < m->n_subs; i++) {
		const struct mp_sub_info *s = &m->sub[i];

		if (!s->closed && (!best || s->tcp.cwnd > best->tcp.cwnd)) {
			best = s;
		}
	}
	return best ? best : &m->sub[0];
}

static uint32_t segs(uint32_t octets, uint32_t mss)
{
	return (octets + mss - 1) / mss;
}

/* what is counted over all subflows, also those that have ended */
static void put_sums(const struct tcp_info_core *t, bool closed,
		     struct instant now, struct lx_tcp_info *o)
{
	uint32_t mss = t->mss ? t->mss : 536;

	o->segs_out += t->segs_out;
	o->segs_in += t->segs_in;
	o->data_segs_out += t->data_segs_out;
	o->data_segs_in += t->data_segs_in;
	o->total_retrans += t->retrans;
	o->bytes_retrans += t->bytes_retrans;
	o->rcv_ooopack += t->ooo_in;
	o->total_rto = (uint16_t)(o->total_rto + t->rtos);
	if (closed) {
		return;
	}
	o->unacked += segs(t->in_flight + t->lost + t->sacked, mss);
	o->sacked += segs(t->sacked, mss);
	o->lost += segs(t->lost, mss);
	o->retrans += segs(t->resent, mss);
	o->snd_cwnd += t->cwnd / mss;
	o->notsent_bytes += t->unsent;
	o->busy_time = max_u64(o->busy_time,
			       (uint64_t)us(tcp_chrono_busy(&t->chrono, now)));
	o->rwnd_limited =
		max_u64(o->rwnd_limited,
			(uint64_t)us(tcp_chrono_window(&t->chrono, now)));
}

static void put_main(struct sock *sk, struct instant now,
		     const struct mp_info *m, struct lx_tcp_info *o)
{
	const struct mp_sub_info *s = main_sub(m);
	const struct tcp_info_core *t = &s->tcp;
	uint32_t mss = t->mss ? t->mss : 536;

	o->retransmits = (uint8_t)min_u32(t->rto_count, 255);
	o->backoff = o->retransmits;
	o->options = (uint8_t)((t->ts ? LX_TCPI_OPT_TIMESTAMPS : 0) |
			       (t->sack ? LX_TCPI_OPT_SACK : 0) |
			       (t->wscale_ok ? LX_TCPI_OPT_WSCALE : 0) |
			       (t->ecn ? LX_TCPI_OPT_ECN : 0));
	o->wscale = (uint8_t)((t->snd_wscale & 15) | (t->rcv_wscale & 15) << 4);
	o->rto = us(t->rto);
	o->snd_mss = mss;
	o->rcv_mss = t->rcv_mss ? t->rcv_mss : 536;
	o->advmss = t->advmss;
	o->ca_state = (uint8_t)t->ca;
	o->probes = (uint8_t)min_u32(t->probes, 255);
	o->ato = us(t->ato);
	o->rcv_rtt = us(t->rcv_rtt);
	/* Linux: of duplicate ACKs; with RACK it counts time instead */
	o->reordering = 3;
	o->reord_seen = t->reordering;
	o->rcv_ssthresh = m->rcvbuf;
	o->last_data_sent = ms_ago(now, t->last_sent);
	o->last_data_recv = ms_ago(now, t->last_received);
	o->last_ack_recv = o->last_data_recv;
	o->pmtu = ip_mtu(sk->s->ip, s->path, &s->t.remote.addr, now);
	o->rtt = us(t->srtt);
	o->rttvar = us(t->rttvar);
	o->min_rtt = us(t->min_rtt);
	o->snd_ssthresh = t->ssthresh == CC_INF ? INT32_MAX : t->ssthresh / mss;
	o->pacing_rate = t->pacing_rate ? t->pacing_rate : UINT64_MAX;
	o->max_pacing_rate = sk->conf->tcp.max_pacing_rate ?
				     sk->conf->tcp.max_pacing_rate :
				     UINT64_MAX;
	o->delivery_rate = t->delivery_rate;
	o->flags = t->app_limited;
	o->delivered = (uint32_t)((t->delivered + mss - 1) / mss);
	o->snd_wnd = t->snd_wnd;
	o->rcv_wnd = t->rcv_wnd;
	o->rcv_space = m->rcvbuf;
}

void sock_opt_info_tcp(struct sock *sk, struct instant now,
		       struct lx_tcp_info *out)
{
	struct mp_info m;

	memset(out, 0, sizeof(*out));
	memset(&m, 0, sizeof(m));
	if (!sock_info(sk, &m)) {
		out->state = state_of(sk, &m);
		if (sk->q) { /* Linux: a listener's queue */
			out->unacked = sk->q->n_ready;
			out->sacked = sk->q->backlog;
		}
		return;
	}
	out->state = state_of(sk, &m);
	for (unsigned i = 0; i < m.n_subs; i++) {
		put_sums(&m.sub[i].tcp, m.sub[i].closed, now, out);
	}
	/* and what no subflow has yet */
	out->notsent_bytes += (uint32_t)min_u64(m.unsent, INT32_MAX);
	out->bytes_sent = m.bytes_sent + out->bytes_retrans;
	out->bytes_acked = m.bytes_sent -
			   min_u64(m.bytes_sent, mp_write_pending(sk->conn));
	out->bytes_received = m.bytes_received;
	put_main(sk, now, &m, out);
}
