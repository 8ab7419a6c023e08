// SPDX-License-Identifier: GPL-2.0-only
/*
 * Swap requests and health gates as text: nothing that is written there harms, what is taken is
 * within its ranges and means the same when it is written out and read again, what is refused says
 * why.
 */
#include <stdlib.h>

#include "core/limits.h"
#include "core/sysfs.h"
#include "test.h"
#include "work.h"

static struct lab lab;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#define HOLDS(x)									\
do {											\
	if (!(x))									\
		shim_splat(__FILE__, __LINE__, "does not hold: %s", #x);		\
} while (0)

static void check_gate(const struct tiffin_health_gate *gate)
{
	size_t len = strnlen(gate->name, sizeof(gate->name));

	HOLDS(len > 0 && len < sizeof(gate->name));
	HOLDS(!strpbrk(gate->name, "<>"));
}

static void check_limit(enum tiffin_limit limit, u32 value)
{
	HOLDS(value >= tiffin_limit_range[limit].min && value <= tiffin_limit_range[limit].max);
}

/* Write a request out in full and read that. */
static void check_again(const struct tiffin_swap_request *req)
{
	static struct tiffin_swap_request again;
	char text[2048];
	int len;
	u32 i;

	len = scnprintf(text, sizeof(text), "%s timeout_ms=%u probation_ms=%u", req->policy,
			req->timeout_ms, req->probation_ms);
	for (i = 0; i < req->nr_gates; i++)
		len += scnprintf(text + len, sizeof(text) - len, " gate=%s%c%llu",
				 req->gates[i].name, req->gates[i].below ? '<' : '>',
				 req->gates[i].limit);
	HOLDS(!tiffin_swap_parse(lab.family.scope, text, &again));
	HOLDS(!strcmp(again.policy, req->policy));
	HOLDS(again.timeout_ms == req->timeout_ms);
	HOLDS(again.probation_ms == req->probation_ms);
	HOLDS(again.nr_gates == req->nr_gates);
	for (i = 0; i < req->nr_gates; i++) {
		HOLDS(!strcmp(again.gates[i].name, req->gates[i].name));
		HOLDS(again.gates[i].below == req->gates[i].below);
		HOLDS(again.gates[i].limit == req->gates[i].limit);
	}
}

static void check_request(char *text)
{
	static struct tiffin_swap_request req;
	struct tiffin_swap *swap = &lab.family.scope->swap;
	u64 failures = swap->failures;
	int rc;
	u32 i;

	swap->error[0] = '\0';
	rc = tiffin_swap_parse(lab.family.scope, text, &req);
	if (rc) {
		HOLDS(rc == -EINVAL || rc == -ERANGE);
		HOLDS(swap->error[0] && swap->failures == failures + 1);
		return;
	}
	HOLDS(!swap->error[0] && swap->failures == failures);
	HOLDS(req.policy[0] && strnlen(req.policy, sizeof(req.policy)) < sizeof(req.policy));
	check_limit(TIFFIN_LIMIT_TIMEOUT_MS, req.timeout_ms);
	check_limit(TIFFIN_LIMIT_PROBATION_MS, req.probation_ms);
	HOLDS(req.nr_gates <= TIFFIN_MAX_GATES);
	HOLDS(!req.nr_gates || req.probation_ms);
	for (i = 0; i < req.nr_gates; i++)
		check_gate(&req.gates[i]);
	check_again(&req);
}

static void check_health(const char *text)
{
	struct tiffin_health_gate gate;
	int rc = tiffin_health_parse(text, &gate);

	HOLDS(!rc || rc == -EINVAL);
	if (!rc)
		check_gate(&gate);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	shim.virtual_time = true;
	return tiffin_work_init() ?: tiffin_sysfs_init() ?: lab_start(&lab);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	/* On the heap, to the byte, so that a read behind the end shows. */
	char *text = malloc(size + 1);

	memcpy(text, data, size);
	text[size] = '\0';
	check_health(text);
	check_request(text);
	free(text);
	return 0;
}
