/* say.h - one line on the program's standard error
 *
 * Only as long as descriptor 2 is what it was when the program began: a daemon
 * may have put anything else there.
 */
#ifndef SHIM_SAY_H
#define SHIM_SAY_H

#include "stack/chan/chan_msg.h"

/* once, at the start of the process */
void say_keep(void);
/* "mptcp-run: TEXT", of what follows the int in an answer to CHAN_OP_ERROR, if
 * anything does; errno stays */
void say_behind(const struct chan_rep *p);

#endif
