/* crypt_conf.c - what a connection offers when nobody chooses */
#include "stack/crypt/crypt.h"

void crypt_conf_init(struct crypt_conf *conf)
{
	*conf = (struct crypt_conf){
		.on = true,
		.plain = true,
		.smtcp = true,
		.nonce_len = ENO_NONCE,
		.n_kx = 1,
		.kx = { ENO_TEP_X25519 },
		.n_aead = 3,
		.aead = { CRYPT_AES128_GCM, CRYPT_AES256_GCM,
			  CRYPT_CHACHA20_POLY1305 },
		.rekey_frames = (uint64_t)1 << 23,
		.rekey_bytes = (uint64_t)64 << 30,
	};
}
