#include "stack/chan/conf.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "stack/base/check.h"

#define VALUE_MAX 4096 /* one word of a list in the environment */

bool conf_refuse(char why[CONF_ERR_MAX], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, CONF_ERR_MAX, fmt, ap);
	va_end(ap);
	/* it quotes what was given, and is one line all the same */
	for (char *p = why; *p; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f) {
			*p = '?';
		}
	}
	return false;
}

/* --- setters, one per option ---------------------------------------------- */

static bool set_exclude(struct run_conf *c, const char *value,
			char why[CONF_ERR_MAX])
{
	struct conf_net *net = &c->exclude[c->n_exclude];

	if (c->n_exclude == CONF_NETS_MAX) {
		return conf_refuse(why,
				   "more than %d networks; join some into a "
				   "larger one",
				   CONF_NETS_MAX);
	}
	if (!addr_parse_net(value, &net->addr, &net->bits)) {
		return conf_refuse(why,
				   "'%.50s' is no network; write 192.0.2.0/24, "
				   "2001:db8::/32 or an address",
				   value);
	}
	c->n_exclude++;
	return true;
}

bool conf_word(const char *value, const char *const words[], unsigned n,
	       unsigned *out, char why[CONF_ERR_MAX])
{
	char all[100] = "";

	for (unsigned i = 0; i < n; i++) {
		size_t used = strlen(all);

		if (strcmp(value, words[i]) == 0) {
			*out = i;
			return true;
		}
		snprintf(all + used, sizeof(all) - used, "%s%s",
			 i == 0       ? ""
			 : i + 1 == n ? " or "
				      : ", ",
			 words[i]);
	}
	return conf_refuse(why, "'%.40s' is unknown; use %s", value, all);
}

const char *const conf_policy_words[] = { "off", "prefer", "require" };
const char *const conf_io_words[] = { "auto", "uring", "epoll" };
const char *const conf_ecn_words[] = { "off", "passive", "on" };
const char *const conf_mtu_probing_words[] = { "off", "blackhole", "on" };

static bool set_mptcp(struct run_conf *c, const char *value,
		      char why[CONF_ERR_MAX])
{
	unsigned i;

	if (!conf_word(value, conf_policy_words, ARRAY_SIZE(conf_policy_words),
		       &i, why)) {
		return false;
	}
	c->mptcp = (enum conf_policy)i;
	return true;
}

static bool set_io(struct run_conf *c, const char *value,
		   char why[CONF_ERR_MAX])
{
	unsigned i;

	if (!conf_word(value, conf_io_words, ARRAY_SIZE(conf_io_words), &i,
		       why)) {
		return false;
	}
	c->io = (enum conf_io)i;
	return true;
}

static bool set_ecn(struct run_conf *c, const char *value,
		    char why[CONF_ERR_MAX])
{
	unsigned i;

	if (!conf_word(value, conf_ecn_words, ARRAY_SIZE(conf_ecn_words), &i,
		       why)) {
		return false;
	}
	c->ecn = (enum conf_ecn)i;
	return true;
}

static bool set_mtu_probing(struct run_conf *c, const char *value,
			    char why[CONF_ERR_MAX])
{
	unsigned i;

	if (!conf_word(value, conf_mtu_probing_words,
		       ARRAY_SIZE(conf_mtu_probing_words), &i, why)) {
		return false;
	}
	c->mtu_probing = (enum conf_mtu_probing)i;
	return true;
}

static bool set_fragments(struct run_conf *c, const char *value,
			  char why[CONF_ERR_MAX])
{
	static const char *const words[] = { "accept", "drop" };
	unsigned i;

	if (!conf_word(value, words, ARRAY_SIZE(words), &i, why)) {
		return false;
	}
	c->drop_fragments = i == 1;
	return true;
}

/* "" (the flag), 1, yes, on, or 0, no, off (the variable) */
static bool set_bool(const char *value, bool *out, char why[CONF_ERR_MAX])
{
	static const char *const words[] = { "0",   "no", "off", "1",
					     "yes", "on", "" };
	for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(value, words[i]) == 0) {
			*out = i >= 3;
			return true;
		}
	}
	return conf_refuse(why, "'%.40s' is unknown; use 1 or 0", value);
}

static bool set_int(const char *value, int max, int *out,
		    char why[CONF_ERR_MAX])
{
	int v = 0;

	if (!*value) {
		return conf_refuse(why, "a number is missing");
	}
	for (const char *p = value; *p; p++) {
		int d = *p - '0';

		if (d < 0 || d > 9 || d > max || v > (max - d) / 10) {
			return conf_refuse(why,
					   "'%.40s' is not a number within "
					   "0..%d",
					   value, max);
		}
		v = v * 10 + d;
	}
	*out = v;
	return true;
}

bool conf_file(const char *value, const char **out, char why[CONF_ERR_MAX])
{
	if (!*value) {
		return conf_refuse(why, "the file has no name; give a path");
	}
	*out = value;
	return true;
}

static bool set_stats(struct run_conf *c, const char *value,
		      char why[CONF_ERR_MAX])
{
	return conf_file(value, &c->stats_json, why);
}

static bool set_pcapng(struct run_conf *c, const char *value,
		       char why[CONF_ERR_MAX])
{
	return conf_file(value, &c->pcapng, why);
}

static bool set_name(const char *value, const char **out,
		     char why[CONF_ERR_MAX])
{
	size_t n = strlen(value);

	if (n == 0 || n > 15) {
		return conf_refuse(
			why, "'%.40s' is no name of up to 15 letters", value);
	}
	*out = value;
	return true;
}

static bool set_congestion(struct run_conf *c, const char *value,
			   char why[CONF_ERR_MAX])
{
	return set_name(value, &c->congestion, why);
}

static bool set_scheduler(struct run_conf *c, const char *value,
			  char why[CONF_ERR_MAX])
{
	return set_name(value, &c->scheduler, why);
}

static bool set_checksum(struct run_conf *c, const char *value,
			 char why[CONF_ERR_MAX])
{
	return set_bool(value, &c->checksum, why);
}

static bool set_wait(struct run_conf *c, const char *value,
		     char why[CONF_ERR_MAX])
{
	return set_bool(value, &c->wait, why);
}

static bool set_quiet(struct run_conf *c, const char *value,
		      char why[CONF_ERR_MAX])
{
	bool quiet = false;

	if (!set_bool(value, &quiet, why)) {
		return false;
	}
	c->verbose = quiet ? 0 : c->verbose;
	return true;
}

/* the flag counts up, the variable says a number: 1 is -v, 2 is -vv */
static bool set_verbose(struct run_conf *c, const char *value,
			char why[CONF_ERR_MAX])
{
	int v = 0;

	if (!*value) {
		c->verbose = c->verbose < 2 ? 2 : 3;
		return true;
	}
	if (!set_int(value, 2, &v, why)) {
		return false;
	}
	c->verbose = v == 0 ? c->verbose : v + 1;
	return true;
}

static bool set_level(struct run_conf *c, const char *value,
		      char why[CONF_ERR_MAX])
{
	return set_int(value, 3, &c->verbose, why);
}

static bool set_ready_fd(struct run_conf *c, const char *value,
			 char why[CONF_ERR_MAX])
{
	return set_int(value, INT_MAX, &c->ready_fd, why);
}

static bool set_run_fd(struct run_conf *c, const char *value,
		       char why[CONF_ERR_MAX])
{
	return set_int(value, INT_MAX, &c->run_fd, why);
}

static bool set_watch_pid(struct run_conf *c, const char *value,
			  char why[CONF_ERR_MAX])
{
	return set_int(value, INT_MAX, &c->watch_pid, why);
}

/* --- the table ------------------------------------------------------------ */

#define BOTH (CONF_RUN | CONF_STACKD)

static const struct conf_opt table[] = {
	{ "tun", 0, BOTH, true, "NAME,addr=ADDR/LEN,peer=ADDR[,backup][,mtu=N]",
	  "MPTCP_TUN", "none: at least one is needed",
	  "a path: the stack gets ADDR/LEN and the kernel's side of TUN device "
	  "NAME gets peer; name a device again to add an address",
	  conf_tun_parse },
	{ "mptcp", 0, BOTH, false, "off|prefer|require", "MPTCP_MODE", "prefer",
	  "never use Multipath TCP, use it where the peer has it, or refuse "
	  "connections without it",
	  set_mptcp },
	{ "exclude", 0, BOTH, true, "NET", "MPTCP_EXCLUDE",
	  "none beside loopback",
	  "leave connections to this network to the kernel", set_exclude },
	{ "stats-json", 0, BOTH, false, "FILE", "MPTCP_STATS_JSON", "none",
	  "write statistics to FILE at each connection's close and at the end; "
	  "implies --wait",
	  set_stats },
	{ "pcapng", 0, BOTH, false, "FILE", "MPTCP_PCAPNG", "none",
	  "write all packets of all paths to FILE; implies --wait",
	  set_pcapng },
	{ "congestion", 0, BOTH, false, "NAME", "MPTCP_CONGESTION", "cubic",
	  "congestion control: cubic, reno or bbr", set_congestion },
	{ "scheduler", 0, BOTH, false, "NAME", "MPTCP_SCHEDULER", "minrtt",
	  "which subflow sends: minrtt", set_scheduler },
	{ "crypt", 0, BOTH, false, "off|prefer|require-any|require",
	  "MPTCP_CRYPT", "prefer",
	  "never encrypt, encrypt where the peer can, refuse connections that "
	  "are not encrypted, or those that are not encrypted Multipath TCP",
	  conf_crypt_policy },
	{ "crypt-memory", 0, BOTH, false, "off|warn|enforce",
	  "MPTCP_CRYPT_MEMORY", "warn",
	  "what to do about a destination that was encrypted before and is not "
	  "now",
	  conf_crypt_memory },
	{ "crypt-memory-file", 0, BOTH, false, "FILE",
	  "MPTCP_CRYPT_MEMORY_FILE", "~/.local/state/mptcp/known",
	  "where destinations that were encrypted are kept",
	  conf_crypt_memory_file },
	{ "keylog", 0, BOTH, false, "FILE", "MPTCP_KEYLOG", "none",
	  "append the secrets of encrypted connections to FILE, for whoever "
	  "looks into a capture",
	  conf_crypt_keylog },
	{ "crypt-kx", 0, BOTH, false, "LIST", "MPTCP_CRYPT_KX", "x25519",
	  "key exchanges to use, best first: x25519, x448, p256, p521",
	  conf_crypt_kx },
	{ "crypt-ciphers", 0, BOTH, false, "LIST", "MPTCP_CRYPT_CIPHERS",
	  "aes128gcm,aes256gcm,chacha20", "ciphers to use, best first",
	  conf_crypt_ciphers },
	{ "crypt-rekey", 0, BOTH, false, "WHEN", "MPTCP_CRYPT_REKEY", "64G",
	  "new keys after so many octets (K, M, G), so much time (s, min, h), "
	  "both (64M,10min), or off",
	  conf_crypt_rekey },
	{ "crypt-resume", 0, BOTH, false, "on|off", "MPTCP_CRYPT_RESUME", "on",
	  "begin with a secret of an earlier connection, without a key "
	  "exchange",
	  conf_crypt_resume },
	{ "checksum", 0, BOTH, false, NULL, "MPTCP_CHECKSUM", "0",
	  "ask for Multipath TCP's data checksums", set_checksum },
	{ "ecn", 0, BOTH, false, "off|passive|on", "MPTCP_ECN", "passive",
	  "explicit congestion notification: never, with peers that ask for "
	  "it, or asked for",
	  set_ecn },
	{ "mtu-probing", 0, BOTH, false, "off|blackhole|on",
	  "MPTCP_MTU_PROBING", "blackhole",
	  "look for the size of packets that a path takes by sending larger "
	  "ones: never, when large packets vanish, or always",
	  set_mtu_probing },
	{ "fragments", 0, BOTH, false, "accept|drop", "MPTCP_FRAGMENTS",
	  "accept", "put fragmented packets together, or drop the fragments",
	  set_fragments },
	{ "io", 0, BOTH, false, "auto|uring|epoll", "MPTCP_IO", "auto",
	  "how the stack waits: io_uring, or epoll where that is refused",
	  set_io },
	{ "wait", 0, CONF_RUN, false, NULL, "MPTCP_WAIT", "0",
	  "stay as the parent until the command and the stack have ended",
	  set_wait },
	{ "quiet", 'q', CONF_RUN, false, NULL, "MPTCP_QUIET", "0",
	  "say nothing but errors", set_quiet },
	{ "verbose", 'v', CONF_RUN, true, NULL, "MPTCP_VERBOSE", "0",
	  "one line per connection; twice: more", set_verbose },
	{ "verbose", 0, CONF_STACKD, false, "N", NULL, "1",
	  "0 quiet, 1 normal, 2 one line per connection, 3 more", set_level },
	{ "ready-fd", 0, CONF_STACKD, false, "N", NULL, "none",
	  "descriptor for \"ok\" or \"error: ...\" once the start is over",
	  set_ready_fd },
	{ "run-fd", 0, CONF_STACKD, false, "N", NULL, "none",
	  "descriptor to read the run's identity from, as ID:SECRET in hex",
	  set_run_fd },
	{ "watch-pid", 0, CONF_STACKD, false, "PID", NULL, "none",
	  "first process of the run: the stack stays while it lives",
	  set_watch_pid },
};

const struct conf_opt *conf_opts(unsigned *n)
{
	*n = (unsigned)ARRAY_SIZE(table);
	return table;
}

void conf_init(struct run_conf *c)
{
	*c = (struct run_conf){
		.mptcp = CONF_MPTCP_PREFER,
		.ecn = CONF_ECN_PASSIVE,
		.mtu_probing = CONF_MTU_PROBING_BLACKHOLE,
		.crypt = { .policy = CONF_CRYPT_PREFER,
			   .memory = CONF_MEMORY_WARN },
		.verbose = 1,
		.ready_fd = -1,
		.run_fd = -1,
	};
}

/* --- arguments ------------------------------------------------------------ */

static const struct conf_opt *find_long(unsigned who, const char *name,
					size_t n)
{
	for (unsigned i = 0; i < ARRAY_SIZE(table); i++) {
		if ((table[i].who & who) && strlen(table[i].name) == n &&
		    memcmp(table[i].name, name, n) == 0) {
			return &table[i];
		}
	}
	return NULL;
}

static const struct conf_opt *find_short(unsigned who, char letter)
{
	for (unsigned i = 0; i < ARRAY_SIZE(table); i++) {
		if ((table[i].who & who) && table[i].letter == letter) {
			return &table[i];
		}
	}
	return NULL;
}

/* puts the origin in front of the setter's words */
static bool apply(struct run_conf *c, const struct conf_opt *o,
		  const char *dashes, const char *origin, const char *value,
		  char err[CONF_ERR_MAX])
{
	char why[CONF_ERR_MAX] = "";

	if (o->set(c, value, why)) {
		return true;
	}
	snprintf(err, CONF_ERR_MAX, "%s%s: %.200s", dashes, origin, why);
	return false;
}

/* one "--name", "--name=value" or "--name value"; *i is the last word used */
static enum conf_result long_arg(struct run_conf *c, unsigned who, int argc,
				 char *const argv[], int *i,
				 char err[CONF_ERR_MAX])
{
	const char *name = argv[*i] + 2, *eq = strchr(name, '=');
	size_t n = eq ? (size_t)(eq - name) : strlen(name);
	const struct conf_opt *o = find_long(who, name, n);
	const char *value = eq ? eq + 1 : "";

	if (!eq && strcmp(name, "help") == 0) {
		return CONF_HELP;
	}
	if (!eq && strcmp(name, "version") == 0) {
		return CONF_VERSION;
	}
	if (!o) {
		conf_refuse(err, "--%.*s: unknown option; see --help",
			    n > 40 ? 40 : (int)n, name);
		return CONF_ERROR;
	}
	if (!o->arg && eq) {
		conf_refuse(err, "--%s takes no value; write it alone",
			    o->name);
		return CONF_ERROR;
	}
	if (o->arg && !eq) {
		if (*i + 1 >= argc) {
			conf_refuse(err, "--%s needs a value: %s", o->name,
				    o->arg);
			return CONF_ERROR;
		}
		value = argv[++*i];
	}
	c->flagged |= UINT64_C(1) << (o - table);
	return apply(c, o, "--", o->name, value, err) ? CONF_OK : CONF_ERROR;
}

/* "-qv": no short option takes a value */
static enum conf_result short_args(struct run_conf *c, unsigned who,
				   const char *word, char err[CONF_ERR_MAX])
{
	for (const char *p = word + 1; *p; p++) {
		const struct conf_opt *o = find_short(who, *p);

		if (*p == 'h') {
			return CONF_HELP;
		}
		if (!o) {
			conf_refuse(err, "-%c: unknown option; see --help", *p);
			return CONF_ERROR;
		}
		c->flagged |= UINT64_C(1) << (o - table);
		if (!apply(c, o, "--", o->name, "", err)) {
			return CONF_ERROR;
		}
	}
	return CONF_OK;
}

enum conf_result conf_args(struct run_conf *c, unsigned who, int argc,
			   char *const argv[], int *rest,
			   char err[CONF_ERR_MAX])
{
	enum conf_result r = CONF_OK;
	int i;

	static_assert(ARRAY_SIZE(table) <= 64, "flagged has 64 bits");
	for (i = 1; i < argc && r == CONF_OK; i++) {
		const char *w = argv[i];

		if (w[0] != '-' || w[1] == '\0') {
			break;
		}
		if (strcmp(w, "--") == 0) {
			i++;
			break;
		}
		if (w[1] == '-') {
			r = long_arg(c, who, argc, argv, &i, err);
		} else {
			r = short_args(c, who, w, err);
		}
	}
	*rest = i;
	return r;
}

/* --- environment ---------------------------------------------------------- */

/* Words of a list: separated by blanks or ';', networks also by ','.  Copies,
 * which only setters that keep no pointer can take: lists do not. */
static bool apply_list(struct run_conf *c, const struct conf_opt *o,
		       const char *value, char err[CONF_ERR_MAX])
{
	const char *sep = o->set == set_exclude ? " \t\n;," : " \t\n;";

	while (*value) {
		char word[VALUE_MAX];
		size_t n = strcspn(value, sep);

		if (n >= sizeof(word)) {
			return conf_refuse(err, "%s: a value is too long",
					   o->env);
		}
		memcpy(word, value, n);
		word[n] = '\0';
		if (n && !apply(c, o, "", o->env, word, err)) {
			return false;
		}
		value += n;
		value += strspn(value, sep);
	}
	return true;
}

bool conf_env(struct run_conf *c, unsigned who,
	      const char *(*get)(void *ctx, const char *name), void *ctx,
	      char err[CONF_ERR_MAX])
{
	for (unsigned i = 0; i < ARRAY_SIZE(table); i++) {
		const struct conf_opt *o = &table[i];
		const char *value;

		if (!(o->who & who) || !o->env || (c->flagged >> i & 1)) {
			continue;
		}
		/* -v and -q are one setting: either flag silences both */
		if ((o->letter == 'q' || o->letter == 'v') && c->verbose != 1) {
			continue;
		}
		value = get(ctx, o->env);
		if (!value || !*value) {
			continue;
		}
		if (o->list && o->arg ? !apply_list(c, o, value, err)
				      : !apply(c, o, "", o->env, value, err)) {
			return false;
		}
	}
	return true;
}

/* --- everything together -------------------------------------------------- */

/* is address a of path i also on an earlier path, or earlier on this one? */
static bool seen_before(const struct run_conf *c, unsigned i, unsigned a)
{
	const struct addr *want = &c->tun[i].addr[a].addr;

	for (unsigned p = 0; p <= i; p++) {
		unsigned n = p == i ? a : c->tun[p].n_addr;

		for (unsigned k = 0; k < n; k++) {
			if (addr_eq(&c->tun[p].addr[k].addr, want)) {
				return true;
			}
		}
	}
	return false;
}

bool conf_check(const struct run_conf *c, char err[CONF_ERR_MAX])
{
	char text[ADDR_TEXT_MAX];

	if (c->n_tun == 0) {
		return conf_refuse(
			err, "no path: give at least one --tun "
			     "NAME,addr=ADDR/LEN,peer=ADDR (or MPTCP_TUN)");
	}
	for (unsigned i = 0; i < c->n_tun; i++) {
		for (unsigned a = 0; a < c->tun[i].n_addr; a++) {
			if (seen_before(c, i, a)) {
				return conf_refuse(
					err,
					"--tun: address %s is given "
					"twice; every path needs its own",
					addr_text(&c->tun[i].addr[a].addr,
						  text));
			}
		}
	}
	return conf_crypt_check(c, err);
}

bool conf_waits(const struct run_conf *c)
{
	return c->wait || c->stats_json || c->pcapng;
}
