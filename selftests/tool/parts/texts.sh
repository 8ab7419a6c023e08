# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Long texts that the host drops while they are read, in a C program: no folder of files does that.

program texts -Wl,--wrap=read
