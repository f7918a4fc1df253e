#include "stack/ip/ip.h"

#include "stack/base/check.h"
#include "stack/base/reasons.h"
#include "stack/ip/ip_state.h"

static const struct reason reasons[] = { IP_REASONS(REASON) };

const char *ip_reason_name(enum ip_reason r)
{
	return (unsigned)r < IP_REASON_N ? reasons[r].name : "IpUnknown";
}

const char *ip_reason_text(enum ip_reason r)
{
	return (unsigned)r < IP_REASON_N ? reasons[r].text : "unknown";
}

struct ip *ip_new(const struct env *env)
{
	struct ip *ip = mem_zalloc(env->mem, sizeof(*ip));

	if (!ip) {
		return NULL;
	}
	ip->env = *env;
	ip_frag_init(&ip->frag, env->mem);
	if (!ip_pmtu_init(ip)) {
		mem_free(env->mem, ip, sizeof(*ip));
		return NULL;
	}
	return ip;
}

void ip_free(struct ip *ip)
{
	if (!ip) {
		return;
	}
	ip_pmtu_fini(ip);
	ip_frag_fini(&ip->frag);
	mem_free(ip->env.mem, ip, sizeof(*ip));
}

void ip_count(struct ip *ip, enum ip_reason r)
{
	check((unsigned)r < IP_REASON_N);
	ip->count[r]++;
}

uint64_t ip_counter(const struct ip *ip, enum ip_reason r)
{
	check((unsigned)r < IP_REASON_N);
	return ip->count[r];
}
