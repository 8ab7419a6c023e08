/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ledger of a lab: what every record and every list has to say, kept by a test beside the
 * swaps. It knows what policies declare and what the ABI promises of that, and finds out by itself
 * when a flip has been, so that it can be looked into at any step of a swap.
 *
 * Every question of the test has to be put by the ledger, and by one thread at a time.
 */
#ifndef TIFFIN_UPGRADE_LEDGER_H
#define TIFFIN_UPGRADE_LEDGER_H

#include "lab.h"
#include "list_model.h"
#include "shim.h"

/* In place of a policy of the lab. */
#define STOCK	LAB_POLICIES

/* How the store of one kind has come to the policy that is active. */
enum came { ANEW, BY_REFERENCE, CONVERTED };

/**
 * struct page - what the state of one policy says
 * @object: calls, by object
 * @cpu: likewise, by CPU
 * @instance: likewise, of all
 * @lists: who is on which list, in order, with what mark
 */
struct page {
	u64 object[LAB_OBJECTS];
	u64 cpu[SHIM_MAX_CPUS];
	u64 instance;
	struct model lists;
};

/**
 * struct ledger - the ledger
 * @lab: of which
 * @now: of the active policy
 * @then: of the one before, at the last flip to a newer one
 * @who: is active, or STOCK
 * @who_then: the one before
 * @came: how, since then, by kind
 * @active: its instance
 * @older: the instance to go back to, or NULL
 * @older_faulty: its policy is in quarantine
 * @forced: the probation was ended for another policy than that one
 * @swept: the older layout had gone when the active policy was last seen out of quarantine
 * @flips: that it knows of
 * @backs: of these, back to @older
 * @restored: of the others, those to records as at the flip before
 */
struct ledger {
	struct lab *lab;
	struct page now;
	struct page then;
	enum lab_who who;
	enum lab_who who_then;
	enum came came[TIFFIN_STORE_KINDS];
	const struct tiffin_instance *active;
	const struct tiffin_instance *older;
	bool older_faulty;
	bool forced;
	bool swept;
	unsigned int flips;
	unsigned int backs;
	unsigned int restored;
};

/* A ledger of @lab, where nothing has been asked for of any policy but the default. */
void ledger_begin(struct ledger *l, struct lab *lab);

/*
 * See whether there was a flip, and compare every record and every list with what has to stand
 * there. Of a policy in quarantine nobody sees them any more; who comes next finds them.
 */
void ledger_look(struct ledger *l);

/*
 * Ask about an object, or none, on the caller's CPU: the policy in charge answers, once, and knows
 * what it has to. One in quarantine does not.
 */
enum tiffin_verdict ledger_ask(struct ledger *l, u32 object);

/* Ask about an object in a call that has to be ended. A policy of the lab is active and well. */
void ledger_fault(struct ledger *l, u32 object);

/*
 * No swap is under way, and nothing of one is left: neither instance, nor sweep, nor memory beyond
 * that of the active policy's stores.
 */
void ledger_settled(struct ledger *l);

#endif /* TIFFIN_UPGRADE_LEDGER_H */
