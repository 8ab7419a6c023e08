// SPDX-License-Identifier: GPL-2.0-only
#include <tiffin/first.h>
#include "first/queue.h"
#include "../plugins/first/chooser.h"

#if LINUX_VERSION_CODE < 1
#endif

static const char *name = "chooser";
