/* siphash.h - SipHash (Aumasson, Bernstein 2012): keyed hash for tables, ISNs
 * and tags.  siphash13 for hash tables, siphash24 where an attacker gains from
 * predicting a value.
 */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
	uint64_t k0, k1;
};

uint64_t siphash13(const struct siphash_key *k, const void *p, size_t n);
uint64_t siphash24(const struct siphash_key *k, const void *p, size_t n);

#endif
