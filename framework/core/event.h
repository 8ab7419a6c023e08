/* SPDX-License-Identifier: GPL-2.0-only */
/* Uevents: what happened, for user space. They carry no pids and no paths. */
#ifndef TIFFIN_CORE_EVENT_H
#define TIFFIN_CORE_EVENT_H

struct tiffin_loaded;
struct tiffin_scope;

/**
 * tiffin_event_policy - a policy was loaded or unloaded
 * @loaded: the policy, with its folder in sysfs
 * @event: "load" or "unload"
 *
 * Context: process, may sleep.
 */
void tiffin_event_policy(struct tiffin_loaded *loaded, const char *event);

/**
 * tiffin_event_swap - a swap got somewhere
 * @scope: where; its report says from, to and the swap's number
 * @event: "swap", "commit", "rollback" or "fail"
 * @reason: for people; may be empty
 *
 * Context: process, may sleep.
 */
void tiffin_event_swap(struct tiffin_scope *scope, const char *event, const char *reason);

#endif /* TIFFIN_CORE_EVENT_H */
