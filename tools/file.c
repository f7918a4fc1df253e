#include "tools/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

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

const struct elf_sys file_sys = { file_open, file_read, file_close };
