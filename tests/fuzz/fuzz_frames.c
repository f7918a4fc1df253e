/* Frames of two ends that keep all rules, on a path that keeps none: what opens
 * is what was sealed, at its place; what was sealed opens, as long as it is
 * wanted; no nonce is used twice; no honest end is ever called faulty
 * (RFC 8548 3.6 to 3.8, smtcp(7) Frames and Rekeying). */
#include "stack/crypt/crypt_rec.h"
#include "tests/fuzz/fuzz.h"

#define N_FRAMES 64
#define DATA_MAX 96

struct sent {
	uint64_t at;
	uint64_t gen;
	size_t n, data;
	bool fin, urgent, sig, rekey, opened;
	uint8_t text[DATA_MAX], b[DATA_MAX + 22];
};

/* one direction, and who seals in it */
struct dir {
	struct sent f[N_FRAMES];
	unsigned n, next; /* next: in order, all before it were opened */
	uint8_t nr[N_FRAMES][AEAD_NONCE]; /* of each generation */
	uint64_t told; /* what crypt_rec_received() was told */
};

static struct dir dirs[2];
static struct crypt_rec rec[2];
static struct crypt_conf conf;
static struct hash *hash;
static struct aead *aead;
static bool phases;
static struct instant now;

static uint64_t end_of(const struct sent *s)
{
	return s->at + s->n;
}

/* the stream up to here has been opened, and it has no gaps in this test */
static uint64_t through(const struct dir *d)
{
	return d->next ? end_of(&d->f[d->next - 1]) : 0;
}

static void check_nonce(struct dir *d, const struct crypt_rec *r, uint64_t at)
{
	must(r->tx_gen < N_FRAMES);
	memcpy(d->nr[r->tx_gen], r->tx.nr, AEAD_NONCE);
	for (uint64_t g = 0; g < r->tx_gen; g++) {
		must(memcmp(d->nr[g], r->tx.nr, AEAD_NONCE) != 0);
	}
	for (unsigned i = 0; i < d->n; i++) {
		must(end_of(&d->f[i]) <= at);
		must(d->f[i].gen <= r->tx_gen);
	}
}

static void seal(struct input *in, unsigned i)
{
	struct dir *d = &dirs[i];
	struct crypt_rec *r = &rec[i];
	struct sent *s = &d->f[d->n];
	unsigned op = in_u8(in);
	size_t data = in_u8(in) % (DATA_MAX + 1), cut = in_below(in, data + 1);
	struct iov v[2] = { { s->text, cut }, { s->text + cut, data - cut } };
	struct iov_mut out = { s->b, sizeof(s->b) };
	struct crypt_seal how = { .now = now,
				  .in = v,
				  .n_in = 2,
				  .fin = (op & 15) == 15,
				  .urgent = op & 16,
				  .urgent_at = (uint16_t)op,
				  .sig = op & 32 };
	enum crypt_reason why;
	size_t n;

	if (d->n == N_FRAMES || r->tx_gen + 2 > N_FRAMES) {
		return;
	}
	how.offset = d->n ? end_of(&d->f[d->n - 1]) : 0;
	if (op & 64 && how.offset > 0) {
		/* what must not be: before the end of what was sealed */
		how.offset -= 1 + in_below(in, (size_t)how.offset);
		must(crypt_rec_seal(r, &how, &out, 1, &n) != CRYPT_OK);
		return;
	}
	for (size_t j = 0; j < data; j++) {
		s->text[j] = (uint8_t)(op + j);
	}
	why = crypt_rec_seal(r, &how, &out, 1, &n);
	if (why != CRYPT_OK) {
		must(n == 0);
		must(why == CRYPT_REFUSE_FIN || why == CRYPT_REFUSE_SIG);
		return;
	}
	must(n == data + (how.urgent ? 22 : 20) && n == crypt_frame_len(s->b));
	check_nonce(d, r, how.offset);
	s->at = how.offset;
	s->gen = r->tx_gen;
	s->n = n;
	s->data = data;
	s->fin = how.fin;
	s->urgent = how.urgent;
	s->sig = how.sig;
	s->rekey = s->b[0] & CRYPT_FRAME_REKEY;
	s->opened = false;
	must(s->rekey == (s->gen > (d->n ? d->f[d->n - 1].gen : 0)));
	must(!phases || (s->b[0] >> 1 & 3) == (s->gen & 3));
	d->n++;
}

static enum crypt_reason try_open(unsigned i, uint64_t at, const uint8_t *p,
				  size_t n, size_t cut, uint8_t *text,
				  struct crypt_opened *o)
{
	/* in two pieces, each of which ASan watches */
	uint8_t *x = dup_bytes(p, cut), *y = dup_bytes(p + cut, n - cut);
	const struct iov_mut v[2] = { { x, cut }, { y, n - cut } };
	enum crypt_reason r = crypt_rec_open(&rec[!i], at, v, 2, n, o);

	memcpy(text, x, cut);
	memcpy(text + cut, y, n - cut);
	free(x);
	free(y);
	must(!crypt_reason_faulty(r));
	return r;
}

static void open_frame(struct input *in, unsigned i)
{
	struct dir *d = &dirs[i];
	struct crypt_rec *r = &rec[!i];
	unsigned which = in_u8(in);
	uint8_t buf[sizeof(d->f[0].b)];
	struct crypt_opened o;
	enum crypt_reason why;
	struct sent *s;

	if (d->n == 0) {
		return;
	}
	/* plain tcpcrypt: in order and once */
	if (!phases && d->next == d->n) {
		return;
	}
	s = phases ? &d->f[which % d->n] : &d->f[d->next];
	why = try_open(i, s->at, s->b, s->n, in_below(in, s->n + 1), buf, &o);
	if (why != CRYPT_OK) {
		/* of old keys, and opened long ago: a copy */
		must(phases && s->opened && end_of(s) <= d->told);
		return;
	}
	must(o.data_len == s->data && o.fin == s->fin && o.sig == s->sig &&
	     o.urgent == s->urgent && o.rekey == s->rekey);
	must(memcmp(buf + o.data_at, s->text, s->data) == 0);
	must(r->rx_gen >= s->gen);
	must(r->rx_gen <= r->tx_gen || r->tx_fin || crypt_rec_due(r));
	s->opened = true;
	while (d->next < d->n && d->f[d->next].opened) {
		d->next++;
	}
}

/* nothing that was not sealed so opens, and trying changes nothing */
static void forge(struct input *in, unsigned i)
{
	struct dir *d = &dirs[i];
	unsigned which = in_u8(in), how = in_u8(in);
	uint8_t copy[sizeof(d->f[0].b)], buf[sizeof(d->f[0].b)];
	uint64_t gen = rec[!i].rx_gen, at;
	struct crypt_opened o;
	const struct sent *s;
	size_t n;

	if (d->n == 0) {
		return;
	}
	s = &d->f[which % d->n];
	memcpy(copy, s->b, s->n);
	n = s->n;
	at = s->at;
	switch (how % 4) {
	case 0:
		copy[in_below(in, n)] ^= (uint8_t)(in_u8(in) | 1);
		break;
	case 1:
		at += 1 + in_u16(in);
		break;
	case 2:
		n = in_below(in, n);
		break;
	default: /* reflected */
		i = !i;
		gen = rec[!i].rx_gen;
		break;
	}
	must(try_open(i, at, copy, n, n / 2, buf, &o) != CRYPT_OK);
	must(rec[!i].rx_gen == gen);
}

static void news(struct input *in, unsigned i)
{
	struct dir *d = &dirs[i];
	unsigned op = in_u8(in);
	struct crypt_rec *r = &rec[i];
	uint64_t all = through(d);

	switch (op % 5) {
	case 0:
		d->told = all;
		crypt_rec_received(&rec[!i], all);
		break;
	case 1: /* no more is acknowledged than the receiver told */
		crypt_rec_acked(r, d->told);
		break;
	case 2: {
		uint64_t was = r->tx_gen;
		bool ok = r->tx_gen + 2 < N_FRAMES && crypt_rec_rekey(r, now);

		must(r->tx_gen == was + ok);
		must(!ok || crypt_rec_due(r));
		break;
	}
	case 3: {
		bool end = d->next > 0 && d->f[d->next - 1].fin;

		must((crypt_rec_end(&rec[!i], all) == CRYPT_OK) == end);
		break;
	}
	default:
		now.ns += op * NANOS_MS;
		break;
	}
}

static void configure(struct input *in)
{
	static const uint8_t mk0[CRYPT_K_LEN] = { 7 };
	unsigned op = in_u8(in);

	if (!hash) {
		hash = hash_new();
		aead = aead_new();
		must(hash && aead);
	}
	memset(dirs, 0, sizeof(dirs));
	crypt_conf_init(&conf);
	conf.rekey_frames = (op & 0x38) >> 3;
	conf.rekey_bytes = op & 0x40 ? 300 : 0;
	conf.rekey_time = op & 0x80 ? NANOS_S : 0;
	phases = op & 1;
	now = (struct instant){ NANOS_S };
	for (unsigned i = 0; i < 2; i++) {
		crypt_rec_fini(&rec[i]);
		rec[i] = (struct crypt_rec){ .hash = hash,
					     .aead = aead,
					     .conf = &conf,
					     .alg = (op >> 1 & 3) % AEAD_N,
					     .phases = phases,
					     .sig = phases && (op & 2),
					     .ab = i == 0 };
		must(crypt_rec_init(&rec[i], mk0, now));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct input in = { data, n };

	configure(&in);
	for (unsigned i = 0; i < 400 && in.n > 0; i++) {
		unsigned op = in_u8(&in), side = op & 1;

		switch (op >> 1 & 7) {
		case 0:
		case 1:
			seal(&in, side);
			break;
		case 2:
		case 3:
		case 4:
			open_frame(&in, side);
			break;
		case 5:
			forge(&in, side);
			break;
		default:
			news(&in, side);
			break;
		}
	}
	return 0;
}
