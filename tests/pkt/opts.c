/* opts.c - names of socket options and of errors */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stack/base/check.h"
#include "stack/sock/sock_linux.h"
#include "tests/pkt/pkt.h"

struct errno_name {
	const char *name;
	int v;
};

static const struct errno_name errnos[] = {
	{ "0", 0 },
	{ "EINPROGRESS", EINPROGRESS },
	{ "ECONNREFUSED", ECONNREFUSED },
	{ "ECONNRESET", ECONNRESET },
	{ "ETIMEDOUT", ETIMEDOUT },
	{ "EHOSTUNREACH", EHOSTUNREACH },
	{ "ENOPROTOOPT", ENOPROTOOPT },
	{ "EACCES", EACCES },
	{ "ENETUNREACH", ENETUNREACH },
	{ "EPROTO", EPROTO },
	{ "EPIPE", EPIPE },
	{ "ENOTCONN", ENOTCONN },
	{ "EADDRINUSE", EADDRINUSE },
	{ "ECONNABORTED", ECONNABORTED },
	{ "EALREADY", EALREADY },
	{ "EINVAL", EINVAL },
	{ "ENOBUFS", ENOBUFS },
};

const char *opts_errno(int v)
{
	for (unsigned i = 0; i < ARRAY_SIZE(errnos); i++) {
		if (errnos[i].v == v) {
			return errnos[i].name;
		}
	}
	return strerror(v);
}

void opts_errno_want(struct run *r, const char *want, int got)
{
	if (strcmp(want, opts_errno(got)) != 0) {
		pkt_fail(r, "error: expected %s, got %s", want,
			 opts_errno(got));
	}
}

uint32_t opts_value(struct run *r, struct words *w, uint8_t out[OPTS_VALUE_MAX])
{
	int v;
	uint32_t n = 0;

	if (!words_take(w, "hex")) {
		v = (int)words_num(r, w);
		memcpy(out, &v, sizeof(v));
		return sizeof(v);
	}
	for (const char *t = words_next(r, w); *t; t += 2) {
		char hex[3] = { t[0], t[1], 0 };

		if (n == OPTS_VALUE_MAX || !t[1]) {
			pkt_fail(r, "octets: an even number of digits");
		}
		out[n++] = (uint8_t)strtoul(hex, NULL, 16);
	}
	return n;
}

static const struct opt_name opts[] = {
	{ "NODELAY", LX_IPPROTO_TCP, LX_TCP_NODELAY },
	{ "CORK", LX_IPPROTO_TCP, LX_TCP_CORK },
	{ "MAXSEG", LX_IPPROTO_TCP, LX_TCP_MAXSEG },
	{ "KEEPIDLE", LX_IPPROTO_TCP, LX_TCP_KEEPIDLE },
	{ "KEEPINTVL", LX_IPPROTO_TCP, LX_TCP_KEEPINTVL },
	{ "KEEPCNT", LX_IPPROTO_TCP, LX_TCP_KEEPCNT },
	{ "SYNCNT", LX_IPPROTO_TCP, LX_TCP_SYNCNT },
	{ "LINGER2", LX_IPPROTO_TCP, LX_TCP_LINGER2 },
	{ "QUICKACK", LX_IPPROTO_TCP, LX_TCP_QUICKACK },
	{ "USER_TIMEOUT", LX_IPPROTO_TCP, LX_TCP_USER_TIMEOUT },
	{ "DEFER_ACCEPT", LX_IPPROTO_TCP, LX_TCP_DEFER_ACCEPT },
	{ "FASTOPEN", LX_IPPROTO_TCP, LX_TCP_FASTOPEN },
	{ "FASTOPEN_CONNECT", LX_IPPROTO_TCP, LX_TCP_FASTOPEN_CONNECT },
	{ "FASTOPEN_KEY", LX_IPPROTO_TCP, LX_TCP_FASTOPEN_KEY },
	{ "FASTOPEN_NO_COOKIE", LX_IPPROTO_TCP, LX_TCP_FASTOPEN_NO_COOKIE },
	{ "KEEPALIVE", LX_SOL_SOCKET, LX_SO_KEEPALIVE },
	{ "RCVBUF", LX_SOL_SOCKET, LX_SO_RCVBUF },
	{ "SNDBUF", LX_SOL_SOCKET, LX_SO_SNDBUF },
	{ "REUSEADDR", LX_SOL_SOCKET, LX_SO_REUSEADDR },
	{ "REUSEPORT", LX_SOL_SOCKET, LX_SO_REUSEPORT },
	{ "RCVLOWAT", LX_SOL_SOCKET, LX_SO_RCVLOWAT },
	{ "WINDOW_CLAMP", LX_IPPROTO_TCP, LX_TCP_WINDOW_CLAMP },
	{ "NOTSENT_LOWAT", LX_IPPROTO_TCP, LX_TCP_NOTSENT_LOWAT },
	{ "MAX_PACING_RATE", LX_SOL_SOCKET, LX_SO_MAX_PACING_RATE },
	{ "ERROR", LX_SOL_SOCKET, LX_SO_ERROR },
	{ "TXREHASH", LX_SOL_SOCKET, LX_SO_TXREHASH },
	{ "AUTOFLOWLABEL", LX_IPPROTO_IPV6, LX_IPV6_AUTOFLOWLABEL },
	{ "REKEY", LX_SOL_MPTCP, LX_MPTCP_CRYPT_REKEY },
	{ "FORGET", LX_SOL_MPTCP, LX_MPTCP_CRYPT_FORGET },
	{ "AWARE", LX_SOL_MPTCP, LX_MPTCP_CRYPT_AWARE },
	{ "RESUME", LX_SOL_MPTCP, LX_MPTCP_CRYPT_RESUME },
	{ "KEEP", LX_SOL_MPTCP, LX_MPTCP_CRYPT_KEEP },
	{ "PASSIVE", LX_SOL_MPTCP, LX_MPTCP_CRYPT_PASSIVE },
};

const struct opt_name *opts_find(struct run *r, const char *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(opts); i++) {
		if (strcmp(opts[i].name, name) == 0) {
			return &opts[i];
		}
	}
	pkt_fail(r, "unknown option \"%s\"", name);
}
