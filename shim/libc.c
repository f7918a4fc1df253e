#include "shim/libc.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

#include "stack/base/check.h"

struct libc libc;

#define SLOT(name)     { #name, offsetof(struct libc, name) }
#define CHK_SLOT(name) { "__" #name, offsetof(struct libc, name) }

static const struct {
	const char *name;
	size_t at;
} slots[] = {
	SLOT(socket),	  SLOT(bind),	      SLOT(listen),
	SLOT(connect),	  SLOT(accept4),      SLOT(getsockname),
	SLOT(getpeername), SLOT(getsockopt),  SLOT(setsockopt),
	SLOT(shutdown),	  SLOT(ioctl),	      SLOT(prctl),
	SLOT(syscall),	  SLOT(read),	      SLOT(readv),
	SLOT(recv),	  SLOT(recvfrom),     SLOT(recvmsg),
	SLOT(recvmmsg),	  SLOT(splice),	      CHK_SLOT(read_chk),
	CHK_SLOT(recv_chk), CHK_SLOT(recvfrom_chk), SLOT(write),
	SLOT(writev),	  SLOT(send),	      SLOT(sendto),
	SLOT(sendmsg),	  SLOT(sendmmsg),     SLOT(execve),
	SLOT(fexecve),	  SLOT(execveat),     SLOT(posix_spawn),
	SLOT(posix_spawnp), SLOT(system),     SLOT(popen),
};

void libc_load(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(slots); i++) {
		void *f = dlsym(RTLD_NEXT, slots[i].name);

		/* every slot is a function pointer of the same size */
		memcpy((char *)&libc + slots[i].at, &f, sizeof(f));
	}
}
