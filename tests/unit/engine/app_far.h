/* app_far.h - app_rig.h with a second stack at the other end of the path, which
 * listens at port 80
 */
#ifndef TESTS_UNIT_ENGINE_APP_FAR_H
#define TESTS_UNIT_ENGINE_APP_FAR_H

#include "tests/unit/engine/app_rig.h"

static struct sock *far_listener;

/* behind rig_up() */
static void far_start(void)
{
	struct endpoint e = far(80);

	rig.far = stack_at(&rig.far_fake, 2, e.addr);
	far_listener = sock_open(rig.far, 4);
	assert_int_equal(sock_bind(far_listener, &e), 0);
	assert_int_equal(sock_listen(far_listener, rig.e.now, 10), 0);
}

MAYBE static int far_up(void **st)
{
	rig_up(st);
	far_start();
	return 0;
}

#endif
