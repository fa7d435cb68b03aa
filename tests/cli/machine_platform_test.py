#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""machine_platform_test.py - machines as platforms: show, why, map and alloc on small ones.

Each machine is a folder that is made here, a few files each, so that every answer can be worked out
by hand.
"""

import os
import sys
import tempfile

from machine_tree import HIGH, IOAPIC, RAM, Machine, config
from support import Tap, ask, run, show

NAME = "0000:00:01.0"
WINDOW = (0, 0xc0000000, 0xdfffffff, "PCI Bus 0000:00")


def number(text):
    return int(text, 16)


def plain(root, *lines, cpu=((0xc0000000, 0xc0000fff),), bars=((32, 0xc0000000),), mask=64,
          told=True, **options):
    """One function below one host bridge. told: the kernel says that there is no IOMMU."""
    machine = Machine(root)
    machine.function(NAME, space=config(bars=bars), cpu=cpu, mask=mask, **options)
    machine.iomem(*(lines or (RAM, WINDOW, IOAPIC)))
    if told:
        os.makedirs(machine.path("sys/kernel/iommu_groups"))
    return machine


def device(root, name=NAME, *options):
    (one,) = show(root, name, *options)["devices"]
    return one


def codes(one):
    return {note["code"] for note in one["notes"]}


def gaps(root):
    return ["%s: %s" % (gap["file"], gap["message"]) for gap in show(root)["platform"]["gaps"]]


def mapped(root, name, phys, *options):
    """("direct", address) or the code of the refusal."""
    (one,) = ask("map", root, name, phys, *options)[1]["results"]
    if one["ok"]:
        return one["how"], one["segments"][0]["dma"]
    return one["refusal"]["code"]


def reached(root, name, address):
    answer = ask("why", root, name, address)[1]
    return answer["refusal"]["code"] if answer["refusal"] else answer["target"]


# ---- memory ----

def check_memory(tap, root):
    plain(root, (0, 0, 0xfff, "Reserved"), (0, 0x1000, 0x9ffff, "System RAM"),
          (0, 0xa0000, 0xfffff, "PCI Bus 0000:00"),
          (0, 0x100000, 0x7fffffff, "System RAM"), (1, 0x100000, 0x77ffffff, "Kernel code"),
          (1, 0x7a000000, 0x7fffffff, "reserved"),
          (0, 0x80000000, 0x8fffffff, "Reserved"), WINDOW, IOAPIC,
          (0, 0x100000000, 0x1ffffffff, "Persistent Memory"), (1, 0x100000000, 0x1ffffffff, "dax0.0"),
          (2, 0x140000000, 0x1ffffffff, "System RAM (kmem)"))
    answer = show(root)
    tap.equal([(m["base"], m["size"]) for m in answer["platform"]["memory"]],
              [("0x1000", "0x9f000"), ("0x100000", "0x7ff00000"), ("0x140000000", "0xc0000000")],
              "memory is what is called System RAM, on every level")
    one = device(root)
    tap.equal([(r["dma"], r["cpu"], r["size"]) for r in one["reach"]],
              [(m["base"], m["base"], m["size"]) for m in answer["platform"]["memory"]],
              "an x86 machine: all of it is reached at its own addresses")
    tap.equal(mapped(root, "00:01.0", "0x200000+4K"), ("direct", "0x200000"), "map: directly")
    tap.equal(mapped(root, NAME, "0x80000000+4K"), "no-memory", "map: what is reserved is no memory")
    status, answer = ask("alloc", root, NAME, "32M", "--mask", "31")
    tap.equal((status, answer["phys"]), (0, "0x78000000"), "alloc: not where somebody else is")
    tap.equal(ask("alloc", root, NAME, "33M", "--mask", "31")[0], 1, "alloc: and not a byte more")


def check_hidden_memory(tap, root):
    machine = plain(root, (0, 0, 0, "System RAM"), (0, 0, 0, "PCI Bus 0000:00"),
                    (0, 0, 0, "IOAPIC 0"))
    answer = show(root)
    tap.equal(answer["platform"]["memory"], [], "a reader without privileges: memory is unknown")
    tap.equal([d["reach"] for d in answer["devices"]], [None, None], "and so is every reach")
    tap.check(any(g.startswith("proc/iomem: a reader without privileges") for g in gaps(root)),
              "and it is said", gaps(root))
    tap.equal(reached(root, NAME, "0xc0000000"), "aperture",
              "BARs answer, even where windows are unknown")
    tap.equal(mapped(root, NAME, "0xc0000000+4K"), "no-memory",
              "and what the CPU sees of them is not taken for memory")
    os.remove(machine.path("proc/iomem"))
    machine.write("proc/cpuinfo", "vendor_id\t: GenuineIntel\n")
    tap.check(any(g.startswith("proc/iomem: cannot be read") for g in gaps(root)),
              "no proc/iomem at all: said, too", gaps(root))
    machine.write("proc/iomem", "nonsense\n100-50 : backwards\n00100000-7fffffff : System RAM\n")
    tap.check(any("no \"FIRST-LAST : NAME\"" in g for g in gaps(root)), "lines that are none: said",
              gaps(root))
    tap.equal([m["base"] for m in show(root)["platform"]["memory"]], ["0x100000"],
              "and the others count")


# ---- host bridges ----

def host(root, name="pci0000:00"):
    return device(root, name)


def check_windows(tap, root):
    plain(root, RAM, WINDOW, (0, 0x4000000000, 0x7fffffffff, "PCI Bus 0000:00"), IOAPIC)
    one = host(root)
    tap.equal([(o["kind"], o["bus"], o["cpu"], o["size"]) for o in one["outbound"]],
              [("mem32", "0xc0000000", "0xc0000000", "0x20000000"),
               ("mem64", "0x4000000000", "0x4000000000", "0x4000000000")], "windows of proc/iomem")
    tap.equal((one["kind"], one["coherence"]), ("pci-host", "coherent"), "the host bridge")
    for address in "0xc0000000", "0xdfffffff", "0x4000000000", "0x7fffffffff":
        tap.equal(reached(root, NAME, address), "aperture", "DMA to %s ends in a window" % address)
    tap.equal(reached(root, NAME, "0xe0000000"), "no-memory", "behind a window nothing is known")
    tap.check(reached(root, NAME, "0xfee00000")["kind"] == "doorbell", "0xfee00000 is an interrupt",
              reached(root, NAME, "0xfee00000"))


def check_nested_windows(tap, root):
    machine = plain(root, RAM, (0, 0xc0000000, 0xdfffffff, "Reserved"),
                    (1, 0xc0000000, 0xcfffffff, "PCI ECAM 0000 [bus 00-ff]"),
                    (2, 0xc0000000, 0xc00fffff, "PCI Bus 0000:00"),
                    (3, 0xc0000000, 0xc00fffff, "PCI Bus 0000:01"),
                    (0, 0xe0000000, 0xe00fffff, "PCI Bus 0001:00"), IOAPIC)
    machine.function("0001:00:01.0", below="pci0001:00")
    tap.equal([o["cpu"] for o in host(root)["outbound"]], ["0xc0000000"],
              "a window that lies in something else; not those of other domains and buses")
    tap.equal([o["cpu"] for o in host(root, "pci0001:00")["outbound"]], ["0xe0000000"],
              "the other domain has its own")
    result = run("why", root, "00:01.0", "0")
    tap.check(result.status == 2 and "ambiguous" in result.err and not result.out,
              "00:01.0 is in both domains: ambiguous", result)


def check_offset(tap, root):
    machine = plain(root, RAM, (0, 0xc0000000, 0xcfffffff, "PCI Bus 0000:00"),
                    (0, 0xd0000000, 0xdfffffff, "PCI Bus 0000:00"), IOAPIC,
                    bars=((32, 0x10000000),), cpu=((0xc0000000, 0xc0000fff),))
    tap.equal([(o["bus"], o["cpu"]) for o in host(root)["outbound"]],
              [("0x10000000", "0xc0000000"), ("0xd0000000", "0xd0000000")],
              "a BAR has both addresses: its window has the offset, the other one has not")
    tap.equal(reached(root, NAME, "0x10000800"), "aperture", "the BAR answers where the bus has it")
    machine.function("0000:00:02.0", space=config(bars=((32, 0x20000000),)),
                     cpu=((0xc1000000, 0xc1000fff),))
    found = host(root)["outbound"]
    tap.equal([o["bus"] for o in found], ["0xd0000000"],
              "two BARs of one window that disagree: its bus addresses are unknown")
    tap.check(any("different distances" in g and NAME in g and "00:02.0" in g for g in gaps(root)),
              "and it is said, with both", gaps(root))
    tap.equal([reached(root, NAME, at) for at in ("0x10000000", "0x20000fff")],
              ["aperture", "aperture"], "both BARs answer all the same")


def check_bridge_windows(tap, root):
    """Nothing of the host bridge is known: what the bridges below it pass down counts."""
    machine = Machine(root)
    machine.write("proc/cpuinfo", "processor : 0\nvendor_id\t: AuthenticAMD\ncpu family : 23\n")
    os.makedirs(machine.path("sys/kernel/iommu_groups"))
    own = machine.function("0000:00:01.0", space=config(
        class_code=0x060400, bridge=(0, 1, 1, (0xe0000000, 0xe01fffff)), capability=4))
    machine.function("0000:01:00.0", below=own)
    tap.equal([reached(root, "01:00.0", at) for at in ("0xe0000000", "0xe01fffff")],
              ["aperture", "aperture"], "a bridge's window on the root bus")
    tap.check(reached(root, "01:00.0", "0xe0200000") != "aperture", "and not a byte more")
    tap.equal(host(root)["kind"], "pcie-host", "a root port makes it PCI Express")
    tap.equal([d["path"] for d in show(root)["devices"]], ["pci0000:00", "0000:01:00.0"],
              "bridges are no likely masters")
    tap.check("0000:00:01.0" in [d["path"] for d in show(root, "--all")["devices"]],
              "--all has them")


def check_pictures(tap, root):
    machine = plain(root)
    machine.group(0, ["pci0000:00/" + NAME], "DMA", [(0xfee00000, 0xfeefffff, "msi")])
    for arguments in ([], [NAME], ["--iova"], [NAME, "--iova"]):
        result = run("show", root, *arguments, "--format", "svg")
        tap.check(result.status == 0 and "<svg" in result.out and NAME in result.out,
                  "a picture of a machine: %s" % " ".join(arguments), str(result)[:500])


def check_simulated_groups(tap, root):
    """Behind an IOMMU the kernel's groups are the domains, and its unit says which tables."""
    machine = plain(root)
    two = machine.function("0000:00:02.0")
    three = machine.function("0000:00:03.0")
    machine.group(0, ["pci0000:00/" + NAME, two], "DMA", [(0xfee00000, 0xfeefffff, "msi")])
    machine.group(1, [three], "DMA", [(0xfee00000, 0xfeefffff, "msi")])
    for unit, tables in (("dmar0", "VT-d second stage"), ("ivhd0", "AMD")):
        for name in NAME, "0000:00:02.0", "0000:00:03.0":
            link = machine.path("sys/devices/pci0000:00", name, "iommu")
            if os.path.lexists(link):
                os.remove(link)
            machine.link("sys/devices/pci0000:00/%s/iommu" % name, "sys/devices/virtual/" + unit)
        result = run("sim", root, "--count", "500")
        tap.check(result.status == 0 and "no violation" in result.out, "%s: sim" % unit, result)
        tap.check("through domain 1 of " + unit in result.out and "tables of " + tables in
                  result.out and "domain 3" not in result.out, "%s: two groups, two domains" % unit,
                  result)
    result = run("sim", root, "--count", "50", "--iommu", "bypass")
    tap.check(result.status == 0, "sim --iommu bypass", result)


def check_simulation(tap, root):
    plain(root)
    result = run("sim", root, "--count", "50")
    tap.check(result.status == 0 and "no violation" in result.out, "sim runs on a machine", result)
    text = run("show", root, NAME).out
    tap.check("mask: 64 bits" in text and "0000:00:01.0" in text, "show names the mask", text)


# ---- is it an x86 machine? ----

def check_x86(tap, folder):
    def sign_cpu(machine):
        machine.write("proc/cpuinfo", "vendor_id\t: HygonGenuine\n")

    def sign_table(machine):
        machine.write("sys/firmware/acpi/tables/DMAR", b"DMAR")

    def sign_intel(machine):
        machine.function("0000:00:00.0", space=config(vendor=0x8086, class_code=0x060000))

    def sign_hidden(machine):
        machine.iomem((0, 0, 0, "IOAPIC 0"))

    def sign_arm(machine):
        machine.write("proc/cpuinfo", "CPU implementer : 0x41\n")

    def sign_table_of_others(machine):
        machine.write("sys/firmware/acpi/tables/IORT", b"IORT")

    def sign_guest(machine):
        sign_cpu(machine)
        machine.write("sys/hypervisor/guest_type", "PV\n")

    def sign_port(machine):
        """Cards of Intel's are in other machines, too."""
        machine.function("0000:00:03.0", space=config(vendor=0x8086, class_code=0x060400,
                                                      bridge=(0, 1, 1), capability=4))

    rows = [(sign_cpu, "proc/cpuinfo"), (sign_table, "sys/firmware/acpi/tables"),
            (sign_intel, "0000:00:00.0"), (sign_hidden, "proc/iomem"), (sign_arm, None),
            (sign_table_of_others, None), (sign_guest, None), (sign_port, None)]
    for index, (sign, by) in enumerate(rows):
        root = os.path.join(folder, str(index))
        machine = plain(root, RAM, WINDOW)
        sign(machine)
        one = device(root)
        what = sign.__name__[5:].replace("_", " ")
        notes = {n["code"]: n["property"] for n in one["notes"]}
        if by:
            tap.equal(notes.get("x86-root-complex"), by, what + ": 1:1, and it is said why")
            tap.equal(one["dma"]["restricted"], False, what + ": no window limits it")
        else:
            tap.check("inbound-unknown" in notes, what + ": nothing is known", notes)
            tap.equal((one["dma"]["windows"], one["dma"].get("error"), one["reach"]),
                      ([], "untranslatable", []), what + ": no window leads anywhere")
            tap.equal(reached(root, NAME, "0x200000"), "untranslatable", what + ": why refuses")
            tap.check(isinstance(mapped(root, NAME, "0x200000+4K"), str), what + ": map refuses",
                      mapped(root, NAME, "0x200000+4K"))


# ---- IOMMU groups ----

def check_iommu(tap, folder):
    def tables(machine, *names):
        for name in names:
            machine.write("sys/firmware/acpi/tables/" + name, name)

    def grouped(kind):
        return lambda machine: machine.group(5, ["pci0000:00/" + NAME], kind)

    rows = [
        ("a translated group", grouped("DMA"), "behind-iommu", set()),
        ("a group with a queue", grouped("DMA-FQ"), "behind-iommu", set()),
        ("an identity group", grouped("identity"), "direct", set()),
        ("a group whose type cannot be read", grouped(None), "behind-iommu", {"iommu-unknown"}),
        # the link may be missing in the recording only
        ("groups, but not its own", lambda m: os.makedirs(m.path("sys/kernel/iommu_groups/1")),
         "behind-iommu", {"iommu-unknown"}),
        ("tables, and none of an IOMMU", lambda m: tables(m, "APIC", "FACP"), "direct", set()),
        ("a DMAR, and no word of groups", lambda m: tables(m, "APIC", "DMAR"), "behind-iommu",
         {"iommu-unknown"}),
        ("no word at all", lambda m: None, "behind-iommu", {"iommu-unknown"}),
    ]
    for index, (what, change, expected, notes) in enumerate(rows):
        root = os.path.join(folder, str(index))
        machine = plain(root, told=False)
        change(machine)
        found = mapped(root, NAME, "0x200000+4K")
        tap.equal(found if isinstance(found, str) else found[0], expected, what + ": map")
        one = device(root)
        tap.equal(codes(one) & {"iommu-unknown"}, notes, what + ": notes")
        tap.equal("iova" in one, expected == "behind-iommu", what + ": IOVAs")
        tap.check(mapped(root, NAME, "0x200000+4K", "--bypass-iommu")[0] == "direct",
                  what + ": the user may say that nothing translates")
        peer = "0000:00:1d.0"
        machine.function(peer, space=config(bars=((32, 0xc0100000),)),
                         cpu=((0xc0100000, 0xc0100fff),))
        pair = ask("p2p", root, NAME, peer, "--cpu", "zen")[1]["pairs"][0]
        # in a group it is taken for translated; without one, for not
        translated = expected == "behind-iommu" and (not notes or "a group" in what)
        tap.equal((pair["verdict"], pair["certain"]),
                  ("iommu" if translated else "host-bridge", not notes), what + ": a peer")


def check_unknown(tap, folder):
    """What is taken for translated, and what is said of it."""
    def shown(root):
        return run("show", root, NAME).out, run("show", root).out, run("why", root, NAME, "0x200000").out

    root = os.path.join(folder, "type")
    plain(root, told=False).group(5, ["pci0000:00/" + NAME], None)
    tap.equal([n["property"] for n in device(root)["notes"] if n["code"] == "iommu-unknown"],
              ["iommu_group/type"], "a type that cannot be read: the note names it")
    tap.check("IOMMU group 5\n" in shown(root)[0], "and the group is not called translated",
              shown(root)[0])
    tap.check(any("address bits" in g for g in gaps(root)), "nor is its width known", gaps(root))
    root = os.path.join(folder, "others")
    os.makedirs(plain(root, told=False).path("sys/kernel/iommu_groups/1"))
    tap.check(any("address bits" in g for g in gaps(root)), "no group: how wide it would be is not known",
              gaps(root))
    root = os.path.join(folder, "unit")
    machine = plain(root, told=False)
    os.makedirs(machine.path("sys/devices/virtual/iommu/dmar7"))
    machine.link("sys/devices/pci0000:00/%s/iommu" % NAME, "sys/devices/virtual/iommu/dmar7")
    details, listed, way = shown(root)
    tap.check("nothing says whether" in details and ", perhaps behind dmar7" in listed and
              "perhaps dmar7 translates" in way, "a unit, and no more: perhaps", details + listed + way)
    tap.equal(mapped(root, NAME, "0x200000+4K"), "behind-iommu", "and map refuses")


def check_unit(tap, root):
    """The link that names the unit, and the width that its register states."""
    machine = plain(root)
    machine.group(1, ["pci0000:00/" + NAME], "DMA")
    machine.write("sys/devices/virtual/iommu/dmar7/intel-iommu/cap", "d2008c40660462\n")
    machine.link("sys/class/iommu/dmar7", "sys/devices/virtual/iommu/dmar7")
    machine.link("sys/devices/pci0000:00/%s/iommu" % NAME, "sys/devices/virtual/iommu/dmar7")
    answer = show(root, NAME)
    (one,) = answer["devices"]
    tap.equal([i["node"] for i in one["iommu"]], ["dmar7"], "the unit that sysfs links")
    tap.equal(answer["platform"]["iommus"], [{"name": "dmar7", "devices": [NAME]}],
              "platform.iommus")
    # MGAW, bits 21..16 of 0xd2008c40660462: 0x26, that is 39 bits
    tap.equal([(r["first"], r["last"], r["by"]) for r in one["iova"]["removed"]
               if number(r["last"]) == (1 << 64) - 1],
              [("0x8000000000", "0xffffffffffffffff", "sys/class/iommu/dmar7/intel-iommu/cap")],
              "IOVAs beyond its 39 bits are taken away")
    tap.check(not any("address bits" in g for g in gaps(root)), "and no gap is left", gaps(root))


# ---- masks and names ----

def check_masks(tap, root):
    plain(root, RAM, HIGH, WINDOW, IOAPIC, mask=32, consistent_dma_mask_bits="30\n")
    one = device(root)
    tap.equal((one["dma_mask_bits"], one["coherent_dma_mask_bits"]), (32, 30), "masks of sysfs")
    tap.check("narrow-mask" in codes(one), "a mask that is narrower than memory", codes(one))
    tap.equal(mapped(root, NAME, "0x100000000+4K"), "beyond-mask", "and map refuses beyond it")
    text = run("show", root, NAME).out
    tap.check("narrower than memory" in text and "32 bits" in text, "show says so", text)
    wide = os.path.join(root, "wide")
    plain(wide, RAM, WINDOW, IOAPIC, mask=32)
    tap.check("narrow-mask" not in codes(device(wide)), "one that covers memory is wide enough")
    behind = os.path.join(root, "behind")
    machine = plain(behind, RAM, HIGH, WINDOW, IOAPIC, mask=32)
    machine.group(0, ["pci0000:00/" + NAME], "DMA")
    tap.check("narrow-mask" not in codes(device(behind)), "and behind an IOMMU it does not matter")


def check_names(tap, root):
    machine = plain(root)
    machine.function("10000:e1:00.0", below="pci10000:e1")
    for name in NAME, "00:01.0", "10000:e1:00.0", "e1:00.0":
        tap.equal(device(root, name)["path"].endswith(name), True, "%s is a device" % name)
    tap.equal([d["path"] for d in show(root, "00:01.0,e1:00.0", "--iova")["devices"]],
              [NAME, "10000:e1:00.0"], "a list of them")
    for name in "00:1f.0", "0000:44:00.0", "0001:00:01.0":
        result = run("show", root, name)
        tap.check(result.status == 2 and "no PCI function '%s'" % name in result.err
                  and not result.out, "%s is none" % name, result)


# ---- machines that have a device tree, too ----

TREE = """/dts-v1/;
/ {
	#address-cells = <2>; #size-cells = <2>; model = "a board"; compatible = "a,board";
	memory@80000000 { device_type = "memory"; reg = <0 0x80000000 0 0x40000000>; };
	%s
};
"""
PCIE = """pcie@%(unit)s {
		device_type = "pci"; compatible = "pci-host-ecam-generic";
		#address-cells = <3>; #size-cells = <2>; reg = <0x40 0x%(unit)s 0 0x1000000>;
		%(more)s
		ranges = <0x02000000 0 0x10000000 0 0x%(cpu)s 0 0x10000000>;
		dma-ranges = <0x02000000 0 0x%(inbound)s 0 0x80000000 0 0x20000000>;
	};
"""


def node(unit, cpu="10000000", inbound="40000000", more=""):
    return PCIE % {"unit": unit, "cpu": cpu, "inbound": inbound, "more": more}


def board(root, source, **options):
    machine = Machine(root)
    options.setdefault("space", config(bars=((32, 0x10000000),)))
    options.setdefault("cpu", ((0x10000000, 0x10000fff),))
    machine.function(NAME, below=options.pop("below", "platform/40.pcie/pci0000:00"), **options)
    machine.tree(source)
    return machine


def windows(root):
    one = device(root)
    return [(w["bus"], w["cpu"], w["size"]) for w in one["dma"]["windows"]]


ONE = [("0x40000000", "0x80000000", "0x20000000")]
OTHER = [("0x50000000", "0x80000000", "0x20000000")]


def check_tree_and_unit(tap, root):
    """The tree has no word of the unit that the kernel links the function with."""
    machine = board(root, TREE % node("1000000"))
    for what, change in (("no groups", lambda: None),
                         ("groups of others", lambda: os.makedirs(machine.path("sys/kernel/iommu_groups/1")))):
        change()
        tap.equal(mapped(root, NAME, "0x80000000+4K"), ("direct", "0x40000000"), what + ": direct")
    os.makedirs(machine.path("sys/devices/virtual/iommu/iommu-phb0000"))
    machine.link("sys/devices/platform/40.pcie/pci0000:00/%s/iommu" % NAME,
                 "sys/devices/virtual/iommu/iommu-phb0000")
    tap.equal(mapped(root, NAME, "0x80000000+4K"), "behind-iommu", "a unit: taken for translated")
    os.rmdir(machine.path("sys/kernel/iommu_groups/1"))
    os.rmdir(machine.path("sys/kernel/iommu_groups"))
    tap.equal(mapped(root, NAME, "0x80000000+4K"), "behind-iommu", "and so it is without groups")


def check_tree(tap, root):
    machine = board(root, TREE % node("1000000"))
    answer = show(root, NAME)
    tap.equal(answer["platform"]["model"], "a board", "the platform is the tree's")
    tap.equal(windows(root), ONE, "dma-ranges of the only host bridge limit the function")
    tap.equal(mapped(root, NAME, "0x80000000+4K"), ("direct", "0x40000000"), "map: by its windows")
    tap.equal(mapped(root, NAME, "0xa0000000+4K"), "no-window", "map: not outside of them")
    tap.equal(reached(root, NAME, "0x10000000"), "aperture", "its outbound window answers")
    machine.tree(TREE % (node("1000000") + node("2000000", inbound="50000000")))
    tap.check(gaps(root) and windows(root) == [], "two that fit alike: none is guessed", gaps(root))


def check_joins(tap, folder):
    domains = TREE % (node("1000000", more="linux,pci-domain = <0>; bus-range = <0 0x7f>;") +
                      node("2000000", inbound="50000000",
                           more="linux,pci-domain = <0>; bus-range = <0x80 0xff>;") +
                      node("3000000", inbound="60000000", more="linux,pci-domain = <1>;"))
    root = os.path.join(folder, "domains")
    machine = board(root, domains)
    tap.equal(windows(root), ONE, "by domain and bus-range")
    machine.function("0000:80:00.0", below="platform/41.pcie/pci0000:80",
                     space=config(bars=((32, 0x10000000),)), cpu=((0x10000000, 0x10000fff),))
    (one,) = show(root, "80:00.0")["devices"]
    tap.equal(one["dma"]["source"], "/pcie@2000000", "the other one's buses are the other one's")

    alike = TREE % (node("1000000") + node("2000000", inbound="50000000"))
    for what, link in (("the platform device", "sys/devices/platform/40.pcie/of_node"),
                       ("the bus", "sys/devices/platform/40.pcie/pci0000:00/of_node")):
        root = os.path.join(folder, "of_node of " + what)
        machine = board(root, alike)
        machine.link(link, "sys/firmware/devicetree/base/pcie@2000000")
        tap.equal(windows(root), OTHER, "by the link of_node of " + what)

    root = os.path.join(folder, "windows")
    board(root, TREE % (node("1000000", cpu="30000000") + node("2000000", inbound="50000000")))
    tap.equal(windows(root), OTHER, "by the windows that hold its BARs, offset and all")

    root = os.path.join(folder, "outside")
    board(root, TREE % node("1000000", cpu="30000000"))
    tap.check(any("no host bridge in the device tree is pci0000:00" in g for g in gaps(root)),
              "BARs outside the only bridge's windows: it is another one's, and it is said",
              gaps(root))
    tap.equal(reached(root, NAME, "0x40000000"), "untranslatable", "and nothing is guessed")
    machine = board(os.path.join(folder, "partly"), TREE % node("1000000"))
    machine.function("0000:00:02.0", below="platform/40.pcie/pci0000:00",
                     space=config(bars=((32, 0x70000000),)), cpu=((0x70000000, 0x70000fff),))
    tap.check(any("do not lie in its windows" in g for g in gaps(machine.root)),
              "one BAR outside: said", gaps(machine.root))
    tap.equal(windows(machine.root), ONE, "and the others tell which bridge it is")


def check_trees_of_no_use(tap, folder):
    root = os.path.join(folder, "empty")
    machine = plain(root)
    machine.tree('/dts-v1/;\n/ { chosen { }; };\n')
    tap.equal(mapped(root, NAME, "0x200000+4K"), ("direct", "0x200000"),
              "a tree without a host bridge, as ACPI machines have it, says nothing")
    machine.write("sys/firmware/fdt", b"\xd0\x0d\xfe\xed\0\0\0\x30" + bytes(16))
    tap.check(any(g.startswith("sys/firmware/fdt: ") for g in gaps(root)), "a broken tree is a gap",
              gaps(root))
    tap.equal(mapped(root, NAME, "0x200000+4K"), ("direct", "0x200000"), "and nothing else")


def check_tree_iommu(tap, root):
    """iommu-map says who is translated, and the kernel's groups say it better."""
    smmu = "smmu: iommu@5000000 { compatible = \"arm,smmu-v3\"; reg = <0 0x5000000 0 0x20000>; " \
           "#iommu-cells = <1>; };\n"
    machine = board(root, TREE % (smmu + node(
        "1000000", more="iommu-map = <0 &smmu 0 0x10000>;")))
    tap.equal(mapped(root, NAME, "0x80000000+4K"), "behind-iommu",
              "no group yet: iommu-map says that an IOMMU translates")
    machine.group(3, ["platform/40.pcie/pci0000:00/" + NAME], "identity",
                  [(0x8000000, 0x80fffff, "msi")])
    tap.equal(mapped(root, NAME, "0x80000000+4K"), ("direct", "0x40000000"),
              "an identity group: it does not")
    machine.write("sys/kernel/iommu_groups/3/type", "DMA\n")
    one = device(root)
    tap.equal([i["node"] for i in one["iommu"]], ["/iommu@5000000"], "the unit is the tree's")
    tap.equal([(a["first"], a["last"]) for a in one["iova"]["allowed"]],
              [("0x40000000", "0x5fffffff")], "IOVAs: inside the inbound window only")
    tap.check({"no-window", "aperture", "reserved"} <= {r["cause"] for r in one["iova"]["removed"]},
              "and each cause has its name", one["iova"]["removed"])


CHECKS = [check_memory, check_hidden_memory, check_windows, check_nested_windows, check_offset,
          check_bridge_windows, check_pictures,
          check_simulation, check_simulated_groups, check_x86, check_iommu, check_unknown, check_unit, check_masks, check_names,
          check_tree, check_tree_and_unit, check_joins, check_trees_of_no_use, check_tree_iommu]


def main():
    tap = Tap()
    for check in CHECKS:
        with tempfile.TemporaryDirectory() as folder:
            root = os.path.join(folder, "m")
            check(tap, root)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
