// SPDX-License-Identifier: GPL-2.0-only
/* Uevents: what happened, for user space. */

#include <linux/kobject.h>
#include <linux/slab.h>

#include "core/event.h"
#include "core/scope.h"

/*
 * A lost event loses nobody's state: whoever missed it reads sysfs. So a failure to send is only
 * logged.
 */
static void tiffin_event_send(struct kobject *kobj, struct kobj_uevent_env *env, int rc)
{
	if (!rc)
		rc = kobject_uevent_env(kobj, KOBJ_CHANGE, env->envp);
	if (rc)
		pr_warn_ratelimited("tiffin: an event for %s was not sent: %d\n",
				    kobject_name(kobj), rc);
}

void tiffin_event_policy(struct tiffin_loaded *loaded, const char *event)
{
	struct kobj_uevent_env *env = kzalloc(sizeof(*env), GFP_KERNEL);
	int rc;

	if (!env)
		return;
	rc = add_uevent_var(env, "TIFFIN_EVENT=%s", event) ?:
	     add_uevent_var(env, "TIFFIN_FAMILY=%s", loaded->family->name) ?:
	     add_uevent_var(env, "TIFFIN_POLICY=%s", loaded->id);
	tiffin_event_send(&loaded->kobj, env, rc);
	kfree(env);
}

void tiffin_event_swap(struct tiffin_scope *scope, const char *event, const char *reason)
{
	struct kobj_uevent_env *env = kzalloc(sizeof(*env), GFP_KERNEL);
	const struct tiffin_swap_report *report = &scope->swap.report;
	int rc;

	if (!env)
		return;
	rc = add_uevent_var(env, "TIFFIN_EVENT=%s", event) ?:
	     add_uevent_var(env, "TIFFIN_FAMILY=%s", scope->family->name) ?:
	     add_uevent_var(env, "TIFFIN_SCOPE=%s", scope->name) ?:
	     add_uevent_var(env, "TIFFIN_SWAP=%llu", report->id) ?:
	     add_uevent_var(env, "TIFFIN_FROM=%s", report->from) ?:
	     add_uevent_var(env, "TIFFIN_TO=%s", report->to) ?:
	     add_uevent_var(env, "TIFFIN_REASON=%s", reason);
	tiffin_event_send(&scope->kobj, env, rc);
	kfree(env);
}
