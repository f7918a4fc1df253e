/* eno_form.h - the SYN-form options that we send (RFC 8547 4.2, RFC 8548 3.5,
 * smtcp(7)): suboptions, and the session secret that they name
 *
 * Private to eno.c, which decides when.
 */
#ifndef CRYPT_ENO_FORM_H
#define CRYPT_ENO_FORM_H

#include "stack/crypt/eno.h"

/* may a connection use the secret at all?  conf: struct crypt_conf */
bool eno_form_fits(const void *conf, const struct crypt_ticket *t);
/* Active opener, when the first SYN leaves: sets e->x->mine; mine_len 0: there
 * is no room.  A secret that is named is out of the cache then. */
void eno_form_offer(struct eno *e, const struct eno_env *env, unsigned room);
/* the same when the first SYN-ACK leaves; the peer's option is there, and
 * settles */
void eno_form_answer(struct eno *e, const struct eno_env *env, unsigned room);
/* the answer that names nothing; octets, 0: no room */
unsigned eno_form_vacuous(const struct crypt_conf *c, uint8_t *buf,
			  unsigned room);

#endif
