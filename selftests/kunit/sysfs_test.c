// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/tiffin as user space sees it: files are opened, read and written through the VFS, in
 * a mount of sysfs that belongs to the test.
 */
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mount.h>

#include "core/quarantine.h"
#include "core/version.h"
#include "lab_kunit.h"

#define SCOPE	"lab/scopes/default/"
#define ALPHA	"policies/alpha-1.0+b1/"

struct files_test {
	struct lab lab;			/* first: test->priv is the lab */
	struct vfsmount *mnt;
	char text[PAGE_SIZE + 1];
};

static void files_test_exit(struct kunit *test)
{
	struct files_test *st = test->priv;

	lab_stop(&st->lab);
	if (!IS_ERR_OR_NULL(st->mnt))
		kern_unmount(st->mnt);
}

static int files_test_init(struct kunit *test)
{
	struct files_test *st = kunit_kzalloc(test, sizeof(*st), GFP_KERNEL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, st);
	test->priv = st;
	st->mnt = kern_mount(get_fs_type("sysfs"));
	if (IS_ERR(st->mnt))
		return PTR_ERR(st->mnt);
	return lab_start(&st->lab);
}

static struct file *files_open(struct kunit *test, const char *name, int flags)
{
	struct files_test *st = test->priv;
	struct path root = { .mnt = st->mnt, .dentry = st->mnt->mnt_root };
	char path[128];

	snprintf(path, sizeof(path), "kernel/tiffin/%s", name);
	return file_open_root(&root, path, flags, 0);
}

/* What a file holds, without its last newline; valid up to the next reading. */
static const char *files_text(struct kunit *test, const char *name)
{
	struct files_test *st = test->priv;
	struct file *file = files_open(test, name, O_RDONLY);
	ssize_t len;
	loff_t pos = 0;

	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(file), "no file %s", name);
	len = kernel_read(file, st->text, PAGE_SIZE, &pos);
	fput(file);
	KUNIT_ASSERT_GE_MSG(test, len, 0, "%s can't be read", name);
	if (len && st->text[len - 1] == '\n')
		len--;
	st->text[len] = '\0';
	return st->text;
}

static int files_write(struct kunit *test, const char *name, const char *text)
{
	struct file *file = files_open(test, name, O_WRONLY);
	ssize_t len;
	loff_t pos = 0;

	if (IS_ERR(file))
		return PTR_ERR(file);
	len = kernel_write(file, text, strlen(text), &pos);
	fput(file);
	if (len >= 0)
		KUNIT_EXPECT_EQ_MSG(test, len, strlen(text), "%s was taken in part", name);
	return len < 0 ? len : 0;
}

#define EXPECT_TEXT(test, name, text)							\
	KUNIT_EXPECT_STREQ_MSG(test, files_text(test, name), text, "%s", name)
#define EXPECT_PUT(test, name, text, rc)						\
	KUNIT_EXPECT_EQ_MSG(test, files_write(test, name, text), rc, "%s <- %s", name, text)

/* The value of a line "key value" of a file. */
static const char *files_value(struct kunit *test, const char *name, const char *key)
{
	const char *text = files_text(test, name);
	size_t len = strlen(key);
	char *end;

	for (; *text; text += strcspn(text, "\n"), text += *text == '\n')
		if (!strncmp(text, key, len) && text[len] == ' ') {
			end = strchr(text, '\n');
			if (end)
				*end = '\0';
			return text + len + 1;
		}
	KUNIT_FAIL(test, "%s has no line '%s'", name, key);
	return "";
}

#define EXPECT_VALUE(test, name, key, text)						\
	KUNIT_EXPECT_STREQ_MSG(test, files_value(test, name, key), text, "%s: %s", name, key)

static void sysfs_root(struct kunit *test)
{
	EXPECT_TEXT(test, "version", TIFFIN_VERSION);
	EXPECT_TEXT(test, "abi", "1.1");
	EXPECT_PUT(test, "version", "2", -EACCES);
}

static void sysfs_last_error(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, lab_load(test->priv, LAB_ALPHA), -EEXIST);
	EXPECT_TEXT(test, "last_error", "alpha-1.0+b1 refused: it is loaded already");
}

/* The ring outlives what it tells of: other suites may have filled it. */
static void sysfs_faults(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct file *file = files_open(test, "faults", O_RDONLY);
	const char *line;
	int i;

	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	KUNIT_EXPECT_EQ(test, file_inode(file)->i_mode & 0777, 0400);
	fput(file);
	EXPECT_PUT(test, "faults", "", -EACCES);
	EXPECT_TEXT(test, ALPHA "state", "loaded");
	lab_quarantine(lab, lab_loaded(lab, LAB_ALPHA), "the lab's fault");
	EXPECT_TEXT(test, ALPHA "state", "quarantined");
	line = strrchr(files_text(test, "faults"), '\n');
	line = line ? line + 1 : files_text(test, "faults");
	LAB_EXPECT_SAYS(test, line, " lab alpha-1.0+b1 CPU ");
	LAB_EXPECT_SAYS(test, line, ": the lab's fault at lab_ask+0x10");
	/* Sixteen of the longest fit into the file. */
	for (i = 0; i < TIFFIN_FAULTS; i++)
		lab_quarantine(lab, lab_loaded(lab, LAB_ALPHA), "what takes many words to be told");
	line = files_text(test, "faults");
	for (i = 1; strchr(line, '\n'); i++)
		line = strchr(line, '\n') + 1;
	KUNIT_EXPECT_EQ(test, i, TIFFIN_FAULTS);
	LAB_EXPECT_SAYS(test, line, "told at lab_ask+0x10");
}

static void sysfs_family(struct kunit *test)
{
	struct lab *lab = test->priv;

	EXPECT_TEXT(test, "lab/abi", "2.1");
	EXPECT_TEXT(test, "lab/available",
		    "default\nlambda-1.0+b1\nkappa-1.0+b1\nsigma-1.0+b1\ndelta-1.0+b1\nbare-1.0+b1\ngamma-1.0+b1\nbeta-1.0+b1\nalpha-1.0+b1");
	lab->figure[LAB_TICKS] = 42;
	lab->figure[LAB_LEVEL] = U64_MAX;
	EXPECT_TEXT(test, "lab/figures/ticks", "42");
	EXPECT_TEXT(test, "lab/figures/level", "18446744073709551615");
	lab_unload(lab, LAB_GAMMA);
	EXPECT_TEXT(test, "lab/available",
		    "default\nlambda-1.0+b1\nkappa-1.0+b1\nsigma-1.0+b1\ndelta-1.0+b1\nbare-1.0+b1\nbeta-1.0+b1\nalpha-1.0+b1");
}

#define WORDS	"what this one counts takes so many words that all together take more than a page"

/* What does not fit into a page has no end missing, however it is read. */
static void sysfs_long_text(struct kunit *test)
{
	const size_t room = 4 * PAGE_SIZE;
	struct tiffin_counter *counter = kunit_kcalloc(test, TIFFIN_MAX_COUNTERS, sizeof(*counter),
						       GFP_KERNEL);
	struct tiffin_policy *wordy = kunit_kzalloc(test, sizeof(*wordy), GFP_KERNEL);
	char *want = kunit_kzalloc(test, room, GFP_KERNEL);
	char *got = kunit_kzalloc(test, room, GFP_KERNEL);
	struct file *file;
	size_t len = 0;
	ssize_t taken;
	loff_t pos = 0;
	int i;

	KUNIT_ASSERT_TRUE(test, counter && wordy && want && got);
	for (i = 0; i < TIFFIN_MAX_COUNTERS; i++) {
		char *name = kunit_kzalloc(test, TIFFIN_NAME_LEN, GFP_KERNEL);

		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, name);
		snprintf(name, TIFFIN_NAME_LEN, "counter_%d", i);
		counter[i] = (struct tiffin_counter) { name, WORDS };
		len += scnprintf(want + len, room - len, "%s %s\n", name, WORDS);
	}
	KUNIT_ASSERT_GT(test, len, PAGE_SIZE);
	*wordy = lab_policy[LAB_BARE];
	strscpy(wordy->name, "wordy", sizeof(wordy->name));
	wordy->counters = counter;
	wordy->nr_counters = TIFFIN_MAX_COUNTERS;
	wordy->counter_stride = sizeof(*counter);
	KUNIT_ASSERT_EQ(test, 0, tiffin_policy_register((const void *)wordy, THIS_MODULE,
							LAB_BUILD));
	file = files_open(test, "policies/wordy-1.0+b1/counters_info", O_RDONLY);
	if (!IS_ERR(file)) {
		while ((taken = kernel_read(file, got + pos, 1000, &pos)) > 0)
			;
		KUNIT_EXPECT_EQ(test, taken, 0);
		fput(file);
	}
	tiffin_policy_unregister((const void *)wordy);
	KUNIT_EXPECT_STREQ(test, got, want);
}

static void sysfs_limits(struct kunit *test)
{
	struct lab *lab = test->priv;

	EXPECT_TEXT(test, "lab/limits/hold_ns", "5000");
	EXPECT_TEXT(test, "lab/limits/close_us", "50");
	EXPECT_TEXT(test, "lab/limits/timeout_ms", "5000");
	EXPECT_TEXT(test, "lab/limits/probation_ms", "0");
	/* A share of the machine's memory. */
	KUNIT_EXPECT_EQ(test, lab->family.limits.stores_kib,
			totalram_pages() * (PAGE_SIZE / 1024) / 64);
	KUNIT_EXPECT_GT(test, lab->family.limits.stores_kib, 0);

	EXPECT_PUT(test, "lab/limits/hold_ns", "1000000\n", 0);
	EXPECT_PUT(test, "lab/limits/close_us", "10000", 0);
	EXPECT_PUT(test, "lab/limits/timeout_ms", "1", 0);
	EXPECT_PUT(test, "lab/limits/probation_ms", "86400000", 0);
	KUNIT_EXPECT_EQ(test, lab->family.limits.hold_ns, 1000000);
	KUNIT_EXPECT_EQ(test, lab->family.limits.close_us, 10000);
	KUNIT_EXPECT_EQ(test, lab->family.limits.timeout_ms, 1);
	KUNIT_EXPECT_EQ(test, lab->family.limits.probation_ms, 86400000);

	EXPECT_PUT(test, "lab/limits/stores_kib", "1", 0);
	EXPECT_TEXT(test, "lab/limits/stores_kib", "1");
	EXPECT_PUT(test, "lab/limits/stores_kib", "4294967295", 0);
	KUNIT_EXPECT_EQ(test, lab->family.limits.stores_kib, U32_MAX);
	EXPECT_PUT(test, "lab/limits/stores_kib", "0", -ERANGE);
	EXPECT_PUT(test, "lab/limits/stores_kib", "4294967296", -ERANGE);
	EXPECT_TEXT(test, "lab/limits/stores_kib", "4294967295");

	EXPECT_PUT(test, "lab/limits/hold_ns", "1000001", -ERANGE);
	EXPECT_PUT(test, "lab/limits/close_us", "0", -ERANGE);
	EXPECT_PUT(test, "lab/limits/close_us", "10001", -ERANGE);
	EXPECT_PUT(test, "lab/limits/timeout_ms", "0", -ERANGE);
	EXPECT_PUT(test, "lab/limits/timeout_ms", "600001", -ERANGE);
	EXPECT_PUT(test, "lab/limits/probation_ms", "86400001", -ERANGE);
	EXPECT_PUT(test, "lab/limits/probation_ms", "long", -EINVAL);
	EXPECT_PUT(test, "lab/limits/probation_ms", "-1", -EINVAL);
	EXPECT_TEXT(test, "lab/limits/hold_ns", "1000000");
	EXPECT_TEXT(test, "lab/limits/close_us", "10000");
	EXPECT_TEXT(test, "lab/limits/timeout_ms", "1");
	EXPECT_TEXT(test, "lab/limits/probation_ms", "86400000");
}

static void sysfs_policy(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct lab_out out;

	EXPECT_TEXT(test, ALPHA "name", "alpha");
	EXPECT_TEXT(test, ALPHA "version", "1.0");
	EXPECT_TEXT(test, ALPHA "build", "b1");
	EXPECT_TEXT(test, ALPHA "family", "lab");
	EXPECT_TEXT(test, ALPHA "abi", "2.1");
	EXPECT_TEXT(test, ALPHA "module", module_name(THIS_MODULE));
	EXPECT_TEXT(test, ALPHA "doc", "the first");
	EXPECT_TEXT(test, "policies/beta-1.0+b1/doc", "");
	EXPECT_TEXT(test, ALPHA "counters_info", "asked questions answered\nfresh ");
	EXPECT_TEXT(test, ALPHA "stores",
		    "instance lab_all 1 atomic 16\nper_cpu lab_cpu 1 cpu 16\nobject lab_flow 1 locked 16");
	EXPECT_TEXT(test, "policies/bare-1.0+b1/stores", "");

	EXPECT_TEXT(test, ALPHA "state", "loaded");
	EXPECT_TEXT(test, ALPHA "instances", "0");
	EXPECT_PUT(test, SCOPE "active", "alpha", 0);
	EXPECT_TEXT(test, ALPHA "state", "active");
	EXPECT_TEXT(test, ALPHA "instances", "1");
	lab_ask(lab, LAB_ASK, 1, &out);
	lab_ask(lab, LAB_ASK, 1, &out);
	EXPECT_TEXT(test, ALPHA "counters/asked", "2");
	EXPECT_TEXT(test, ALPHA "counters/fresh", "1");
	EXPECT_PUT(test, ALPHA "counters/asked", "0", -EACCES);
	EXPECT_PUT(test, SCOPE "swap", "beta probation_ms=86400000", 0);
	EXPECT_TEXT(test, ALPHA "state", "previous");
	EXPECT_TEXT(test, "policies/beta-1.0+b1/state", "probation");
	EXPECT_PUT(test, SCOPE "commit", "1", 0);
	EXPECT_TEXT(test, ALPHA "state", "loaded");
	EXPECT_TEXT(test, ALPHA "instances", "0");
	EXPECT_TEXT(test, "policies/beta-1.0+b1/state", "active");

	lab_unload(lab, LAB_ALPHA);
	KUNIT_EXPECT_EQ(test, PTR_ERR(files_open(test, ALPHA "name", O_RDONLY)), -ENOENT);
}

/* What a store takes, with its description. */
#define SIZED(bytes)	((bytes) + sizeof(struct tiffin_store_mem))

#define EXPECT_TABLE(test, name, fmt, ...)						\
do {											\
	char *table = kunit_kzalloc(test, 512, GFP_KERNEL);				\
											\
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, table);					\
	scnprintf(table, 512, fmt, ##__VA_ARGS__);					\
	EXPECT_TEXT(test, name, table);							\
} while (0)

static void sysfs_stores(struct kunit *test)
{
	unsigned int cpus = num_possible_cpus();
	struct lab *lab = test->priv;
	struct lab_out out;

	EXPECT_TEXT(test, "lab/stores_bytes", "0");
	EXPECT_TEXT(test, SCOPE "stores", "");
	EXPECT_TEXT(test, "policies/bare-1.0+b1/stores_info", "");
	EXPECT_TEXT(test, "policies/bare-1.0+b1/handover", "");
	EXPECT_TABLE(test, ALPHA "stores_info",
		     "instance live no 1 %zu\nper_cpu live no %u %zu\nobject live no 16 %zu",
		     SIZED(16), cpus, SIZED(16 * cpus), SIZED(PAGE_SIZE));
	EXPECT_TABLE(test, "policies/delta-1.0+b1/stores_info",
		     "instance live yes 1 %zu\nper_cpu live yes %u %zu\nobject live yes 16 %zu",
		     SIZED(24), cpus, SIZED(24 * cpus), SIZED(PAGE_SIZE));
	EXPECT_TABLE(test, "policies/sigma-1.0+b1/stores_info",
		     "instance snapshot no 1 %zu\nper_cpu zeros no %u %zu\nobject zeros no 16 %zu",
		     SIZED(16), cpus, SIZED(16 * cpus), SIZED(PAGE_SIZE));
	/* After the built-in default all starts from zeros, and nothing comes back. */
	EXPECT_TABLE(test, ALPHA "handover",
		     "default instance zeros none %zu\ndefault per_cpu zeros none %zu\ndefault object zeros none %zu",
		     SIZED(16), SIZED(16 * cpus), SIZED(PAGE_SIZE));

	EXPECT_PUT(test, SCOPE "active", "sigma", 0);
	lab_ask(lab, LAB_ASK, 1, &out);
	EXPECT_TABLE(test, "lab/stores_bytes", "%zu",
		     SIZED(16) + SIZED(16 * cpus) + SIZED(PAGE_SIZE));
	EXPECT_TABLE(test, SCOPE "stores",
		     "instance lab_all 1 atomic 16 1 %zu 0 0\nper_cpu lab_cpu 1 cpu 16 %u %zu 0 0\nobject lab_flow 1 locked 16 16 %zu 0 0",
		     SIZED(16), cpus, SIZED(16 * cpus), SIZED(PAGE_SIZE));
	EXPECT_PUT(test, SCOPE "stores", "1", -EACCES);
	EXPECT_TEXT(test, "policies/sigma-1.0+b1/handover", "");
	/* What sigma wants back costs memory: the bytes of a snapshot, objects to start anew. */
	EXPECT_TABLE(test, ALPHA "handover",
		     "default instance reference snapshot 16\ndefault per_cpu reference zeros 0\ndefault object reference zeros %zu",
		     SIZED(PAGE_SIZE));
	EXPECT_TABLE(test, "policies/delta-1.0+b1/handover",
		     "default instance convert kept %zu\ndefault per_cpu convert kept %zu\ndefault object convert kept %zu",
		     SIZED(24), SIZED(24 * cpus), SIZED(PAGE_SIZE));
	EXPECT_TABLE(test, "policies/gamma-1.0+b1/handover",
		     "default instance zeros kept %zu\ndefault per_cpu zeros kept %zu\ndefault object zeros kept %zu",
		     SIZED(8), SIZED(16 * cpus), SIZED(PAGE_SIZE));
	EXPECT_TEXT(test, "policies/bare-1.0+b1/handover", "");
	EXPECT_PUT(test, SCOPE "active", "default", 0);
	EXPECT_TEXT(test, "lab/stores_bytes", "0");
}

static void sysfs_tunables(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct lab_out out;

	EXPECT_TEXT(test, ALPHA "tunables_info",
		    "knob -5 100 7 what an answer repeats\n"
		    "bolt -9223372036854775808 9223372036854775807 0 ");
	EXPECT_TEXT(test, ALPHA "tunables/knob", "7");
	EXPECT_PUT(test, ALPHA "tunables/knob", "-5\n", 0);
	EXPECT_TEXT(test, ALPHA "tunables/knob", "-5");
	EXPECT_PUT(test, ALPHA "tunables/knob", "100", 0);
	EXPECT_PUT(test, ALPHA "tunables/knob", "101", -ERANGE);
	EXPECT_PUT(test, ALPHA "tunables/knob", "-6", -ERANGE);
	EXPECT_PUT(test, ALPHA "tunables/knob", "9223372036854775808", -ERANGE);
	EXPECT_PUT(test, ALPHA "tunables/knob", "1x", -EINVAL);
	EXPECT_PUT(test, ALPHA "tunables/knob", "0x10", -EINVAL);
	EXPECT_PUT(test, ALPHA "tunables/knob", "", 0);
	EXPECT_TEXT(test, ALPHA "tunables/knob", "100");
	EXPECT_PUT(test, ALPHA "tunables/bolt", "-9223372036854775808", 0);
	EXPECT_TEXT(test, ALPHA "tunables/bolt", "-9223372036854775808");

	/* The policy reads what was written, before and after it became active. */
	EXPECT_PUT(test, SCOPE "active", "alpha", 0);
	lab_ask(lab, LAB_ASK, 1, &out);
	KUNIT_EXPECT_EQ(test, out.knob, 100);
	EXPECT_PUT(test, ALPHA "tunables/knob", "33", 0);
	lab_ask(lab, LAB_ASK, 1, &out);
	KUNIT_EXPECT_EQ(test, out.knob, 33);
	/* Beta has its own. */
	EXPECT_TEXT(test, "policies/beta-1.0+b1/tunables/knob", "7");
}

static void sysfs_swap(struct kunit *test)
{
	EXPECT_TEXT(test, SCOPE "active", "default");
	EXPECT_TEXT(test, SCOPE "previous", "");
	EXPECT_TEXT(test, SCOPE "state", "stable");
	EXPECT_TEXT(test, SCOPE "error", "");
	EXPECT_VALUE(test, SCOPE "last_swap", "id", "0");
	EXPECT_VALUE(test, SCOPE "last_swap", "result", "");

	EXPECT_PUT(test, SCOPE "active", "alpha\n", 0);
	EXPECT_TEXT(test, SCOPE "active", "alpha-1.0+b1");
	EXPECT_TEXT(test, SCOPE "previous", "default");
	EXPECT_PUT(test, SCOPE "swap", "beta-1.0 probation_ms=86400000 gate=asked<5 timeout_ms=600000\n",
		   0);
	EXPECT_TEXT(test, SCOPE "active", "beta-1.0+b1");
	EXPECT_TEXT(test, SCOPE "state", "probation");
	EXPECT_VALUE(test, SCOPE "last_swap", "id", "2");
	EXPECT_VALUE(test, SCOPE "last_swap", "from", "alpha-1.0+b1");
	EXPECT_VALUE(test, SCOPE "last_swap", "to", "beta-1.0+b1");
	EXPECT_VALUE(test, SCOPE "last_swap", "result", "probation");
	EXPECT_VALUE(test, SCOPE "last_swap", "attempts", "1");
	EXPECT_VALUE(test, SCOPE "last_swap", "held_up_by", "");
	EXPECT_PUT(test, SCOPE "active", "gamma", -EBUSY);
	/* The gates read the times. */
	EXPECT_PUT(test, SCOPE "reset", "1", -EBUSY);
	EXPECT_PUT(test, SCOPE "rollback", "1\n", 0);
	EXPECT_PUT(test, SCOPE "reset", "1", 0);
	EXPECT_TEXT(test, SCOPE "active", "alpha-1.0+b1");
	EXPECT_TEXT(test, SCOPE "state", "stable");
	EXPECT_VALUE(test, SCOPE "last_swap", "result", "rolled_back");
	EXPECT_VALUE(test, SCOPE "last_swap", "reason", "asked for");
	EXPECT_VALUE(test, SCOPE "last_swap", "attempts", "1");
	EXPECT_VALUE(test, SCOPE "last_swap", "back_attempts", "1");
	/* A second request, a moment late, does not go one policy too far. */
	EXPECT_PUT(test, SCOPE "rollback", "1", -ENOENT);
	EXPECT_TEXT(test, SCOPE "active", "alpha-1.0+b1");
}

/* While a probation lasts, `previous` says what a rollback would bring back. */
static void sysfs_previous_on_probation(struct kunit *test)
{
	EXPECT_PUT(test, SCOPE "active", "alpha", 0);
	EXPECT_TEXT(test, SCOPE "previous", "default");
	EXPECT_PUT(test, SCOPE "swap", "beta probation_ms=86400000", 0);
	EXPECT_TEXT(test, SCOPE "previous", "alpha-1.0+b1");
	EXPECT_PUT(test, SCOPE "rollback", "1", 0);
	EXPECT_TEXT(test, SCOPE "active", "alpha-1.0+b1");
	EXPECT_TEXT(test, SCOPE "previous", "");
	EXPECT_PUT(test, SCOPE "swap", "beta probation_ms=86400000", 0);
	EXPECT_PUT(test, SCOPE "commit", "1", 0);
	EXPECT_TEXT(test, SCOPE "previous", "alpha-1.0+b1");
}

static void sysfs_refused(struct kunit *test)
{
	EXPECT_PUT(test, SCOPE "active", "omega", -ENOENT);
	LAB_EXPECT_SAYS(test, files_text(test, SCOPE "error"), "no policy 'omega'");
	EXPECT_PUT(test, SCOPE "active", "alpha probation_ms=5", -EINVAL);
	LAB_EXPECT_SAYS(test, files_text(test, SCOPE "error"), "write options to swap");
	EXPECT_PUT(test, SCOPE "active", "\n", -EINVAL);
	EXPECT_PUT(test, SCOPE "active", "default", -EALREADY);
	EXPECT_PUT(test, SCOPE "swap", "alpha timeout_ms=0", -ERANGE);
	EXPECT_PUT(test, SCOPE "swap", "alpha colour=red", -EINVAL);
	EXPECT_PUT(test, SCOPE "swap", "alpha probation_ms=5 gate=nothing<5", -EINVAL);
	EXPECT_PUT(test, SCOPE "rollback", "0", -EINVAL);
	LAB_EXPECT_SAYS(test, files_text(test, SCOPE "error"), "write 1");
	EXPECT_PUT(test, SCOPE "rollback", "1", -ENOENT);
	EXPECT_PUT(test, SCOPE "commit", "yes", -EINVAL);
	EXPECT_PUT(test, SCOPE "commit", "1", -ENOENT);
	EXPECT_PUT(test, SCOPE "reset", "11", -EINVAL);
	EXPECT_TEXT(test, SCOPE "active", "default");
	EXPECT_TEXT(test, SCOPE "state", "stable");
	EXPECT_VALUE(test, SCOPE "stats", "failures", "12");
	EXPECT_VALUE(test, SCOPE "stats", "swaps", "0");
	EXPECT_PUT(test, SCOPE "active", "alpha", 0);
	EXPECT_TEXT(test, SCOPE "error", "");
	EXPECT_PUT(test, "lab/limits/stores_kib", "1", 0);
	EXPECT_PUT(test, SCOPE "active", "gamma", -EDQUOT);
	LAB_EXPECT_SAYS(test, files_text(test, SCOPE "error"), "lab/limits/stores_kib is 1: raise it");
}

static void sysfs_stats(struct kunit *test)
{
	static const char * const keys[] = {
		"epoch", "swaps", "commits", "rollbacks", "failures", "calls", "answered", "stock",
		"continuity", "continuity_gate", "continuity_busy", "continuity_fault",
		"bad_answers", "overlapped", "held", "hold_samples", "hold_p50_ns", "hold_p99_ns",
		"hold_max_ns", "hook_samples", "hook_p50_ns", "hook_p99_ns", "hook_max_ns",
	};
	struct lab *lab = test->priv;
	struct lab_out out;
	int i;

	for (i = 0; i < ARRAY_SIZE(keys); i++)
		EXPECT_VALUE(test, SCOPE "stats", keys[i], "0");
	lab_ask(lab, LAB_ASK, 0, &out);
	EXPECT_PUT(test, SCOPE "active", "alpha", 0);
	lab_ask(lab, LAB_ASK, 0, &out);
	lab_ask(lab, LAB_ASK, 0, &out);
	WRITE_ONCE(lab->family.scope->gate.word, TIFFIN_GATE_CLOSED);
	lab_ask(lab, LAB_ASK, 0, &out);
	WRITE_ONCE(lab->family.scope->gate.word, TIFFIN_GATE_OPEN);
	EXPECT_VALUE(test, SCOPE "stats", "epoch", "1");
	EXPECT_VALUE(test, SCOPE "stats", "calls", "4");
	EXPECT_VALUE(test, SCOPE "stats", "answered", "2");
	EXPECT_VALUE(test, SCOPE "stats", "stock", "1");
	EXPECT_VALUE(test, SCOPE "stats", "continuity", "1");
	EXPECT_VALUE(test, SCOPE "stats", "held", "1");
	EXPECT_VALUE(test, SCOPE "stats", "hold_samples", "1");
	EXPECT_PUT(test, SCOPE "reset", "1", 0);
	EXPECT_VALUE(test, SCOPE "stats", "held", "0");
	EXPECT_VALUE(test, SCOPE "stats", "hold_samples", "0");
	EXPECT_VALUE(test, SCOPE "stats", "hold_max_ns", "0");
	EXPECT_VALUE(test, SCOPE "stats", "calls", "4");
}

/* Root of a container can open the files; a write takes CAP_SYS_ADMIN of the machine. */
static void sysfs_needs_capability(struct kunit *test)
{
	static const char * const files[][2] = {
		{ SCOPE "active", "alpha" }, { SCOPE "swap", "alpha" }, { SCOPE "rollback", "1" },
		{ SCOPE "commit", "1" }, { SCOPE "reset", "1" }, { "lab/limits/hold_ns", "1" },
		{ ALPHA "tunables/knob", "1" },
	};
	struct cred *cred = prepare_creds();
	const struct cred *old;
	int i, rc[ARRAY_SIZE(files)];

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cred);
	cap_lower(cred->cap_effective, CAP_SYS_ADMIN);
	old = override_creds(cred);
	for (i = 0; i < ARRAY_SIZE(files); i++)
		rc[i] = files_write(test, files[i][0], files[i][1]);
	revert_creds(old);
	put_cred(cred);
	for (i = 0; i < ARRAY_SIZE(files); i++)
		KUNIT_EXPECT_EQ_MSG(test, rc[i], -EPERM, "%s", files[i][0]);
	EXPECT_TEXT(test, SCOPE "active", "default");
	EXPECT_TEXT(test, "lab/limits/hold_ns", "5000");
	EXPECT_TEXT(test, ALPHA "tunables/knob", "7");
	EXPECT_VALUE(test, SCOPE "stats", "failures", "0");
}

static struct kunit_case sysfs_cases[] = {
	KUNIT_CASE(sysfs_root),
	KUNIT_CASE(sysfs_last_error),
	KUNIT_CASE(sysfs_faults),
	KUNIT_CASE(sysfs_family),
	KUNIT_CASE(sysfs_long_text),
	KUNIT_CASE(sysfs_limits),
	KUNIT_CASE(sysfs_policy),
	KUNIT_CASE(sysfs_stores),
	KUNIT_CASE(sysfs_tunables),
	KUNIT_CASE(sysfs_swap),
	KUNIT_CASE(sysfs_previous_on_probation),
	KUNIT_CASE(sysfs_refused),
	KUNIT_CASE(sysfs_stats),
	KUNIT_CASE(sysfs_needs_capability),
	{}
};

static struct kunit_suite sysfs_suite = {
	.name = "sysfs",
	.init = files_test_init,
	.exit = files_test_exit,
	.test_cases = sysfs_cases,
};
kunit_test_suite(sysfs_suite);
