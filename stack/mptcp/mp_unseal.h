/* mp_unseal.h - the sealed stream that comes (smtcp(7), Mappings, Receiver)
 *
 * Under Multipath TCP a mapping is verified as one subflow brought it, before
 * its octets count at the data level; what was verified is ordered by the
 * frames' offsets, still framed, and stripped when it is in order.  On a single
 * TCP stream frames are verified as they come.
 *
 * What of a mapping is here already is neither opened nor taken: octets opened
 * in place are no ciphertext any more, and the other way round.
 */
#ifndef MPTCP_MP_UNSEAL_H
#define MPTCP_MP_UNSEAL_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/list.h"
#include "stack/base/pkt.h"
#include "stack/base/time.h"
#include "stack/mptcp/mp_cut.h"
#include "stack/mptcp/mp_strip.h"

struct mp_conn;
struct mp_sub;
struct mp_map;

/* Octets of stream that can be held, at least: the longest frame of plain
 * tcpcrypt (RFC 8548 4.2), more than SMTCP's 65,535, must fit. */
#define MP_UNSEAL_WINDOW (1u << 17)

struct mp_unseal {
	struct mp_strip strip; /* where rcv.nxt is inside a frame */
	struct mp_cut single;  /* single stream: octets not verified yet */
	bool fin;              /* a FINp frame was verified */
	uint64_t fin_end;      /* ... and ends here */
	bool eof;              /* ... and all before it was delivered */
	bool fin_hint;         /* a DATA_FIN came before its FINp */
	uint64_t fin_hint_off;
};

/* encryption is asked for: false is "no memory" */
bool mp_unseal_new(struct mp_conn *c);
void mp_unseal_fini(struct mp_conn *c); /* CLEAR, or over */

enum mp_unseal_status {
	MP_UNSEAL_OK,   /* dealt with: nothing of it is held any more */
	MP_UNSEAL_WAIT, /* there are no keys yet */
	MP_UNSEAL_GONE, /* the subflow, or the connection, is gone */
};

/* Verifies, in the slices held by s, the mapping m, of which all octets are
 * there: Init or whole frames; what is new of it goes to mp_rx_verified(). */
enum mp_unseal_status mp_unseal_map(struct mp_sub *s, struct instant now,
				    struct mp_map *m);
/* Single TCP stream: takes over sl, the next octets. */
void mp_unseal_single(struct mp_sub *s, struct instant now, struct slice *sl);
/* Does the stream end at off, as DATA_FIN or FIN says? */
bool mp_unseal_end(struct mp_conn *c, uint64_t off);

#endif
