// SPDX-License-Identifier: GPL-2.0-only
/* state_c: records of bench_state in layout 2. */
#define STATE_LAYOUT	2
#include <tiffin/bench_state_policy.h>

STATE_POLICY("state_c", "bench: large records, layout 2");
