/* chan_early.h - switches of a socket that the stack has not heard of yet
 *
 * Programs set the same few on nearly every socket before they connect, bind or
 * listen.  Each is two bits of a word that the shim keeps with the descriptor
 * and sends along with the first request.  They are ints of which any value is
 * right: nothing of them can be refused later.
 */
#ifndef CHAN_CHAN_EARLY_H
#define CHAN_CHAN_EARLY_H

#include <stdbool.h>
#include <stdint.h>

/* level and name: as the system's headers call them, where this is expanded */
#define CHAN_EARLY(X)              \
	X(IPPROTO_TCP, TCP_NODELAY) \
	X(SOL_SOCKET, SO_KEEPALIVE) \
	X(SOL_SOCKET, SO_REUSEADDR)

enum {
#define X(level, name) CHAN_EARLY_##name,
	CHAN_EARLY(X)
#undef X
	CHAN_EARLY_N
};

#define CHAN_EARLY_MASK ((1u << 2 * CHAN_EARLY_N) - 1)

/* the word with switch i set to `on` */
static inline uint32_t chan_early_with(uint32_t word, unsigned i, bool on)
{
	return (word & ~(3u << 2 * i)) | (on ? 3u : 1u) << 2 * i;
}

static inline bool chan_early_has(uint32_t word, unsigned i)
{
	return (word >> 2 * i & 1) != 0;
}

static inline bool chan_early_on(uint32_t word, unsigned i)
{
	return (word >> 2 * i & 2) != 0;
}

#endif
