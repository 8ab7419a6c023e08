// SPDX-License-Identifier: GPL-2.0-only
/* Runs the tests of the swap's logic: all of them, or those named. Prints TAP. */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/sysfs.h"
#include "rescue.h"
#include "test.h"
#include "work.h"

/* Far more than any test needs: a loop without end, or a lock that never comes, ends there. */
#define TIME_LIMIT_S	120

static struct test *tests, **tests_end = &tests;
static unsigned int failures;

void test_add(struct test *test)
{
	*tests_end = test;
	tests_end = &test->next;
}

void test_fail(const char *file, int line, const char *fmt, ...)
{
	va_list args;

	failures++;
	printf("# %s:%d: ", file, line);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
}

/* Runs in a process of its own. What the test has not freed is one of its failures. */
static int run(const struct test *test)
{
	static struct lab lab;
	int rc;

	alarm(TIME_LIMIT_S);
	shim.virtual_time = true;
	if (tiffin_work_init() || tiffin_sysfs_init())
		return 1;
	rc = lab_start(&lab);
	EXPECT(rc, ==, 0);
	if (!rc)
		test->run(&lab);
	shim.on_relax = NULL;
	shim.on_sleep = NULL;
	shim.before_lock = NULL;
	shim.before_cmpxchg = NULL;
	shim.on_step = NULL;
	shim_fail_allocation(0);
	lab_stop(&lab);
	tiffin_sysfs_exit();
	tiffin_rescue_exit();
	tiffin_work_exit();
	EXPECT(shim_allocations(), ==, 0);
	EXPECT(module_refcount(THIS_MODULE), ==, 0);
	return failures > 0;
}

static bool passes(const struct test *test)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		/* Not _exit(): the leak checker runs at the end. */
		exit(run(test));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return false;
	if (WIFSIGNALED(status))
		printf("# ended by signal %d\n", WTERMSIG(status));
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

static bool wanted(const struct test *test, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (!strcmp(argv[i], test->name))
			return true;
	return argc == 1;
}

void let_rescue_run(void)
{
	shim_advance(TICK);
}

void ask_faulty(struct lab *lab, enum lab_who who, u32 object)
{
	struct tiffin_figures before = lab_figures(lab), after;
	struct lab_out out;

	lab->faulty |= BIT(who);
	EXPECT(lab_ask(lab, LAB_ASK, object, &out), ==, TIFFIN_CONTINUITY);
	EXPECT(out.who, ==, who);
	lab->faulty &= ~BIT(who);
	after = lab_figures(lab);
	EXPECT(after.continuity_fault, ==, before.continuity_fault + 1);
	EXPECT(after.answered, ==, before.answered);
	EXPECT(lab_accounts_hold(lab), ==, true);
}

void expect_answers(struct lab *lab, enum lab_who who)
{
	struct lab_out out;

	EXPECT_STR(lab_active(lab), lab_policy[who].name);
	EXPECT(lab_ask(lab, LAB_ASK, 1, &out), ==, TIFFIN_ANSWERED);
	EXPECT(out.who, ==, who);
}

unsigned int events_of(unsigned int from, const char *what)
{
	unsigned int n = 0;

	for (; from < shim_events(); from++)
		n += !strcmp(shim_event(from, "TIFFIN_EVENT") ?: "", what);
	return n;
}

void quarantine_of(struct lab *lab, enum lab_who who)
{
	lab_quarantine(lab, lab_loaded(lab, who), "the lab's fault");
}

void ask_each(struct lab *lab, enum lab_who who, u64 want)
{
	struct lab_out out;
	u32 object;

	for (object = 1; object < 4; object++) {
		EXPECT(lab_ask(lab, LAB_ASK, object, &out), ==, TIFFIN_ANSWERED);
		EXPECT(out.who, ==, who);
		EXPECT(out.object_calls, ==, want);
		EXPECT(!(out.flags & TIFFIN_CTX_OBJECT_FRESH), ==, want > 1);
	}
}

int main(int argc, char **argv)
{
	unsigned int nr = 0, failed = 0;
	const struct test *test;

	if (argc == 2 && !strcmp(argv[1], "--list")) {
		for (test = tests; test; test = test->next)
			printf("%s\n", test->name);
		return 0;
	}
	printf("TAP version 13\n");
	for (test = tests; test; test = test->next) {
		bool ok;

		if (!wanted(test, argc, argv))
			continue;
		ok = passes(test);
		failed += !ok;
		printf("%sok %u %s\n", ok ? "" : "not ", ++nr, test->name);
	}
	printf("1..%u\n", nr);
	return failed || !nr;
}
