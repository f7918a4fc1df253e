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

enum conf_crypt_policy {
	CONF_CRYPT_OFF,
	CONF_CRYPT_PREFER,
	CONF_CRYPT_REQUIRE_ANY,
	CONF_CRYPT_REQUIRE,
};

/* what is done about a destination that was encrypted before and is not now */
enum conf_memory {
	CONF_MEMORY_OFF,
	CONF_MEMORY_WARN,
	CONF_MEMORY_ENFORCE,
};

enum conf_kx {
	CONF_KX_X25519,
	CONF_KX_X448,
	CONF_KX_P256,
	CONF_KX_P521,
	CONF_KX_N
};

enum conf_cipher {
	CONF_AES128_GCM,
	CONF_AES256_GCM,
	CONF_CHACHA20,
	CONF_CIPHER_N
};

struct conf_crypt {
	enum conf_crypt_policy policy;
	enum conf_memory memory;
	bool memory_asked;       /* one of its options was given */
	const char *memory_file; /* NULL: in the user's state directory */
	const char *keylog;      /* NULL: none */
	uint8_t n_kx, n_cipher;  /* 0: the stack's own choice; best first */
	uint8_t kx[CONF_KX_N];
	uint8_t cipher[CONF_CIPHER_N];
	bool rekey_asked;      /* these two count; else the stack's choice */
	uint64_t rekey_octets; /* 0: not by volume */
	uint32_t rekey_s;      /* seconds; 0: not by time */
	bool no_resume;
};

enum conf_io {
	CONF_IO_AUTO,
	CONF_IO_URING,
	CONF_IO_EPOLL,
};

/* when the path MTU is looked for without ICMP */
enum conf_mtu_probing {
	CONF_MTU_PROBING_OFF,
	CONF_MTU_PROBING_BLACKHOLE,
	CONF_MTU_PROBING_ON,
};

enum conf_ecn {
	CONF_ECN_OFF,
	CONF_ECN_PASSIVE,
	CONF_ECN_ON,
};

struct run_conf {
	unsigned n_tun; /* paths; the first that is not backup is primary */
	struct conf_tun tun[CONF_TUNS_MAX];
	unsigned n_exclude;
	struct conf_net exclude[CONF_NETS_MAX];
	enum conf_policy mptcp;
	enum conf_io io;
	enum conf_ecn ecn;
	enum conf_mtu_probing mtu_probing;
	bool drop_fragments;
	bool checksum;
	bool wait;   /* also implied by the two file options: conf_waits() */
	int verbose; /* 0 quiet, 1 normal, 2 -v, 3 -vv */
	const char *stats_json, *pcapng;    /* NULL: not asked for */
	const char *congestion, *scheduler; /* NULL: the stack's own choice */
	struct conf_crypt crypt;
	/* mptcp-stackd only; -1 or 0: not given */
	int ready_fd, run_fd, watch_pid;
	uint64_t flagged; /* private: options that a flag has set */
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

/* the words of the options, for other texts */
const char *conf_kx_word(enum conf_kx kx);
const char *conf_cipher_word(enum conf_cipher c);

/* --- private to conf*.c ---------------------------------------------------- */

/* fills in why; false */
bool conf_refuse(char why[CONF_ERR_MAX], const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* which of n words value is */
bool conf_word(const char *value, const char *const words[], unsigned n,
	       unsigned *out, char why[CONF_ERR_MAX]);
bool conf_file(const char *value, const char **out, char why[CONF_ERR_MAX]);
extern const char *const conf_policy_words[], *const conf_io_words[];
extern const char *const conf_ecn_words[], *const conf_mtu_probing_words[];

/* conf_crypt.c: setters, and the arguments that lead to the same */
bool conf_crypt_policy(struct run_conf *c, const char *value,
		       char why[CONF_ERR_MAX]);
bool conf_crypt_keylog(struct run_conf *c, const char *value,
		       char why[CONF_ERR_MAX]);
bool conf_crypt_memory(struct run_conf *c, const char *value,
		       char why[CONF_ERR_MAX]);
bool conf_crypt_memory_file(struct run_conf *c, const char *value,
			    char why[CONF_ERR_MAX]);
bool conf_crypt_ciphers(struct run_conf *c, const char *value,
			char why[CONF_ERR_MAX]);
bool conf_crypt_kx(struct run_conf *c, const char *value,
		   char why[CONF_ERR_MAX]);
bool conf_crypt_rekey(struct run_conf *c, const char *value,
		      char why[CONF_ERR_MAX]);
bool conf_crypt_resume(struct run_conf *c, const char *value,
		       char why[CONF_ERR_MAX]);
bool conf_crypt_check(const struct run_conf *c, char err[CONF_ERR_MAX]);
#define CONF_CRYPT_ARG  128 /* octets that one of its arguments may need */
#define CONF_CRYPT_ARGS 6
/* argument i as text, "" when it need not be given; files are not among them */
void conf_crypt_arg(const struct conf_crypt *k, unsigned i,
		    char out[CONF_CRYPT_ARG]);

/* conf_tun.c: NAME,addr=..,peer=..[,backup][,mtu=N] */
bool conf_tun_parse(struct run_conf *c, const char *spec,
		    char why[CONF_ERR_MAX]);
/* the spec of one address; the length as snprintf */
int conf_tun_text(const struct conf_tun *t, unsigned addr, char *buf, size_t n);

#endif
