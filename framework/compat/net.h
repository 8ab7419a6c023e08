/* SPDX-License-Identifier: GPL-2.0-only */
/* What differs between the supported kernels in the network's receive path. */
#ifndef TIFFIN_COMPAT_NET_H
#define TIFFIN_COMPAT_NET_H

#include <linux/netdevice.h>

/* Split off <linux/netdevice.h> since 6.9. The build says which exist (Kbuild). */
#ifdef TIFFIN_HAVE_NET_RPS_H
#include <net/rps.h>
#endif
#ifdef TIFFIN_HAVE_NET_HOTDATA_H
#include <net/hotdata.h>
#endif

/**
 * tiffin_max_backlog - net.core.netdev_max_backlog
 *
 * Return: packets that a CPU's receive backlog takes before it drops.
 */
static inline u32 tiffin_max_backlog(void)
{
#ifdef TIFFIN_HAVE_NET_HOTDATA_H
	return READ_ONCE(net_hotdata.max_backlog);
#else
	return READ_ONCE(netdev_max_backlog);
#endif
}

#endif /* TIFFIN_COMPAT_NET_H */
