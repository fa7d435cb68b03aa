#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""history.py - `busway check` finds mistakes that were really made, and is silent on their repair.

The cases are in tests/check/history; more of the same form may lie in the folder `history` of
BUSWAY_TEST_DATA or ../shared/data, and are tried where they are there.
"""

import json
import os
import sys

from found import HERE, LEVELS, ROOT, Tap, check, level, numbers, words


def folders():
    """Case folders by name; those of the repository go first."""
    found = {}
    for top in (HERE, os.environ.get("BUSWAY_TEST_DATA"), os.path.join(ROOT, "..", "shared", "data")):
        top = os.path.join(top, "history") if top else ""
        for name in sorted(os.listdir(top)) if os.path.isdir(top) else ():
            if os.path.exists(os.path.join(top, name, "expect.json")):
                found.setdefault(name, os.path.join(top, name))
    return sorted(found.items())


def says(finding, expected):
    keys = {int(key, 0) for key in expected.get("key_numbers", ())}
    return (finding["code"] in [expected["class"]] + expected.get("also_accept", []) and
            finding["node"] in [expected["node"]] + expected.get("also_nodes", []) and
            finding["property"] == (expected.get("property") or finding["property"]) and
            level(finding) >= LEVELS[expected.get("min_level", "note")] and
            (not keys or bool(keys & numbers(finding["message"]))))


def test_case(tap, name, folder):
    with open(os.path.join(folder, "expect.json"), encoding="utf-8") as file:
        case = json.load(file)
    expected, after = case["expect_before"], case["expect_after"]
    findings = check(os.path.join(folder, "before.dts"))
    if case["decidable_from_dtb"].startswith("yes"):
        tap.check(any(says(f, expected) for f in findings), "%s: %s is found at %s" % (
            name, expected["class"], expected["node"]), words(findings))
    left = [f for f in check(os.path.join(folder, "after.dts"))
            if level(f) >= LEVELS[after["no_finding_at_or_above"]] and
            f["code"] not in after["legitimate_residual_classes"]]
    tap.check(not left, "%s: nothing is wrong after the repair" % name, words(left))


def main():
    tap = Tap()
    for name, folder in folders():
        test_case(tap, name, folder)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
