/* conf.h - options of mptcp-run and mptcp-stackd: one table, one parser
 *
 * Sans-I/O: arguments and a way to look up the environment in, a struct or one
 * line of error text out.  Precedence: flag, then environment, then built-in;
 * a list given by flags replaces the environment's list.
 *
 * Order of calls: conf_init(), conf_args(), conf_env(), conf_check().
 * Strings in the struct point into the arguments or the environment.
 */
#ifndef CHAN_CONF_H
#define CHAN_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stack/base/addr.h"

#define CONF_TUNS_MAX      8
#define CONF_TUN_ADDRS_MAX 4
#define CONF_NETS_MAX      32
#define CONF_NAME_LEN      16 /* of a device, terminator included */
#define CONF_ERR_MAX       256
#define CONF_ARGS_MAX      96    /* most that conf_argv() fills in */
#define CONF_ARGS_TEXT     16384 /* enough text for conf_argv() */
#define CONF_MTU_DEFAULT   1500

/* which program an option belongs to */
#define CONF_RUN    1u
#define CONF_STACKD 2u

struct conf_tun_addr {
	struct addr addr; /* the stack's */
	struct addr peer; /* the kernel's side of the device */
	uint8_t bits;     /* prefix length of the net both are on */
};

struct conf_tun {
	char name[CONF_NAME_LEN];
	bool backup;
	uint16_t mtu;
	uint8_t n_addr;
	struct conf_tun_addr addr[CONF_TUN_ADDRS_MAX];
};

struct conf_net {
	struct addr addr;
	unsigned bits;
};

enum conf_policy {
	CONF_MPTCP_OFF,
	CONF_MPTCP_PREFER,
	CONF_MPTCP_REQUIRE,
};

enum conf_io {
	CONF_IO_AUTO,
	CONF_IO_URING,
	CONF_IO_EPOLL,
};

struct run_conf {
	unsigned n_tun; /* paths; the first that is not backup is primary */
	struct conf_tun tun[CONF_TUNS_MAX];
	unsigned n_exclude;
	struct conf_net exclude[CONF_NETS_MAX];
	enum conf_policy mptcp;
	enum conf_io io;
	bool checksum;
	bool wait;   /* also implied by the two file options: conf_waits() */
	int verbose; /* 0 quiet, 1 normal, 2 -v, 3 -vv */
	const char *stats_json, *pcapng;    /* NULL: not asked for */
	const char *congestion, *scheduler; /* NULL: the stack's own choice */
	/* mptcp-stackd only; -1 or 0: not given */
	int ready_fd, run_fd, watch_pid;
	uint32_t flagged; /* private: options that a flag has set */
};

struct conf_opt {
	const char *name;   /* long name without dashes */
	char letter;        /* short name or 0 */
	uint8_t who;        /* CONF_RUN | CONF_STACKD */
	bool list;          /* may be repeated */
	const char *arg;    /* word for the value in texts; NULL: takes none */
	const char *env;    /* environment variable; NULL: none */
	const char *preset; /* the built-in value, in words */
	const char *help;
	/* value is "" for an option without one.  False: why is filled in. */
	bool (*set)(struct run_conf *c, const char *value,
		    char why[CONF_ERR_MAX]);
};

/* the table; n entries */
const struct conf_opt *conf_opts(unsigned *n);

enum conf_result {
	CONF_OK,
	CONF_HELP,    /* --help was asked for */
	CONF_VERSION, /* --version */
	CONF_ERROR,   /* err holds one line: what is wrong and what to do */
};

void conf_init(struct run_conf *c);
/* Parses options up to "--" or the first word that is none; *rest is the index
 * of the first word left.  argv[0] is skipped.  Short options cluster (-qv);
 * values follow as --name=value or as the next word. */
enum conf_result conf_args(struct run_conf *c, unsigned who, int argc,
			   char *const argv[], int *rest,
			   char err[CONF_ERR_MAX]);
/* get(ctx, NAME) returns the variable's text or NULL; an empty variable counts
 * as not set.  Skips what a flag has set. */
bool conf_env(struct run_conf *c, unsigned who,
	      const char *(*get)(void *ctx, const char *name), void *ctx,
	      char err[CONF_ERR_MAX]);
/* what only shows when everything is known: at least one path, no address
 * twice */
bool conf_check(const struct run_conf *c, char err[CONF_ERR_MAX]);
/* mptcp-run stays as the parent: asked for, or a file is written at the end */
bool conf_waits(const struct run_conf *c);

/* Arguments that make mptcp-stackd arrive at the same c (argv[0] and ready_fd,
 * run_fd, watch_pid as set).  Text goes to buf.  The count (argv[count] is
 * NULL), or -1: no room. */
int conf_argv(const struct run_conf *c, const char *argv0,
	      char *argv[CONF_ARGS_MAX + 1], char *buf, size_t n);
/* The --help text: usage and one entry per option of `who`.  Octets needed
 * without the terminator, as snprintf. */
size_t conf_help(unsigned who, char *buf, size_t n);

/* private to conf_tun.c and conf.c: NAME,addr=..,peer=..[,backup][,mtu=N] */
bool conf_tun_parse(struct run_conf *c, const char *spec,
		    char why[CONF_ERR_MAX]);
/* the spec of one address; the length as snprintf */
int conf_tun_text(const struct conf_tun *t, unsigned addr, char *buf, size_t n);

#endif
