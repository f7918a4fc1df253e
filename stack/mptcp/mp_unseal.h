/* mp_unseal.h - the sealed stream that comes (smtcp(7), Mappings, Receiver)
 *
 * Under Multipath TCP a mapping is verified as one subflow brought it, before
 * its octets count at the data level; what was verified is ordered by the
 * frames' offsets, still framed, and stripped when it is in order.  On a single
 * TCP stream frames are verified as they come.
 */
#ifndef MPTCP_MP_UNSEAL_H
#define MPTCP_MP_UNSEAL_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/list.h"
#include "stack/base/pkt.h"
#include "stack/base/time.h"

struct mp_conn;
struct mp_sub;
struct mp_map;

struct mp_unseal {
	uint32_t hdr, data, tag; /* octets left of the frame being stripped */
	uint8_t buf[4];          /* its header so far */
	uint8_t n_buf;
	uint64_t init_end; /* stream offset behind the peer's Init */
	bool fin;          /* a FINp frame was verified */
	uint64_t fin_end;  /* ... and ends here */
	bool fin_hint;     /* a DATA_FIN was announced early */
	uint64_t fin_hint_off;
	struct list single; /* single stream: octets of a frame so far */
	uint32_t single_len;
};

void mp_unseal_init(struct mp_conn *c); /* at birth, sealed or not */
void mp_unseal_fini(struct mp_conn *c);

enum mp_unseal_status {
	MP_UNSEAL_OK,   /* whole and verified */
	MP_UNSEAL_WAIT, /* octets are missing */
	MP_UNSEAL_GONE, /* the subflow, or the connection, is gone */
};

/* Verifies, in the slices held by s, the mapping m: Init or whole frames. */
enum mp_unseal_status mp_unseal_map(struct mp_sub *s, struct instant now,
				    struct mp_map *m);
/* Takes over sl, verified octets in order of the stream; appends slices of
 * plain data to q and returns their octets. */
uint64_t mp_unseal_strip(struct mp_conn *c, struct instant now,
			 struct slice *sl, struct list *q);
/* Single TCP stream: takes over sl, the next octets. */
void mp_unseal_single(struct mp_conn *c, struct instant now, struct slice *sl);
/* May the stream end at off, as DATA_FIN or FIN says? */
bool mp_unseal_end(struct mp_conn *c, uint64_t off);

#endif
