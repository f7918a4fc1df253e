/* Init1 and Init2 in any segmentation, altered or made up (RFC 8548 4.1).
 *
 * Both sides have the same session id if and only if each got what the other
 * sent.  A key exchange that failed is dead, and says why. */
#include "stack/wire/crypt_msg.h"
#include "tests/fuzz/fuzz.h"

static struct fend a, b;

static void parse(const uint8_t *p, size_t n)
{
	static const unsigned pub[] = { 32, 56, 35, 69 };
	struct crypt_init1 m1;
	struct crypt_init2 m2;

	for (unsigned i = 0; i < 4; i++) {
		if (crypt_msg_init1_parse(p, n, pub[i], &m1)) {
			must(m1.cipher >= p && m1.nonce >= p && m1.pub >= p);
			must(m1.pub + pub[i] + m1.ignored == p + n);
			must(m1.cipher + 2 * m1.n_cipher == m1.nonce);
		}
		if (crypt_msg_init2_parse(p, n, pub[i], &m2)) {
			must(m2.pub + pub[i] + m2.ignored == p + n);
		}
	}
}

/* Octets come, cut as the input says; true: something was wrong. */
static bool feed(struct input *in, struct fend *e, const uint8_t *p, size_t n)
{
	bool dead = false;
	size_t at = 0;

	while (at < n) {
		size_t part = in->n ? in_u8(in) + 1u : n, used;
		uint8_t *copy;
		enum crypt_reason r;
		enum crypt_state was = crypt_state(e->k);

		part = min_size(part, n - at);
		copy = dup_bytes(p + at, part);
		r = crypt_init_in(e->k, e->now, copy, part, &used);
		free(copy);
		must(used <= part);
		must(was != CRYPT_DEAD || (r != CRYPT_OK && used == 0));
		must(was != CRYPT_KEYED || (r == CRYPT_OK && used == 0));
		if (r != CRYPT_OK) {
			must(crypt_state(e->k) == CRYPT_DEAD);
			must(was == CRYPT_DEAD || crypt_why(e->k) == r);
			dead = true;
		} else if (crypt_state(e->k) == CRYPT_INIT) {
			must(used == part);
		}
		at += part;
	}
	return dead;
}

/* What arrives of a genuine message.  *n: its length then */
static void alter(struct input *in, uint8_t *buf, size_t *n)
{
	unsigned how = in_u8(in);
	size_t at = in_below(in, *n);

	switch (how % 8) {
	case 1:
		if (*n > 0) {
			buf[at] ^= (uint8_t)in_u8(in);
		}
		break;
	case 2: /* cut */
		*n = at;
		break;
	case 3: /* longer, with octets that are ignored but counted */
		for (unsigned i = 0; i < 5 && *n < 600; i++) {
			buf[(*n)++] = (uint8_t)in_u8(in);
		}
		if (*n >= CRYPT_INIT_HDR) {
			be32_put(buf + 4, (uint32_t)*n);
		}
		break;
	case 4: /* something else altogether */
		while (at < *n && in->n > 0) {
			buf[at++] = (uint8_t)in_u8(in);
		}
		break;
	default:
		break;
	}
}

/* true: it arrived as it was sent */
static bool carry(struct input *in, struct fend *from, struct fend *to)
{
	uint8_t buf[700];
	size_t n, was;
	const uint8_t *p = crypt_init_out(from->k, &n);
	bool same;

	was = n;
	must(n <= 600 && (p != NULL) == (n > 0));
	if (p) {
		memcpy(buf, p, n);
	}
	alter(in, buf, &n);
	same = p && n == was && memcmp(p, buf, n) == 0;
	parse(buf, n);
	feed(in, to, buf, n);
	crypt_init_sent(from->k);
	return same;
}

static void finish(bool same)
{
	uint8_t ids[2][CRYPT_SESSION_ID];
	bool x = crypt_session_id(a.k, ids[0]),
	     y = crypt_session_id(b.k, ids[1]);
	uint64_t at = crypt_init_len(a.k, false);

	must(x == (crypt_state(a.k) == CRYPT_KEYED));
	must(y == (crypt_state(b.k) == CRYPT_KEYED));
	if (same) {
		bool no_cipher = crypt_why(b.k) == CRYPT_NO_CIPHER;

		must((x && y) || no_cipher);
	}
	if (x && y) {
		must((memcmp(ids[0], ids[1], CRYPT_SESSION_ID) == 0) == same);
	}
	if (x && y && same) {
		must(at == crypt_init_len(b.k, true));
		must(fend_frame(&a, &b, &at));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct input in = { data, n };
	uint8_t mpc[2] = { 0 };
	unsigned how = in_u8(&in);
	bool same;

	fend_begin(&a, 1);
	fend_begin(&b, 2);
	fend_conf(&a, &in);
	fend_conf(&b, &in);
	/* that they agree is not what is looked at here */
	a.conf.on = b.conf.on = true;
	a.conf.plain = b.conf.plain = true;
	a.conf.b = a.conf.aware_only = b.conf.aware_only = false;
	a.conf.vacuous = b.conf.vacuous = false;
	b.conf.kx[0] = a.conf.kx[0];
	fend_open(&a, true);
	fend_open(&b, false);
	fend_pass(&a, &b, CRYPT_SEG_SYN);
	fend_pass(&b, &a, CRYPT_SEG_SYNACK);
	fend_pass(&a, &b, CRYPT_SEG_ACK);
	if (crypt_state(a.k) != CRYPT_AGREED ||
	    crypt_state(b.k) != CRYPT_AGREED) {
		return 0;
	}
	a.fake.fail_at = how & 0x80 ? how & 7 : 0;
	mpc[0] = how & 1;
	same = crypt_start(a.k, a.now, mpc, how & 1) == CRYPT_OK;
	same &= crypt_start(b.k, b.now, mpc, how & 1) == CRYPT_OK;
	if (!same) {
		must(crypt_why(a.k) == CRYPT_NOMEM);
		return 0;
	}
	same = carry(&in, &a, &b);
	if (how & 2 && crypt_state(a.k) == CRYPT_INIT) {
		crypt_mpc_doubtful(a.k); /* then no frame has decided yet */
		carry(&in, &b, &a);
		must(!crypt_confused(a.k) || crypt_state(a.k) == CRYPT_KEYED);
		return 0;
	}
	same &= carry(&in, &b, &a);
	if (a.fake.fail_at || crypt_why(a.k) == CRYPT_NOMEM) {
		return 0;
	}
	finish(same);
	return 0;
}
