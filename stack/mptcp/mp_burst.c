/* mp_burst.c - how much leaves at once, and when
 *
 * Bursts are whole segments, except the last before the ring is empty; whether
 * that one may leave is Nagle's and cork's decision, made here because only
 * here it is known whether more follows.
 */
#include "stack/mptcp/mp_burst.h"

#include "stack/base/check.h"
#include "stack/mptcp/mp.h"

#define CORK_WAIT (200 * NANOS_MS)

bool mp_tx_waiting(const struct mp_conn *c)
{
	return c->snd.nxt < c->snd.ring.tail ||
	       (mp_sealed(c) && mp_seal_unfinished(c));
}

bool mp_tx_held_up(const struct mp_conn *c)
{
	return c->snd.nxt < c->snd.ring.tail ||
	       (mp_sealed(c) && mp_seal_ready(c));
}

/* Octets of stream that window and ring leave to a sealed connection. */
static uint64_t seal_room(const struct mp_conn *c)
{
	const struct mp_snd *d = &c->snd;
	uint64_t open = d->edge > d->nxt ? d->edge - d->nxt : 0;

	if (c->mode != MP_MODE_MPTCP) {
		open = UINT64_MAX; /* TCP's own window is all there is */
	}
	return min_u64(open, ring_free(&d->ring));
}

bool mp_tx_shut_out(const struct mp_conn *c)
{
	if (!mp_sealed(c)) {
		return c->snd.edge <= c->snd.nxt;
	}
	return seal_room(c) < min_u64(mp_seal_need(c), mp_seal_waiting(c, 1));
}

/* --- bursts ---------------------------------------------------------- */

uint32_t mp_tx_room(const struct mp_sub *s)
{
	return s->tx.n < s->tx.max ? tcp_room(s->tcb) : 0;
}

/* Payload of a full segment.  TCP knows what our options cost in the last
 * segment with data; the next may carry a longer DATA_ACK. */
uint32_t mp_burst_seg(const struct mp_sub *s)
{
	const struct mp_conn *c = s->c;
	struct mp_opt_dss d = { .ack = true, .ack8 = c->ack8, .map = true,
				.dsn8 = true, .has_csum = c->checksum };
	uint32_t mss = tcp_mss(s->tcb);
	uint32_t next = (mp_opt_dss_len(&d) + 3) & ~3u;

	if (c->mode != MP_MODE_MPTCP || mss + s->opt_len <= 2 * next) {
		return mss ? mss : 1;
	}
	return mss + s->opt_len - next;
}

/* Nagle as Minshall has it (only one small segment at a time), and cork */
static bool tail_may_leave(struct mp_conn *c, struct instant now)
{
	struct mp_snd *d = &c->snd;

	if (d->shut) {
		return true;
	}
	if (c->conf->cork) {
		if (d->cork_due) {
			return true;
		}
		if (!mp_timer_on(&c->timers, MP_T_CORK)) {
			mp_timer_set(&c->timers, MP_T_CORK,
				     instant_add(now, CORK_WAIT));
		}
		return false;
	}
	return c->conf->nodelay || d->small_end <= d->una;
}

uint32_t mp_burst_len(struct mp_sub *s, struct instant now, uint64_t avail,
		      bool last)
{
	uint32_t seg = mp_burst_seg(s);
	uint32_t most = MP_BURST_MAX < seg ? seg :
					     MP_BURST_MAX / seg * seg;
	uint32_t room = mp_tx_room(s);
	uint32_t n;

	if (s->c->mode == MP_MODE_MPTCP && tcp_push_ssn(s->tcb) == 1) {
		most = seg; /* MP_CAPABLE with data: in one segment only */
	}
	n = (uint32_t)min_u64(avail, min_u32(room, most));
	if (n == avail && last) {
		if (n % seg && !tail_may_leave(s->c, now)) {
			n -= n % seg;
		}
		return n;
	}
	if (n >= seg) {
		return n - n % seg;
	}
	/* RFC 9293 3.8.6.2.1: a part of a segment only when nothing on its
	 * way will make room for more */
	return s->una == tcp_push_ssn(s->tcb) ? n : 0;
}

uint32_t mp_burst_again(struct mp_sub *s, struct instant now,
			const struct range *r)
{
	struct mp_conn *c = s->c;
	uint32_t room = mp_tx_room(s), n;

	if (mp_sealed(c)) {
		room = min_u32(room, MP_BURST_MAX);
		return (uint32_t)(mp_frames_fit(&c->seal->frames, r->lo,
						min_u64(r->hi, r->lo + room)) -
				  r->lo);
	}
	n = mp_burst_len(s, now, r->hi - r->lo, true);
	return n ? n : (uint32_t)min_u64(r->hi - r->lo, room);
}

/* --- sealed ---------------------------------------------------------- */

/* Acknowledgements that come one by one make room for two segments each, and
 * frames that small would be costly.  A longer one is made and left with TCP,
 * which sends it as room comes: a fraction of what is on its way anyhow.
 * Octets, whole segments. */
static uint32_t ahead_max(const struct mp_sub *s, uint64_t avail, uint32_t seg)
{
	struct tcp_info_core i;
	uint32_t wnd, most;

	tcp_info(s->tcb, &i);
	wnd = i.snd_wnd > i.unacked ? i.snd_wnd - i.unacked : 0;
	most = min_u32(min_u32(i.cwnd / 4, wnd), MP_SEAL_FRAME_MAX);
	most = (uint32_t)min_u64(most, avail);
	return most - most % seg;
}

/* Whole segments that the least of a frame needs: they may be shorter. */
static uint32_t least(const struct mp_conn *c, uint32_t seg)
{
	uint32_t need = mp_seal_need(c);

	return (need + seg - 1) / seg * seg;
}

static uint32_t seal_burst(struct mp_sub *s, struct instant now)
{
	struct mp_conn *c = s->c;
	uint64_t open = seal_room(c), avail;
	uint32_t seg = mp_burst_seg(s), n;

	avail = mp_seal_waiting(c, seg);
	n = mp_burst_len(s, now, min_u64(avail, open), avail <= open);
	if (n) {
		n = max_u32(n, (uint32_t)min_u64(min_u64(avail, open),
						 least(c, seg)));
	}
	if (n >= seg && n < avail && tcp_push_ssn(s->tcb) != 1) {
		n = max_u32(n, ahead_max(s, min_u64(avail, open), seg));
	}
	if (!n && mp_seal_due(c)) {
		/* at once, whatever Nagle and cork say, even as a part of a
		 * segment */
		n = (uint32_t)min_u64(min_u64(avail, open), mp_tx_room(s));
	}
	return n ? mp_seal_fill(c, now, n, seg) : 0;
}

uint32_t mp_burst_sealed(struct mp_sub *s, struct instant now)
{
	struct mp_conn *c = s->c;
	struct mp_snd *d = &c->snd;

	/* Init, or what could not be mapped: nothing is sealed behind it until
	 * it is on its way, so that Init is alone */
	if (d->nxt < d->ring.tail) {
		return (uint32_t)(mp_frames_fit(&c->seal->frames, d->nxt,
						d->nxt + MP_BURST_MAX) -
				  d->nxt);
	}
	return seal_burst(s, now);
}
