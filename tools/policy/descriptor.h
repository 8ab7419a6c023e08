/* SPDX-License-Identifier: GPL-2.0-only */
/* Checks of a policy's descriptor: what the host would refuse, said before. */
#ifndef DESCRIPTOR_H
#define DESCRIPTOR_H

#include <tiffin/plugin.h>

/**
 * policy_check - does a descriptor keep the rules of plugin.h?
 * @policy: the descriptor
 *
 * Return: NULL, or what is wrong and what to do; valid until the next call.
 */
const char *policy_check(const struct tiffin_policy *policy);

#endif /* DESCRIPTOR_H */
