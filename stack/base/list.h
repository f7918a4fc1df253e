/* list.h - intrusive, circular, doubly linked list
 *
 * A head and a node are the same type.  list_init() before use; a node not on
 * a list points at itself, so list_del() is idempotent.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "stack/base/check.h"

struct list {
	struct list *next, *prev;
};

#define list_entry(node, type, member) container_of(node, type, member)

#define list_each(pos, head)                                                   \
	for (struct list *pos = (head)->next; pos != (head); pos = pos->next)

/* the body may delete pos */
#define list_each_safe(pos, head)                                              \
	for (struct list *pos = (head)->next, *pos##_next = pos->next;         \
	     pos != (head); pos = pos##_next, pos##_next = pos->next)

static inline void list_init(struct list *l)
{
	l->next = l;
	l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

static inline bool list_linked(const struct list *l)
{
	return l->next != l;
}

/* inserts n before pos; before the head means at the tail */
static inline void list_insert(struct list *pos, struct list *n)
{
	n->prev = pos->prev;
	n->next = pos;
	pos->prev->next = n;
	pos->prev = n;
}

static inline void list_push_back(struct list *head, struct list *n)
{
	list_insert(head, n);
}

static inline void list_push_front(struct list *head, struct list *n)
{
	list_insert(head->next, n);
}

static inline void list_del(struct list *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
	list_init(n);
}

/* NULL when empty */
static inline struct list *list_first(const struct list *head)
{
	return head->next == head ? NULL : head->next;
}

static inline struct list *list_last(const struct list *head)
{
	return head->prev == head ? NULL : head->prev;
}

static inline struct list *list_pop_front(struct list *head)
{
	struct list *n = list_first(head);

	if (n) {
		list_del(n);
	}
	return n;
}

#endif
