/* What a host may not send on a sealed connection, or not yet (smtcp(7),
 * SUBFLOWS AND SIGNALS, REKEYING): seen from what both sides have sent and
 * opened so far.
 */
#include "tests/sim/watch.h"

static void fail(const struct conn *c, unsigned side, const char *what)
{
	world_fail(c->w, "conn %u %s: %s", c->index,
		   side ? "server" : "client", what);
}

/* a frame of the other side was opened, whichever came first */
static bool confirmed(const struct conn *c, unsigned side)
{
	const struct stream *s = &watch_of(c)->side[!side].stream;

	for (uint32_t i = 0; i < s->n_frames; i++) {
		if (seal_opened(s->frame[i].hash)) {
			return true;
		}
	}
	return false;
}

/* ... and the first one of this side has a DATA_ACK */
static bool known_confirmed(const struct conn *c, unsigned side)
{
	const struct stream *s = &watch_of(c)->side[side].stream;

	return confirmed(c, side) && s->n_frames > 0 &&
	       s->acked >= s->frame[0].end;
}

void rules_join(struct conn *c, unsigned side)
{
	const struct expect *x = &watch_of(c)->x;

	if (x->state[side] == EXPECT_SEALED && !known_confirmed(c, side)) {
		fail(c, side, "joins before keys are confirmed");
	}
}

static bool travelled(const struct watch_conn *w, uint64_t key)
{
	return key == w->side[0].key || key == w->side[1].key;
}

/* on a sealed connection of TEP 0x20 */
void rules_options(struct conn *c, unsigned side, const struct tcp_seg *seg)
{
	const struct mp_opts *m = &seg->opts.mp;

	if (m->have & MP_HAVE(MP_OPT_DSS) && m->dss.has_csum) {
		fail(c, side, "a DSS checksum");
	}
	if (m->have & MP_HAVE(MP_OPT_FAIL)) {
		fail(c, side, "MP_FAIL");
	}
	if (m->have & MP_HAVE(MP_OPT_FASTCLOSE) &&
	    travelled(watch_of(c), m->fastclose_key)) {
		fail(c, side, "MP_FASTCLOSE with a key that travelled");
	}
	if (m->have & MP_HAVE(MP_OPT_ADD_ADDR) && !m->add_addr.echo &&
	    !confirmed(c, side)) {
		fail(c, side, "announces before keys are confirmed");
	}
	if (seg->len && (seg->flags & TCP_URG)) {
		fail(c, side, "urgent pointer at sealed data");
	}
}

/* The frame at the end of s begins generation s->gen: as an answer, or when
 * the first one of the generation before has arrived. */
void rules_rekey(const struct stream *s)
{
	const struct stream *peer = &s->w->watch->conn[s->conn]
					     .side[!s->side]
					     .stream;

	if (s->phases && !s->single && peer->gen < s->gen &&
	    s->acked < s->first_of_gen) {
		fail(&s->w->conn[s->conn], s->side,
		     "a generation begins before the last one arrived");
	}
}
