/* flows - runs the scenes and says what came of them
 *
 *     flows [-o folder] [-s seed] [-n runs] [scene..]
 *
 * A scene is run so many times; goodputs, queue and drops are means, Jain's
 * index, the use of the link and shares the worst of all runs.  With -o, for
 * the first run NAME.tsv of each scene: seconds, octets in the queue (KB), packets
 * dropped, and for each flow its window (KB), smoothed round trip (ms) and
 * goodput (Mbit/s).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stack/tcp/cc.h"
#include "tests/plots/flows.h"

struct args {
	const char *folder;
	uint64_t seed;
	unsigned runs;
};

/* behind the name of the congestion control */
static const char *const kind_text[] = {
	[FLOW_TCP] = "",	 [FLOW_MPTCP] = "/mptcp",
	[FLOW_SMTCP] = "/smtcp", [FLOW_CRYPT] = "/tcpcrypt",
	[FLOW_MODEL] = "",
};

static const char *label(const struct flow_plan *p)
{
	return p->kind == FLOW_MODEL ? "model" : p->cc;
}

static FILE *series(const char *folder, const struct scene *s)
{
	char path[512];
	FILE *f;

	if (!folder) {
		return NULL;
	}
	snprintf(path, sizeof(path), "%s/%s.tsv", folder, s->name);
	f = fopen(path, "w");
	if (!f) {
		fprintf(stderr, "flows: %s: %s\n", path, strerror(errno));
		exit(2);
	}
	fprintf(f, "# %s; %.0f Mbit/s, queue %.1f products of rate and delay",
		s->text, s->mbit, s->queue);
	if (s->ecn > 0) {
		fprintf(f, ", ECN from %.2f of it", s->ecn);
	}
	if (s->note) {
		fprintf(f, " -- expected: %s", s->note);
	}
	fprintf(f, "\n# seconds\tqueue KB\tdrops");
	for (unsigned i = 0; i < s->n; i++) {
		const char *of = label(&s->flow[i]);
		const char *as = kind_text[s->flow[i].kind];

		fprintf(f, "\t%s%s cwnd KB\t%s%s srtt ms\t%s%s Mbit/s", of, as,
			of, as, of, as);
	}
	fputc('\n', f);
	return f;
}

static bool below(const char *what, double is, double want)
{
	if (want <= 0 || is >= want) {
		return false;
	}
	printf("    FAILED: %s %.3f, at least %.3f wanted\n", what, is, want);
	return true;
}

static bool show(const struct scene *s, const struct result *r)
{
	bool bad = false;

	printf("%-18s", s->name);
	for (unsigned i = 0; i < FLOWS_MAX; i++) {
		if (i < s->n) {
			printf(" %5s %6.2f %5.2f%%", label(&s->flow[i]),
			       r->flow[i].goodput, r->flow[i].retrans * 100);
		} else {
			printf(" %5s %6s %6s", "", "", "");
		}
	}
	printf("  %.3f  %.3f  %6.1f  %5.2f%%\n", r->jain, r->use, r->queue,
	       r->drops * 100);
	bad |= below("Jain's index", r->jain, s->jain);
	bad |= below("use of the link", r->use, s->use);
	bad |= s->share > 0 && below("share of the first", r->share, s->share);
	bad |= s->share > 0 &&
	       below("share of the second", 1 - r->share, s->share);
	return !bad;
}

static bool there(const struct scene *s)
{
	for (unsigned i = 0; i < s->n; i++) {
		if (s->flow[i].cc && !cc_find(s->flow[i].cc)) {
			printf("%-18s no %s here\n", s->name, s->flow[i].cc);
			return false;
		}
	}
	return true;
}

static bool wanted(const struct scene *s, char **names)
{
	bool any = *names == NULL;

	for (; *names; names++) {
		any |= strcmp(*names, s->name) == 0;
	}
	return any;
}

static double least(double a, double b)
{
	return a < b ? a : b;
}

/* nearer to nothing, for either of the two */
static double worse_share(double a, double b)
{
	return least(a, 1 - a) < least(b, 1 - b) ? a : b;
}

static void add(struct result *sum, const struct result *r, unsigned runs)
{
	for (unsigned i = 0; i < FLOWS_MAX; i++) {
		sum->flow[i].goodput += r->flow[i].goodput / runs;
		sum->flow[i].retrans += r->flow[i].retrans / runs;
	}
	sum->jain = least(sum->jain, r->jain);
	sum->use = least(sum->use, r->use);
	sum->share = worse_share(sum->share, r->share);
	sum->queue += r->queue / runs;
	sum->drops += r->drops / runs;
}

static bool one(const struct scene *s, const struct args *a)
{
	struct result sum = { .jain = 1, .use = 1, .share = 0.5 }, r;

	for (unsigned i = 0; i < a->runs; i++) {
		FILE *f = i == 0 ? series(a->folder, s) : NULL;
		bool ok = scene_run(s, a->seed + i, f, &r);

		if (f) {
			fclose(f);
		}
		if (!ok) {
			return false;
		}
		add(&sum, &r, a->runs);
	}
	return show(s, &sum);
}

static bool get_args(struct args *a, int argc, char **argv)
{
	int opt;

	*a = (struct args){ .seed = 1, .runs = 1 };
	while ((opt = getopt(argc, argv, "o:s:n:")) != -1) {
		switch (opt) {
		case 'o':
			a->folder = optarg;
			break;
		case 's':
			a->seed = strtoull(optarg, NULL, 10);
			break;
		case 'n':
			a->runs = (unsigned)strtoul(optarg, NULL, 10);
			break;
		default:
			return false;
		}
	}
	return a->runs > 0;
}

int main(int argc, char **argv)
{
	unsigned passed = 0, failed = 0;
	struct args a;

	if (!get_args(&a, argc, argv)) {
		fprintf(stderr, "usage: flows [-o folder] [-s seed] [-n runs] "
				"[scene..]\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("%-18s %s\n", "scene",
	       "for each flow Mbit/s, sent again;  Jain's index, use of the "
	       "link, mean queue (ms), dropped");
	for (unsigned i = 0; i < n_scenes; i++) {
		if (!wanted(&scenes[i], argv + optind) || !there(&scenes[i])) {
			continue;
		}
		if (one(&scenes[i], &a)) {
			passed++;
		} else {
			failed++;
		}
	}
	printf("flows: %u passed, %u failed\n", passed, failed);
	return failed ? 1 : 0;
}
