#include "shim/init.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shim/libc.h"
#include "shim/say.h"

struct init init;

static bool disabled(void)
{
	const char *v = getenv("MPTCP_RUN_DISABLE");

	return v && *v && strcmp(v, "0") != 0;
}

/* Threads that race here write the same values. */
void init_load(void)
{
	struct chan_run run;
	Dl_info self = { 0 };
	void *page;

	libc_load();
	if (!disabled() && chan_run_parse(getenv("MPTCP_RUN_ID"), &run)) {
		page = mmap(NULL, 1, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			    0);
		init.nowhere = page == MAP_FAILED ? NULL : page;
		init.run = run;
		dladdr(&init, &self);
		env_keep(&init.keep, self.dli_fname, environ);
		say_keep();
		init.on = true;
	}
	__atomic_store_n(&init.ready, true, __ATOMIC_RELEASE);
}

__attribute__((constructor)) static void init_start(void)
{
	init_on();
}
