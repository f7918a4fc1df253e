/* start.h - starts the private stack of a run and waits until it is ready */
#ifndef TOOLS_START_H
#define TOOLS_START_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "stack/chan/chan_name.h"
#include "stack/chan/conf.h"

/* Starts `stackd` for this process.  On success *life is a socket to it: the
 * stack closes its end when both of its processes have ended, and takes a line
 * "end\n" as word that no process of the run is left; *stack is the process ID
 * of its keeper.  On failure one line in
 * err, and nothing is left running. */
bool start_stack(const char *stackd, const struct run_conf *conf,
		 const struct chan_run *run, int *life, pid_t *stack,
		 char *err, size_t n);

#endif
