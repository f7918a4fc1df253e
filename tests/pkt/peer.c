/* peer.c - the peer's half of an encrypted connection
 *
 * The peer has a struct crypt of its own.  Both streams, Init and frames, are
 * kept as octets by offset: what the script makes the peer say is appended to
 * `out`, and a packet to the stack carries what is there at its place; what
 * the stack sends is gathered in `in`, where no octet may ever change, and is
 * taken apart when the script says what it should be.
 */
#include <stdlib.h>
#include <string.h>

#include "stack/base/check.h"
#include "tests/pkt/pkt.h"

static struct peer *get(struct run *r, struct words *w)
{
	struct conn *c = &r->conn[0];
	const char *p = words_peek(w);

	if (p && p[0] == 'c' && p[1] >= '0' && p[1] <= '9' && !p[2]) {
		c = &r->conn[atoi(p + 1) % PKT_CONNS];
		w->at++;
	}
	return &c->peer;
}

static struct peer *need(struct run *r, struct peer *p)
{
	if (!p->k) {
		pkt_fail(r, "the peer has no encryption: begin with peer active "
			    "or peer passive");
	}
	return p;
}

/* --- birth ------------------------------------------------------------------- */

static uint8_t kx_named(struct run *r, const char *name)
{
	static const char *const names[] = { "p256", "p521", "x25519", "x448" };

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(names[i], name) == 0) {
			return (uint8_t)(ENO_TEP_P256 + i);
		}
	}
	pkt_fail(r, "unknown key exchange \"%s\"", name);
}

static uint16_t aead_named(struct run *r, const char *name)
{
	if (strcmp(name, "aes128") == 0) {
		return CRYPT_AES128_GCM;
	}
	if (strcmp(name, "aes256") == 0) {
		return CRYPT_AES256_GCM;
	}
	if (strcmp(name, "chacha") == 0) {
		return CRYPT_CHACHA20_POLY1305;
	}
	pkt_fail(r, "unknown cipher \"%s\"", name);
}

/* words that mean the same in "config crypt .." and in "peer active .." */
bool peer_conf_word(struct run *r, struct crypt_conf *c, struct words *w)
{
	if (words_take(w, "plain")) {
		c->smtcp = false;
	} else if (words_take(w, "smtcponly")) {
		c->plain = false;
	} else if (words_take(w, "b")) {
		c->b = true;
	} else if (words_take(w, "sig")) {
		c->sig = true;
	} else if (words_take(w, "aware")) {
		c->aware = true;
	} else if (words_take(w, "awareonly")) {
		c->aware = c->aware_only = true;
	} else if (words_take(w, "vacuous")) {
		c->vacuous = true;
	} else if (words_take(w, "noresume")) {
		c->no_resume = true;
	} else if (words_take(w, "nocache")) {
		c->no_cache = true;
	} else if (words_take(w, "rekey")) {
		c->rekey_frames = (uint64_t)words_num(r, w);
	} else if (words_take(w, "rekeytime")) {
		c->rekey_time = words_num(r, w) * NANOS_S;
	} else if (words_take(w, "kx")) {
		c->n_kx = 0;
		do {
			c->kx[c->n_kx++] = kx_named(r, words_next(r, w));
		} while (c->n_kx < CRYPT_KX_MAX && words_take(w, "+"));
	} else if (words_take(w, "aead")) {
		c->n_aead = 0;
		do {
			c->aead[c->n_aead++] = aead_named(r, words_next(r, w));
		} while (c->n_aead < CRYPT_AEAD_MAX && words_take(w, "+"));
	} else {
		return false;
	}
	return true;
}

/* peer active|passive [WORDS]: its side of a connection; a second time for a
 * further connection, to which what it has cached is known */
static void peer_new(struct run *r, struct peer *p, struct words *w,
		     bool active)
{
	static const char name[] = "stack";
	struct crypt_setup none = { 0 };
	struct crypt_conf conf;

	if (!r->peer_crypt) {
		fake_init(&r->peer_fake, 2);
		r->peer_crypt = crypt_new(&r->peer_fake.env, &none);
		check(r->peer_crypt);
	}
	crypt_conf_init(&conf);
	while (words_peek(w)) {
		if (!peer_conf_word(r, &conf, w)) {
			words_end(r, w);
		}
	}
	peer_free(p);
	p->active = active;
	p->k = crypt_conn_new(r->peer_crypt, &conf, active, name,
			      active ? sizeof(name) : 0);
	check(p->k);
}

void peer_free(struct peer *p)
{
	crypt_conn_free(p->k);
	*p = (struct peer){ 0 };
}

void peer_free_all(struct run *r)
{
	for (unsigned i = 0; i < PKT_CONNS; i++) {
		peer_free(&r->conn[i].peer);
	}
	if (r->peer_crypt) {
		crypt_free(r->peer_crypt);
		fake_fini(&r->peer_fake);
	}
}

/* --- ENO ---------------------------------------------------------------------- */

static enum crypt_seg kind_of(uint8_t flags)
{
	return !(flags & TCP_SYN) ? CRYPT_SEG_ACK
	       : flags & TCP_ACK  ? CRYPT_SEG_SYNACK
				  : CRYPT_SEG_SYN;
}

/* eno: what the peer says in such a segment, if it says anything */
void peer_option(struct run *r, struct peer *p, uint8_t flags, struct wr *o)
{
	uint8_t buf[TCP_HDR_OPT_MAX];
	unsigned n;

	need(r, p);
	if (p->asked_len && kind_of(flags) == CRYPT_SEG_SYN) {
		wr_copy(o, p->asked, p->asked_len);
		return;
	}
	n = crypt_seg_out(p->k, r->now, kind_of(flags), buf,
			  (unsigned)wr_left(o));
	if (!n) {
		pkt_fail(r, "the peer has no ENO option for this segment");
	}
	wr_copy(o, buf, n);
	if (flags & TCP_SYN) {
		memcpy(p->said, buf, n);
		p->said_len = (uint8_t)n;
	}
}

/* eno again cN: the option that was in that connection's SYN */
void peer_option_again(struct run *r, struct words *w, struct wr *o)
{
	const struct peer *p = get(r, w);

	if (!p->said_len) {
		pkt_fail(r, "it has said nothing yet");
	}
	wr_copy(o, p->said, p->said_len);
}

/* peer asks: its SYN, sent further down, left before it heard anything */
static void peer_asks(struct run *r, struct peer *p)
{
	p->asked_len = (uint8_t)crypt_seg_out(p->k, r->now, CRYPT_SEG_SYN,
					      p->asked, sizeof(p->asked));
}

/* a packet of the stack arrives at the peer */
void peer_hears(struct run *r, struct flow *f, const struct sent *s)
{
	struct peer *p = &f->conn->peer;

	if (p->k && !(s->seg.flags & TCP_RST) && f == p->first) {
		crypt_seg_in(p->k, r->now, kind_of(s->seg.flags),
			     &s->seg.opts.eno);
	}
}

/* --- streams -------------------------------------------------------------------- */

/* the octet of the peer's stream at this offset */
uint8_t peer_octet(struct run *r, const struct peer *p, uint64_t off)
{
	if (off >= p->out_len) {
		pkt_fail(r, "the peer's stream has %u octets: no octet %llu",
			 p->out_len, (unsigned long long)off);
	}
	return p->out[off];
}

/* what the stack sent at this offset of its stream; it never changes */
void peer_gather(struct run *r, struct peer *p, uint64_t off,
		 const uint8_t *data, uint32_t n)
{
	if (off + n > PEER_STREAM) {
		pkt_fail(r, "longer than a script's stream may be");
	}
	for (uint32_t i = 0; i < n; i++) {
		uint64_t at = off + i;

		if (p->in_has[at] && p->in[at] != data[i]) {
			pkt_fail(r, "octet %llu of the stream was another "
				    "before",
				 (unsigned long long)at);
		}
		p->in[at] = data[i];
		p->in_has[at] = true;
	}
}

static uint32_t gathered(const struct peer *p)
{
	uint32_t n = 0;

	while (p->in_at + n < PEER_STREAM && p->in_has[p->in_at + n]) {
		n++;
	}
	return n;
}

/* peer start [mpc [flags X]]: the handshake is over for it; mpc: with the
 * transcript of both MP_CAPABLE; flags: X were those of the SYN, as it knows */
static void peer_start(struct run *r, struct conn *c, struct words *w)
{
	struct peer *p = need(r, &c->peer);
	uint64_t a = p->active ? c->key_peer : c->key_local;
	uint64_t b = p->active ? c->key_local : c->key_peer;
	uint8_t t[32];
	struct wr o = wr_make(t, sizeof(t));

	if (words_take(w, "mpc")) {
		uint8_t syn = words_take(w, "flags") ? build_flags(r, w)
						     : c->flags_syn;

		wr_u32(&o, 0x1e040100u | syn);
		wr_u32(&o, 0x1e0c0100u | c->flags_synack);
		wr_u64(&o, b);
		wr_u64(&o, a);
		wr_u64(&o, b);
	}
	if (crypt_state(p->k) != CRYPT_AGREED) {
		pkt_fail(r, "the peer has not agreed: %s",
			 crypt_reason_text(crypt_why(p->k)));
	}
	if (crypt_start(p->k, r->now, t, wr_len(&o)) != CRYPT_OK) {
		pkt_fail(r, "start: %s", crypt_reason_text(crypt_why(p->k)));
	}
}

static void append(struct run *r, struct peer *p, const uint8_t *b, size_t n)
{
	if (p->out_len + n > PEER_STREAM) {
		pkt_fail(r, "longer than a script's stream may be");
	}
	memcpy(p->out + p->out_len, b, n);
	p->out_len += (uint32_t)n;
}

/* N octets, expected */
static void length_is(struct run *r, struct words *w, size_t got)
{
	if (words_peek(w) && words_is_num(words_peek(w)) &&
	    (size_t)words_num(r, w) != got) {
		pkt_fail(r, "got %zu octets", got);
	}
}

/* peer says init [N] */
static void says_init(struct run *r, struct peer *p, struct words *w)
{
	size_t n;
	const uint8_t *b = crypt_init_out(p->k, &n);

	if (!b) {
		pkt_fail(r, "the peer has no Init message to send now");
	}
	length_is(r, w, n);
	append(r, p, b, n);
	crypt_init_sent(p->k);
}

/* peer hears init [N] [fails REASON] */
static void hears_init(struct run *r, struct peer *p, struct words *w)
{
	size_t used;
	enum crypt_reason why = crypt_init_in(p->k, r->now, p->in + p->in_at,
					      gathered(p), &used);

	if (why != CRYPT_OK) {
		pkt_fail(r, "Init: %s", crypt_reason_text(why));
	}
	length_is(r, w, used);
	p->in_at += (uint32_t)used;
}

/* peer says frame N [fin] [urgent K] [sig] */
static void says_frame(struct run *r, struct peer *p, struct words *w)
{
	static uint8_t data[PEER_FRAME], frame[PEER_FRAME];
	uint32_t n = (uint32_t)words_num(r, w);
	struct iov in = { data, n };
	struct iov_mut out = { frame, sizeof(frame) };
	struct crypt_seal s = { .now = r->now, .offset = p->out_len,
				.in = &in, .n_in = 1 };
	enum crypt_reason why;
	size_t len;

	check(n + 64 <= sizeof(data));
	while (words_peek(w)) {
		if (words_take(w, "fin")) {
			s.fin = true;
		} else if (words_take(w, "sig")) {
			s.sig = true;
		} else if (words_take(w, "urgent")) {
			s.urgent = true;
			s.urgent_at = (uint16_t)words_num(r, w);
		} else {
			words_end(r, w);
		}
	}
	for (uint32_t i = 0; i < n; i++) {
		data[i] = value_octet(p->out_plain + i);
	}
	why = crypt_seal(p->k, &s, &out, 1, &len);
	if (why != CRYPT_OK) {
		pkt_fail(r, "frame: %s", crypt_reason_text(why));
	}
	p->out_plain += n;
	append(r, p, frame, len);
}

/* opens the next frame of the stack's stream; its data's octets are right */
static void hear_one(struct run *r, struct peer *p, struct crypt_opened *o)
{
	static uint8_t frame[PEER_FRAME];
	uint32_t n = gathered(p);
	size_t len = n < CRYPT_FRAME_HDR
			     ? 0
			     : crypt_frame_len(p->in + p->in_at);
	struct iov_mut v = { frame, len };
	enum crypt_reason why;

	if (!len || len > n || len > sizeof(frame)) {
		pkt_fail(r, "no whole frame: %u octets are there, %zu long", n,
			 len);
	}
	memcpy(frame, p->in + p->in_at, len);
	why = crypt_open(p->k, r->now, p->in_at, &v, 1, len, o);
	if (why != CRYPT_OK) {
		pkt_fail(r, "frame: %s", crypt_reason_text(why));
	}
	/* cres and fres of RFC 8548 4.2; phases are smtcp(7)'s */
	if (p->in[p->in_at] & 0xf8 || frame[CRYPT_FRAME_HDR] & 0xf8) {
		pkt_fail(r, "reserved bits in control or flags");
	}
	for (uint32_t i = 0; i < o->data_len; i++) {
		if (frame[o->data_at + i] != value_octet(p->in_plain + i)) {
			pkt_fail(r, "octet %u of the data is wrong", i);
		}
	}
	p->in_plain += o->data_len;
	p->in_at += (uint32_t)len;
	crypt_received(p->k, p->in_at);
}

/* peer hears frame N [fin] [urgent K] [rekey]: exactly that is next in the
 * stack's stream */
static void hears_frame(struct run *r, struct peer *p, struct words *w)
{
	uint32_t want = (uint32_t)words_num(r, w);
	bool fin = false, rekey = false;
	struct crypt_opened o;
	int64_t urgent = -1;

	while (words_peek(w)) {
		if (words_take(w, "fin")) {
			fin = true;
		} else if (words_take(w, "rekey")) {
			rekey = true;
		} else if (words_take(w, "urgent")) {
			urgent = words_num(r, w);
		} else {
			words_end(r, w);
		}
	}
	hear_one(r, p, &o);
	if (o.data_len != want || o.fin != fin || o.rekey != rekey ||
	    o.urgent != (urgent >= 0) ||
	    (urgent >= 0 && o.urgent_at != (uint16_t)urgent)) {
		pkt_fail(r, "got a frame of %zu octets%s%s%s %u", o.data_len,
			 o.fin ? ", fin" : "", o.rekey ? ", rekey" : "",
			 o.urgent ? ", urgent" : "", o.urgent_at);
	}
}

/* peer hears data N [in K] [fin]: whole frames with so many octets in all are
 * next, K of them; the last one has FINp, or none has */
static void hears_data(struct run *r, struct peer *p, struct words *w)
{
	uint64_t want = (uint64_t)words_num(r, w), got = 0;
	struct crypt_opened o = { 0 };
	int64_t frames = 0;

	while (got < want && !o.fin) {
		hear_one(r, p, &o);
		got += o.data_len;
		frames++;
	}
	if (got != want) {
		pkt_fail(r, "got %llu octets in %d frames",
			 (unsigned long long)got, (int)frames);
	}
	if (words_take(w, "in") && words_num(r, w) != frames) {
		pkt_fail(r, "in %d frames", (int)frames);
	}
	if (words_take(w, "fin") != o.fin) {
		pkt_fail(r, o.fin ? "the last one has FINp"
				  : "the last one has no FINp");
	}
}

/* peer says raw HEX */
static void says_raw(struct run *r, struct peer *p, struct words *w)
{
	while (words_peek(w)) {
		for (const char *t = words_next(r, w); t[0] && t[1]; t += 2) {
			char hex[3] = { t[0], t[1], 0 };
			uint8_t b = (uint8_t)strtoul(hex, NULL, 16);

			append(r, p, &b, 1);
		}
	}
}

/* peer state off|agreed|init|keyed|dead [COUNTER that says why] */
static void peer_state(struct run *r, struct peer *p, struct words *w)
{
	static const char *const names[] = {
		[CRYPT_NEGOTIATING] = "negotiating",
		[CRYPT_OFF] = "off",
		[CRYPT_AGREED] = "agreed",
		[CRYPT_INIT] = "init",
		[CRYPT_KEYED] = "keyed",
		[CRYPT_DEAD] = "dead",
	};
	const char *got = names[crypt_state(p->k)];
	const char *why = crypt_reason_name(crypt_why(p->k));

	if (strcmp(words_next(r, w), got) != 0 ||
	    (words_peek(w) && strcmp(words_next(r, w), why) != 0)) {
		pkt_fail(r, "the peer is %s %s", got, why);
	}
}

/* what was agreed, in a word: true for this connection? */
bool peer_word(struct run *r, const struct crypt_info *i, const char *t)
{
	if (strncmp(t, "tx", 2) == 0 || strncmp(t, "rx", 2) == 0) {
		return (t[0] == 't' ? i->tx_gen : i->rx_gen) ==
		       strtoul(t + 2, NULL, 0);
	}
	return strcmp(t, "resumed") == 0      ? i->resumed
	       : strcmp(t, "fresh") == 0      ? !i->resumed
	       : strcmp(t, "smtcp") == 0      ? i->smtcp
	       : strcmp(t, "plain") == 0      ? !i->smtcp
	       : strcmp(t, "a") == 0	      ? !i->role_b
	       : strcmp(t, "b") == 0	      ? i->role_b
	       : strcmp(t, "heardaware") == 0 ? i->peer_aware
	       : strcmp(t, "heardend") == 0   ? i->peer_fin
	       : strncmp(t, "kx", 2) == 0     ? i->kx == kx_named(r, t + 2)
					      : i->aead == aead_named(r, t);
}

/* peer is WORD.. */
static void peer_is(struct run *r, struct peer *p, struct words *w)
{
	struct crypt_info i;

	crypt_info(p->k, &i);
	while (words_peek(w)) {
		const char *t = words_next(r, w);
		bool ok = strcmp(t, "confirmed") == 0 ? crypt_confirmed(p->k)
						      : peer_word(r, &i, t);

		if (!ok) {
			pkt_fail(r, "the peer is not %s", t);
		}
	}
}

/* peer flips OFFSET [BIT], or bit N: an octet of its stream is altered from
 * now on */
static void peer_flips(struct run *r, struct peer *p, struct words *w)
{
	bool bits = words_take(w, "bit");
	uint64_t at = (uint64_t)words_num(r, w);
	unsigned bit = bits		? (unsigned)at & 7
		       : words_peek(w) ? (unsigned)words_num(r, w)
				       : 0;

	at = bits ? at / 8 : at;
	peer_octet(r, p, at);
	p->out[at] ^= (uint8_t)(1u << (bit & 7));
}

/* peer sets OFFSET HEX: octets of its stream are these from now on */
static void peer_sets(struct run *r, struct peer *p, struct words *w)
{
	uint64_t at = (uint64_t)words_num(r, w);

	for (const char *t = words_next(r, w); t[0] && t[1]; t += 2) {
		char hex[3] = { t[0], t[1], 0 };

		peer_octet(r, p, at);
		p->out[at++] = (uint8_t)strtoul(hex, NULL, 16);
	}
}

/* peer copies FROM LEN TO: octets of its stream are repeated at another place */
static void peer_copies(struct run *r, struct peer *p, struct words *w)
{
	uint64_t from = (uint64_t)words_num(r, w);
	uint64_t len = (uint64_t)words_num(r, w);
	uint64_t to = (uint64_t)words_num(r, w);

	check(to <= p->out_len && to + len <= PEER_STREAM);
	peer_octet(r, p, from + len - 1);
	memmove(p->out + to, p->out + from, len);
	p->out_len = to + len > p->out_len ? (uint32_t)(to + len) : p->out_len;
}

/* peer swaps A B LEN: two pieces of its stream change places */
static void peer_swaps(struct run *r, struct peer *p, struct words *w)
{
	uint64_t a = (uint64_t)words_num(r, w);
	uint64_t b = (uint64_t)words_num(r, w);
	uint64_t len = (uint64_t)words_num(r, w);

	peer_octet(r, p, (a > b ? a : b) + len - 1);
	for (uint64_t i = 0; i < len; i++) {
		uint8_t x = p->out[a + i];

		p->out[a + i] = p->out[b + i];
		p->out[b + i] = x;
	}
}

static bool peer_alter(struct run *r, struct peer *p, struct words *w)
{
	if (words_take(w, "flips")) {
		peer_flips(r, p, w);
	} else if (words_take(w, "sets")) {
		peer_sets(r, p, w);
	} else if (words_take(w, "copies")) {
		peer_copies(r, p, w);
	} else if (words_take(w, "swaps")) {
		peer_swaps(r, p, w);
	} else {
		return false;
	}
	return true;
}

static void peer_ask(struct run *r, struct conn *c, struct words *w)
{
	struct peer *p = need(r, &c->peer);

	if (words_take(w, "says")) {
		if (words_take(w, "init")) {
			says_init(r, p, w);
		} else if (words_take(w, "frame")) {
			says_frame(r, p, w);
		} else if (words_take(w, "raw")) {
			says_raw(r, p, w);
		}
	} else if (words_take(w, "hears")) {
		if (words_take(w, "init")) {
			hears_init(r, p, w);
		} else if (words_take(w, "frame")) {
			hears_frame(r, p, w);
		} else if (words_take(w, "data")) {
			hears_data(r, p, w);
		} else if (words_take(w, "nothing") && gathered(p)) {
			pkt_fail(r, "%u octets more", gathered(p));
		}
	} else if (words_take(w, "asks")) {
		peer_asks(r, p);
	} else if (words_take(w, "start")) {
		peer_start(r, c, w);
	} else if (words_take(w, "acked")) {
		crypt_acked(p->k, (uint64_t)words_num(r, w));
	} else if (words_take(w, "rekeys")) {
		if (!crypt_rekey(p->k, r->now)) {
			pkt_fail(r, "the peer may not rekey now");
		}
	} else if (words_take(w, "state")) {
		peer_state(r, p, w);
	} else if (words_take(w, "is")) {
		peer_is(r, p, w);
	} else if (words_take(w, "forgets")) {
		crypt_forget_all(r->peer_crypt);
	} else {
		peer_alter(r, p, w);
	}
	words_end(r, w);
}

/* peer [cN] ... */
void peer_line(struct run *r, struct words *w)
{
	struct peer *p = get(r, w);
	struct conn *c = container_of(p, struct conn, peer);

	if (words_take(w, "active")) {
		peer_new(r, p, w, true);
	} else if (words_take(w, "passive")) {
		peer_new(r, p, w, false);
	} else {
		peer_ask(r, c, w);
		return;
	}
	/* the first flow of the connection is the one that is negotiated on */
	p->first = NULL;
	for (unsigned i = 0; i < r->n_flows && !p->first; i++) {
		p->first = r->flow[i].conn == c ? &r->flow[i] : NULL;
	}
	if (!p->first) {
		pkt_fail(r, "declare the flow before the peer");
	}
}

/* session NAME [cN]: the program and the peer have the same session id */
void peer_session(struct run *r, const struct mp_info *info, struct words *w)
{
	const struct peer *p = need(r, get(r, w));
	uint8_t id[CRYPT_SESSION_ID];

	if (!info->have_session_id || !crypt_session_id(p->k, id) ||
	    memcmp(id, info->session_id, sizeof(id)) != 0) {
		pkt_fail(r, "session ids differ, or there is none");
	}
}
