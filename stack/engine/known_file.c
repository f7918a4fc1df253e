#include "stack/engine/known_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOCK_TRIES 100 /* of 20 ms: others hold it for one write */

static const char head[] =
	"# Destinations whose connections were encrypted: see --crypt-memory "
	"in\n# mptcp-run(1).  A line that is deleted is forgotten.\n"
	"# address port mode first last (seconds since 1970)\n";

void known_file_place(struct known_place *p, int at, const char *file,
		      const char *(*get)(void *ctx, const char *name),
		      void *ctx)
{
	const char *state = get(ctx, "XDG_STATE_HOME");
	const char *home = get(ctx, "HOME");
	int n = 0;

	*p = (struct known_place){ .at = at, .asked = file != NULL };
	/* relative ones are void, says the XDG specification */
	if (file) {
		n = snprintf(p->path, sizeof(p->path), "%s", file);
	} else if (state && state[0] == '/') {
		n = snprintf(p->path, sizeof(p->path), "%s/mptcp/known", state);
	} else if (home && home[0] == '/') {
		n = snprintf(p->path, sizeof(p->path),
			     "%s/.local/state/mptcp/known", home);
	}
	if (n >= (int)sizeof(p->path)) {
		p->path[0] = '\0';
	}
}

/* its directory and its name in there */
static int open_dir(const struct known_place *p, bool make, const char **name,
		    char why[OWN_FILE_WHY])
{
	char dir[KNOWN_PATH];
	const char *slash = strrchr(p->path, '/');
	size_t n = slash ? (size_t)(slash - p->path) : 0;

	*name = slash ? slash + 1 : p->path;
	if ((*name)[0] == '\0') {
		snprintf(why, OWN_FILE_WHY,
			 "it is a directory; name a file "
			 "in it");
		return -1;
	}
	memcpy(dir, p->path, n);
	dir[n] = '\0';
	if (n == 0) {
		memcpy(dir, slash ? "/" : ".", 2);
	}
	return own_file_dir(p->at, dir, make, why);
}

static bool read_lines(int fd, struct known *k, char why[OWN_FILE_WHY])
{
	FILE *f = fdopen(fd, "r");
	char line[256];
	unsigned lines = 0;
	bool ok;

	if (!f) {
		close(fd);
		snprintf(why, OWN_FILE_WHY, "%s", strerror(errno));
		return false;
	}
	while (fgets(line, sizeof(line), f) && lines < 2 * KNOWN_MAX) {
		struct known_entry e;

		lines++;
		if (known_parse(line, &e)) {
			known_add(k, &e);
		}
	}
	ok = !ferror(f);
	if (!ok) {
		snprintf(why, OWN_FILE_WHY, "%s; choose another file",
			 strerror(errno));
	}
	fclose(f);
	return ok;
}

static bool load_at(int dir, const char *name, struct known *k,
		    char why[OWN_FILE_WHY])
{
	int fd = own_file_read(dir, name, why);

	if (fd < 0) {
		return why[0] == '\0';
	}
	return read_lines(fd, k, why);
}

bool known_file_load(const struct known_place *p, struct known *k,
		     char why[OWN_FILE_WHY])
{
	const char *name;
	int dir;
	bool ok;

	why[0] = '\0';
	if (!p->path[0]) {
		snprintf(why, OWN_FILE_WHY, "%s",
			 p->asked ? "its name is too long; choose another"
				  : "");
		return !p->asked;
	}
	dir = open_dir(p, false, &name, why);
	if (dir < 0 && why[0] == '\0' && p->asked) {
		snprintf(why, OWN_FILE_WHY,
			 "its directory does not exist; "
			 "make it");
		return false;
	}
	if (dir < 0) {
		return why[0] == '\0';
	}
	ok = load_at(dir, name, k, why);
	close(dir);
	return ok;
}

/* --- writing -------------------------------------------------------------------- */

static bool fail(char why[OWN_FILE_WHY], const char *what)
{
	snprintf(why, OWN_FILE_WHY, "%s: %s; choose another file", what,
		 strerror(errno));
	return false;
}

static bool lock(int dir)
{
	const struct timespec nap = { .tv_nsec = 20000000 };

	for (unsigned i = 0; i < LOCK_TRIES; i++) {
		if (flock(dir, LOCK_EX | LOCK_NB) == 0) {
			return true;
		}
		if (errno != EWOULDBLOCK && errno != EINTR) {
			return false;
		}
		nanosleep(&nap, NULL);
	}
	return false;
}

/* one that a crash left behind is ours to reuse: the lock is held */
static bool write_new(int dir, const char *name, const struct known *k)
{
	int fd;
	bool ok;
	FILE *f;

	unlinkat(dir, name, 0);
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	f = fd < 0 ? NULL : fdopen(fd, "w");
	if (!f) {
		if (fd >= 0) {
			close(fd);
		}
		return false;
	}
	fputs(head, f);
	for (unsigned i = 0; i < k->n; i++) {
		char line[KNOWN_LINE];

		known_text(&k->e[i], line);
		fprintf(f, "%s\n", line);
	}
	ok = fflush(f) == 0 && !ferror(f) && fsync(fd) == 0;
	return fclose(f) == 0 && ok;
}

static bool save_at(int dir, const char *name, const struct known *k,
		    int64_t now, char why[OWN_FILE_WHY])
{
	struct known all;
	char next[NAME_MAX + 1];
	bool ok;

	if (snprintf(next, sizeof(next), "%s.new", name) >= (int)sizeof(next)) {
		errno = ENAMETOOLONG;
		return fail(why, "cannot be written");
	}
	known_init(&all);
	ok = load_at(dir, name, &all, why);
	for (unsigned i = 0; ok && i < k->n; i++) {
		known_add(&all, &k->e[i]);
	}
	known_expire(&all, now);
	if (ok && (!write_new(dir, next, &all) ||
		   renameat(dir, next, dir, name) != 0)) {
		ok = fail(why, "cannot be written");
		unlinkat(dir, next, 0);
	}
	known_fini(&all);
	return ok;
}

bool known_file_save(const struct known_place *p, const struct known *k,
		     int64_t now, char why[OWN_FILE_WHY])
{
	const char *name;
	int dir = open_dir(p, !p->asked, &name, why);
	bool ok;

	if (dir < 0) {
		if (why[0] == '\0') {
			snprintf(why, OWN_FILE_WHY,
				 "its directory does not "
				 "exist; make it");
		}
		return false;
	}
	ok = lock(dir) ? save_at(dir, name, k, now, why)
		       : fail(why, "cannot lock its directory");
	close(dir);
	return ok;
}
