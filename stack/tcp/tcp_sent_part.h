/* tcp_sent_part.h - what the files of the sent map share; nobody else's */
#ifndef TCP_TCP_SENT_PART_H
#define TCP_TCP_SENT_PART_H

#include "stack/tcp/tcp_sent.h"

static inline struct tcp_sent_entry *of_node(struct list *n)
{
	return list_entry(n, struct tcp_sent_entry, node);
}

static inline uint32_t end_of(const struct tcp_sent_entry *e)
{
	return e->seq + e->len;
}

/* n octets more (or, modulo 2^32, less) in e's state */
void tcp_sent_count(struct tcp_sent *s, const struct tcp_sent_entry *e,
		    uint32_t n);
/* Every change of state goes through these two, which keep lists and counters;
 * the caller puts e on the list of its new state. */
void tcp_sent_leave(struct tcp_sent *s, struct tcp_sent_entry *e);
void tcp_sent_enter(struct tcp_sent *s, struct tcp_sent_entry *e,
		    enum tcp_sent_state state);
/* The entry at i is cut after its first off octets; 0 < off < len.  False: the
 * bound or memory. */
bool tcp_sent_split(struct tcp_sent *s, uint32_t i, uint32_t off);
/* the k entries from the i-th on leave the ring; the caller puts them away */
void tcp_sent_remove(struct tcp_sent *s, uint32_t i, uint32_t k);
void tcp_sent_put(struct tcp_sent *s, struct tcp_sent_entry *e);

#endif
