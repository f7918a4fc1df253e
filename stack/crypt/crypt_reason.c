/* crypt_reason.c - CRYPT_REASONS of crypt.h, in words */
#include "stack/base/reasons.h"
#include "stack/crypt/crypt.h"

static const struct reason reasons[] = { CRYPT_REASONS(REASON) };

const char *crypt_reason_name(enum crypt_reason r)
{
	return (unsigned)r < CRYPT_REASON_N ? reasons[r].name : "";
}

const char *crypt_reason_text(enum crypt_reason r)
{
	return (unsigned)r < CRYPT_REASON_N ? reasons[r].text : "";
}

bool crypt_reason_faulty(enum crypt_reason r)
{
	return r == CRYPT_BAD_FIELDS || r == CRYPT_AFTER_FIN ||
	       r == CRYPT_BAD_SIG || r == CRYPT_BAD_REKEY;
}
