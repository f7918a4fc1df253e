/* sock_opt_kept.h - options that are kept and given back, and no more
 *
 * Memory is taken when a socket sets the first one.
 */
#ifndef SOCK_SOCK_OPT_KEPT_H
#define SOCK_SOCK_OPT_KEPT_H

#include <stdint.h>

#include "stack/base/env.h"

#define SOCK_KEPT_MAX 96u

struct sock_kept {
	uint32_t set[SOCK_KEPT_MAX / 32]; /* bit per rule: v holds it */
	int32_t v[SOCK_KEPT_MAX];
	uint8_t tfo_key[32]; /* TCP_FASTOPEN_KEY: one of 16 octets, or two */
	uint8_t tfo_key_len;
};

/* 0, ENOBUFS, the kernel's error for a bad value; ENOPROTOOPT: none of these */
int sock_kept_set(struct sock_kept **kept, struct mem *mem, int level, int name,
		  int v);
int sock_kept_get(const struct sock_kept *kept, int level, int name, int *v);
/* NULL: defaults, or no memory */
struct sock_kept *sock_kept_copy(const struct sock_kept *from,
				 struct mem *mem);
/* the same: what an accepted socket has of its listener */
struct sock_kept *sock_kept_inherit(const struct sock_kept *from,
				    struct mem *mem);
/* EINVAL: neither one key nor two */
int sock_kept_set_key(struct sock_kept **kept, struct mem *mem, const void *key,
		      uint32_t len);
void sock_kept_get_key(const struct sock_kept *kept, void *val, uint32_t *len);
void sock_kept_free(struct sock_kept **kept, struct mem *mem);

#endif
