// SPDX-License-Identifier: GPL-2.0-only
/* Uevents as user space gets them: from a netlink socket of the group that udev listens to. */

#include <linux/net.h>
#include <linux/netlink.h>
#include <net/net_namespace.h>

#include "lab_kunit.h"

struct event_test {
	struct lab lab;			/* first: test->priv is the lab */
	struct socket *sock;
	size_t len;
	char text[4096];
};

static void event_exit(struct kunit *test)
{
	struct event_test *et = test->priv;

	lab_stop(&et->lab);
	if (et->sock)
		sock_release(et->sock);
}

static int event_init(struct kunit *test)
{
	struct event_test *et = kunit_kzalloc(test, sizeof(*et), GFP_KERNEL);
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int rc;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, et);
	test->priv = et;
	rc = sock_create_kern(&init_net, AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT, &et->sock);
	if (!rc)
		rc = kernel_bind(et->sock, (struct sockaddr *)&addr, sizeof(addr));
	if (!rc)
		rc = lab_start(&et->lab);
	return rc;
}

/* The next event of the subsystem tiffin; false where none is left. */
static bool event_next(struct kunit *test)
{
	struct event_test *et = test->priv;
	struct msghdr msg = {};
	struct kvec vec;
	int len, i;

	for (;;) {
		vec = (struct kvec) { .iov_base = et->text, .iov_len = sizeof(et->text) - 1 };
		len = kernel_recvmsg(et->sock, &msg, &vec, 1, vec.iov_len, MSG_DONTWAIT);
		if (len <= 0)
			return false;
		et->text[len] = '\0';
		et->len = len;
		for (i = 0; i < len; i += strlen(et->text + i) + 1)
			if (!strcmp(et->text + i, "SUBSYSTEM=tiffin"))
				return true;
	}
}

/* The value of a key, NULL where the event has none. */
static const char *event_value(struct kunit *test, const char *key)
{
	struct event_test *et = test->priv;
	size_t len = strlen(key), i;

	for (i = 0; i < et->len; i += strlen(et->text + i) + 1)
		if (!strncmp(et->text + i, key, len) && et->text[i + len] == '=')
			return et->text + i + len + 1;
	return NULL;
}

#define EXPECT_KEY(test, key, text)							\
	KUNIT_EXPECT_STREQ_MSG(test, event_value(test, key) ?: "(none)", text, "%s", key)

static void event_expect(struct kunit *test, const char *what, const char *swap, const char *from,
			 const char *to, const char *reason)
{
	KUNIT_ASSERT_TRUE_MSG(test, event_next(test), "no event %s", what);
	EXPECT_KEY(test, "ACTION", "change");
	EXPECT_KEY(test, "DEVPATH", "/kernel/tiffin/lab/scopes/default");
	EXPECT_KEY(test, "TIFFIN_EVENT", what);
	EXPECT_KEY(test, "TIFFIN_FAMILY", "lab");
	EXPECT_KEY(test, "TIFFIN_SCOPE", "default");
	EXPECT_KEY(test, "TIFFIN_SWAP", swap);
	EXPECT_KEY(test, "TIFFIN_FROM", from);
	EXPECT_KEY(test, "TIFFIN_TO", to);
	KUNIT_ASSERT_NOT_NULL(test, event_value(test, "TIFFIN_REASON"));
	LAB_EXPECT_SAYS(test, event_value(test, "TIFFIN_REASON"), reason);
}

static void event_skip_loads(struct kunit *test)
{
	int i;

	for (i = 0; i < LAB_POLICIES; i++)
		KUNIT_ASSERT_TRUE(test, event_next(test));
}

static void event_load_and_unload(struct kunit *test)
{
	static const char * const ids[] = {
		"alpha-1.0+b1", "beta-1.0+b1", "gamma-1.0+b1", "bare-1.0+b1",
		"delta-1.0+b1", "sigma-1.0+b1", "kappa-1.0+b1", "lambda-1.0+b1",
	};
	struct lab *lab = test->priv;
	char path[64];
	int i;

	for (i = 0; i < LAB_POLICIES; i++) {
		KUNIT_ASSERT_TRUE(test, event_next(test));
		snprintf(path, sizeof(path), "/kernel/tiffin/policies/%s", ids[i]);
		EXPECT_KEY(test, "ACTION", "change");
		EXPECT_KEY(test, "DEVPATH", path);
		EXPECT_KEY(test, "TIFFIN_EVENT", "load");
		EXPECT_KEY(test, "TIFFIN_FAMILY", "lab");
		EXPECT_KEY(test, "TIFFIN_POLICY", ids[i]);
	}
	lab_unload(lab, LAB_BETA);
	KUNIT_ASSERT_TRUE(test, event_next(test));
	EXPECT_KEY(test, "TIFFIN_EVENT", "unload");
	EXPECT_KEY(test, "TIFFIN_POLICY", "beta-1.0+b1");
	KUNIT_EXPECT_FALSE(test, event_next(test));
}

static void event_swaps(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct tiffin_scope *scope = lab->family.scope;

	event_skip_loads(test);
	KUNIT_ASSERT_EQ(test, lab_swap(lab, "alpha"), 0);
	event_expect(test, "swap", "1", "default", "alpha-1.0+b1", "");
	event_expect(test, "commit", "1", "default", "alpha-1.0+b1", "no probation asked for");

	KUNIT_ASSERT_EQ(test, lab_swap(lab, "beta probation_ms=86400000"), 0);
	event_expect(test, "swap", "2", "alpha-1.0+b1", "beta-1.0+b1", "");
	KUNIT_EXPECT_FALSE(test, event_next(test));
	KUNIT_ASSERT_EQ(test, tiffin_swap_rollback(scope), 0);
	event_expect(test, "rollback", "2", "alpha-1.0+b1", "beta-1.0+b1", "asked for");

	KUNIT_ASSERT_EQ(test, lab_swap(lab, "beta gate=level<5 probation_ms=86400000"), 0);
	event_expect(test, "swap", "3", "alpha-1.0+b1", "beta-1.0+b1", "");
	lab->figure[LAB_LEVEL] = 6;
	KUNIT_ASSERT_TRUE(test, lab_wait_stable(lab));
	event_expect(test, "rollback", "3", "alpha-1.0+b1", "beta-1.0+b1",
		     "gate level<5 broken: it was 6");

	KUNIT_ASSERT_EQ(test, lab_swap(lab, "beta probation_ms=86400000"), 0);
	event_expect(test, "swap", "4", "alpha-1.0+b1", "beta-1.0+b1", "");
	KUNIT_ASSERT_EQ(test, tiffin_swap_commit(scope), 0);
	event_expect(test, "commit", "4", "alpha-1.0+b1", "beta-1.0+b1", "asked for");
	KUNIT_EXPECT_FALSE(test, event_next(test));
}

/* A swap that failed is told of; a request that was refused before it became one is not. */
static void event_quarantine(struct kunit *test)
{
	struct lab *lab = test->priv;
	int i;

	event_skip_loads(test);
	EXPECT_SWAP(test, "alpha");
	EXPECT_SWAP(test, "beta" LONG);
	for (i = 0; i < 3; i++)
		KUNIT_ASSERT_TRUE(test, event_next(test));
	lab_quarantine(lab, lab_loaded(lab, LAB_BETA), "the lab's fault");
	KUNIT_ASSERT_TRUE(test, lab_wait_stable(lab));
	/* The rescue tells of it after that. */
	mutex_lock(&lab->family.scope->swap.lock);
	mutex_unlock(&lab->family.scope->swap.lock);
	KUNIT_ASSERT_TRUE(test, event_next(test));
	EXPECT_KEY(test, "ACTION", "change");
	EXPECT_KEY(test, "DEVPATH", "/kernel/tiffin/policies/beta-1.0+b1");
	EXPECT_KEY(test, "TIFFIN_EVENT", "quarantine");
	EXPECT_KEY(test, "TIFFIN_FAMILY", "lab");
	EXPECT_KEY(test, "TIFFIN_POLICY", "beta-1.0+b1");
	event_expect(test, "rollback", "2", "alpha-1.0+b1", "beta-1.0+b1",
		     "the lab's fault at lab_ask+0x10");
	KUNIT_EXPECT_FALSE(test, event_next(test));
}

static void event_failures(struct kunit *test)
{
	struct lab *lab = test->priv;
	int cpu = cpumask_last(cpu_online_mask);

	event_skip_loads(test);
	KUNIT_EXPECT_EQ(test, lab_swap(lab, "omega"), -ENOENT);
	KUNIT_EXPECT_EQ(test, lab_swap(lab, "default"), -EALREADY);
	KUNIT_EXPECT_FALSE(test, event_next(test));

	lab_call_on_cpu(lab, cpu, LAB_ASK, 1, true);
	KUNIT_EXPECT_EQ(test, lab_swap(lab, "alpha timeout_ms=1000"), -ETIMEDOUT);
	lab_call_on_cpu(lab, cpu, LAB_ASK, -1, true);
	event_expect(test, "fail", "1", "default", "alpha-1.0+b1", "held up by hook ask of default");
	KUNIT_EXPECT_EQ(test, lab_swap(lab, "alpha gate=nothing<1 probation_ms=1"), -EINVAL);
	event_expect(test, "fail", "2", "default", "alpha-1.0+b1", "no such metric");
	KUNIT_EXPECT_FALSE(test, event_next(test));
}

static struct kunit_case event_cases[] = {
	KUNIT_CASE(event_load_and_unload),
	KUNIT_CASE(event_swaps),
	KUNIT_CASE(event_quarantine),
	KUNIT_CASE(event_failures),
	{}
};

static struct kunit_suite event_suite = {
	.name = "event",
	.init = event_init,
	.exit = event_exit,
	.test_cases = event_cases,
};
kunit_test_suite(event_suite);
