/* SPDX-License-Identifier: GPL-2.0-only */
/* The hooks that a policy must answer, by family, as the families' headers say. */
#ifndef REQUIRED_H
#define REQUIRED_H

#include <stddef.h>
#include <tiffin/packet_steering.h>
#include <tiffin/page_placement.h>

/**
 * struct required_hook - a hook without which the host refuses a policy
 * @family: whose hook
 * @name: of the field in the family's hook table
 * @offset: of that field
 */
struct required_hook {
	const char *family;
	const char *name;
	size_t offset;
};

static const struct required_hook required_hooks[] = {
	{ "packet_steering", "decide", offsetof(struct tiffin_ps_hooks, decide) },
	{ "page_placement", "access", offsetof(struct tiffin_pp_hooks, access) },
	{ "page_placement", "tick", offsetof(struct tiffin_pp_hooks, tick) },
};

#endif /* REQUIRED_H */
