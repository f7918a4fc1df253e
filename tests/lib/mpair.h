/* mpair.h - two whole stacks below the socket (ip, tcp, mptcp), joined by
 * several links in virtual time
 *
 * End 0 is the client, end 1 the server.  Path i of either end leads to link
 * i; a packet arrives on the path that owns its destination, after the delay
 * of the link that its client address belongs to.  The server may have fewer
 * addresses than the client has paths: every link reaches all of them.
 */
#ifndef TESTS_LIB_MPAIR_H
#define TESTS_LIB_MPAIR_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/list.h"
#include "stack/base/wheel.h"
#include "stack/ip/ip.h"
#include "stack/mptcp/mptcp.h"
#include "stack/tcp/tcp.h"
#include "tests/lib/fake.h"

#define MPAIR_LINKS 4

struct mpair;
struct mpair_end;

/* an application on one end of a connection */
struct mpair_app {
	struct mpair_end *end;
	struct mp_conn *c; /* NULL: none, or let go */
	uint64_t to_send, sent, got;
	bool shut;   /* half-close when all is sent */
	bool shut_done;
	bool hold;   /* does not read */
	bool mangled; /* what came is not what was sent */
	bool expect_mangled;
	uint32_t chunk; /* octets per write, 0: as many as go */
	bool established, eof, closed, gone;
	int err;
	unsigned accepted, failed;
};

struct mpair_end {
	struct mpair *pair;
	struct fake fake;
	struct ip *ip;
	struct wheel wheel;
	struct tcp *tcp;
	struct mp *mp;
	/* crypt is made unless cfg.crypt_policy is MP_CRYPT_OFF (default) */
	struct mp_cfg cfg;
	struct crypt_setup crypt_setup;
	struct crypt *crypt;
	struct mp_conf conf;
	unsigned n_paths;
	struct addr addr[MPAIR_LINKS];
	bool backup[MPAIR_LINKS];
	struct mp_listener *listener;
	struct mpair_app app;
};

struct mpair_link {
	nanos delay;
	uint64_t rate; /* octets a second each way, 0: endless */
	uint32_t queue_max;
	bool cut;      /* drops everything, silently */
	struct instant busy[2];
	uint64_t packets[2], octets[2];
};

struct mpair_pkt {
	struct pkt *pkt; /* may be changed; then mpair_fix() */
	unsigned from, link;
	uint64_t nr; /* of all packets, from 1 */
	struct tcp_seg seg;
	bool drop;
	nanos delay;
	unsigned dup;   /* so many copies more, each with octets of its own */
	uint32_t split; /* cut behind so many octets of payload, 0: not */
};

struct mpair {
	struct instant now;
	struct mpair_end end[2];
	struct mpair_link link[MPAIR_LINKS];
	struct list wire;
	bool v6, gso, print;
	uint16_t mtu;
	uint64_t nr;
	struct rng rng;
	/* sees every packet before the link; tap after the middlebox */
	void (*mbox)(void *ctx, struct mpair_pkt *p);
	void (*tap)(void *ctx, const struct mpair_pkt *p);
	void *ctx;
};

/* set what differs from the default between the two calls */
void mpair_defaults(struct mpair *p, uint64_t seed);
void mpair_start(struct mpair *p);
void mpair_stop(struct mpair *p); /* and checks that no memory is left */

/* end 1 listens on port 80, the client connects by path 0 to address 0 */
void mpair_connect(struct mpair *p);
void mpair_send(struct mpair *p, unsigned end, uint64_t n, bool shut);
void mpair_close(struct mpair *p, unsigned end, bool abort);
void mpair_hold(struct mpair *p, unsigned end, bool hold);
void mpair_path(struct mpair *p, unsigned end, unsigned path, bool up);

/* until done() or for most; returns whether done() was true */
bool mpair_run(struct mpair *p, nanos most,
	       bool (*done)(const struct mpair *p));
void mpair_sleep(struct mpair *p, nanos d);
/* everything that was to be sent has arrived, and EOF where it was asked */
bool mpair_arrived(const struct mpair *p);
bool mpair_established(const struct mpair *p);
bool mpair_gone(const struct mpair *p); /* both were closed and are gone */
unsigned mpair_open_subs(const struct mpair *p, unsigned end);
bool mpair_two_subs(const struct mpair *p);
uint64_t mpair_count(const struct mpair *p, unsigned end, enum mp_reason r);

/* replaces MPTCP options of these subtypes (MP_HAVE bits) by NOPs */
void mpair_strip(struct mpair_pkt *p, uint32_t subtypes);
/* ... and its ENO option (kind 69); false: it has none */
bool mpair_strip_eno(struct mpair_pkt *p);
void mpair_fix(struct pkt *pkt); /* checksums after a change */
uint8_t *mpair_payload(struct mpair_pkt *p);
/* puts a packet on the wire towards end `to` as the peer's tuple would */
void mpair_inject(struct mpair *p, unsigned to, const struct tuple *from_to,
		  uint32_t seq, uint32_t ack, uint8_t flags, uint16_t wnd,
		  const uint8_t *opt, unsigned opt_len, const uint8_t *data,
		  unsigned len);

#endif
