/* reasons.h - the words of a layer's list of reasons: the counter's name and a
 * sentence, in one table
 *
 *	static const struct reason reasons[] = { IP_REASONS(REASON) };
 */
#ifndef BASE_REASONS_H
#define BASE_REASONS_H

struct reason {
	const char *name, *text;
};

#define REASON(id, name, text) [id] = { name, text },

#endif
