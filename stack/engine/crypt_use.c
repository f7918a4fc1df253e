#include "stack/engine/crypt_use.h"

#include <stdio.h>

#include "stack/base/check.h"
#include "stack/wire/crypt_msg.h"
#include "stack/wire/eno_opt.h"

static const uint8_t teps[CONF_KX_N] = {
	[CONF_KX_X25519] = ENO_TEP_X25519,
	[CONF_KX_X448] = ENO_TEP_X448,
	[CONF_KX_P256] = ENO_TEP_P256,
	[CONF_KX_P521] = ENO_TEP_P521,
};

static const uint16_t aeads[CONF_CIPHER_N] = {
	[CONF_AES128_GCM] = CRYPT_AES128_GCM,
	[CONF_AES256_GCM] = CRYPT_AES256_GCM,
	[CONF_CHACHA20] = CRYPT_CHACHA20_POLY1305,
};

static enum mp_crypt_policy policy(enum conf_crypt_policy p)
{
	switch (p) {
	case CONF_CRYPT_OFF:
		return MP_CRYPT_OFF;
	case CONF_CRYPT_REQUIRE_ANY:
		return MP_CRYPT_REQUIRE_ANY;
	case CONF_CRYPT_REQUIRE:
		return MP_CRYPT_REQUIRE;
	case CONF_CRYPT_PREFER:
		break;
	}
	return MP_CRYPT_PREFER;
}

static enum mp_memo_mode memo_mode(enum conf_memory m)
{
	switch (m) {
	case CONF_MEMORY_WARN:
		return MP_MEMO_WARN;
	case CONF_MEMORY_ENFORCE:
		return MP_MEMO_ENFORCE;
	case CONF_MEMORY_OFF:
		break;
	}
	return MP_MEMO_OFF;
}

/* A time alone leaves the volume as it is: that one is what the cipher
 * stands. */
static void set_rekey(const struct conf_crypt *k, struct crypt_conf *out)
{
	if (!k->rekey_asked) {
		return;
	}
	if (k->rekey_octets) {
		out->rekey_bytes = k->rekey_octets;
	} else if (!k->rekey_s) {
		out->rekey_bytes = 0;
		out->rekey_frames = 0;
	}
	out->rekey_time = k->rekey_s * NANOS_S;
}

void crypt_use_conf(const struct conf_crypt *k, struct mp_cfg *out)
{
	struct crypt_conf *c = &out->crypt_conf;

	static_assert(CONF_KX_N <= CRYPT_KX_MAX &&
			      CONF_CIPHER_N <= CRYPT_AEAD_MAX,
		      "all fit");
	out->crypt_policy = policy(k->policy);
	out->memo_mode = memo_mode(k->memory);
	crypt_conf_init(c);
	for (unsigned i = 0; i < k->n_kx; i++) {
		c->kx[i] = teps[k->kx[i]];
	}
	for (unsigned i = 0; i < k->n_cipher; i++) {
		c->aead[i] = aeads[k->cipher[i]];
	}
	c->n_kx = k->n_kx ? k->n_kx : c->n_kx;
	c->n_aead = k->n_cipher ? k->n_cipher : c->n_aead;
	set_rekey(k, c);
	c->no_resume = k->no_resume;
}

const char *crypt_use_kx(uint8_t kx)
{
	for (unsigned i = 0; i < CONF_KX_N; i++) {
		if (teps[i] == kx) {
			return conf_kx_word((enum conf_kx)i);
		}
	}
	return NULL;
}

const char *crypt_use_cipher(uint16_t aead)
{
	for (unsigned i = 0; i < CONF_CIPHER_N; i++) {
		if (aeads[i] == aead) {
			return conf_cipher_word((enum conf_cipher)i);
		}
	}
	return NULL;
}

const char *crypt_use_id(const struct mp_info *i, char out[CRYPT_USE_ID])
{
	out[0] = '\0';
	for (unsigned k = 0; i->have_session_id && k < CRYPT_SESSION_ID; k++) {
		snprintf(out + 2 * k, 3, "%02x", i->session_id[k]);
	}
	return out;
}

const char *crypt_use_why(const struct mp_info *i)
{
	if (i->sealed || i->why_clear == CRYPT_OK) {
		return NULL;
	}
	return crypt_reason_text(i->why_clear);
}
