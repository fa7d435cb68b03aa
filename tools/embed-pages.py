#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Turn the pages of docs/check into a C table, in the order of the codes in busway/check.h.

    embed-pages.py include/busway/check.h docs/check OUTPUT
"""
import pathlib
import re
import sys


def c_string(text):
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return "\n".join(f'\t"{line}\\n"' for line in escaped.splitlines())


def main():
    header, pages, output = map(pathlib.Path, sys.argv[1:4])
    codes = re.findall(r'^\tX\(\w+, "([\w-]+)"', header.read_text(), re.M)
    out = ["/* made by tools/embed-pages.py */", '#include "check/check.h"', "",
           "const struct check_page check_pages[BUSWAY_FINDING_COUNT] = {"]
    for code in codes:
        text = (pages / f"{code}.md").read_text(encoding="utf-8")
        out.append(f'\t{{"{code}",\n{c_string(text)}}},')
    out.append("};")
    output.write_text("\n".join(out) + "\n", encoding="utf-8")


main()
