#include "stack/mptcp/mp_keys.h"

#include <string.h>

#include "stack/base/bytes.h"

bool mp_keys_derive(struct hash *h, uint64_t key, uint32_t *token,
		    uint64_t *idsn)
{
	uint8_t k[8], out[32];
	bool ok;

	be64_put(k, key);
	ok = hash_sha256(h, k, sizeof(k), out);
	*token = be32_get(out);
	*idsn = be64_get(out + 24);
	prim_wipe(k, sizeof(k));
	return ok;
}

bool mp_keys_set_local(struct hash *h, struct mp_keys *k, uint64_t key)
{
	k->local = key;
	k->have_local = mp_keys_derive(h, key, &k->token_local,
				       &k->idsn_local);
	return k->have_local;
}

bool mp_keys_set_remote(struct hash *h, struct mp_keys *k, uint64_t key)
{
	k->remote = key;
	k->have_remote = mp_keys_derive(h, key, &k->token_remote,
					&k->idsn_remote);
	return k->have_remote;
}

void mp_keys_wipe(struct mp_keys *k)
{
	prim_wipe(k, sizeof(*k));
}

void mp_keys_mac_key(struct mp_mac_key *out, uint64_t snd, uint64_t rcv)
{
	be64_put(out->k, snd);
	be64_put(out->k + 8, rcv);
	out->n = 16;
}

bool mp_keys_join_mac(struct hash *h, const struct mp_mac_key *key,
		      uint32_t nonce_snd, uint32_t nonce_rcv, uint8_t out[32])
{
	uint8_t msg[8];

	be32_put(msg, nonce_snd);
	be32_put(msg + 4, nonce_rcv);
	return hash_hmac_sha256(h, key->k, key->n, msg, sizeof(msg), out);
}

bool mp_keys_addr_mac(struct hash *h, const struct mp_mac_key *key,
		      uint8_t id, const struct addr *a, uint16_t port,
		      uint8_t out[8])
{
	uint8_t msg[1 + 16 + 2], mac[32];
	struct wr w = wr_make(msg, sizeof(msg));
	bool ok;

	wr_u8(&w, id);
	wr_copy(&w, a->b, addr_len(a));
	wr_u16(&w, port);
	ok = w.ok && hash_hmac_sha256(h, key->k, key->n, msg, wr_len(&w), mac);
	if (ok) {
		memcpy(out, mac + 24, 8);
	} else {
		memset(out, 0, 8);
	}
	return ok;
}
