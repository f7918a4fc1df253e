#include "tools/place.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

bool place_part(const char *name, const char *sub, char *out, size_t n,
		char *err, size_t err_n)
{
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;
	int used;

	if (len <= 0) {
		snprintf(err, err_n, "cannot read /proc/self/exe: %s; mount "
			 "/proc", strerror(errno));
		return false;
	}
	self[len] = '\0';
	slash = strrchr(self, '/');
	if (slash) {
		*slash = '\0';
	}
	used = snprintf(out, n, "%s/%s", self, name);
	if (used > 0 && (size_t)used < n && exists(out)) {
		return true;
	}
	used = snprintf(out, n, "%s/../%s/%s", self, sub, name);
	if (used > 0 && (size_t)used < n && exists(out)) {
		return true;
	}
	snprintf(err, err_n, "%s is neither in %.1000s nor in ../%s beside it; "
		 "build or install it", name, self, sub);
	return false;
}

static int look(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		return errno == EACCES ? EACCES : ENOENT;
	}
	if (S_ISDIR(st.st_mode)) {
		return EACCES;
	}
	return access(path, X_OK) == 0 ? 0 : EACCES;
}

int place_command(const char *command, char *out, size_t n)
{
	const char *path = getenv("PATH");
	int worst = ENOENT;

	if (strchr(command, '/')) {
		if (snprintf(out, n, "%s", command) >= (int)n) {
			return ENOENT;
		}
		return look(out);
	}
	if (!path) {
		path = "/bin:/usr/bin";
	}
	while (*command) {
		size_t len = strcspn(path, ":");
		int used = snprintf(out, n, "%.*s%s%s", (int)len, path,
				    len ? "/" : "", command);

		if (used > 0 && (size_t)used < n) {
			int rc = look(out);

			if (rc == 0) {
				return 0;
			}
			if (rc == EACCES) {
				worst = EACCES;
			}
		}
		if (!path[len]) {
			break;
		}
		path += len + 1;
	}
	return worst;
}
