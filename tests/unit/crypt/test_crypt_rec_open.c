/* what opening refuses, and what it ignores */
#include "tests/unit/crypt/rec.h"

/* every bit of the header, the text and the tag */
static void every_bit_counts(void **st)
{
	(void)st;
	for (unsigned t = 0; t < 2 * AEAD_N; t++) {
		struct frame f, g;

		make(&x, true, t / 2, t & 1, mk);
		make(&y, false, t / 2, t & 1, mk);
		f = put(&x, "some text", false);
		for (unsigned bit = 0; bit < 8 * f.n; bit++) {
			enum crypt_reason r;

			g = f;
			g.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
			r = get(&y, &g);
			if (bit >= 8 && bit < 24) {
				is_not(r, CRYPT_BAD_LEN);
			} else if (bit < 8 && t & 1 && (bit == 1 || bit == 2)) {
				/* phase 1 is the next one, 2 none, 3 the last */
				is_not(r, bit == 1 ? CRYPT_BAD_TAG
						   : CRYPT_BAD_PHASE);
			} else {
				is_not(r, CRYPT_BAD_TAG);
			}
		}
		assert_int_equal(y.rx_gen, 0);
		assert_int_equal(y.rx_frames, 0);
		is_ok(get(&y, &f));
		done();
	}
}

/* RFC 8548 4.2, statement 182: reserved bits are ignored, but authentic */
static void reserved_bits_are_ignored(void **st)
{
	struct frame f;
	struct crypt_opened o;
	uint8_t nr[12], pt[6] = "\xfchello", tag[22];
	struct iov in = { pt, 6 };
	struct iov_mut v = { tag, 22 };

	(void)st;
	both(false);
	f.b[0] = 0xfe;
	be16_put(f.b + 1, 22);
	memcpy(nr, x.tx.nr, 12);
	assert_true(aead_seal(x.tx.k, nr, f.b, 3, &in, 1, &v, 1));
	memcpy(f.b + 3, tag, 22);
	f.n = 25;
	is_ok(get_at(&y, &f, 0, &o));
	assert_false(o.fin || o.urgent || o.sig || o.rekey);
	assert_int_equal(o.data_len, 5);
	done();
}

/* URGp without room for its field: authentic, and wrong */
static void an_urgent_frame_has_its_field(void **st)
{
	(void)st;
	for (uint8_t len = 1; len <= 4; len++) {
		struct frame f;
		struct crypt_opened o;
		uint8_t pt[4] = { CRYPT_FRAME_URG, 1, 2, 3 };
		struct iov in = { pt, len };
		struct iov_mut v = { f.b + 3, 50 };

		both(false);
		f.b[0] = 0;
		be16_put(f.b + 1, len + 16u);
		assert_true(aead_seal(x.tx.k, x.tx.nr, f.b, 3, &in, 1, &v, 1));
		f.n = 19u + len;
		is_not(get_at(&y, &f, 0, &o),
		       len < 3 ? CRYPT_BAD_FIELDS : CRYPT_OK);
		assert_true(len < 3 || o.urgent_at == 0x0102);
		assert_int_equal(y.rx_frames, len >= 3);
		done();
	}
}

/* frames at other places, in other order, from the other side */
static void swapped_and_replayed_frames_are_refused(void **st)
{
	struct frame f[4], g;

	(void)st;
	both(false);
	for (unsigned i = 0; i < 4; i++) {
		f[i] = put(&x, "same", false);
	}
	is_ok(get(&y, &f[0]));
	for (unsigned i = 0; i < 4; i++) {
		for (unsigned j = 0; j < 4; j++) {
			struct crypt_opened o;

			if (i != j) {
				is_not(get_at(&y, &f[i], f[j].at, &o),
				       CRYPT_BAD_TAG);
			}
		}
	}
	/* sent back */
	is_not(get(&x, &f[0]), CRYPT_BAD_TAG);
	/* cut, and longer */
	for (size_t n = 0; n < f[1].n; n++) {
		g = f[1];
		g.n = n;
		is_not(get(&y, &g), CRYPT_BAD_LEN);
	}
	g.n = f[1].n + 1;
	is_not(get(&y, &g), CRYPT_BAD_LEN);
	is_ok(get(&y, &f[1]));
	done();
}

static void sig_only_when_both_announced_it(void **st)
{
	(void)st;
	for (unsigned t = 0; t < 4; t++) {
		struct frame f;
		struct crypt_opened o;

		both(true);
		x.sig = t & 1;
		y.sig = t & 2;
		is_not(try_seal(&x, &f, 0, "s",
				(struct crypt_seal){ .sig = true }),
		       x.sig ? CRYPT_OK : CRYPT_REFUSE_SIG);
		if (x.sig) {
			is_not(get_at(&y, &f, 0, &o),
			       y.sig ? CRYPT_OK : CRYPT_BAD_SIG);
			assert_int_equal(y.rx_frames, y.sig);
			assert_int_equal(o.sig, y.sig);
		}
		done();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_bit_counts),
		cmocka_unit_test(reserved_bits_are_ignored),
		cmocka_unit_test(an_urgent_frame_has_its_field),
		cmocka_unit_test(swapped_and_replayed_frames_are_refused),
		cmocka_unit_test(sig_only_when_both_announced_it),
	};

	return cmocka_run_group_tests(tests, start, end);
}
