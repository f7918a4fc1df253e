#include "stack/engine/notice.h"

#include "stack/base/check.h"

bool notice_may(struct notice *n, struct instant now, uint8_t kind,
		const struct endpoint *to)
{
	for (unsigned i = 0; i < n->n; i++) {
		if (n->told[i].kind == kind &&
		    endpoint_eq(&n->told[i].to, to) &&
		    instant_since(now, n->told[i].when) < NOTICE_AGAIN) {
			return false;
		}
	}
	if (n->in_minute == 0 ||
	    instant_since(now, n->minute) >= 60 * NANOS_S) {
		n->minute = now;
		n->in_minute = 0;
	}
	if (n->in_minute == NOTICE_RATE) {
		return false;
	}
	n->in_minute++;
	n->told[n->at].to = *to;
	n->told[n->at].kind = kind;
	n->told[n->at].when = now;
	n->at = (n->at + 1) % NOTICE_MAX;
	n->n = min_u32(n->n + 1, NOTICE_MAX);
	return true;
}
