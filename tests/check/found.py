# SPDX-License-Identifier: BSD-2-Clause
"""found.py - what the tests of `busway check` share: its findings, levels, numbers in messages."""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
from support import BUSWAY, ROOT, Tap, run  # noqa: E402,F401

HERE = os.path.join(ROOT, "tests", "check")
LEVELS = {"note": 0, "info": 0, "warning": 1, "error": 2}


def check_all(*platforms):
    """The findings of each platform, in the order of the arguments."""
    result = run("check", "--format", "json", "--fail-on", "never", *platforms)
    if result.status != 0:
        raise AssertionError(str(result))
    files = result.json()["files"]
    if len(files) != len(platforms):
        raise AssertionError("%d files, %d answers" % (len(platforms), len(files)))
    for file in files:
        check_order(file["findings"])
    return [file["findings"] for file in files]


def check_order(findings):
    """Of one node, the gravest stands first; what is about one node stands together."""
    seen, last = set(), None
    for finding in findings:
        if last and finding["node"] == last["node"]:
            if level(finding) > level(last):
                raise AssertionError("%s stands behind %s" % (words([finding]), words([last])))
        elif finding["node"] in seen:
            raise AssertionError("%s stands in two places" % finding["node"])
        seen.add(finding["node"])
        last = finding


def check(platform):
    return check_all(platform)[0]


def level(finding):
    return LEVELS[finding["severity"]]


def numbers(text):
    """All numbers of a text, however they are written."""
    return {int(n, 0) for n in re.findall(r"\b(?:0x[0-9a-fA-F]+|0|[1-9][0-9]*)\b", text)}


def words(findings):
    """Findings as lines, for a test that failed."""
    return "\n".join("%s %s %s %s %s: %s" % (f["severity"], f["code"], f["node"], f["property"],
                                             f["entry"], f["message"])
                     for f in findings) or "nothing"
