/* files.h - what a run writes and reads, opened with the caller's rights before
 * anything else: what cannot be is one line, and nothing is left behind
 */
#ifndef ENGINE_FILES_H
#define ENGINE_FILES_H

#include <stdbool.h>

#include "stack/chan/conf.h"
#include "stack/engine/known_file.h"

struct file {
	const char *path; /* NULL: not asked for */
	int fd;           /* -1: none */
	bool made;        /* it was not there before */
};

struct files {
	int dir_fd; /* where relative names begin */
	struct file stats, pcap, keylog;
	struct known_place place; /* of known, to be written */
	struct known known;
};

/* dir_fd is set by the caller.  say gets lines that are no errors, from that
 * verbosity on.  False: one line in err, nothing is made. */
bool files_open(struct files *f, const struct run_conf *c,
		void (*say)(void *ctx, int level, const char *line), void *ctx,
		char err[CONF_ERR_MAX]);
/* the start failed after all: what was made goes */
void files_unmake(const struct files *f);

#endif
