// SPDX-License-Identifier: GPL-2.0-only
/* ledger_b of family test: keeps books of its calls (tiffin/test_ledger.h). */
#include <tiffin/test_ledger_ask.h>

LEDGER_ASK_POLICY("ledger_b", "test: keeps books of its calls, shared with the other ledger");
