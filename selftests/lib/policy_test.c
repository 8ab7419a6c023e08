// SPDX-License-Identifier: GPL-2.0-only
/* Unit tests of a policy, in user space; see policy_test.h. Prints TAP. */
#include <dlfcn.h>
#include <err.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy_host.h"
#include "policy_test.h"

const struct tiffin_policy **policies;
unsigned int nr_policies;

static struct test *tests, **tests_end = &tests;
static unsigned int nr_tests, failures;
static unsigned long long random_state = 1;

#define MAX_PRINTED	10

/* CPU time that a test may take: a policy that never returns ends there. */
#define MAX_CPU_S	300

void test_add(struct test *test)
{
	*tests_end = test;
	tests_end = &test->next;
	nr_tests++;
}

unsigned int test_random(void)
{
	random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
	return random_state >> 32;
}

static void say(const char *format, va_list args)
{
	printf("# ");
	vprintf(format, args);
	printf("\n");
	fflush(stdout);
}

void test_note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
}

void test_fail(const char *file, int line, const char *format, ...)
{
	va_list args;

	if (failures++ >= MAX_PRINTED)
		return;
	printf("# %s:%d\n", file, line);
	va_start(args, format);
	say(format, args);
	va_end(args);
}

void policy_fault(const char *format, ...)
{
	va_list args;

	if (failures++ >= MAX_PRINTED)
		return;
	va_start(args, format);
	say(format, args);
	va_end(args);
}

const struct tiffin_policy *policy_named(const char *name)
{
	unsigned int i;

	for (i = 0; i < nr_policies; i++)
		if (!strcmp(policies[i]->name, name))
			return policies[i];
	errx(1, "no policy '%s' on the command line", name);
}

static void limit_cpu_time(void)
{
	const char *text = getenv("POLICY_TEST_CPU_S");
	rlim_t s = text ? strtoul(text, NULL, 10) : MAX_CPU_S;
	const struct rlimit limit = { .rlim_cur = s, .rlim_max = s };

	if (setrlimit(RLIMIT_CPU, &limit))
		err(1, "setrlimit");
}

/* Return: whether it passed. */
static int run(struct test *test)
{
	pid_t pid;
	int status;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		limit_cpu_time();
		test->run();
		if (failures > MAX_PRINTED)
			test_note("%u failures in all", failures);
		fflush(stdout);
		/* By exit(), so that the leak checker looks too. */
		exit(failures ? 1 : 0);
	}
	if (waitpid(pid, &status, 0) != pid)
		err(1, "waitpid");
	if (WIFSIGNALED(status))
		test_note("killed by signal %d%s", WTERMSIG(status),
			  WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGXCPU ?
			  ": it took too long; does every loop of the policy end?" : "");
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	unsigned int nr = 0, failed = 0, passed;
	struct test *test;
	int i;

	if (argc < 2)
		errx(2, "usage: %s POLICY.so...", argv[0]);
	policies = calloc(argc, sizeof(*policies));
	if (!policies)
		err(1, "calloc");
	for (i = 1; i < argc; i++) {
		void *so = dlopen(argv[i], RTLD_NOW | RTLD_LOCAL);

		policies[nr_policies] = so ? dlsym(so, "tiffin_policy") : NULL;
		if (!policies[nr_policies++])
			errx(1, "%s: %s", argv[i], dlerror());
	}
	printf("TAP version 13\n1..%u\n", nr_tests);
	for (test = tests; test; test = test->next) {
		passed = run(test);
		failed += !passed;
		printf("%sok %u %s: %s\n", passed ? "" : "not ", ++nr, policies[0]->name,
		       test->name);
	}
	free(policies);
	return !!failed;
}
