/* addr.h - IPv4 and IPv6 addresses, endpoints and four-tuples
 *
 * Kept whole and zero-padded so that equality is memcmp and hashing is a run
 * of octets.  family is 4 or 6, or 0 for "none".
 */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct addr {
	uint8_t family; /* 0 none, 4, 6 */
	uint8_t pad[3]; /* zero */
	uint8_t b[16];  /* network order; IPv4 in the first 4, rest zero */
};

struct endpoint {
	struct addr addr;
	uint16_t port; /* host order */
	uint16_t pad;  /* zero */
};

struct tuple {
	struct endpoint local, remote;
};

#define ADDR_TEXT_MAX     46
#define ENDPOINT_TEXT_MAX 56

struct addr addr_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d);
struct addr addr_from(uint8_t family, const void *octets); /* 4 or 6 */
struct addr addr_any(uint8_t family);
size_t addr_len(const struct addr *a); /* 4, 16 or 0 */
bool addr_eq(const struct addr *a, const struct addr *b);
bool addr_is_any(const struct addr *a);       /* none, 0.0.0.0 or :: */
bool addr_is_loopback(const struct addr *a);  /* 127/8, ::1 */
bool addr_is_multicast(const struct addr *a); /* also 255.255.255.255 */
bool addr_is_linklocal(const struct addr *a);
bool addr_is_v4mapped(const struct addr *a);
struct addr addr_unmap(struct addr a); /* ::ffff:1.2.3.4 becomes 1.2.3.4 */
struct addr addr_map(struct addr a);   /* the reverse; an IPv6 stays */
bool addr_in_net(const struct addr *a, const struct addr *net, unsigned bits);
/* is a the broadcast address of that IPv4 net?  One of two has none (RFC 3021) */
bool addr_is_broadcast(const struct addr *a, const struct addr *net,
		       unsigned bits);
/* true and *out on well-formed text; "1.2.3.4", "2001:db8::1" */
bool addr_parse(const char *text, struct addr *out);
/* "1.2.3.4/24"; without a length the whole address */
bool addr_parse_net(const char *text, struct addr *out, unsigned *bits);
/* returns buf */
const char *addr_text(const struct addr *a, char buf[ADDR_TEXT_MAX]);

struct endpoint endpoint_make(struct addr a, uint16_t port);
bool endpoint_eq(const struct endpoint *a, const struct endpoint *b);
/* "1.2.3.4:80", "[2001:db8::1]:80" */
const char *endpoint_text(const struct endpoint *e,
			  char buf[ENDPOINT_TEXT_MAX]);
bool tuple_eq(const struct tuple *a, const struct tuple *b);

#endif
