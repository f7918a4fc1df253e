#include "stack/chan/elf.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define SCRIPT_DEPTH 4 /* as many as the kernel follows, BINPRM recursion */
#define PHDR_MAX     64
#define SHDR_MAX     512
#define NAME_MAX_LEN 256
#define GO_SCAN      65536 /* Go puts it that early into its data */

#if defined(__x86_64__)
#define OWN_MACHINE EM_X86_64
#define OWN_LOADER  "ld-linux-x86-64.so.2"
#elif defined(__aarch64__)
#define OWN_MACHINE EM_AARCH64
#define OWN_LOADER  "ld-linux-aarch64.so.1"
#elif defined(__riscv) && __riscv_xlen == 64
#define OWN_MACHINE EM_RISCV
#define OWN_LOADER  "ld-linux-riscv64-lp64d.so.1"
#else
#error "name this machine's ELF number and loader"
#endif

#define OWN_CLASS (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32)

static const char go_magic[] = "\xff Go buildinf:";

static int refuse(char *why, size_t n, const char *text)
{
	snprintf(why, n, "%s", text);
	return EACCES;
}

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool read_at(int fd, void *buf, size_t n, uint64_t off)
{
	return off <= INT64_MAX && pread(fd, buf, n, (off_t)off) == (ssize_t)n;
}

/* set-user-ID and the like: the loader ignores LD_PRELOAD there */
static int check_rights(int fd, const struct stat *st, char *why, size_t n)
{
	char cap[64];

	if (st->st_mode & S_ISUID) {
		return refuse(why, n, "is set-user-ID");
	}
	if ((st->st_mode & S_ISGID) && (st->st_mode & S_IXGRP)) {
		return refuse(why, n, "is set-group-ID");
	}
	if (fgetxattr(fd, "security.capability", cap, sizeof(cap)) > 0) {
		return refuse(why, n, "has file capabilities");
	}
	return 0;
}

/* a note of owner "Go", type 4: the build ID that the Go linker writes */
static bool notes_say_go(int fd, const ElfW(Phdr) * ph)
{
	uint8_t buf[1024];
	size_t size = ph->p_filesz < sizeof(buf) ? ph->p_filesz : sizeof(buf);
	size_t at = 0;

	if (!read_at(fd, buf, size, ph->p_offset)) {
		return false;
	}
	while (size - at >= sizeof(ElfW(Nhdr))) {
		ElfW(Nhdr) h;
		uint64_t next;

		memcpy(&h, buf + at, sizeof(h));
		next = at + sizeof(h) + (((uint64_t)h.n_namesz + 3) & ~3ull);
		if (next > size) {
			return false;
		}
		if (h.n_namesz == 4 && h.n_type == 4 &&
		    memcmp(buf + at + sizeof(h), "Go\0\0", 4) == 0) {
			return true;
		}
		next += ((uint64_t)h.n_descsz + 3) & ~3ull;
		if (next > size) {
			return false;
		}
		at = (size_t)next;
	}
	return false;
}

/* the mark that Go's own debug/buildinfo looks for when there are no sections:
 * 16-aligned, at the beginning of the writable data */
static bool data_says_go(int fd, const ElfW(Phdr) * ph)
{
	uint8_t buf[4096];
	uint64_t end = ph->p_filesz < GO_SCAN ? ph->p_filesz : GO_SCAN;

	for (uint64_t at = 0; at + 16 <= end; at += sizeof(buf)) {
		size_t n = end - at < sizeof(buf) ? (size_t)(end - at)
						  : sizeof(buf);

		if (!read_at(fd, buf, n, ph->p_offset + at)) {
			return false;
		}
		for (size_t i = 0; i + 16 <= n; i += 16) {
			if (memcmp(buf + i, go_magic, sizeof(go_magic) - 1) ==
			    0) {
				return true;
			}
		}
	}
	return false;
}

static bool sections_say_go(int fd, const ElfW(Ehdr) * eh)
{
	ElfW(Shdr) names, sh;
	char name[sizeof(".go.buildinfo")];

	if (eh->e_shentsize != sizeof(sh) || eh->e_shstrndx >= eh->e_shnum ||
	    !read_at(fd, &names, sizeof(names),
		     eh->e_shoff + (uint64_t)eh->e_shstrndx * sizeof(sh))) {
		return false;
	}
	for (unsigned i = 0; i < eh->e_shnum && i < SHDR_MAX; i++) {
		if (!read_at(fd, &sh, sizeof(sh),
			     eh->e_shoff + (uint64_t)i * sizeof(sh))) {
			return false;
		}
		if (read_at(fd, name, sizeof(name),
			    names.sh_offset + sh.sh_name) &&
		    memcmp(name, ".go.buildinfo", sizeof(name)) == 0) {
			return true;
		}
	}
	return false;
}

static int check_loader(int fd, const ElfW(Phdr) * ph, char *why, size_t n)
{
	char path[NAME_MAX_LEN];
	size_t len =
		ph->p_filesz < sizeof(path) ? ph->p_filesz : sizeof(path) - 1;

	if (len == 0 || !read_at(fd, path, len, ph->p_offset)) {
		return refuse(why, n, "names no loader that can be read");
	}
	path[len] = 0;
	if (strcmp(base_of(path), OWN_LOADER) == 0) {
		return 0;
	}
	if (strncmp(base_of(path), "ld-musl", 7) == 0) {
		return refuse(why, n, "uses another C library (musl)");
	}
	snprintf(why, n, "uses another C library (%.100s)", path);
	return EACCES;
}

static int check_segments(int fd, const char *path, const ElfW(Ehdr) * eh,
			  char *why, size_t n)
{
	bool loader = false, go = sections_say_go(fd, eh);
	ElfW(Phdr) ph;
	int err;

	for (unsigned i = 0; i < eh->e_phnum && i < PHDR_MAX; i++) {
		if (eh->e_phentsize != sizeof(ph) ||
		    !read_at(fd, &ph, sizeof(ph),
			     eh->e_phoff + (uint64_t)i * sizeof(ph))) {
			return 0; /* broken: exec says ENOEXEC */
		}
		if (ph.p_type == PT_INTERP) {
			loader = true;
			err = check_loader(fd, &ph, why, n);
			if (err) {
				return err;
			}
		} else if (ph.p_type == PT_NOTE) {
			go = go || notes_say_go(fd, &ph);
		} else if (ph.p_type == PT_LOAD && (ph.p_flags & PF_W)) {
			go = go || data_says_go(fd, &ph);
		}
	}
	if (go) {
		return refuse(why, n,
			      "is a Go program, whose system calls "
			      "bypass the C library");
	}
	/* the loader as a program: ld-linux.so.2 PROGRAM obeys LD_PRELOAD */
	if (!loader && strcmp(base_of(path), OWN_LOADER) != 0) {
		return refuse(why, n, "is statically linked");
	}
	return 0;
}

static int check_elf(int fd, const char *path, const uint8_t *head, size_t got,
		     char *why, size_t n)
{
	ElfW(Ehdr) eh;
	uint16_t machine;

	if (head[EI_CLASS] != OWN_CLASS) {
		return refuse(why, n,
			      head[EI_CLASS] == ELFCLASS32
				      ? "is a 32-bit program"
				      : "is of another word size");
	}
	if (got < sizeof(eh)) {
		return 0;
	}
	memcpy(&eh, head, sizeof(eh));
	machine = eh.e_machine;
	if (machine != OWN_MACHINE) {
		return refuse(why, n, "is for another kind of machine");
	}
	return check_segments(fd, path, &eh, why, n);
}

/* "#! interpreter [argument]": the path, terminated, in place; NULL: none */
static char *script_loader(char *line, size_t n)
{
	char *p = line + 2, *end;

	line[n] = 0;
	p += strspn(p, " \t");
	end = p + strcspn(p, " \t\n");
	*end = 0;
	return *p ? p : NULL;
}

int elf_reach(const char *path, char *why, size_t n)
{
	uint8_t head[NAME_MAX_LEN + 1];
	char next[NAME_MAX_LEN + 1];
	int fd, err = 0;

	for (unsigned depth = 0; depth <= SCRIPT_DEPTH; depth++) {
		char *loader = NULL;
		struct stat st;
		ssize_t got;

		/* not O_PATH: the octets decide.  O_NONBLOCK: a FIFO */
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
		if (fd < 0) {
			return 0;
		}
		if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
			close(fd);
			return 0;
		}
		got = pread(fd, head, NAME_MAX_LEN, 0);
		if (got > EI_CLASS && memcmp(head, ELFMAG, SELFMAG) == 0) {
			err = check_rights(fd, &st, why, n);
			if (!err) {
				err = check_elf(fd, path, head, (size_t)got,
						why, n);
			}
		} else if (got > 2 && head[0] == '#' && head[1] == '!') {
			memcpy(next, head, (size_t)got);
			loader = script_loader(next, (size_t)got);
		}
		close(fd);
		if (!loader) {
			return err;
		}
		memmove(next, loader, strlen(loader) + 1);
		path = next;
	}
	return 0;
}
