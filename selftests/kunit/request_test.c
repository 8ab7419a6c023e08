// SPDX-License-Identifier: GPL-2.0-only
/* Limits and swap requests as text: what is taken, and every way to be refused. */

#include "core/limits.h"
#include "lab_kunit.h"

static void request_limit_ranges(struct kunit *test)
{
	static const u32 range[TIFFIN_LIMITS][2] = {
		[TIFFIN_LIMIT_HOLD_NS] = { 0, 1000000 },
		[TIFFIN_LIMIT_CLOSE_US] = { 1, 10000 },
		[TIFFIN_LIMIT_TIMEOUT_MS] = { 1, 600000 },
		[TIFFIN_LIMIT_PROBATION_MS] = { 0, 86400000 },
		[TIFFIN_LIMIT_STORES_KIB] = { 1, U32_MAX },
		[TIFFIN_LIMIT_BUDGET_US] = { 4000, 600000000 },
		[TIFFIN_LIMIT_CPU_PERCENT] = { 1, 100 },
		[TIFFIN_LIMIT_BAD_ANSWERS] = { 0, U32_MAX },
	};
	char text[24];
	u32 value;
	int i;

	for (i = 0; i < TIFFIN_LIMITS; i++) {
		snprintf(text, sizeof(text), "%u", range[i][0]);
		KUNIT_EXPECT_EQ(test, tiffin_limit_parse(i, text, &value), 0);
		KUNIT_EXPECT_EQ(test, value, range[i][0]);
		snprintf(text, sizeof(text), "%u\n", range[i][1]);
		KUNIT_EXPECT_EQ(test, tiffin_limit_parse(i, text, &value), 0);
		KUNIT_EXPECT_EQ(test, value, range[i][1]);

		value = 77;
		snprintf(text, sizeof(text), "%llu", range[i][1] + 1ULL);
		KUNIT_EXPECT_EQ(test, tiffin_limit_parse(i, text, &value), -ERANGE);
		snprintf(text, sizeof(text), "%u", range[i][0] - 1);
		if (range[i][0])
			KUNIT_EXPECT_EQ(test, tiffin_limit_parse(i, text, &value), -ERANGE);
		KUNIT_EXPECT_EQ(test, tiffin_limit_parse(i, "4294967296", &value), -ERANGE);
		KUNIT_EXPECT_EQ(test, tiffin_limit_parse(i, "-1", &value), -EINVAL);
		KUNIT_EXPECT_EQ(test, tiffin_limit_parse(i, "", &value), -EINVAL);
		KUNIT_EXPECT_EQ(test, tiffin_limit_parse(i, "0x1", &value), -EINVAL);
		KUNIT_EXPECT_EQ(test, tiffin_limit_parse(i, "1 ", &value), -EINVAL);
		KUNIT_EXPECT_EQ(test, value, 77);
	}
}

static int request_parse(struct kunit *test, struct tiffin_swap_request *req, const char *text)
{
	struct lab *lab = test->priv;
	char *copy = kunit_kzalloc(test, strlen(text) + 1, GFP_KERNEL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, copy);
	strscpy(copy, text, strlen(text) + 1);
	return tiffin_swap_parse(lab->family.scope, copy, req);
}

static struct tiffin_swap_request *request_alloc(struct kunit *test)
{
	struct tiffin_swap_request *req = kunit_kzalloc(test, sizeof(*req), GFP_KERNEL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, req);
	return req;
}

static void request_name_alone(struct kunit *test)
{
	struct tiffin_swap_request *req = request_alloc(test);
	struct lab *lab = test->priv;

	lab->family.limits.timeout_ms = 1234;
	lab->family.limits.probation_ms = 99;
	KUNIT_EXPECT_EQ(test, request_parse(test, req, " \talpha\n"), 0);
	KUNIT_EXPECT_STREQ(test, req->policy, "alpha");
	KUNIT_EXPECT_EQ(test, req->timeout_ms, 1234);
	KUNIT_EXPECT_EQ(test, req->probation_ms, 99);
	KUNIT_EXPECT_EQ(test, req->nr_gates, 0);
}

static void request_with_options(struct kunit *test)
{
	struct tiffin_swap_request *req = request_alloc(test);
	int rc;

	rc = request_parse(test, req,
			   "alpha-1.0+b1  timeout_ms=600000\tgate=hook_p99<5us gate=ticks>3 probation_ms=86400000 gate=level<80%");
	KUNIT_EXPECT_EQ(test, rc, 0);
	KUNIT_EXPECT_STREQ(test, req->policy, "alpha-1.0+b1");
	KUNIT_EXPECT_EQ(test, req->timeout_ms, 600000);
	KUNIT_EXPECT_EQ(test, req->probation_ms, 86400000);
	KUNIT_ASSERT_EQ(test, req->nr_gates, 3);
	KUNIT_EXPECT_STREQ(test, req->gates[0].name, "hook_p99");
	KUNIT_EXPECT_TRUE(test, req->gates[0].below);
	KUNIT_EXPECT_EQ(test, req->gates[0].limit, 5000);
	KUNIT_EXPECT_STREQ(test, req->gates[1].name, "ticks");
	KUNIT_EXPECT_FALSE(test, req->gates[1].below);
	KUNIT_EXPECT_EQ(test, req->gates[1].limit, 3);
	KUNIT_EXPECT_STREQ(test, req->gates[2].name, "level");
	KUNIT_EXPECT_EQ(test, req->gates[2].limit, 80);
}

static void request_of_eight_gates(struct kunit *test)
{
	struct tiffin_swap_request *req = request_alloc(test);
	int rc;

	rc = request_parse(test, req,
			   "alpha probation_ms=1 gate=a<1 gate=b<1 gate=c<1 gate=d<1 gate=e<1 gate=f<1 gate=g<1 gate=h<1");
	KUNIT_EXPECT_EQ(test, rc, 0);
	KUNIT_EXPECT_EQ(test, req->nr_gates, TIFFIN_MAX_GATES);
}

struct request_case {
	const char *what;
	const char *text;
	int rc;
	const char *says;
};

#define LONG16	"a234567890123456"
#define LONG64	LONG16 LONG16 LONG16 LONG16

static const struct request_case request_cases[] = {
	{ "nothing", "", -EINVAL, "name the policy" },
	{ "blanks only", " \t \n", -EINVAL, "name the policy" },
	{ "name too long", LONG64 LONG16, -EINVAL, "too long" },
	{ "two names", "alpha beta", -EINVAL, "'beta': expected probation_ms=" },
	{ "unknown option", "alpha colour=red", -EINVAL, "'colour=': expected probation_ms=" },
	{ "option without a name", "alpha =3", -EINVAL, "expected probation_ms=" },
	{ "option in capitals", "alpha Timeout_ms=3", -EINVAL, "expected probation_ms=" },
	{ "probation no number", "alpha probation_ms=soon", -EINVAL, "from 0 to 86400000" },
	{ "probation empty", "alpha probation_ms=", -EINVAL, "from 0 to 86400000" },
	{ "probation with a unit", "alpha probation_ms=5s", -EINVAL, "from 0 to 86400000" },
	{ "probation negative", "alpha probation_ms=-1", -EINVAL, "from 0 to 86400000" },
	{ "probation too long", "alpha probation_ms=86400001", -ERANGE, "from 0 to 86400000" },
	{ "time limit 0", "alpha timeout_ms=0", -ERANGE, "from 1 to 600000" },
	{ "time limit too long", "alpha timeout_ms=600001", -ERANGE, "from 1 to 600000" },
	{ "time limit beyond a word", "alpha timeout_ms=18446744073709551617", -ERANGE,
	  "from 1 to 600000" },
	{ "gate without a comparison", "alpha probation_ms=1 gate=hook_p99", -EINVAL,
	  "write METRIC<NUMBER" },
	{ "gate with =", "alpha probation_ms=1 gate=hook_p99=5", -EINVAL, "write METRIC<NUMBER" },
	{ "gate with <=", "alpha probation_ms=1 gate=hook_p99<=5", -EINVAL, "write METRIC<NUMBER" },
	{ "gate without a metric", "alpha probation_ms=1 gate=<5", -EINVAL, "write METRIC<NUMBER" },
	{ "gate without a number", "alpha probation_ms=1 gate=hook_p99<", -EINVAL,
	  "write METRIC<NUMBER" },
	{ "gate with another unit", "alpha probation_ms=1 gate=hook_p99<5min", -EINVAL,
	  "write METRIC<NUMBER" },
	{ "gate empty", "alpha probation_ms=1 gate=", -EINVAL, "write METRIC<NUMBER" },
	{ "nine gates", "alpha probation_ms=1 gate=a<1 gate=b<1 gate=c<1 gate=d<1 gate=e<1 gate=f<1 gate=g<1 gate=h<1 gate=i<1",
	  -EINVAL, "more than 8 gates" },
	{ "gate without a probation", "alpha gate=hook_p99<5us", -EINVAL, "add probation_ms=N" },
	{ "gate with a probation of 0", "alpha gate=hook_p99<5us probation_ms=0", -EINVAL,
	  "add probation_ms=N" },
};

static void request_case_name(const struct request_case *c, char *desc)
{
	strscpy(desc, c->what, KUNIT_PARAM_DESC_SIZE);
}
KUNIT_ARRAY_PARAM(request, request_cases, request_case_name);

/* Refused with a sentence that says what to write, counted, and nothing has happened. */
static void request_refused(struct kunit *test)
{
	struct tiffin_swap_request *req = request_alloc(test);
	const struct request_case *c = test->param_value;
	struct lab *lab = test->priv;
	u64 epoch = lab->family.scope->gate.epoch;

	KUNIT_EXPECT_EQ(test, request_parse(test, req, c->text), c->rc);
	LAB_EXPECT_SAYS(test, lab_error(lab), c->says);
	KUNIT_EXPECT_EQ(test, lab->family.scope->swap.failures, 1);
	KUNIT_EXPECT_EQ(test, lab->family.scope->gate.epoch, epoch);
}

static struct kunit_case request_test_cases[] = {
	KUNIT_CASE(request_limit_ranges),
	KUNIT_CASE(request_name_alone),
	KUNIT_CASE(request_with_options),
	KUNIT_CASE(request_of_eight_gates),
	KUNIT_CASE_PARAM(request_refused, request_gen_params),
	{}
};

static struct kunit_suite request_suite = {
	.name = "request",
	.init = lab_test_init,
	.exit = lab_test_exit,
	.test_cases = request_test_cases,
};
kunit_test_suite(request_suite);
