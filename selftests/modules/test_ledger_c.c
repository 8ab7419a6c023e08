// SPDX-License-Identifier: GPL-2.0-only
/* ledger_c of family test: the same books in their second layout (tiffin/test_ledger.h). */
#define LEDGER_LAYOUT	2
#include <tiffin/test_ledger_ask.h>

LEDGER_ASK_POLICY("ledger_c", "test: keeps the books of the other ledgers in another layout");
