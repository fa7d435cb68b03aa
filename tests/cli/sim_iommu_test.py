#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""sim_iommu_test.py - busway sim: devices behind IOMMUs run in domains.

Who shares a domain is told by hand for small trees, one fact of the bindings each. That addresses
lead where they should is judged by the machine, whose IOMMU walks the tables.
"""

import os
import random
import sys
import tempfile

from support import Tap, ask, board, run

TREE = """
/dts-v1/;
/ {
	#address-cells = <1>;
	#size-cells = <1>;
	memory@80000000 { device_type = "memory"; reg = <0x80000000 0x10000000>; };
	%s
};
"""

SMMU = 'mmu: iommu@1000 { compatible = "%s"; reg = <0x1000 0x1000>; #iommu-cells = <%d>; %s };'

ENGINE = ('%s: dma@%x { compatible = "example,dma"; reg = <0x%x 0x100>; #dma-cells = <1>; '
          'iommus = <%s>; %s };')


def smmu(compatible="arm,smmu-v3", cells=1, more=""):
    return SMMU % (compatible, cells, more)


def engine(number, iommus, more=""):
    at = 0x10000 + number * 0x100
    return ENGINE % ("e%d" % number, at, at, iommus, more)


def host(iommu_map, more="", functions=(1, 2)):
    """A host bridge without windows, and functions in its slots."""
    return """pcie@40000000 {
		compatible = "pci-host-ecam-generic"; device_type = "pci";
		reg = <0x40000000 0x1000000>;
		#address-cells = <3>; #size-cells = <2>; bus-range = <0 0>;
		ranges = <0x2000000 0 0x50000000 0x50000000 0 0x1000000>;
		iommu-map = <%s>; %s
		%s
	};""" % (iommu_map, more,
             " ".join("fn@%d,0 { reg = <0x%x 0 0 0 0>; %%s };" % (n, n << 11)
                      for n in functions).replace("%s", ""))


def sim(tree, *arguments):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "tree.dts")
        with open(path, "w", encoding="utf-8") as file:
            file.write(TREE % tree)
        return run("sim", path, *arguments, "--format", "json")


def groups(document):
    """Names of devices by domain, in the order of the numbers."""
    found = {}
    for d in document["devices"]:
        if d["attached"] and d["domain"]:
            found.setdefault(d["domain"], []).append(d["path"].rsplit("/", 1)[-1])
    return [found[n] for n in sorted(found)]


BRIDGE, F1, F2 = "pcie@40000000", "fn@1,0", "fn@2,0"
E1, E2, E3 = "dma@10100", "dma@10200", "dma@10300"

CHIP = """ #address-cells = <1>; #size-cells = <1>;
		compatible = "simple-bus"; ranges = <0 0x2000000 0 0x50000000 0x1000>;
		inner@0 { compatible = "example,dma"; reg = <0 0x100>; #dma-cells = <1>; %s };"""


OTHER = """}; other@200 { compatible = "example,dma"; reg = <0x200 0x100>; #dma-cells = <1>;"""


def with_chip(tree, more=""):
    """A chip with an engine behind the first function."""
    return tree.replace("fn@1,0 { reg = <0x800 0 0 0 0>;",
                        "fn@1,0 { reg = <0x800 0 0 0 0>;" + CHIP % more)


def behind_bridge(tree):
    """The first function on bus 1, behind a bridge."""
    at, end = tree.index("fn@1,0"), tree.index("fn@2,0")
    function = tree[at:end].replace("fn@1,0 { reg = <0x800 ", "fn@1,0 { reg = <0x10800 ")
    return (tree[:at] + """port@3,0 { device_type = "pci"; reg = <0x1800 0 0 0 0>; bus-range = <1 1>;
        #address-cells = <3>; #size-cells = <2>; ranges; %s };""" % function +
            tree[end:]).replace("bus-range = <0 0>", "bus-range = <0 1>")


# What takes part in the simulation is one device and has one domain. To "show --iova" a bridge stands
# for functions that each have an ID: where that matters, a fifth word is who shares there.
SHARING = (
    ("IDs of their own", smmu() + engine(1, "&mmu 1") + engine(2, "&mmu 2"), (), [[E1], [E2]]),
    ("an ID in common", smmu() + engine(1, "&mmu 7") + engine(2, "&mmu 7"), (), [[E1, E2]]),
    ("one of several IDs in common",
     smmu() + engine(1, "&mmu 1 &mmu 2") + engine(2, "&mmu 2 &mmu 3"), (), [[E1, E2]]),
    ("a third one that joins two",
     smmu() + engine(1, "&mmu 1") + engine(2, "&mmu 2") + engine(3, "&mmu 1 &mmu 2"), (),
     [[E1, E2, E3]]),
    ("the same ID at two IOMMUs",
     smmu() + smmu().replace("mmu: iommu@1000", "mmu2: iommu@2000").replace("<0x1000 ", "<0x2000 ")
     + engine(1, "&mmu 1") + engine(2, "&mmu2 1"), (), [[E1], [E2]]),
    ("no cells: one address space for all",
     smmu("rockchip,iommu", 0) + engine(1, "&mmu") + engine(2, "&mmu"), (), [[E1, E2]]),
    ("Arm's second cell: ID bits that do not count",
     smmu("arm,mmu-500", 2) + engine(1, "&mmu 0x10 0x3") + engine(2, "&mmu 0x12 0") +
     engine(3, "&mmu 0x14 0"), (), [[E1, E2], [E3]]),
    ("cells that mean something else",
     smmu("vendor,iommu", 2) + engine(1, "&mmu 1 0") + engine(2, "&mmu 2 0"), (), [[E1, E2]]),
    ("a bit that does not count, between bits that do",
     smmu("arm,mmu-500", 2) + engine(1, "&mmu 0x10 0x4") + engine(2, "&mmu 0x12 0") +
     engine(3, "&mmu 0x14 0"), (), [[E1, E3], [E2]]),
    ("stream-match-mask",
     smmu("arm,mmu-500", 1, "stream-match-mask = <0xf>;") + engine(1, "&mmu 0x11") +
     engine(2, "&mmu 0x12") + engine(3, "&mmu 0x21"), (), [[E1, E2], [E3]]),
    ("functions with requester IDs of their own",
     smmu() + host("0 &mmu 0 0x10000"), (F1, F2), [[F1], [F2]]),
    ("functions whose IDs a mask makes one",
     smmu() + host("0 &mmu 0x100 1", "iommu-map-mask = <0>;"), (F1, F2), [[F1, F2]]),
    ("the bridge stands for any function",
     smmu() + host("0 &mmu 0 0x10000"), (BRIDGE, F1, F2), [[BRIDGE, F1, F2]], [[BRIDGE], [F1], [F2]]),
    ("all functions are one to the IOMMU, whatever the length of the map",
     smmu() + host("0 &mmu 0x100 0x10000", "iommu-map-mask = <0>;") + engine(1, "&mmu 0x101"),
     (BRIDGE, F1, F2, E1), [[BRIDGE, F1, F2], [E1]]),
    ("a mask that leaves the last IDs of a range out",
     smmu() + host("0 &mmu 0x100 0x10000", "iommu-map-mask = <0x10>;") + engine(1, "&mmu 0x111") +
     engine(2, "&mmu 0x110"), (BRIDGE, E1, E2), [[BRIDGE, E2], [E1]], [[BRIDGE], [E1], [E2]]),
    ("of a range, no ID before and none behind it",
     smmu() + host("0 &mmu 0x103 0x5") + engine(1, "&mmu 0x102") + engine(2, "&mmu 0x103") +
     engine(3, "&mmu 0x108"), (BRIDGE, E1, E2, E3), [[BRIDGE, E2], [E1], [E3]],
     [[BRIDGE], [E1], [E2], [E3]]),
    ("engines of a chip that has a table of its own come with the function's ID, too",
     with_chip(smmu() + host("0 &mmu 0 0x10000"), OTHER).replace(
         "0x50000000 0x1000>;", "0x50000000 0x1000>; dma-ranges = <0x80000000 0x2000000 0 0 0x1000>;"),
     ("inner@0", "other@200", F2), [["inner@0", "other@200"], [F2]]),
    ("a chip behind a function comes with the function's ID",
     with_chip(smmu() + host("0 &mmu 0 0x10000")), (F1, F2, "inner@0"), [[F1, "inner@0"], [F2]]),
    ("an engine with the ID of a function",
     smmu() + host("0 &mmu 0x100 0x100") + engine(1, "&mmu 0x110"), (F1, F2, E1),
     [[F1], [F2, E1]]),
    ("a node that the map leaves out: on which bus it is may be wrong, so it is translated, too",
     smmu() + host("8 &mmu 0 1"), (F1, F2), [[F1, F2]], [[F1], [F2]]),
    ("a chip on a card behind a bridge comes with the card's ID, not with the bridge's",
     behind_bridge(with_chip(smmu() + host("0 &mmu 0 0x10000"))), (F1, "port@3,0", "inner@0"),
     [[F1, "inner@0"], ["port@3,0"]]),
    ("a chip behind a function that the map leaves out",
     with_chip(smmu() + host("0x10 &mmu 0 1")), (F1, F2, "inner@0"), [[F1, F2, "inner@0"]],
     [[F1, "inner@0"], [F2]]),
    ("a function by its number that the map leaves out goes around",
     smmu() + host("8 &mmu 0 1"), (BRIDGE + ":00:01.0", BRIDGE + ":00:02.0"),
     [[BRIDGE + ":00:01.0"]]),
    ("an IOMMU that is off",
     smmu(more='status = "disabled";') + engine(1, "&mmu 1"), (E1,), []),
)


def shown_groups(tree, devices):
    """The groups of the devices, as "show --iova" tells them."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "tree.dts")
        with open(path, "w", encoding="utf-8") as file:
            file.write(TREE % tree)
        for name in devices:
            result = run("show", path, name, "--iova", "--format", "json")
            told = [p.rsplit("/", 1)[-1] for g in result.json()["groups"] for p in g["devices"]]
            members = sorted(set(told) & set(devices))
            found += [] if members in found else [members]
    return found


def check_sharing(tap):
    for what, tree, devices, expected, *shown in SHARING:
        result = sim(tree, *devices, "--count", "1500")
        document = result.json() if result.status == 0 else {}
        tap.check(document and groups(document) == expected and
                  all(d["attached"] for d in document["devices"]) and
                  document["violation_count"] == 0,
                  "who shares: " + what, result)
        groups_shown = shown[0] if shown else expected
        named = [name for group in expected for name in group]
        tap.equal(sorted(shown_groups(tree, named)), sorted(sorted(g) for g in groups_shown),
                  "and to show --iova: " + what)


def parted(sets):
    """Those whose sets meet, and whom they meet: sorted lists of names."""
    groups_found = []
    for name, ids in sets.items():
        met = [g for g in groups_found if g[1] & ids]
        groups_found = [g for g in groups_found if not g[1] & ids] + [
            (sum((g[0] for g in met), [name]), set.union(ids, *(g[1] for g in met)))]
    return sorted(sorted(names) for names, _ids in groups_found)


def drawn(generator):
    """(tree, {device: the IDs that it may come with}): every ID is looked at by itself."""
    ignored = generator.choice((0, 0, 1, 4, 0x12))
    mask = generator.choice((0xffff, 0xffff, 0x1f, 0xf, 0))
    base, count = generator.choice((0, 0, 8, 0xb)) & mask, generator.randrange(1, 24)
    out = generator.randrange(0x40)
    passed = {r & mask for r in range(1 << 16) if base <= r & mask < base + count}
    tree = smmu("arm,mmu-500", 1, "stream-match-mask = <%d>;" % ignored) + host(
        "%d &mmu %d %d" % (base, out, count), "iommu-map-mask = <%d>;" % mask)
    ids = {BRIDGE: passed}
    for name, requester in ((F1, 8), (F2, 16)):
        ids[name] = {requester & mask} & passed or passed
    ids = {name: {out + one - base for one in some} for name, some in ids.items()}
    for number, name in enumerate((E1, E2, E3), 1):
        ids[name] = {generator.randrange(0x50)}
        tree += engine(number, "&mmu %d" % min(ids[name]))
    return tree, {name: {one & ~ignored for one in some} for name, some in ids.items()}


def check_random(tap):
    generator = random.Random(11)
    seen = set()
    for turn in range(60):
        tree, ids = drawn(generator)
        devices = generator.sample(sorted(ids), generator.randrange(2, 6))
        result = sim(tree, *devices, "--count", "1")
        found = sorted(sorted(g) for g in groups(result.json())) if result.status == 0 else None
        expected = parted({name: ids[name] for name in devices})
        seen.add(tuple(len(g) for g in expected))
        tap.equal(found, expected, "tree %d, ID by ID: who shares" % turn)
    tap.check(len(seen) > 8, "they are parted in many ways", seen)


def check_ways(tap):
    """What is in a domain goes through it, and nothing else does."""
    tree = smmu() + engine(1, "&mmu 1", "dma-coherent;") + engine(2, "", "").replace(
        "iommus = <>;", "")
    document = sim(tree, "--count", "3000").json()
    first, second = document["devices"]
    tap.check(first["iommu"] > 100 and not first["direct"] + first["bounce"] and
              not first["bounced_bytes"] and second["direct"] + second["bounce"] > 100 and
              not second["iommu"] and second["domain"] is None, "by which way", document)
    about = document["iommu"]
    domain = about["domains"][0]
    tap.check(about["mode"] == "strict" and about["faults"] == 0 and
              domain["iommu"] == "/iommu@1000" and domain["format"] == "arm-stage1" and
              domain["format_known"] and domain["allowed"] ==
              [{"first": "0x1000", "last": "0xffffffffffff"}] and
              0 < int(domain["high_water"], 16) < int(domain["allowed_bytes"], 16),
              "what is told of a domain", about)
    tap.check(domain["invalidations"] >= first["iommu"], "each unmapping is forgotten", domain)
    shy = sim(smmu() + engine(1, "&mmu 1"), "--count", "3000").json()["devices"][0]
    tap.check(0 < shy["bounced_for"].get("cache-line", 0) < shy["iommu"] and
              0 < shy["bounced_bytes"] < shy["bytes"],
              "what shares its cache lines goes by way of slots, and is counted", shy)
    late = sim(tree, "--count", "3000", "--iommu", "deferred").json()
    put_off = late["iommu"]["domains"][0]["invalidations"]
    tap.check(late["iommu"]["mode"] == "deferred" and late["violation_count"] == 0 and
              0 < put_off < domain["invalidations"] / 4, "or many at once", late["iommu"])
    around = sim(tree, "--count", "3000", "--iommu", "bypass").json()
    same = sim(tree, "--count", "3000", "--bypass-iommu").json()
    tap.check("iommu" not in around and around["devices"][0]["direct"] > 100 and around == same,
              "or the IOMMU is passed by", around["devices"])


def check_limits(tap):
    """IOVAs keep to what every device of the domain can use, and to masks."""
    holes = host("0 &mmu 0x100 1", "iommu-map-mask = <0>; dma-ranges = "
                 "<0x2000000 0 0x80000000 0x80000000 0 0x8000000>;")
    document = sim(smmu() + holes + engine(1, "&mmu 0x100"), E1, "--count", "100").json()
    alone = document["iommu"]["domains"][0]["allowed"]
    document = sim(smmu() + holes + engine(1, "&mmu 0x100"), E1, F1, "--count", "2000").json()
    both = document["iommu"]["domains"][0]["allowed"]
    tap.equal((alone, both), ([{"first": "0x1000", "last": "0xffffffffffff"}],
                              [{"first": "0x80000000", "last": "0x87ffffff"}]),
              "a window of one is a limit for all")
    tap.equal(document["violation_count"], 0, "and nothing leads beside it")
    result = sim(smmu() + holes, F1, "--mask", "31", "--count", "100")
    refusal = result.json()["devices"][0]
    tap.check(result.status == 1 and not refusal["attached"] and
              refusal["refusal"]["code"] == "empty-reach", "a mask below all of them is refused",
              refusal)
    for name in ("juno-r1", "stingray", "chromebook-asurada", "rk3588", "rpi5"):
        # segment limits are of the devices that are named
        devices = [d["path"] for d in ask("sim", board(name), "--count", "1")[1]["devices"]
                   if d["attached"] and d["domain"]]
        for arguments in (("--iommu", "deferred"), ("--mask", "33"), ("--min-align", "4K"),
                          ("--min-align", "64K"), ("--boundary", "4K"), ("--boundary", "8K"),
                          ("--boundary", "64K", "--min-align", "64K"), ("--max-segment", "4K"),
                          ("--max-segments", "3"), ("--pool", "0"), ("--default-coherent",)):
            status, document = ask("sim", board(name), *devices, "--count", "3000", *arguments)
            tap.equal((status, document["violation_count"],
                       [d["iommu"] > 0 for d in document["devices"]]),
                      (0, 0, [True] * len(devices)),
                      "%s with %s: no violation" % (name, " ".join(arguments)))


def check_formats(tap):
    for compatible, format, known in (("arm,mmu-500", "arm-stage1", True),
                                      ("riscv,iommu", "riscv-sv48", True),
                                      ("vendor,iommu", "arm-stage1", False)):
        document = sim(smmu(compatible) + engine(1, "&mmu 1"), "--count", "2000").json()
        domain = document["iommu"]["domains"][0]
        tap.equal((domain["format"], domain["format_known"], document["violation_count"]),
                  (format, known, 0), "the format of " + compatible)


def check_doubt(tap):
    """Where the tree does not say what translates, nobody takes part."""
    two = smmu() + smmu("riscv,iommu").replace("mmu: iommu@1000", "mmu2: iommu@2000").replace(
        "<0x1000 ", "<0x2000 ")
    bridge = host("0 &mmu 0 0x10000")
    for what, tree, device, attached in (
            ("an IOMMU that cannot be read", smmu() + engine(1, "&mmu 1 0xdead"), E1, False),
            ("two that read different formats", two + engine(1, "&mmu 1 &mmu2 1"), E1, False),
            ("one behind a bridge further up", with_chip(smmu() + bridge), "inner@0", True),
            ("two in a row", with_chip(two + bridge, "iommus = <&mmu2 5>;"), "inner@0", False)):
        result = sim(tree, device, "--count", "500")
        told = result.json()["devices"][0] if result.status in (0, 1) else {}
        tap.check(told.get("attached") == attached and
                  (attached or told["refusal"]["code"] == "behind-iommu"), what, result)


def script(tap, what, steps, *arguments, status=0, words=(), codes=(), sees="dma-coherent;"):
    """Run steps on an engine d behind an SMMU, and one, o, that is behind none."""
    tree = smmu() + engine(1, "&mmu 1", sees) + engine(2, "", sees).replace("iommus = <>;", "")
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(steps.replace(" d ", " %s " % E1).replace(" o ", " %s " % E2).replace(
            " d\n", " %s\n" % E1).replace(" o\n", " %s\n" % E2))
        file.flush()
        result = sim(tree, "--script", file.name, *arguments)
    document = result.json() if result.status in (0, 1) else {}
    told = "".join("%s: %s\n" % (s["step"], s["outcome"]) for s in document.get("script", []))
    tap.check(result.status == status and all(w in told for w in words) and
              [v["code"] for v in document["violations"]] == list(codes), what, result)
    return document


def check_scripts(tap):
    script(tap, "what was unmapped is not reached any more",
           "map a d to 4K\ndevice a read\nunmap a\ndevice a read\n", status=1,
           words=("iommu, dma 0x1000", "device a read: refused by the bus"),
           codes=["iommu-fault"])
    late = "map a d to 4K\ndevice a read\nunmap a\ndevice a read\nflush d\ndevice a read\n"
    script(tap, "put off: only what the IOMMU remembers, until it is told", late, "--iommu",
           "deferred", status=1, words=("flush dma@10100: done",),
           codes=["stale-translation", "iommu-fault"])
    script(tap, "without the IOMMU, nothing holds the device back", late.replace("flush d\n", ""),
           "--iommu", "bypass", status=1, words=("device a read: done",),
           codes=["after-unmap", "after-unmap"])
    script(tap, "a device against the rights of the page",
           "map a d to 4K\ndevice a write\nunmap a\n", status=1, codes=["iommu-permission"])
    script(tap, "beside what is mapped, there is nothing",
           "map a d from 4K\naccess d write 0x2000+4\naccess d write 0xf000_0000_0000_0000+4\n"
           "unmap a\n", status=1, codes=["iommu-fault", "iommu-fault"])
    script(tap, "lists, blocks and coherent memory", """
map-list l d both 0x8010_0000+4K 0x8020_0000+12K 0x8030_0000+1
sync l cpu
fill l 3
sync l device
device l verify 3
device l fill 4
sync l cpu
check l 4
unmap-list l 3
alloc r d 8K
device r fill 5
check r 5
blocks b d 64
take x b
device x fill 6
check x 6
give x
free b
free r
""", words=("iommu, dma 0x1000, and 2 more segments",), codes=[])
    script(tap, "a driver that lets go, and one that comes after it", """
map a d from 4K
abandon d
device a write
quiet d
attach d
map a d from 4K
device a fill 7
unmap a
check a 7
detach d
""", status=1, codes=["iommu-fault"])


def check_memory(tap):
    """Memory that a script names itself. The pool, of 4 MiB, and the tables come first in memory."""
    script(tap, "where page tables lie there is no memory for a buffer", """
map b d from 0x8000_0000+64K
device b fill 9
fill b 9
tables d
map a d from 4K
device a fill 3
unmap a
check a 3
""", status=1, words=("0x8000_0000+64K: page tables of an IOMMU lie there",
                      "fill 9: the device has no address of it", "fill b 9: it has no memory",
                      "check a 3: as expected"), codes=[])
    document = script(tap, "a device that is not translated does not write there either", """
map a d from 4K
access o write 0x8000_0000+8
device a fill 3
tables d
unmap a
check a 3
""", status=1, words=("tables dma@10100: 1 run",
                      "check a 3: as expected"), codes=["carve-out"])
    tap.check("at cpu 0x80000000..0x80000007, a page table" in document["violations"][0]["detail"],
              "and it is told what lies there", document["violations"])
    document = script(tap, "no page table comes where a buffer is", """
map b d from 0x8040_0000+16M
device b fill 9
map a d from 4K
device a fill 3
tables d
unmap a
unmap b
check b 9
check a 3
""", words=("check b 9: as expected", "check a 3: as expected"), codes=[])
    runs = [s["runs"] for s in document.get("script", []) if "runs" in s]
    tap.check(len(runs) == 1 and len(runs[0]) == 2 and
              max(int(r["phys"], 16) for r in runs[0]) >= 0x81400000, "nor other memory that is taken", runs)
    script(tap, "a list that cannot be had keeps none of its memory", """
map-list l d to 0x8000_1000+0xffff000 0x8000_0000+4K
map a d from 4K
device a fill 3
unmap a
""", status=1, words=("0x8000_0000+4K: page tables of an IOMMU lie there", "device a fill 3: done"),
           codes=[])
    for size in ("4K", "8K"):
        document = script(tap, "of a list only what was taken is given back: " + size, """
map-list l d to 4K 0x8010_0000+%s
unmap l
map-list l d to %s
tables d
unmap l
""" % (size, size), words=("tables dma@10100: 1 run",), codes=[])
        runs = [s["runs"] for s in document.get("script", []) if "runs" in s]
        tap.check(runs and int(runs[0][0]["phys"], 16) >= 0x80400000,
                  "the pool's memory stays the pool's: " + size, runs)


def check_slots(tap):
    """What shares cache lines with others is mapped by way of slots: there is nothing beside it."""
    document = script(tap, "slots behind an IOMMU", """
map a d from 0x8010_0010+4K
device a fill 3
unmap a
check a 3
map b d from 0x8010_0010+4K owns-lines
unmap b
map c d from 0x8010_0000+4K
unmap c
map-list l d from 0x8010_0000+4K 0x8020_0010+4K
device l fill 4
sync l cpu
check l 4
unmap l
""", sees="", words=("a d".replace("d", E1) + " from 0x8010_0010+4K: iommu (cache-line)",
                     "owns-lines: iommu, dma", "0x8010_0000+4K: iommu, dma"))
    d = document["devices"][0]
    tap.equal((d["iommu"], d["bounced_for"], d["bounced_bytes"], d["bytes"]),
              (4, {"cache-line": 2}, 8192, 20480), "what was copied is counted")


def check_tables(tap):
    document = script(tap, "what the page tables say", """
tables d
map a d to 0x8010_0000+8K
map b d both 0x8030_0800+4K
tables d
unmap a
tables d
unmap b
tables o
flush o
""", status=1, words=("tables dma@10100: 0 runs\n", "tables dma@10100: 2 runs\n",
                     "tables dma@10100: 1 run\n",
                      "tables dma@10200: no IOMMU", "flush dma@10200: no IOMMU"))
    first = {"iova": "0x1000", "phys": "0x80100000", "size": "0x2000", "read": True,
             "write": False, "cached": True, "page_sizes": ["0x1000"]}
    second = dict(first, iova="0x3000", phys="0x80300000", write=True)
    tap.equal([s.get("runs") for s in document["script"]],
              [[], None, None, [first, second], None, [second], None, None, None],
              "runs of tables in JSON")
    tap.equal(document["mistakes"], 2, "a device without a domain has none")
    with tempfile.TemporaryDirectory() as folder:
        tree, steps = os.path.join(folder, "t.dts"), os.path.join(folder, "s.txt")
        with open(tree, "w", encoding="utf-8") as file:
            file.write(TREE % (smmu("arm,smmu-v3") + engine(1, "&mmu 1")))
        with open(steps, "w", encoding="utf-8") as file:
            file.write("map a %s both 0x8010_0000+8K\ntables %s\nunmap a\n" % (E1, E1))
        result = run("sim", tree, "--script", steps)
        tap.check("\n    0x1000..0x2fff -> 0x80100000 rw- non-coherent, pages of 4 KiB\n" in result.out
                  and "1 through domain 1 of /iommu@1000" in result.out, "and as text", result)


def main():
    tap = Tap()
    check_scripts(tap)
    check_memory(tap)
    check_slots(tap)
    check_tables(tap)
    check_sharing(tap)
    check_random(tap)
    check_ways(tap)
    check_limits(tap)
    check_formats(tap)
    check_doubt(tap)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
