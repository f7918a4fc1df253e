/* How connections of programs began: asks past.c, and keeps the line that it may
 * have for the program until that asks how its connect() went.
 */
#include <string.h>

#include "stack/base/check.h"
#include "stack/engine/app.h"

static void leave(struct app_ent *t, const char *line)
{
	if (!line[0]) {
		return;
	}
	if (!t->line) {
		t->line = mem_zalloc(&t->app->mem, PAST_LINE);
	}
	if (t->line) {
		memcpy(t->line, line, strlen(line) + 1);
	}
}

void app_say_forget(struct app_ent *t)
{
	mem_free(&t->app->mem, t->line, PAST_LINE);
	t->line = NULL;
}

void app_say_begun(struct app_ent *t)
{
	struct past *p = t->app->e->past;
	char line[PAST_LINE];
	struct mp_info info;

	if (p && sock_info(t->sk, &info)) {
		t->unproven = info.sealed;
		past_connected(p, &info, line);
		leave(t, line);
	}
}

static void refused(struct app_ent *t, const struct mp_info *info)
{
	char line[PAST_LINE];

	past_refused(t->app->e->past, info, line);
	leave(t, line);
}

void app_say_refused(struct app_ent *t)
{
	struct mp_info info;

	if (t->app->e->past && sock_info(t->sk, &info)) {
		refused(t, &info);
	}
}

void app_say_at_once(struct app_ent *t, const struct endpoint *to)
{
	struct mp_info info = { .mode = MP_MODE_TCP,
				.why_plain = MP_FALLBACK_OFF,
				.why_clear = CRYPT_OK,
				.sealed = true,
				.weaker = true };

	info.sub[0].t.remote = *to;
	if (t->app->e->past) {
		refused(t, &info);
	}
}

void app_say_seen(struct app_ent *t)
{
	struct mp_info info;

	t->unproven = false;
	if (sock_info(t->sk, &info)) {
		past_note(t->app->e->past, &info);
	}
}
