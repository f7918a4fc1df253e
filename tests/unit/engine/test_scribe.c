#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "stack/engine/scribe.h"

static char dir[] = "/tmp/mptcp-scribe.XXXXXX";
static struct known_place place;
static struct scribe s;
static struct instant t0 = { 1000 * NANOS_S };

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/mptcp-scribe.XXXXXX");
	if (!mkdtemp(dir)) {
		return -1;
	}
	place = (struct known_place){ .at = AT_FDCWD, .asked = true };
	snprintf(place.path, sizeof(place.path), "%s/known", dir);
	scribe_init(&s, &place, false);
	return 0;
}

static int teardown(void **state)
{
	char command[64];

	(void)state;
	scribe_end(&s);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static void add(uint8_t last, nanos at)
{
	struct known_entry e = {
		.to = endpoint_make(addr_v4(192, 0, 2, last), 80),
		.mode = KNOWN_SMTCP,
		.first = time(NULL),
		.last = time(NULL),
	};

	scribe_add(&s, instant_add(t0, at), &e);
}

/* turns until the child has ended */
static void turn(nanos at)
{
	const struct timespec nap = { .tv_nsec = 1000000 };

	scribe_turn(&s, instant_add(t0, at));
	for (unsigned i = 0; i < 5000 && s.child; i++) {
		nanosleep(&nap, NULL);
		scribe_turn(&s, instant_add(t0, at));
	}
	assert_int_equal(s.child, 0);
}

static unsigned lines(void)
{
	char why[OWN_FILE_WHY];
	struct known k;
	unsigned n;

	known_init(&k);
	assert_true(known_file_load(&place, &k, why));
	n = k.n;
	known_fini(&k);
	return n;
}

static void test_delay(void **state)
{
	(void)state;
	turn(0);
	assert_int_equal(access(place.path, F_OK), -1); /* no news, no file */
	add(1, 0);
	turn(SCRIBE_DELAY - 1);
	assert_int_equal(access(place.path, F_OK), -1);
	add(2, SCRIBE_DELAY - 1);
	turn(SCRIBE_DELAY);
	assert_int_equal(lines(), 2); /* one write for both */
	add(3, SCRIBE_DELAY + 1);
	turn(SCRIBE_DELAY + SCRIBE_GAP - 1);
	assert_int_equal(lines(), 2);
	turn(SCRIBE_DELAY + SCRIBE_GAP);
	assert_int_equal(lines(), 3);
}

static void test_end(void **state)
{
	(void)state;
	add(1, 0);
	scribe_turn(&s, instant_add(t0, SCRIBE_DELAY)); /* a child writes */
	add(2, SCRIBE_DELAY);
	scribe_end(&s);
	assert_int_equal(lines(), 2);
}

/* what could not be written is tried again with the next news, and at the end */
static void test_failure(void **state)
{
	(void)state;
	assert_int_equal(chmod(dir, 0777), 0);
	add(1, 0);
	turn(SCRIBE_DELAY);
	assert_true(s.dirty);
	turn(SCRIBE_DELAY + 100 * SCRIBE_GAP); /* not again and again */
	assert_true(s.dirty);
	assert_int_equal(chmod(dir, 0700), 0);
	add(2, 0);
	turn(SCRIBE_DELAY);
	assert_false(s.dirty);
	assert_int_equal(lines(), 2);
	assert_int_equal(chmod(dir, 0777), 0);
	add(3, SCRIBE_GAP);
	turn(SCRIBE_DELAY + 2 * SCRIBE_GAP);
	assert_true(s.dirty);
	assert_int_equal(chmod(dir, 0700), 0);
	scribe_end(&s);
	assert_int_equal(lines(), 3);
}

static void test_nowhere(void **state)
{
	(void)state;
	place.path[0] = '\0';
	scribe_init(&s, &place, true);
	add(1, 0);
	turn(100 * SCRIBE_GAP);
	assert_false(s.dirty);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = { T(test_delay), T(test_end),
					    T(test_failure), T(test_nowhere) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
