/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files of the machine other than the host's own: /proc, /boot, /lib/modules, other parts of /sys.
 * Tests put a folder of their own before them all with $TIFFIN_ROOT.
 */
#ifndef ROOT_H
#define ROOT_H

#include "util.h"

/* The path, below the tests' folder where there is one; to be freed. */
char *root_path(const char *fmt, ...) __printf(1, 2);

/* Text of a file without the newline at its end, to be freed; NULL where it can't be read. */
char *root_read(const char *fmt, ...) __printf(1, 2);

bool root_exists(const char *fmt, ...) __printf(1, 2);

/* Text of any file, up to @max bytes; NULL and errno where it can't be read or is larger. */
char *file_read(const char *path, size_t max);

#endif /* ROOT_H */
