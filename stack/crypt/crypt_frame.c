/* What a connection does with its keys: frames, and which of two sets of keys the
 * first one decides for */
#include "stack/crypt/crypt_part.h"

enum crypt_reason crypt_seal(struct crypt_conn *k, const struct crypt_seal *s,
			     const struct iov_mut *out, unsigned n_out,
			     size_t *len)
{
	uint64_t gen = k->set.rec.tx_gen;
	enum crypt_reason r;

	*len = 0;
	if (k->state != CRYPT_KEYED || k->alt) {
		return crypt_counted(k, CRYPT_NOT_KEYED);
	}
	r = crypt_rec_seal(&k->set.rec, s, out, n_out, len);
	if (r == CRYPT_OK) {
		k->c->counter[CRYPT_SEALED]++;
		if (k->set.rec.tx_gen > gen &&
		    k->set.rec.tx_gen > k->set.rec.rx_gen) {
			k->c->counter[CRYPT_REKEY_OUT]++;
		}
	}
	return crypt_counted(k, r);
}

size_t crypt_frame_max(const struct crypt_conn *k)
{
	return crypt_is_smtcp(k) ? CRYPT_FRAME_SMTCP_MAX : CRYPT_FRAME_MAX;
}

size_t crypt_frame_len(const uint8_t *hdr)
{
	struct crypt_frame_hdr h;

	return crypt_msg_frame_parse(hdr, &h) ? (size_t)h.clen + CRYPT_FRAME_HDR
					      : 0;
}

/* The peer keeps the secret when it has opened a frame of ours.  Whoever opens
 * connections may use it at once, in a SYN that overtakes that frame, and would
 * be declined: it waits until the frame is acknowledged. */
static bool peer_keeps_next(const struct crypt_conn *k)
{
	const struct crypt_rec *r = &k->set.rec;

	return k->peer_name_len == 0 || r->tx_gen > 0 || r->tx_marked;
}

/* The peer has the same keys: only now the next secret is worth keeping. */
static void keep_next(struct crypt_conn *k)
{
	struct crypt_set *s = &k->set;

	if (s->next && s->rec.rx_frames > 0 && peer_keeps_next(k)) {
		k->cached =
			crypt_cache_put(&k->c->cache, k->next_born, s->next,
					k->early->peer_name, k->peer_name_len);
		k->c->counter[CRYPT_CACHED] += k->cached != 0;
		crypt_set_no_next(s);
	}
}

/* the first frame of a peer whose transcript is not known */
static enum crypt_reason open_first(struct crypt_conn *k, uint64_t offset,
				    const struct iov_mut *v, unsigned n,
				    size_t len, struct crypt_opened *out)
{
	struct mem *mem = k->c->env->mem;
	enum crypt_reason r;

	r = crypt_set_choose(&k->set, k->alt, mem, offset, v, n, len, out);
	if (r == CRYPT_OK) {
		crypt_decided(k);
	}
	return r;
}

enum crypt_reason crypt_open(struct crypt_conn *k, struct instant now,
			     uint64_t offset, const struct iov_mut *v,
			     unsigned n, size_t len, struct crypt_opened *out)
{
	uint64_t gen = k->set.rec.rx_gen;
	enum crypt_reason r;

	*out = (struct crypt_opened){ 0 };
	if (k->state != CRYPT_KEYED) {
		return crypt_counted(k, CRYPT_NOT_KEYED);
	}
	r = k->alt ? open_first(k, offset, v, n, len, out)
		   : crypt_rec_open(&k->set.rec, offset, v, n, len, out);
	if (r == CRYPT_OK) {
		k->c->counter[CRYPT_OPENED]++;
		if (k->set.rec.rx_gen > gen &&
		    k->set.rec.rx_gen > k->set.rec.tx_gen) {
			k->c->counter[CRYPT_REKEY_IN]++;
		}
		if (k->set.rec.rx_frames == 1) {
			k->next_born = now;
		}
		keep_next(k);
	}
	return crypt_counted(k, r);
}

enum crypt_reason crypt_blame(struct crypt_conn *k, enum crypt_reason why)
{
	return crypt_counted(k, why);
}

enum crypt_reason crypt_end_in(struct crypt_conn *k, uint64_t end)
{
	return crypt_counted(k, k->state == CRYPT_KEYED
				  ? crypt_rec_end(&k->set.rec, end)
				  : CRYPT_TRUNCATED);
}

void crypt_received(struct crypt_conn *k, uint64_t offset)
{
	if (k->state == CRYPT_KEYED) {
		crypt_rec_received(&k->set.rec, offset);
	}
}

void crypt_acked(struct crypt_conn *k, uint64_t offset)
{
	if (k->state == CRYPT_KEYED) {
		crypt_rec_acked(&k->set.rec, offset);
		keep_next(k);
	}
}

bool crypt_rekey(struct crypt_conn *k, struct instant now)
{
	bool ok = k->state == CRYPT_KEYED && !k->alt &&
		  crypt_rec_rekey(&k->set.rec, now);

	k->c->counter[CRYPT_REKEY_OUT] += ok;
	return ok;
}

bool crypt_due(const struct crypt_conn *k)
{
	return k->state == CRYPT_KEYED && crypt_rec_due(&k->set.rec);
}

bool crypt_rekeying(const struct crypt_conn *k)
{
	return k->state == CRYPT_KEYED && k->set.rec.rx_gen < k->set.rec.tx_gen;
}

void crypt_rest(struct crypt_conn *k)
{
	if (k->state == CRYPT_KEYED && !k->alt) {
		crypt_rec_rest(&k->set.rec);
		if (!k->hs && !k->set.next) {
			crypt_drop_early(k);
		}
	}
}

bool crypt_confirmed(const struct crypt_conn *k)
{
	return k->state == CRYPT_KEYED && k->set.rec.rx_frames > 0;
}
