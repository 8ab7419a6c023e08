// SPDX-License-Identifier: GPL-2.0-only
/* /sys/kernel/tiffin/<family>/scopes/<scope>: the active policy, and the swap. */

#include <linux/ctype.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "core/scope.h"
#include "core/sysfs.h"

static ssize_t active_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return tiffin_scope_active_id(to_tiffin_scope(kobj), buf);
}

/* Run a request given as text. */
static int tiffin_scope_swap_text(struct tiffin_scope *scope, const char *buf, size_t len)
{
	struct tiffin_swap_request *req;
	const char *c;
	char *text;
	int rc;

	/* sysfs cuts a long write into several; half a request must not be carried out. */
	if (len >= PAGE_SIZE)
		return tiffin_refuse(scope, -EINVAL, "a request is one short line");
	for (c = buf; *c; c++)
		if (!isascii(*c) || (!isprint(*c) && !isspace(*c)))
			return tiffin_refuse(scope, -EINVAL, "a request is plain text");
	req = kzalloc(sizeof(*req), GFP_KERNEL);
	text = kstrdup(buf, GFP_KERNEL);

	if (req && text)
		rc = tiffin_swap_parse(scope, text, req) ?: tiffin_swap_request(scope, req);
	else
		/* Else the scope's error would go on telling of an earlier request. */
		rc = tiffin_refuse(scope, -ENOMEM, "no memory for a request; nothing has changed");
	kfree(text);
	kfree(req);
	return rc;
}

static ssize_t active_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			    size_t len)
{
	struct tiffin_scope *scope = to_tiffin_scope(kobj);
	const char *name = skip_spaces(buf);
	int rc = tiffin_may_write();

	if (rc)
		return rc;
	if (*skip_spaces(name + strcspn(name, " \t\n")))
		return tiffin_refuse(scope, -EINVAL,
				     "active takes a policy's name alone; write options to swap");
	return tiffin_scope_swap_text(scope, buf, len) ?: len;
}

static ssize_t swap_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			  size_t len)
{
	return tiffin_may_write() ?: tiffin_scope_swap_text(to_tiffin_scope(kobj), buf, len) ?: len;
}

/* Files that take only "1". */
static int tiffin_scope_take_one(struct tiffin_scope *scope, const char *buf)
{
	return tiffin_may_write() ?:
	       sysfs_streq(buf, "1") ? 0 : tiffin_refuse(scope, -EINVAL, "write 1");
}

static ssize_t rollback_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			      size_t len)
{
	struct tiffin_scope *scope = to_tiffin_scope(kobj);

	return tiffin_scope_take_one(scope, buf) ?: tiffin_swap_rollback(scope) ?: len;
}

static ssize_t commit_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			    size_t len)
{
	struct tiffin_scope *scope = to_tiffin_scope(kobj);

	return tiffin_scope_take_one(scope, buf) ?: tiffin_swap_commit(scope) ?: len;
}

static ssize_t reset_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			   size_t len)
{
	struct tiffin_scope *scope = to_tiffin_scope(kobj);

	return tiffin_scope_take_one(scope, buf) ?: tiffin_swap_reset_times(scope) ?: len;
}

static ssize_t previous_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	struct tiffin_swap *swap = &to_tiffin_scope(kobj)->swap;
	ssize_t len;

	/* What a rollback brings back; on probation that is the policy that the swap replaced. */
	mutex_lock(&swap->text_lock);
	len = sysfs_emit(buf, "%s\n", READ_ONCE(swap->state) == TIFFIN_PROBATION ?
			 swap->report.from : swap->previous_id);
	mutex_unlock(&swap->text_lock);
	return len;
}

static ssize_t state_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	struct tiffin_swap *swap = &to_tiffin_scope(kobj)->swap;

	return sysfs_emit(buf, "%s\n", tiffin_swap_state_name(READ_ONCE(swap->state)));
}

static ssize_t error_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	struct tiffin_swap *swap = &to_tiffin_scope(kobj)->swap;
	ssize_t len;

	mutex_lock(&swap->text_lock);
	len = sysfs_emit(buf, "%s\n", swap->error);
	mutex_unlock(&swap->text_lock);
	return len;
}

static ssize_t last_swap_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	struct tiffin_swap *swap = &to_tiffin_scope(kobj)->swap;
	const struct tiffin_swap_report *report = &swap->report;
	ssize_t len;

	mutex_lock(&swap->text_lock);
	len = sysfs_emit(buf,
			 "id %llu\nfrom %s\nto %s\nresult %s\nreason %s\nattempts %u\n"
			 "prepare_ns %llu\nclose_ns %llu\ntotal_ns %llu\nheld_up_by %s\n"
			 "back_attempts %u\nback_close_ns %llu\n",
			 report->id, report->from, report->to, report->result, report->reason,
			 report->flip.attempts, report->prepare_ns, report->flip.close_ns,
			 report->total_ns, report->held_up_by, report->back.attempts,
			 report->back.close_ns);
	mutex_unlock(&swap->text_lock);
	return len;
}

static ssize_t tiffin_emit_times(char *buf, ssize_t len, const char *what,
				 struct tiffin_hist __percpu *hist, struct tiffin_hist_sum *sum)
{
	tiffin_hist_read(hist, sum);
	return sysfs_emit_at(buf, len, "%s_samples %llu\n%s_p50_ns %llu\n%s_p99_ns %llu\n%s_max_ns %llu\n",
			     what, sum->total, what, tiffin_hist_percentile(sum, 500), what,
			     tiffin_hist_percentile(sum, 990), what, sum->max);
}

static ssize_t stats_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	struct tiffin_scope *scope = to_tiffin_scope(kobj);
	struct tiffin_hist_sum *sum = kmalloc(sizeof(*sum), GFP_KERNEL);
	struct tiffin_swap *swap = &scope->swap;
	struct tiffin_figures f;
	ssize_t len;

	if (!sum)
		return -ENOMEM;
	tiffin_figures_read(scope, &f);
	mutex_lock(&swap->text_lock);
	len = sysfs_emit(buf, "epoch %llu\nswaps %llu\ncommits %llu\nrollbacks %llu\nfailures %llu\n",
			 READ_ONCE(scope->gate.epoch), swap->swaps, swap->commits,
			 swap->rollbacks, swap->failures);
	mutex_unlock(&swap->text_lock);
	len += sysfs_emit_at(buf, len,
			     "calls %llu\nanswered %llu\nstock %llu\ncontinuity %llu\n"
			     "continuity_gate %llu\ncontinuity_busy %llu\n"
			     "continuity_fault %llu\nbad_answers %llu\n"
			     "overlapped %llu\nheld %llu\n",
			     f.calls, f.answered, f.stock, tiffin_figures_continuity(&f),
			     f.continuity_gate, f.continuity_busy, f.continuity_fault,
			     f.bad_answers, f.overlapped, f.held);
	len += tiffin_emit_times(buf, len, "hold", scope->hold_hist, sum);
	len += tiffin_emit_times(buf, len, "hook", scope->hook_hist, sum);
	kfree(sum);
	return len;
}

static ssize_t stores_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return tiffin_sysfs_scope_stores(to_tiffin_scope(kobj), buf);
}

static ssize_t lists_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return tiffin_scope_lists(to_tiffin_scope(kobj), buf);
}

static struct kobj_attribute scope_attr_active = __ATTR_RW(active);
static struct kobj_attribute scope_attr_swap = __ATTR_WO(swap);
static struct kobj_attribute scope_attr_rollback = __ATTR_WO(rollback);
static struct kobj_attribute scope_attr_commit = __ATTR_WO(commit);
static struct kobj_attribute scope_attr_reset = __ATTR_WO(reset);
static struct kobj_attribute scope_attr_previous = __ATTR_RO(previous);
static struct kobj_attribute scope_attr_state = __ATTR_RO(state);
static struct kobj_attribute scope_attr_error = __ATTR_RO_MODE(error, 0400);
static struct kobj_attribute scope_attr_last_swap = __ATTR_RO(last_swap);
static struct kobj_attribute scope_attr_stats = __ATTR_RO(stats);
static struct kobj_attribute scope_attr_stores = __ATTR_RO(stores);
static struct kobj_attribute scope_attr_lists = __ATTR_RO(lists);

static struct attribute *tiffin_scope_attrs[] = {
	&scope_attr_active.attr,
	&scope_attr_swap.attr,
	&scope_attr_rollback.attr,
	&scope_attr_commit.attr,
	&scope_attr_reset.attr,
	&scope_attr_previous.attr,
	&scope_attr_state.attr,
	&scope_attr_error.attr,
	&scope_attr_last_swap.attr,
	&scope_attr_stats.attr,
	&scope_attr_stores.attr,
	&scope_attr_lists.attr,
	NULL,
};
ATTRIBUTE_GROUPS(tiffin_scope);

static void tiffin_scope_kobj_release(struct kobject *kobj)
{
	tiffin_kobj_free(to_tiffin_scope(kobj));
}

const struct kobj_type tiffin_scope_ktype = {
	.release = tiffin_scope_kobj_release,
	.sysfs_ops = &kobj_sysfs_ops,
	.default_groups = tiffin_scope_groups,
};

int tiffin_sysfs_add_scope(struct tiffin_scope *scope)
{
	return kobject_add(&scope->kobj, scope->family->scopes_kobj, "%s", scope->name);
}

void tiffin_sysfs_del_scope(struct tiffin_scope *scope)
{
	kobject_del(&scope->kobj);
}
