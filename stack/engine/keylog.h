/* keylog.h - secrets of connections in a file, for who may look into captures
 *
 * A line per keyed connection, in the format of crypt_keys.h, appended with one
 * call, so that runs can share a file.
 */
#ifndef ENGINE_KEYLOG_H
#define ENGINE_KEYLOG_H

#include "stack/base/env.h"
#include "stack/engine/engine.h"

struct keylog {
	struct engine *e;
	int fd; /* -1: none */
};

/* where the core puts its lines; k must stay; its line is NULL without a
 * file */
struct trace keylog_trace(struct keylog *k);
void keylog_close(struct keylog *k);

#endif
