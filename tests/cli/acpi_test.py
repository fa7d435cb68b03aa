#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""`busway show` of ACPI tables of real machines, against what another reader found in them."""

import os
import sys

from support import ROOT, Tap, run, show


def machines():
    """The folder with real tables, or None."""
    for folder in (os.environ.get("BUSWAY_TEST_DATA"), os.path.join(ROOT, "..", "shared", "data")):
        path = os.path.join(folder, "machines", "acpi") if folder else ""
        if os.path.isdir(path):
            return path
    return None


def scopes(entry):
    """'1:00:02.0', and '3:f0:1f.7#4' of an interrupt controller or timer."""
    words = []
    for scope in entry["scopes"]:
        place = scope["what"].split(" as ")[-1]
        number = "#%d" % scope["id"] if scope["type"] in (3, 4) else ""
        words.append("%d:%s%s" % (scope["type"], place, number))
    return " ".join(words)


def of_dmar(entry):
    kind, memory = entry["kind"], entry.get("memory")
    if kind == "DRHD":
        return "DRHD seg=%d all=%d base=%s scopes=[%s]" % (
            entry["segment"], entry["all"], entry["base"][2:], scopes(entry))
    if kind == "RMRR":
        return "RMRR seg=%d %s-%s scopes=[%s]" % (
            entry["segment"], memory["first"][2:], memory["last"][2:], scopes(entry))
    if kind == "ATSR":
        return "ATSR seg=%d allports=%d scopes=[%s]" % (
            entry["segment"], entry["all"], scopes(entry))
    if kind == "SATC":
        return "SATC seg=%d flags=%x scopes=[%s]" % (
            entry["segment"], int(entry["flags"], 16), scopes(entry))
    if kind == "ANDD":
        return "ANDD dev=%d name=%s" % (entry["number"], entry["name"])
    if kind == "RHSA":
        return "RHSA base=%s prox=%d" % (entry["base"][2:], entry["number"])
    return "%s len=%d" % (kind, entry["length"])


def of_ivrs(entry):
    kind, memory = entry["kind"], entry.get("memory")
    if kind == "IVHD":
        head = 24 if entry["type"] == 0x10 else 40
        return "IVHD type=%x flags=%02x dev=%04x cap=%x base=%s seg=%d entries_bytes=%d" % (
            entry["type"], int(entry["flags"], 16), entry["device"], entry["number"],
            entry["base"][2:], entry["segment"], entry["length"] - head)
    if kind == "IVMD":
        first, last = int(memory["first"], 16), int(memory["last"], 16)
        return "IVMD type=%x flags=%02x dev=%04x aux=%04x start=%x len=%x" % (
            entry["type"], int(entry["flags"], 16), entry["device"], entry["number"], first,
            last - first + 1)
    return "UNKNOWN type=%x len=%d" % (entry["type"], entry["length"])


def lines_of(table):
    flags = int(table["flags"], 16)
    if table["signature"] == "DMAR":
        head = "DMAR haw=%d flags=%02x" % (table["address_bits"], flags)
        return [head] + [of_dmar(entry) for entry in table["entries"]]
    head = "IVRS info=%08x pasize=%d vasize=%d" % (flags, flags >> 8 & 127, flags >> 15 & 127)
    return [head] + [of_ivrs(entry) for entry in table["entries"]]


def real_tables(tap):
    folder = machines()
    if not folder:
        tap.skip("tables of real machines", "they are not here")
        return
    for name in sorted(os.listdir(folder)):
        expected = os.path.join(folder, name + ".expect.txt")
        if not os.path.exists(expected):
            continue
        path = os.path.join(folder, name)
        document = show(path)
        table = document["platform"]["table"]
        with open(expected, encoding="utf-8") as file:
            tap.equal(lines_of(table), file.read().splitlines(), name + ": each structure")
        tap.check(table["checksum_good"], name + ": its checksum is right")
        units = [entry for entry in table["entries"] if entry["kind"] in ("DRHD", "IVHD")]
        tap.equal(len(document["platform"]["iommus"]), len(units), name + ": its IOMMUs")
        tap.check(run("show", path).status == 0, name + ": as text")


def refusals(tap):
    folder = machines()
    if not folder:
        return
    name = sorted(n for n in os.listdir(folder) if n.endswith((".dmar", ".ivrs")))[0]
    path = os.path.join(folder, name)
    with open(path, "rb") as file:
        data = file.read()
    cut = run("show", "-", stdin=data[:len(data) // 2])
    tap.check(cut.status == 2 and not cut.out and "shorter than it says" in cut.err,
              "half a table is refused with the place", cut)
    for command in (("why", path, "x", "0"), ("map", path, "x", "0+1"), ("p2p", path)):
        result = run(*command)
        tap.check(result.status == 2 and not result.out and "ACPI table" in result.err,
                  command[0] + ": a table lists no devices", result)


def main():
    tap = Tap()
    real_tables(tap)
    refusals(tap)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
