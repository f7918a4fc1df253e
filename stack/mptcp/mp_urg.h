/* mp_urg.h - where in what the program reads the peer's urgent octet is
 *
 * As TCP has it there is one, the newest (RFC 9293 3.8.5).  Its place is known from
 * the header: of plain TCP, or of a subflow, through the mapping (RFC 8684 3.3.1).
 * On a sealed connection frames say it, and headers are not believed (smtcp(7),
 * Urgent data).
 */
#ifndef MPTCP_MP_URG_H
#define MPTCP_MP_URG_H

#include <stdint.h>

struct mp_conn;
struct mp_sub;

struct mp_urg {
	uint64_t at; /* behind the octet, in the program's stream; 0: none */
};

/* TCP saw a pointer to the octet at ssn, which has not arrived yet */
void mp_urg_header(struct mp_sub *s, uint32_t ssn);
/* a frame that was verified: behind the octet at this place of the stream; 0:
 * none */
void mp_urg_frame(struct mp_conn *c, uint64_t at);
/* the program has read on */
void mp_urg_read(struct mp_conn *c);

#endif
