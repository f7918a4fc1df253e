/* own_file.h - files that hold secrets or decide what is trusted: regular, of
 * our user, and in nobody else's reach
 *
 * Checked on the open descriptor, so that nothing can be put in between.
 */
#ifndef ENGINE_OWN_FILE_H
#define ENGINE_OWN_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#define OWN_FILE_WHY 160

/* This process has rights that whoever started it may not have (set-user-ID,
 * file capabilities): what the environment and the arguments name is not to be
 * written or believed. */
bool own_file_elevated(void);

/* All return a descriptor, or -1 and a reason that follows "FILE: ", remedy
 * included.  The last component of a path is no symbolic link. */

/* for appending, made with mode 0600 when it is not there (*made); refused when
 * others may read or write it */
int own_file_append(const char *path, bool *made, char why[OWN_FILE_WHY]);
/* for reading; refused when others may write it.  -1 and an empty reason: there
 * is none. */
int own_file_read(int dir, const char *name, char why[OWN_FILE_WHY]);
/* A directory, ours or root's, in which others cannot replace our files.
 * make: it and those above it are made, with mode 0700.  -1 and an empty
 * reason: it does not exist. */
int own_file_dir(int at, const char *path, bool make, char why[OWN_FILE_WHY]);

#endif
