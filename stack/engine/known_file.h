/* known_file.h - the table of known.h in a file that outlives the run
 *
 * Read at the start by the caller's process; written by the keeper, which joins
 * what this run found out with what other runs wrote meanwhile, under a lock on
 * the directory, and puts the new file in the old one's place.
 */
#ifndef ENGINE_KNOWN_FILE_H
#define ENGINE_KNOWN_FILE_H

#include <stdbool.h>

#include "stack/engine/known.h"
#include "stack/engine/own_file.h"

#define KNOWN_PATH 1024

struct known_place {
	int at;                /* where a relative path begins */
	bool asked;            /* named by the user: it must be usable */
	char path[KNOWN_PATH]; /* "": nowhere, memory of this run only */
};

/* file: as the user named it, or NULL: mptcp/known in the user's state
 * directory ($XDG_STATE_HOME, else ~/.local/state), if there is one.  A name
 * that is too long leads nowhere, which fails to load when it was asked for */
void known_file_place(struct known_place *p, int at, const char *file,
		      const char *(*get)(void *ctx, const char *name),
		      void *ctx);
/* What is in the file, if there is one, is added to k.  false: it must not be
 * believed, or cannot be read; why follows "FILE: ". */
bool known_file_load(const struct known_place *p, struct known *k,
		     char why[OWN_FILE_WHY]);
/* Adds what is in k to the file.  false: not written, the old one is as it
 * was.  May wait for others, and for the disk. */
bool known_file_save(const struct known_place *p, const struct known *k,
		     int64_t now, char why[OWN_FILE_WHY]);

#endif
