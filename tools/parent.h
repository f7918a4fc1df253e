/* parent.h - staying as the parent of the program (--wait, or as PID 1) */
#ifndef TOOLS_PARENT_H
#define TOOLS_PARENT_H

#include <sys/types.h>

/* Makes this process the reaper of everything the program leaves behind, and
 * gets ready to forward signals.  After the stack was started (it is no process
 * of the run), before fork(). */
void parent_prepare(void);
/* in the child, before exec: signals as they were */
void parent_child(void);
/* Waits for the program and every process it left (`stack` is none of them),
 * then tells the stack by `life` and waits for its end.  Returns the program's exit
 * status, 128+N after signal N. */
int parent_wait(pid_t program, int life, pid_t stack);

#endif
