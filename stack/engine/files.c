#include "stack/engine/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stack/engine/own_file.h"

static const char *from_environment(void *ctx, const char *name)
{
	(void)ctx;
	return getenv(name);
}

static bool open_file(struct file *f, const char *option, const char *path,
		      char err[CONF_ERR_MAX])
{
	const int flags = O_WRONLY | O_CREAT | O_CLOEXEC;

	*f = (struct file){ path, -1, true };
	if (!path) {
		return true;
	}
	f->fd = open(path, flags | O_EXCL, 0666);
	if (f->fd < 0 && errno == EEXIST) {
		f->made = false;
		f->fd = open(path, flags | O_TRUNC, 0666);
	}
	if (f->fd < 0) {
		snprintf(err, CONF_ERR_MAX,
			 "--%s: cannot write %.120s: %s; "
			 "choose another file",
			 option, path, strerror(errno));
		return false;
	}
	return true;
}

static bool open_keylog(struct file *f, const char *path,
			char err[CONF_ERR_MAX])
{
	char why[OWN_FILE_WHY];

	*f = (struct file){ path, -1, false };
	if (!path) {
		return true;
	}
	if (own_file_elevated()) {
		snprintf(err, CONF_ERR_MAX,
			 "--keylog: refused to a process with rights that its "
			 "user does not have; start it without them");
		return false;
	}
	f->fd = own_file_append(path, &f->made, why);
	if (f->fd < 0) {
		snprintf(err, CONF_ERR_MAX, "--keylog: %.70s: %s", path, why);
		return false;
	}
	return true;
}

/* Which destinations were encrypted in earlier runs.  Only what the user named
 * must be usable: the rest works without. */
static bool load_known(struct files *f, const struct run_conf *c,
		       void (*say)(void *ctx, int level, const char *line),
		       void *ctx, char err[CONF_ERR_MAX])
{
	struct known_place *p = &f->place;
	char why[OWN_FILE_WHY];

	known_init(&f->known);
	*p = (struct known_place){ .at = f->dir_fd };
	if (c->crypt.policy == CONF_CRYPT_OFF ||
	    c->crypt.memory == CONF_MEMORY_OFF || own_file_elevated()) {
		return true;
	}
	known_file_place(p, f->dir_fd, c->crypt.memory_file, from_environment,
			 NULL);
	if (!p->path[0] && !p->asked) {
		say(ctx, 2,
		    "no home directory: which destinations were encrypted is "
		    "remembered for this run only");
	}
	if (known_file_load(p, &f->known, why)) {
		return true;
	}
	snprintf(err, CONF_ERR_MAX, "--crypt-memory-file: %.64s: %s", p->path,
		 why);
	p->path[0] = '\0';
	if (!p->asked) {
		say(ctx, 1, err);
		err[0] = '\0';
		return true;
	}
	return false;
}

static void unmake(const struct files *f, const struct file *one)
{
	if (one->fd >= 0 && one->made) {
		unlinkat(f->dir_fd, one->path, 0);
	}
}

void files_unmake(const struct files *f)
{
	unmake(f, &f->stats);
	unmake(f, &f->pcap);
	unmake(f, &f->keylog);
}

bool files_open(struct files *f, const struct run_conf *c,
		void (*say)(void *ctx, int level, const char *line), void *ctx,
		char err[CONF_ERR_MAX])
{
	char line[CONF_ERR_MAX];

	f->stats.fd = f->pcap.fd = f->keylog.fd = -1;
	if (!(open_file(&f->stats, "stats-json", c->stats_json, err) &&
	      open_file(&f->pcap, "pcapng", c->pcapng, err) &&
	      open_keylog(&f->keylog, c->crypt.keylog, err) &&
	      load_known(f, c, say, ctx, err))) {
		files_unmake(f);
		return false;
	}
	if (f->keylog.fd >= 0) { /* its variable may be somebody else's */
		snprintf(line, sizeof(line),
			 "the secrets of this run's connections go to %.150s",
			 f->keylog.path);
		say(ctx, 1, line);
	}
	return true;
}
