#include "stack/engine/keylog.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void keylog_close(struct keylog *k)
{
	if (k->fd >= 0) {
		close(k->fd);
		k->fd = -1;
	}
}

static void put_line(void *ctx, const char *text)
{
	struct keylog *k = ctx;
	char line[512];
	size_t n = strlen(text);

	if (k->fd < 0 || n >= sizeof(line)) {
		return;
	}
	memcpy(line, text, n);
	line[n++] = '\n';
	if (write(k->fd, line, n) != (ssize_t)n) {
		engine_log(k->e, 1, "the key log ends here: %s",
			   strerror(errno));
		keylog_close(k);
	}
	explicit_bzero(line, sizeof(line));
}

struct trace keylog_trace(struct keylog *k)
{
	struct trace t = { k->fd >= 0 ? put_line : NULL, k };

	return t;
}
