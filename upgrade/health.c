// SPDX-License-Identifier: GPL-2.0-only
/* Health gates: reading them, and reading what they limit. */

#include <linux/kernel.h>
#include <linux/overflow.h>
#include <linux/string.h>

#include "core/scope.h"
#include "health.h"

static const struct {
	const char *suffix;
	u64 factor;
} tiffin_units[] = {
	{ "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 }, { "%", 1 }, { "", 1 },
};

static int tiffin_health_number(const char *text, u64 *value)
{
	size_t digits = strspn(text, "0123456789");
	char number[24];
	unsigned int i;

	if (!digits || digits >= sizeof(number))
		return -EINVAL;
	memcpy(number, text, digits);
	number[digits] = '\0';
	if (kstrtou64(number, 10, value))
		return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(tiffin_units); i++)
		if (!strcmp(text + digits, tiffin_units[i].suffix))
			return check_mul_overflow(*value, tiffin_units[i].factor, value) ?
			       -EINVAL : 0;
	return -EINVAL;
}

int tiffin_health_parse(const char *text, struct tiffin_health_gate *gate)
{
	size_t len = strcspn(text, "<>");

	memset(gate, 0, sizeof(*gate));
	if (!len || len >= sizeof(gate->name) || !text[len])
		return -EINVAL;
	memcpy(gate->name, text, len);
	gate->below = text[len] == '<';
	return tiffin_health_number(text + len + 1, &gate->limit);
}

static const char * const tiffin_own_metrics[] = {
	[TIFFIN_METRIC_HOOK_P50] = "hook_p50",
	[TIFFIN_METRIC_HOOK_P99] = "hook_p99",
	[TIFFIN_METRIC_HOOK_MAX] = "hook_max",
	[TIFFIN_METRIC_BAD_ANSWERS] = "bad_answers",
	[TIFFIN_METRIC_CONTINUITY] = "continuity",
};

static bool tiffin_health_name(struct tiffin_scope *scope, struct tiffin_loaded *policy,
			       struct tiffin_health_gate *gate)
{
	const char *counter = gate->name;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(tiffin_own_metrics); i++)
		if (!strcmp(gate->name, tiffin_own_metrics[i])) {
			gate->metric = i;
			return true;
		}
	gate->metric = TIFFIN_METRIC_FIGURE;
	for (i = 0; i < scope->family->nr_figures; i++)
		if (!strcmp(gate->name, scope->family->figures[i].name)) {
			gate->index = i;
			return true;
		}
	gate->metric = TIFFIN_METRIC_COUNTER;
	if (str_has_prefix(counter, "counter."))
		counter += strlen("counter.");
	for (i = 0; i < policy->policy.nr_counters; i++)
		if (!strcmp(counter, tiffin_counter_decl(&policy->policy, i)->name)) {
			gate->index = i;
			return true;
		}
	return false;
}

int tiffin_health_resolve(struct tiffin_scope *scope, struct tiffin_loaded *policy,
			  struct tiffin_health_gate *gates, u32 nr, char *why, size_t len)
{
	u32 i;

	for (i = 0; i < nr; i++)
		if (!tiffin_health_name(scope, policy, &gates[i])) {
			scnprintf(why, len,
				  "gate '%s': no such metric; use hook_p50, hook_p99, hook_max, bad_answers, continuity, a file under figures/, or a counter of %s",
				  gates[i].name, policy->id);
			return -EINVAL;
		}
	return 0;
}

static u64 tiffin_health_count(struct tiffin_scope *scope, const struct tiffin_health_gate *gate,
			       const struct tiffin_figures *figures)
{
	struct tiffin_family *family = scope->family;

	switch (gate->metric) {
	case TIFFIN_METRIC_BAD_ANSWERS:
		return figures->bad_answers;
	case TIFFIN_METRIC_CONTINUITY:
		return tiffin_figures_continuity(figures);
	case TIFFIN_METRIC_FIGURE:
		return family->ops->figure(family, gate->index);
	case TIFFIN_METRIC_COUNTER:
		return tiffin_instance_counter(scope->gate.active, gate->index);
	default:
		return 0;
	}
}

static bool tiffin_health_is_percentile(const struct tiffin_health_gate *gate)
{
	return gate->metric == TIFFIN_METRIC_HOOK_P50 || gate->metric == TIFFIN_METRIC_HOOK_P99;
}

static bool tiffin_health_is_gauge(struct tiffin_scope *scope,
				   const struct tiffin_health_gate *gate)
{
	return gate->metric == TIFFIN_METRIC_FIGURE &&
	       scope->family->figures[gate->index].kind == TIFFIN_FIGURE_GAUGE;
}

void tiffin_health_begin(struct tiffin_scope *scope)
{
	struct tiffin_health *health = &scope->swap.health;
	struct tiffin_figures figures;
	int cpu;
	u32 i;

	if (scope->family->ops->window)
		scope->family->ops->window(scope->family);
	tiffin_figures_read(scope, &figures);
	for (i = 0; i < health->nr; i++)
		/* The policy's own counters are as new as its instance. */
		health->gates[i].start = health->gates[i].metric == TIFFIN_METRIC_COUNTER ? 0 :
			tiffin_health_count(scope, &health->gates[i], &figures);
	for_each_possible_cpu(cpu)
		WRITE_ONCE(per_cpu_ptr(scope->hook_hist, cpu)->max, 0);
	tiffin_hist_read(scope->hook_hist, &health->hook[0]);
}

static u64 tiffin_health_value(struct tiffin_scope *scope, const struct tiffin_health_gate *gate,
			       const struct tiffin_figures *figures,
			       const struct tiffin_hist_sum *hook)
{
	u64 count;

	switch (gate->metric) {
	case TIFFIN_METRIC_HOOK_P50:
		return tiffin_hist_percentile(hook, 500);
	case TIFFIN_METRIC_HOOK_P99:
		return tiffin_hist_percentile(hook, 990);
	case TIFFIN_METRIC_HOOK_MAX:
		return hook->max;
	default:
		count = tiffin_health_count(scope, gate, figures);
		return tiffin_health_is_gauge(scope, gate) ? count : count - gate->start;
	}
}

bool tiffin_health_broken(struct tiffin_scope *scope, bool last, char *why, size_t len)
{
	struct tiffin_health *health = &scope->swap.health;
	struct tiffin_figures figures;
	u32 i;

	tiffin_figures_read(scope, &figures);
	tiffin_hist_read(scope->hook_hist, &health->hook[1]);
	tiffin_hist_since(&health->hook[1], &health->hook[0]);
	for (i = 0; i < health->nr; i++) {
		const struct tiffin_health_gate *gate = &health->gates[i];
		u64 value;

		if (!last && (!gate->below || (tiffin_health_is_percentile(gate) &&
					       health->hook[1].total < TIFFIN_MIN_SAMPLES)))
			continue;
		value = tiffin_health_value(scope, gate, &figures, &health->hook[1]);
		if (gate->below ? value < gate->limit : value > gate->limit)
			continue;
		snprintf(why, len, "gate %s%c%llu broken: it was %llu", gate->name,
			 gate->below ? '<' : '>', gate->limit, value);
		return true;
	}
	if (last)
		snprintf(why, len, "probation over%s",
			 health->hook[1].total ? "" : ", but no call was timed");
	return false;
}
