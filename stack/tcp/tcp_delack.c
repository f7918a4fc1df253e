#include "stack/tcp/tcp_delack.h"

#include <string.h>

#include "stack/base/check.h"

/* What we assume before the first segment came (RFC 9293 3.7.1); a smaller
 * value only means an earlier ACK. */
#define RCV_MSS_FIRST 536u

void tcp_delack_init(struct tcp_delack *d, uint32_t mss)
{
	memset(d, 0, sizeof(*d));
	d->at = INSTANT_NEVER;
	d->last_data = INSTANT_NEVER;
	d->rcv_mss_max = max_u32(mss, 1);
	d->rcv_mss = min_u32(d->rcv_mss_max, RCV_MSS_FIRST);
	d->quick = TCP_DELACK_QUICK;
	d->ato = TCP_DELACK_MIN;
}

void tcp_delack_quick(struct tcp_delack *d)
{
	d->quick = TCP_DELACK_QUICK;
	d->pingpong = false;
	d->ato = TCP_DELACK_MIN;
}

void tcp_delack_option(struct tcp_delack *d, int val)
{
	d->pingpong = val == 0;
	if (val && d->owed) {
		d->now = true;
		d->pingpong = !(val & 1);
	}
}

void tcp_delack_first(struct tcp_delack *d, struct instant now)
{
	tcp_delack_quick(d);
	d->owed = true;
	d->at = instant_add(now, d->max_us ? d->max_us * NANOS_US
					   : TCP_DELACK_MAX);
}

/* The time to wait follows the distance between arrivals: it pays only if the
 * next one comes within it. */
static void adapt(struct tcp_delack *d, struct instant now, nanos rto)
{
	nanos m;

	if (instant_never(d->last_data)) {
		d->last_data = now;
		return;
	}
	m = instant_since(now, d->last_data);
	d->last_data = now;
	if (m <= TCP_DELACK_MIN / 2) {
		d->ato = d->ato / 2 + TCP_DELACK_MIN / 2;
	} else if (m < d->ato) {
		d->ato = nanos_min(d->ato / 2 + m, rto);
	} else if (m > rto) {
		/* The sender fell silent and starts again, maybe in slow
		 * start: it needs every ACK, unless they go with answers. */
		d->quick = TCP_DELACK_QUICK;
	}
}

static nanos timeout(const struct tcp_delack *d, nanos srtt)
{
	nanos most = d->max_us ? d->max_us * NANOS_US : TCP_DELACK_MAX;

	if (srtt > 0) { /* waiting longer than a round trip helps nobody */
		most = nanos_min(most, nanos_max(srtt, TCP_DELACK_MIN));
	}
	return nanos_min(nanos_max(d->ato, TCP_DELACK_MIN), most);
}

void tcp_delack_data(struct tcp_delack *d, struct instant now, uint32_t len,
		     uint32_t seg, unsigned flags, nanos srtt, nanos rto)
{
	uint32_t one = seg > 0 && seg < len ? seg : len;

	adapt(d, now, rto);
	d->owed = true;
	d->rcv_mss = max_u32(d->rcv_mss, min_u32(one, d->rcv_mss_max));
	if (flags & TCP_DELACK_OOO) {
		tcp_delack_quick(d);
		d->now = true;
		return;
	}
	d->pending =
		len > UINT32_MAX - d->pending ? UINT32_MAX : d->pending + len;
	if ((flags & TCP_DELACK_PSH) && d->pushed < UINT8_MAX) {
		d->pushed++;
	}
	if ((flags & (TCP_DELACK_FIN | TCP_DELACK_GAP)) ||
	    d->pending > d->rcv_mss || (d->quick > 0 && !d->pingpong) ||
	    d->pushed > 1 || (d->pushed > 0 && !d->pingpong)) {
		d->now = true;
		return;
	}
	d->at = instant_min(d->at, instant_add(now, timeout(d, srtt)));
}

void tcp_delack_sent(struct tcp_delack *d, struct instant now, bool data)
{
	if (data && !instant_never(d->last_data) &&
	    instant_since(now, d->last_data) < d->ato) {
		d->pingpong = true;
	}
	if (d->owed && d->quick > 0) {
		d->quick--;
	}
	d->now = false;
	d->owed = false;
	d->pending = 0;
	d->pushed = 0;
	d->at = INSTANT_NEVER;
}

bool tcp_delack_fire(struct tcp_delack *d, struct instant now)
{
	if (!instant_due(d->at, now)) {
		return false;
	}
	d->at = INSTANT_NEVER;
	d->now = true;
	if (d->pingpong) { /* the answer did not come */
		d->pingpong = false;
		d->ato = TCP_DELACK_MIN;
	} else {
		d->ato = nanos_min(2 * d->ato, TCP_DELACK_MAX);
	}
	return true;
}
