/* SPDX-License-Identifier: GPL-2.0-only */
/* What a swap would do, without one. */
#ifndef DRY_RUN_H
#define DRY_RUN_H

#include "output.h"

/**
 * dry_run - say what a swap would do to the stores, and whether the host would refuse it
 * @family: whose scope
 * @scope: which one
 * @policy: as the user named it; there is one of that name
 * @request: as the host would read it, with its gates
 * @json: for programs
 *
 * Reads and writes nothing. Sees what can be seen beforehand: a swap under way, a policy that is
 * active already, a gate that names no metric, the limit on memory.
 *
 * Return: as the swap would end where it would be refused for one of these, else %TIFFIN_EXIT_OK.
 */
enum tiffin_exit dry_run(const char *family, const char *scope, const char *policy,
			 const char *request, bool json);

#endif /* DRY_RUN_H */
