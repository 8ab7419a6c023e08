// SPDX-License-Identifier: GPL-2.0-only
/* ledger_d: the books of ledger_a in their third layout, flows' shared (tiffin/test_ledger.h). */
#define LEDGER_LAYOUT	3
#define LEDGER_SHARING	TIFFIN_SHARE_ATOMIC
#define LEDGER_TURN	3
#include <tiffin/test_ledger_decide.h>

LEDGER_DECIDE_POLICY("ledger_d", "test: keeps the books of the other ledgers in a third layout");
