#include "stack/prim/dh.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <string.h>

#include "stack/base/bytes.h"
#include "stack/base/check.h"

#define PREFIX 2 /* length in front of a P curve's point (RFC 8548 5) */

struct dh {
	EC_GROUP *curve[DH_N];      /* P256, P521 */
	EVP_PKEY_CTX *import[DH_N]; /* X25519, X448 */
	BN_CTX *bn;
};

static bool on_curve(enum dh_group g)
{
	return g == DH_P256 || g == DH_P521;
}

static const char *name(enum dh_group g)
{
	return g == DH_X25519 ? "X25519" : "X448";
}

static EVP_PKEY_CTX *importer(enum dh_group g)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, name(g), NULL);

	if (c && EVP_PKEY_fromdata_init(c) != 1) {
		EVP_PKEY_CTX_free(c);
		c = NULL;
	}
	return c;
}

struct dh *dh_new(void)
{
	struct dh *d = OPENSSL_zalloc(sizeof(*d));

	if (!d) {
		return NULL;
	}
	d->bn = BN_CTX_new();
	d->curve[DH_P256] = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	d->curve[DH_P521] = EC_GROUP_new_by_curve_name(NID_secp521r1);
	d->import[DH_X25519] = importer(DH_X25519);
	d->import[DH_X448] = importer(DH_X448);
	if (!d->bn) {
		dh_free(d);
		return NULL;
	}
	return d;
}

void dh_free(struct dh *d)
{
	if (!d) {
		return;
	}
	for (unsigned g = 0; g < DH_N; g++) {
		EC_GROUP_free(d->curve[g]);
		EVP_PKEY_CTX_free(d->import[g]);
	}
	BN_CTX_free(d->bn);
	OPENSSL_free(d);
}

bool dh_has(const struct dh *d, enum dh_group g)
{
	return g < DH_N && (d->curve[g] || d->import[g]);
}

unsigned dh_pub_len(enum dh_group g)
{
	switch (g) {
	case DH_P256:
		return PREFIX + 33;
	case DH_P521:
		return PREFIX + 67;
	case DH_X448:
		return 56;
	case DH_X25519:
	case DH_N:
	default:
		return 32;
	}
}

unsigned dh_secret_len(enum dh_group g)
{
	return g == DH_P521 ? 66 : g == DH_X448 ? 56 : 32;
}

unsigned dh_priv_len(enum dh_group g)
{
	return dh_secret_len(g);
}

void dh_wipe(struct dh_key *k)
{
	OPENSSL_cleanse(k, sizeof(*k));
}

/* --- X25519, X448 ------------------------------------------------------ */

/* By the importer made once: the calls that take raw keys look one up by name
 * each time.  NULL: without that half.  With both given libcrypto need not compute
 * the public one again. */
static EVP_PKEY *raw_import(struct dh *d, enum dh_group g, const uint8_t *priv,
			    const uint8_t *pub)
{
	uint8_t x[DH_PRIV_MAX], y[DH_PUB_MAX];
	OSSL_PARAM params[3], *o = params;
	EVP_PKEY *p = NULL;

	if (priv) {
		memcpy(x, priv, dh_priv_len(g));
		*o++ = OSSL_PARAM_construct_octet_string(
			OSSL_PKEY_PARAM_PRIV_KEY, x, dh_priv_len(g));
	}
	if (pub) {
		memcpy(y, pub, dh_pub_len(g));
		*o++ = OSSL_PARAM_construct_octet_string(
			OSSL_PKEY_PARAM_PUB_KEY, y, dh_pub_len(g));
	}
	*o = OSSL_PARAM_construct_end();
	if (EVP_PKEY_fromdata(d->import[g], &p,
			      priv ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
			      params) != 1) {
		p = NULL;
	}
	OPENSSL_cleanse(x, sizeof(x));
	return p;
}

static bool raw_pub(struct dh *d, enum dh_group g, const uint8_t *priv,
		    uint8_t *pub)
{
	size_t n = dh_pub_len(g);
	EVP_PKEY *p = raw_import(d, g, priv, NULL);
	bool ok = p && EVP_PKEY_get_raw_public_key(p, pub, &n) == 1 &&
		  n == dh_pub_len(g);

	EVP_PKEY_free(p);
	return ok;
}

static bool all_zero(const uint8_t *p, size_t n)
{
	uint8_t any = 0;

	for (size_t i = 0; i < n; i++) {
		any |= p[i];
	}
	return any == 0;
}

static enum dh_result raw_agree(struct dh *d, const struct dh_key *k,
				const uint8_t *peer, uint8_t *secret)
{
	size_t n = dh_secret_len(k->group);
	EVP_PKEY *own = raw_import(d, k->group, k->priv, k->pub);
	EVP_PKEY *other = raw_import(d, k->group, NULL, peer);
	EVP_PKEY_CTX *c = NULL;
	enum dh_result r = DH_FAILED;

	if (own && other) {
		c = EVP_PKEY_CTX_new_from_pkey(NULL, own, NULL);
	}
	if (c && EVP_PKEY_derive_init(c) == 1 &&
	    EVP_PKEY_derive_set_peer_ex(c, other, 0) == 1) {
		/* fails for nothing else than a zero secret */
		r = EVP_PKEY_derive(c, secret, &n) == 1 &&
				    n == dh_secret_len(k->group) &&
				    !all_zero(secret, n)
			    ? DH_OK
			    : DH_ZERO;
	}
	EVP_PKEY_CTX_free(c);
	EVP_PKEY_free(own);
	EVP_PKEY_free(other);
	return r;
}

/* --- P-256, P-521 ------------------------------------------------------ */

static bool curve_pub(struct dh *d, enum dh_group g, const BIGNUM *priv,
		      uint8_t *pub)
{
	const EC_GROUP *c = d->curve[g];
	unsigned n = dh_pub_len(g);
	EC_POINT *p = EC_POINT_new(c);
	bool ok = p && EC_POINT_mul(c, p, priv, NULL, NULL, d->bn) == 1 &&
		  EC_POINT_point2oct(c, p, POINT_CONVERSION_COMPRESSED,
				     pub + PREFIX, n - PREFIX,
				     d->bn) == n - PREFIX;

	be16_put(pub, (uint16_t)n);
	EC_POINT_free(p);
	return ok;
}

/* 64 bits more than the order has, then modulo order - 1, plus 1: no bias
 * worth speaking of, and no loop (FIPS 186-4 B.4.1) */
static bool curve_scalar(struct dh *d, enum dh_group g, const struct entropy *e,
			 BIGNUM *k)
{
	uint8_t buf[DH_PRIV_MAX + 8];
	unsigned n = dh_priv_len(g) + 8;
	BIGNUM *m = BN_dup(EC_GROUP_get0_order(d->curve[g])), *c = BN_new();
	bool ok;

	e->fill(e->ctx, buf, n);
	ok = m && c && BN_bin2bn(buf, (int)n, c) && BN_sub_word(m, 1) == 1 &&
	     BN_mod(k, c, m, d->bn) == 1 && BN_add_word(k, 1) == 1;
	OPENSSL_cleanse(buf, sizeof(buf));
	BN_free(m);
	BN_clear_free(c);
	return ok;
}

static enum dh_result curve_agree(struct dh *d, const struct dh_key *k,
				  const uint8_t *peer, uint8_t *secret)
{
	const EC_GROUP *c = d->curve[k->group];
	unsigned n = dh_pub_len(k->group);
	int len = (int)dh_secret_len(k->group);
	EC_POINT *p;
	BIGNUM *priv, *x;
	enum dh_result r = DH_BAD_PUB;

	/* compressed only; the point at infinity has another form */
	if (be16_get(peer) != n || (peer[PREFIX] & 0xfe) != 2) {
		return DH_BAD_PUB;
	}
	p = EC_POINT_new(c);
	priv = BN_bin2bn(k->priv, (int)dh_priv_len(k->group), NULL);
	x = BN_new();
	if (!p || !priv || !x) {
		r = DH_FAILED;
	} else if (EC_POINT_oct2point(c, p, peer + PREFIX, n - PREFIX, d->bn) ==
			   1 &&
		   EC_POINT_is_on_curve(c, p, d->bn) == 1) {
		/* cofactor 1: each point but infinity has the full order */
		BN_set_flags(priv, BN_FLG_CONSTTIME);
		r = EC_POINT_mul(c, p, NULL, p, priv, d->bn) == 1 &&
				    EC_POINT_get_affine_coordinates(
					    c, p, x, NULL, d->bn) == 1 &&
				    BN_bn2binpad(x, secret, len) == len
			    ? DH_OK
			    : DH_FAILED;
	}
	EC_POINT_clear_free(p);
	BN_clear_free(priv);
	BN_clear_free(x);
	return r;
}

/* --- any group --------------------------------------------------------- */

static bool curve_key(struct dh *d, enum dh_group g, BIGNUM *k,
		      struct dh_key *out)
{
	int n = (int)dh_priv_len(g);

	BN_set_flags(k, BN_FLG_CONSTTIME);
	return BN_is_zero(k) == 0 &&
	       BN_cmp(k, EC_GROUP_get0_order(d->curve[g])) < 0 &&
	       BN_bn2binpad(k, out->priv, n) == n &&
	       curve_pub(d, g, k, out->pub);
}

bool dh_set(struct dh *d, enum dh_group g, const uint8_t *priv,
	    struct dh_key *k)
{
	bool ok = false;

	*k = (struct dh_key){ .group = g };
	if (!dh_has(d, g)) {
		return false;
	}
	if (on_curve(g)) {
		BIGNUM *b = BN_bin2bn(priv, (int)dh_priv_len(g), NULL);

		ok = b && curve_key(d, g, b, k);
		BN_clear_free(b);
	} else {
		memcpy(k->priv, priv, dh_priv_len(g));
		ok = raw_pub(d, g, priv, k->pub);
	}
	if (!ok) {
		dh_wipe(k);
	}
	return ok;
}

bool dh_make(struct dh *d, enum dh_group g, const struct entropy *e,
	     struct dh_key *k)
{
	uint8_t priv[DH_PRIV_MAX];
	bool ok = false;

	if (!dh_has(d, g) || !on_curve(g)) {
		e->fill(e->ctx, priv, dh_priv_len(g));
		ok = dh_set(d, g, priv, k);
	} else {
		BIGNUM *b = BN_new();

		*k = (struct dh_key){ .group = g };
		ok = b && curve_scalar(d, g, e, b) && curve_key(d, g, b, k);
		BN_clear_free(b);
		if (!ok) {
			dh_wipe(k);
		}
	}
	OPENSSL_cleanse(priv, sizeof(priv));
	return ok;
}

enum dh_result dh_agree(struct dh *d, const struct dh_key *k,
			const uint8_t *peer, uint8_t *secret)
{
	enum dh_result r = DH_FAILED;

	check(k->group < DH_N);
	if (dh_has(d, k->group)) {
		r = on_curve(k->group) ? curve_agree(d, k, peer, secret)
				       : raw_agree(d, k, peer, secret);
	}
	if (r != DH_OK) {
		memset(secret, 0, dh_secret_len(k->group));
	}
	return r;
}
