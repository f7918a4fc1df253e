#include "stack/prim/kdf.h"

#include "stack/base/check.h"

bool kdf_extract(struct hash *h, const void *salt, size_t salt_len,
		 const struct iov *ikm, unsigned n, uint8_t out[KDF_LEN])
{
	return hash_hmac_sha256v(h, salt, salt_len, ikm, n, out);
}

bool kdf_expand(struct hash *h, const uint8_t key[KDF_LEN],
		const struct iov *info, unsigned n, uint8_t *out, size_t len)
{
	struct iov v[KDF_INFO_MAX + 2];
	uint8_t t[KDF_LEN], counter = 1;
	size_t done = 0;
	bool ok;

	check(n <= KDF_INFO_MAX && len <= 255 * (size_t)KDF_LEN);
	v[0] = (struct iov){ t, 0 }; /* T(0) is empty */
	for (unsigned i = 0; i < n; i++) {
		v[1 + i] = info[i];
	}
	v[1 + n] = (struct iov){ &counter, 1 };
	ok = hash_hmac_key(h, key, KDF_LEN);
	while (ok && done < len) {
		size_t part = min_size(len - done, KDF_LEN);

		ok = hash_hmac_next(h, v, n + 2, t);
		memcpy(out + done, t, part);
		done += part;
		v[0].n = KDF_LEN;
		counter++;
	}
	hash_hmac_done(h);
	prim_wipe(t, sizeof(t));
	if (!ok) {
		memset(out, 0, len);
	}
	return ok;
}
