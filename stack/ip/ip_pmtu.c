/* Path MTU cache (RFC 1191, 8201, 4821): learnt values per path and destination,
 * at most IP_PMTU_MAX of them; each is forgotten after IP_PMTU_LIFE, so that
 * a path that became wider is found again.
 */
#include <string.h>

#include "stack/base/check.h"
#include "stack/ip/ip_state.h"

struct entry {
	struct hnode node;
	struct list age;
	struct addr dst;
	unsigned path;
	uint16_t mtu; /* by ICMP, until then; 0: nothing */
	struct instant until;
	uint16_t low, high; /* by probes; low 0: nothing */
	struct instant high_until;
};

/* RFC 1191 7.1, for routers that do not say what fits */
static const uint16_t plateau[] = { 65535, 32000, 17914, 8166, 4352, 2002,
				    1492,  1006,  508,   296,  68 };

bool ip_pmtu_init(struct ip *ip)
{
	struct ip_pmtu *c = &ip->pmtu;

	c->key.k0 = entropy_u64(&ip->env.entropy);
	c->key.k1 = entropy_u64(&ip->env.entropy);
	list_init(&c->age);
	return hmap_init(&c->map, ip->env.mem, IP_PMTU_MAX);
}

static void entry_free(struct ip *ip, struct entry *e)
{
	hmap_del(&ip->pmtu.map, &e->node);
	list_del(&e->age);
	mem_free(ip->env.mem, e, sizeof(*e));
}

void ip_pmtu_fini(struct ip *ip)
{
	struct list *n;

	while ((n = list_first(&ip->pmtu.age)) != NULL) {
		entry_free(ip, list_entry(n, struct entry, age));
	}
	hmap_fini(&ip->pmtu.map);
}

static uint64_t hash_of(const struct ip *ip, unsigned path,
			const struct addr *dst)
{
	uint8_t k[17];

	memcpy(k, dst->b, 16);
	k[16] = (uint8_t)(path << 4 | dst->family);
	return siphash13(&ip->pmtu.key, k, sizeof(k));
}

static struct entry *find(const struct ip *ip, unsigned path,
			  const struct addr *dst)
{
	struct hnode *n = hmap_find(&ip->pmtu.map, hash_of(ip, path, dst));

	for (; n; n = hmap_find_next(n)) {
		struct entry *e = container_of(n, struct entry, node);

		if (e->path == path && addr_eq(&e->dst, dst)) {
			return e;
		}
	}
	return NULL;
}

uint16_t ip_mtu(const struct ip *ip, unsigned path, const struct addr *dst,
		struct instant now)
{
	const struct ip_path *p = ip_path(ip, path);
	const struct entry *e;

	if (!p) {
		return dst->family == 6 ? IP6_MTU_MIN : IP4_MTU_MIN;
	}
	e = find(ip, path, dst);
	if (!e || e->mtu == 0 || instant_due(e->until, now) ||
	    e->mtu > p->mtu) {
		return p->mtu;
	}
	return e->mtu;
}

static struct entry *entry_make(struct ip *ip, unsigned path,
				const struct addr *dst)
{
	struct ip_pmtu *c = &ip->pmtu;
	struct list *oldest = list_first(&c->age);
	struct entry *e;

	if (oldest && c->map.n >= IP_PMTU_MAX) {
		entry_free(ip, list_entry(oldest, struct entry, age));
	}
	e = mem_zalloc(ip->env.mem, sizeof(*e));
	if (!e) {
		return NULL;
	}
	e->dst = *dst;
	e->path = path;
	list_init(&e->age);
	if (!hmap_add(&c->map, &e->node, hash_of(ip, path, dst))) {
		mem_free(ip->env.mem, e, sizeof(*e));
		return NULL;
	}
	return e;
}

/* found or made, and the youngest now */
static struct entry *entry_get(struct ip *ip, unsigned path,
			       const struct addr *dst)
{
	struct entry *e = find(ip, path, dst);

	e = e ? e : entry_make(ip, path, dst);
	if (e) {
		list_del(&e->age);
		list_push_back(&ip->pmtu.age, &e->age);
	}
	return e;
}

uint16_t ip_mtu_plateau(uint16_t was)
{
	for (unsigned i = 0; i < ARRAY_SIZE(plateau); i++) {
		if (plateau[i] < was) {
			return plateau[i];
		}
	}
	return plateau[ARRAY_SIZE(plateau) - 1];
}

bool ip_mtu_lower(struct ip *ip, unsigned path, const struct addr *dst,
		  uint16_t mtu, uint16_t was, struct instant now)
{
	uint16_t least = dst->family == 6 ? IP6_MTU_MIN : IP4_MTU_MIN;
	struct entry *e;

	if (!ip_path(ip, path)) {
		return false;
	}
	if (mtu == 0) {
		mtu = ip_mtu_plateau(was);
	} else if (mtu < (dst->family == 6 ? IP6_MTU_MIN : IP4_MTU_LEAST)) {
		return false; /* RFC 8201 4, RFC 5927 7.2 */
	}
	/* a forged report must not push us into tiny segments (RFC 5927 7) */
	mtu = mtu < least ? least : mtu;
	if (mtu >= ip_mtu(ip, path, dst, now)) {
		return false;
	}
	e = entry_get(ip, path, dst);
	if (!e) {
		return false;
	}
	e->mtu = mtu;
	e->until = instant_add(now, IP_PMTU_LIFE);
	ip_count(ip, IP_PMTU_LOWERED);
	return true;
}

uint32_t ip_mtu_news(const struct ip *ip)
{
	return (uint32_t)ip->count[IP_PMTU_LOWERED];
}

void ip_mtu_keep(struct ip *ip, unsigned path, const struct addr *dst,
		 uint16_t low, uint16_t high, struct instant now)
{
	const struct ip_path *p = ip_path(ip, path);
	struct entry *e;

	if (!p) {
		return;
	}
	if (low >= p->mtu) {
		e = find(ip, path, dst);
		if (e) {
			e->low = 0;
		}
		return;
	}
	e = entry_get(ip, path, dst);
	if (e) {
		e->low = low;
		e->high = high;
		e->high_until = instant_add(now, IP_PMTU_LIFE);
	}
}

bool ip_mtu_found(const struct ip *ip, unsigned path, const struct addr *dst,
		  struct instant now, uint16_t *low, uint16_t *high)
{
	const struct ip_path *p = ip_path(ip, path);
	const struct entry *e = p ? find(ip, path, dst) : NULL;

	if (!e || e->low == 0 || e->low >= p->mtu) {
		return false;
	}
	*low = e->low;
	*high = instant_due(e->high_until, now) ? p->mtu : e->high;
	return true;
}
