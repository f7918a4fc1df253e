/* the owner's side of the octets: pieces of the ring, pieces of packets */
#include "tests/unit/mptcp/tapped.h"

#include "stack/mptcp/mp.h"
#include "stack/wire/tcp_hdr.h"

static struct mp_conn *conn(unsigned end)
{
	return P.end[end].app.c;
}

/* both applications keep their hands off */
static void start(uint64_t seed, bool plain, uint32_t sndbuf, uint32_t rcvbuf)
{
	mpair_defaults(&P, seed);
	P.end[0].n_paths = 1;
	P.end[0].conf.sndbuf = sndbuf;
	P.end[0].conf.sndbuf_fixed = true;
	P.end[1].conf.rcvbuf = rcvbuf;
	if (plain) {
		P.end[1].cfg.policy = MP_OFF;
	}
	up(false);
	transfer(1, 1, NANOS_S);
	mpair_sleep(&P, NANOS_S);
	P.end[0].app.hold = P.end[1].app.hold = true;
}

static uint8_t octet(uint64_t at)
{
	return (uint8_t)(at * 7 + (at >> 9));
}

static uint32_t space(uint32_t want, struct iov_mut v[2])
{
	unsigned n = mp_write_vec(conn(0), want, v);
	uint32_t all = 0;

	for (unsigned i = 0; i < n; i++) {
		assert_true(v[i].n > 0);
		all += (uint32_t)v[i].n;
	}
	return all;
}

static void fill(struct iov_mut v[2], uint64_t at, uint32_t n)
{
	for (unsigned i = 0; n; i++) {
		for (size_t k = 0; k < v[i].n && n; k++, n--) {
			v[i].p[k] = octet(at++);
		}
	}
}

static void commit(uint32_t n)
{
	mp_write_done(conn(0), P.now, n);
	mpair_sleep(&P, 0);
}

/* reads n octets at the server in pieces of at most step */
static void expect(uint64_t at, uint64_t n, uint64_t step)
{
	struct iov v[4];

	while (n) {
		unsigned k = mp_read_vec(conn(1), v, 4);
		uint64_t got = 0;

		assert_in_range(k, 1, 4);
		for (unsigned i = 0; i < k; i++) {
			for (size_t j = 0; j < v[i].n && got < step && got < n;
			     j++) {
				assert_int_equal(v[i].p[j], octet(at++));
				got++;
			}
		}
		mp_read_done(conn(1), P.now, got);
		n -= got;
	}
}

/* ... as they come */
static void drain(uint64_t at, uint64_t upto)
{
	for (unsigned i = 0; i < 100 && at < upto; i++) {
		uint64_t n = min_u64(mp_read_len(conn(1)), upto - at);

		expect(at, n, n);
		at += n;
		mpair_sleep(&P, 100 * NANOS_MS);
	}
	assert_int_equal(at, upto);
	assert_int_equal(mp_read_len(conn(1)), 0);
}

static void end(void)
{
	mp_discard(conn(0), P.now);
	mp_discard(conn(1), P.now);
	finish();
}

/* fewer octets than asked for, or none; the next piece follows on */
static void parts(void **state)
{
	struct iov_mut v[2], w[2];

	(void)state;
	start(1, false, 0, 0);
	assert_true(space(1000, v) >= 1000);
	fill(v, 0, 300);
	commit(300);
	assert_true(space(1000, w) >= 1000);
	assert_ptr_equal(w[0].p, v[0].p + 300);
	commit(0);
	assert_true(space(500, v) >= 500);
	assert_ptr_equal(v[0].p, w[0].p);
	fill(v, 300, 500);
	commit(500);
	mpair_sleep(&P, NANOS_S);
	assert_int_equal(mp_read_len(conn(1)), 800);
	expect(0, 800, 1000);
	end();
}

/* the pieces stay while acknowledgements free what is before them */
static void pieces_stay(void **state)
{
	struct iov_mut v[2];
	uint32_t n, first;

	(void)state;
	start(2, false, 16384, 0);
	n = space(10000, v);
	assert_true(n >= 10000);
	fill(v, 0, 10000);
	commit(10000);
	n = space(16384, v);
	first = mp_write_room(conn(0));
	assert_int_equal(n, first);
	mpair_sleep(&P, NANOS_S);
	assert_int_equal(mp_write_pending(conn(0)), 0);
	fill(v, 10000, n);
	commit(n);
	mpair_sleep(&P, NANOS_S);
	expect(0, 10000 + n, 1 << 20);
	end();
}

/* around the end of the ring */
static void two_pieces(void **state)
{
	struct iov_mut v[2];
	bool two = false;
	uint64_t at = 0;

	(void)state;
	start(3, false, 8192, 0);
	for (unsigned i = 0; i < 20; i++) {
		uint32_t n = space(3001, v);

		two = two || n > v[0].n;
		assert_true(n >= 3001);
		fill(v, at, 3001);
		commit(3001);
		mpair_sleep(&P, NANOS_S);
		expect(at, 3001, 1000);
		at += 3001;
	}
	assert_true(two);
	end();
}

static void full(void **state)
{
	struct iov_mut v[2];
	uint32_t n;

	(void)state;
	start(4, false, 8192, 0);
	P.link[0].cut = true;
	assert_int_equal(mp_write_room(conn(0)), 8192);
	n = space(100000, v);
	assert_int_equal(n, 8192);
	fill(v, 0, n);
	commit(n);
	assert_int_equal(mp_write_room(conn(0)), 0);
	assert_int_equal(mp_write_pending(conn(0)), 8192);
	assert_false(conn(0)->snd.want_room);
	assert_int_equal(space(1, v), 0);
	assert_true(conn(0)->snd.want_room);
	P.link[0].cut = false;
	mpair_sleep(&P, 5 * NANOS_S);
	assert_false(conn(0)->snd.want_room); /* told */
	assert_int_equal(mp_write_room(conn(0)), 8192);
	assert_int_equal(mp_write_pending(conn(0)), 0);
	expect(0, 8192, 100);
	end();
}

/* nothing can be written any more, and nobody waits for room */
static void after_shutdown(void **state)
{
	struct iov_mut v[2];

	(void)state;
	start(5, false, 0, 0);
	assert_true(space(10, v) > 0);
	mp_shutdown(conn(0), P.now);
	assert_int_equal(space(10, v), 0);
	assert_int_equal(mp_write_room(conn(0)), 0);
	assert_false(conn(0)->snd.want_room);
	end();

	start(6, false, 0, 0);
	mp_close(conn(1), P.now, true);
	mpair_sleep(&P, NANOS_S);
	assert_int_equal(P.end[0].app.err, ECONNRESET);
	assert_int_equal(space(10, v), 0);
	assert_int_equal(mp_write_room(conn(0)), 0);
	finish();
}

static unsigned urgent, with_data;
static unsigned bare; /* ACKs of the server */
static uint16_t wnd;

static void watch(void *ctx, const struct mpair_pkt *p)
{
	(void)ctx;
	if (p->from == 0) {
		with_data += p->seg.len > 0;
		urgent += p->seg.len && p->seg.flags & TCP_URG;
	} else if (!p->seg.len) {
		bare++;
		wnd = p->seg.wnd;
	}
}

/* RFC 8684 3.3.1: urgent data makes no sense on several subflows; plain TCP
 * marks the segment that ends what was written */
static void urgent_data(void **state)
{
	(void)state;
	for (int plain = 0; plain < 2; plain++) {
		struct iov_mut v[2];

		start(7, plain, 0, 0);
		P.tap = watch;
		urgent = with_data = 0;
		space(5000, v);
		fill(v, 0, 5000);
		mp_write_done(conn(0), P.now, 5000);
		mp_write_urgent(conn(0), P.now);
		mpair_sleep(&P, NANOS_S);
		assert_int_equal(urgent > 0, plain);
		assert_true(with_data >= 4);
		expect(0, 5000, 5000); /* in line */
		urgent = 0;
		space(100, v);
		fill(v, 5000, 100);
		commit(100);
		mpair_sleep(&P, NANOS_S);
		assert_int_equal(urgent, 0);
		expect(5000, 100, 100);
		end();
	}
}

/* --- reading --------------------------------------------------------------- */

static void write_all(uint64_t at, uint32_t n)
{
	struct iov_mut v[2];

	assert_true(space(n, v) >= n);
	fill(v, at, n);
	commit(n);
}

static void pieces_of_packets(void **state)
{
	struct iov v[16];

	(void)state;
	start(8, false, 0, 0);
	write_all(0, 10000);
	mpair_sleep(&P, NANOS_S);
	assert_int_equal(mp_read_len(conn(1)), 10000);
	assert_int_equal(mp_read_vec(conn(1), v, 0), 0);
	assert_int_equal(mp_read_vec(conn(1), v, 3), 3);
	assert_in_range(mp_read_vec(conn(1), v, 16), 7, 9);
	/* into the middle of the second */
	expect(0, v[0].n + 5, v[0].n + 5);
	assert_int_equal(mp_read_len(conn(1)), 10000 - v[0].n - 5);
	mp_read_done(conn(1), P.now, 0);
	expect(v[0].n + 5, 10, 1);
	/* more than there is: all of it */
	mp_read_done(conn(1), P.now, UINT64_MAX);
	assert_int_equal(mp_read_len(conn(1)), 0);
	assert_int_equal(mp_read_vec(conn(1), v, 16), 0);
	assert_false(mp_read_eof(conn(1)));
	end();
}

static void end_of_stream(void **state)
{
	(void)state;
	for (int plain = 0; plain < 2; plain++) {
		start(9, plain, 0, 0);
		write_all(0, 3000);
		assert_false(mp_read_eof(conn(1)));
		mp_shutdown(conn(0), P.now);
		mpair_sleep(&P, NANOS_S);
		assert_true(conn(1)->rcv.fin_in);
		assert_false(mp_read_eof(conn(1))); /* not all read */
		expect(0, 2999, 5000);
		assert_false(mp_read_eof(conn(1)));
		expect(2999, 1, 1);
		assert_true(mp_read_eof(conn(1)));
		assert_false(mp_read_eof(conn(0)));
		end();
	}
}

/* what is not read counts against the window, also what was handed on */
static void window(void **state)
{
	uint64_t before;

	(void)state;
	start(10, false, 1 << 20, 65536);
	P.tap = watch;
	write_all(0, 300000);
	mpair_sleep(&P, 3 * NANOS_S);
	before = mp_read_len(conn(1));
	assert_in_range(before, 60000, 65536);
	/* read, but still held: the writer gets nothing more */
	mp_read_held(conn(1), P.now, (uint32_t)before);
	expect(0, before, before);
	mpair_sleep(&P, 3 * NANOS_S);
	assert_in_range(mp_read_len(conn(1)), 0, 65536 - before);
	/* taken: the window is announced at once */
	bare = 0;
	mp_read_held(conn(1), P.now, 0);
	mpair_sleep(&P, 0);
	assert_int_equal(bare, 1);
	mpair_sleep(&P, 3 * NANOS_S);
	assert_true(mp_read_len(conn(1)) > 60000);
	drain(before, 300000);
	end();
}

static void held_grows(void **state)
{
	(void)state;
	start(11, false, 0, 1 << 20);
	P.tap = watch;
	bare = 0;
	mp_read_held(conn(1), P.now, 100000);
	assert_int_equal(conn(1)->rcv.wnd.held, 100000);
	mp_read_held(conn(1), P.now, 200000);
	mpair_sleep(&P, NANOS_S);
	assert_int_equal(bare, 0); /* nothing to announce */
	mp_read_held(conn(1), P.now, 0);
	end();
}

static void reading_opens(void **state)
{
	(void)state;
	start(12, false, 1 << 20, 65536);
	P.tap = watch;
	write_all(0, 200000);
	mpair_sleep(&P, 3 * NANOS_S);
	bare = 0;
	expect(0, 60000, 60000);
	mpair_sleep(&P, 0);
	assert_int_equal(bare, 1);
	expect(60000, 100, 100); /* not worth a packet */
	mpair_sleep(&P, 0);
	assert_int_equal(bare, 1);
	mpair_sleep(&P, NANOS_S);
	drain(60100, 200000);
	end();
}

/* SHUT_RD: what is there and what comes is dropped, and acknowledged */
static void discarding(void **state)
{
	(void)state;
	for (int plain = 0; plain < 2; plain++) {
		start(13, plain, 1 << 20, 65536);
		write_all(0, 50000);
		mpair_sleep(&P, NANOS_S);
		assert_int_equal(mp_read_len(conn(1)), 50000);
		mp_discard(conn(1), P.now);
		assert_int_equal(mp_read_len(conn(1)), 0);
		write_all(50000, 500000);
		mp_shutdown(conn(0), P.now);
		mpair_sleep(&P, 5 * NANOS_S);
		assert_int_equal(mp_write_pending(conn(0)), 0);
		assert_int_equal(mp_read_len(conn(1)), 0);
		assert_int_equal(conn(1)->rcv.total, 550001);
		assert_true(mp_read_eof(conn(1)));
		end();
	}
}

/* octets that were being written when the DATA_FIN left */
static void done_after_data_fin(void **state)
{
	struct iov_mut v[2];

	(void)state;
	start(78, false, 0, 0);
	assert_true(space(100, v) >= 100);
	fill(v, 0, 100);
	mp_shutdown(conn(0), P.now);
	mpair_sleep(&P, NANOS_S);
	commit(100);
	mpair_sleep(&P, NANOS_S);
	assert_int_equal(mp_read_len(conn(1)), 0);
	assert_true(mp_read_eof(conn(1)));
	assert_int_equal(mp_write_pending(conn(0)), 0);
	finish();
}

static unsigned told;

static void told_writable(void *o, struct instant now)
{
	(void)o;
	(void)now;
	told++;
}

/* memory is refused for a while: the writer hears when it is there again */
static void no_memory(void **state)
{
	static const struct mp_owner own = { .writable = told_writable };
	const struct mp_owner *was;
	struct iov_mut v[2];

	(void)state;
	mpair_defaults(&P, 77);
	up(false);
	mpair_sleep(&P, NANOS_S);
	was = conn(0)->owner;
	mp_set_owner(conn(0), &own, conn(0)->o);
	P.end[0].fake.mem.limit = P.end[0].fake.mem.used;
	assert_int_equal(space(100, v), 0);
	told = 0;
	mpair_sleep(&P, 100 * NANOS_MS);
	P.end[0].fake.mem.limit = UINT64_MAX;
	mpair_sleep(&P, NANOS_S);
	assert_int_equal(told, 1);
	assert_true(count(0, MP_NOMEM) > 0);
	mp_set_owner(conn(0), was, conn(0)->o);
	transfer(1000, 1000, NANOS_S);
	finish();
}

/* --- sealed ------------------------------------------------------------------ */

/* room, and what is not acknowledged, count the program's octets */
static void sealed_room_and_pending(void **state)
{
	struct mp_conn *c;
	uint64_t sent;

	(void)state;
	tapped_one_path(50);
	P.end[0].conf.sndbuf = 64 << 10;
	up(false);
	mpair_sleep(&P, NANOS_S);
	c = tapped_conn(0);
	assert_int_equal(mp_write_pending(c), 0);
	assert_true(mp_write_room(c) > (64 << 10) * 99 / 100);
	P.link[0].cut = true;
	mpair_send(&P, 0, 1 << 20, false);
	sent = P.end[0].app.sent;
	assert_int_equal(mp_write_room(c), 0);
	assert_true(sent <= 64 << 10 && sent > (64 << 10) * 98 / 100);
	assert_int_equal(mp_write_pending(c), sent);
	assert_true(ring_len(&c->snd.ring) > 0);
	assert_true(ring_len(&c->seal->stage) > 0);
	P.link[0].cut = false;
	assert_true(mpair_run(&P, 60 * NANOS_S, mpair_arrived));
	mpair_sleep(&P, NANOS_S);
	assert_int_equal(mp_write_pending(c), 0);
	tapped_close();
}

/* smtcp(7), Urgent data: in the frame, never in the header (sealtap) */
static void sealed_urgent(void **state)
{
	struct mp_conn *c;

	(void)state;
	tapped_one_path(51);
	up(false);
	mpair_sleep(&P, NANOS_S);
	c = tapped_conn(0);
	P.end[0].conf.cork = true;
	mp_set_conf(c, P.now, &P.end[0].conf);
	mpair_send(&P, 0, 10, false);
	mp_write_urgent(c, P.now);
	assert_true(c->seal->urgent);
	assert_int_equal(c->seal->urgent_at, c->seal->stage.tail);
	mpair_send(&P, 0, 10, false);
	mpair_sleep(&P, NANOS_S);
	assert_false(c->seal->urgent);
	assert_false(c->snd.urgent);
	assert_int_equal(P.end[1].app.got, 20);
	sealtap_check(&T);
	assert_int_equal(T.dir[0].data, 20 + 2);
	tapped_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts),
		cmocka_unit_test(pieces_stay),
		cmocka_unit_test(two_pieces),
		cmocka_unit_test(full),
		cmocka_unit_test(after_shutdown),
		cmocka_unit_test(urgent_data),
		cmocka_unit_test(pieces_of_packets),
		cmocka_unit_test(end_of_stream),
		cmocka_unit_test(window),
		cmocka_unit_test(held_grows),
		cmocka_unit_test(reading_opens),
		cmocka_unit_test(discarding),
		cmocka_unit_test(done_after_data_fin),
		cmocka_unit_test(no_memory),
		cmocka_unit_test(sealed_room_and_pending),
		cmocka_unit_test(sealed_urgent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
