/* pair.h - two ends, made anew for each test */
#ifndef TESTS_UNIT_CRYPT_PAIR_H
#define TESTS_UNIT_CRYPT_PAIR_H

#include "tests/unit/crypt/common.h"

static struct end a, b;

static inline int start(void **st)
{
	(void)st;
	end_init(&a, 1);
	end_init(&b, 2);
	return 0;
}

static inline int end(void **st)
{
	(void)st;
	end_fini(&a);
	end_fini(&b);
	return 0;
}

/* both ends as they were at first */
static inline void anew(void)
{
	end(NULL);
	start(NULL);
}

static inline struct crypt_info info(const struct end *e)
{
	struct crypt_info i;

	crypt_info(e->conn, &i);
	return i;
}

static inline void connect_ends(struct end *x, struct end *y)
{
	three_way(x, y);
	key_up(x, y);
	same_id(x, y);
}

static inline void talk(void)
{
	say(&a, &b, "ping");
	say(&b, &a, "pong");
}

#define T(f) cmocka_unit_test_setup_teardown(f, start, end)

#endif
