// SPDX-License-Identifier: GPL-2.0-only
/* Texts that may be longer than a page; see text.h. */

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
 * @attr: the file in sysfs
 * @used: jiffies when something was taken of it
 * @text: as it was made
 */
struct tiffin_kept {
	struct list_head list;
	const struct file *file;
	const struct bin_attribute *attr;
	unsigned long used;
	struct tiffin_text text;
};

/* Nothing is made under it: what make() waits for would be waited for by readers of other files. */
static DEFINE_MUTEX(tiffin_texts_lock);
static LIST_HEAD(tiffin_texts);

static void tiffin_texts_age(struct work_struct *work);
static DECLARE_DELAYED_WORK(tiffin_texts_aging, tiffin_texts_age);

static bool tiffin_text_grow(struct tiffin_text *text, size_t least)
{
	size_t room = max_t(size_t, least, text->room ? 2 * text->room : PAGE_SIZE);
	char *buf = kvmalloc(room, GFP_KERNEL);

	if (!buf) {
		text->err = -ENOMEM;
		return false;
	}
	if (text->len)
		memcpy(buf, text->buf, text->len);
	kvfree(text->buf);
	text->buf = buf;
	text->room = room;
	return true;
}

void tiffin_text_add(struct tiffin_text *text, const char *fmt, ...)
{
	va_list args;
	size_t len;

	if (text->err || text->cut)
		return;
	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (text->len + len > TIFFIN_TEXT_MAX) {
		text->cut = true;
		return;
	}
	/* With the end of the string, that is not part of the text. */
	if (text->len + len >= text->room && !tiffin_text_grow(text, text->len + len + 1))
		return;
	va_start(args, fmt);
	text->len += vscnprintf(text->buf + text->len, text->room - text->len, fmt, args);
	va_end(args);
}
EXPORT_SYMBOL_NS_GPL(tiffin_text_add, TIFFIN);

/* What did not fit is said in place of the line that it belongs to. */
static void tiffin_text_say_cut(struct tiffin_text *text)
{
	static const char said[] = "cut: the text is longer than this file can be\n";

	while (text->len && text->buf[text->len - 1] != '\n')
		text->len--;
	if (text->room - text->len < sizeof(said) &&
	    !tiffin_text_grow(text, text->len + sizeof(said)))
		return;
	memcpy(text->buf + text->len, said, sizeof(said) - 1);
	text->len += sizeof(said) - 1;
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
	of->make(kobj, &kept->text);
	if (kept->text.cut)
		tiffin_text_say_cut(&kept->text);
	err = kept->text.err;
	if (err) {
		tiffin_kept_free(kept);
		return ERR_PTR(err);
	}
	return kept;
}

static struct tiffin_kept *tiffin_kept_find(const struct file *file,
					    const struct bin_attribute *attr)
{
	struct tiffin_kept *kept;

	lockdep_assert_held(&tiffin_texts_lock);
	list_for_each_entry(kept, &tiffin_texts, list)
		if (kept->file == file && kept->attr == attr)
			return kept;
	return NULL;
}

static void tiffin_kept_drop(struct tiffin_kept *kept)
{
	lockdep_assert_held(&tiffin_texts_lock);
	list_del(&kept->list);
	tiffin_kept_free(kept);
}

/* The text not used for longest of that file, where there are too many or too large ones. */
static struct tiffin_kept *tiffin_kept_excess(const struct bin_attribute *attr, size_t more)
{
	struct tiffin_kept *kept, *first = NULL;
	unsigned int nr = 0;

	lockdep_assert_held(&tiffin_texts_lock);
	list_for_each_entry(kept, &tiffin_texts, list)
		if (kept->attr == attr) {
			first = first ?: kept;
			more += kept->text.room;
			nr++;
		}
	return nr >= TIFFIN_TEXT_READERS || more > TIFFIN_TEXT_KEPT ? first : NULL;
}

/* In place of what the reader had. */
static void tiffin_kept_add(struct tiffin_kept *fresh)
{
	struct tiffin_kept *kept = tiffin_kept_find(fresh->file, fresh->attr);

	if (kept)
		tiffin_kept_drop(kept);
	while ((kept = tiffin_kept_excess(fresh->attr, fresh->text.room)))
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
	kept = tiffin_kept_find(file, attr);
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
