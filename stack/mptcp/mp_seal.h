/* mp_seal.h - the sealed stream that leaves (smtcp(7), Frames and Mappings)
 *
 * The program writes into `stage`.  When a subflow can take a burst, as much as
 * fits is sealed from there into snd.ring, as whole frames, and becomes one
 * mapping.  What is in snd.ring never changes: it is what retransmission and
 * reinjection send.  Offsets in struct mp_snd count the sealed stream.
 *
 * Frames are sealed late, when they can leave, because their place in the
 * stream and their keys are part of them: what waits in stage can still become
 * larger frames, or be sealed with newer keys.
 */
#ifndef MPTCP_MP_SEAL_H
#define MPTCP_MP_SEAL_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/bytes.h"
#include "stack/base/ring.h"
#include "stack/base/time.h"
#include "stack/mptcp/mp_frames.h"

struct mp_conn;

#define MP_SEAL_FRAME_MAX 16384u /* header and tag included */
#define MP_SEAL_OVERHEAD  20u
#define MP_SEAL_URGENT    2u /* more, when the frame names urgent data */
#define MP_SEAL_ROOM_MIN 64u /* smaller frames are not worth it */

struct mp_seal {
	struct ring stage;       /* offsets count the program's octets */
	struct mp_frames frames; /* of snd.ring, from snd.una on */
	bool init_in;            /* our Init is in the ring */
	uint64_t init_end;       /* ... up to here; 0: there is none */
	bool held;               /* the first frame waits: MP_T_FIRST */
	bool fin;                /* FINp is sealed: nothing follows */
	bool urgent;             /* the octet before urgent_at is urgent */
	uint64_t urgent_at;
	uint32_t quarter; /* of the largest window offered so far */
};

/* encryption is asked for: false is "no memory" */
bool mp_seal_new(struct mp_conn *c);
/* SEALED was decided.  What was written before, if anything, waits in stage */
void mp_seal_start(struct mp_conn *c);
void mp_seal_fini(struct mp_conn *c); /* CLEAR, or over */
/* Keyed at once, by a secret: the first frame would leave without data, before
 * the program knows that it may write, and what host A's writes then would have
 * to wait for B (smtcp(7), Init messages).  So it is held back a little. */
void mp_seal_hold(struct mp_conn *c, struct instant now);

/* --- the program's side ------------------------------------------------- */

/* see mp_write_vec() and mp_write_room() */
uint32_t mp_seal_room(const struct mp_conn *c);
unsigned mp_seal_space(struct mp_conn *c, uint32_t want, struct iov_mut v[2]);
void mp_seal_written(struct mp_conn *c, uint32_t n);
/* the last octet written is urgent */
void mp_seal_urgent(struct mp_conn *c);
/* the program's octets not yet acknowledged by the peer */
uint64_t mp_seal_pending(const struct mp_conn *c);

/* --- sealing -------------------------------------------------------------- */

/* the peer offers this many octets */
void mp_seal_window(struct mp_conn *c, uint32_t wnd);
/* a frame is wanted now, also without data: the first one, an answer to a
 * rekeying, FINp */
bool mp_seal_due(const struct mp_conn *c);
/* something could be sealed now; false before there are keys */
bool mp_seal_ready(const struct mp_conn *c);
/* something is still to be sealed, now or later */
bool mp_seal_unfinished(const struct mp_conn *c);
/* Octets that the stream would have if all that waits were sealed now; seg: a
 * full segment's payload, as long as which a frame may always be.  0: nothing
 * waits, or not ready. */
uint64_t mp_seal_waiting(const struct mp_conn *c, uint32_t seg);
/* with less room than this no frame is made, unless it takes all that waits */
uint32_t mp_seal_need(const struct mp_conn *c);
/* Puts our Init message into the ring when there is one and it is not there
 * yet.  false: no memory */
bool mp_seal_init(struct mp_conn *c);
/* Seals at most `most` octets of stream (frames included) to the ring's tail;
 * the octets made, 0: none.  Whole frames only.  The connection has ended
 * afterwards when libcrypto fails. */
uint32_t mp_seal_fill(struct mp_conn *c, struct instant now, uint32_t most,
		      uint32_t seg);

#endif
