/* Options of encryption: setters, what contradicts, and back to arguments */
#include "stack/chan/conf.h"

#include <stdio.h>
#include <string.h>

#include "stack/base/check.h"

static const char *const policies[] = { "off", "prefer", "require-any",
					"require" };
static const char *const memories[] = { "off", "warn", "enforce" };
static const char *const kxs[CONF_KX_N] = {
	[CONF_KX_X25519] = "x25519",
	[CONF_KX_X448] = "x448",
	[CONF_KX_P256] = "p256",
	[CONF_KX_P521] = "p521",
};
static const char *const ciphers[CONF_CIPHER_N] = {
	[CONF_AES128_GCM] = "aes128gcm",
	[CONF_AES256_GCM] = "aes256gcm",
	[CONF_CHACHA20] = "chacha20",
};

const char *conf_kx_word(enum conf_kx kx)
{
	return kx < CONF_KX_N ? kxs[kx] : "?";
}

const char *conf_cipher_word(enum conf_cipher c)
{
	return c < CONF_CIPHER_N ? ciphers[c] : "?";
}

bool conf_crypt_policy(struct run_conf *c, const char *value,
		       char why[CONF_ERR_MAX])
{
	unsigned i;

	if (!conf_word(value, policies, ARRAY_SIZE(policies), &i, why)) {
		return false;
	}
	c->crypt.policy = (enum conf_crypt_policy)i;
	return true;
}

bool conf_crypt_keylog(struct run_conf *c, const char *value,
		       char why[CONF_ERR_MAX])
{
	return conf_file(value, &c->crypt.keylog, why);
}

bool conf_crypt_memory(struct run_conf *c, const char *value,
		       char why[CONF_ERR_MAX])
{
	unsigned i;

	if (!conf_word(value, memories, ARRAY_SIZE(memories), &i, why)) {
		return false;
	}
	c->crypt.memory = (enum conf_memory)i;
	c->crypt.memory_asked = true;
	return true;
}

bool conf_crypt_memory_file(struct run_conf *c, const char *value,
			    char why[CONF_ERR_MAX])
{
	c->crypt.memory_asked = true;
	return conf_file(value, &c->crypt.memory_file, why);
}

/* --- lists of words -------------------------------------------------------- */

#define PART_MAX 24

/* The next part of a list with commas; false: there is none.  A part that is
 * too long comes back cut, and is no known word then. */
static bool next_part(const char **p, char part[PART_MAX])
{
	size_t n;

	if (!*p) {
		return false;
	}
	n = strcspn(*p, ",");
	snprintf(part, PART_MAX, "%.*s", (int)min_size(n, PART_MAX - 1), *p);
	*p = (*p)[n] ? *p + n + 1 : NULL;
	return true;
}

static bool word_list(const char *value, const char *const words[], unsigned n,
		      uint8_t *out, uint8_t *n_out, char why[CONF_ERR_MAX])
{
	char part[PART_MAX];
	unsigned count = 0, i;

	while (next_part(&value, part)) {
		if (!conf_word(part, words, n, &i, why)) {
			return false;
		}
		for (unsigned k = 0; k < count; k++) {
			if (out[k] == i) {
				return conf_refuse(why,
						   "'%s' is there twice; name "
						   "each once, best first",
						   part);
			}
		}
		out[count++] = (uint8_t)i;
	}
	*n_out = (uint8_t)count;
	return true;
}

bool conf_crypt_ciphers(struct run_conf *c, const char *value,
			char why[CONF_ERR_MAX])
{
	return word_list(value, ciphers, CONF_CIPHER_N, c->crypt.cipher,
			 &c->crypt.n_cipher, why);
}

bool conf_crypt_kx(struct run_conf *c, const char *value,
		   char why[CONF_ERR_MAX])
{
	return word_list(value, kxs, CONF_KX_N, c->crypt.kx, &c->crypt.n_kx,
			 why);
}

/* --- rekeying -------------------------------------------------------------- */

static const struct unit {
	const char *name;
	bool octets;
	uint64_t factor;
} units[] = {
	{ "K", true, 1u << 10 }, { "M", true, 1u << 20 },
	{ "G", true, 1u << 30 }, { "s", false, 1 },
	{ "min", false, 60 },    { "h", false, 3600 },
};

#define NUMBER_MAX  ((uint64_t)1 << 33) /* keeps every product in 64 bits */
#define SECONDS_MAX (366u * 86400u)

static bool one_limit(struct conf_crypt *k, const char *part)
{
	uint64_t v = 0;
	const char *p;

	for (p = part; *p >= '0' && *p <= '9' && v <= NUMBER_MAX; p++) {
		v = v * 10 + (unsigned)(*p - '0');
	}
	if (v == 0 || v > NUMBER_MAX) {
		return false;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcmp(p, units[i].name) != 0) {
			continue;
		}
		v *= units[i].factor;
		if (units[i].octets) {
			k->rekey_octets = v;
			return true;
		}
		k->rekey_s = (uint32_t)v;
		return v <= SECONDS_MAX;
	}
	return false;
}

bool conf_crypt_rekey(struct run_conf *c, const char *value,
		      char why[CONF_ERR_MAX])
{
	char part[PART_MAX];

	c->crypt.rekey_asked = true;
	c->crypt.rekey_octets = 0;
	c->crypt.rekey_s = 0;
	if (strcmp(value, "off") == 0) {
		return true;
	}
	while (next_part(&value, part)) {
		if (!one_limit(&c->crypt, part)) {
			return conf_refuse(why,
					   "'%s' is no volume or time; write "
					   "64M, 10min, 64M,10min or off",
					   part);
		}
	}
	return true;
}

bool conf_crypt_resume(struct run_conf *c, const char *value,
		       char why[CONF_ERR_MAX])
{
	static const char *const words[] = { "off", "on", "0", "1" };
	unsigned i;

	if (!conf_word(value, words, ARRAY_SIZE(words), &i, why)) {
		return conf_refuse(why, "'%.40s' is unknown; use on or off",
				   value);
	}
	c->crypt.no_resume = i % 2 == 0;
	return true;
}

/* --- together, and back to text -------------------------------------------- */

bool conf_crypt_check(const struct run_conf *c, char err[CONF_ERR_MAX])
{
	if (c->crypt.policy == CONF_CRYPT_REQUIRE &&
	    c->mptcp == CONF_MPTCP_OFF) {
		return conf_refuse(err,
				   "--crypt=require needs Multipath TCP, which "
				   "--mptcp=off forbids: use "
				   "--crypt=require-any, or --mptcp=prefer");
	}
	return true;
}

static void list_arg(char out[CONF_CRYPT_ARG], const char *option,
		     const char *const words[], const uint8_t *item, unsigned n)
{
	size_t used;

	out[0] = '\0';
	for (unsigned i = 0; i < n; i++) {
		used = strlen(out);
		snprintf(out + used, CONF_CRYPT_ARG - used, "%s%s",
			 i == 0 ? option : ",", words[item[i]]);
	}
}

/* in the largest unit that says it exactly */
static void octets_text(char *out, size_t n, uint64_t v)
{
	unsigned shift = 30;

	while (shift > 10 && v & (((uint64_t)1 << shift) - 1)) {
		shift -= 10;
	}
	snprintf(out, n, "%llu%c", (unsigned long long)(v >> shift),
		 shift == 30   ? 'G'
		 : shift == 20 ? 'M'
			       : 'K');
}

static void rekey_arg(char out[CONF_CRYPT_ARG], const struct conf_crypt *k)
{
	char octets[32] = "", time[32] = "";

	if (k->rekey_octets) {
		octets_text(octets, sizeof(octets), k->rekey_octets);
	}
	if (k->rekey_s) {
		snprintf(time, sizeof(time), "%s%us", *octets ? "," : "",
			 k->rekey_s);
	}
	snprintf(out, CONF_CRYPT_ARG, "--crypt-rekey=%s%s", octets,
		 *octets || *time ? time : "off");
}

void conf_crypt_arg(const struct conf_crypt *k, unsigned i,
		    char out[CONF_CRYPT_ARG])
{
	out[0] = '\0';
	switch (i) {
	case 0:
		snprintf(out, CONF_CRYPT_ARG, "--crypt=%s",
			 policies[k->policy]);
		break;
	case 1:
		if (k->memory_asked) {
			snprintf(out, CONF_CRYPT_ARG, "--crypt-memory=%s",
				 memories[k->memory]);
		}
		break;
	case 2:
		list_arg(out, "--crypt-kx=", kxs, k->kx, k->n_kx);
		break;
	case 3:
		list_arg(out, "--crypt-ciphers=", ciphers, k->cipher,
			 k->n_cipher);
		break;
	case 4:
		if (k->rekey_asked) {
			rekey_arg(out, k);
		}
		break;
	case 5:
		if (k->no_resume) {
			snprintf(out, CONF_CRYPT_ARG, "--crypt-resume=off");
		}
		break;
	default:
		break;
	}
}
