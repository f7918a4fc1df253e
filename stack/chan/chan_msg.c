#include "stack/chan/chan_msg.h"

#include <stddef.h>
#include <string.h>

bool chan_secret_eq(const uint8_t a[CHAN_SECRET_LEN],
		    const uint8_t b[CHAN_SECRET_LEN])
{
	volatile uint8_t diff = 0;

	for (unsigned i = 0; i < CHAN_SECRET_LEN; i++) {
		diff = (uint8_t)(diff | (a[i] ^ b[i]));
	}
	return diff == 0;
}

void chan_req_init(struct chan_req *q, const struct chan_run *run,
		   enum chan_op op, const struct chan_name *sock)
{
	memset(q, 0, offsetof(struct chan_req, val));
	q->magic = CHAN_MSG_MAGIC;
	q->version = CHAN_MSG_VERSION;
	memcpy(q->secret, run->secret, sizeof(q->secret));
	q->op = (uint8_t)op;
	if (sock) {
		q->kind = sock->kind;
		q->family = sock->family;
		q->id = sock->id;
	}
}

/* for GETSOCKOPT len is the room the caller has, for BEGIN it counts octets
 * that are no part of the request: nothing follows */
static bool has_val(const struct chan_req *q)
{
	return q->op != CHAN_OP_GETSOCKOPT && q->op != CHAN_OP_BEGIN;
}

size_t chan_req_size(const struct chan_req *q)
{
	return offsetof(struct chan_req, val) + (has_val(q) ? q->len : 0);
}

enum chan_bad chan_req_check(const struct chan_req *q, size_t got,
			     const struct chan_run *run)
{
	if (got < offsetof(struct chan_req, val) ||
	    q->magic != CHAN_MSG_MAGIC) {
		return CHAN_BAD_FORMAT;
	}
	if (!chan_secret_eq(q->secret, run->secret)) {
		return CHAN_BAD_SECRET;
	}
	if (q->version != CHAN_MSG_VERSION) {
		return CHAN_BAD_VERSION;
	}
	if ((has_val(q) && q->len > CHAN_VAL_MAX) || got != chan_req_size(q) ||
	    q->op < CHAN_OP_CONNECT || q->op > CHAN_OP_BEGIN) {
		return CHAN_BAD_FORMAT;
	}
	if (q->op == CHAN_OP_HELLO) {
		return CHAN_GOOD;
	}
	if ((q->kind != CHAN_KIND_SOCK && q->kind != CHAN_KIND_CONN) ||
	    (q->family != 4 && q->family != 6)) {
		return CHAN_BAD_FORMAT;
	}
	if (q->op == CHAN_OP_BEGIN &&
	    (q->kind != CHAN_KIND_SOCK || q->len > CHAN_STUFF_MAX)) {
		return CHAN_BAD_FORMAT;
	}
	return CHAN_GOOD;
}

size_t chan_rep_size(const struct chan_rep *p)
{
	uint32_t n = p->len < CHAN_VAL_MAX ? p->len : CHAN_VAL_MAX;

	return offsetof(struct chan_rep, val) + n;
}

bool chan_rep_ok(const struct chan_rep *p, size_t got)
{
	return got >= offsetof(struct chan_rep, val) &&
	       p->magic == CHAN_MSG_MAGIC && got == chan_rep_size(p) &&
	       p->n_opt <= CHAN_OPT_REPLAY;
}

const char *chan_op_name(unsigned op)
{
	static const char *const name[] = {
		[CHAN_OP_CONNECT] = "connect",
		[CHAN_OP_BIND] = "bind",
		[CHAN_OP_LISTEN] = "listen",
		[CHAN_OP_NAMES] = "names",
		[CHAN_OP_SETSOCKOPT] = "setsockopt",
		[CHAN_OP_GETSOCKOPT] = "getsockopt",
		[CHAN_OP_SHUTDOWN] = "shutdown",
		[CHAN_OP_WHY] = "why",
		[CHAN_OP_ERROR] = "error",
		[CHAN_OP_OUTQ] = "outq",
		[CHAN_OP_URGENT] = "urgent",
		[CHAN_OP_HELLO] = "hello",
		[CHAN_OP_BEGIN] = "begin",
	};

	return op < sizeof(name) / sizeof(name[0]) && name[op] ? name[op] : "?";
}
