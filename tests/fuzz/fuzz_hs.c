/* Whole lives of connections between two stacks that remember: a stream of
 * operations in any order, two pairs at a time.
 *
 * States go one way; keys of two pairs are never the same, so no secret serves
 * twice; a pair that saw each other's options and transcripts understands each
 * other; nothing is sealed or told before its time; memory comes back. */
#include "tests/fuzz/fuzz.h"

#define N_PAIRS 2
#define N_IDS   64
#define TEXT    40

struct party {
	struct crypt_conn *k;
	uint8_t mine[ENO_OPT_MAX], got[ENO_OPT_MAX]; /* SYN forms */
	unsigned mine_len, got_len;
	unsigned mpc; /* 0 none, 1 the usual one, 2 another */
	bool doubt, init_bad;
	bool missed; /* a frame that was sealed for it */
	uint64_t offset;
	enum crypt_state was;
};

struct pair {
	struct party p[2];
	unsigned serial;
};

static struct fend ends[2];
static struct pair pairs[N_PAIRS];
static unsigned serial;
static bool starved; /* memory was refused: less can be expected */

static struct {
	uint8_t id[CRYPT_SESSION_ID];
	unsigned serial;
} ids[N_IDS];

static unsigned n_ids;

static bool may_follow(enum crypt_state from, enum crypt_state to)
{
	switch (from) {
	case CRYPT_NEGOTIATING:
		return to == CRYPT_OFF || to == CRYPT_AGREED;
	case CRYPT_AGREED:
		return to == CRYPT_INIT || to == CRYPT_KEYED ||
		       to == CRYPT_DEAD || to == CRYPT_OFF;
	case CRYPT_INIT:
		return to == CRYPT_KEYED || to == CRYPT_DEAD;
	case CRYPT_OFF:
	case CRYPT_KEYED:
	case CRYPT_DEAD:
	default:
		return false;
	}
}

/* no two pairs have the same keys */
static void note_id(const uint8_t *id, unsigned s)
{
	for (unsigned i = 0; i < n_ids; i++) {
		if (memcmp(ids[i].id, id, CRYPT_SESSION_ID) == 0) {
			must(ids[i].serial == s);
			return;
		}
	}
	if (n_ids < N_IDS) {
		memcpy(ids[n_ids].id, id, CRYPT_SESSION_ID);
		ids[n_ids++].serial = s;
	}
}

static void watch(struct pair *q)
{
	for (unsigned i = 0; i < 2; i++) {
		struct party *p = &q->p[i];
		uint8_t id[CRYPT_SESSION_ID];
		enum crypt_state st;
		struct crypt_info info;
		bool told;

		if (!p->k) {
			continue;
		}
		st = crypt_state(p->k);
		must(st == p->was || may_follow(p->was, st));
		p->was = st;
		crypt_info(p->k, &info);
		must(info.state == st);
		must((crypt_why(p->k) != CRYPT_OK) ==
		     (st == CRYPT_OFF || st == CRYPT_DEAD));
		told = crypt_session_id(p->k, id);
		must(told == (st == CRYPT_KEYED && !crypt_confused(p->k)));
		must((crypt_sk(p->k) != NULL) == (told && info.smtcp));
		if (told) {
			note_id(id, q->serial);
		}
		must(!crypt_due(p->k) || told);
	}
}

static void drop(struct party *p)
{
	crypt_conn_free(p->k);
	memset(p, 0, sizeof(*p));
}

static void open_pair(struct input *in, struct pair *q)
{
	unsigned op = in_u8(in);

	for (unsigned i = 0; i < 2; i++) {
		struct party *p = &q->p[i];
		bool active = i == (op & 1) || (op & 6) == 6;

		drop(p);
		if (op & 0x80) {
			fend_conf(&ends[i], in);
		}
		p->k = crypt_conn_new(ends[i].crypt, &ends[i].conf, active,
				      "peer", active ? 4 : 0);
		must(p->k || starved);
		p->was = p->k ? crypt_state(p->k) : CRYPT_OFF;
	}
	q->serial = ++serial;
}

static void segment(struct input *in, struct pair *q, unsigned i, bool alter)
{
	struct party *from = &q->p[i], *to = &q->p[!i];
	enum crypt_seg seg = in_u8(in) % 3;
	uint8_t opt[ENO_OPT_MAX];
	unsigned n = 0;

	if (from->k) {
		n = crypt_seg_out(from->k, ends[i].now, seg, opt, sizeof(opt));
	}
	if (n > 0 && seg != CRYPT_SEG_ACK) {
		memcpy(from->mine, opt, n);
		from->mine_len = n;
	}
	if (alter && n > 0) {
		opt[in_below(in, n)] ^= (uint8_t)in_u8(in);
	}
	if (to->k && !(alter && (in_u8(in) & 1))) {
		if (n > 0 && seg != CRYPT_SEG_ACK && to->got_len == 0 &&
		    crypt_state(to->k) == CRYPT_NEGOTIATING) {
			memcpy(to->got, opt, n);
			to->got_len = n;
		}
		ends[!i].k = to->k;
		fend_in(&ends[!i], seg, opt, n);
		ends[!i].k = NULL;
	}
}

static void start(struct input *in, struct pair *q, unsigned i)
{
	static const uint8_t mpc[2][32] = { { 1 }, { 2 } };
	struct party *p = &q->p[i];
	unsigned which = in_u8(in) % 4;
	enum crypt_reason r;

	if (!p->k || crypt_state(p->k) != CRYPT_AGREED) {
		return;
	}
	which = which == 3 ? 1 : which;
	r = crypt_start(p->k, ends[i].now, which ? mpc[which - 1] : NULL,
			which ? 32 : 0);
	must(r == CRYPT_OK || starved);
	p->mpc = which;
}

static void init(struct input *in, struct pair *q, unsigned i)
{
	struct party *from = &q->p[i], *to = &q->p[!i];
	unsigned how = in_u8(in);
	size_t n = 0, used;
	const uint8_t *p;
	uint8_t *copy;

	if (!from->k || !to->k) {
		return;
	}
	if (how & 1) {
		crypt_mpc_doubtful(to->k);
		to->doubt |= crypt_state(to->k) == CRYPT_INIT;
	}
	p = crypt_init_out(from->k, &n);
	if (!p) {
		return;
	}
	copy = dup_bytes(p, n);
	if (how & 2) {
		copy[in_below(in, n)] ^= (uint8_t)in_u8(in);
	}
	to->init_bad |=
		memcmp(copy, p, n) != 0 && crypt_state(to->k) == CRYPT_INIT;
	crypt_init_in(to->k, ends[!i].now, copy, n, &used);
	free(copy);
	if (how & 4) {
		crypt_init_sent(from->k);
	}
}

/* they must understand each other */
static bool alike(const struct pair *q)
{
	const struct party *a = &q->p[0], *b = &q->p[1];
	struct crypt_info x, y;

	crypt_info(a->k, &x);
	crypt_info(b->k, &y);
	if (a->init_bad || b->init_bad || x.resumed != y.resumed) {
		return false;
	}
	if (x.smtcp && a->mpc != b->mpc) {
		const struct party *host_a = x.role_b ? b : a;
		const struct party *host_b = x.role_b ? a : b;

		/* host A found out which one it is */
		if (x.resumed || !host_a->doubt || host_b->mpc != 0) {
			return false;
		}
	}
	return a->mine_len > 0 && a->mine_len == b->got_len &&
	       b->mine_len > 0 && b->mine_len == a->got_len &&
	       memcmp(a->mine, b->got, a->mine_len) == 0 &&
	       memcmp(b->mine, a->got, b->mine_len) == 0;
}

static void frame(struct input *in, struct pair *q, unsigned i)
{
	struct party *from = &q->p[i], *to = &q->p[!i];
	unsigned how = in_u8(in);
	uint8_t buf[TEXT + CRYPT_FRAME_OVERHEAD], text[TEXT];
	const struct iov v = { text, how % (TEXT + 1) };
	const struct iov_mut out = { buf, sizeof(buf) };
	struct crypt_seal s = { .now = ends[i].now, .in = &v, .n_in = 1 };
	struct crypt_opened o;
	enum crypt_reason r;
	size_t n;

	if (!from->k) {
		return;
	}
	memset(text, (int)how, sizeof(text));
	s.offset = max_u64(from->offset, crypt_init_len(from->k, false));
	s.fin = how == 255;
	r = crypt_seal(from->k, &s, &out, 1, &n);
	must(r == CRYPT_OK || n == 0);
	must(r == CRYPT_OK || r == CRYPT_REFUSE_FIN ||
	     crypt_state(from->k) != CRYPT_KEYED || crypt_confused(from->k));
	if (r != CRYPT_OK) {
		return;
	}
	from->offset = s.offset + n;
	if (!to->k) {
		to->missed = true;
		return;
	}
	r = crypt_open(to->k, ends[!i].now, s.offset,
		       &(struct iov_mut){ buf, n }, 1, n, &o);
	/* a stream has no holes: one that was lost may have begun a generation */
	if (crypt_state(to->k) == CRYPT_KEYED && alike(q) && !starved &&
	    !to->missed) {
		must(r == CRYPT_OK);
	}
	to->missed |= r != CRYPT_OK;
	if (r == CRYPT_OK) {
		must(alike(q));
		must(o.data_len == v.n && o.fin == s.fin);
		must(memcmp(buf + o.data_at, text, v.n) == 0);
		must(crypt_confirmed(to->k) && !crypt_confused(to->k));
		must((crypt_end_in(to->k, from->offset) == CRYPT_OK) == s.fin);
		crypt_received(to->k, from->offset);
		if (how & 1) {
			crypt_acked(from->k, from->offset);
		}
	}
}

static void forged(struct input *in, struct pair *q, unsigned i)
{
	struct party *p = &q->p[i];
	size_t n = in_u8(in) % 70;
	uint8_t *b = in_bytes(in, &n);
	struct crypt_opened o;

	if (n >= 3) {
		be16_put(b + 1, (uint16_t)(n - 3));
	}
	if (p->k) {
		must(crypt_open(p->k, ends[i].now, crypt_init_len(p->k, true),
				&(struct iov_mut){ b, n }, 1, n,
				&o) != CRYPT_OK);
	}
	free(b);
}

static void other(struct input *in, struct pair *q, unsigned i)
{
	struct party *p = &q->p[i];
	unsigned op = in_u8(in), arg = in_u8(in);

	switch (op % 9) {
	case 0:
		crypt_forget_all(ends[i].crypt);
		must(crypt_cached(ends[i].crypt) == 0);
		return;
	case 1:
		ends[i].now.ns += (int64_t)arg * 60 * NANOS_S;
		return;
	case 2:
		ends[i].fake.fail_at = arg % 8;
		starved |= ends[i].fake.fail_at != 0;
		return;
	default:
		break;
	}
	if (!p->k) {
		return;
	}
	switch (op % 9) {
	case 3:
		crypt_forget(p->k);
		break;
	case 4:
		crypt_would_resume(p->k, ends[i].now);
		break;
	case 5:
		if (arg < 32) {
			crypt_give_up(p->k, CRYPT_OFF_CHOICE);
		}
		break;
	case 6:
		crypt_rekey(p->k, ends[i].now);
		break;
	case 7:
		crypt_acked(p->k, p->offset);
		break;
	default:
		if (arg < 64) {
			drop(p);
		}
		break;
	}
}

static void step(struct input *in)
{
	unsigned what = in_u8(in), i = what & 1;
	struct pair *q = &pairs[what >> 1 & 1];

	switch (what >> 2 & 15) {
	case 0:
		open_pair(in, q);
		break;
	case 1:
	case 2:
	case 3:
		segment(in, q, i, false);
		break;
	case 4:
		segment(in, q, i, true);
		break;
	case 5:
	case 6:
		start(in, q, i);
		break;
	case 7:
	case 8:
	case 9:
		init(in, q, i);
		break;
	case 10:
	case 11:
	case 12:
		frame(in, q, i);
		break;
	case 13:
		forged(in, q, i);
		break;
	default:
		other(in, q, i);
		break;
	}
	watch(q);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct input in = { data, n };
	uint64_t used[2];

	starved = false;
	n_ids = serial = 0;
	for (unsigned i = 0; i < 2; i++) {
		fend_begin(&ends[i], i + 1);
		used[i] = ends[i].fake.mem.used;
	}
	for (unsigned i = 0; i < 200 && in.n > 0; i++) {
		step(&in);
	}
	for (unsigned i = 0; i < N_PAIRS; i++) {
		drop(&pairs[i].p[0]);
		drop(&pairs[i].p[1]);
	}
	for (unsigned i = 0; i < 2; i++) {
		crypt_forget_all(ends[i].crypt);
		must(ends[i].fake.mem.used == used[i]);
	}
	return 0;
}
