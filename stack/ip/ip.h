/* ip.h - the network layer as seen from above: paths, sources, path MTU,
 * and what an arriving packet is
 *
 * A path is a device with the stack's own addresses on it and a way out.  The
 * index of a path is the `dev` of every packet that came or goes through it.
 */
#ifndef IP_IP_H
#define IP_IP_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/addr.h"
#include "stack/base/env.h"
#include "stack/base/pkt.h"
#include "stack/base/time.h"
#include "stack/wire/icmp_msg.h"
#include "stack/wire/ip_hdr.h"

#define IP_PATHS_MAX      8
#define IP_PATH_ADDRS_MAX 4
#define IP_PMTU_MAX       1024 /* cached destinations, oldest replaced */
#define IP_PMTU_LIFE      (600 * NANOS_S) /* RFC 1191 6.3, RFC 8201 5.3 */
#define IP4_MTU_MIN       552 /* an ICMP error may not push below (RFC 5927) */
#define IP4_MTU_LEAST     68  /* what every IPv4 link has (RFC 791 3.2) */
#define IP6_MTU_MIN       1280

/* why a packet did not reach a transport: enum, counter name, sentence */
#define IP_REASONS(X)                                                          \
	X(IP_IN, "IpInReceives", "packets read from a device")                \
	X(IP_OUT, "IpOutRequests", "packets written to a device")             \
	X(IP_DROP_SHORT, "IpDropShort",                                       \
	  "packet shorter than its header or than it says")                  \
	X(IP_DROP_VERSION, "IpDropVersion", "neither IPv4 nor IPv6")          \
	X(IP_DROP_LENGTH, "IpDropLength", "impossible header or total length") \
	X(IP_DROP_CKSUM, "IpDropCsum", "IPv4 header checksum wrong")          \
	X(IP_DROP_FRAGMENT, "IpDropFragment",                                 \
	  "a fragment, and --fragments=drop")                                \
	X(IP_REASM_REQDS, "IpReasmReqds", "fragments to be put together")     \
	X(IP_REASM_OKS, "IpReasmOKs", "packets put together from fragments")  \
	X(IP_REASM_FAILS, "IpReasmFails",                                     \
	  "fragments, or packets in fragments, that were given up")          \
	X(IP_REASM_OVERLAPS, "IpExtReasmOverlaps",                            \
	  "packets given up since fragments overlapped")                     \
	X(IP_REASM_TIMEOUT, "IpReasmTimeout",                                 \
	  "packets given up since fragments did not come in time")           \
	X(IP_DROP_ROUTE, "IpDropSourceRoute", "IPv4 source route option")     \
	X(IP_DROP_EXT, "IpDropExtHdr",                                        \
	  "IPv6 extension header malformed, unknown or one too many")        \
	X(IP_DROP_ADDR, "IpDropAddr", "destination is no address of the path") \
	X(IP_DROP_SOURCE, "IpDropSource",                                     \
	  "source is multicast, unspecified, loopback or ourselves")         \
	X(IP_DROP_PROTO, "IpDropProto", "neither TCP nor ICMP")               \
	X(IP_DROP_ICMP, "IpDropIcmp", "ICMP truncated or checksum wrong")     \
	X(IP_DROP_ICMP_OTHER, "IpDropIcmpOther",                              \
	  "ICMP message that is neither an error nor an echo request")       \
	X(IP_DROP_ICMP_QUOTE, "IpDropIcmpQuote",                              \
	  "ICMP error about no connection of ours, or an implausible one")   \
	X(IP_ICMP_IN, "IcmpInErrs", "ICMP errors handed to a connection")     \
	X(IP_ICMP_ECHO, "IcmpOutEchoReps", "echo requests answered")          \
	X(IP_ICMP_LIMIT, "IcmpOutRateLimit",                                  \
	  "echo replies held back: too many, too long, or no memory")        \
	X(IP_ICMP_ERR_OUT, "IcmpOutErrors", "ICMP errors sent")               \
	X(IP_PMTU_LOWERED, "IpPmtuLowered", "path MTU lowered by an ICMP error") \
	X(IP_NO_ROUTE, "IpOutNoRoutes", "no path reaches that destination")

enum ip_reason {
#define X(id, name, text) id,
	IP_REASONS(X)
#undef X
		IP_REASON_N
};

const char *ip_reason_name(enum ip_reason r);
const char *ip_reason_text(enum ip_reason r);

struct ip_path {
	bool used;
	bool up;
	bool backup;       /* carries data only while no other path does */
	bool csum_offload; /* packets may leave with a partial checksum */
	bool gso;          /* ... and larger than the MTU, TCP only */
	uint16_t mtu;
	uint8_t n_addr;
	struct addr addr[IP_PATH_ADDRS_MAX];
	uint8_t bits[IP_PATH_ADDRS_MAX]; /* prefix length of the on-link net */
	char name[16];
};

struct ip; /* private: paths, PMTU cache, counters */

struct ip *ip_new(const struct env *env);
void ip_free(struct ip *ip);

/* index of the new path, or -1: table full, no address, or a bad MTU */
int ip_path_add(struct ip *ip, const struct ip_path *p);
/* NULL when there is no such path */
const struct ip_path *ip_path(const struct ip *ip, unsigned path);
void ip_path_set_up(struct ip *ip, unsigned path, bool up);
void ip_path_set_backup(struct ip *ip, unsigned path, bool backup);

/* The path that owns this address, or -1 */
int ip_path_of(const struct ip *ip, const struct addr *a);
/* Can this be the address of somebody else: one host's, and not ours?  (RFC
 * 1122 3.2.1.3, RFC 9293 MUST-46, MUST-63) */
bool ip_is_peer(const struct ip *ip, const struct addr *a);
/* The path's source address for a destination, of the same family; NULL when
 * the path has none of that family or is down */
const struct addr *ip_source(const struct ip *ip, unsigned path,
			     const struct addr *dst);
/* The path for a new connection: one whose on-link net holds dst, else the
 * first that is up, not backup and has the family, else a backup one; -1 */
int ip_route(const struct ip *ip, const struct addr *dst);

/* Current MTU towards dst by that path: the device's, or lower if learnt */
uint16_t ip_mtu(const struct ip *ip, unsigned path, const struct addr *dst,
		struct instant now);
/* An ICMP error, already matched to a connection by the caller, says that mtu
 * is the most that goes (0: unknown, RFC 1191 plateau below `was`).  Clamped
 * to the minimum of the family; what no link of the family has is discarded.
 * True when the cached value went down. */
bool ip_mtu_lower(struct ip *ip, unsigned path, const struct addr *dst,
		  uint16_t mtu, uint16_t was, struct instant now);

/* How often that was true of any: whoever remembers another number asks again.
 * So nobody has to look for all whom an ICMP error concerns. */
uint32_t ip_mtu_news(const struct ip *ip);

/* the next usual MTU below one that is too much (RFC 1191 7.1) */
uint16_t ip_mtu_plateau(uint16_t was);

/* What probes without ICMP found out (RFC 4821 5.1), for the next connection
 * that goes there: packets of low octets pass, above high none is hoped to.
 * After IP_PMTU_LIFE high is that of the device again: it may have become
 * wider.  low of the whole device forgets it. */
void ip_mtu_keep(struct ip *ip, unsigned path, const struct addr *dst,
		 uint16_t low, uint16_t high, struct instant now);
bool ip_mtu_found(const struct ip *ip, unsigned path, const struct addr *dst,
		  struct instant now, uint16_t *low, uint16_t *high);

enum ip_kind {
	IP_KIND_DROP, /* counted; nothing left to do */
	IP_KIND_TCP,
	IP_KIND_ICMP_ERROR, /* icmp.body quotes the packet it is about */
	IP_KIND_ECHO,       /* the caller may answer with ip_echo_reply() */
	IP_KIND_FRAGMENT,   /* for ip_reassemble() */
	IP_KIND_REFUSED,    /* counted; the caller may answer with ip_refuse() */
};

struct ip_in {
	struct ip_hdr hdr;
	struct icmp_msg icmp; /* of the two ICMP kinds */
};

/* What is this packet?  Validates everything up to the transport header and
 * counts.  pkt->dev must name a path. */
enum ip_kind ip_input(struct ip *ip, const struct pkt *pkt, struct ip_in *out);

/* Fragments are dropped instead of kept for ip_reassemble(). */
void ip_drop_fragments(struct ip *ip);
/* A fragment, of which ip_input() said so.  A packet with one reference: the
 * whole, to be given to ip_input().  NULL: it waits for the others, or is
 * dropped and counted; *refused: the caller may answer with ip_refuse(). */
struct pkt *ip_reassemble(struct ip *ip, struct instant now,
			  const struct pkt *pkt, struct ip_in *in,
			  bool *refused);
/* When ip_expire() is due, INSTANT_NEVER: not. */
struct instant ip_deadline(const struct ip *ip);
/* Gives up one packet whose fragments did not come in time; false: there is
 * none.  True: *out has an ICMP error about it if out->len is not 0. */
bool ip_expire(struct ip *ip, struct instant now, struct pkt_out *out,
	       uint8_t *buf, uint32_t buf_len);

/* Writes the ICMP error that tells the sender of pkt why it was not taken
 * (parameter problem, protocol unreachable); false: it is not to be told, or
 * the rate is reached.  buf as for ip_echo_reply(), IP_ERROR_LEN do. */
#define IP_ERROR_LEN 1280
bool ip_refuse(struct ip *ip, const struct pkt *pkt, const struct ip_in *in,
	       struct instant now, struct pkt_out *out, uint8_t *buf,
	       uint32_t buf_len);

/* Writes an echo reply into out; false: rate-limited (token bucket, 100 a
 * second) or longer than buf.  The payload is copied into buf, which must
 * live as long as out. */
bool ip_echo_reply(struct ip *ip, const struct ip_in *in, unsigned path,
		   struct instant now, struct pkt_out *out, uint8_t *buf,
		   uint32_t buf_len);

void ip_count(struct ip *ip, enum ip_reason r);
uint64_t ip_counter(const struct ip *ip, enum ip_reason r);

#endif
