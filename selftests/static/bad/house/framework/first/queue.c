// SPDX-License-Identifier: GPL-2.0-only
#include <tiffin/first.h>
#include "second/queue.h"
#include "../upgrade/gate.h"
