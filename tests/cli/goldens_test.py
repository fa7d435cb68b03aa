#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""goldens_test.py - answers that were looked through once stay as they are.

tools/update-goldens.py writes them anew; look through the difference before it is committed.
"""

import difflib
import json
import sys

import goldens
from support import Tap


def check_json(tap):
    trees = goldens.real_trees()
    for digest in goldens.known():
        what = "show of the tree %s" % digest[:12]
        if digest not in trees:
            tap.skip(what, "the tree is not here: set BUSWAY_TEST_DATA to the folder above dtb/")
            continue
        with open(goldens.json_path(digest), encoding="utf-8") as file:
            expected = json.load(file)
        found = goldens.document(trees[digest])
        if found == expected:
            tap.check(True, "%s (%s)" % (what, trees[digest].rsplit("/", 1)[-1]))
            continue
        lines = list(difflib.unified_diff(goldens.as_json(expected).splitlines(),
                                          goldens.as_json(found).splitlines(), lineterm="", n=0))
        tap.check(False, "%s (%s)" % (what, trees[digest]),
                  "\n".join(line[:1000] for line in lines[:20]))
    for digest in trees:
        if digest not in goldens.known():
            tap.check(False, "%s has a golden" % trees[digest], "run tools/update-goldens.py")


def check_text(tap):
    for name in goldens.boards():
        try:
            with open(goldens.text_path(name), encoding="utf-8") as file:
                expected = file.read()
        except FileNotFoundError:
            tap.check(False, "%s has a golden" % name, "run tools/update-goldens.py")
            continue
        found = goldens.transcript(name)
        tap.check(found == expected, "text about " + name, "\n".join(list(difflib.unified_diff(
            expected.splitlines(), found.splitlines(), lineterm=""))[:40]))


def check_checks(tap):
    for name in goldens.CHECKS:
        for form in goldens.FORMS:
            path = goldens.check_path(name, form)
            try:
                with open(path, encoding="utf-8") as file:
                    expected = file.read()
            except FileNotFoundError:
                tap.check(False, "%s has a golden" % path, "run tools/update-goldens.py")
                continue
            found = goldens.check_answer(name, form)
            tap.check(found == expected, "check of %s, %s" % (name, form), "\n".join(list(
                difflib.unified_diff(expected.splitlines(), found.splitlines(), lineterm=""))[:40]))


def check_machines(tap):
    for name in goldens.machine_names():
        with open(goldens.p2p_path(name), encoding="utf-8") as file:
            expected = file.read()
        found = goldens.p2p_transcript(name)
        tap.check(found == expected, "p2p of " + name, "\n".join(list(difflib.unified_diff(
            expected.splitlines(), found.splitlines(), lineterm=""))[:40]))


def main():
    tap = Tap()
    check_json(tap)
    check_text(tap)
    check_checks(tap)
    check_machines(tap)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
