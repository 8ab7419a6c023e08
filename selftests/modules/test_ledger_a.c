// SPDX-License-Identifier: GPL-2.0-only
/* ledger_a of family test: keeps books of its calls (tiffin/test_ledger.h). */
#include <tiffin/test_ledger_ask.h>

LEDGER_ASK_POLICY("ledger_a", "test: keeps books of its calls, shared with the other ledger");
