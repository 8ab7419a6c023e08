// SPDX-License-Identifier: GPL-2.0-only
/* ledger_c: the books of ledger_a in their second layout (tiffin/test_ledger.h). */
#define LEDGER_LAYOUT	2
#define LEDGER_TURN	2
#include <tiffin/test_ledger_decide.h>

LEDGER_DECIDE_POLICY("ledger_c", "test: keeps the books of the other ledgers in a second layout");
