// SPDX-License-Identifier: GPL-2.0-only
/* state_b: records of bench_state in layout 1. */
#define STATE_LAYOUT	1
#include <tiffin/bench_state_policy.h>

STATE_POLICY("state_b", "bench: large records, layout 1");
