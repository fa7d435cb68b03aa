#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""cases.py - trees written by hand: one mistake each, what looks like it, and what only looks odd.

    cases/CODE/bad*.dts    has the mistake; expect*.json beside it (of bad-2.dts: expect-2.json) says
                           {"code", "severity", "node", "property", "says": [numbers of message and advice]};
                           a list of such for several findings of the code; "dtc": options without
                           which it does not compile
    cases/CODE/near*.dts   is right, though close: no finding of that code
    tricky/*.dts           is right and looks wrong: nothing at warning or above
    tricky/limited-*.dts   may be a limit of the hardware: no error
"""

import glob
import json
import os
import subprocess
import sys
import tempfile

from found import HERE, LEVELS, Tap, check, level, numbers, words


def fits(finding, expected):
    return (all(finding[key] == expected[key]
                for key in ("code", "severity", "node", "property") if key in expected) and
            {int(str(n), 0) for n in expected.get("says", ())} <=
            numbers(finding["message"] + " " + finding["advice"]))


def check_compiled(path, options):
    """The findings of a tree that dtc compiles only with these options."""
    with tempfile.TemporaryDirectory() as folder:
        compiled = os.path.join(folder, "tree.dtb")
        subprocess.run(["dtc", "-qq", "-I", "dts", "-O", "dtb", "-o", compiled, *options, path],
                       check=True)
        return check(compiled)


def test_bad(tap, name, path):
    folder, file = os.path.split(path)
    with open(os.path.join(folder, file.replace("bad", "expect", 1)[:-4] + ".json"),
              encoding="utf-8") as text:
        wanted = json.load(text)
    wanted = wanted if isinstance(wanted, list) else [wanted]
    findings = check_compiled(path, wanted[0]["dtc"]) if "dtc" in wanted[0] else check(path)
    for expected in wanted:
        tap.check(any(fits(f, expected) for f in findings),
                  "%s: %s at %s" % (name, expected.get("code"), expected.get("node")),
                  "%s\nfound: %s" % (json.dumps(expected), words(findings)))


def test_cases(tap):
    for folder in sorted(glob.glob(os.path.join(HERE, "cases", "*", ""))):
        code = os.path.basename(os.path.dirname(folder))
        for path in sorted(glob.glob(folder + "bad*.dts")):
            test_bad(tap, os.path.relpath(path, HERE), path)
        for path in sorted(glob.glob(folder + "near*.dts")):
            left = [f for f in check(path) if f["code"] == code]
            tap.check(not left, "%s: no %s" % (os.path.relpath(path, HERE), code), words(left))


def test_tricky(tap):
    for path in sorted(glob.glob(os.path.join(HERE, "tricky", "*.dts"))):
        limit = "error" if os.path.basename(path).startswith("limited-") else "warning"
        left = [f for f in check(path) if level(f) >= LEVELS[limit]]
        tap.check(not left, "%s: nothing at %s or above" % (os.path.relpath(path, HERE), limit),
                  words(left))


def main():
    tap = Tap()
    test_cases(tap)
    test_tricky(tap)
    if not tap.count:
        tap.skip("trees written by hand", "there are none yet")
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
