// SPDX-License-Identifier: GPL-2.0-only
#include <linux/slab.h>
# include "helper.h"
#include <tiffin/packet_steering.h>
