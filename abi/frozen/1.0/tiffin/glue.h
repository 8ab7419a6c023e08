/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tiffin/glue.h: what the generated registration code of a policy module calls. No policy includes
 * this file. The types here are never completed, so that the checksums that MODVERSIONS takes of
 * these prototypes stay the same when the descriptor grows.
 */
#ifndef TIFFIN_GLUE_H
#define TIFFIN_GLUE_H

struct tiffin_policy_opaque;

/**
 * tiffin_policy_register - make a policy known to its family
 * @desc: the module's struct tiffin_policy
 * @owner: the policy's struct module
 * @build: build id, part of the policy's full name
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL for a descriptor that breaks plugin.h, -ENOENT where the family is not loaded,
 * -EPROTO for an ABI version that this host does not speak, -EEXIST for a policy of the same name,
 * version and build, -ENOMEM. The kernel log says which and what to do.
 */
int tiffin_policy_register(const struct tiffin_policy_opaque *desc, void *owner,
			   const char *build);

/**
 * tiffin_policy_unregister - take a policy out of its family
 * @desc: as registered; no instance of it is left, as each one holds the module
 *
 * Context: process, may sleep.
 */
void tiffin_policy_unregister(const struct tiffin_policy_opaque *desc);

#endif /* TIFFIN_GLUE_H */
