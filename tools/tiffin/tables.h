/* SPDX-License-Identifier: GPL-2.0-only */
/* What a family tells of more than itself: of its targets, of processes, of memory nodes. */
#ifndef TABLES_H
#define TABLES_H

#include "output.h"

/**
 * tables_read - read those of a family's files that are tables
 * @family: of which
 * @o: receives an array for each of them that the family has, and for unmapped_us numbers by name
 */
void tables_read(const char *family, struct json_object *o);

/* The same for people. */
void tables_print(struct json_object *o);

#endif /* TABLES_H */
