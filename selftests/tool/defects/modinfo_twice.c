// SPDX-License-Identifier: GPL-2.0-only
/* expect: modinfo more than one tiffin_family= */
static const char defect[] __attribute__((section(".modinfo"), used, aligned(1))) =
	"tiffin_family=packet_steering";
