/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Included after the kernel's configuration when the analyzer looks at a file:
 * without what it can't follow. Paravirtual calls set variables from
 * themselves and from registers.
 */
#undef CONFIG_PARAVIRT
#undef CONFIG_PARAVIRT_XXL
#undef CONFIG_PARAVIRT_SPINLOCKS
