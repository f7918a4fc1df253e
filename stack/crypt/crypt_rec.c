#include "stack/crypt/crypt_rec.h"

#include <string.h>

#include "stack/base/check.h"

/* Never more under one key (smtcp(7), Rekeying, Sender; RFC 8446 5.5 has
 * 2^24.5 records of this size for AES-GCM). */
#define KEY_FRAMES_MAX ((uint64_t)1 << 24)
#define KEY_BYTES_MAX  ((uint64_t)1 << 37)

static void drop_key(struct crypt_rec_key *k)
{
	aead_key_free(k->k);
	prim_wipe(k, sizeof(*k));
}

/* the traffic key of one direction from a master key */
static bool make_key(struct crypt_rec *r, const uint8_t *mk, bool seal,
		     struct crypt_rec_key *out)
{
	unsigned n = aead_key_len(r->alg);
	uint8_t t[CRYPT_TRAFFIC_MAX];
	bool ok = crypt_keys_traffic(r->hash, mk, seal == r->ab, n, t);

	if (ok && out->k) {
		ok = aead_key_set(out->k, t);
	} else if (ok) {
		out->k = aead_key_new(r->aead, r->alg, seal, t);
		ok = out->k != NULL;
	}
	memcpy(out->nr, t + n, AEAD_NONCE);
	out->rests = false;
	prim_wipe(t, sizeof(t));
	if (!ok) {
		drop_key(out);
	}
	return ok;
}

/* false: libcrypto refuses now; it may do it another time */
static bool wake(struct crypt_rec *r, bool seal)
{
	struct crypt_rec_key *key = seal ? &r->tx : &r->rx;

	if (key->rests && !make_key(r, seal ? r->tx_mk : r->rx_mk, seal, key)) {
		key->rests = true;
	}
	return !key->rests;
}

static void lay_down(struct crypt_rec_key *key)
{
	if (key->k) {
		drop_key(key);
		key->rests = true;
	}
}

void crypt_rec_rest(struct crypt_rec *r)
{
	lay_down(&r->tx);
	lay_down(&r->rx);
	drop_key(&r->rx_new);
}

bool crypt_rec_init(struct crypt_rec *r, const uint8_t mk0[CRYPT_K_LEN],
		    struct instant now)
{
	memcpy(r->tx_mk, mk0, CRYPT_K_LEN);
	memcpy(r->rx_mk, mk0, CRYPT_K_LEN);
	r->tx_since = now;
	crypt_order_init(&r->order, r->rx_start);
	if (!make_key(r, mk0, true, &r->tx) ||
	    !make_key(r, mk0, false, &r->rx)) {
		crypt_rec_fini(r);
		return false;
	}
	return true;
}

void crypt_rec_fini(struct crypt_rec *r)
{
	drop_key(&r->tx);
	drop_key(&r->rx);
	drop_key(&r->rx_old);
	drop_key(&r->rx_new);
	prim_wipe(r, sizeof(*r));
}

/* N = frame_ID xor NR (3.6) */
static void nonce(const struct crypt_rec_key *k, uint64_t offset,
		  uint8_t out[AEAD_NONCE])
{
	memcpy(out, k->nr, AEAD_NONCE);
	be64_put(out + 4, be64_get(out + 4) ^ offset);
}

/* --- generations (3.8) --------------------------------------------------- */

static bool advance_tx(struct crypt_rec *r, struct instant now)
{
	uint8_t mk[CRYPT_K_LEN];
	bool ok = crypt_keys_mk_next(r->hash, r->tx_mk, mk) &&
		  make_key(r, mk, true, &r->tx);

	if (ok) {
		memcpy(r->tx_mk, mk, CRYPT_K_LEN);
		r->tx_gen++;
		r->tx_first = true;
		r->tx_marked = false;
		r->key_frames = r->key_bytes = 0;
		r->tx_since = now;
	}
	prim_wipe(mk, sizeof(mk));
	return ok;
}

/* With phases frames of two generations may be in flight and no more.  So our
 * first frame of this one must have arrived, and the peer's, with all that is
 * before it: its answer may then come at once. */
static bool may_begin(const struct crypt_rec *r)
{
	return !r->phases ||
	       (r->tx_marked && (r->rx_fin || crypt_order_settled(&r->order)));
}

/* One rekeying at a time; a peer that has sent FINp will not answer. */
bool crypt_rec_rekey(struct crypt_rec *r, struct instant now)
{
	if (r->tx_fin || (r->rx_gen < r->tx_gen && !r->rx_fin) || r->tx_first ||
	    !may_begin(r)) {
		return false;
	}
	return advance_tx(r, now);
}

/* a rekeying is to be shown, or one of the peer's to be answered */
bool crypt_rec_due(const struct crypt_rec *r)
{
	return !r->tx_fin && (r->tx_first || r->rx_gen > r->tx_gen);
}

static bool worn_out(const struct crypt_rec *r, struct instant now)
{
	const struct crypt_conf *c = r->conf;

	return r->key_frames >= KEY_FRAMES_MAX / 2 ||
	       r->key_bytes >= KEY_BYTES_MAX / 2 ||
	       (c->rekey_frames && r->key_frames >= c->rekey_frames) ||
	       (c->rekey_bytes && r->key_bytes >= c->rekey_bytes) ||
	       (c->rekey_time && r->key_frames > 0 &&
		instant_since(now, r->tx_since) >= c->rekey_time);
}

/* --- sealing ------------------------------------------------------------- */

static void scatter(const struct iov_mut **v, unsigned *n, struct iov_mut *head,
		    const uint8_t *p, size_t len)
{
	while (len > 0) {
		size_t part = min_size(head->n, len);

		memcpy(head->p, p, part);
		head->p += part;
		head->n -= part;
		p += part;
		len -= part;
		while (head->n == 0 && *n > 1) {
			(*v)++;
			(*n)--;
			*head = **v;
		}
		check(len == 0 || head->n > 0);
	}
}

/* Writes the header and yields the pieces behind it. */
static unsigned behind_hdr(const struct iov_mut *out, unsigned n_out,
			   const uint8_t *hdr, struct iov_mut *rest)
{
	struct iov_mut head = out[0];
	unsigned n = n_out;

	scatter(&out, &n, &head, hdr, CRYPT_FRAME_HDR);
	rest[0] = head;
	for (unsigned i = 1; i < n; i++) {
		rest[i] = out[i];
	}
	return n;
}

/* control, and the keys that belong to it */
static bool next_keys(struct crypt_rec *r, struct instant now, uint8_t *control)
{
	if (r->rx_gen > r->tx_gen && !r->tx_first) {
		/* one step a frame: the peer counts those with rekey = 1 */
		advance_tx(r, now);
	} else if (worn_out(r, now)) {
		crypt_rec_rekey(r, now);
	}
	*control = r->tx_first ? CRYPT_FRAME_REKEY : 0;
	if (r->phases) {
		*control |=
			(uint8_t)((r->tx_gen & 3) << CRYPT_FRAME_PHASE_SHIFT);
	}
	return wake(r, true) && r->tx.k;
}

static void sealed(struct crypt_rec *r, uint64_t offset, size_t frame,
		   size_t data, bool fin)
{
	r->tx_next = offset + frame;
	if (r->key_frames == 0) {
		r->tx_mark = r->tx_next;
	}
	r->tx_first = false;
	r->tx_fin = fin;
	r->key_frames++;
	r->key_bytes += frame;
	r->tx_frames++;
	r->tx_bytes += data;
}

size_t crypt_rec_max(const struct crypt_rec *r)
{
	return r->phases ? CRYPT_FRAME_SMTCP_MAX : CRYPT_FRAME_MAX;
}

enum crypt_reason crypt_rec_seal(struct crypt_rec *r,
				 const struct crypt_seal *s,
				 const struct iov_mut *out, unsigned n_out,
				 size_t *len)
{
	uint8_t hdr[CRYPT_FRAME_HDR], prefix[3], iv[AEAD_NONCE], control;
	struct iov in[CRYPT_SEAL_PIECES + 1];
	struct iov_mut rest[CRYPT_SEAL_PIECES];
	struct crypt_frame_hdr h;
	size_t data = 0, n_prefix = s->urgent ? 3 : 1;

	check(s->n_in <= CRYPT_SEAL_PIECES && n_out >= 1 &&
	      n_out <= CRYPT_SEAL_PIECES);
	*len = 0;
	for (unsigned i = 0; i < s->n_in; i++) {
		in[i + 1] = s->in[i];
		data += s->in[i].n;
	}
	if (r->tx_fin) {
		return CRYPT_REFUSE_FIN;
	}
	if (data > CRYPT_FRAME_MAX ||
	    data + CRYPT_FRAME_OVERHEAD + n_prefix - 1 > crypt_rec_max(r)) {
		return CRYPT_REFUSE_LEN;
	}
	if (s->sig && !r->sig) {
		return CRYPT_REFUSE_SIG;
	}
	if (s->offset < r->tx_next || s->offset < r->tx_base ||
	    s->offset > UINT64_MAX - UINT16_MAX - CRYPT_FRAME_HDR) {
		return CRYPT_REFUSE_OFFSET;
	}
	if (!next_keys(r, s->now, &control)) {
		return CRYPT_LIB;
	}
	if (r->key_frames >= KEY_FRAMES_MAX ||
	    r->key_bytes > KEY_BYTES_MAX - CRYPT_FRAME_MAX) {
		return CRYPT_REFUSE_WORN;
	}
	prefix[0] = (uint8_t)((s->fin ? CRYPT_FRAME_FIN : 0) |
			      (s->urgent ? CRYPT_FRAME_URG : 0) |
			      (s->sig ? CRYPT_FRAME_SIG : 0));
	be16_put(prefix + 1, s->urgent_at);
	in[0] = (struct iov){ prefix, n_prefix };
	h = (struct crypt_frame_hdr){ control, (uint16_t)(data + n_prefix +
							  CRYPT_FRAME_TAG) };
	crypt_msg_frame_emit(hdr, &h);
	n_out = behind_hdr(out, n_out, hdr, rest);
	nonce(&r->tx, s->offset - r->tx_base, iv);
	/* spent even if libcrypto fails half-way */
	sealed(r, s->offset, (size_t)h.clen + CRYPT_FRAME_HDR, data, s->fin);
	if (!aead_seal(r->tx.k, iv, hdr, CRYPT_FRAME_HDR, in, s->n_in + 1, rest,
		       n_out)) {
		return CRYPT_LIB;
	}
	*len = (size_t)h.clen + CRYPT_FRAME_HDR;
	return CRYPT_OK;
}

void crypt_rec_acked(struct crypt_rec *r, uint64_t offset)
{
	if (r->key_frames > 0 && offset >= r->tx_mark) {
		r->tx_marked = true;
	}
}

/* --- opening ------------------------------------------------------------- */

/* octets [at, at + len) of the frame */
static void gather(const struct iov_mut *v, unsigned n, size_t at, uint8_t *out,
		   size_t len)
{
	for (unsigned i = 0; i < n && len > 0; i++) {
		size_t part;

		if (at >= v[i].n) {
			at -= v[i].n;
			continue;
		}
		part = min_size(v[i].n - at, len);
		memcpy(out, v[i].p + at, part);
		out += part;
		len -= part;
		at = 0;
	}
}

static bool have_new(struct crypt_rec *r)
{
	uint8_t mk[CRYPT_K_LEN];
	bool ok = true;

	if (!r->rx_new.k) {
		ok = crypt_keys_mk_next(r->hash, r->rx_mk, mk) &&
		     make_key(r, mk, false, &r->rx_new);
		prim_wipe(mk, sizeof(mk));
	}
	return ok;
}

/* The keys that a frame's control octet asks for.  rel: their generation, from
 * the highest seen on, as in crypt_order.h */
static enum crypt_reason which(struct crypt_rec *r, uint8_t control,
			       struct crypt_rec_key **key, int *rel)
{
	unsigned phase = (unsigned)(control & CRYPT_FRAME_PHASE_MASK) >>
			 CRYPT_FRAME_PHASE_SHIFT;
	unsigned ahead = (control & CRYPT_FRAME_REKEY) ? 1 : 0;

	if (r->phases) {
		ahead = (phase - (unsigned)r->rx_gen) & 3;
	}
	*rel = ahead == 3 ? CRYPT_ORDER_OLD : (int)ahead;
	*key = ahead == 0 ? &r->rx : ahead == 1 ? &r->rx_new : &r->rx_old;
	if (ahead == 1) {
		return have_new(r) ? CRYPT_OK : CRYPT_LIB;
	}
	return ahead != 2 && (*key)->k ? CRYPT_OK : CRYPT_BAD_PHASE;
}

/* a frame of the generation after the highest seen is authentic */
static bool advance_rx(struct crypt_rec *r)
{
	struct crypt_rec_key spare = r->rx_old;
	uint8_t mk[CRYPT_K_LEN];
	bool ok = crypt_keys_mk_next(r->hash, r->rx_mk, mk);

	if (ok) {
		memcpy(r->rx_mk, mk, CRYPT_K_LEN);
		r->rx_old = r->rx;
		r->rx = r->rx_new;
		r->rx_new = (struct crypt_rec_key){ .k = NULL };
		drop_key(&spare);
		r->rx_gen++;
		if (!r->phases) {
			/* in order: no older frame will come */
			drop_key(&r->rx_old);
		}
	}
	prim_wipe(mk, sizeof(mk));
	return ok;
}

/* What an authentic frame says, checked against what came before.  FINp is on
 * the last frame, wherever in time that comes. */
static enum crypt_reason judge(const struct crypt_rec *r, uint64_t offset,
			       size_t len, const uint8_t *prefix, int rel,
			       struct crypt_opened *o)
{
	uint64_t end = offset + len;
	size_t n = (prefix[0] & CRYPT_FRAME_URG) ? 3 : 1;

	if (len < CRYPT_FRAME_HDR + n + CRYPT_FRAME_TAG) {
		return CRYPT_BAD_FIELDS;
	}
	o->fin = (prefix[0] & CRYPT_FRAME_FIN) != 0;
	o->urgent = n == 3;
	o->urgent_at = o->urgent ? be16_get(prefix + 1) : 0;
	o->sig = r->sig && (prefix[0] & CRYPT_FRAME_SIG);
	o->data_at = CRYPT_FRAME_HDR + n;
	o->data_len = len - CRYPT_FRAME_TAG - o->data_at;
	if (r->phases && !r->sig && (prefix[0] & CRYPT_FRAME_SIG)) {
		return CRYPT_BAD_SIG;
	}
	if (r->phases && !crypt_order_fits(&r->order, rel, offset, o->rekey)) {
		return CRYPT_BAD_REKEY;
	}
	if ((r->rx_fin && (end > r->rx_end || (o->fin && end != r->rx_end))) ||
	    (o->fin && end < r->rx_end)) {
		return CRYPT_AFTER_FIN;
	}
	return CRYPT_OK;
}

static void opened(struct crypt_rec *r, uint64_t offset, size_t len,
		   const struct crypt_opened *o, int rel)
{
	r->rx_end = max_u64(r->rx_end, offset + len);
	r->rx_fin |= o->fin;
	if (r->phases) {
		crypt_order_note(&r->order, rel, offset, o->rekey);
	}
	r->rx_frames++;
	r->rx_bytes += o->data_len;
}

enum crypt_reason crypt_rec_open(struct crypt_rec *r, uint64_t offset,
				 const struct iov_mut *v, unsigned n,
				 size_t len, struct crypt_opened *out)
{
	uint8_t hdr[CRYPT_FRAME_HDR], prefix[3] = { 0 }, iv[AEAD_NONCE];
	struct crypt_rec_key *key = NULL;
	struct crypt_frame_hdr h;
	enum crypt_reason why;
	int rel = 0;
	bool ok;

	if (len < CRYPT_FRAME_OVERHEAD || len > crypt_rec_max(r) ||
	    offset < r->rx_base || offset > UINT64_MAX - len) {
		return CRYPT_BAD_LEN;
	}
	gather(v, n, 0, hdr, CRYPT_FRAME_HDR);
	if (!crypt_msg_frame_parse(hdr, &h) ||
	    (size_t)h.clen + CRYPT_FRAME_HDR != len) {
		return CRYPT_BAD_LEN;
	}
	/* also for a frame of the next keys: these become the old ones */
	why = wake(r, false) ? which(r, h.control, &key, &rel) : CRYPT_LIB;
	if (why != CRYPT_OK) {
		return why;
	}
	nonce(key, offset - r->rx_base, iv);
	ok = aead_open(key->k, iv, hdr, CRYPT_FRAME_HDR, v, n, CRYPT_FRAME_HDR,
		       h.clen);
	if (!ok) {
		return CRYPT_BAD_TAG;
	}
	*out = (struct crypt_opened){ 0 };
	out->rekey = (h.control & CRYPT_FRAME_REKEY) != 0;
	gather(v, n, CRYPT_FRAME_HDR, prefix,
	       min_size(sizeof(prefix), h.clen - (size_t)CRYPT_FRAME_TAG));
	why = judge(r, offset, len, prefix, rel, out);
	if (why == CRYPT_OK && rel == CRYPT_ORDER_NEW && !advance_rx(r)) {
		why = CRYPT_LIB;
	}
	if (why == CRYPT_OK) {
		opened(r, offset, len, out, rel);
	}
	return why;
}

enum crypt_reason crypt_rec_end(const struct crypt_rec *r, uint64_t end)
{
	return r->rx_fin && r->rx_end == end ? CRYPT_OK : CRYPT_TRUNCATED;
}

/* Everything before the first frame of this generation has come: whatever
 * comes under the old keys now is a copy. */
void crypt_rec_received(struct crypt_rec *r, uint64_t offset)
{
	crypt_order_received(&r->order, offset);
	if (r->rx_old.k && crypt_order_settled(&r->order)) {
		drop_key(&r->rx_old);
	}
}
