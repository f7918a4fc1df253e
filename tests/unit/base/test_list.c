#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/base/list.h"

struct item {
	int v;
	struct list node;
};

static int sum_in_order(const struct list *head)
{
	int v = 0;

	list_each (p, head) {
		v = 10 * v + list_entry(p, struct item, node)->v;
	}
	return v;
}

static void keeps_order(void **st)
{
	struct item it[4] = { { .v = 1 }, { .v = 2 }, { .v = 3 }, { .v = 4 } };
	struct list head;

	(void)st;
	list_init(&head);
	assert_null(list_first(&head));
	assert_null(list_last(&head));
	assert_null(list_pop_front(&head));
	list_push_back(&head, &it[1].node);
	list_push_back(&head, &it[3].node);
	list_push_front(&head, &it[0].node);
	list_insert(&it[3].node, &it[2].node);
	assert_int_equal(sum_in_order(&head), 1234);
	assert_ptr_equal(list_last(&head), &it[3].node);
	list_del(&it[1].node);
	list_del(&it[1].node);
	assert_false(list_linked(&it[1].node));
	assert_int_equal(sum_in_order(&head), 134);
	assert_ptr_equal(list_pop_front(&head), &it[0].node);
	list_each_safe (p, &head) {
		list_del(p);
	}
	assert_true(list_empty(&head));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
