/* mptcp-stackd - the userspace stack of a run: keeper and engine
 *
 * The caller's process opens the files and leaves; its child, a daemon, makes
 * the devices and becomes the keeper; the child of that is the engine, which
 * reports that the start is over.  See mptcp-stackd(8).
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stack/base/check.h"
#include "stack/chan/chan_name.h"
#include "stack/chan/conf.h"
#include "stack/engine/confine.h"
#include "stack/engine/daemon.h"
#include "stack/engine/files.h"
#include "stack/engine/keeper.h"
#include "stack/engine/loop.h"
#include "stack/engine/tun.h"

#define EXIT_OWN 125

struct start {
	struct run_conf conf;
	struct chan_run run;
	struct files files;
	struct tun tun[CONF_TUNS_MAX];
	int ready_fd;  /* "ok PID" or "error: ..."; stays open as life line */
	int own_ready; /* ours to read when nobody gave one; -1 */
	int watch_pidfd;
	int null_fd;
	pid_t keeper;
};

static const char *from_environment(void *ctx, const char *name)
{
	(void)ctx;
	return getenv(name);
}

/* --- words to whoever waits ----------------------------------------------- */

static void ready(void *ctx, const char *err)
{
	const struct start *s = ctx;
	char line[CONF_ERR_MAX + 16];
	int n;

	/* by write(2): stdio would ask about the descriptor, and is confined */
	n = *err ? snprintf(line, sizeof(line), "error: %s\n", err)
		 : snprintf(line, sizeof(line), "ok %d\n", (int)s->keeper);
	(void)!write(s->ready_fd, line, (size_t)n);
	if (s->conf.verbose < 2) {
		daemon_silence(s->null_fd);
	}
}

static void mention(void *ctx, int level, const char *line)
{
	const struct start *s = ctx;

	if (s->conf.verbose >= level) {
		fprintf(stderr, "mptcp-run: %s\n", line);
	}
}

static void say(void *ctx, const char *line)
{
	mention(ctx, 1, line);
}

/* --- before leaving ------------------------------------------------------- */

static int usage(void)
{
	size_t n = conf_help(CONF_STACKD, NULL, 0) + 1;
	char *text = malloc(n);

	if (text) {
		conf_help(CONF_STACKD, text, n);
		fputs(text, stdout);
	}
	free(text);
	return text && fflush(stdout) == 0 ? 0 : EXIT_OWN;
}

/* "<id>:<secret>", from the descriptor that --run-fd names, else new */
static bool get_run(struct start *s, char err[CONF_ERR_MAX])
{
	char text[CHAN_RUN_TEXT + 1] = "";
	size_t n = 0;

	if (s->conf.run_fd < 0) {
		if (getrandom(&s->run, sizeof(s->run), 0) !=
		    (ssize_t)sizeof(s->run)) {
			snprintf(err, CONF_ERR_MAX,
				 "the kernel gives no random "
				 "octets: %s",
				 strerror(errno));
			return false;
		}
		return true;
	}
	while (n < CHAN_RUN_TEXT) {
		ssize_t got = read(s->conf.run_fd, text + n, CHAN_RUN_TEXT - n);

		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got <= 0) {
			break;
		}
		n += (size_t)got;
	}
	text[strcspn(text, "\n")] = '\0';
	if (!chan_run_parse(text, &s->run)) {
		snprintf(err, CONF_ERR_MAX,
			 "--run-fd=%d: no ID:SECRET of a run "
			 "there; let mptcp-run start the stack",
			 s->conf.run_fd);
		return false;
	}
	close(s->conf.run_fd);
	explicit_bzero(text, sizeof(text));
	return true;
}

static bool open_all(struct start *s, char err[CONF_ERR_MAX])
{
	const struct run_conf *c = &s->conf;

	s->files.dir_fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	s->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (s->null_fd < 0) {
		snprintf(err, CONF_ERR_MAX,
			 "cannot open /dev/null: %s; make it", strerror(errno));
		return false;
	}
	s->watch_pidfd = -1;
	if (c->watch_pid > 0) {
		s->watch_pidfd = (int)syscall(SYS_pidfd_open, c->watch_pid, 0);
	}
	return get_run(s, err) && files_open(&s->files, c, mention, s, err);
}

/* --- the daemon ----------------------------------------------------------- */

static bool make_devices(struct start *s, char err[CONF_ERR_MAX])
{
	const struct run_conf *c = &s->conf;
	bool ok = true;
	unsigned n;

	for (n = 0; ok && n < c->n_tun; n++) {
		ok = tun_open(&s->tun[n], &c->tun[n], say, s, err) &&
		     tun_setup(&s->tun[n], &c->tun[n], err);
	}
	for (unsigned i = 0; !ok && i < n; i++) {
		tun_undo(&s->tun[i], &c->tun[i]);
		tun_close(&s->tun[i]);
	}
	return ok;
}

static int engine(struct start *s, int sock)
{
	struct loop_setup setup = {
		.conf = &s->conf,
		.run = s->run,
		.tuns = s->tun,
		.keeper_fd = sock,
		.life_fd = s->own_ready < 0 ? s->ready_fd : -1,
		.stats_fd = s->files.stats.fd,
		.pcap_fd = s->files.pcap.fd,
		.keylog_fd = s->files.keylog.fd,
		.known = s->files.known,
		.known_file = s->files.place.path,
		.watch_pidfd = s->watch_pidfd,
		.ready = ready,
		.ctx = s,
	};

	return loop_run(&setup);
}

static int keeper(struct start *s, int sock, pid_t pid)
{
	const int keep[] = { sock, s->ready_fd, s->files.dir_fd, s->null_fd };
	bool loud = s->conf.verbose >= 2;
	static struct scribe scribe;

	explicit_bzero(&s->run, sizeof(s->run));
	known_fini(&s->files.known);
	daemon_close_others(keep, ARRAY_SIZE(keep));
	if (!loud) {
		daemon_silence(s->null_fd);
	}
	confine_keeper();
	scribe_init(&scribe, &s->files.place, loud);
	return keeper_run(sock, pid, &s->conf, s->tun, &scribe);
}

static void block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_SETMASK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGCHLD, SIG_DFL); /* the caller may have ignored it */
}

static int daemon_main(struct start *s)
{
	const int keep[] = { s->ready_fd,       s->files.stats.fd,
			     s->files.pcap.fd,  s->watch_pidfd,
			     s->files.dir_fd,   s->null_fd,
			     s->files.keylog.fd };
	char err[CONF_ERR_MAX] = "";
	int sv[2];
	pid_t pid;

	daemon_close_others(keep, ARRAY_SIZE(keep));
	block_signals();
	if (!make_devices(s, err)) {
		ready(s, err);
		return EXIT_OWN;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) != 0) {
		ready(s, "cannot make a socket pair");
		return EXIT_OWN;
	}
	s->keeper = getpid();
	pid = fork();
	if (pid < 0) {
		ready(s, "cannot fork; raise the process limit");
		return EXIT_OWN;
	}
	if (pid == 0) {
		close(sv[0]);
		return engine(s, sv[1]);
	}
	close(sv[1]);
	return keeper(s, sv[0], pid);
}

/* --- the caller's process ------------------------------------------------- */

/* nobody gave --ready-fd: this process waits for the answer itself */
static int wait_ready(struct start *s)
{
	char line[CONF_ERR_MAX + 16], text[CHAN_RUN_TEXT];
	size_t n = 0;
	ssize_t got;

	while (n < sizeof(line) - 1 && !memchr(line, '\n', n)) {
		got = read(s->own_ready, line + n, sizeof(line) - 1 - n);
		if (got <= 0) {
			break;
		}
		n += (size_t)got;
	}
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	if (strncmp(line, "ok ", 3) != 0) {
		fprintf(stderr, "mptcp-stackd: %s\n",
			strncmp(line, "error: ", 7) == 0
				? line + 7
				: "it ended before it was ready");
		return EXIT_OWN;
	}
	/* whoever started it by hand needs this to attach programs */
	if (s->conf.run_fd < 0) {
		chan_run_text(&s->run, text);
		printf("MPTCP_RUN_ID=%s\n", text);
	}
	return fflush(stdout) == 0 ? 0 : EXIT_OWN;
}

static bool ready_line(struct start *s, char err[CONF_ERR_MAX])
{
	int fds[2];

	s->own_ready = -1;
	s->ready_fd = s->conf.ready_fd;
	if (s->ready_fd >= 0) {
		if (fcntl(s->ready_fd, F_SETFD, FD_CLOEXEC) != 0) {
			s->ready_fd = STDERR_FILENO;
			snprintf(err, CONF_ERR_MAX,
				 "--ready-fd=%d: no such "
				 "descriptor",
				 s->conf.ready_fd);
			return false;
		}
		return true;
	}
	if (pipe2(fds, O_CLOEXEC) != 0) {
		s->ready_fd = STDERR_FILENO;
		snprintf(err, CONF_ERR_MAX, "cannot make a pipe");
		return false;
	}
	s->own_ready = fds[0];
	s->ready_fd = fds[1];
	return true;
}

static int start(struct start *s)
{
	char err[CONF_ERR_MAX] = "";
	int pid;

	if (!ready_line(s, err) || !open_all(s, err)) {
		dprintf(s->own_ready >= 0 ? STDERR_FILENO : s->ready_fd,
			s->own_ready >= 0 ? "mptcp-stackd: %s\n"
					  : "error: %s\n",
			err);
		return EXIT_OWN;
	}
	pid = daemon_fork();
	if (pid == 0) {
		int status = daemon_main(s);

		if (status == EXIT_OWN) {
			files_unmake(&s->files);
		}
		_exit(status);
	}
	if (pid < 0) {
		ready(s, "cannot fork; raise the process limit");
		return EXIT_OWN;
	}
	close(s->ready_fd);
	return s->own_ready >= 0 ? wait_ready(s) : 0;
}

int main(int argc, char *argv[])
{
	static struct start s;
	char err[CONF_ERR_MAX];
	int rest;

	conf_init(&s.conf);
	switch (conf_args(&s.conf, CONF_STACKD, argc, argv, &rest, err)) {
	case CONF_HELP:
		return usage();
	case CONF_VERSION:
		puts("mptcp-stackd " MPTCP_RUN_VERSION);
		return fflush(stdout) == 0 ? 0 : EXIT_OWN;
	case CONF_OK:
		if (rest < argc) {
			snprintf(err, sizeof(err),
				 "'%.40s': no command is taken "
				 "here; see mptcp-run",
				 argv[rest]);
			break;
		}
		if (conf_env(&s.conf, CONF_STACKD, from_environment, NULL,
			     err) &&
		    conf_check(&s.conf, err)) {
			return start(&s);
		}
		break;
	case CONF_ERROR:
		break;
	}
	if (s.conf.ready_fd >= 0) {
		dprintf(s.conf.ready_fd, "error: %s\n", err);
	} else {
		fprintf(stderr, "mptcp-stackd: %s\n", err);
	}
	return EXIT_OWN;
}
