#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tests/pkt/pkt.h"

void words_split(struct words *w, const char *text, const char *seps)
{
	char *save = NULL;

	snprintf(w->buf, sizeof(w->buf), "%s", text);
	w->n = w->at = 0;
	for (char *t = strtok_r(w->buf, seps, &save); t && w->n < PKT_WORDS;
	     t = strtok_r(NULL, seps, &save)) {
		w->w[w->n++] = t;
	}
}

const char *words_peek(const struct words *w)
{
	return w->at < w->n ? w->w[w->at] : NULL;
}

const char *words_next(struct run *r, struct words *w)
{
	if (w->at >= w->n) {
		pkt_fail(r, "the line ends too early");
	}
	return w->w[w->at++];
}

bool words_take(struct words *w, const char *what)
{
	if (w->at < w->n && strcmp(w->w[w->at], what) == 0) {
		w->at++;
		return true;
	}
	return false;
}

bool words_is_num(const char *text)
{
	char *end;

	if (!text || !*text) {
		return false;
	}
	(void)strtoull(text, &end, 0);
	return *end == 0;
}

int64_t words_num(struct run *r, struct words *w)
{
	const char *text = words_next(r, w);

	if (!words_is_num(text)) {
		pkt_fail(r, "\"%s\" is no number", text);
	}
	return (int64_t)strtoull(text, NULL, 0);
}

double words_real(struct run *r, const char *text)
{
	char *end;
	double v = strtod(text, &end);

	if (end == text || *end) {
		pkt_fail(r, "\"%s\" is no time in seconds", text);
	}
	return v;
}

void words_end(struct run *r, const struct words *w)
{
	if (w->at < w->n) {
		pkt_fail(r, "\"%s\" is not understood", w->w[w->at]);
	}
}

void words_endpoint(struct run *r, const char *text, struct endpoint *e)
{
	char host[ENDPOINT_TEXT_MAX];
	const char *colon = strrchr(text, ':');
	size_t n = colon ? (size_t)(colon - text) : 0;
	struct addr a;

	if (!colon || n >= sizeof(host)) {
		pkt_fail(r, "\"%s\" is no address and port", text);
	}
	memcpy(host, text, n);
	host[n] = 0;
	if (host[0] == '[' && host[n - 1] == ']') {
		memmove(host, host + 1, n - 1);
		host[n - 2] = 0;
	}
	if (!addr_parse(host, &a)) {
		pkt_fail(r, "\"%s\" is no address and port", text);
	}
	*e = endpoint_make(a, (uint16_t)atoi(colon + 1));
}

void pkt_fail(struct run *r, const char *form, ...)
{
	char shown[PKT_LINE];
	va_list ap;

	printf("%s:%u: ", r->file, r->line);
	va_start(ap, form);
	vprintf(form, ap);
	va_end(ap);
	printf("\n    line:  %s\n    time:  %.6f\n", r->text,
	       (double)instant_since(r->now, r->start) / 1e9);
	if (r->sweep.n) {
		printf("    %s:     %ld\n", r->sweep.name, r->sweep.at);
	}
	for (unsigned i = 0; i < r->n_q && i < 8; i++) {
		printf("    sent:  %s\n",
		       match_show(r, &r->q[i], shown, sizeof(shown)));
	}
	fflush(stdout);
	exit(1);
}

const char *words_call(struct run *r, struct words *w,
		       const struct words_call *calls, unsigned n_calls,
		       const struct words_maker *makers, unsigned n_makers)
{
	const char *name = words_next(r, w);

	if (words_take(w, "=")) {
		const char *made = name;

		name = words_next(r, w);
		for (unsigned i = 0; i < n_makers; i++) {
			if (strcmp(makers[i].name, name) == 0) {
				makers[i].fn(r, made, w);
				words_end(r, w);
				return NULL;
			}
		}
	}
	for (unsigned i = 0; i < n_calls; i++) {
		if (strcmp(calls[i].name, name) == 0) {
			calls[i].fn(r, w);
			words_end(r, w);
			return NULL;
		}
	}
	return name;
}
