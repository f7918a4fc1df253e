/* mp_seal.h - the sealed stream that leaves (smtcp(7), Frames and Mappings)
 *
 * The program writes into `stage`.  When a subflow can take a burst, as much as
 * fits is sealed from there into snd.ring, as whole frames, and becomes one
 * mapping.  What is in snd.ring never changes: it is what retransmission and
 * reinjection send.  Offsets in struct mp_snd count the sealed stream.
 */
#ifndef MPTCP_MP_SEAL_H
#define MPTCP_MP_SEAL_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/ring.h"
#include "stack/base/time.h"
#include "stack/mptcp/mp_frames.h"

struct mp_conn;

#define MP_SEAL_FRAME_MAX 16384u /* header and tag included */
#define MP_SEAL_OVERHEAD  20u
/* with less room than this no frame is made */
#define MP_SEAL_ROOM_MIN 64u

struct mp_seal {
	struct ring stage;       /* offsets count the program's octets */
	struct mp_frames frames; /* of snd.ring, from snd.una on */
	bool init_in;            /* our Init is in the ring */
	uint64_t init_end;       /* ... up to here */
	bool fin;                /* FINp is sealed: nothing follows */
	bool urgent;             /* the octet before urgent_at is urgent */
	uint64_t urgent_at;
	uint32_t quarter; /* of the largest window offered so far */
};

void mp_seal_start(struct mp_conn *c); /* SEALED was decided */
void mp_seal_fini(struct mp_conn *c);
/* Octets that the stream would have if all that waits were sealed now: data,
 * a confirming or rekeying frame, FINp; 0 before there are keys. */
uint64_t mp_seal_waiting(const struct mp_conn *c);
/* Puts our Init message into the ring when there is one and it is not there
 * yet.  false: no memory */
bool mp_seal_init(struct mp_conn *c);
/* Seals at most most octets of stream (frames included) to the ring's tail;
 * the octets made, 0: none.  Whole frames only. */
uint32_t mp_seal_fill(struct mp_conn *c, struct instant now, uint32_t most);
/* the program's octets not yet acknowledged by the peer */
uint64_t mp_seal_pending(const struct mp_conn *c);

#endif
