#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""p2p_kernel_test.py - `busway p2p --policy linux` beside what kernels decided.

For every recorded machine that is there (machines/*.tar.xz, *.lspci) and every pair:

  NAME.p2p.tsv             an independent reading of Linux 6.12: map type, distance, common bridge,
                           and whether something that decides could not be read
  NAME.kernel-p2pdump.txt  what a running kernel itself decided

Nothing here knows the names of machines. Where no recordings are, that is skipped.
"""

import glob
import os
import sys

from goldens import data_folder
from support import Tap, run

VERDICTS = {
    "bus_addr": {"switch"},
    "bus_addr_if_no_acs_redirect": {"switch"},
    "thru_host_bridge": {"host-bridge", "iommu"},
    "not_supported": {"refused"},
}
COLUMNS = 8  # of a .p2p.tsv


def machines_folder():
    data = data_folder()
    folder = os.path.join(data, os.pardir, "machines") if data else None
    return folder if folder and os.path.isdir(folder) else None


def rows(path, split=None):
    with open(path, encoding="utf-8") as file:
        return [line.rstrip("\n").split(split) for line in file
                if line.strip() and not line.startswith("#")]


def recording(folder, name):
    found = [path for path in glob.glob(os.path.join(folder, glob.escape(name) + ".*"))
             if path.endswith((".tar", ".tar.gz", ".tar.xz", ".lspci"))]
    return found[0] if len(found) == 1 else None


def decided(path, name):
    """{(provider, client): pair}"""
    cpu = "zen" if name.endswith("-zen") else "other"
    result = run("p2p", path, "--policy", "linux", "--cpu", cpu, "--format", "json")
    if result.status != 0:
        return result, {}
    return result, {(pair["b"], pair["a"]): pair for pair in result.json()["pairs"]}


def wrong_row(pair, row):
    """What is wrong with @pair, as a row of a .p2p.tsv has it; None: nothing."""
    _, _, common, distance, _, _, _, kind = row
    if pair is None:
        return "no such pair"
    if pair["verdict"] not in VERDICTS[kind]:
        return "verdict"
    if pair["distance"] != int(distance):
        return "distance"
    if (pair["common"] or "-") != common:
        return "common bridge"
    if pair["certain"] != (not kind.startswith("bus_addr_if")):
        return "certain"
    return None


def wrong_dump(pair, row):
    _, _, distance, kind = row
    if pair is None:
        return "no such pair"
    if pair["verdict"] not in VERDICTS[kind]:
        return "verdict"
    return "distance" if pair["distance"] != int(distance) else None


def compare(tap, what, pairs, expected, wrong):
    complaints = []
    for row in expected:
        pair = pairs.get((row[0], row[1]))
        why = wrong(pair, row)
        if why:
            complaints.append("%s: %s, found %s" % (why, " ".join(row), pair))
    tap.check(expected and not complaints, "%s: %d pairs" % (what, len(expected)),
              "%d differ\n%s" % (len(complaints), "\n".join(complaints[:5])))


def check_machine(tap, folder, name):
    path = recording(folder, name)
    if not path:
        tap.skip(name, "there is no recording")
        return
    result, pairs = decided(path, name)
    if not tap.check(pairs, name + ": was read", result):
        return
    table = os.path.join(folder, name + ".p2p.tsv")
    if os.path.exists(table):
        expected = [row for row in rows(table, "\t") if len(row) == COLUMNS]
        compare(tap, name + ", as derived", pairs, expected, wrong_row)
        tap.equal(sorted(pairs), sorted((row[0], row[1]) for row in expected),
                  name + ": these pairs and no others")
    dump = os.path.join(folder, name + ".kernel-p2pdump.txt")
    if os.path.exists(dump):
        compare(tap, name + ", as its kernel decided", pairs, rows(dump), wrong_dump)


def names_of(folder):
    suffixes = (".p2p.tsv", ".kernel-p2pdump.txt")
    return sorted({os.path.basename(path)[:-len(suffix)] for suffix in suffixes
                   for path in glob.glob(os.path.join(folder, "*" + suffix))})


def main():
    tap = Tap()
    folder = machines_folder()
    if not folder:
        tap.skip("recorded machines", "set BUSWAY_TEST_DATA to the folder above machines/")
        return tap.done()
    names = names_of(folder)
    tap.check(names, "there are recorded machines")
    for name in names:
        check_machine(tap, folder, name)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
