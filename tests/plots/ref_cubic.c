/* A sender that follows RFC 9438 and nothing else: a model to hold the stack's
 * CUBIC against.  Written from the RFC alone, in segments and seconds and
 * floating point as its formulas are, without a line of the stack's TCP.
 *
 * What is not CUBIC's is as simple as can be: an acknowledgment names the two
 * packets that it is for (one, out of order or after 40 ms), a packet is lost
 * when a third one sent behind it arrived, and what is lost is sent as a new
 * packet.  Slow start doubles until a loss; there is no HyStart++, no pacing.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stack/base/bytes.h"
#include "stack/base/check.h"
#include "tests/plots/flows.h"

#define C_CUBIC    0.4
#define BETA_CUBIC 0.7
#define ALPHA      (3 * (1 - BETA_CUBIC) / (1 + BETA_CUBIC))

#define PROTO      253 /* for experiments, RFC 3692 */
#define MTU        1500u
#define PAYLOAD    1448u /* as a TCP with timestamps has it */
#define ACK_LEN    52u
#define RING       65536u
#define DUP_THRESH 3
#define DELAY      (40 * NANOS_MS)
#define NONE       UINT64_MAX

enum state {
	FREE,
	SENT,
	LOST,
	ARRIVED
};

struct packet {
	enum state state;
	struct instant at;
};

struct ref {
	struct world *w;
	struct host *from, *to;
	/* packets by number: [una, next) matter */
	struct packet ring[RING];
	uint64_t una, next, high; /* high: the newest that arrived, plus 1 */
	uint64_t recover;         /* older ones belong to the last reduction */
	double pipe;
	/* RFC 9438 4.1: windows in segments, times in seconds */
	double cwnd, ssthresh, cwnd_prior, w_max, w_est, k;
	bool epoch;
	struct instant epoch_start;
	double srtt;
	uint64_t timer; /* which of them is meant */
	uint64_t resent;
	/* the receiver's */
	uint64_t arrived, expected, waiting, delay;
};

struct ref *ref_new(struct world *w, struct host *from, struct host *to)
{
	struct ref *r = calloc(1, sizeof(*r));

	check(r);
	r->w = w;
	r->from = from;
	r->to = to;
	r->cwnd = 10; /* RFC 6928 */
	r->ssthresh = INFINITY;
	r->waiting = NONE;
	return r;
}

void ref_free(struct ref *r)
{
	free(r);
}

static double now_of(const struct ref *r)
{
	return (double)r->w->now.ns / 1e9;
}

/* --- the window ----------------------------------------------------------- */

/* RFC 9438 4.2, figure 1 */
static double w_cubic(const struct ref *r, double t)
{
	return C_CUBIC * pow(t - r->k, 3) + r->w_max;
}

/* RFC 9438 4.2: what the values are when congestion avoidance begins */
static void begin_epoch(struct ref *r)
{
	r->epoch = true;
	r->epoch_start = r->w->now;
	if (r->w_max < r->cwnd) { /* as after a timeout, RFC 9438 4.8 */
		r->w_max = r->cwnd;
	}
	r->k = cbrt((r->w_max - r->cwnd) / C_CUBIC); /* figure 2 */
	r->w_est = r->cwnd;
}

/* RFC 9438 4.2 to 4.5, for one segment */
static void avoid(struct ref *r)
{
	double t, target;

	if (!r->epoch) {
		begin_epoch(r);
	}
	t = now_of(r) - (double)r->epoch_start.ns / 1e9;
	/* figure 4; alpha is 1 once the window of before is reached */
	r->w_est += (r->w_est < r->cwnd_prior ? ALPHA : 1) / r->cwnd;
	if (w_cubic(r, t) < r->w_est) {
		r->cwnd = fmax(r->cwnd, r->w_est);
		return;
	}
	target = w_cubic(r, t + r->srtt);
	target = fmin(fmax(target, r->cwnd), 1.5 * r->cwnd);
	r->cwnd += (target - r->cwnd) / r->cwnd;
}

static void grow(struct ref *r)
{
	if (r->cwnd < r->ssthresh) {
		r->cwnd += 1;
	} else {
		avoid(r);
	}
}

/* RFC 9438 4.6, 4.7 */
static void reduce(struct ref *r, double flight)
{
	r->cwnd_prior = r->cwnd;
	r->w_max = r->cwnd < r->w_max ? r->cwnd * (1 + BETA_CUBIC) / 2
				      : r->cwnd;
	r->ssthresh = fmax(flight * BETA_CUBIC, 2);
	r->cwnd = r->ssthresh;
	r->epoch = false;
	r->recover = r->next;
}

/* --- packets -------------------------------------------------------------- */

static void emit(struct ref *r, struct host *h, const struct host *to,
		 uint32_t len, uint64_t number, uint64_t second)
{
	struct pkt *p = world_pkt(r->w, NULL, len);
	uint8_t *b = p->data;

	b[0] = 0x45;
	be16_put(b + 2, (uint16_t)len);
	b[8] = 64;
	b[9] = PROTO;
	memcpy(b + 12, h->path[0].cfg.addr[0].b, 4);
	memcpy(b + 16, to->path[0].cfg.addr[0].b, 4);
	be64_put(b + 20, number);
	be64_put(b + 28, second);
	link_send(&h->path[0].up, p);
}

static void set_timer(struct ref *r);

static void fill_window(struct ref *r)
{
	while (r->pipe + 1 <= r->cwnd && r->next - r->una < RING) {
		struct packet *p = &r->ring[r->next % RING];

		p->state = SENT;
		p->at = r->w->now;
		r->pipe++;
		emit(r, r->from, r->to, MTU, r->next++, NONE);
	}
	set_timer(r);
}

static void lose(struct ref *r, struct packet *p)
{
	p->state = LOST;
	r->pipe--;
	r->resent++; /* its octets leave with a new number */
}

static void slide(struct ref *r)
{
	while (r->una < r->next && r->ring[r->una % RING].state != SENT) {
		r->una++;
	}
}

static void find_lost(struct ref *r)
{
	double flight = r->pipe + 1;
	bool event = false;

	for (uint64_t i = r->una; i + DUP_THRESH < r->high; i++) {
		struct packet *p = &r->ring[i % RING];

		if (p->state == SENT) {
			lose(r, p);
			event |= i >= r->recover;
		}
	}
	if (event) {
		reduce(r, flight);
	}
}

static bool arrive(struct ref *r, uint64_t number)
{
	struct packet *p = &r->ring[number % RING];

	if (number < r->una || number >= r->next || p->state != SENT) {
		return false;
	}
	p->state = ARRIVED;
	r->pipe--;
	r->high = max_u64(r->high, number + 1);
	return true;
}

static void on_ack(struct ref *r, uint64_t number, uint64_t second)
{
	uint64_t last = second == NONE ? number : second;
	struct instant at = r->ring[last % RING].at;
	double rtt = (double)instant_since(r->w->now, at) / 1e9;
	bool one = arrive(r, number);
	bool two = second != NONE && arrive(r, second);

	if (!one && !two) {
		return;
	}
	r->srtt = r->srtt > 0 ? r->srtt * 7 / 8 + rtt / 8 : rtt;
	find_lost(r);
	slide(r);
	if (one && number >= r->recover) {
		grow(r);
	}
	if (two && second >= r->recover) {
		grow(r);
	}
	fill_window(r);
}

/* RFC 5681 4.2 */
static void delayed(struct world *w, void *ctx, uint64_t arg)
{
	struct ref *r = ctx;

	if (!w->stopping && arg == r->delay && r->waiting != NONE) {
		emit(r, r->to, r->from, ACK_LEN, r->waiting, NONE);
		r->waiting = NONE;
	}
}

static void receive(struct ref *r, uint64_t number)
{
	bool in_order = number == r->expected;

	r->arrived += PAYLOAD;
	r->expected = max_u64(r->expected, number + 1);
	r->delay++;
	if (r->waiting != NONE) {
		emit(r, r->to, r->from, ACK_LEN, r->waiting, number);
		r->waiting = NONE;
	} else if (!in_order) {
		emit(r, r->to, r->from, ACK_LEN, number, NONE);
	} else {
		r->waiting = number;
		world_in(r->w, DELAY, delayed, r, r->delay);
	}
}

/* --- the timer ------------------------------------------------------------ */

/* RFC 9438 4.8 */
static void timeout(struct world *w, void *ctx, uint64_t arg)
{
	struct ref *r = ctx;

	if (w->stopping || arg != r->timer || r->pipe <= 0) {
		return;
	}
	r->cwnd_prior = r->cwnd;
	r->ssthresh = fmax(r->pipe * BETA_CUBIC, 2);
	r->w_max = 0;
	r->epoch = false;
	r->cwnd = 1;
	for (uint64_t i = r->una; i < r->next; i++) {
		if (r->ring[i % RING].state == SENT) {
			lose(r, &r->ring[i % RING]);
		}
	}
	slide(r);
	r->recover = r->next;
	fill_window(r);
}

static void set_timer(struct ref *r)
{
	world_in(r->w, NANOS_S + (nanos)(r->srtt * 2e9), timeout, r,
		 ++r->timer);
}

/* --- outside -------------------------------------------------------------- */

void ref_start(struct world *w, void *ctx, uint64_t arg)
{
	(void)w;
	(void)arg;
	fill_window(ctx);
}

bool ref_take(struct ref *r, struct host *h, const struct pkt *p)
{
	if (p->len < ACK_LEN || p->data[0] != 0x45 || p->data[9] != PROTO) {
		return false;
	}
	if (h == r->to && !r->w->stopping) {
		receive(r, be64_get(p->data + 20));
	} else if (h == r->from && !r->w->stopping) {
		on_ack(r, be64_get(p->data + 20), be64_get(p->data + 28));
	}
	return true;
}

uint64_t ref_arrived(const struct ref *r)
{
	return r->arrived;
}

uint64_t ref_sent(const struct ref *r)
{
	return r->next;
}

uint64_t ref_resent(const struct ref *r)
{
	return r->resent;
}

void ref_state(const struct ref *r, struct flow_state *s)
{
	s->cwnd = r->next ? r->cwnd * PAYLOAD / 1e3 : 0;
	s->rtt = r->srtt * 1e3;
}
