/* elf.h - can LD_PRELOAD reach what this file would run?
 *
 * mptcp-run asks at the start, the shim at every exec.  What a file holds is
 * judged here; opening and reading it is the caller's, as all system calls are.
 * No memory is allocated; safe after vfork().
 */
#ifndef CHAN_ELF_H
#define CHAN_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_WHY_MAX 256

struct elf_file {
	int fd;
	uint32_t mode; /* st_mode */
	bool caps;     /* it has the attribute security.capability */
};

struct elf_sys {
	/* false: cannot be opened, or is no regular file.  It must not wait
	 * (a FIFO) nor be inherited. */
	bool (*open)(const char *path, struct elf_file *f);
	/* pread() */
	long (*read)(int fd, void *buf, size_t n, uint64_t off);
	void (*close)(int fd);
};

/* 0: reachable, or not for us to judge (the file cannot be opened, or is of no
 * known format: exec itself says so).  EACCES: out of reach, and why (n octets,
 * terminated) says the reason in words that follow the file's name, such as
 * "is statically linked".  A script is judged by its interpreter. */
int elf_reach(const struct elf_sys *sys, const char *path, char *why, size_t n);

#endif
