// SPDX-License-Identifier: GPL-2.0-only
/* ledger_1_0: a ledger (tiffin/test_ledger.h) of ABI 1.0, to share books with one of today. */
#define LEDGER_TURN	1
#include <tiffin/test_ledger_decide.h>

LEDGER_DECIDE_POLICY("ledger_1_0", "test: keeps books of its calls, built against ABI 1.0");
