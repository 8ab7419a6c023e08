// SPDX-License-Identifier: GPL-2.0-only
/* Texts that may be longer than a page; see text.h. */

#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "core/text.h"

/**
 * struct tiffin_kept - a text, and for whom it is kept
 * @list: of all such, the one not used for longest first
 * @file: the reader's; to be compared only
 * @attr: of the file in sysfs
 * @kobj: in whose folder that is; to be compared only, as @attr, which policies share
 * @user: who opened it
 * @used: jiffies when something was taken of it
 * @text: as it was made
 */
struct tiffin_kept {
	struct list_head list;
	const struct file *file;
	const struct bin_attribute *attr;
	const struct kobject *kobj;
	kuid_t user;
	unsigned long used;
	struct tiffin_text text;
};

#define TIFFIN_TEXT_CUT		"cut: the text is longer than this file can be\n"
#define TIFFIN_TEXT_ROOM	(TIFFIN_TEXT_MAX + sizeof(TIFFIN_TEXT_CUT))

/* Nothing is made under it: what make() waits for would be waited for by readers of other files. */
static DEFINE_MUTEX(tiffin_texts_lock);
static LIST_HEAD(tiffin_texts);

static void tiffin_texts_age(struct work_struct *work);
static DECLARE_DELAYED_WORK(tiffin_texts_aging, tiffin_texts_age);

void tiffin_text_add(struct tiffin_text *text, const char *fmt, ...)
{
	size_t left = text->len < text->room ? text->room - text->len : 0;
	va_list args;

	va_start(args, fmt);
	text->len += vsnprintf(left ? text->buf + text->len : NULL, left, fmt, args);
	va_end(args);
}
EXPORT_SYMBOL_NS_GPL(tiffin_text_add, TIFFIN);

/* What did not fit is said in place of the line that it belongs to. */
static void tiffin_text_cut(struct tiffin_text *text)
{
	text->len = TIFFIN_TEXT_MAX;
	while (text->len && text->buf[text->len - 1] != '\n')
		text->len--;
	memcpy(text->buf + text->len, TIFFIN_TEXT_CUT, sizeof(TIFFIN_TEXT_CUT) - 1);
	text->len += sizeof(TIFFIN_TEXT_CUT) - 1;
}

/*
 * The text as it is now. Its locks are make()'s, and a rescue may be waiting for one of them:
 * memory is taken beforehand, and again, where it was too little, when they are free.
 */
static int tiffin_text_make(struct tiffin_text *text, struct tiffin_text_file *of,
			    struct kobject *kobj)
{
	size_t room = PAGE_SIZE;

	for (;;) {
		text->buf = kvmalloc(room, GFP_KERNEL);
		if (!text->buf)
			return -ENOMEM;
		text->room = room;
		text->len = 0;
		of->make(kobj, text);
		if (text->len < room || room == TIFFIN_TEXT_ROOM)
			break;
		kvfree(text->buf);
		/* It may have grown until the next time. */
		room = min_t(size_t, text->len + text->len / 8 + 1, TIFFIN_TEXT_ROOM);
	}
	if (text->len > TIFFIN_TEXT_MAX)
		tiffin_text_cut(text);
	return 0;
}

static void tiffin_kept_free(struct tiffin_kept *kept)
{
	kvfree(kept->text.buf);
	kfree(kept);
}

/* The text as it is now, for a reader that begins. */
static struct tiffin_kept *tiffin_kept_make(const struct file *file, struct kobject *kobj,
					    struct bin_attribute *attr)
{
	struct tiffin_text_file *of = container_of(attr, struct tiffin_text_file, attr);
	struct tiffin_kept *kept = kzalloc(sizeof(*kept), GFP_KERNEL);
	int err;

	if (!kept)
		return ERR_PTR(-ENOMEM);
	kept->file = file;
	kept->attr = attr;
	kept->kobj = kobj;
	kept->user = file->f_cred->fsuid;
	err = tiffin_text_make(&kept->text, of, kobj);
	if (err) {
		tiffin_kept_free(kept);
		return ERR_PTR(err);
	}
	return kept;
}

static bool tiffin_kept_is_of(const struct tiffin_kept *kept, const struct kobject *kobj,
			      const struct bin_attribute *attr)
{
	return kept->kobj == kobj && kept->attr == attr;
}

static struct tiffin_kept *tiffin_kept_find(const struct file *file, const struct kobject *kobj,
					    const struct bin_attribute *attr)
{
	struct tiffin_kept *kept;

	lockdep_assert_held(&tiffin_texts_lock);
	list_for_each_entry(kept, &tiffin_texts, list)
		if (kept->file == file && tiffin_kept_is_of(kept, kobj, attr))
			return kept;
	return NULL;
}

static void tiffin_kept_drop(struct tiffin_kept *kept)
{
	lockdep_assert_held(&tiffin_texts_lock);
	list_del(&kept->list);
	tiffin_kept_free(kept);
}

/*
 * The text not used for longest: of that user and file, where there are too many or too large ones;
 * of all, where all are too large.
 */
static struct tiffin_kept *tiffin_kept_excess(const struct tiffin_kept *fresh)
{
	size_t same = fresh->text.len, all = fresh->text.len;
	struct tiffin_kept *kept, *first = NULL;
	unsigned int nr = 0;

	lockdep_assert_held(&tiffin_texts_lock);
	list_for_each_entry(kept, &tiffin_texts, list) {
		all += kept->text.len;
		if (!tiffin_kept_is_of(kept, fresh->kobj, fresh->attr) ||
		    !uid_eq(kept->user, fresh->user))
			continue;
		first = first ?: kept;
		same += kept->text.len;
		nr++;
	}
	if (nr >= TIFFIN_TEXT_READERS || same > TIFFIN_TEXT_KEPT)
		return first;
	if (all > TIFFIN_TEXT_ALL)
		return list_first_entry(&tiffin_texts, struct tiffin_kept, list);
	return NULL;
}

/* In place of what the reader had. */
static void tiffin_kept_add(struct tiffin_kept *fresh)
{
	struct tiffin_kept *kept = tiffin_kept_find(fresh->file, fresh->kobj, fresh->attr);

	if (kept)
		tiffin_kept_drop(kept);
	while ((kept = tiffin_kept_excess(fresh)))
		tiffin_kept_drop(kept);
	list_add_tail(&fresh->list, &tiffin_texts);
}

ssize_t tiffin_text_read(struct file *file, struct kobject *kobj, struct bin_attribute *attr,
			 char *buf, loff_t pos, size_t count)
{
	struct tiffin_kept *kept, *fresh = NULL;
	ssize_t len = -ESTALE;

	if (!pos) {
		fresh = tiffin_kept_make(file, kobj, attr);
		if (IS_ERR(fresh))
			return PTR_ERR(fresh);
	}
	mutex_lock(&tiffin_texts_lock);
	if (fresh)
		tiffin_kept_add(fresh);
	kept = tiffin_kept_find(file, kobj, attr);
	if (kept) {
		kept->used = jiffies;
		list_move_tail(&kept->list, &tiffin_texts);
		len = memory_read_from_buffer(buf, count, &pos, kept->text.buf, kept->text.len);
		schedule_delayed_work(&tiffin_texts_aging, msecs_to_jiffies(TIFFIN_TEXT_IDLE_MS));
	}
	mutex_unlock(&tiffin_texts_lock);
	return len;
}
EXPORT_SYMBOL_NS_GPL(tiffin_text_read, TIFFIN);

static void tiffin_texts_age(struct work_struct *work)
{
	const unsigned long idle = msecs_to_jiffies(TIFFIN_TEXT_IDLE_MS);
	struct tiffin_kept *kept;

	mutex_lock(&tiffin_texts_lock);
	while ((kept = list_first_entry_or_null(&tiffin_texts, struct tiffin_kept, list))) {
		if (time_before(jiffies, kept->used + idle)) {
			schedule_delayed_work(&tiffin_texts_aging, kept->used + idle - jiffies);
			break;
		}
		tiffin_kept_drop(kept);
	}
	mutex_unlock(&tiffin_texts_lock);
}

void tiffin_texts_exit(void)
{
	struct tiffin_kept *kept, *next;

	cancel_delayed_work_sync(&tiffin_texts_aging);
	mutex_lock(&tiffin_texts_lock);
	list_for_each_entry_safe(kept, next, &tiffin_texts, list)
		tiffin_kept_drop(kept);
	mutex_unlock(&tiffin_texts_lock);
}
