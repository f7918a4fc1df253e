/* sweep.c - a script that is run once for each value of a name
 *
 *	sweep X 0..631 640
 *
 * {X}, and sums of numbers and the name like {79-X}, stand for their value
 * anywhere in the script and in what it includes.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "tests/pkt/pkt.h"

/* a single value, or a..b, at text */
static const char *range(const char *text, long *lo, long *hi)
{
	char *end;

	*lo = *hi = strtol(text, &end, 0);
	if (end == text) {
		return NULL;
	}
	if (strncmp(end, "..", 2) == 0) {
		*hi = strtol(end + 2, &end, 0);
	}
	return end;
}

static void parse(struct run *r, struct sweep *w, const char *text)
{
	int used = 0;

	if (sscanf(text, "sweep %15[A-Za-z]%n", w->name, &used) != 1) {
		pkt_fail(r, "sweep NAME A..B ..");
	}
	text += used;
	while (*(text += strspn(text, " \t\n")) && *text != '#') {
		long *at = w->range[w->n];

		if (w->n == SWEEP_RANGES || !(text = range(text, at, at + 1)) ||
		    at[1] < at[0]) {
			pkt_fail(r, "sweep: no range");
		}
		w->n++;
	}
	w->at = w->range[0][0];
}

void sweep_read(struct run *r, struct sweep *w, const char *file)
{
	FILE *in = fopen(file, "r");
	char line[PKT_LINE];

	*w = (struct sweep){ 0 };
	if (!in) {
		pkt_fail(r, "cannot read %s", file);
	}
	while (fgets(line, sizeof(line), in)) {
		if (strncmp(line, "sweep ", 6) == 0) {
			snprintf(r->text, sizeof(r->text), "%s", line);
			parse(r, w, line);
			break;
		}
	}
	fclose(in);
}

bool sweep_next(struct sweep *w)
{
	if (w->n == 0) {
		return false;
	}
	if (w->at < w->range[w->i][1]) {
		w->at++;
		return true;
	}
	if (++w->i == w->n) {
		return false;
	}
	w->at = w->range[w->i][0];
	return true;
}

/* the value of what is between braces */
static long value(struct run *r, const char *p, size_t n)
{
	const char *end = p + n;
	long sum = 0;

	while (p < end) {
		long sign = *p == '-' ? -1 : 1;
		size_t len = strlen(r->sweep.name);
		char *after;

		p += *p == '-' || *p == '+';
		if (len && strncmp(p, r->sweep.name, len) == 0) {
			sum += sign * r->sweep.at;
			p += len;
		} else if (isdigit((unsigned char)*p)) {
			sum += sign * strtol(p, &after, 0);
			p = after;
		} else {
			pkt_fail(r, "{%.*s} has no value", (int)n, end - n);
		}
	}
	return sum;
}

void sweep_expand(struct run *r, char line[PKT_LINE])
{
	char in[PKT_LINE], *p = in, *out = line, *end = line + PKT_LINE;

	if (!strchr(line, '{')) {
		return;
	}
	snprintf(in, sizeof(in), "%s", line);
	while (*p && end - out > 24) {
		size_t n = *p == '{' ? strcspn(p + 1, "}") : 0;

		if (*p == '{' && p[n + 1] == '}') {
			out += snprintf(out, 24, "%ld", value(r, p + 1, n));
			p += n + 2;
		} else {
			*out++ = *p++;
		}
	}
	*out = 0;
}
