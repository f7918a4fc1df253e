/* Options that are kept and given back, and no more than that
 *
 * Three kinds.  What Linux keeps on a TCP socket without acting on it: a
 * datagram's ancillary data, multicast.  What is advice to a machine's own
 * scheduling: busy polling, priorities, which CPU.  And what cannot be had
 * here, of which only "off" is taken: then nothing is missing.
 *
 * Ranges, defaults and errors are the kernel's.
 */
#include "stack/sock/sock_opt_kept.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "stack/base/check.h"
#include "stack/sock/sock_linux.h"

enum kept_kind {
	KEPT_BOOL,  /* any int; reads as 0 or 1 */
	KEPT_RANGE, /* lo..hi */
	KEPT_BLIND, /* lo..hi, without effect: reads as the default */
	KEPT_OFF,   /* the default; anything else is refused with err */
	KEPT_NEVER, /* not settable: err */
};

#define UNREADABLE INT32_MIN /* as the default: getsockopt() says so */
#define ANY        INT32_MIN, INT32_MAX

struct kept_rule {
	uint8_t level, name, kind, err;
	int32_t dflt;
	int32_t lo, hi;
};

#define S LX_SOL_SOCKET
#define T LX_IPPROTO_TCP
#define I LX_IPPROTO_IP
#define J LX_IPPROTO_IPV6

static const struct kept_rule rules[] = {
	{ S, LX_SO_DEBUG, KEPT_BOOL, 0, 0, ANY },
	{ S, LX_SO_BROADCAST, KEPT_BOOL, 0, 0, ANY },
	{ S, LX_SO_OOBINLINE, KEPT_BOOL, 0, 0, ANY }, /* sock_read_mark() */
	{ S, LX_SO_NO_CHECK, KEPT_BOOL, 0, 0, ANY },
	{ S, LX_SO_PRIORITY, KEPT_RANGE, EPERM, 0, 0, 6 },
	{ S, LX_SO_BSDCOMPAT, KEPT_BLIND, 0, 0, ANY },
	{ S, LX_SO_PEEK_OFF, KEPT_RANGE, EINVAL, -1, ANY },
	{ S, LX_SO_RXQ_OVFL, KEPT_BOOL, 0, 0, ANY },
	{ S, LX_SO_WIFI_STATUS, KEPT_BOOL, 0, 0, ANY },
	{ S, LX_SO_NOFCS, KEPT_BOOL, 0, 0, ANY },
	/* no filter is ever attached: there is nothing to unlock */
	{ S, LX_SO_LOCK_FILTER, KEPT_BOOL, 0, 0, ANY },
	{ S, LX_SO_SELECT_ERR_QUEUE, KEPT_BOOL, 0, 0, ANY },
	{ S, LX_SO_BUSY_POLL, KEPT_RANGE, EINVAL, 0, 0, INT32_MAX },
	{ S, LX_SO_PREFER_BUSY_POLL, KEPT_BOOL, 0, 0, ANY },
	{ S, LX_SO_BUSY_POLL_BUDGET, KEPT_BLIND, EINVAL, UNREADABLE, 0, 65535 },
	{ S, LX_SO_INCOMING_CPU, KEPT_RANGE, EINVAL, -1, ANY },
	{ S, LX_SO_CNX_ADVICE, KEPT_BLIND, 0, UNREADABLE, ANY },
	{ S, LX_SO_RCVMARK, KEPT_BOOL, 0, 0, ANY },
	{ S, LX_SO_RCVPRIORITY, KEPT_BOOL, 0, 0, ANY },
	{ S, LX_SO_DETACH_FILTER, KEPT_NEVER, ENOENT, UNREADABLE, ANY },
	{ S, LX_SO_DETACH_REUSEPORT_BPF, KEPT_NEVER, EINVAL, UNREADABLE, ANY },
	{ S, LX_SO_MARK, KEPT_OFF, EPERM, 0, ANY },
	{ S, LX_SO_TIMESTAMP, KEPT_OFF, ENOPROTOOPT, 0, ANY },
	{ S, LX_SO_TIMESTAMPNS, KEPT_OFF, ENOPROTOOPT, 0, ANY },
	{ S, LX_SO_TIMESTAMPING, KEPT_OFF, ENOPROTOOPT, 0, ANY },
	{ S, LX_SO_TIMESTAMP_NEW, KEPT_OFF, ENOPROTOOPT, 0, ANY },
	{ S, LX_SO_TIMESTAMPNS_NEW, KEPT_OFF, ENOPROTOOPT, 0, ANY },
	{ S, LX_SO_TIMESTAMPING_NEW, KEPT_OFF, ENOPROTOOPT, 0, ANY },
	{ S, LX_SO_ZEROCOPY, KEPT_OFF, ENOPROTOOPT, 0, ANY },
	{ S, LX_SO_TXTIME, KEPT_NEVER, EINVAL, UNREADABLE, ANY },
	{ S, LX_SO_BINDTOIFINDEX, KEPT_OFF, ENODEV, 0, ANY },
	{ S, LX_SO_RESERVE_MEM, KEPT_OFF, EOPNOTSUPP, 0, ANY },
	{ S, LX_SO_NAPI_ID, KEPT_NEVER, ENOPROTOOPT, 0, ANY },
	{ S, LX_SO_PASSCRED, KEPT_OFF, EOPNOTSUPP, 0, ANY },

	{ T, LX_TCP_THIN_DUPACK, KEPT_BLIND, EINVAL, 0, 0, 1 },
	{ T, LX_TCP_REPAIR, KEPT_OFF, EPERM, 0, ANY },
	{ T, LX_TCP_REPAIR_QUEUE, KEPT_NEVER, EPERM, UNREADABLE, ANY },
	{ T, LX_TCP_QUEUE_SEQ, KEPT_NEVER, EPERM, UNREADABLE, ANY },
	{ T, LX_TCP_REPAIR_OPTIONS, KEPT_NEVER, EINVAL, UNREADABLE, ANY },
	{ T, LX_TCP_REPAIR_WINDOW, KEPT_NEVER, EPERM, UNREADABLE, ANY },
	{ T, LX_TCP_TX_DELAY, KEPT_OFF, ENOPROTOOPT, 0, ANY },

	{ I, LX_IP_ROUTER_ALERT, KEPT_NEVER, EINVAL, 0, ANY },
	{ I, LX_IP_RECVOPTS, KEPT_BOOL, 0, 0, ANY },
	{ I, LX_IP_RETOPTS, KEPT_BOOL, 0, 0, ANY },
	{ I, LX_IP_PKTINFO, KEPT_BOOL, 0, 0, ANY },
	{ I, LX_IP_RECVERR, KEPT_OFF, ENOPROTOOPT, 0, ANY },
	{ I, LX_IP_RECVTTL, KEPT_BOOL, 0, 0, ANY },
	{ I, LX_IP_RECVTOS, KEPT_BOOL, 0, 0, ANY },
	{ I, LX_IP_PASSSEC, KEPT_BOOL, 0, 0, ANY },
	{ I, LX_IP_TRANSPARENT, KEPT_OFF, EPERM, 0, ANY },
	{ I, LX_IP_ORIGDSTADDR, KEPT_BOOL, 0, 0, ANY },
	{ I, LX_IP_CHECKSUM, KEPT_BOOL, 0, 0, ANY },
	{ I, LX_IP_RECVFRAGSIZE, KEPT_NEVER, EINVAL, 0, ANY },
	{ I, LX_IP_RECVERR_RFC4884, KEPT_RANGE, EINVAL, 0, 0, 1 },
	{ I, LX_IP_MULTICAST_IF, KEPT_NEVER, EINVAL, 0, ANY },
	{ I, LX_IP_MULTICAST_TTL, KEPT_NEVER, EINVAL, 1, ANY },
	{ I, LX_IP_MULTICAST_LOOP, KEPT_BOOL, 0, 1, ANY },
	{ I, LX_IP_MULTICAST_ALL, KEPT_RANGE, EINVAL, 1, 0, 1 },
	{ I, LX_IP_ADD_MEMBERSHIP, KEPT_NEVER, EPROTO, UNREADABLE, ANY },
	{ I, LX_IP_DROP_MEMBERSHIP, KEPT_NEVER, EPROTO, UNREADABLE, ANY },
	{ I, LX_IP_UNICAST_IF, KEPT_OFF, EADDRNOTAVAIL, 0, ANY },

	{ J, LX_IPV6_2292PKTINFO, KEPT_BOOL, 0, 0, ANY },
	{ J, LX_IPV6_2292HOPOPTS, KEPT_BOOL, 0, 0, ANY },
	{ J, LX_IPV6_2292DSTOPTS, KEPT_BOOL, 0, 0, ANY },
	{ J, LX_IPV6_2292RTHDR, KEPT_BOOL, 0, 0, ANY },
	{ J, LX_IPV6_2292HOPLIMIT, KEPT_BOOL, 0, 0, ANY },
	{ J, LX_IPV6_FLOWINFO, KEPT_BOOL, 0, 0, ANY },
	{ J, LX_IPV6_MULTICAST_IF, KEPT_NEVER, ENOPROTOOPT, 0, ANY },
	{ J, LX_IPV6_MULTICAST_HOPS, KEPT_NEVER, ENOPROTOOPT, 1, ANY },
	{ J, LX_IPV6_MULTICAST_LOOP, KEPT_RANGE, EINVAL, 1, 0, 1 },
	{ J, LX_IPV6_JOIN_GROUP, KEPT_NEVER, EINVAL, UNREADABLE, ANY },
	{ J, LX_IPV6_LEAVE_GROUP, KEPT_NEVER, EINVAL, UNREADABLE, ANY },
	{ J, LX_IPV6_RECVERR, KEPT_OFF, ENOPROTOOPT, 0, ANY },
	{ J, LX_IPV6_MULTICAST_ALL, KEPT_BOOL, 0, 1, ANY },
	{ J, LX_IPV6_ROUTER_ALERT_ISOLATE, KEPT_BOOL, 0, 0, ANY },
	{ J, LX_IPV6_RECVERR_RFC4884, KEPT_RANGE, EINVAL, 0, 0, 1 },
	{ J, LX_IPV6_FLOWINFO_SEND, KEPT_BOOL, 0, 0, ANY },
	{ J, LX_IPV6_RECVPKTINFO, KEPT_BOOL, 0, 0, ANY },
	{ J, LX_IPV6_RECVHOPLIMIT, KEPT_BOOL, 0, 0, ANY },
	{ J, LX_IPV6_RECVHOPOPTS, KEPT_BOOL, 0, 0, ANY },
	{ J, LX_IPV6_RECVRTHDR, KEPT_BOOL, 0, 0, ANY },
	{ J, LX_IPV6_RECVDSTOPTS, KEPT_BOOL, 0, 0, ANY },
	{ J, LX_IPV6_RECVPATHMTU, KEPT_BOOL, 0, 0, ANY },
	{ J, LX_IPV6_DONTFRAG, KEPT_BOOL, 0, 0, ANY },
	{ J, LX_IPV6_RECVTCLASS, KEPT_BOOL, 0, 0, ANY },
	{ J, LX_IPV6_RECVORIGDSTADDR, KEPT_BOOL, 0, 0, ANY },
	{ J, LX_IPV6_TRANSPARENT, KEPT_OFF, EPERM, 0, ANY },
	{ J, LX_IPV6_UNICAST_IF, KEPT_OFF, EADDRNOTAVAIL, 0, ANY },
	{ J, LX_IPV6_RECVFRAGSIZE, KEPT_BOOL, 0, 0, ANY },
};

#undef S
#undef T
#undef I
#undef J

#define N_RULES ARRAY_SIZE(rules)

static_assert(N_RULES <= SOCK_KEPT_MAX, "a value for each");

static const struct kept_rule *find(int level, int name, unsigned *at)
{
	for (unsigned i = 0; i < N_RULES; i++) {
		if (rules[i].level == level && rules[i].name == name) {
			*at = i;
			return &rules[i];
		}
	}
	return NULL;
}

static int taken(const struct kept_rule *r, int v)
{
	switch ((enum kept_kind)r->kind) {
	case KEPT_BOOL:
		return 0;
	case KEPT_RANGE:
	case KEPT_BLIND:
		return v < r->lo || v > r->hi ? r->err : 0;
	case KEPT_OFF:
		return v != r->dflt ? r->err : 0;
	case KEPT_NEVER:
		break;
	}
	return r->err;
}

static bool have(struct sock_kept **kept, struct mem *mem)
{
	if (!*kept) {
		*kept = mem_zalloc(mem, sizeof(**kept));
	}
	return *kept != NULL;
}

int sock_kept_set(struct sock_kept **kept, struct mem *mem, int level, int name,
		  int v)
{
	unsigned at;
	const struct kept_rule *r = find(level, name, &at);
	int err = r ? taken(r, v) : ENOPROTOOPT;

	if (err || r->kind == KEPT_BLIND || r->kind == KEPT_OFF) {
		return err;
	}
	if (!have(kept, mem)) {
		return ENOBUFS;
	}
	(*kept)->set[at / 32] |= 1u << at % 32;
	(*kept)->v[at] = r->kind == KEPT_BOOL ? v != 0 : v;
	return 0;
}

int sock_kept_get(const struct sock_kept *kept, int level, int name, int *v)
{
	unsigned at;
	const struct kept_rule *r = find(level, name, &at);

	if (!r || r->dflt == UNREADABLE) {
		return ENOPROTOOPT;
	}
	*v = kept && (kept->set[at / 32] & 1u << at % 32) ? kept->v[at]
							   : r->dflt;
	return 0;
}

int sock_kept_set_key(struct sock_kept **kept, struct mem *mem, const void *key,
		      uint32_t len)
{
	if (len != LX_TCP_FASTOPEN_KEY_LEN &&
	    len != 2 * LX_TCP_FASTOPEN_KEY_LEN) {
		return EINVAL;
	}
	if (!have(kept, mem)) {
		return ENOBUFS;
	}
	memcpy((*kept)->tfo_key, key, len);
	(*kept)->tfo_key_len = (uint8_t)len;
	return 0;
}

void sock_kept_get_key(const struct sock_kept *kept, void *val, uint32_t *len)
{
	*len = min_u32(*len, kept ? kept->tfo_key_len : 0);
	if (*len) {
		memcpy(val, kept->tfo_key, *len);
	}
}

struct sock_kept *sock_kept_copy(const struct sock_kept *from, struct mem *mem)
{
	struct sock_kept *to = from ? mem_alloc(mem, sizeof(*to)) : NULL;

	if (to) {
		*to = *from;
	}
	return to;
}

struct sock_kept *sock_kept_inherit(const struct sock_kept *from,
				    struct mem *mem)
{
	struct sock_kept *to = sock_kept_copy(from, mem);
	unsigned at;

	/* Linux: of the packets of one socket, and of a listener */
	if (to && find(LX_SOL_SOCKET, LX_SO_PRIORITY, &at)) {
		to->set[at / 32] &= ~(1u << at % 32);
		to->tfo_key_len = 0;
	}
	return to;
}

void sock_kept_free(struct sock_kept **kept, struct mem *mem)
{
	mem_free(mem, *kept, sizeof(**kept));
	*kept = NULL;
}
