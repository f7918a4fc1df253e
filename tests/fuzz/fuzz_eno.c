/* The ENO option, and two ends that negotiate by segments which are altered,
 * lost, repeated, swapped and made up.
 *
 * Off is off for good; what is sent fits and does not change; two ends that
 * saw each other's options as they were agree on the same, or one is off. */
#include "stack/wire/eno_opt.h"
#include "tests/fuzz/fuzz.h"

static struct fend ends[2];

struct side {
	uint8_t syn[ENO_OPT_MAX], got[ENO_OPT_MAX]; /* SYN forms */
	unsigned syn_len, got_len;
	bool off, started;
};

static struct side sides[2];

/* every suboption lies in the option, and emitting what was read reads so */
static void parse(const uint8_t *p, size_t n)
{
	struct eno_opt o, again;
	uint8_t out[ENO_OPT_MAX];
	struct wr w = wr_make(out, sizeof(out));
	struct eno_opt_sm sm;
	unsigned len;

	if (n > UINT8_MAX || !eno_opt_parse(p, (uint8_t)n, &o)) {
		return;
	}
	must(n >= 2 && o.n <= n - 2);
	for (unsigned i = 0; i < o.n; i++) {
		const struct eno_opt_sub *s = &o.sub[i];

		must(s->tep >= 0x20 && s->tep < 0x80);
		must(s->v ? s->data >= p && s->data + s->len <= p + n
			  : s->len == 0);
		if (eno_opt_sm_parse(s, &sm)) {
			must(sm.n > 0 && sm.n <= ENO_SM_MAX);
			must(!sm.resume ||
			     (sm.r && sm.n == 1 && sm.nonce_len <= ENO_NONCE &&
			      sm.half > s->data &&
			      sm.nonce + sm.nonce_len == s->data + s->len));
		}
	}
	len = eno_opt_emit(&w, o.has_global ? o.global : -1, o.sub, o.n);
	if (len > 0) {
		must(eno_opt_parse(out, (uint8_t)len, &again));
		must(again.n == o.n && again.global == o.global);
		for (unsigned i = 0; i < o.n; i++) {
			must(again.sub[i].tep == o.sub[i].tep &&
			     again.sub[i].len == o.sub[i].len);
		}
	}
}

static void watch(unsigned i)
{
	struct side *s = &sides[i];
	enum crypt_state st = crypt_state(ends[i].k);

	must(!s->off || st == CRYPT_OFF);
	s->off = st == CRYPT_OFF;
	must(!s->off || crypt_why(ends[i].k) != CRYPT_OK);
	must(st != CRYPT_DEAD);
	must(!s->off || fend_info(&ends[i]).tep == 0);
}

static unsigned take(unsigned i, enum crypt_seg seg, uint8_t *opt,
		     unsigned room)
{
	struct side *s = &sides[i];
	unsigned n = crypt_seg_out(ends[i].k, ends[i].now, seg, opt, room);

	must(n <= room && n <= ENO_OPT_MAX);
	watch(i);
	if (n == 0) {
		return 0;
	}
	must(n >= 2 && opt[0] == ENO_OPT_KIND && opt[1] == n);
	if (seg == CRYPT_SEG_ACK) {
		must(n == 2 && !s->off);
		return n;
	}
	if (!s->off) {
		/* never altered (RFC 8547 4.6) */
		must(s->syn_len == 0 ||
		     (s->syn_len == n && memcmp(s->syn, opt, n) == 0));
		memcpy(s->syn, opt, n);
		s->syn_len = n;
	}
	return n;
}

static void give(unsigned i, enum crypt_seg seg, const uint8_t *opt, size_t n)
{
	struct side *s = &sides[i];

	if (seg != CRYPT_SEG_ACK && s->got_len == 0 && n > 0 &&
	    n <= ENO_OPT_MAX && !s->off &&
	    crypt_state(ends[i].k) == CRYPT_NEGOTIATING) {
		struct eno_opt o;

		if (eno_opt_parse(opt, (uint8_t)n, &o)) {
			memcpy(s->got, opt, n);
			s->got_len = (unsigned)n;
		}
	}
	fend_in(&ends[i], seg, opt, n);
	watch(i);
}

static bool saw_each_other(void)
{
	for (unsigned i = 0; i < 2; i++) {
		const struct side *s = &sides[i], *o = &sides[!i];

		if (s->syn_len == 0 || s->syn_len != o->got_len ||
		    memcmp(s->syn, o->got, s->syn_len) != 0) {
			return false;
		}
	}
	return true;
}

static void agreed(void)
{
	struct crypt_info x = fend_info(&ends[0]), y = fend_info(&ends[1]);

	if (x.state != CRYPT_AGREED || y.state != CRYPT_AGREED ||
	    !saw_each_other()) {
		return;
	}
	must(x.tep == y.tep && x.kx == y.kx && x.role_b != y.role_b);
	must(x.sig == y.sig && x.smtcp == y.smtcp);
	must(x.tep != ENO_TEP_EXP || x.smtcp);
}

static void pass(struct input *in, unsigned i, unsigned op)
{
	enum crypt_seg seg = op % 3;
	uint8_t opt[ENO_OPT_MAX];
	unsigned room = op & 0x40 ? (unsigned)in_below(in, 41) : ENO_OPT_MAX;
	unsigned n = take(i, seg, opt, room);

	switch (op >> 4 & 3) {
	case 0:
	case 1:
		give(!i, seg, opt, n);
		break;
	case 2: /* altered */
		if (n > 0) {
			opt[in_below(in, n)] ^= (uint8_t)in_u8(in);
		}
		give(!i, seg, opt, n);
		break;
	default: /* reflected, or lost */
		if (op & 0x80) {
			give(i, seg, opt, n);
		}
		break;
	}
}

static void made_up(struct input *in, unsigned i, unsigned op)
{
	size_t n = op >> 4 & 7 ? in_u8(in) % 41 : in_u8(in);
	uint8_t *opt = in_bytes(in, &n);

	if (n >= 2 && op & 0x80) {
		opt[0] = ENO_OPT_KIND;
		opt[1] = (uint8_t)n;
	}
	parse(opt, n);
	give(i, op % 3, opt, n);
	free(opt);
}

static void step(struct input *in)
{
	unsigned what = in_u8(in), op = in_u8(in), i = what & 1;

	switch (what >> 1 & 7) {
	case 0:
	case 1:
	case 2:
	case 3:
		pass(in, i, op);
		break;
	case 4:
	case 5:
		made_up(in, i, op);
		break;
	case 6:
		crypt_would_resume(ends[i].k, ends[i].now);
		crypt_choice(ends[i].k);
		crypt_resumes(ends[i].k);
		break;
	default:
		if (op == 0) {
			bool was = crypt_state(ends[i].k) == CRYPT_AGREED;

			must(crypt_give_up(ends[i].k, CRYPT_OFF_CHOICE) || was);
			watch(i);
		}
		break;
	}
	agreed();
}

/* what both agreed on works, a session secret too */
static void finish(void)
{
	uint8_t ids[2][CRYPT_SESSION_ID];

	if (!saw_each_other() || crypt_state(ends[0].k) != CRYPT_AGREED ||
	    crypt_state(ends[1].k) != CRYPT_AGREED) {
		return;
	}
	for (unsigned i = 0; i < 2; i++) {
		must(crypt_start(ends[i].k, ends[i].now, NULL, 0) == CRYPT_OK);
	}
	must(crypt_state(ends[0].k) == crypt_state(ends[1].k));
	if (crypt_state(ends[0].k) == CRYPT_KEYED) {
		must(fend_info(&ends[0]).resumed &&
		     fend_info(&ends[1]).resumed);
		must(crypt_session_id(ends[0].k, ids[0]) &&
		     crypt_session_id(ends[1].k, ids[1]));
		must(memcmp(ids[0], ids[1], CRYPT_SESSION_ID) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct input in = { data, n };
	unsigned how;

	memset(sides, 0, sizeof(sides));
	how = in_u8(&in);
	for (unsigned i = 0; i < 2; i++) {
		fend_begin(&ends[i], i + 1);
		fend_conf(&ends[i], &in);
	}
	if (how & 2) {
		fend_honest(&ends[0], &ends[1]); /* leaves a secret */
	}
	for (unsigned i = 0; i < 2; i++) {
		/* one opens, or both do */
		fend_open(&ends[i], i == 0 || (how & 1));
		watch(i);
	}
	for (unsigned i = 0; i < 64 && in.n > 0; i++) {
		step(&in);
	}
	finish();
	return 0;
}
