/* crypt_reason.c - CRYPT_REASONS of crypt.h, in words */
#include "stack/crypt/crypt.h"

static const char *const names[] = {
#define X(id, name, text) [id] = name,
	CRYPT_REASONS(X)
#undef X
};

static const char *const texts[] = {
#define X(id, name, text) [id] = text,
	CRYPT_REASONS(X)
#undef X
};

const char *crypt_reason_name(enum crypt_reason r)
{
	return r >= 0 && r < CRYPT_REASON_N ? names[r] : "";
}

const char *crypt_reason_text(enum crypt_reason r)
{
	return r >= 0 && r < CRYPT_REASON_N ? texts[r] : "";
}

bool crypt_reason_faulty(enum crypt_reason r)
{
	return r == CRYPT_BAD_FIELDS || r == CRYPT_AFTER_FIN ||
	       r == CRYPT_BAD_SIG || r == CRYPT_BAD_REKEY;
}
