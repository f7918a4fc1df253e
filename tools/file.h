/* file.h - files, for stack/chan/elf.h */
#ifndef TOOLS_FILE_H
#define TOOLS_FILE_H

#include "stack/chan/elf.h"

extern const struct elf_sys file_sys;

#endif
