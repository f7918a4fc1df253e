#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tools/file.h"

/* a small program file: header, up to three program headers, then octets that
 * they point into */
struct image {
	Elf64_Ehdr eh;
	Elf64_Phdr ph[3];
	char text[256];
};

static char dir[] = "/tmp/test_elf.XXXXXX";
static char path[sizeof(dir) + 16];
static char why[ELF_WHY_MAX];

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(dir)) {
		return -1;
	}
	snprintf(path, sizeof(path), "%s/program", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static void put(const void *p, size_t n, mode_t mode)
{
	int fd;

	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0700);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, n), (ssize_t)n);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

/* as this test itself is: class, machine and loader of the running machine */
static void own_image(struct image *im, char loader[256])
{
	Elf64_Phdr ph;
	int fd = open("/proc/self/exe", O_RDONLY);

	memset(im, 0, sizeof(*im));
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &im->eh, sizeof(im->eh), 0), sizeof(im->eh));
	for (unsigned i = 0; i < im->eh.e_phnum; i++) {
		assert_int_equal(
			pread(fd, &ph, sizeof(ph),
			      (off_t)(im->eh.e_phoff + i * sizeof(ph))),
			sizeof(ph));
		if (ph.p_type == PT_INTERP) {
			assert_true(ph.p_filesz <= 256);
			assert_int_equal(pread(fd, loader, ph.p_filesz,
					       (off_t)ph.p_offset),
					 (ssize_t)ph.p_filesz);
		}
	}
	close(fd);
	im->eh.e_phoff = offsetof(struct image, ph);
	im->eh.e_phnum = 3;
	im->eh.e_shnum = 0;
	im->eh.e_shoff = 0;
}

static void set_loader(struct image *im, const char *loader)
{
	im->ph[0].p_type = PT_INTERP;
	im->ph[0].p_offset = offsetof(struct image, text);
	im->ph[0].p_filesz = strlen(loader) + 1;
	memcpy(im->text, loader, strlen(loader) + 1);
}

static void dynamic_is_reachable(void **state)
{
	char loader[256] = "";
	struct image im;

	(void)state;
	own_image(&im, loader);
	set_loader(&im, loader);
	put(&im, sizeof(im), 0755);
	assert_int_equal(elf_reach(&file_sys, path, why, sizeof(why)), 0);
	assert_int_equal(elf_reach(&file_sys, "/proc/self/exe", why, sizeof(why)), 0);
}

static void refuses(const struct image *im, mode_t mode, const char *word)
{
	put(im, sizeof(*im), mode);
	why[0] = 0;
	assert_int_equal(elf_reach(&file_sys, path, why, sizeof(why)), EACCES);
	assert_non_null(strstr(why, word));
	assert_null(strchr(why, '\n'));
}

static void out_of_reach_is_named(void **state)
{
	static const uint8_t note[] = { 4, 0, 0,   0,   2, 0, 0,   0, 4, 0,
					0, 0, 'G', 'o', 0, 0, 'x', 0, 0, 0 };
	char loader[256] = "";
	struct image im, base;

	(void)state;
	own_image(&base, loader);
	im = base;
	refuses(&im, 0755, "statically");
	set_loader(&im, "/lib/ld-musl-x86_64.so.1");
	refuses(&im, 0755, "musl");
	im = base;
	set_loader(&im, "/system/bin/linker64");
	refuses(&im, 0755, "/system/bin/linker64");
	im = base;
	set_loader(&im, loader);
	refuses(&im, 04755, "set-user-ID");
	refuses(&im, 02755, "set-group-ID");
	im.eh.e_ident[EI_CLASS] = ELFCLASS32;
	refuses(&im, 0755, "32-bit");
	im = base;
	im.eh.e_machine = EM_S390;
	refuses(&im, 0755, "machine");
	im = base;
	set_loader(&im, loader);
	im.ph[1].p_type = PT_NOTE;
	im.ph[1].p_offset = offsetof(struct image, text) + 100;
	im.ph[1].p_filesz = sizeof(note);
	memcpy(im.text + 100, note, sizeof(note));
	refuses(&im, 0755, "Go");
	im = base;
	set_loader(&im, loader);
	im.ph[1].p_type = PT_LOAD;
	im.ph[1].p_flags = PF_R | PF_W;
	im.ph[1].p_offset = offsetof(struct image, text) + 100;
	im.ph[1].p_filesz = 100;
	memcpy(im.text + 100 + 32, "\xff Go buildinf:\x08", 16);
	refuses(&im, 0755, "Go");
}

static void setgid_without_exec_is_no_right(void **state)
{
	char loader[256] = "";
	struct image im;

	(void)state;
	own_image(&im, loader);
	set_loader(&im, loader);
	put(&im, sizeof(im), 02745);
	assert_int_equal(elf_reach(&file_sys, path, why, sizeof(why)), 0);
}

static void script_is_its_interpreter(void **state)
{
	char text[64];

	(void)state;
	put("#! /bin/sh -e\n", 14, 0755);
	assert_int_equal(elf_reach(&file_sys, path, why, sizeof(why)), 0);
	/* itself: bounded */
	snprintf(text, sizeof(text), "#!%s\n", path);
	put(text, strlen(text), 0755);
	assert_int_equal(elf_reach(&file_sys, path, why, sizeof(why)), 0);
	put("#!\n", 3, 0755);
	assert_int_equal(elf_reach(&file_sys, path, why, sizeof(why)), 0);
	put("#!", 2, 0755);
	assert_int_equal(elf_reach(&file_sys, path, why, sizeof(why)), 0);
}

static void not_ours_to_judge(void **state)
{
	char loader[256] = "";
	struct image im;

	(void)state;
	assert_int_equal(elf_reach(&file_sys, "/nonexistent/x", why, sizeof(why)), 0);
	assert_int_equal(elf_reach(&file_sys, "/tmp", why, sizeof(why)), 0);
	put("", 0, 0755);
	assert_int_equal(elf_reach(&file_sys, path, why, sizeof(why)), 0);
	put("echo hello\n", 11, 0755);
	assert_int_equal(elf_reach(&file_sys, path, why, sizeof(why)), 0);
	own_image(&im, loader);
	put(&im, 40, 0755);
	assert_int_equal(elf_reach(&file_sys, path, why, sizeof(why)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dynamic_is_reachable),
		cmocka_unit_test(out_of_reach_is_named),
		cmocka_unit_test(setgid_without_exec_is_no_right),
		cmocka_unit_test(script_is_its_interpreter),
		cmocka_unit_test(not_ours_to_judge),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
