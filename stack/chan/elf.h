/* elf.h - can LD_PRELOAD reach what this file would run?
 *
 * The one file of this folder that looks at files: mptcp-run asks at the start,
 * the shim at every exec.  No memory is allocated; safe after vfork().
 */
#ifndef CHAN_ELF_H
#define CHAN_ELF_H

#include <stddef.h>

#define ELF_WHY_MAX 256

/* 0: reachable, or not for us to judge (the file cannot be opened, or is of no
 * known format: exec itself says so).  EACCES: out of reach, and why (n octets,
 * terminated) says the reason in words that follow the file's name, such as
 * "is statically linked".  A script is judged by its interpreter. */
int elf_reach(const char *path, char *why, size_t n);

#endif
