/* tun.h - TUN devices: opened, addressed, up; each failure one plain line
 *
 * A device that does not exist is made, and vanishes with its descriptor.  One
 * that exists is attached to: its owner needs no privilege for that, and it
 * keeps its MTU; addresses that it lacks are added where permitted, and taken
 * away again by tun_undo().
 */
#ifndef ENGINE_TUN_H
#define ENGINE_TUN_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/time.h"
#include "stack/chan/conf.h"

#define TUN_WAIT (10 * NANOS_S) /* for a stack that is ending */

struct tun {
	char name[CONF_NAME_LEN];
	int fd; /* -1: closed */
	int ifindex;
	uint16_t mtu;
	bool made;    /* by us: gone when fd is closed */
	bool offload; /* checksums and segmentation may be left to the kernel */
	uint32_t added; /* bit per conf address that we added */
};

/* Opens the device of c.  say() is called once, with a line, when it has to
 * wait for another stack's end.  False: one line in err, nothing left. */
bool tun_open(struct tun *t, const struct conf_tun *c,
	      void (*say)(void *ctx, const char *line), void *ctx,
	      char err[CONF_ERR_MAX]);
/* Gives it MTU and addresses and sets it up. */
bool tun_setup(struct tun *t, const struct conf_tun *c, char err[CONF_ERR_MAX]);
/* removes what tun_setup() added to a device that stays */
void tun_undo(struct tun *t, const struct conf_tun *c);
void tun_close(struct tun *t);

#endif
