/* ip_state.h - what the files of this folder share */
#ifndef IP_IP_STATE_H
#define IP_IP_STATE_H

#include "stack/base/hmap.h"
#include "stack/base/list.h"
#include "stack/base/siphash.h"
#include "stack/ip/ip.h"
#include "stack/ip/ip_frag.h"

#define IP_ECHO_RATE  100 /* echo replies and errors a second ... */
#define IP_ECHO_BURST 100 /* ... and at once after a pause */

struct ip_pmtu {
	struct hmap map;
	struct list age; /* oldest first */
	struct siphash_key key;
};

struct ip {
	struct env env;
	struct ip_path path[IP_PATHS_MAX];
	struct ip_pmtu pmtu;
	struct ip_frag frag;
	bool no_frags;
	/* token bucket of ICMP messages, in nanoseconds of credit */
	bool echo_started;
	nanos echo_credit;
	struct instant echo_at;
	uint64_t count[IP_REASON_N];
};

bool ip_pmtu_init(struct ip *ip);
void ip_pmtu_fini(struct ip *ip);
/* one ICMP message may leave now */
bool ip_icmp_token(struct ip *ip, struct instant now);
/* out: the message in buf as the body of a packet with this header */
void ip_icmp_out(struct pkt_out *out, unsigned path, const struct ip_hdr *h,
		 uint8_t *buf, uint32_t len);

#endif
