#include "stack/chan/conf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "stack/base/check.h"

/* --- back to text --------------------------------------------------------- */

struct out {
	char **argv;
	unsigned n;
	char *p;
	size_t left;
	bool ok;
};

static void put(struct out *o, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void put(struct out *o, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(o->p, o->left, fmt, ap);
	va_end(ap);
	if (!o->ok || n < 0 || (size_t)n >= o->left || o->n >= CONF_ARGS_MAX) {
		o->ok = false;
		return;
	}
	o->argv[o->n++] = o->p;
	o->p += n + 1;
	o->left -= (size_t)n + 1;
}

static void put_lists(struct out *o, const struct run_conf *c)
{
	char text[256];

	for (unsigned i = 0; i < c->n_tun; i++) {
		for (unsigned a = 0; a < c->tun[i].n_addr; a++) {
			conf_tun_text(&c->tun[i], a, text, sizeof(text));
			put(o, "--tun=%s", text);
		}
	}
	for (unsigned i = 0; i < c->n_exclude; i++) {
		put(o, "--exclude=%s/%u", addr_text(&c->exclude[i].addr, text),
		    c->exclude[i].bits);
	}
}

static void put_crypt(struct out *o, const struct conf_crypt *k)
{
	char text[CONF_CRYPT_ARG];

	for (unsigned i = 0; i < CONF_CRYPT_ARGS; i++) {
		conf_crypt_arg(k, i, text);
		if (*text) {
			put(o, "%s", text);
		}
	}
	if (k->memory_file) {
		put(o, "--crypt-memory-file=%s", k->memory_file);
	}
	if (k->keylog) {
		put(o, "--keylog=%s", k->keylog);
	}
}

int conf_argv(const struct run_conf *c, const char *argv0,
	      char *argv[CONF_ARGS_MAX + 1], char *buf, size_t n)
{
	struct out o = { argv, 0, buf, n, true };

	put(&o, "%s", argv0);
	put_lists(&o, c);
	put(&o, "--mptcp=%s", conf_policy_words[c->mptcp]);
	put(&o, "--io=%s", conf_io_words[c->io]);
	put(&o, "--ecn=%s", conf_ecn_words[c->ecn]);
	put(&o, "--mtu-probing=%s", conf_mtu_probing_words[c->mtu_probing]);
	put(&o, "--fragments=%s", c->drop_fragments ? "drop" : "accept");
	put(&o, "--verbose=%d", c->verbose);
	if (c->stats_json) {
		put(&o, "--stats-json=%s", c->stats_json);
	}
	if (c->pcapng) {
		put(&o, "--pcapng=%s", c->pcapng);
	}
	if (c->congestion) {
		put(&o, "--congestion=%s", c->congestion);
	}
	if (c->scheduler) {
		put(&o, "--scheduler=%s", c->scheduler);
	}
	if (c->checksum) {
		put(&o, "--checksum");
	}
	put_crypt(&o, &c->crypt);
	if (c->ready_fd >= 0) {
		put(&o, "--ready-fd=%d", c->ready_fd);
	}
	if (c->run_fd >= 0) {
		put(&o, "--run-fd=%d", c->run_fd);
	}
	if (c->watch_pid > 0) {
		put(&o, "--watch-pid=%d", c->watch_pid);
	}
	argv[o.n] = NULL;
	return o.ok ? (int)o.n : -1;
}

static void help_add(char *buf, size_t n, size_t *used, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static void help_add(char *buf, size_t n, size_t *used, const char *fmt, ...)
{
	size_t left = *used < n ? n - *used : 0;
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = vsnprintf(left ? buf + *used : NULL, left, fmt, ap);
	va_end(ap);
	*used += r > 0 ? (size_t)r : 0;
}

/* the sentence, broken at blanks so that lines stay within 78 columns */
static void help_wrap(char *buf, size_t n, size_t *used, const char *text)
{
	const size_t width = 70;

	while (*text) {
		size_t len = strlen(text);

		if (len > width) {
			for (len = width; len > 1 && text[len] != ' '; len--) {
			}
		}
		help_add(buf, n, used, "        %.*s\n", (int)len, text);
		text += len;
		text += strspn(text, " ");
	}
}

size_t conf_help(unsigned who, char *buf, size_t n)
{
	size_t used = 0;
	unsigned n_opt;
	const struct conf_opt *opt = conf_opts(&n_opt);

	help_add(buf, n, &used, "%s",
		 who & CONF_RUN
			 ? "Usage: mptcp-run [options] [--] command [args...]\n"
			   "Runs a command whose TCP connections use Multipath "
			   "TCP in a userspace stack.\n\n"
			 : "Usage: mptcp-stackd [options]\n"
			   "The userspace stack behind mptcp-run.\n\n");
	for (unsigned i = 0; i < n_opt; i++) {
		const struct conf_opt *o = &opt[i];
		char letter[8] = "";

		if (!(o->who & who)) {
			continue;
		}
		if (o->letter) {
			snprintf(letter, sizeof(letter), "-%c, ", o->letter);
		}
		help_add(buf, n, &used, "  %s--%s%s%s\n", letter, o->name,
			 o->arg ? " " : "", o->arg ? o->arg : "");
		help_wrap(buf, n, &used, o->help);
		help_add(buf, n, &used, "        default: %s%s%s\n", o->preset,
			 o->env ? "; environment: " : "", o->env ? o->env : "");
	}
	help_add(buf, n, &used,
		 "  -h, --help\n        print this text\n"
		 "  --version\n        print the version\n");
	return used;
}
