/* each in a child of its own: there is no way back */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "stack/base/check.h"
#include "stack/engine/confine.h"
#include "stack/engine/io.h"
#include "tests/unit/crypt/common.h"

#define EXPECT(cond)                     \
	do {                             \
		if (!(cond)) {           \
			return __LINE__; \
		}                        \
	} while (0)

/* an expectation's line, so that a failure says where; 0: all met */
static int try_engine(int out)
{
	struct io *io = io_new(IO_AUTO);
	unsigned got;
	int null = open("/dev/null", O_WRONLY), sv[2];
	void *p;

	EXPECT(io && null >= 0);
	io_seal(io);
	got = confine_engine();
	EXPECT(write(out, &got, sizeof(got)) == (ssize_t)sizeof(got));
	if (!(got & CONFINE_NO_CALLS)) {
		return 0;
	}
	/* refused, not killed */
	EXPECT(open("/dev/null", O_RDONLY) < 0);
	EXPECT(execl("/bin/true", "true", (char *)NULL) < 0 && errno == EPERM);
	EXPECT(fork() < 0 && errno == EPERM);
	EXPECT(socket(AF_NETLINK, SOCK_RAW, 0) < 0 && errno == EPERM);
	EXPECT(socket(AF_PACKET, SOCK_RAW, 0) < 0 && errno == EPERM);
	p = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
		 -1, 0);
	EXPECT(p == MAP_FAILED && errno == EPERM);
	/* what it lives on */
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	EXPECT(p != MAP_FAILED);
	EXPECT(mprotect(p, 4096, PROT_READ | PROT_EXEC) < 0);
	EXPECT(socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
	EXPECT(socket(AF_INET6, SOCK_STREAM, 0) >= 0 || errno == EAFNOSUPPORT);
	EXPECT(socketpair(AF_UNIX, SOCK_STREAM, 0, sv) == 0);
	EXPECT(write(null, "x", 1) == 1);
	p = malloc(10 << 20);
	EXPECT(p);
	memset(p, 1, 10 << 20);
	free(p);
	io_turn(io, instant_add(io_now(), NANOS_MS));
	return 0;
}

static void status_of(pid_t pid, const char *key, char value[64])
{
	char path[64], line[256];
	FILE *f;

	value[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (strncmp(line, key, strlen(key)) == 0) {
			sscanf(line + strlen(key), " %63s", value);
		}
	}
	fclose(f);
}

static void test_engine(void **state)
{
	int up[2], hold[2], st;
	unsigned got = 0;
	char text[64];
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(up), 0);
	assert_int_equal(pipe(hold), 0);
	pid = fork();
	if (pid == 0) {
		char c;
		int line;

		close(hold[1]);
		line = try_engine(up[1]);
		(void)!read(hold[0], &c, 1);
		_exit(line > 255 ? 255 : line);
	}
	assert_int_equal(read(up[0], &got, sizeof(got)), sizeof(got));
	assert_true(got & CONFINE_NO_CAPS);
	status_of(pid, "CapEff:", text);
	assert_string_equal(text, "0000000000000000");
	status_of(pid, "CapPrm:", text);
	assert_string_equal(text, "0000000000000000");
	status_of(pid, "NoNewPrivs:", text);
	assert_string_equal(text, "1");
	close(hold[1]);
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_int_equal(st, 0);
	if (!(got & CONFINE_NO_CALLS)) {
		skip();
	}
}

/* every key exchange and cipher, rekeying and resumption, in what confinement
 * leaves: the library may want chance, memory and locks, never a file */
static void all_of_crypt(void)
{
	static const uint8_t kx[] = { ENO_TEP_P256, ENO_TEP_P521,
				      ENO_TEP_X25519, ENO_TEP_X448 };
	static const uint16_t aead[] = { CRYPT_AES128_GCM, CRYPT_AES256_GCM,
					 CRYPT_CHACHA20_POLY1305 };
	static struct end a, b;

	end_init(&a, 1);
	end_init(&b, 2);
	assert_true(confine_engine() & CONFINE_NO_CAPS);
	while (crypt_prepare(a.crypt)) {
	}
	for (unsigned i = 0; i < 12; i++) {
		a.conf.kx[0] = b.conf.kx[0] = kx[i / 3];
		a.conf.aead[0] = b.conf.aead[0] = aead[i % 3];
		a.conf.n_aead = b.conf.n_aead = 1;
		for (unsigned again = 0; again < 2; again++) {
			struct crypt_info info;

			three_way(&a, &b);
			key_up(&a, &b);
			same_id(&a, &b);
			say(&a, &b, "one");
			say(&b, &a, "one too");
			assert_true(crypt_rekey(a.conn, t0));
			say(&a, &b, "two");
			say(&b, &a, "three");
			crypt_info(a.conn, &info);
			assert_int_equal(info.kx, kx[i / 3]);
			assert_int_equal(info.aead, aead[i % 3]);
			assert_int_equal(info.resumed, again);
			if (again) {
				crypt_forget_all(a.crypt);
			}
		}
	}
	end_fini(&a);
	end_fini(&b);
}

static void test_crypt(void **state)
{
	int st;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		all_of_crypt(); /* a failed assertion ends the child with 1 */
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_int_equal(st, 0);
}

static void test_keeper(void **state)
{
	int st;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		char text[64];

		if (confine_keeper() != 0) {
			_exit(1);
		}
		status_of(getpid(), "CapEff:", text);
		_exit(strcmp(text, "0000000000001000") == 0 ||
				      strcmp(text, "0000000000000000") == 0
			      ? 0
			      : 2);
	}
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_int_equal(st, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_engine),
		cmocka_unit_test(test_crypt),
		cmocka_unit_test(test_keeper),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
