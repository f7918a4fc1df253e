#include "stack/tcp/tcp_mtup.h"

#include "stack/base/bytes.h"
#include "stack/base/check.h"
#include "stack/base/seq.h"

/* MTUs that links and tunnels have (RFC 4821 7.3: try the usual ones) */
static const uint16_t usual[] = { 1280,	 1300,	1360,  1400,  1420,  1460,
				  1480,	 1492,	1500,  2002,  4352,  8166,
				  9000,	 16384, 32000, 65535 };

/* the entry that has seq; false: nothing there is unacknowledged */
static bool index_of(const struct tcp_sent *s, uint32_t seq, uint32_t *i)
{
	if (seq_lt(seq, s->una) || seq_geq(seq, s->nxt)) {
		return false;
	}
	*i = tcp_sent_find(s, seq);
	return true;
}

static const struct tcp_sent_entry *entry_at(const struct tcp_sent *s,
					     uint32_t seq)
{
	uint32_t i;

	return index_of(s, seq, &i) ? tcp_sent_at(s, i) : NULL;
}

void tcp_mtup_start(struct tcp_mtup *m, struct instant now, uint16_t low,
		    uint16_t high)
{
	m->low = low;
	m->high = high < low ? low : high;
	m->size = 0;
	m->next = now;
}

bool tcp_mtup_timeout(struct tcp_mtup *m, struct instant now, unsigned n,
		      uint16_t size, uint16_t base, uint16_t least)
{
	uint16_t low = base;

	if (n == 0 || n % TCP_MTUP_TIMEOUTS != 0 || size <= least) {
		return false;
	}
	if (size <= base) {
		low = size / 2 < least ? least : size / 2;
	}
	/* the same size may pass again, once what stopped it is over */
	tcp_mtup_start(m, now, low, size);
	m->acked = m->acked < low ? m->acked : low;
	return true;
}

/* --- probes ----------------------------------------------------------------- */

/* The middle one of the usual sizes in (low, high], `most` among them while
 * nothing speaks against it; without any the middle.  0: near enough. */
static uint16_t next_size(uint16_t low, uint16_t high, uint16_t most)
{
	uint16_t found[ARRAY_SIZE(usual) + 1];
	unsigned n = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(usual); i++) {
		if (usual[i] > low && usual[i] <= high) {
			found[n++] = usual[i];
		}
	}
	if (high == most && high > low && (n == 0 || found[n - 1] != high)) {
		found[n++] = high;
	}
	if (n) {
		return found[n / 2];
	}
	if (high - low <= TCP_MTUP_CLOSE) {
		return 0;
	}
	return (uint16_t)(low + (high - low) / 2);
}

uint16_t tcp_mtup_want(struct tcp_mtup *m, struct instant now, uint16_t most)
{
	uint16_t high, size;

	if (m->low == 0 || m->size || !instant_due(m->next, now)) {
		return 0;
	}
	high = m->high < most ? m->high : most;
	size = high > m->low ? next_size(m->low, high, most) : 0;
	if (size == 0) {
		/* over; the path may become wider one day */
		m->high = most > m->low ? most : m->low;
		m->next = instant_add(now, TCP_MTUP_AGAIN);
	}
	return size;
}

void tcp_mtup_sent(struct tcp_mtup *m, uint32_t seq, uint32_t end,
		   uint16_t size)
{
	check(seq != end);
	m->size = size;
	m->missed = false;
	m->seq = seq;
	m->end = end;
}

uint32_t tcp_mtup_excused(const struct tcp_mtup *m, const struct tcp_sent *s)
{
	uint32_t i, n = 0;

	if (m->size == 0 || !index_of(s, m->seq, &i)) {
		return 0;
	}
	/* sent again, it may be in pieces */
	for (; i < s->n && seq_lt(tcp_sent_at(s, i)->seq, m->end); i++) {
		const struct tcp_sent_entry *e = tcp_sent_at(s, i);

		n += e->state == TCP_SENT_LOST && e->rtx == 0 ? e->len : 0;
	}
	return n;
}

static enum tcp_mtup_news failed(struct tcp_mtup *m, struct instant now,
				 bool alone, nanos wait)
{
	uint16_t size = m->size;

	m->size = 0;
	m->missed = false;
	m->next = instant_add(now, wait);
	if (!alone) {
		return TCP_MTUP_UNSURE;
	}
	m->high = (uint16_t)(size - 1);
	return TCP_MTUP_FAILED;
}

static enum tcp_mtup_news raised(struct tcp_mtup *m)
{
	m->low = m->size > m->low ? m->size : m->low;
	m->high = m->high < m->low ? m->low : m->high;
	m->acked = m->acked < m->low ? m->low : m->acked;
	m->size = 0;
	return TCP_MTUP_RAISED;
}

enum tcp_mtup_news tcp_mtup_check(struct tcp_mtup *m, const struct tcp_sent *s,
				  struct instant now, nanos wait, bool timeout)
{
	const struct tcp_sent_entry *e;
	uint32_t excused;

	if (m->size == 0) {
		return TCP_MTUP_NOTHING;
	}
	e = entry_at(s, m->seq);
	if (seq_geq(s->una, m->end) || (e && e->state == TCP_SENT_SACKED)) {
		return m->missed ? failed(m, now, true, wait) : raised(m);
	}
	if (timeout) { /* RFC 4821 7.6.3: five times as long */
		return failed(m, now, true, 5 * wait);
	}
	if (!e || (e->state == TCP_SENT_FLIGHT && e->rtx == 0)) {
		return TCP_MTUP_NOTHING;
	}
	/* Until all of it is sent again its loss stays excused; losses beside
	 * it make it one by congestion, perhaps (RFC 4821 7.6.4). */
	excused = tcp_mtup_excused(m, s);
	m->missed = excused && s->n_lost == excused;
	return m->missed ? TCP_MTUP_NOTHING :
			   failed(m, now, s->n_lost == excused, wait);
}

/* --- ICMP ------------------------------------------------------------------- */

/* the watched packet arrived, or is past */
static void watch(struct tcp_mtup *m, const struct tcp_sent *s)
{
	if (m->watched && seq_geq(s->una, m->watched_end)) {
		m->acked = m->watched > m->acked ? m->watched : m->acked;
		m->watched = 0;
	}
}

bool tcp_mtup_too_big(struct tcp_mtup *m, uint32_t seq, uint16_t mtu)
{
	if (mtu >= m->acked) {
		m->claim = 0;
		return true;
	}
	m->claim = mtu;
	m->claim_seq = seq;
	return false;
}

enum tcp_mtup_verdict tcp_mtup_claim(struct tcp_mtup *m,
				     const struct tcp_sent *s, uint16_t *mtu)
{
	const struct tcp_sent_entry *e;

	watch(m, s);
	if (m->claim == 0) {
		return TCP_MTUP_OPEN;
	}
	e = entry_at(s, m->claim_seq);
	if (!e || e->state == TCP_SENT_SACKED) {
		m->claim = 0;
		return TCP_MTUP_DENIED;
	}
	if (e->state != TCP_SENT_LOST && e->rtx == 0) {
		return TCP_MTUP_OPEN;
	}
	*mtu = m->claim;
	m->claim = 0;
	m->acked = *mtu;
	return TCP_MTUP_TRUE;
}
