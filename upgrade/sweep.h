/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The sweep: converts the records of objects that no call comes for.
 *
 * A newer policy with another layout gets each object's record converted when the first call comes
 * that is about the object (store.h, S5). The sweep goes over the rest in the background, one
 * record at a time, as a call like any other: through the gate, so that a flip back waits for it
 * and it never writes for an instance that is not active. When it has been everywhere the older
 * layout's memory goes.
 *
 * Invariants:
 *  W1. At most one sweep a scope: no request is accepted until it is over, and none begins before
 *	the work of the one before has ended.
 *  W2. A sweep that a flip back has overtaken changes nothing more, and ends.
 *  W3. Who ends an instance has ended its sweep before.
 *  W4. Who ends a sweep before its time, but for a flip back, leaves the older layout's records to
 *	the next policy, as they were at the flip (tiffin_instance_give_up()).
 */
#ifndef TIFFIN_UPGRADE_SWEEP_H
#define TIFFIN_UPGRADE_SWEEP_H

#include <linux/types.h>
#include <linux/workqueue.h>

struct tiffin_instance;
struct tiffin_scope;
struct tiffin_store_mem;

/* What a call of the sweep is to the gate, in place of a hook's index. */
#define TIFFIN_HOOK_SWEEP	U32_MAX

/**
 * struct tiffin_sweep - the sweep of a scope
 * @work: does it
 * @inst: whose records; NULL while there is no sweep
 * @next: objects below it are done
 * @stop: somebody waits for its end
 */
struct tiffin_sweep {
	struct delayed_work work;
	struct tiffin_instance *inst;
	u32 next;
	bool stop;
};

void tiffin_sweep_init(struct tiffin_scope *scope);

/* Begin, where the active instance has records to convert. The scope's swap lock is held. */
void tiffin_sweep_begin(struct tiffin_scope *scope);

/*
 * Stop it wherever it is, and wait until it has: for one record's conversion, or for a grace
 * period where that was the last. The scope's swap lock is held, or no request can begin anything
 * any more. May sleep.
 */
void tiffin_sweep_cancel(struct tiffin_scope *scope);

/* Is there one? */
bool tiffin_sweep_runs(const struct tiffin_scope *scope);

/* The active instance's object store @mem: how many records has the sweep still to look at? */
u32 tiffin_sweep_left(const struct tiffin_scope *scope, const struct tiffin_store_mem *mem);

#endif /* TIFFIN_UPGRADE_SWEEP_H */
