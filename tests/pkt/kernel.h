/* kernel.h - what kernel.c and kernel_call.c have of each other */
#ifndef TESTS_PKT_KERNEL_H
#define TESTS_PKT_KERNEL_H

/* ends the program: this script cannot be compared, and why */
__attribute__((noreturn, format(printf, 1, 2))) void
kernel_skip(const char *form, ...);

#endif
