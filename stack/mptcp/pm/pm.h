/* pm.h - which subflows to open, and when (RFC 8684 3.4, 3.9) */
#ifndef MPTCP_PM_PM_H
#define MPTCP_PM_PM_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/addr.h"
#include "stack/base/time.h"

struct mp_conn;
struct mp_sub;

#define PM_TRIES_MAX 32

/* an attempt, or a subflow, that ended: path and peer's address and port */
struct pm_try {
	struct endpoint ep;
	uint16_t path;
	uint8_t fails;
	uint8_t refused;     /* by us, for want of memory or a port, in a row */
	bool final;          /* no more attempts */
	bool retried;        /* the one retry after a loss was used */
	struct instant when; /* not before */
};

struct mp_pm {
	struct pm_try *tries; /* PM_TRIES_MAX, allocated with the first */
	uint8_t n;
	bool due;      /* run() is to be called by the next flush */
	uint8_t alone; /* rounds of attempts without any subflow, and */
	uint64_t across; /* ... octets of data, both ways, at the last one */
};

struct pm_ops {
	const char *name;
	/* the peer can do it: first DSS with DATA_ACK */
	void (*confirmed)(struct mp_conn *c, struct instant now);
	/* a verified, fresh ADD_ADDR */
	void (*announced)(struct mp_conn *c, struct instant now,
			  const struct endpoint *ep);
	/* a join that never opened; transient: MP_TCPRST said T */
	void (*failed)(struct mp_conn *c, struct instant now,
		       const struct mp_sub *s, bool transient);
	/* an open subflow ended */
	void (*lost)(struct mp_conn *c, struct instant now,
		     const struct mp_sub *s);
	/* no subflow is left */
	void (*alone)(struct mp_conn *c, struct instant now);
	void (*path)(struct mp_conn *c, struct instant now, unsigned path,
		     bool up);
	/* opens what is due; never called from within a hook of TCP */
	void (*run)(struct mp_conn *c, struct instant now);
};

extern const struct pm_ops pm_default;

#endif
