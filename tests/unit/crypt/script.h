/* script.h - entropy that yields what the model took */
#ifndef TESTS_UNIT_CRYPT_SCRIPT_H
#define TESTS_UNIT_CRYPT_SCRIPT_H

#include "tests/unit/crypt/common.h"

struct script {
	uint8_t b[128];
	size_t n, at;
};

static inline void scripted(void *ctx, void *buf, size_t n)
{
	struct script *s = ctx;

	assert_true(s->at + n <= s->n);
	memcpy(buf, s->b + s->at, n);
	s->at += n;
}

/* a private key of len octets from `first` on, and a nonce */
static inline void script_fill(struct script *s, unsigned first, size_t len,
			       unsigned nonce)
{
	assert_true(len + 32 <= sizeof(s->b));
	s->at = 0;
	s->n = len + 32;
	for (size_t i = 0; i < len; i++) {
		s->b[i] = (uint8_t)(first + i);
	}
	memset(s->b + len, (int)nonce, 32);
}

/* end_init() with that entropy */
static inline void end_scripted(struct end *e, struct script *s, unsigned first,
				size_t len, unsigned nonce)
{
	const struct crypt_setup setup = { .keylog = { keep_line, e } };

	memset(e, 0, sizeof(*e));
	memset(s, 0, sizeof(*s));
	fake_init(&e->fake, 1);
	e->fake.env.entropy = (struct entropy){ scripted, s };
	s->n = 16; /* the cache's hash key */
	e->crypt = crypt_new(&e->fake.env, &setup);
	assert_non_null(e->crypt);
	crypt_conf_init(&e->conf);
	script_fill(s, first, len, nonce);
}

#endif
