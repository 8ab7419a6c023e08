#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Write a copy of a module whose symbol tiffin_policy points far outside its section.

usage: misplace.py MODULE COPY
"""
import struct
import sys

SHT_SYMTAB = 2
SECTION = struct.Struct("<IIQQQQIIQQ")
SYMBOL = struct.Struct("<IBBHQQ")
FAR = 1 << 40


def main():
    module, copy = sys.argv[1:3]
    with open(module, "rb") as f:
        image = bytearray(f.read())
    (table,) = struct.unpack_from("<Q", image, 40)
    count, _ = struct.unpack_from("<HH", image, 60)
    sections = [SECTION.unpack_from(image, table + i * SECTION.size) for i in range(count)]
    moved = 0
    for _, kind, _, _, offset, size, link, *_ in sections:
        if kind != SHT_SYMTAB:
            continue
        names = sections[link][4]
        for at in range(offset, offset + size, SYMBOL.size):
            name, info, other, index, _, length = SYMBOL.unpack_from(image, at)
            if image.startswith(b"tiffin_policy\0", names + name):
                SYMBOL.pack_into(image, at, name, info, other, index, FAR, length)
                moved += 1
    if moved != 1:
        sys.exit(f"misplace.py: {module}: {moved} symbols are named tiffin_policy, not one")
    with open(copy, "wb") as f:
        f.write(image)


if __name__ == "__main__":
    main()
