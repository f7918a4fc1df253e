/* stats_conn.h - private to stats*.c: one connection as JSON, as a line, and
 * what sampling found out about it */
#ifndef ENGINE_STATS_CONN_H
#define ENGINE_STATS_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stack/base/time.h"
#include "stack/engine/json.h"
#include "stack/sock/stack.h"

#define STATS_SEEN_MAX 64 /* connections that are sampled at a time */

struct stats_seen {
	bool used, announced;
	struct tuple t;             /* of the first subflow */
	struct instant first, last; /* when data began and ended to move */
	uint64_t base, bytes; /* octets both ways when it began, and last */
};

/* NULL: not there, or no room */
struct stats_seen *stats_conn_find(struct stats_seen *all,
				   const struct mp_info *info);
struct stats_seen *stats_conn_add(struct stats_seen *all,
				  const struct mp_info *info,
				  struct instant now);
void stats_conn_sample(struct stats_seen *seen, const struct mp_info *info,
		       struct instant now);

/* seen may be NULL */
void stats_conn_json(struct json *j, const char *key,
		     const struct mp_info *info, const struct stats_seen *seen,
		     bool closed);
/* "10.0.0.2:41234 > 10.9.0.1:80 mptcp, 2 subflows, sent 1, received 2" */
const char *stats_conn_line(const struct mp_info *info, char *buf, size_t n);

#endif
