#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Every key that the command's JSON has must be named in its man page.

usage: keys.py COMMAND MANPAGE, with TIFFIN_SYSFS set to a tree that has all there can be.
"""
import json
import re
import subprocess
import sys

# Objects whose keys are names of files: described once, not one by one.
NAMED = {"limits", "figures", "settings", "stats", "counters_by_name", "family_abi"}

LINES = [
    ["list"], ["show"], ["show", "packet_steering"], ["show", "hash"],
    ["show", "--stores"], ["swap", "--dry-run", "packet_steering", "hash"],
    ["swap", "packet_steering", "hash"], ["rollback", "packet_steering"],
    ["commit", "packet_steering"], ["default", "--all"], ["set", "hash", "depth=3"],
    ["stats", "packet_steering"], ["version"], ["help"], ["doctor"],
    ["verify", sys.argv[0]], ["frobnicate"],
]


def keys(value, under=""):
    if isinstance(value, list):
        for item in value:
            yield from keys(item, under)
    elif isinstance(value, dict):
        # "counters" of stats is an object by name, that of a policy an array.
        if under in NAMED or under == "counters":
            if not {"name", "value"} <= value.keys():
                return
        for key, item in value.items():
            yield key
            yield from keys(item, key)


def main():
    command, page = sys.argv[1:3]
    with open(page, encoding="utf-8") as f:
        words = set(re.findall(r"[a-z_]+", f.read()))
    missing = set()
    seen = set()
    for line in LINES:
        out = subprocess.run([command, *line, "--json"], capture_output=True, text=True, check=False)
        seen |= set(keys(json.loads(out.stdout)))
    missing = seen - words
    for key in sorted(missing):
        print(f"{page} does not name the key '{key}'")
    # Fewer would mean that the commands above said nothing.
    if len(seen) < 60:
        print(f"only {len(seen)} keys were seen")
    return bool(missing) or len(seen) < 60


if __name__ == "__main__":
    sys.exit(main())
