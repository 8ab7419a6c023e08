// SPDX-License-Identifier: GPL-2.0-only
/* ledger_e: the books of ledger_a in their fourth layout, flows' shared (tiffin/test_ledger.h). */
#define LEDGER_LAYOUT	4
#define LEDGER_SHARING	TIFFIN_SHARE_ATOMIC
#define LEDGER_TURN	4
#include <tiffin/test_ledger_decide.h>

LEDGER_DECIDE_POLICY("ledger_e", "test: keeps the books of the other ledgers in a fourth layout");
