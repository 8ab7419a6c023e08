/* SPDX-License-Identifier: GPL-2.0-only */
/* Policies that a test under threads, or a fuzzer, has beside the lab's. */
#ifndef TIFFIN_UPGRADE_PLAIN_H
#define TIFFIN_UPGRADE_PLAIN_H

#include <tiffin/plugin.h>

/* The descriptor of a policy that has hooks and stores and nothing else. */
#define PLAIN_POLICY(_name, _family, _abi, _hooks, _stores)				\
	{										\
		.magic = TIFFIN_POLICY_MAGIC,						\
		.size = sizeof(struct tiffin_policy),					\
		.core_abi = TIFFIN_CORE_ABI,						\
		.family_abi = _abi,							\
		.name = _name,								\
		.version = "1.0",							\
		.family = _family,							\
		TIFFIN_HOOKS(_hooks),							\
		TIFFIN_STORES(_stores),							\
	}

#endif /* TIFFIN_UPGRADE_PLAIN_H */
