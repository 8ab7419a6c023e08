/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A scope has something else in hand: what, since when, for how long it may, and what to do. What
 * is said of a state that has just been left is of no harm.
 */
#ifndef TIFFIN_UPGRADE_BUSY_H
#define TIFFIN_UPGRADE_BUSY_H

#include "swap.h"

/**
 * tiffin_swap_busy - refuse a request that finds the scope taken
 * @scope: where
 * @state: that it was found in, not STABLE
 *
 * Context: process, may sleep, takes tiffin_registry; the swap's lock may be held or not.
 * Return: -EBUSY; the scope's error says more.
 */
int tiffin_swap_busy(struct tiffin_scope *scope, enum tiffin_swap_state state);

#endif /* TIFFIN_UPGRADE_BUSY_H */
