#include "stack/crypt/crypt_set.h"

#include <string.h>

#include "stack/base/check.h"
#include "stack/crypt/crypt_keys.h"

bool crypt_set_make(struct crypt_set *s, struct instant now,
		    const struct crypt_set_spec *spec)
{
	struct hash *h = spec->rec->hash;
	uint8_t mk0[CRYPT_K_LEN];
	bool ok;

	*s = (struct crypt_set){ .rec = *spec->rec };
	ok = crypt_keys_mk0(h, spec->ss, spec->sn, mk0) &&
	     crypt_keys_session_id(h, spec->ss, spec->sn, spec->tep_byte,
				   s->session_id) &&
	     (!spec->smtcp || crypt_keys_sk(h, spec->ss, spec->sn, &s->sk));
	if (ok && spec->next) {
		s->next = spec->next;
		ok = crypt_keys_next(h, spec->ss, s->next->ss) &&
		     crypt_keys_resume(h, s->next->ss, s->next->id);
	}
	ok = ok && crypt_rec_init(&s->rec, mk0, now);
	prim_wipe(mk0, sizeof(mk0));
	if (!ok) {
		crypt_set_fini(s);
	}
	return ok;
}

void crypt_set_fini(struct crypt_set *s)
{
	crypt_rec_fini(&s->rec);
	crypt_set_no_next(s);
	prim_wipe(s, sizeof(*s));
}

void crypt_set_no_next(struct crypt_set *s)
{
	if (s->next) {
		prim_wipe(s->next, sizeof(*s->next));
		s->next = NULL;
	}
}

static void gather(uint8_t *out, const struct iov_mut *v, unsigned n,
		   size_t len)
{
	for (unsigned i = 0; i < n; i++) {
		size_t part = min_size(v[i].n, len);

		memcpy(out, v[i].p, part);
		out += part;
		len -= part;
	}
}

static void scatter(const struct iov_mut *v, unsigned n, const uint8_t *from,
		    size_t len)
{
	for (unsigned i = 0; i < n; i++) {
		size_t part = min_size(v[i].n, len);

		memcpy(v[i].p, from, part);
		from += part;
		len -= part;
	}
}

/* A try with the wrong keys ruins the octets, hence the copy. */
enum crypt_reason crypt_set_choose(struct crypt_set *s, struct crypt_set *alt,
				   struct mem *mem, uint64_t offset,
				   const struct iov_mut *v, unsigned n,
				   size_t len, struct crypt_opened *out)
{
	struct crypt_set tmp;
	enum crypt_reason r;
	uint8_t *copy;

	if (len > CRYPT_FRAME_HDR + (size_t)UINT16_MAX) {
		return CRYPT_BAD_LEN;
	}
	copy = mem_zalloc(mem, len);
	if (!copy) {
		return CRYPT_NOMEM;
	}
	gather(copy, v, n, len);
	r = crypt_rec_open(&s->rec, offset, v, n, len, out);
	if (r == CRYPT_BAD_TAG) {
		scatter(v, n, copy, len);
		r = crypt_rec_open(&alt->rec, offset, v, n, len, out);
		if (r == CRYPT_OK) {
			tmp = *s;
			*s = *alt;
			*alt = tmp;
			prim_wipe(&tmp, sizeof(tmp));
		}
	}
	mem_free(mem, copy, len);
	return r;
}
