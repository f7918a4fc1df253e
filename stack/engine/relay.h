/* relay.h - a connection over a kernel socket behind an AF_UNIX descriptor
 *
 * Carries what is out of the stack's scope (loopback, excluded networks) in
 * both directions, with half-closes, resets and urgent data, as if the program
 * held the kernel socket itself.  Octets wait in the kernel's buffers: a
 * buffer of the relay's own exists only while one side cannot take more.
 *
 *   u   our end of the program's descriptor      k   the kernel's TCP socket
 */
#ifndef ENGINE_RELAY_H
#define ENGINE_RELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/engine/app_watch.h"

#define RELAY_BUF 65536

struct relay;

struct relay_owner {
	/* The handshake ended well.  Never called from relay_start(). */
	void (*connected)(struct relay *r);
	/* It is over, both descriptors are closed.  err is what a read that
	 * returned 0 means: 0, or ECONNRESET and the like.  gone: the program
	 * has closed its descriptor. */
	void (*ended)(struct relay *r, int err, bool gone);
	/* more work than one turn should do: call relay_go_on() in the next */
	void (*busy)(struct relay *r);
};

struct relay_dir {
	uint8_t *buf;          /* RELAY_BUF, or NULL while nothing waits */
	uint32_t at, len;      /* what waits: buf[at, at + len) */
	uint64_t taken, given; /* octets */
	bool can_in, can_out;  /* as far as the last event and call told */
	bool eof;              /* the source will send no more */
	bool shut;             /* ... and the target was told */
};

struct relay {
	struct app_watch_set *set;
	const struct relay_owner *owner;
	void *o; /* the owner's; set after relay_start() */
	struct app_watch u, k;
	struct relay_dir up, down; /* u to k; k to u */
	uint8_t *scratch;          /* RELAY_BUF, shared by all */
	uint64_t urgent;           /* end of urgent data in up.taken; 0 none */
	int err; /* k failed; what it had received is still delivered */
	bool connecting;
	bool hup;    /* both directions of u are shut */
	bool closed; /* ... because the program closed it */
	bool ask_wr; /* the program asked for SHUT_WR */
	bool ask_rd; /* ... for SHUT_RD: what arrives is dropped */
	bool over;
	int k_left; /* in ended(): k, when the handshake failed; its owner is
		     * whoever implements ended() then; else -1 */
};

/* connecting: k's handshake still runs, u is watched for the program's close
 * only.  0 or errno: neither descriptor was taken. */
int relay_start(struct relay *r, struct app_watch_set *set,
		const struct relay_owner *owner, uint8_t *scratch, int u, int k,
		bool connecting);
/* the rest of a turn that was cut short, or of a connect that ended */
void relay_go_on(struct relay *r);
void relay_shutdown(struct relay *r, int how);
/* what the program wrote so far ends urgent data */
void relay_urgent(struct relay *r);
/* SIOCOUTQ of the whole way; unsent: SIOCOUTQNSD */
uint64_t relay_outq(const struct relay *r, bool unsent);
/* Closes u and gives k back as it is; ended() is not called. */
int relay_leave(struct relay *r);
/* Closes both; the program sees a dead stack, the peer a close or a reset.
 * ended() is not called. */
void relay_stop(struct relay *r, bool abort);

#endif
