/* json.h - JSON text into memory, piece by piece (RFC 8259)
 *
 * The writer puts commas and quotes; the caller opens and closes.  Text is
 * escaped; octets that are not UTF-8 become U+FFFD, so that the result is
 * always valid.  Memory grows; when it cannot, ok turns false for good.
 */
#ifndef ENGINE_JSON_H
#define ENGINE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_DEPTH_MAX 16

struct json {
	char *buf; /* len octets, no terminator */
	size_t len, cap;
	unsigned depth;
	bool comma[JSON_DEPTH_MAX]; /* a value came before, at this depth */
	bool ok;
};

void json_init(struct json *j);
void json_fini(struct json *j);

/* key: name inside an object, NULL inside an array or at the top */
void json_object(struct json *j, const char *key);
void json_array(struct json *j, const char *key);
void json_end(struct json *j, char bracket); /* '}' or ']' */
void json_text(struct json *j, const char *key,
	       const char *value); /* NULL: null */
void json_uint(struct json *j, const char *key, uint64_t value);
void json_bool(struct json *j, const char *key, bool value);
/* a value that is JSON already */
void json_raw(struct json *j, const char *key, const char *text, size_t n);

#endif
