#include "stack/mptcp/mp_frames.h"

#include "stack/base/env.h"

void mp_frames_init(struct mp_frames *f, struct mem *mem)
{
	*f = (struct mp_frames){ .mem = mem };
}

void mp_frames_fini(struct mp_frames *f)
{
	mem_free(f->mem, f->len, f->cap * sizeof(*f->len));
	mp_frames_init(f, f->mem);
}
