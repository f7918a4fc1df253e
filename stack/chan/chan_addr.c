#include "stack/chan/chan_addr.h"

#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

/* RFC 2133's structure, before sin6_scope_id */
#define SIN6_LEN_MIN 24

bool chan_addr_get(const struct sockaddr *sa, socklen_t len,
		   struct endpoint *out, uint32_t *scope)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6 = { 0 };

	if (scope) {
		*scope = 0;
	}
	memset(out, 0, sizeof(*out));
	if (!sa || len < sizeof(sa->sa_family)) {
		return false;
	}
	if (sa->sa_family == AF_INET && len >= sizeof(in)) {
		memcpy(&in, sa, sizeof(in));
		*out = endpoint_make(addr_from(4, &in.sin_addr),
				     ntohs(in.sin_port));
		return true;
	}
	if (sa->sa_family == AF_INET6 && len >= SIN6_LEN_MIN) {
		memcpy(&in6, sa, len < sizeof(in6) ? len : sizeof(in6));
		*out = endpoint_make(addr_from(6, &in6.sin6_addr),
				     ntohs(in6.sin6_port));
		if (scope) {
			*scope = in6.sin6_scope_id;
		}
		return true;
	}
	return false;
}

socklen_t chan_addr_put(const struct endpoint *e, uint8_t family,
			uint32_t scope, struct sockaddr_storage *out)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct addr a = family == 6 ? addr_map(e->addr) : addr_unmap(e->addr);

	memset(out, 0, sizeof(*out));
	if (family != 6) {
		in.sin_port = htons(e->port);
		if (a.family == 4) {
			memcpy(&in.sin_addr, a.b, sizeof(in.sin_addr));
		}
		memcpy(out, &in, sizeof(in));
		return sizeof(in);
	}
	in6.sin6_port = htons(e->port);
	if (a.family == 6) {
		memcpy(&in6.sin6_addr, a.b, sizeof(in6.sin6_addr));
	}
	if (addr_is_linklocal(&a)) {
		in6.sin6_scope_id = scope;
	}
	memcpy(out, &in6, sizeof(in6));
	return sizeof(in6);
}

socklen_t chan_addr_un(const struct chan_run *run, const struct chan_name *n,
		       struct sockaddr_un *out)
{
	uint8_t name[CHAN_NAME_LEN];

	memset(out, 0, sizeof(*out));
	out->sun_family = AF_UNIX;
	chan_name_encode(run, n, name);
	memcpy(out->sun_path, name, sizeof(name));
	return offsetof(struct sockaddr_un, sun_path) + CHAN_NAME_LEN;
}

bool chan_addr_un_get(const struct chan_run *run, const struct sockaddr *sa,
		      socklen_t len, struct chan_name *out)
{
	const size_t head = offsetof(struct sockaddr_un, sun_path);

	memset(out, 0, sizeof(*out));
	if (!sa || len < head || sa->sa_family != AF_UNIX) {
		return false;
	}
	return chan_name_decode(run, (const char *)sa + head,
				(unsigned)(len - head), out);
}
