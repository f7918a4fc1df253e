#include "shim/reach.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "shim/init.h"
#include "shim/libc.h"
#include "stack/chan/elf.h"

static bool file_open(const char *path, struct elf_file *f)
{
	char cap[64];
	struct stat st;

	/* not O_PATH: the octets decide.  O_NONBLOCK: a FIFO */
	f->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (f->fd < 0) {
		return false;
	}
	if (fstat(f->fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(f->fd);
		return false;
	}
	f->mode = st.st_mode;
	f->caps = fgetxattr(f->fd, "security.capability", cap, sizeof(cap)) > 0;
	return true;
}

static long file_read(int fd, void *buf, size_t n, uint64_t off)
{
	return pread(fd, buf, n, (off_t)off);
}

static void file_close(int fd)
{
	close(fd);
}

static const struct elf_sys file_sys = { file_open, file_read, file_close };

static void complain(const char *path, const char *why)
{
	char line[ELF_WHY_MAX + 600];
	struct stat st;
	int n;

	/* a daemon may have put anything else there */
	if (fstat(STDERR_FILENO, &st) != 0 || S_ISSOCK(st.st_mode)) {
		return;
	}
	n = snprintf(line, sizeof(line), "mptcp-run: %.500s: %s\n", path, why);
	if (n > 0 && libc.write(STDERR_FILENO, line, (size_t)n) < 0) {
		return;
	}
}

int reach_check(const char *path, char *const envp[])
{
	char why[ELF_WHY_MAX];
	int saved = errno, err;

	if (!path || env_disabled(envp)) {
		return 0;
	}
	err = elf_reach(&file_sys, path, why, sizeof(why));
	if (err) {
		complain(path, why);
	}
	errno = saved;
	return err;
}

void *reach_get(struct reach_room *r, size_t size)
{
	r->mapped = 0;
	r->p = r->small;
	if (size > sizeof(r->small)) {
		r->p = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (r->p == MAP_FAILED) {
			return NULL;
		}
		r->mapped = size;
	}
	return r->p;
}

void reach_put(struct reach_room *r)
{
	int saved = errno;

	if (r->mapped) {
		munmap(r->p, r->mapped);
		r->mapped = 0;
	}
	errno = saved;
}

char *const *reach_env(struct reach_room *r, char *const envp[])
{
	void *buf;

	r->mapped = 0;
	if (env_disabled(envp) || env_complete(&init.keep, envp)) {
		return envp;
	}
	buf = reach_get(r, env_patch_size(&init.keep, envp));
	return buf ? env_patch(&init.keep, envp, buf) : NULL;
}

bool reach_find(const char *file, char *out, size_t n)
{
	const char *list = getenv("PATH");

	if (strchr(file, '/')) {
		return (size_t)snprintf(out, n, "%s", file) < n;
	}
	list = list ? list : "/bin:/usr/bin";
	for (;;) {
		size_t len = strcspn(list, ":");
		int got = snprintf(out, n, "%.*s%s%s", (int)len, list,
				   len ? "/" : "", file);

		if (*file && got > 0 && (size_t)got < n &&
		    access(out, X_OK) == 0) {
			return true;
		}
		if (!list[len]) {
			return false;
		}
		list += len + 1;
	}
}
