/* known.h - destinations whose connections were encrypted before
 *
 * Whoever can take options out of a handshake can make a connection clear
 * under the policy "prefer".  A destination that was encrypted once and is not
 * now is worth a warning, or a refusal (smtcp(7), Policies).
 *
 * A sorted table; times are seconds since 1970.
 */
#ifndef ENGINE_KNOWN_H
#define ENGINE_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stack/base/addr.h"

#define KNOWN_MAX     4096          /* destinations */
#define KNOWN_AGE     (180 * 86400) /* forgotten when not seen for so long */
#define KNOWN_REFRESH 86400         /* how exact `last` is */
#define KNOWN_LINE    (ADDR_TEXT_MAX + 64)

enum known_mode {
	KNOWN_NONE,
	KNOWN_TCPCRYPT,
	KNOWN_SMTCP,
};

struct known_entry {
	struct endpoint to;
	enum known_mode mode; /* the best there was */
	int64_t first, last;
};

struct known {
	struct known_entry *e; /* by address and port */
	unsigned n, room;
};

void known_init(struct known *k);
void known_fini(struct known *k);
/* NULL: never encrypted, or long ago */
const struct known_entry *known_find(const struct known *k,
				     const struct endpoint *to, int64_t now);
/* Adds it, or joins it with what is there.  true: that is worth writing down (a
 * new one, a better mode, a day later).  Makes room by forgetting who was not
 * seen for longest; no memory: not added. */
bool known_add(struct known *k, const struct known_entry *e);
/* who was not seen for KNOWN_AGE goes */
void known_expire(struct known *k, int64_t now);

/* "192.0.2.1 443 smtcp 1764115200 1764201600" without newline */
void known_text(const struct known_entry *e, char out[KNOWN_LINE]);
/* false: no such line (a comment, say) */
bool known_parse(const char *line, struct known_entry *out);
const char *known_mode_text(enum known_mode m); /* "smtcp", "tcpcrypt" */

#endif
