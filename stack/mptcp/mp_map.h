/* mp_map.h - the mappings of one subflow in one direction (RFC 8684 3.3.1)
 *
 * An array sorted by relative subflow sequence number, without overlaps.
 * Nearly always one appends at the end and drops in front; both are constant
 * amortised.  A mapping that was on the wire is never changed.
 */
#ifndef MPTCP_MP_MAP_H
#define MPTCP_MP_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mem;

struct mp_map {
	uint32_t ssn, len;
	uint64_t off;  /* data offset of the octet at ssn */
	uint32_t next_descent; /* number of the next one, if this is one */
	uint16_t csum; /* valid when has_csum */
	bool has_csum : 1;
	bool whole : 1;    /* counts as it was declared, or not at all: checked
			    * as a whole, by its checksum or as whole frames */
	bool declared : 1; /* was on the wire */
	bool descent : 1;  /* off is below the end of the one before */
	bool fin : 1;      /* a DATA_FIN follows the octets, in the mapping */
	bool verified : 1; /* whole: the check was passed; sealed: or it is not
			    * to be made (any more), nothing of it is held */
};

struct mp_maps {
	struct mem *mem;
	struct mp_map *v;
	uint32_t cap, max, head, n;
	/* Sending: where offsets go back, data was sent again; between these
	 * places they rise.  Mappings are numbered in the order of pushing. */
	uint32_t first; /* number of the one at index 0 */
	uint32_t descents, first_descent, last_descent;
};

enum mp_map_add {
	MP_MAP_ADDED,
	MP_MAP_KNOWN,    /* says nothing new */
	MP_MAP_CONFLICT, /* contradicts an earlier one: ignored */
	MP_MAP_FULL,
};

void mp_map_init(struct mp_maps *m, struct mem *mem, uint32_t max);
void mp_map_fini(struct mp_maps *m);
void mp_map_trim(struct mp_maps *m); /* an empty one gives its memory back */
static inline struct mp_map *mp_map_at(const struct mp_maps *m, uint32_t i)
{
	return &m->v[m->head + i];
}

static inline struct mp_map *mp_map_last(const struct mp_maps *m)
{
	return m->n ? mp_map_at(m, m->n - 1) : NULL;
}

/* the mapping that holds ssn, or NULL */
struct mp_map *mp_map_find(const struct mp_maps *m, uint32_t ssn);
/* where the first mapping after ssn begins; false: there is none */
bool mp_map_next(const struct mp_maps *m, uint32_t ssn, uint32_t *start);
/* Sending: the mapping that holds a data offset, or NULL */
struct mp_map *mp_map_holding(const struct mp_maps *m, uint64_t off);
/* Sending: the next mapping; NULL: full.  Extends the last one instead when
 * that continues it, was not declared yet, and stays within most octets. */
struct mp_map *mp_map_push(struct mp_maps *m, uint32_t ssn, uint32_t len,
			   uint64_t off, uint32_t most);
/* Receiving: neighbours that continue each other are merged, what repeats an
 * earlier one consistently is trimmed, unless they are whole (any with a
 * checksum is): such a one is the same as an earlier one, or a conflict. */
enum mp_map_add mp_map_insert(struct mp_maps *m, const struct mp_map *in);
/* drops what ends at or before ssn; a mapping that holds ssn is cut there when
 * cut is set, unless it is whole */
void mp_map_drop(struct mp_maps *m, uint32_t ssn, bool cut);
/* Sending: the lowest data offset still mapped at or after ssn; UINT64_MAX: none */
uint64_t mp_map_low(const struct mp_maps *m, uint32_t ssn);

#endif
