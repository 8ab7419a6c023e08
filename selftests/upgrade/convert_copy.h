/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the policies of convert_stress.c hold their objects' records against. There are two copies:
 * of records that one call has at a time (convert_locked.c), and of records that calls share
 * (convert_shared.c).
 */
#ifndef TIFFIN_UPGRADE_CONVERT_COPY_H
#define TIFFIN_UPGRADE_CONVERT_COPY_H

#include <tiffin/plugin.h>

#include "shim.h"

#ifdef COPY_SHARED
#define COPY_SHARING	TIFFIN_SHARE_ATOMIC
#define MAX_EPOCHS	20000
#else
#define COPY_SHARING	TIFFIN_SHARE_LOCKED
#define MAX_EPOCHS	200000
#endif

/* Kinds of stores with records; lists have tests of their own. */
#define KINDS		(TIFFIN_STORE_OBJECT + 1)
#define OBJECTS		48

/* The question. */
struct in {
	u32 number;
	u32 generation;
	u64 value;
};

/* What a record says, in whatever layout. */
struct fact {
	u32 number;
	u32 generation;
	u64 count;
	u64 sum;
};

/* Where it says so. */
struct fields {
	u32 *number;
	u32 *generation;
	u64 *count;
	u64 *sum;
};

/* What a flip does to the facts of a store: to the newer policy, and back. */
enum fate { KEEPS, BACK, ZEROS };

/**
 * struct flip - what the copy does at a flip
 * @forward: the facts of before are kept for a flip back
 * @fate: by kind of store
 */
struct flip {
	bool forward;
	enum fate fate[KINDS];
};

/* By the epoch that a flip begins; there before it happens. */
extern struct flip flips[MAX_EPOCHS];

struct fields fields_of(void *record, u32 layout);
struct fact fact_read(const void *record, u32 layout);
void fact_write(void *record, u32 layout, const struct fact *fact);
bool fact_same(const struct fact *a, const struct fact *b);

/* Fails: @got is not @want. */
void fact_differs(const char *what, const struct fact *got, const struct fact *want, u64 epoch);

/* Of which generation a call is: as the object is, of the next object of that number, or late. */
enum change { SAME, NEXT, LATE };

/* A call that is to be made. */
struct hold {
	u32 number;
	u32 generation;
	bool alone;
	bool late;
};

/* All objects are of their first generation. */
void copy_begin(void);

/**
 * copy_hold - a call about an object is to be made
 * @hold: receives the generation to ask with
 * @number: of the object
 * @change: what is wanted; another may come of it
 *
 * Return: false where it can't be made now.
 */
bool copy_hold(struct hold *hold, u32 number, enum change change);
void copy_let_go(const struct hold *hold, bool answered);

/* A policy answers: check the object's record, and write to it. */
void copy_answer(const struct tiffin_ctx *ctx, const struct in *in, u32 layout);

/* A policy converts the record that said @fact. */
void copy_convert(const struct fact *fact, u64 epoch);

/* What a record has to say when nothing is under way any more. */
struct fact copy_at_rest(u32 number, u64 epoch);

#endif /* TIFFIN_UPGRADE_CONVERT_COPY_H */
