// SPDX-License-Identifier: GPL-2.0-only
/* Swap requests as text: "POLICY [probation_ms=N] [timeout_ms=N] [gate=METRIC<NUMBER]...". */

#include <linux/kernel.h>
#include <linux/string.h>

#include "core/limits.h"
#include "core/scope.h"
#include "swap.h"

void tiffin_swap_defaults(struct tiffin_scope *scope, struct tiffin_swap_request *req)
{
	memset(req, 0, sizeof(*req));
	req->probation_ms = READ_ONCE(scope->family->limits.probation_ms);
	req->timeout_ms = READ_ONCE(scope->family->limits.timeout_ms);
}

static int tiffin_swap_parse_ms(struct tiffin_scope *scope, const char *name, const char *text,
				enum tiffin_limit limit, u32 *ms)
{
	int rc = tiffin_limit_parse(limit, text, ms);

	if (rc)
		return tiffin_refuse(scope, rc, "%s=%s: give a number from %u to %u", name, text,
				     tiffin_limit_range[limit].min, tiffin_limit_range[limit].max);
	return 0;
}

static int tiffin_swap_parse_word(struct tiffin_scope *scope, char *word,
				  struct tiffin_swap_request *req)
{
	char *value = strchr(word, '=');

	if (!value)
		return tiffin_refuse(scope, -EINVAL,
				     "'%s': expected probation_ms=, timeout_ms= or gate=", word);
	*value++ = '\0';
	if (!strcmp(word, "probation_ms"))
		return tiffin_swap_parse_ms(scope, word, value, TIFFIN_LIMIT_PROBATION_MS,
					    &req->probation_ms);
	if (!strcmp(word, "timeout_ms"))
		return tiffin_swap_parse_ms(scope, word, value, TIFFIN_LIMIT_TIMEOUT_MS,
					    &req->timeout_ms);
	if (strcmp(word, "gate"))
		return tiffin_refuse(scope, -EINVAL,
				     "'%s=': expected probation_ms=, timeout_ms= or gate=", word);
	if (req->nr_gates == TIFFIN_MAX_GATES)
		return tiffin_refuse(scope, -EINVAL, "more than %d gates", TIFFIN_MAX_GATES);
	if (tiffin_health_parse(value, &req->gates[req->nr_gates]))
		return tiffin_refuse(scope, -EINVAL,
				     "gate '%s': write METRIC<NUMBER or METRIC>NUMBER; the number may end in ns, us, ms, s or %%",
				     value);
	req->nr_gates++;
	return 0;
}

int tiffin_swap_parse(struct tiffin_scope *scope, char *text, struct tiffin_swap_request *req)
{
	char *word;
	int rc;

	tiffin_swap_defaults(scope, req);
	while ((word = strsep(&text, " \t\n"))) {
		if (!*word)
			continue;
		if (!req->policy[0]) {
			if (strscpy(req->policy, word, sizeof(req->policy)) < 0)
				return tiffin_refuse(scope, -EINVAL, "policy name too long");
			continue;
		}
		rc = tiffin_swap_parse_word(scope, word, req);
		if (rc)
			return rc;
	}
	if (!req->policy[0])
		return tiffin_refuse(scope, -EINVAL, "name the policy to swap to");
	if (req->nr_gates && !req->probation_ms)
		return tiffin_refuse(scope, -EINVAL,
				     "a gate needs a probation: add probation_ms=N");
	return 0;
}
