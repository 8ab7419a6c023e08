/* SPDX-License-Identifier: GPL-2.0-only */
/* The first inputs of store_fuzz.c, in any build. */
#ifndef TIFFIN_UPGRADE_STORE_SEEDS_H
#define TIFFIN_UPGRADE_STORE_SEEDS_H

#include "shim.h"

/* The policies of store_fuzz.c. */
enum { FIRST, ODD, SHARED, UNDO, OTHER, THIRD, NEXT, POLICIES };

#define SEEDS		7

/**
 * struct seed - an input
 * @bytes: as LLVMFuzzerTestOneInput() gets them
 * @size: how many
 */
struct seed {
	u8 bytes[2048];
	size_t size;
};

/* Make seed number @nr; @seed is zero. */
void store_seed(unsigned int nr, struct seed *seed);

#endif /* TIFFIN_UPGRADE_STORE_SEEDS_H */
