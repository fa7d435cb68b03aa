#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""groups_test.py - isolation groups of recorded machines, beside what their kernels had.

Each recording NAME.tar.xz with a NAME.groups.txt: its kernel's groups must be what busway p2p
--groups says of Linux (a kernel that gives a group only to functions with a driver has less), and
the hardware's groups must be what a search of its own finds in the same configuration spaces.
"""

import glob
import os
import struct
import sys
import tarfile
import tempfile

from support import ROOT, Tap, run

MACHINES = os.path.join(os.path.dirname(ROOT), "shared", "data", "machines")


def kernel_groups(path):
    with open(path, encoding="utf-8") as file:
        return {frozenset(line.split(":", 1)[1].split()) for line in file if line.strip()}


def unpack(path, folder):
    with tarfile.open(path) as archive:
        archive.extractall(folder)
    name = os.path.basename(path).split(".tar")[0]
    return os.path.join(folder, name)


def groups(machine):
    result = run("p2p", machine, "--groups", "--format", "json")
    if result.status != 0:
        raise AssertionError(str(result))
    return result.json()


# ---- a search of its own: who reaches whom before the root ----

class Function:
    """What counts of a configuration space, read anew."""

    def __init__(self, folder, name):
        with open(os.path.join(folder, name, "config"), "rb") as file:
            self.config = file.read()
        self.name = name
        path = os.path.realpath(os.path.join(folder, name)).split("/")
        self.above = path[-2] if path[-2].count(":") == 2 else None
        self.bridge = self.config[14] & 0x7f == 1
        self.port = self.pcie_type()
        self.acs = self.acs_control()

    def pcie_type(self):
        at = self.config[0x34] if len(self.config) >= 256 and self.config[6] & 16 else 0
        while at:
            if self.config[at] == 0x10:
                return self.config[at + 2] >> 4
            at = self.config[at + 1] & 0xfc
        return None

    def acs_control(self):
        at = 0x100 if len(self.config) > 256 else 0
        while at:
            head, = struct.unpack_from("<I", self.config, at)
            if head & 0xffff == 0xd:
                return struct.unpack_from("<H", self.config, at + 6)[0]
            at = head >> 20
        return 0

    def slot(self):
        return self.name[:-2]


def together(functions):
    """Pairs that are certainly together, or only perhaps: {frozenset: certain}."""
    pairs = {}
    for f in functions.values():
        up = functions.get(f.above)
        while up:  # behind a bridge to conventional PCI all share its requester ID
            if up.port in (None, 7, 8):
                pairs[frozenset((f.name, up.name))] = True
            up = functions.get(up.above)
    for a in functions.values():
        for b in functions.values():
            if a is b or a.above != b.above:
                continue
            if a.port == 6 and b.port == 6 and not a.acs & 4:
                pairs[frozenset((a.name, b.name))] = True
                opened = {a.name, b.name}
            elif a.slot() == b.slot() and not a.acs & 4:
                pairs.setdefault(frozenset((a.name, b.name)), False)
                opened = {a.name, b.name}
            else:
                continue
            for f in functions.values():
                up = f.above
                while up:
                    if up in opened:
                        pairs.setdefault(frozenset((f.name, up)), a.port == 6)
                    up = functions[up].above if up in functions else None
    return pairs


def search(machine):
    folder = os.path.join(machine, "sys", "bus", "pci", "devices")
    functions = {name: Function(folder, name) for name in os.listdir(folder)}
    left, found = set(functions), set()
    pairs = [tuple(pair) for pair in together(functions)]
    while left:
        group, rest = set(), [left.pop()]
        while rest:
            one = rest.pop()
            group.add(one)
            rest += [b if a == one else a for a, b in pairs
                     if one in (a, b) and (b if a == one else a) not in group]
        left -= group
        found.add(frozenset(group))
    return found


# ---- tests ----

def members(answer, view):
    return {frozenset(group["functions"]) for group in answer[view]}


def test_machine(tap, path):
    name = os.path.basename(path).split(".tar")[0]
    recorded = os.path.join(MACHINES, name + ".groups.txt")
    with tempfile.TemporaryDirectory() as folder:
        machine = unpack(path, folder)
        answer = groups(machine)
        for view in ("route", "linux"):
            all_of = [f for group in answer[view] for f in group["functions"]]
            tap.check(len(all_of) == len(set(all_of)) > 0, "%s: %s: each function once" % (name, view))
        if os.path.exists(recorded):
            kernel = kernel_groups(recorded)
            known = frozenset().union(*kernel)
            linux = {group & known for group in members(answer, "linux")} - {frozenset()}
            tap.equal(sorted(map(sorted, linux)), sorted(map(sorted, kernel)),
                      "%s: Linux's groups are the kernel's" % name)
            tap.equal({one["function"] for one in answer["kernel"]} - known, set(),
                      "%s: the kernel's groups were read" % name)
            tap.equal(sorted(map(sorted, members(answer, "route"))),
                      sorted(map(sorted, search(machine))),
                      "%s: the hardware's groups are those of a search" % name)


def test_contradiction(tap):
    """The README of the recordings: two functions of one switch, in two groups, not apart."""
    path = os.path.join(MACHINES, "qemu-q35-switch-vtd.tar.xz")
    pair = {"0000:03:00.0", "0000:04:00.0"}
    with tempfile.TemporaryDirectory() as folder:
        answer = groups(unpack(path, folder))
    tap.check(any(pair <= group for group in members(answer, "route")),
              "the switch does not keep them apart")
    tap.check(not any(pair <= group for group in members(answer, "linux")), "Linux says that it does")


def test_text(tap):
    path = sorted(glob.glob(os.path.join(MACHINES, "*.groups.txt")))[0]
    with tempfile.TemporaryDirectory() as folder:
        machine = unpack(path.replace(".groups.txt", ".tar.xz"), folder)
        plain, verbose = run("p2p", machine, "--groups"), run("p2p", machine, "--groups", "-v")
    tap.check(plain.status == 0 and "Linux 6.12" in plain.out, "the text has both views", plain)
    tap.check("[kernel: " in plain.out, "and the numbers of the kernel's groups", plain)
    tap.check(" with " in verbose.out and " with " not in plain.out, "-v says why", verbose)


def main():
    tap = Tap()
    paths = sorted(glob.glob(os.path.join(MACHINES, "*.tar.xz")))
    for path in paths:
        test_machine(tap, path)
    if paths:
        test_contradiction(tap)
        test_text(tap)
    else:
        tap.skip("recorded machines", "they are not here")
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
