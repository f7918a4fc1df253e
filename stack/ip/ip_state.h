/* ip_state.h - what the files of this folder share */
#ifndef IP_IP_STATE_H
#define IP_IP_STATE_H

#include "stack/base/hmap.h"
#include "stack/base/list.h"
#include "stack/base/siphash.h"
#include "stack/ip/ip.h"

#define IP_ECHO_RATE  100 /* replies a second ... */
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
	/* token bucket of echo replies, in nanoseconds of credit */
	bool echo_started;
	nanos echo_credit;
	struct instant echo_at;
	uint64_t count[IP_REASON_N];
};

bool ip_pmtu_init(struct ip *ip);
void ip_pmtu_fini(struct ip *ip);

#endif
