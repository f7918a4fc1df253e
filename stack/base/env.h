/* env.h - the outside world as it is handed to the core at creation
 *
 * Below stack/engine nothing asks the system for memory, entropy or a place to
 * write a trace: it takes them from here.  The same env and the same inputs
 * give the same outputs.
 */
#ifndef BASE_ENV_H
#define BASE_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* mem_alloc() returns NULL when the system or the limit refuses; every caller
 * has a named reason for that case.  size is given back on free so that the
 * account stays exact without a header per object.
 */
struct mem {
	void *(*alloc)(void *ctx, size_t size);
	void (*release)(void *ctx, void *p, size_t size);
	void *ctx;
	uint64_t used;  /* octets handed out and not yet given back */
	uint64_t limit; /* most that may be handed out at once */
	uint64_t peak;
	/* much was given back, and little is going on: a good moment to give
	 * pages to the system.  May be NULL */
	void (*rest)(void *ctx);
};

/* fills buf with n octets nobody can predict */
struct entropy {
	void (*fill)(void *ctx, void *buf, size_t n);
	void *ctx;
};

/* receives one line of text without newline; text is valid for the call */
struct trace {
	void (*line)(void *ctx, const char *text);
	void *ctx;
};

struct env {
	struct mem *mem;
	struct entropy entropy;
	struct trace trace; /* line may be NULL: no trace */
};

void *mem_alloc(struct mem *m, size_t size);  /* not cleared */
void *mem_zalloc(struct mem *m, size_t size); /* cleared */
void mem_free(struct mem *m, void *p, size_t size); /* p may be NULL */
void mem_rest(struct mem *m);
/* half of the limit is handed out */
bool mem_tight(const struct mem *m);
/* How much of `most` octets one connection may hold of what nobody can use yet:
 * a little only once half of the limit is handed out.  So whoever has that kept
 * for himself leaves room for those who use what they get. */
uint64_t mem_share(const struct mem *m, uint64_t most);

uint32_t entropy_u32(const struct entropy *e);
uint64_t entropy_u64(const struct entropy *e);

#endif
