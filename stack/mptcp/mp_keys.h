/* mp_keys.h - keys, tokens, initial data sequence numbers and HMACs
 * (RFC 8684 3.1, 3.2, 3.4.1)
 */
#ifndef MPTCP_MP_KEYS_H
#define MPTCP_MP_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/addr.h"
#include "stack/prim/hash.h"

struct mp_keys {
	bool have_local, have_remote;
	uint64_t local, remote;
	uint32_t token_local, token_remote;
	uint64_t idsn_local, idsn_remote;
};

/* token and IDSN of a key: both ends of SHA-256 over it in network order */
bool mp_keys_derive(struct hash *h, uint64_t key, uint32_t *token,
		    uint64_t *idsn);
bool mp_keys_set_local(struct hash *h, struct mp_keys *k, uint64_t key);
bool mp_keys_set_remote(struct hash *h, struct mp_keys *k, uint64_t key);
void mp_keys_wipe(struct mp_keys *k);

/* Key-X | Key-Y, or SK-X | SK-Y of smtcp(7), the sender's first */
struct mp_mac_key {
	uint8_t n;
	uint8_t k[64];
};

void mp_keys_mac_key(struct mp_mac_key *out, uint64_t snd, uint64_t rcv);
/* HMAC of a join: key and nonce of the sender of the HMAC come first */
bool mp_keys_join_mac(struct hash *h, const struct mp_mac_key *key,
		      uint32_t nonce_snd, uint32_t nonce_rcv,
		      uint8_t out[32]);
/* the 8 octets of ADD_ADDR: rightmost; port 0 when absent */
bool mp_keys_addr_mac(struct hash *h, const struct mp_mac_key *key,
		      uint8_t id, const struct addr *a, uint16_t port,
		      uint8_t out[8]);

#endif
