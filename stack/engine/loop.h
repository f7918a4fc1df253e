/* loop.h - the engine process: set-up, loop, end
 *
 * engine.c's other half, for main.c; engine.h is for the parts of the loop.
 */
#ifndef ENGINE_LOOP_H
#define ENGINE_LOOP_H

#include "stack/chan/chan_name.h"
#include "stack/chan/conf.h"
#include "stack/engine/known.h"
#include "stack/engine/tun.h"

/* everything is opened before; the descriptors are taken over */
struct loop_setup {
	const struct run_conf *conf;
	struct chan_run run;
	struct tun *tuns;      /* one per conf->tun */
	int keeper_fd;         /* -1 none */
	int life_fd;           /* -1 none; told to ready() before */
	int stats_fd, pcap_fd; /* -1 none */
	int keylog_fd;         /* -1 none */
	struct known known;    /* encrypted in earlier runs */
	const char *known_file;
	int watch_pidfd; /* first process of the run; -1 none */
	/* the start is over: err is "" or one line */
	void (*ready)(void *ctx, const char *err);
	void *ctx;
};

/* the exit status: 0, or 125 when it could not start */
int loop_run(const struct loop_setup *setup);

#endif
