/* seq.h - sequence number arithmetic (RFC 9293 3.4, RFC 8684 3.3)
 *
 * seq_*: 32-bit TCP sequence numbers; dsn_*: 64-bit data sequence numbers.
 * Both wrap; a comparison is meaningful within half the space.
 */
#ifndef BASE_SEQ_H
#define BASE_SEQ_H

#include <stdbool.h>
#include <stdint.h>

static inline int32_t seq_diff(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

static inline bool seq_lt(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static inline bool seq_leq(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) <= 0;
}

static inline bool seq_gt(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

static inline bool seq_geq(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) >= 0;
}

static inline uint32_t seq_max(uint32_t a, uint32_t b)
{
	return seq_gt(a, b) ? a : b;
}

static inline uint32_t seq_min(uint32_t a, uint32_t b)
{
	return seq_lt(a, b) ? a : b;
}

static inline int64_t dsn_diff(uint64_t a, uint64_t b)
{
	return (int64_t)(a - b);
}

static inline bool dsn_lt(uint64_t a, uint64_t b)
{
	return (int64_t)(a - b) < 0;
}

static inline bool dsn_leq(uint64_t a, uint64_t b)
{
	return (int64_t)(a - b) <= 0;
}

static inline bool dsn_gt(uint64_t a, uint64_t b)
{
	return (int64_t)(a - b) > 0;
}

static inline bool dsn_geq(uint64_t a, uint64_t b)
{
	return (int64_t)(a - b) >= 0;
}

static inline uint64_t dsn_max(uint64_t a, uint64_t b)
{
	return dsn_gt(a, b) ? a : b;
}

static inline uint64_t dsn_min(uint64_t a, uint64_t b)
{
	return dsn_lt(a, b) ? a : b;
}

#endif
