#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""machine_iova_test.py - IOVAs of machines: what a kernel reports, and what it keeps to itself.

On small machines every range is worked out by hand. On recorded ones (whatever is there; skipped
where nothing is) three things hold of each IOMMU group:

  - what the kernel reports is what would be left if only its own regions counted: for the function
    that VFIO was tried with, its ranges exactly
  - what Busway allows is a part of that
  - and the difference is named byte for byte: windows of the host bridge, holes between inbound
    windows, masks
"""

import glob
import os
import re
import sys
import tempfile

from goldens import data_folder
from machine_tree import HIGH, IOAPIC, RAM, Machine, config, dmar, unpack
from show_iova_test import (END, accounting, allowed, common, groups, number, removed, rest,
                            spelled, union)
from support import Tap, run, show

MSI = (0xfee00000, 0xfeefffff)


def ranges(pieces):
    """(first, last) pairs as sets of (first, end)."""
    return union([(first, last + 1) for first, last in pieces])


def parts(iova):
    return [(r["first"], r["last"], r["cause"], r["by"]) for r in iova["removed"]]


# ---- by hand ----

def two_groups(root):
    machine = Machine(root)
    machine.iomem((0, 0xa0000, 0xbffff, "PCI Bus 0000:00"), RAM,
                  (0, 0xc0000000, 0xcfffffff, "PCI Bus 0000:00"), IOAPIC, HIGH)
    one = machine.function("0000:00:01.0", space=config(bars=((32, 0xc0000000),)),
                           cpu=((0xc0000000, 0xc0000fff),))
    two = machine.function("0000:00:02.0", mask=32)
    other = machine.function("0000:00:03.0")
    machine.group(7, [one, two], "DMA-FQ", [(0, 0xffffff, "direct-relaxable"), (*MSI, "msi"),
                                           (0xfd00000000, 0xffffffffff, "reserved")])
    machine.group(12, [other], "DMA", [(0x7f000000, 0x7fffffff, "direct"), (*MSI, "msi"),
                                       (0x123000, 0x123fff, "something-new")])
    return machine


APERTURES = [("0xa0000", "0xbffff", "aperture", "pci0000:00"),
             ("0xc0000000", "0xcfffffff", "aperture", "pci0000:00")]


def by_group(number_of_group, *rows):
    source = "sys/kernel/iommu_groups/%d/reserved_regions: " % number_of_group
    return [("0x%x" % first, "0x%x" % last, "reserved", source + kind)
            for first, last, kind in rows]


def check_by_hand(tap, root):
    two_groups(root)
    found = groups(root, "00:03.0")
    tap.equal([g["devices"] for g in found], [["0000:00:03.0"]], "a group of its own")
    expected = APERTURES + by_group(12, (0x123000, 0x123fff, "reserved"),
                                    (0x7f000000, 0x7fffffff, "direct"), (*MSI, "msi"))
    tap.equal(sorted(parts(found[0]["iova"])), sorted(expected),
              "windows of the host bridge and regions of the group, each with its source")
    found = groups(root, "00:01.0")
    tap.equal([g["devices"] for g in found], [["0000:00:01.0", "0000:00:02.0"]],
              "functions of one group share a domain")
    iova = found[0]["iova"]
    tap.equal(spelled(allowed(iova)), spelled([
        (0x1000000, 0xc0000000), (0xd0000000, MSI[0]), (MSI[1] + 1, 1 << 32)]),
        "what both can use: the mask of the other one counts, too")
    tap.equal(list(accounting(iova)), [], "every byte has its cause")
    text = run("show", root, "00:01.0", "--iova").out
    tap.check("kept free by sys/kernel/iommu_groups/7/reserved_regions: direct-relaxable" in text,
              "the text names the file and the type", text)
    listed = show(root, "--iova")["groups"]
    tap.equal([g["devices"] for g in listed],
              [["pci0000:00"], ["0000:00:01.0", "0000:00:02.0"], ["0000:00:03.0"]],
              "without a name: every group, and the host bridge for what is not listed")
    tap.equal(spelled(common(allowed(listed[0]["iova"]), ranges([MSI, (0, 0xffffff)]))), "nothing",
              "for it the regions of all groups count")


def check_json(tap, root):
    two_groups(root)
    platform = show(root)["platform"]
    tap.equal([(r["first"], r["last"], r["type"], r["devices"]) for r in platform["reserved"]], [
        ("0x0", "0xffffff", "direct-relaxable", ["0000:00:01.0", "0000:00:02.0"]),
        ("0xfee00000", "0xfeefffff", "msi", ["0000:00:01.0", "0000:00:02.0"]),
        ("0xfd00000000", "0xffffffffff", "reserved", ["0000:00:01.0", "0000:00:02.0"]),
        ("0x7f000000", "0x7fffffff", "direct", ["0000:00:03.0"]),
        ("0xfee00000", "0xfeefffff", "msi", ["0000:00:03.0"]),
        ("0x123000", "0x123fff", "reserved", ["0000:00:03.0"])], "platform.reserved")
    tap.equal(platform["iommus"], [{"name": None, "devices": [
        "0000:00:01.0", "0000:00:02.0", "0000:00:03.0"]}], "platform.iommus: which is not told")


def check_tables(tap, root):
    """A table names the unit, and keeps memory mapped that the kernel's groups leave out."""
    machine = two_groups(root)
    table = "sys/firmware/acpi/tables/DMAR"
    machine.write(table, dmar((0x7b000000, 0x7bffffff, 0, 3, 0)))
    source = table + ", RMRR at 0x40"
    answer = show(root, "00:03.0")
    (one,) = answer["devices"]
    tap.equal([i["node"] for i in one["iommu"]], ["DRHD@fed90000"], "the unit of the table")
    tap.equal(answer["platform"]["iommus"], [{"name": "DRHD@fed90000", "devices": [
        "0000:00:01.0", "0000:00:02.0", "0000:00:03.0"]}], "platform.iommus")
    tap.check(("0x7b000000", "0x7bffffff", "reserved", source + ": direct") in parts(one["iova"]),
              "what it keeps mapped is no IOVA for anything else", parts(one["iova"]))
    tap.equal([(r["first"], r["last"], r["type"], r["devices"], r["source"])
               for r in answer["platform"]["reserved"] if r["group"] is None],
              [("0x7b000000", "0x7bffffff", "direct", ["0000:00:03.0"], source)],
              "platform.reserved")
    (other,) = show(root, "00:01.0")["devices"]
    width = ("0x400000000000", "0xffffffffffffffff", "reserved", table + ", host address width")
    tap.equal([p for p in parts(other["iova"]) if p[3].startswith(table)], [width],
              "and it is nothing to others; 46 bits are what the unit is known to take")
    tap.check(not any("address bits" in g["message"] for g in answer["platform"]["gaps"]),
              "its width is no gap", answer["platform"]["gaps"])
    for content, what in ((dmar()[:50], "cut off"), (b"", "empty"),
                          (dmar()[:40] + b"\xff" + dmar()[41:], "with a wrong checksum")):
        machine.write(table, content)
        gaps = [g for g in show(root)["platform"]["gaps"] if g["file"] == table]
        tap.equal(len(gaps), 1, "a table that is %s is a gap: %s" % (
            what, gaps[0]["message"] if gaps else None))


def check_unreadable(tap, root):
    machine = two_groups(root)
    os.remove(machine.path("sys/kernel/iommu_groups/7/reserved_regions"))
    machine.write("sys/kernel/iommu_groups/12/reserved_regions",
                  "0x1000 0x1fff direct\nwhat\n0x5000 0x4000 direct\n")
    gaps = [g["file"] for g in show(root)["platform"]["gaps"]]
    for group in 7, 12:
        tap.check("sys/kernel/iommu_groups/%d/reserved_regions" % group in gaps,
                  "regions of group %d are not all known: said" % group, gaps)
    iova = groups(root, "00:01.0")[0]["iova"]
    tap.equal([p for p in parts(iova) if p[2] == "reserved"],
              [("0xfee00000", "0xfeefffff", "reserved", "x86-msi")],
              "interrupts are no IOVAs of an x86 machine, whoever told nothing")
    iova = groups(root, "00:03.0")[0]["iova"]
    tap.check(("0x1000", "0x1fff", "reserved",
               "sys/kernel/iommu_groups/12/reserved_regions: direct") in parts(iova),
              "the line that can be read counts", parts(iova))


def check_unsized(tap, root):
    """A BAR of unknown size, in no window that is known, may be as large as it is aligned."""
    machine = Machine(root)
    machine.iomem(RAM, IOAPIC)
    own = machine.function("0000:00:01.0", space=config(bars=((32, 0xc0004000),)))
    other = machine.function("0000:00:02.0")
    machine.group(1, [own, other], "DMA", [(*MSI, "msi")])
    os.remove(machine.path("sys/devices", own, "resource"))
    iova = groups(root, "00:02.0")[0]["iova"]
    tap.check(("0xc0004000", "0xc0007fff", "aperture", "0000:00:01.0") in parts(iova),
              "all that a BAR of unknown size may take is no IOVA", parts(iova))
    tap.equal(spelled(common(allowed(iova), [(0xc0004000, 0xc0008000)])), "nothing",
              "nor allowed")


# ---- recorded machines ----

class Told:
    """What the kernel told VFIO, and what VFIO did: NAME.kernel-vfio.txt."""

    def __init__(self, path):
        self.device, self.ranges, self.trials = None, [], []
        with open(path, encoding="utf-8") as file:
            for line in file:
                words = line.split()
                if words[:1] != ["type1"]:
                    continue
                if words[1].startswith("dev="):
                    self.device = words[1][4:]
                elif words[1] == "range":
                    self.ranges.append((number(words[2]), number(words[3]) + 1))
                elif words[1] == "map":
                    self.trials.append((number(words[2]), words[4] == "OK"))


def regions_of(platform, device):
    """What VFIO cuts out for a device: all but what may be dropped when it is given away."""
    return ranges((number(r["first"]), number(r["last"])) for r in platform["reserved"]
                  if device in r["devices"] and r["type"] != "direct-relaxable")


def check_told(tap, name, root, told):
    platform = show(root)["platform"]
    kernel = union(told.ranges)
    top = kernel[-1][1]
    only = common(rest(regions_of(platform, told.device)), [(0, top)])
    tap.equal(spelled(only), spelled(kernel),
              name + ": with the kernel's regions only, its ranges are left")
    iova = groups(root, told.device, "--reported",
                  "vfio=" + ",".join("0x%x-0x%x" % (a, z - 1) for a, z in kernel))[0]["iova"]
    ours = allowed(iova)
    tap.check(ours and common(ours, rest(kernel)) == [], name + ": ours are a part of them",
              spelled(ours))
    named = union(removed(iova, "no-window") + removed(iova, "aperture") + removed(iova, "mask"))
    tap.equal(spelled(common(kernel, rest(ours))), spelled(common(kernel, named)),
              name + ": and what is removed besides is named, byte for byte")
    tap.check(common(kernel, named), name + ": which is not nothing")
    for first, taken in told.trials:
        if taken and common([(first, first + 1)], ours) == []:
            tap.check(common([(first, first + 1)], named),
                      "%s: VFIO maps 0x%x, which no access reaches" % (name, first))
        elif not taken:
            tap.equal(spelled(common([(first, first + 1)], ours)), "nothing",
                      "%s: VFIO does not map 0x%x, and it is not allowed" % (name, first))


def recorded_groups(root):
    """{number: devices} as the folder has them."""
    found = {}
    for path in glob.glob(os.path.join(root, "sys/kernel/iommu_groups/*/devices")):
        found[int(path.split(os.sep)[-2])] = sorted(os.listdir(path))
    return found


def check_groups(tap, name, root):
    """Of each group: its own members, its own file, line by line."""
    wrong = []
    for index, devices in sorted(recorded_groups(root).items()):
        group = groups(root, devices[0], "--all")[0]
        if sorted(group["devices"]) != devices:
            wrong.append("group %d has %s" % (index, group["devices"]))
        with open(os.path.join(root, "sys/kernel/iommu_groups/%d/reserved_regions" % index),
                  encoding="utf-8") as file:
            lines = {tuple(line.split()) for line in file}
        expected = {("0x%x" % number(a), "0x%x" % number(z), "reserved",
                     "sys/kernel/iommu_groups/%d/reserved_regions: %s" % (index, kind))
                    for a, z, kind in lines}
        wrong += ["group %d: %s is missing" % (index, one)
                  for one in expected - set(parts(group["iova"]))]
        wrong += ["group %d: %s" % (index, one) for one in accounting(group["iova"])]
    tap.equal(wrong, [], "%s: %d groups as they were recorded" % (name, len(recorded_groups(root))))


def check_doorbells(tap, name, root, path):
    """The IOVAs that the kernel's own allocator took for doorbells are allowed."""
    devices, count = recorded_groups(root), 0
    with open(path, encoding="utf-8") as file:
        for line in file:
            address = re.search(r"addr=(0x[0-9a-f]+)", line)
            device = line.split()[0] if line.split() else ""
            if not address or not any(device in members for members in devices.values()):
                continue
            first = number(address[1])
            ours = allowed(groups(root, device, "--all", "--mask", "64")[0]["iova"])
            if MSI[0] <= first <= MSI[1]:
                tap.equal(spelled(common(ours, [(first, first + 4)])), "nothing",
                          "%s, %s: the interrupt at 0x%x is no IOVA" % (name, device, first))
            else:
                tap.check(common(ours, [(first, first + 4)]) == [(first, first + 4)],
                          "%s, %s: the kernel's IOVA 0x%x is one of ours" % (name, device, first),
                          spelled(ours))
            count += 1
    return count


def check_recordings(tap, folder):
    data = data_folder()
    machines = os.path.join(data, os.pardir, "machines") if data else ""
    archives = sorted(glob.glob(os.path.join(machines, "*.tar.xz")))
    if not archives:
        tap.skip("recorded machines", "set BUSWAY_TEST_DATA to the folder above machines/")
    for archive in archives:
        name = os.path.basename(archive)[:-len(".tar.xz")]
        root = unpack(archive, os.path.join(folder, name))
        answer = show(root, "--all")
        wrong = [d["path"] for d in answer["devices"] if "iova" in d and list(accounting(d["iova"]))]
        tap.equal(wrong, [], "%s: every byte of every function has its cause" % name)
        check_groups(tap, name, root)
        vfio = os.path.join(machines, name + ".kernel-vfio.txt")
        if os.path.exists(vfio):
            check_told(tap, name, root, Told(vfio))
        msi = os.path.join(machines, name + ".msi.txt")
        if os.path.exists(msi):
            check_doorbells(tap, name, root, msi)


def main():
    tap = Tap()
    for check in check_by_hand, check_json, check_tables, check_unreadable, check_unsized:
        with tempfile.TemporaryDirectory() as folder:
            check(tap, os.path.join(folder, "m"))
    with tempfile.TemporaryDirectory() as folder:
        check_recordings(tap, folder)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
