#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""update-goldens.py - write the golden files of the tests anew.

    update-goldens.py BUSWAY

asks the command BUSWAY about the boards, and about the real device trees that are at hand (in the
folder that BUSWAY_TEST_DATA names, or in ../shared/data), and writes tests/goldens. Goldens of
trees that are not at hand stay. Look through the difference before you commit it: a golden that
nobody looked at says nothing.
"""

import argparse
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def write(path, text):
    try:
        with open(path, encoding="utf-8") as file:
            if file.read() == text:
                return False
    except FileNotFoundError:
        pass
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    print("written: " + os.path.relpath(path, ROOT))
    return True


def main():
    parser = argparse.ArgumentParser(description="write the golden files of the tests anew")
    parser.add_argument("busway", metavar="BUSWAY", help="the command, as it was built")
    options = parser.parse_args()
    os.environ["BUSWAY"] = os.path.abspath(options.busway)
    sys.path.insert(0, os.path.join(ROOT, "tests", "cli"))
    import goldens  # it reads the environment

    os.makedirs(os.path.dirname(goldens.text_path("any")), exist_ok=True)
    changed = 0
    trees = goldens.real_trees()
    if not trees:
        print("no real device trees at hand: those goldens stay as they are")
    for digest, path in trees.items():
        changed += write(goldens.json_path(digest), goldens.as_json(goldens.document(path)))
    for name in goldens.boards():
        changed += write(goldens.text_path(name), goldens.transcript(name))
    os.makedirs(os.path.dirname(goldens.check_path("any", "text")), exist_ok=True)
    for name in goldens.CHECKS:
        for form in goldens.FORMS:
            changed += write(goldens.check_path(name, form), goldens.check_answer(name, form))
    os.makedirs(os.path.dirname(goldens.p2p_path("any")), exist_ok=True)
    for name in goldens.machine_names():
        changed += write(goldens.p2p_path(name), goldens.p2p_transcript(name))
    print("%d file%s changed" % (changed, "" if changed == 1 else "s"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
