#include "stack/chan/chan_addr.h"

#include <string.h>

#include "stack/base/bytes.h"
#include "stack/base/check.h"

/* Linux's numbers (test_chan_addr.c compares them with the system's) */
#define FAMILY_UN  1
#define FAMILY_IN  2
#define FAMILY_IN6 10

/* Linux's layout: the family in the host's order, ports and addresses in the
 * network's, the scope in the host's */
#define FAMILY_LEN   2
#define PORT_AT      2
#define IN_ADDR_AT   4
#define IN_LEN       16
#define IN6_ADDR_AT  8
#define IN6_SCOPE_AT 24
#define IN6_LEN      28
#define IN6_LEN_MIN  24 /* RFC 2133's structure, before sin6_scope_id */

static uint16_t family_of(const uint8_t *sa, size_t len)
{
	uint16_t family = 0;

	if (sa && len >= FAMILY_LEN) {
		memcpy(&family, sa, sizeof(family));
	}
	return family;
}

static void set_family(uint8_t *sa, uint16_t family)
{
	memcpy(sa, &family, sizeof(family));
}

bool chan_addr_get(const void *sa, size_t len, struct endpoint *out,
		   uint32_t *scope)
{
	const uint8_t *p = sa;
	uint16_t family = family_of(p, len);
	uint32_t zone = 0;
	bool known = true;

	memset(out, 0, sizeof(*out));
	if (family == FAMILY_IN && len >= IN_LEN) {
		*out = endpoint_make(addr_from(4, p + IN_ADDR_AT),
				     be16_get(p + PORT_AT));
	} else if (family == FAMILY_IN6 && len >= IN6_LEN_MIN) {
		*out = endpoint_make(addr_from(6, p + IN6_ADDR_AT),
				     be16_get(p + PORT_AT));
		/* of one cut short, what there is */
		memcpy(&zone, p + IN6_SCOPE_AT,
		       min_size(len - IN6_SCOPE_AT, sizeof(zone)));
	} else {
		known = false;
	}
	if (scope) {
		*scope = zone;
	}
	return known;
}

unsigned chan_addr_put(const struct endpoint *e, uint8_t family, uint32_t scope,
		       void *out)
{
	struct addr a = family == 6 ? addr_map(e->addr) : addr_unmap(e->addr);
	unsigned len = family == 6 ? IN6_LEN : IN_LEN;
	uint8_t *p = out;

	memset(p, 0, len);
	set_family(p, family == 6 ? FAMILY_IN6 : FAMILY_IN);
	be16_put(p + PORT_AT, e->port);
	if (addr_len(&a) == (family == 6 ? 16u : 4u)) {
		memcpy(p + (family == 6 ? IN6_ADDR_AT : IN_ADDR_AT), a.b,
		       addr_len(&a));
	}
	if (family == 6 && addr_is_linklocal(&a)) {
		memcpy(p + IN6_SCOPE_AT, &scope, sizeof(scope));
	}
	return len;
}

unsigned chan_addr_un(const struct chan_run *run, const struct chan_name *n,
		      void *out)
{
	uint8_t *p = out;

	set_family(p, FAMILY_UN);
	chan_name_encode(run, n, p + FAMILY_LEN);
	return CHAN_ADDR_UN_LEN;
}

bool chan_addr_un_get(const struct chan_run *run, const void *sa, size_t len,
		      struct chan_name *out)
{
	const uint8_t *p = sa;

	memset(out, 0, sizeof(*out));
	if (family_of(p, len) != FAMILY_UN) {
		return false;
	}
	return chan_name_decode(run, p + FAMILY_LEN,
				(unsigned)(len - FAMILY_LEN), out);
}
