# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Events, in a C program: no command line can make the kernel send one. The real ones are in vm.sh.

program events
