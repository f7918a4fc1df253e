#include "stack/engine/app.h"

static bool excluded(const struct engine *e, const struct addr *a)
{
	for (unsigned i = 0; i < e->n_exclude; i++) {
		if (addr_in_net(a, &e->exclude[i].addr, e->exclude[i].bits)) {
			return true;
		}
	}
	return false;
}

enum app_scope app_scope_bind(const struct engine *e, const struct addr *a)
{
	struct addr u = addr_unmap(*a);

	if (addr_is_any(&u)) {
		/* ::ffff:0.0.0.0 is IPv4's wildcard on an IPv6 socket */
		return APP_SCOPE_BOTH;
	}
	if (addr_is_loopback(&u) || excluded(e, &u)) {
		return APP_SCOPE_KERNEL;
	}
	return APP_SCOPE_CORE;
}

enum app_scope app_scope_connect(const struct engine *e, const struct addr *a)
{
	struct addr u = addr_unmap(*a);

	if (addr_is_any(&u) || addr_is_loopback(&u) || excluded(e, &u)) {
		return APP_SCOPE_KERNEL;
	}
	return APP_SCOPE_CORE;
}
