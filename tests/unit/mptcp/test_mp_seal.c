/* smtcp(7), Frames, Sizes, Sealed once: what is made of the program's octets,
 * opened by a peer that has nothing but the keys
 */
#include "tests/unit/crypt/common.h"

#include "stack/base/wheel.h"
#include "stack/mptcp/mp.h"

#define SEG 1400u
#define BIG (1u << 20)

static struct end a, b;
static struct mp mp;
static struct wheel wheel;
static struct mp_conn *c;
static uint64_t wrote, got, opened_at;
static struct crypt_opened last;
static unsigned frames, rekeys;
static size_t shortest, longest;

static uint8_t octet(uint64_t at)
{
	return (uint8_t)(at * 167 ^ at >> 8);
}

/* a sealed connection without subflows, handshake done, no Init sent yet */
static void open_conn(uint32_t sndbuf)
{
	const struct mp_conf conf = { .sndbuf = sndbuf };

	memset(&mp, 0, sizeof(mp));
	mp.env = &a.fake.env;
	mp.wheel = &wheel;
	wheel_init(&wheel, t0);
	list_init(&mp.conns);
	list_init(&mp.dirty);
	list_init(&mp.dead);
	same_init(&mp.confs, &a.fake.mem, sizeof(conf));
	c = mp_conn_new(&mp, &conf, t0);
	assert_non_null(c);
	c->mode = MP_MODE_MPTCP;
	c->snd.edge = 65535;
	c->crypt.state = MP_CRYPT_SEALED;
	c->crypt.smtcp = true;
	c->crypt.k = a.conn;
	assert_true(mp_seal_new(c));
	mp_seal_start(c);
	wrote = got = opened_at = 0;
	frames = rekeys = 0;
}

static void start(uint32_t sndbuf)
{
	three_way(&a, &b);
	assert_int_equal(crypt_start(a.conn, t0, NULL, 0), CRYPT_OK);
	assert_int_equal(crypt_start(b.conn, t0, NULL, 0), CRYPT_OK);
	open_conn(sndbuf);
}

/* Init both ways */
static void key(void)
{
	uint8_t init[200];
	struct iov v[2];
	size_t used;

	assert_true(mp_seal_init(c));
	assert_int_equal(ring_slice(&c->snd.ring, 0,
				    (uint32_t)c->snd.ring.tail, v),
			 1);
	memcpy(init, v[0].p, v[0].n);
	assert_int_equal(crypt_init_in(b.conn, t0, init, v[0].n, &used),
			 CRYPT_OK);
	assert_int_equal(used, v[0].n);
	assert_int_equal(give_init(&b, &a, 1000), CRYPT_OK);
	opened_at = c->snd.ring.tail;
	c->snd.nxt = c->snd.ring.tail;
}

static void keyed(uint32_t sndbuf)
{
	start(sndbuf);
	key();
	assert_int_equal(mp_seal_fill(c, t0, 20, SEG), 20);
}

static void stop(void)
{
	c->crypt.k = NULL;
	mp_conn_free(c);
	c = NULL;
}

static int setup(void **state)
{
	(void)state;
	end_init(&a, 1);
	end_init(&b, 2);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (c) {
		stop();
	}
	end_fini(&a);
	end_fini(&b);
	return 0;
}

static uint32_t put(uint32_t want)
{
	struct iov_mut v[2];
	unsigned k = mp_seal_space(c, want, v);
	uint32_t n = 0;

	for (unsigned i = 0; i < k; i++) {
		for (size_t j = 0; j < v[i].n; j++, n++) {
			v[i].p[j] = octet(wrote++);
		}
	}
	mp_seal_written(c, n);
	return n;
}

static void put_all(uint32_t n)
{
	assert_int_equal(put(n), n);
}

/* The peer takes what was sealed since, frame by frame; every frame is one
 * that the connection knows of. */
static void peer_takes(void)
{
	static uint8_t buf[MP_SEAL_FRAME_MAX + 100];

	shortest = SIZE_MAX;
	longest = 0;
	while (opened_at < c->snd.ring.tail) {
		uint64_t left = c->snd.ring.tail - opened_at;
		uint32_t n = (uint32_t)min_u64(left, sizeof(buf));
		struct iov v[2];
		unsigned k = ring_slice(&c->snd.ring, opened_at, n, v);
		struct iov_mut whole = { buf, 0 };
		size_t at = 0;

		for (unsigned i = 0; i < k; i++) {
			memcpy(buf + at, v[i].p, v[i].n);
			at += v[i].n;
		}
		whole.n = crypt_frame_len(buf);
		assert_true(whole.n && whole.n <= at);
		assert_int_equal(mp_frames_floor(&c->seal->frames, opened_at),
				 opened_at);
		assert_int_equal(
			mp_frames_fit(&c->seal->frames, opened_at, opened_at),
			opened_at + whole.n);
		assert_int_equal(crypt_open(b.conn, t0, opened_at, &whole, 1,
					    whole.n, &last),
				 CRYPT_OK);
		for (size_t i = 0; i < last.data_len; i++) {
			assert_int_equal(buf[last.data_at + i], octet(got++));
		}
		shortest = min_size(shortest, whole.n);
		longest = whole.n > longest ? whole.n : longest;
		opened_at += whole.n;
		frames++;
		rekeys += last.rekey;
	}
}

/* ... and acknowledges it */
static void peer_acks(uint64_t upto)
{
	c->snd.una = upto;
	c->snd.nxt = max_u64(c->snd.nxt, upto);
	mp_frames_drop(&c->seal->frames, upto);
	ring_drop(&c->snd.ring, upto);
	crypt_acked(a.conn, upto);
}

/* --- Init and the first frame --------------------------------------------- */

static void init_is_the_beginning(void **state)
{
	const uint8_t *p;
	size_t n, none;
	uint8_t copy[200];
	struct iov v[2];

	(void)state;
	start(BIG);
	p = crypt_init_out(a.conn, &n);
	memcpy(copy, p, n);
	assert_false(mp_seal_ready(c));
	assert_true(mp_seal_unfinished(c));
	a.fake.fail_at = 1;
	assert_false(mp_seal_init(c));
	assert_int_equal(c->snd.ring.tail, 0);
	a.fake.fail_at = 2;
	assert_false(mp_seal_init(c));
	assert_int_equal(c->snd.ring.tail, 0);
	a.fake.fail_at = 0;
	assert_true(mp_seal_init(c));
	assert_int_equal(c->snd.ring.tail, n);
	assert_int_equal(c->seal->init_end, n);
	assert_int_equal(c->seal->frames.n, 1);
	assert_int_equal(ring_slice(&c->snd.ring, 0, (uint32_t)n, v), 1);
	assert_memory_equal(v[0].p, copy, n);
	assert_true(mp_seal_init(c)); /* once */
	assert_int_equal(c->snd.ring.tail, n);
	assert_null(crypt_init_out(a.conn, &none));
	assert_int_equal(mp_seal_pending(c), 0);
}

/* nothing but Init leaves before there are keys, whatever waits */
static void nothing_before_keys(void **state)
{
	(void)state;
	start(BIG);
	put_all(5000);
	c->snd.shut = true;
	assert_false(mp_seal_ready(c));
	assert_int_equal(mp_seal_waiting(c, SEG), 0);
	assert_int_equal(mp_seal_fill(c, t0, 5000, SEG), 0);
	assert_true(mp_seal_init(c));
	assert_false(mp_seal_ready(c));
	assert_true(mp_seal_unfinished(c));
	assert_int_equal(mp_seal_fill(c, t0, 5000, SEG), 0);
	assert_int_equal(mp_seal_pending(c), 5000);
	key();
	assert_true(mp_seal_ready(c));
	assert_int_equal(mp_seal_fill(c, t0, 6000, 6000), 5020);
	peer_takes();
	assert_int_equal(got, 5000);
	assert_true(last.fin);
}

/* smtcp(7), Key confirmation: at once, empty if need be, and once */
static void first_frame_at_once(void **state)
{
	(void)state;
	start(BIG);
	key();
	assert_true(mp_seal_due(c));
	assert_true(mp_seal_unfinished(c));
	assert_int_equal(mp_seal_waiting(c, SEG), 20);
	assert_int_equal(mp_seal_fill(c, t0, 19, SEG), 0);
	assert_int_equal(mp_seal_fill(c, t0, 20, SEG), 20);
	peer_takes();
	assert_int_equal(last.data_len, 0);
	assert_false(mp_seal_due(c));
	assert_false(mp_seal_unfinished(c));
	assert_int_equal(mp_seal_fill(c, t0, 1000, SEG), 0);
	stop();
	/* data serves, too */
	start(BIG);
	key();
	put_all(10);
	assert_int_equal(mp_seal_waiting(c, SEG), 30);
	assert_int_equal(mp_seal_fill(c, t0, 30, SEG), 30);
	peer_takes();
	assert_int_equal(got, 10);
	assert_false(mp_seal_due(c));
	stop();
	/* RFC 8548 asks for no such thing */
	start(BIG);
	c->crypt.smtcp = false;
	key();
	assert_false(mp_seal_due(c));
	assert_int_equal(mp_seal_waiting(c, SEG), 0);
}

/* written before the decision: sealed like all the rest */
static void early_octets_are_sealed(void **state)
{
	struct iov_mut v[2];

	(void)state;
	start(BIG);
	/* as it was before mp_seal_start() */
	ring_fini(&c->seal->stage);
	assert_int_equal(ring_space(&c->snd.ring, 5, v), 1);
	memcpy(v[0].p, "early", 5);
	mp_seal_start(c);
	mp_seal_written(c, 5); /* into the very place that was handed out */
	assert_int_equal(ring_len(&c->snd.ring), 0);
	assert_int_equal(ring_len(&c->seal->stage), 5);
	assert_int_equal(mp_seal_pending(c), 5);
}

/* --- sizes ------------------------------------------------------------------- */

static uint32_t most_of_frame(uint32_t seg)
{
	return min_u32(max_u32(max_u32(c->seal->quarter, seg), 64), 16384);
}

/* any writes, any room, any acknowledgements */
static void random_walk(uint32_t sndbuf, uint32_t seg, uint32_t wnd)
{
	struct rng *r = &b.fake.rng;
	unsigned n_before, n;

	keyed(sndbuf);
	c->seal->quarter = wnd / 4;
	peer_takes();
	for (unsigned i = 0; i < 3000; i++) {
		uint32_t most = (uint32_t)rng_below(r, i % 7 ? 2 * seg : 70000);
		uint64_t tail = c->snd.ring.tail, waits;
		uint32_t made;

		put((uint32_t)rng_below(r, i % 5 ? seg : sndbuf));
		/* but for what sealing adds */
		assert_true(ring_len(&c->seal->stage) <= sndbuf);
		waits = mp_seal_waiting(c, seg);
		n_before = c->seal->frames.n;
		made = mp_seal_fill(c, t0, most, seg);
		n = c->seal->frames.n - n_before;
		assert_int_equal(c->snd.ring.tail, tail + made);
		assert_true(made <= most);
		assert_true(ring_len(&c->snd.ring) <= sndbuf);
		assert_int_equal(made == 0, n == 0);
		if (made && made < waits) {
			/* all of the room, or what was left of the ring */
			assert_true(made == most ||
				    ring_free(&c->snd.ring) == 0);
			assert_true(made >= MP_SEAL_ROOM_MIN);
		} else if (made) {
			assert_int_equal(made, waits);
			assert_int_equal(ring_len(&c->seal->stage), 0);
		}
		peer_takes();
		if (made) {
			assert_true(longest <= most_of_frame(seg));
			assert_true(longest - shortest <= 1);
			/* as few as can be */
			assert_true(made > (n - 1) * (most_of_frame(seg) - 20));
		}
		assert_int_equal(mp_seal_pending(c),
				 ring_len(&c->seal->stage) +
					 c->seal->frames.data);
		if (rng_below(r, 3) == 0) {
			uint64_t una = c->snd.una;

			una += rng_below(r, c->snd.ring.tail - una + 1);
			una = mp_frames_floor(&c->seal->frames, una);
			peer_acks(una);
		}
	}
	peer_acks(c->snd.ring.tail);
	assert_int_equal(mp_seal_pending(c), ring_len(&c->seal->stage));
	while (mp_seal_fill(c, t0, 60000, seg)) {
		peer_takes();
		peer_acks(c->snd.ring.tail);
	}
	assert_int_equal(got, wrote);
	assert_int_equal(mp_seal_pending(c), 0);
	stop();
}

static void random_walks(void **state)
{
	(void)state;
	random_walk(4096, 1400, 65535);
	random_walk(5000, 536, 65535);
	random_walk(65536, 1400, 1 << 20);
	random_walk(40000, 1400, 8000);
	random_walk(100000, 9000, 4000);
	random_walk(30000, 60, 100);
}

/* smtcp(7), Sizes: 16,384 octets, or a quarter of the largest window, or a
 * segment */
static void frames_are_bounded(void **state)
{
	(void)state;
	keyed(BIG);
	peer_takes();
	mp_seal_window(c, 1 << 20);
	put_all(200000);
	assert_int_equal(mp_seal_fill(c, t0, 62720, SEG), 62720);
	peer_takes();
	assert_int_equal(frames, 1 + 4);
	assert_true(longest <= 16384);
	stop();
	keyed(BIG);
	peer_takes();
	c->seal->quarter = 0;
	mp_seal_window(c, 12000);
	mp_seal_window(c, 500); /* the largest counts */
	put_all(200000);
	assert_int_equal(mp_seal_fill(c, t0, 12000, SEG), 12000);
	peer_takes();
	assert_int_equal(longest, 3000);
	c->seal->quarter = 100;
	assert_int_equal(mp_seal_fill(c, t0, 14000, SEG), 14000);
	peer_takes();
	assert_int_equal(longest, SEG);
}

/* the quarter counts from the window of the handshake on */
static void first_window(void **state)
{
	(void)state;
	start(BIG);
	assert_int_equal(c->seal->quarter, 16383);
}

/* bulk: at most 0.3 % more */
static void overhead_of_bulk(void **state)
{
	uint64_t before;

	(void)state;
	keyed(BIG);
	before = c->snd.ring.tail;
	mp_seal_window(c, 1 << 20);
	for (unsigned i = 0; i < 100; i++) {
		put(1 << 20);
		assert_int_equal(mp_seal_fill(c, t0, 62720, SEG), 62720);
		peer_takes();
		peer_acks(c->snd.ring.tail);
	}
	assert_true((c->snd.ring.tail - before - got) * 1000 < got * 3);
}

/* a send buffer that shrinks, or grows */
static void send_buffer_changes(void **state)
{
	struct mp_conf conf;

	(void)state;
	keyed(8192);
	conf = *c->conf;
	assert_true(mp_seal_room(c) > 7900 && mp_seal_room(c) < 8192);
	put_all(7000);
	c->snd.size = 4096;
	assert_int_equal(mp_seal_room(c), 0);
	assert_int_equal(put(100), 0);
	conf.sndbuf = 100000;
	assert_true(mp_set_conf(c, t0, &conf));
	c->snd.size = 100000;
	c->snd.ring.max = 100000;
	put_all(90000);
	while (mp_seal_fill(c, t0, 20000, SEG)) {
		peer_takes();
		peer_acks(c->snd.ring.tail);
	}
	assert_int_equal(got, 97000);
}

/* --- the end ----------------------------------------------------------------- */

static void fin_is_on_the_last_frame(void **state)
{
	(void)state;
	keyed(BIG);
	put_all(3000);
	assert_int_equal(mp_seal_fill(c, t0, 1400, SEG), 1400);
	c->snd.shut = true;
	assert_true(mp_seal_due(c));
	assert_int_equal(mp_seal_fill(c, t0, 1400, SEG), 1400);
	peer_takes();
	assert_false(last.fin);
	assert_false(c->seal->fin);
	assert_true(mp_seal_unfinished(c));
	assert_int_equal(mp_seal_fill(c, t0, 1400, SEG), 3000 - 2760 + 20);
	peer_takes();
	assert_true(last.fin && c->seal->fin);
	assert_false(mp_seal_unfinished(c));
	assert_false(mp_seal_due(c));
	assert_int_equal(got, 3000);
	/* what the program still had in hand is no part of the stream */
	mp_seal_written(c, 10);
	assert_int_equal(mp_seal_fill(c, t0, 1400, SEG), 0);
	assert_int_equal(crypt_end_in(b.conn, c->snd.ring.tail), CRYPT_OK);
	stop();
	/* alone */
	keyed(BIG);
	put_all(100);
	assert_int_equal(mp_seal_fill(c, t0, 1400, SEG), 120);
	c->snd.shut = true;
	assert_int_equal(mp_seal_waiting(c, SEG), 20);
	assert_int_equal(mp_seal_fill(c, t0, 1400, SEG), 20);
	peer_takes();
	assert_true(last.fin);
	assert_int_equal(last.data_len, 0);
}

/* --- urgent ------------------------------------------------------------------ */

static void urgent_is_named(void **state)
{
	(void)state;
	keyed(BIG);
	peer_takes();
	put_all(6);
	mp_seal_urgent(c);
	put_all(4); /* behind it */
	assert_int_equal(mp_seal_waiting(c, SEG), 10 + 22);
	assert_int_equal(mp_seal_fill(c, t0, 31, SEG), 0);
	assert_int_equal(mp_seal_fill(c, t0, 32, SEG), 32);
	peer_takes();
	assert_true(last.urgent);
	assert_int_equal(last.urgent_at, 5);
	assert_int_equal(last.data_len, 10);
	assert_false(c->seal->urgent);
	put_all(10);
	assert_int_equal(mp_seal_fill(c, t0, 100, SEG), 30);
	peer_takes();
	assert_false(last.urgent);
	/* what is sealed is sealed */
	mp_seal_urgent(c);
	assert_int_equal(mp_seal_waiting(c, SEG), 0);
	assert_int_equal(got, 20);
}

/* frames before the one with the octet say it, too, as far as 16 bits reach */
static void urgent_from_afar(void **state)
{
	uint64_t at;
	unsigned before = 0, named = 0, behind = 0;

	(void)state;
	keyed(BIG);
	peer_takes();
	put_all(100000);
	mp_seal_urgent(c);
	at = wrote - 1;
	put_all(100000);
	while (mp_seal_waiting(c, SEG)) {
		uint64_t first = got;

		assert_int_equal(mp_seal_fill(c, t0, 1022, 1022) <= 1022, 1);
		peer_takes();
		if (last.urgent) {
			assert_int_equal(first + last.urgent_at, at);
			named++;
		} else if (first < at) {
			assert_true(at - first > UINT16_MAX);
			before++;
		} else {
			behind++;
		}
	}
	assert_int_equal(named, 65);
	assert_int_equal(before, 35);
	assert_true(behind > 90);
	assert_int_equal(got, 200000);
}

/* frames at their longest do not become longer by it */
static void urgent_fits(void **state)
{
	(void)state;
	keyed(BIG);
	peer_takes();
	mp_seal_window(c, 1 << 20);
	put_all(100000);
	mp_seal_urgent(c);
	while (mp_seal_fill(c, t0, 62720, SEG)) {
		peer_takes();
		assert_true(longest <= 16384);
	}
	assert_int_equal(got, 100000);
}

/* --- rekeying ---------------------------------------------------------------- */

static void rekey_by_count(void **state)
{
	(void)state;
	a.conf.rekey_frames = 3;
	keyed(BIG);
	peer_takes();
	for (unsigned i = 0; i < 40; i++) {
		char text[8];
		uint64_t at = b.offset;
		uint8_t frame[64];
		size_t n;

		put_all(500);
		assert_int_equal(mp_seal_fill(c, t0, 1400, SEG), 520);
		peer_takes();
		peer_acks(c->snd.ring.tail);
		/* the peer answers, or says anything */
		n = seal(&b, "x", false, frame, sizeof(frame));
		assert_int_equal(open_at(&a, at, frame, n, text), CRYPT_OK);
		crypt_acked(b.conn, b.offset);
		crypt_received(b.conn, opened_at);
		crypt_received(a.conn, b.offset);
	}
	assert_true(rekeys >= 10);
	assert_int_equal(got, 20000);
}

/* a rekeying is shown, and answered, though there is nothing to say */
static void rekey_is_due(void **state)
{
	uint8_t frame[64];
	uint64_t at;
	size_t n;

	(void)state;
	keyed(BIG);
	peer_takes();
	peer_acks(c->snd.ring.tail);
	/* b's first frame, then one with the next key */
	at = b.offset;
	n = seal(&b, "", false, frame, sizeof(frame));
	assert_int_equal(open_at(&a, at, frame, n, NULL), CRYPT_OK);
	crypt_acked(b.conn, b.offset);
	crypt_received(b.conn, opened_at);
	assert_true(crypt_rekey(b.conn, t0));
	at = b.offset;
	n = seal(&b, "", false, frame, sizeof(frame));
	assert_int_equal(open_at(&a, at, frame, n, NULL), CRYPT_OK);
	assert_true(mp_seal_due(c));
	assert_true(mp_seal_unfinished(c));
	assert_int_equal(mp_seal_waiting(c, SEG), 20);
	assert_int_equal(mp_seal_fill(c, t0, 1400, SEG), 20);
	peer_takes();
	assert_true(last.rekey);
	assert_false(mp_seal_due(c));
	assert_false(mp_seal_unfinished(c));
	assert_int_equal(mp_seal_fill(c, t0, 1400, SEG), 0);
}

/* ... in whatever the window takes, and before anything else */
static void rekey_answer_in_little_room(void **state)
{
	uint8_t frame[64];
	uint64_t at;
	size_t n;

	(void)state;
	keyed(BIG);
	peer_takes();
	put_all(5000);
	assert_int_equal(mp_seal_need(c), MP_SEAL_ROOM_MIN);
	assert_int_equal(mp_seal_fill(c, t0, 63, SEG), 0);
	at = b.offset;
	n = seal(&b, "", false, frame, sizeof(frame));
	assert_int_equal(open_at(&a, at, frame, n, NULL), CRYPT_OK);
	crypt_acked(b.conn, b.offset);
	crypt_received(b.conn, opened_at);
	assert_true(crypt_rekey(b.conn, t0));
	at = b.offset;
	n = seal(&b, "", false, frame, sizeof(frame));
	assert_int_equal(open_at(&a, at, frame, n, NULL), CRYPT_OK);
	assert_int_equal(mp_seal_need(c), 20);
	assert_int_equal(mp_seal_fill(c, t0, 19, SEG), 0);
	assert_int_equal(mp_seal_fill(c, t0, 20, SEG), 20);
	peer_takes();
	assert_true(last.rekey);
	assert_int_equal(mp_seal_fill(c, t0, 63, SEG), 0);
}

/* --- memory ------------------------------------------------------------------- */

static void no_memory(void **state)
{
	(void)state;
	keyed(BIG);
	peer_takes();
	put_all(100000);
	for (unsigned i = 0; i < 400; i++) {
		/* none at all, then some */
		a.fake.fail_at = i < 200 ? 1 : 1 + rng_below(&b.fake.rng, 4);
		c->snd.refused = false;
		mp_seal_fill(c, t0, 20000, SEG);
		peer_takes();
		if (i % 7 == 0) {
			peer_acks(c->snd.ring.tail);
		} else if (i < 200 && i % 7 == 6) {
			assert_true(c->snd.refused);
			assert_true(ring_len(&c->seal->stage) > 0);
		}
		put(1000);
	}
	a.fake.fail_at = 0;
	assert_true(got > 200000);
	while (mp_seal_fill(c, t0, 20000, SEG)) {
		peer_takes();
		peer_acks(c->snd.ring.tail);
	}
	assert_int_equal(got, wrote);
	assert_true(mp.counter[MP_NOMEM] > 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(init_is_the_beginning), TEST(nothing_before_keys),
		TEST(first_frame_at_once),   TEST(early_octets_are_sealed),
		TEST(random_walks),	     TEST(frames_are_bounded),
		TEST(first_window),	     TEST(overhead_of_bulk),
		TEST(send_buffer_changes),   TEST(fin_is_on_the_last_frame),
		TEST(urgent_is_named),	     TEST(urgent_from_afar),
		TEST(urgent_fits),	     TEST(rekey_by_count),
		TEST(rekey_is_due),	     TEST(rekey_answer_in_little_room),
		TEST(no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
