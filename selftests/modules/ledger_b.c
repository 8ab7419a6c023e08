// SPDX-License-Identifier: GPL-2.0-only
/* ledger_b: keeps books of its calls (tiffin/test_ledger.h) while it steers by hash. */
#define LEDGER_TURN	1
#include <tiffin/test_ledger_decide.h>

LEDGER_DECIDE_POLICY("ledger_b", "test: keeps books of its calls, shared with the other ledger");
