/* tcp_mtup.h - which packets a path takes, found out with packets (RFC 4821,
 * 8899), and what to believe of an ICMP error about it (RFC 5927 7.2)
 *
 * A search is [low, high]: packets of low octets pass, those above high do
 * not, and low is what segments are made for.  It begins when a full stop says
 * that the path swallows large packets without a word, or at once if asked
 * for.  Upwards it goes by probes: single segments of real data that are
 * larger than the others, and whose loss says nothing about congestion.
 *
 * Sizes are octets of whole IP packets.  Knows sequence numbers and the sent
 * map, but no connection.
 */
#ifndef TCP_TCP_MTUP_H
#define TCP_TCP_MTUP_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/time.h"
#include "stack/tcp/tcp_sent.h"

#define TCP_MTUP_BASE4    1024 /* RFC 4821 7.2 */
#define TCP_MTUP_BASE6    1280 /* RFC 8200 5: what every path takes */
#define TCP_MTUP_TIMEOUTS 3    /* in a row: RFC 1122's R1, as Linux */
#define TCP_MTUP_CLOSE    16   /* a search as narrow as that is over */
#define TCP_MTUP_AGAIN    (600 * NANOS_S) /* RFC 4821 7.3, RFC 8201 5.3 */

struct tcp_mtup {
	uint16_t low, high; /* low 0: no search */
	uint16_t size;      /* of the probe under way, 0: none.. */
	uint32_t seq, end;  /* ..and its octets */
	/* RFC 5927 7.2: the largest packet that is known to have arrived, and
	 * the first larger one that is on its way, if watched */
	uint16_t acked, watched;
	uint32_t watched_end;
	/* an ICMP error that waits for what becomes of the packet it quotes */
	uint16_t claim; /* 0: none */
	bool missed;    /* the probe alone is lost and about to be sent again */
	bool gathers;   /* octets for the next probe are waited for */
	bool suspect;   /* timeouts lowered low, and nothing arrived since */
	uint32_t claim_seq;
	struct instant next; /* no probe before */
	struct instant look; /* the MTU cache may know better from then on */
};

/* packets of this size are made, on a path said to take `path` */
static inline uint16_t tcp_mtup_mtu(const struct tcp_mtup *m, uint16_t path)
{
	return m->low && m->low < path ? m->low : path;
}

/* the search begins: low passes; from high on nothing is hoped for */
void tcp_mtup_start(struct tcp_mtup *m, struct instant now, uint16_t low,
		    uint16_t high);

/* The n-th timeout in a row, packets of `size` octets out, and none below
 * `base` to be tried.  least: where halving ends.  True: low fell (RFC 4821
 * 7.7). */
bool tcp_mtup_timeout(struct tcp_mtup *m, struct instant now, unsigned n,
		      uint16_t size, uint16_t base, uint16_t least);

/* The size of the probe to send, 0: none now.  most: what device, ICMP and
 * peer allow. */
uint16_t tcp_mtup_want(struct tcp_mtup *m, struct instant now, uint16_t most);
/* the probe [seq, end) left, in a packet of `size` octets */
void tcp_mtup_sent(struct tcp_mtup *m, uint32_t seq, uint32_t end,
		   uint16_t size);
/* whatever was out is about to be sent again, whether it was lost or not: its
 * acknowledgement will say nothing about the probe */
static inline void tcp_mtup_resent(struct tcp_mtup *m)
{
	m->size = 0;
	m->missed = false;
}

/* octets of the probe that are lost and not sent again yet: no congestion */
uint32_t tcp_mtup_excused(const struct tcp_mtup *m, const struct tcp_sent *s);

enum tcp_mtup_news {
	TCP_MTUP_NOTHING,
	TCP_MTUP_RAISED, /* the probe arrived: low rose */
	TCP_MTUP_FAILED, /* it alone did not: high fell */
	TCP_MTUP_UNSURE, /* others were lost, too: it is sent again */
};

/* What became of the probe; after every acknowledgement and timer.  wait: how
 * long none may follow a failed one (RFC 4821 7.6.2).  timeout: an RTO. */
enum tcp_mtup_news tcp_mtup_check(struct tcp_mtup *m, const struct tcp_sent *s,
				  struct instant now, nanos wait, bool timeout);

/* --- ICMP ------------------------------------------------------------------ */

/* a full segment ends at `end`, in a packet of `size` octets */
static inline void tcp_mtup_full(struct tcp_mtup *m, uint32_t end,
				 uint16_t size)
{
	if (size > m->acked && !m->watched) {
		m->watched = size;
		m->watched_end = end;
	}
}

/* everything is sent anew in another size */
static inline void tcp_mtup_resized(struct tcp_mtup *m)
{
	m->watched = 0;
}

/* A "packet too big" says that mtu is the most, about what is at seq.  True:
 * at once, nothing larger ever arrived.  False: tcp_mtup_claim() will tell. */
bool tcp_mtup_too_big(struct tcp_mtup *m, uint32_t seq, uint16_t mtu);

enum tcp_mtup_verdict {
	TCP_MTUP_OPEN,   /* no claim, or nothing is known yet */
	TCP_MTUP_TRUE,   /* what it quoted was lost */
	TCP_MTUP_DENIED, /* what it quoted arrived */
};

/* What became of the packet that an ICMP error quoted; *mtu: what it said. */
enum tcp_mtup_verdict tcp_mtup_claim(struct tcp_mtup *m,
				     const struct tcp_sent *s, uint16_t *mtu);

#endif
