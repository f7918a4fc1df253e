/* crypt_use.h - between the options of encryption and the core, and words for
 * what the core tells
 */
#ifndef ENGINE_CRYPT_USE_H
#define ENGINE_CRYPT_USE_H

#include <stddef.h>
#include <stdint.h>

#include "stack/chan/conf.h"
#include "stack/sock/stack.h"

/* crypt_policy, crypt_conf and memo_mode of out */
void crypt_use_conf(const struct conf_crypt *k, struct mp_cfg *out);

const char *crypt_use_kx(uint8_t kx); /* ENO_TEP_P256..: "p256"; NULL: none */
const char *crypt_use_cipher(uint16_t aead); /* "aes128gcm"; NULL: none */
/* in hexadecimal, or "" while there is none */
#define CRYPT_USE_ID (2 * CRYPT_SESSION_ID + 1)
const char *crypt_use_id(const struct mp_info *i, char out[CRYPT_USE_ID]);
/* why it is not encrypted, as a sentence; NULL: it is, or nobody asked */
const char *crypt_use_why(const struct mp_info *i);

#endif
