#include "stack/engine/own_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#define OTHERS_WRITE (S_IWGRP | S_IWOTH)
#define OTHERS_READ  (S_IRGRP | S_IROTH)

static int refuse(char why[OWN_FILE_WHY], const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static int refuse(char why[OWN_FILE_WHY], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, OWN_FILE_WHY, fmt, ap);
	va_end(ap);
	return -1;
}

bool own_file_elevated(void)
{
	return getauxval(AT_SECURE) != 0 || getuid() != geteuid() ||
	       getgid() != getegid();
}

/* fd, or -1: it is closed then.  bad: permission bits that must not be set */
static int checked(int fd, mode_t bad, char why[OWN_FILE_WHY])
{
	struct stat st;
	int rc = fd;

	if (fstat(fd, &st) != 0) {
		rc = refuse(why, "%s; choose another file", strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		rc = refuse(why, "it is no regular file; choose another");
	} else if (st.st_uid != geteuid()) {
		rc = refuse(why, "it belongs to user %u; choose another file",
			    (unsigned)st.st_uid);
	} else if (st.st_mode & bad) {
		rc = refuse(why, "others may %s it (mode %03o); chmod %s it",
			    st.st_mode & OTHERS_WRITE ? "write" : "read",
			    (unsigned)(st.st_mode & 0777),
			    bad & OTHERS_READ ? "600" : "go-w");
	}
	if (rc < 0) {
		close(fd);
	}
	return rc;
}

/* O_NONBLOCK: a FIFO must not hold us up before it is refused */
#define FLAGS (O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

static int cannot_open(char why[OWN_FILE_WHY])
{
	if (errno == ELOOP) {
		return refuse(why, "it is a symbolic link; name the file "
				   "itself");
	}
	if (errno == ENXIO || errno == EISDIR) {
		return refuse(why, "it is no regular file; choose another");
	}
	return refuse(why, "%s; choose another file", strerror(errno));
}

int own_file_append(const char *path, bool *made, char why[OWN_FILE_WHY])
{
	const int flags = O_WRONLY | O_APPEND | FLAGS;
	int fd = open(path, flags | O_CREAT | O_EXCL, 0600);

	why[0] = '\0';
	*made = fd >= 0;
	if (fd < 0 && errno == EEXIST) {
		fd = open(path, flags);
	}
	if (fd < 0) {
		return cannot_open(why);
	}
	return checked(fd, OTHERS_READ | OTHERS_WRITE, why);
}

int own_file_read(int dir, const char *name, char why[OWN_FILE_WHY])
{
	int fd = openat(dir, name, O_RDONLY | FLAGS);

	why[0] = '\0';
	if (fd < 0) {
		return errno == ENOENT ? -1 : cannot_open(why);
	}
	return checked(fd, OTHERS_WRITE, why);
}

/* --- directories ------------------------------------------------------------- */

/* every directory of path that is not there; what fails shows at the open */
static void make_dirs(int at, const char *path)
{
	char part[PATH_MAX];

	for (size_t n = 1; path[n - 1] && n < sizeof(part); n++) {
		if (path[n] == '/' || path[n] == '\0') {
			memcpy(part, path, n);
			part[n] = '\0';
			mkdirat(at, part, 0700);
		}
	}
}

static bool safe_dir(const struct stat *st, char why[OWN_FILE_WHY])
{
	if (st->st_uid != geteuid() && st->st_uid != 0) {
		refuse(why, "its directory belongs to user %u; choose another",
		       (unsigned)st->st_uid);
		return false;
	}
	/* in a sticky one others cannot remove or rename what is ours */
	if ((st->st_mode & OTHERS_WRITE) && !(st->st_mode & S_ISVTX)) {
		refuse(why, "others may replace files in its directory; chmod "
			    "go-w the directory, or choose another");
		return false;
	}
	return true;
}

int own_file_dir(int at, const char *path, bool make, char why[OWN_FILE_WHY])
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	int fd = openat(at, path, flags);
	struct stat st;

	why[0] = '\0';
	if (fd < 0 && errno == ENOENT && make) {
		make_dirs(at, path);
		fd = openat(at, path, flags);
	}
	if (fd < 0 && errno == ENOENT) {
		return -1;
	}
	if (fd < 0 || fstat(fd, &st) != 0) {
		refuse(why, "its directory: %s; choose another file",
		       strerror(errno));
	} else if (safe_dir(&st, why)) {
		return fd;
	}
	if (fd >= 0) {
		close(fd);
	}
	return -1;
}
