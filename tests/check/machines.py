#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""machines.py - busway check on recorded machines, and on a small one made here.

The recordings are of machines that work: no error in any. The one small machine is written as a
sys/ tree, so that the command finds what the library's tests provoke in memory.
"""

import glob
import os
import struct
import sys
import tarfile
import tempfile

from found import ROOT, Tap, check, run, words

MACHINES = os.path.join(os.path.dirname(ROOT), "shared", "data", "machines")


def test_recordings(tap):
    paths = sorted(glob.glob(os.path.join(MACHINES, "*.tar.xz")) +
                   glob.glob(os.path.join(MACHINES, "*.lspci")))
    for path in paths:
        name = os.path.basename(path)
        findings = check(path)
        tap.check(not [f for f in findings if f["severity"] == "error"],
                  "%s: no error" % name, words(findings))
    if not paths:
        tap.skip("recorded machines", "they are not here")


def test_switch(tap):
    """The README of the recordings: two functions of one switch, in two groups, not apart."""
    path = os.path.join(MACHINES, "qemu-q35-switch-vtd.tar.xz")
    if not os.path.exists(path):
        tap.skip("a switch that does not enforce its groups", "the recording is not here")
        return
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(path) as archive:
            archive.extractall(folder)
        for place in (path, folder, os.path.join(folder, "qemu-q35-switch-vtd")):
            findings = check(place)
            said = [f for f in findings if f["code"] == "group-not-enforced"]
            tap.check(len(said) == 1 and said[0]["node"] == "0000:02:01.0" and
                      all(text in said[0]["message"] for text in ("0000:03:00.0", "0000:04:00.0")),
                      "the switch does not enforce its groups", words(findings))


# ---- a machine made here ----

def config(bars=(), bridge=None, command=6):
    """64 bytes: a type 0 header, or of a bridge: (secondary, subordinate, base, limit)."""
    data = bytearray(64)
    struct.pack_into("<HHH", data, 0, 0x1234, 0x5678, command)
    data[11] = 6 if bridge else 1
    data[10] = 4 if bridge else 8
    for index, address in enumerate(bars):
        struct.pack_into("<I", data, 16 + 4 * index, address)
    if bridge:
        data[14] = 1
        data[25], data[26] = bridge[:2]
        struct.pack_into("<HH", data, 32, bridge[2] >> 16 & 0xfff0, bridge[3] >> 16 & 0xfff0)
        struct.pack_into("<HH", data, 36, 0xfff0, 0)  # no prefetchable window
    return bytes(data)


def make(folder, functions):
    """functions: {path below the host bridge: (config, [(first, last) of BARs])}"""
    devices = os.path.join(folder, "sys", "bus", "pci", "devices")
    os.makedirs(devices)
    os.makedirs(os.path.join(folder, "proc"))
    with open(os.path.join(folder, "proc", "iomem"), "w", encoding="ascii") as file:
        file.write("00100000-7fffffff : System RAM\n")
    for path, (data, bars) in functions.items():
        place = os.path.join(folder, "sys", "devices", "pci0000:00", path)
        os.makedirs(place, exist_ok=True)
        with open(os.path.join(place, "config"), "wb") as file:
            file.write(data)
        with open(os.path.join(place, "resource"), "w", encoding="ascii") as file:
            for first, last in list(bars) + [(0, 0)] * (7 - len(bars)):
                file.write("0x%016x 0x%016x 0x%016x\n" % (first, last, 0x200 if first else 0))
        os.symlink("../../../devices/pci0000:00/" + path,
                   os.path.join(devices, os.path.basename(path)))


def small(bar):
    return {"0000:00:01.0": (config(bridge=(1, 1, 0xfe000000, 0xfe0fffff)), []),
            "0000:00:01.0/0000:01:00.0": (config([bar]), [(bar, bar + 0xfff)])}


def test_small(tap):
    for bar, found in ((0xfe000000, []), (0xfe0ff000, []), (0xfe100000, ["bar-outside-window"]),
                       (0xfdfff000, ["bar-outside-window"])):
        with tempfile.TemporaryDirectory() as folder:
            make(folder, small(bar))
            findings = check(folder)
            said = run("check", folder)
            sarif = run("check", "--format", "sarif", folder)
            quiet = run("check", "-q", folder)
            hushed = run("check", "--suppress", "bar-outside-window:0000:01:*", folder)
        tap.equal([f["code"] for f in findings], found, "BAR at 0x%x" % bar)
        tap.equal(said.status, 1 if found else 0, "BAR at 0x%x: exit status" % bar)
        tap.check(sarif.status == said.status and '"0000:01:00.0"' in sarif.out or not found,
                  "BAR at 0x%x: SARIF names the function" % bar, sarif)
        tap.equal(hushed.status, 0, "BAR at 0x%x: findings of a function are suppressed" % bar)
        tap.check("2 things could not be read" in said.err and "ACS" in said.err and not quiet.err,
                  "BAR at 0x%x: what could not be read is told" % bar, said)
        if found:
            tap.equal((findings[0]["node"], findings[0]["property"]), ("0000:01:00.0", "BAR 0"),
                      "where it is")
            tap.check("0x%x" % bar in findings[0]["message"] and
                      "0xfe000000" in findings[0]["message"], "with numbers", words(findings))


def main():
    tap = Tap()
    test_recordings(tap)
    test_switch(tap)
    test_small(tap)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
