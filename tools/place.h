/* place.h - where the parts of an installation are, and where a command is */
#ifndef TOOLS_PLACE_H
#define TOOLS_PLACE_H

#include <stdbool.h>
#include <stddef.h>

/* Finds `name` beside the running program (the build directory), else in `sub`
 * below the prefix (../sub/name from the program's directory).  False and one
 * line in err when neither exists. */
bool place_part(const char *name, const char *sub, char *out, size_t n,
		char *err, size_t err_n);

/* What execvp() would run for this command: 0 and the path in out, or ENOENT,
 * or EACCES when it exists without being executable. */
int place_command(const char *command, char *out, size_t n);

#endif
