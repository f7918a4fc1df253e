#include "tests/unit/crypt/common.h"

#include "stack/crypt/crypt_set.h"
#include "tests/vectors/vec.h"

static struct fake f;
static struct hash *h;
static struct aead *aead;
static struct crypt_conf conf;
static struct crypt_set one, two;

static int start(void **st)
{
	(void)st;
	fake_init(&f, 1);
	crypt_conf_init(&conf);
	h = hash_new();
	aead = aead_new();
	return h && aead ? 0 : -1;
}

static int end(void **st)
{
	(void)st;
	crypt_set_fini(&one);
	crypt_set_fini(&two);
	aead_free(aead);
	hash_free(h);
	fake_fini(&f);
	return 0;
}

static struct crypt_ticket ticket;

/* host A of a session with this ss[0], or host B */
static void make(struct crypt_set *s, const uint8_t *ss, bool ab, bool next)
{
	const struct crypt_rec rec = { .hash = h,
				       .aead = aead,
				       .conf = &conf,
				       .alg = AEAD_AES128_GCM,
				       .phases = true,
				       .sig = true,
				       .ab = ab,
				       .tx_next = ab ? 79 : 74 };
	const struct crypt_set_spec spec = { .rec = &rec,
					     .next = next ? &ticket : NULL,
					     .smtcp = true,
					     .tep_byte = 0xa0,
					     .ss = ss };

	ticket = (struct crypt_ticket){ .tep = 0x20, .kx = 0x23, .aead = 1 };
	assert_true(crypt_set_make(s, t0, &spec));
}

static void is(const void *got, const char *name)
{
	uint8_t want[256];

	assert_memory_equal(got, want, vec("smtcp", "smtcp", name, want));
}

static void is_the_models(void **st)
{
	uint8_t ss[64];

	(void)st;
	vec("smtcp", "smtcp", "ss0", ss);
	make(&one, ss, true, true);
	is(one.session_id, "session_id");
	is(one.sk.sk_a, "SK_A");
	is(one.sk.fc_b, "FC_B");
	assert_ptr_equal(one.next, &ticket);
	is(ticket.ss, "ss1");
	is(ticket.id, "resume");
	assert_int_equal(ticket.kx, 0x23);
	crypt_set_no_next(&one);
	assert_null(one.next);
	assert_int_equal(ticket.ss[0] | ticket.ss[31] | ticket.kx, 0);
	crypt_set_fini(&one);
	make(&one, ss, true, false);
	assert_null(one.next);
	assert_int_equal(ticket.ss[0] | ticket.ss[31], 0);
	crypt_set_fini(&one);
	make(&one, ss, true, true);
	crypt_set_fini(&one); /* wipes it, too */
	assert_int_equal(ticket.ss[0] | ticket.ss[31] | ticket.kx, 0);
}

static size_t seal_in(struct crypt_set *s, uint64_t offset, uint8_t *out,
		      size_t room)
{
	static const uint8_t text[] = "which of them?";
	const struct iov in = { text, sizeof(text) };
	const struct crypt_seal how = {
		.now = t0, .offset = offset, .in = &in, .n_in = 1
	};
	const struct iov_mut v = { out, room };
	size_t len;

	assert_int_equal(crypt_rec_seal(&s->rec, &how, &v, 1, &len), CRYPT_OK);
	return len;
}

/* the frame is in pieces, and is whole again for the second try */
static void the_frame_chooses(void **st)
{
	uint8_t x[32], y[32], frame[100], part[3][40];
	struct crypt_set b;
	struct crypt_opened o;

	(void)st;
	memset(x, 1, sizeof(x));
	memset(y, 2, sizeof(y));
	for (unsigned t = 0; t < 3; t++) {
		size_t n;
		struct iov_mut v[3];

		make(&one, x, true, true);
		make(&two, y, true, true);
		make(&b, t == 0 ? x : y, false, false);
		n = seal_in(&b, 74, frame, sizeof(frame));
		frame[n - 1] ^= t == 2;
		assert_in_range(n, 30, 40);
		for (unsigned i = 0; i < 3; i++) {
			/* 2 octets, 20, the rest and more room than that */
			v[i] = (struct iov_mut){ part[i], i == 0   ? 2
							  : i == 1 ? 20
								   : 40 };
		}
		memcpy(part[0], frame, 2);
		memcpy(part[1], frame + 2, 20);
		memcpy(part[2], frame + 22, n - 22);
		assert_int_equal(crypt_set_choose(&one, &two, &f.mem, 74, v, 3,
						  n, &o),
				 t == 2 ? CRYPT_BAD_TAG : CRYPT_OK);
		if (t < 2) {
			assert_int_equal(o.data_len, 15);
			assert_memory_equal(part[1] + 2, "which of them?", 15);
			assert_memory_equal(one.session_id, b.session_id, 33);
			assert_memory_not_equal(two.session_id, b.session_id,
						33);
		}
		crypt_set_fini(&b);
		crypt_set_fini(&one);
		crypt_set_fini(&two);
	}
}

static void refuses_what_is_no_frame(void **st)
{
	uint8_t ss[32] = { 1 }, frame[64] = { 0x00, 0, 17 };
	const struct iov_mut v = { frame, 20 };
	struct crypt_opened o;

	(void)st;
	make(&one, ss, true, false);
	make(&two, ss, true, false);
	assert_int_equal(crypt_set_choose(&one, &two, &f.mem, 74, &v, 1, 70000,
					  &o),
			 CRYPT_BAD_LEN);
	assert_int_equal(crypt_set_choose(&one, &two, &f.mem, 74, &v, 1, 19,
					  &o),
			 CRYPT_BAD_LEN);
	frame[0] = 0x04; /* generation 2 */
	assert_int_equal(crypt_set_choose(&one, &two, &f.mem, 74, &v, 1, 20,
					  &o),
			 CRYPT_BAD_PHASE);
	frame[0] = 0;
	f.fail_at = 1;
	assert_int_equal(crypt_set_choose(&one, &two, &f.mem, 74, &v, 1, 20,
					  &o),
			 CRYPT_NOMEM);
	assert_int_equal(crypt_set_choose(&one, &two, &f.mem, 74, &v, 1, 20,
					  &o),
			 CRYPT_BAD_TAG);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, start, end)
	const struct CMUnitTest tests[] = {
		T(is_the_models),
		T(the_frame_chooses),
		T(refuses_what_is_no_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
