#include "stack/chan/elf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "stack/base/check.h"

#define SCRIPT_DEPTH 4 /* as many as the kernel follows, BINPRM recursion */
#define PHDR_MAX     64
#define SHDR_MAX     512
#define NAME_MAX_LEN 256
#define GO_SCAN      65536 /* Go puts it that early into its data */

#if defined(__x86_64__)
#define OWN_MACHINE 62
#define OWN_LOADER  "ld-linux-x86-64.so.2"
#elif defined(__aarch64__)
#define OWN_MACHINE 183
#define OWN_LOADER  "ld-linux-aarch64.so.1"
#elif defined(__riscv) && __riscv_xlen == 64
#define OWN_MACHINE 243
#define OWN_LOADER  "ld-linux-riscv64-lp64d.so.1"
#else
#error "name this machine's ELF number and loader"
#endif

/* of a mode, as Linux has them */
#define SET_UID    04000u
#define SET_GID    02000u
#define GROUP_EXEC 00010u

/* System V ABI, chapters 4 and 5: a file of 64-bit class, in the byte order of
 * the machine that it is for */
#define MAGIC     "\177ELF"
#define MAGIC_LEN 4
#define CLASS     4 /* octet of ident */

enum { CLASS_32 = 1, CLASS_64 = 2 };
enum { PT_LOAD = 1, PT_INTERP = 3, PT_NOTE = 4 };
enum { PF_WRITE = 2 };

struct ehdr {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, phoff, shoff;
	uint32_t flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct phdr {
	uint32_t type, flags;
	uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

struct shdr {
	uint32_t name, type;
	uint64_t flags, addr, offset, size;
	uint32_t link, info;
	uint64_t addralign, entsize;
};

struct nhdr {
	uint32_t namesz, descsz, type;
};

static_assert(sizeof(struct ehdr) == 64 && sizeof(struct phdr) == 56 &&
		      sizeof(struct shdr) == 64 && sizeof(struct nhdr) == 12,
	      "as in the file");

/* the file that is looked at */
struct look {
	const struct elf_sys *sys;
	struct elf_file f;
};

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

static bool read_at(const struct look *l, void *buf, size_t n, uint64_t off)
{
	return off <= INT64_MAX && l->sys->read(l->f.fd, buf, n, off) == (long)n;
}

/* set-user-ID and the like: the loader ignores LD_PRELOAD there */
static int check_rights(const struct elf_file *f, char *why, size_t n)
{
	if (f->mode & SET_UID) {
		return refuse(why, n, "is set-user-ID");
	}
	if ((f->mode & SET_GID) && (f->mode & GROUP_EXEC)) {
		return refuse(why, n, "is set-group-ID");
	}
	if (f->caps) {
		return refuse(why, n, "has file capabilities");
	}
	return 0;
}

/* a note of owner "Go", type 4: the build ID that the Go linker writes */
static bool notes_say_go(const struct look *l, const struct phdr *ph)
{
	uint8_t buf[1024];
	size_t size = ph->filesz < sizeof(buf) ? ph->filesz : sizeof(buf);
	size_t at = 0;

	if (!read_at(l, buf, size, ph->offset)) {
		return false;
	}
	while (size - at >= sizeof(struct nhdr)) {
		struct nhdr h;
		uint64_t next;

		memcpy(&h, buf + at, sizeof(h));
		next = at + sizeof(h) + (((uint64_t)h.namesz + 3) & ~3ull);
		if (next > size) {
			return false;
		}
		if (h.namesz == 4 && h.type == 4 &&
		    memcmp(buf + at + sizeof(h), "Go\0\0", 4) == 0) {
			return true;
		}
		next += ((uint64_t)h.descsz + 3) & ~3ull;
		if (next > size) {
			return false;
		}
		at = (size_t)next;
	}
	return false;
}

/* the mark that Go's own debug/buildinfo looks for when there are no sections:
 * 16-aligned, at the beginning of the writable data */
static bool data_says_go(const struct look *l, const struct phdr *ph)
{
	uint8_t buf[4096];
	uint64_t end = ph->filesz < GO_SCAN ? ph->filesz : GO_SCAN;

	for (uint64_t at = 0; at + 16 <= end; at += sizeof(buf)) {
		size_t n = end - at < sizeof(buf) ? (size_t)(end - at)
						  : sizeof(buf);

		if (!read_at(l, buf, n, ph->offset + at)) {
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

static bool sections_say_go(const struct look *l, const struct ehdr *eh)
{
	struct shdr names, sh;
	char name[sizeof(".go.buildinfo")];

	if (eh->shentsize != sizeof(sh) || eh->shstrndx >= eh->shnum ||
	    !read_at(l, &names, sizeof(names),
		     eh->shoff + (uint64_t)eh->shstrndx * sizeof(sh))) {
		return false;
	}
	for (unsigned i = 0; i < eh->shnum && i < SHDR_MAX; i++) {
		if (!read_at(l, &sh, sizeof(sh),
			     eh->shoff + (uint64_t)i * sizeof(sh))) {
			return false;
		}
		if (read_at(l, name, sizeof(name),
			    names.offset + sh.name) &&
		    memcmp(name, ".go.buildinfo", sizeof(name)) == 0) {
			return true;
		}
	}
	return false;
}

static int check_loader(const struct look *l, const struct phdr *ph, char *why,
			size_t n)
{
	char path[NAME_MAX_LEN];
	size_t len =
		ph->filesz < sizeof(path) ? ph->filesz : sizeof(path) - 1;

	if (len == 0 || !read_at(l, path, len, ph->offset)) {
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

static int check_segments(const struct look *l, const char *path,
			  const struct ehdr *eh, char *why, size_t n)
{
	bool loader = false, go = sections_say_go(l, eh);
	struct phdr ph;
	int err;

	for (unsigned i = 0; i < eh->phnum && i < PHDR_MAX; i++) {
		if (eh->phentsize != sizeof(ph) ||
		    !read_at(l, &ph, sizeof(ph),
			     eh->phoff + (uint64_t)i * sizeof(ph))) {
			return 0; /* broken: exec says ENOEXEC */
		}
		if (ph.type == PT_INTERP) {
			loader = true;
			err = check_loader(l, &ph, why, n);
			if (err) {
				return err;
			}
		} else if (ph.type == PT_NOTE) {
			go = go || notes_say_go(l, &ph);
		} else if (ph.type == PT_LOAD && (ph.flags & PF_WRITE)) {
			go = go || data_says_go(l, &ph);
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

static int check_elf(const struct look *l, const char *path,
		     const uint8_t *head, size_t got, char *why, size_t n)
{
	struct ehdr eh;

	if (head[CLASS] != CLASS_64) {
		return refuse(why, n,
			      head[CLASS] == CLASS_32
				      ? "is a 32-bit program"
				      : "is of another word size");
	}
	if (got < sizeof(eh)) {
		return 0;
	}
	memcpy(&eh, head, sizeof(eh));
	if (eh.machine != OWN_MACHINE) {
		return refuse(why, n, "is for another kind of machine");
	}
	return check_segments(l, path, &eh, why, n);
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

int elf_reach(const struct elf_sys *sys, const char *path, char *why, size_t n)
{
	uint8_t head[NAME_MAX_LEN + 1];
	char next[NAME_MAX_LEN + 1];
	int err = 0;

	for (unsigned depth = 0; depth <= SCRIPT_DEPTH; depth++) {
		struct look l = { .sys = sys };
		char *loader = NULL;
		long got;

		if (!sys->open(path, &l.f)) {
			return 0;
		}
		got = sys->read(l.f.fd, head, NAME_MAX_LEN, 0);
		if (got > CLASS && memcmp(head, MAGIC, MAGIC_LEN) == 0) {
			err = check_rights(&l.f, why, n);
			if (!err) {
				err = check_elf(&l, path, head, (size_t)got,
						why, n);
			}
		} else if (got > 2 && head[0] == '#' && head[1] == '!') {
			memcpy(next, head, (size_t)got);
			loader = script_loader(next, (size_t)got);
		}
		sys->close(l.f.fd);
		if (!loader) {
			return err;
		}
		memmove(next, loader, strlen(loader) + 1);
		path = next;
	}
	return 0;
}
