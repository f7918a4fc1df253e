/* chan_name.h - abstract AF_UNIX names: the identity of every descriptor
 *
 * All sockets of a run have binary abstract names (sun_path[0] is NUL) of
 * CHAN_NAME_LEN octets:
 *
 *   NUL "mptcprun" run(8) kind(1) family(1) id(8)
 *   local addr(16) port(2) remote addr(16) port(2) tag(8)
 *
 * big-endian; tag = SipHash-2-4 of what is before it under the run's secret,
 * so a name cannot be made up by who does not know the secret.
 *
 *   CTL   the stack's SOCK_SEQPACKET listener for requests
 *   DATA  the stack's SOCK_STREAM listener that client sockets connect to:
 *         connected by the stack while it handles CHAN_OP_CONNECT, or by the
 *         shim, and then CHAN_OP_BEGIN is what they say first
 *   SOCK  an application's socket, made by socket(); id is random; addresses
 *         zero.  A listener keeps it, and an accepted socket inherits it as
 *         its own name (getsockname)
 *   CONN  the stack's end of an accepted connection: what getpeername shows
 *         on an accepted descriptor; holds both INET addresses; id names the
 *         connection in requests
 */
#ifndef CHAN_CHAN_NAME_H
#define CHAN_CHAN_NAME_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/addr.h"

#define CHAN_NAME_LEN    71 /* leading NUL included */
#define CHAN_SECRET_LEN  16

enum chan_kind {
	CHAN_KIND_CTL = 1,
	CHAN_KIND_DATA = 2,
	CHAN_KIND_SOCK = 3,
	CHAN_KIND_CONN = 4,
};

struct chan_run {
	uint64_t id;
	uint8_t secret[CHAN_SECRET_LEN];
};

struct chan_name {
	uint8_t kind;
	uint8_t family; /* 4 or 6: what the program asked socket() for; 0 */
	uint64_t id;
	struct endpoint local, remote; /* CONN; may be IPv4 on family 6:
					  then IPv4-mapped on the wire */
};

void chan_name_encode(const struct chan_run *run, const struct chan_name *n,
		      uint8_t out[CHAN_NAME_LEN]);
/* p, n: sun_path and its length as the kernel returns it.  False: not a name
 * of this run, or the tag is wrong. */
bool chan_name_decode(const struct chan_run *run, const void *p, unsigned n,
		      struct chan_name *out);

/* The environment's form of a run: MPTCP_RUN_ID="<16 hex>:<32 hex>" */
#define CHAN_RUN_TEXT 50
void chan_run_text(const struct chan_run *run, char out[CHAN_RUN_TEXT]);
bool chan_run_parse(const char *text, struct chan_run *out);

#endif
