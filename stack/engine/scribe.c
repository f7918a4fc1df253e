#include "stack/engine/scribe.h"

#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void scribe_init(struct scribe *s, const struct known_place *place, bool loud)
{
	*s = (struct scribe){ .place = *place, .loud = loud };
	s->due = INSTANT_NEVER;
	known_init(&s->news);
}

void scribe_add(struct scribe *s, struct instant now,
		const struct known_entry *e)
{
	if (!s->place.path[0] || !known_add(&s->news, e)) {
		return;
	}
	s->dirty = true;
	if (instant_never(s->due)) {
		s->due = instant_add(now, SCRIBE_DELAY);
	}
}

static bool save(const struct scribe *s)
{
	char why[OWN_FILE_WHY];

	if (known_file_save(&s->place, &s->news, time(NULL), why)) {
		return true;
	}
	if (s->loud) {
		fprintf(stderr, "mptcp-run: --crypt-memory-file: %s: %s\n",
			s->place.path, why);
	}
	return false;
}

/* news that the child could not write stay, for the next ones and the end */
static void reap(struct scribe *s, int flags)
{
	int status = 0;
	pid_t got;

	do {
		got = waitpid(s->child, &status, flags);
	} while (got < 0 && errno == EINTR);
	if (got == 0) {
		return;
	}
	s->child = 0;
	if (got < 0 || status != 0) {
		s->dirty = true;
		s->due = INSTANT_NEVER;
	}
}

void scribe_turn(struct scribe *s, struct instant now)
{
	if (s->child) {
		reap(s, WNOHANG);
	}
	if (s->child || !s->dirty || !instant_due(s->due, now)) {
		return;
	}
	s->due = instant_add(now, SCRIBE_GAP);
	s->dirty = false;
	s->child = fork();
	if (s->child == 0) {
		_exit(save(s) ? 0 : 1);
	}
	if (s->child < 0) {
		s->child = 0;
		s->dirty = true;
	}
}

void scribe_end(struct scribe *s)
{
	if (s->child) {
		reap(s, 0);
	}
	if (s->dirty) {
		save(s);
		s->dirty = false;
	}
	known_fini(&s->news);
}
