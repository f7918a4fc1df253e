/* init.h - the little state that the library keeps per process
 *
 * Nothing here is about a descriptor.  Written once by the constructor (or by
 * the first call, where another library's constructor comes earlier), except
 * for what is said to change.
 */
#ifndef SHIM_INIT_H
#define SHIM_INIT_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/env.h"
#include "stack/chan/chan_name.h"

/* which file a descriptor is */
struct init_file {
	uint64_t dev, ino, rdev;
};

struct init {
	bool ready;     /* read and written atomically */
	bool on;        /* a run's ID was found and nothing disabled us */
	bool sandboxed; /* a seccomp filter was set: no call of our own making
			 * on the way of read, write and shutdown.  Changes. */
	struct chan_run run;
	const char *nowhere; /* an address that no octet can be read from */
	struct env_keep keep;
	bool has_stderr; /* say.c: standard error was open, and is this file */
	struct init_file stderr_was;
};

extern struct init init;

void init_load(void);

/* first thing in every function that stands before the C library's: true when
 * this process belongs to a run */
static inline bool init_on(void)
{
	if (!__atomic_load_n(&init.ready, __ATOMIC_ACQUIRE)) {
		init_load();
	}
	return init.on;
}

#endif
