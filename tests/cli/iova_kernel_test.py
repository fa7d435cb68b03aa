#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""iova_kernel_test.py - `busway show --iova` beside what running kernels did, and what they said.

Behind an IOMMU a kernel keeps its own mappings inside the windows of the host bridge and out of its
apertures. To user space it tells of neither (reserved_regions, VFIO, iommufd): there a driver gets
what no device can use. So, for each recording:

  - every IOVA that the kernel itself took is one that Busway allows
  - what Busway allows is a part of what user space was told, and of what VFIO let it map
  - what is told and not allowed is named: which window or aperture, byte for byte by plain sets

Recordings: tests/data/kernel-answers; the trees of other variants are made of the first one, as
tests/map/replay_test.py does, and what was told about them stands in TOLD. Recorded machines are
used in place (machines/ beside dtb/, see goldens.py); what is not there is skipped.
"""

import gzip
import json
import os
import re
import sys
import tarfile
import tempfile

from goldens import data_folder
from show_iova_test import END, accounting, allowed, common, groups, number, removed, rest, spelled, union
from support import ROOT, Tap, compile_tree

sys.path.insert(0, os.path.join(ROOT, "tests", "map"))
sys.path.insert(0, os.path.join(ROOT, "tests", "reference"))

import dtref  # noqa: E402
import replay_test  # noqa: E402

FOLDER = replay_test.FOLDER
RECORDED = "31-smmu-holes"
HOST = "/pcie@10000000"
# What VFIO and iommufd told behind the SMMUv3, whatever dma-ranges said, and how a report says it.
TOLD = [(0, 0x8000000), (0x8100000, 1 << 48)]
APERTURES = [(0x10000000, 0x3eff0000), (0x8000000000, 0x10000000000)]


def report(name, pieces):
    return ["--reported",
            "%s=%s" % (name, ",".join("0x%x-0x%x" % (first, end - 1) for first, end in pieces))]


def function(name):
    """The name of a function below the only host bridge, without the domain."""
    return "%s:%s" % (HOST, name.split(":", 1)[1])


def holds(pieces, first, size=1):
    return any(a <= first and first + size <= z for a, z in pieces)


def named(iova, difference):
    """Complaints: a byte of @difference that no window and no aperture of the bridge explains."""
    ours = union([(number(one["first"]), number(one["last"]) + 1) for one in iova["removed"]
                  if one["cause"] in ("no-window", "aperture") and one["by"] == HOST])
    left = common(difference, rest(ours))
    return spelled(left) if left else ""


def check_told(tap, what, device, tree, told, windows, apertures):
    """Ours beside what user space is told."""
    plain = groups(tree, device)[0]["iova"]
    both = groups(tree, device, *report("told", told))[0]["iova"]
    expected = common(common(windows, rest(apertures)), told)
    tap.equal(spelled(allowed(both)), spelled(expected), what + ": allowed: windows less apertures")
    tap.equal(spelled(common(allowed(both), told)), spelled(allowed(both)),
              what + ": a part of what user space is told")
    tap.equal(named(plain, common(told, rest(allowed(plain)))), "",
              what + ": what is told and not allowed is named")
    tap.equal(spelled(removed(both, "reported")), spelled(rest(told)),
              what + ": what is not told is named, too")
    tap.equal(list(accounting(both)), [], what + ": every byte has its cause")
    return plain, both


# ---- the recording ----

def kernel_iovas(answers, device):
    """(question, mask, first, size) of all that the kernel's own DMA API handed out."""
    for one in answers:
        if one.get("dev") != device or one.get("ret", "OK") != "OK":
            continue
        question, mask = one["q"], one.get("mask_bits", 64)
        size = number(one["len"]) if "len" in one else 1
        if question == "map_sg":
            for run in one["mapped"]:
                yield question, mask, number(run["dma"]), number(run["len"])
        elif question == "coherent_pair":
            for key in "dma_first", "dma_second":
                yield question, mask, number(one[key]), 1
        elif question == "mask_change_live":
            yield question, mask, number(one["live_dma"]), 1
        elif question in ("map_page", "alloc_coherent", "map_resource", "p2pmem_map_page"):
            yield question, mask, number(one["dma"]), size


def check_own(tap, tree, answers, device, told):
    """The kernel's own IOVAs, under the mask that was in force."""
    by_mask, questions = {}, {}
    for question, mask, first, size in kernel_iovas(answers, device):
        if mask not in by_mask:
            by_mask[mask] = allowed(groups(tree, function(device), "--mask", str(mask),
                                           *report("told", told))[0]["iova"])
        inside = holds(by_mask[mask], first, size)
        questions.setdefault((question, mask), []).append(None if inside else (first, size))
    for (question, mask), answers_of in sorted(questions.items()):
        wrong = [one for one in answers_of if one]
        tap.check(not wrong, "%s %s, mask %d: %d IOVAs of the kernel's are allowed" % (
            device, question, mask, len(answers_of)), wrong)
    return sum(len(one) for one in questions.values())


def told_by(answers):
    """(who, ranges) of every way in which user space was told."""
    for one in answers:
        if one.get("q") == "iommu_group":
            taken = [tuple(number(text) for text in line.split()[:2])
                     for line in one["reserved"].split(";") if line.strip()]
            yield "reserved_regions of group " + one["id"], \
                common(rest([(first, last + 1) for first, last in taken]), [(0, 1 << 48)])
        elif one.get("q") == "resv_regions":
            taken = [(number(r["start"]), number(r["start"]) + number(r["len"]))
                     for r in one["list"]]
            yield "regions of " + one["dev"], common(rest(taken), [(0, 1 << 48)])
        elif one.get("t") == "iommu_info":
            for cap in one["caps"]:
                if "iova_ranges" in cap:
                    yield "vfio", [(number(a), number(z) + 1) for a, z in cap["iova_ranges"]]
        elif one.get("t") == "ioas_iova_ranges" and one["when"] == "after attach":
            yield "iommufd", [(number(a), number(z) + 1) for a, z in one["ranges"]]


def user_iovas(answers):
    """(what, first) of IOVAs that user space chose, and the device used."""
    for one in answers:
        if one.get("t") == "nvme_enable":
            yield "%s: queues of the NVMe" % one["api"], number(one["iova"])


def check_recording(tap, folder):
    with gzip.open(os.path.join(FOLDER, RECORDED + ".json.gz"), "rt", encoding="utf-8") as file:
        answers = json.load(file)["answers"]
    tree = compile_tree(os.path.join(FOLDER, RECORDED + ".dts"), os.path.join(folder, "r.dtb"))
    windows = union([(bus, bus + size) for bus, _cpu, size in replay_test.HOLES])
    sources = list(told_by(answers))
    tap.check({"vfio", "iommufd"} < {name for name, _told in sources},
              "user space was told by VFIO, by iommufd and in sysfs", sources)
    for name, told in sources:
        tap.equal(spelled(told), spelled(TOLD), "%s told the same" % name)
    plain, _both = check_told(tap, RECORDED, function("0000:01:00.0"), tree, TOLD, windows,
                              APERTURES)
    count = sum(check_own(tap, tree, answers, device, TOLD)
                for device in ("0000:01:00.0", "0000:04:00.0"))
    tap.check(count > 200, "IOVAs of the kernel's were compared", count)
    used = list(user_iovas(answers))
    for what, first in used:
        tap.check(holds(TOLD, first) and not holds(allowed(plain), first)
                  and not named(plain, [(first, first + 1)]),
                  "%s at 0x%x: told, used, and outside every window" % (what, first))
    tap.check(len(used) >= 4, "user space used IOVAs outside", used)
    check_peers(tap, answers, plain)


def check_peers(tap, answers, plain):
    """An address on the bus that the kernel gave for a peer is none that the IOMMU would see."""
    for one in answers:
        if one.get("q") == "p2pmem_map_sg" and one["ret"] == "OK" and one["bus_flag"]:
            first = number(one["dma"])
            causes = {r["cause"] for r in plain["removed"]
                      if number(r["first"]) <= first <= number(r["last"])}
            tap.check("aperture" in causes and not holds(allowed(plain), first),
                      "a peer's bus address, 0x%x, is in an aperture and no IOVA" % first, causes)


# ---- other variants ----

def variants():
    """(name, windows, outbound windows), of which no recording is kept."""
    seen = []
    for name, _least, _rows, tree in replay_test.REBUILT:
        one = (tree.get("windows", []), tree.get("outbound"))
        if one not in seen:
            seen.append(one)
            yield (name,) + one


def check_variants(tap, folder):
    count = 0
    for name, windows, outbound in variants():
        tree = {"base": RECORDED, "windows": windows}
        if outbound:
            tree["outbound"] = outbound
        source = os.path.join(folder, "v.dts")
        with open(source, "w", encoding="utf-8") as file:
            file.write(replay_test.rebuilt(tree))
        blob = compile_tree(source, os.path.join(folder, "v.dtb"))
        apertures = union([(bus, bus + size) for _code, bus, _cpu, size in
                           outbound or replay_test.OUTBOUND])
        inbound = union([(bus, bus + size) for bus, _cpu, size in windows]) or [(0, END)]
        check_told(tap, "windows as in %s, behind the SMMU" % name, function("0000:01:00.0"), blob,
                   TOLD, inbound, apertures)
        count += 1
    tap.check(count >= 8, "variants were rebuilt", count)


# ---- recorded machines ----

class Machine:
    """What a recorded machine's sysfs says, read from its archive."""

    def __init__(self, folder, name):
        self.groups, self.tree = {}, None
        base = re.escape(name) + "/sys/kernel/iommu_groups/"
        with tarfile.open(os.path.join(folder, name + ".tar.xz")) as archive:
            for member in archive:
                group = re.fullmatch(base + r"(\d+)/(?:devices/(\S+)|reserved_regions)", member.name)
                if member.name == name + "/sys/firmware/fdt":
                    self.tree = archive.extractfile(member).read()
                elif group:
                    one = self.groups.setdefault(int(group[1]), {"devices": [], "reserved": []})
                    if group[2]:
                        one["devices"].append(group[2])
                    else:
                        one["reserved"] = [
                            (number(line.split()[0]), number(line.split()[1]) + 1) for line in
                            archive.extractfile(member).read().decode().splitlines()]
        self.vfio, self.maps, self.tried = [], [], None
        with open(os.path.join(folder, name + ".kernel-vfio.txt"), encoding="utf-8") as file:
            for line in file:
                words = line.split()
                if words[:2] == ["type1", "range"]:
                    self.vfio.append((number(words[2]), number(words[3]) + 1))
                elif words[:1] == ["type1"] and words[1].startswith("dev="):
                    self.tried = words[1][len("dev="):]
                elif words[:2] == ["type1", "map"]:
                    self.maps.append((number(words[2]), words[4] == "OK"))
        with open(os.path.join(folder, name + ".msi.txt"), encoding="utf-8") as file:
            self.doorbells = {line.split()[0]: number(text) for line in file
                              for text in re.findall(r"addr=(0x[0-9a-f]+)", line)}


def check_trials(tap, what, machine, told):
    """Mappings that VFIO tried: what it refused is never allowed; what it took may still be wrong."""
    for first, taken in machine.maps:
        if not taken:
            tap.check(not holds(allowed(told), first),
                      "%s: VFIO refuses 0x%x, and so do we" % (what, first))
        elif not holds(allowed(told), first):
            causes = {r["cause"] for r in told["removed"]
                      if number(r["first"]) <= first <= number(r["last"])}
            tap.check(causes and causes <= {"no-window", "aperture"},
                      "%s: VFIO takes 0x%x, where nothing gets through" % (what, first), causes)


def check_arm(tap, name, machine, folder):
    """Groups of functions behind an SMMU, with the machine's own tree."""
    path = os.path.join(folder, name + ".dtb")
    with open(path, "wb") as file:
        file.write(machine.tree)
    tree = dtref.read_fdt(machine.tree)
    table = tree.by_path[HOST]
    windows = [(0, END)]
    if table.props.get("dma-ranges"):
        windows = union([dtref.span(bus, size)
                         for bus, size, _cpu in dtref.up_to_the_end(tree, table)[1]])
    apertures = [dtref.span(number(one["bus"]), number(one["size"]))
                 for one in dtref.outbound_objects(tree, table) if one["kind"] != "io"]
    for index, group in sorted(machine.groups.items()):
        what = "%s, group %d" % (name, index)
        devices = ",".join(function(device) for device in group["devices"])
        told = rest(group["reserved"])
        found = groups(path, devices, *report("sysfs", told))[0]
        tap.equal(found["devices"], [function(device) for device in group["devices"]],
                  what + ": its devices")
        tap.equal(spelled(allowed(found["iova"])),
                  spelled(common(common(windows, rest(apertures)), told)), what + ": allowed")
        tap.equal(spelled(removed(found["iova"], "reported")), spelled(union(group["reserved"])),
                  what + ": reserved_regions are named")
        for device, doorbell in machine.doorbells.items():
            if device in group["devices"]:
                tap.check(holds(allowed(found["iova"]), doorbell, 4), "%s: the IOVA that the kernel "
                          "took for the doorbell of %s" % (what, device), hex(doorbell))
        if machine.tried in group["devices"]:
            check_trials(tap, what, machine,
                         groups(path, devices, *report("vfio", machine.vfio))[0]["iova"])
    inside = common(common(windows, rest(apertures)), machine.vfio)
    told = groups(path, HOST, *report("vfio", machine.vfio))[0]["iova"]
    tap.equal(spelled(allowed(told)), spelled(inside), name + ": what VFIO's ranges leave")


BARE = """/dts-v1/;
/ { #address-cells = <2>; #size-cells = <2>; pci { dmas = <0>; }; };
"""


def check_x86(tap, name, machine, folder):
    """No tree: what the kernel reports is all that is known, and must come out as it went in."""
    path = os.path.join(folder, "bare.dts")
    with open(path, "w", encoding="utf-8") as file:
        file.write(BARE)
    for index, group in sorted(machine.groups.items()):
        what = "%s, group %d" % (name, index)
        found = groups(path, "/pci", *report("sysfs", rest(group["reserved"])),
                       *report("vfio", machine.vfio))[0]["iova"]
        tap.equal(spelled(allowed(found)), spelled(common(rest(group["reserved"]), machine.vfio)),
                  what + ": allowed")
        tap.equal({one["by"] for one in found["removed"]}, {"sysfs", "vfio"}, what + ": by whom")
        tap.equal(list(accounting(found)), [], what + ": every byte has its cause")
        if machine.tried in group["devices"]:
            check_trials(tap, what, machine, found)


MACHINES = {"qemu-virt-smmuv3-its-dt": check_arm, "qemu-virt-smmuv3-its-dt-holes": check_arm,
            "qemu-q35-switch-vtd": check_x86}


def check_machines(tap, scratch):
    data = data_folder()
    for name, check in MACHINES.items():
        folder = os.path.join(data, os.pardir, "machines") if data else None
        if not folder or not os.path.exists(os.path.join(folder, name + ".tar.xz")):
            tap.skip(name, "set BUSWAY_TEST_DATA to the folder above machines/")
            continue
        machine = Machine(folder, name)
        tap.check(machine.groups and machine.vfio and machine.maps, name + ": was read")
        check(tap, name, machine, scratch)


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        check_recording(tap, folder)
        check_variants(tap, folder)
        check_machines(tap, folder)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
