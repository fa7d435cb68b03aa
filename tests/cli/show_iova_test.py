#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""show_iova_test.py - `busway show --iova`: which IOVAs a group can use, on trees of real boards.

Three judges, none of which shares code with what is judged:

  by hand     for a few boards, all that is allowed and all that is taken away, worked out from the
              properties of the tree
  reference   for every device behind an IOMMU and every host bridge of every tree at hand: windows
              and apertures as tests/reference/dtref.py reads them, by plain sets
  the fabric  `busway why` follows an access hop by hop: none from an IOVA that is allowed may be
              caught by an aperture, or lost in a hole of the windows in front of the IOMMU; and each
              that was taken away is caught or lost where the answer says

Real device trees are used in place (see goldens.py); what is not there is skipped.
"""

import os
import random
import sys
import tempfile

from goldens import real_trees
from support import BOARDS, ROOT, Tap, board, board_names, compile_tree, run

sys.path.insert(0, os.path.join(ROOT, "tests", "reference"))

import dtref  # noqa: E402

END = 1 << 64
G = 1 << 30


def number(text):
    return int(text, 16)


# ---- sets: sorted lists of (first, end) ----

def union(pieces):
    merged = []
    for first, end in sorted(pieces):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((first, end))
    return merged


def common(a, b):
    return union([(max(x, u), min(y, v)) for x, y in a for u, v in b if max(x, u) < min(y, v)])


def rest(pieces):
    """All that is not in them."""
    return dtref.subtract([(0, END)], union(pieces))


# ---- asking ----

def groups(*arguments):
    result = run("show", *arguments, "--iova", "--format", "json")
    if result.status:
        raise AssertionError(str(result))
    return result.json()["groups"]


def allowed(iova):
    return [(number(one["first"]), number(one["last"]) + 1) for one in iova["allowed"]]


def removed(iova, cause=None):
    return [(number(one["first"]), number(one["last"]) + 1) for one in iova["removed"]
            if cause in (None, one["cause"])]


# ---- what holds of every answer ----

def accounting(iova):
    """Complaints: each byte is allowed, or somebody took it away, and never both."""
    if allowed(iova) != union(allowed(iova)):
        yield "allowed ranges are not sorted, disjoint and apart"
    if rest(removed(iova)) != allowed(iova):
        yield "what nobody took away is %s" % spelled(rest(removed(iova)))
    for one in iova["removed"]:
        if not one["by"]:
            yield "nobody took %s away" % one


def spelled(pieces):
    return ", ".join("0x%x..0x%x" % (first, end - 1) for first, end in pieces) or "nothing"


# ---- by hand ----

MAX = END - 1
HAND = [
    # scattered banks behind one window of 512 GiB; the outbound window lies in it
    ("stingray", "/pcie@48000000", [],
     [(0, 0x4fffffff), (0x58000000, 0x7fffffffff)],
     [(0x50000000, 0x57ffffff, "aperture", "/pcie@48000000"),
      (0x8000000000, MAX, "no-window", "/pcie@48000000")]),
    # the same, repaired by three windows
    ("stingray-windows", "/pcie@48000000", [],
     [(0x80000000, 0xffffffff), (0x800000000, 0xfffffffff), (0x8000000000, 0xbfffffffff)],
     [(0, 0x7fffffff, "no-window", "/pcie@48000000"),
      (0x50000000, 0x57ffffff, "aperture", "/pcie@48000000"),
      (0x100000000, 0x7ffffffff, "no-window", "/pcie@48000000"),
      (0x1000000000, 0x7fffffffff, "no-window", "/pcie@48000000"),
      (0xc000000000, MAX, "no-window", "/pcie@48000000")]),
    # its DMA engine has a stream of its own and no window at all
    ("stingray", "dma-controller@310000", [], [(0, MAX)], []),
    # two tables: functions pass that of the host, which adjoins itself from two entries ...
    ("xgene-mustang", "/soc/pcie@1f2b0000", [],
     [(0, 0x7fffffff), (0x100000000, 0x807fffffff)],
     [(0x80000000, 0xffffffff, "aperture", "/soc/pcie@1f2b0000"),
      (0x8080000000, MAX, "no-window", "/soc/pcie@1f2b0000"),
      (0xf000000000, 0xffffffffff, "aperture", "/soc/pcie@1f2b0000")]),
    # ... and the host by itself that of the bus, where its outbound windows do not answer
    ("xgene-mustang", "/soc/pcie@1f2b0000", ["--own"],
     [(0, 0x3ffffffffff)],
     [(0x40000000000, MAX, "no-window", "/soc")]),
    # a host bridge with two windows and a hole, behind an SMMU
    ("juno-r1", "/pcie@40000000", [],
     [(0x80000000, 0xffffffff), (0x800000000, 0x9ffffffff)],
     [(0, 0x7fffffff, "no-window", "/pcie@40000000"),
      (0x50000000, 0x57ffffff, "aperture", "/pcie@40000000"),
      (0x100000000, 0x7ffffffff, "no-window", "/pcie@40000000"),
      (0xa00000000, MAX, "no-window", "/pcie@40000000"),
      (0x4000000000, 0x40ffffffff, "aperture", "/pcie@40000000")]),
    # 34 bits of IOVA: the window of the bus, which the codecs inherit
    ("chromebook-asurada", "/soc/video-codec@16000000/video-codec@25000", [],
     [(0, 0x3ffffffff)], [(0x400000000, MAX, "no-window", "/soc")]),
    ("chromebook-asurada", "/soc/video-codec@16000000/video-codec@25000", ["--mask", "32"],
     [(0, 0xffffffff)],
     [(0x100000000, MAX, "mask", "/soc/video-codec@16000000"),  # it has one of the streams
      (0x100000000, MAX, "mask", "/soc/video-codec@16000000/video-codec@25000"),
      (0x400000000, MAX, "no-window", "/soc")]),
    ("rpi5", "/axi/codec@1000800000", [],
     [(0, 0x10ffffffff), (0x1400000000, 0x1fffffffff)],
     [(0x1100000000, 0x13ffffffff, "no-window", "/axi"),
      (0x2000000000, MAX, "no-window", "/axi")]),
]


def check_hand(tap):
    for name, device, options, expected, taken in HAND:
        what = "%s %s %s" % (name, device, " ".join(options))
        group = groups(board(name), device, *options)[0]
        found = group["iova"]
        tap.equal(spelled(allowed(found)), spelled([(a, z + 1) for a, z in expected]),
                  what + ": allowed")
        tap.equal([(number(one["first"]), number(one["last"]), one["cause"], one["by"])
                   for one in found["removed"]], taken, what + ": taken away, and by whom")
        tap.equal(number(group["usable"]), sum(z + 1 - a for a, z in expected),
                  what + ": how much")


# MediaTek's video decoders choose a bank of 4 GiB by a table on the decoder's node; its CPU side
# means nothing (mt8186, /soc/video-decoder@16000000: shared facts, section 13). The second decoder
# and its bank are made up.
BANKS = """/dts-v1/;
/ {
	#address-cells = <2>;
	#size-cells = <2>;
	memory@40000000 { device_type = "memory"; reg = <0 0x40000000 0 0x80000000>; };
	reserved-memory {
		#address-cells = <2>;
		#size-cells = <2>;
		ranges;
		frame { iommu-addresses = <&core 0x1 0x10000000 0x0 0x1000000>; };
	};
	soc {
		compatible = "simple-bus";
		#address-cells = <2>;
		#size-cells = <2>;
		ranges;
		dma-ranges = <0x0 0x0 0x0 0x0 0x4 0x0>;
		m4u: iommu@14016000 { reg = <0 0x14016000 0 0x1000>; #iommu-cells = <1>; };
		video-decoder@16000000 {
			#address-cells = <2>;
			#size-cells = <2>;
			ranges;
			reg = <0 0x16000000 0 0x1000>;
			dma-ranges = <0x1 0x0 0x0 0x40000000 0x0 0xfff00000>;
			core: video-codec@16025000 {
				reg = <0 0x16025000 0 0x1000>;
				iommus = <&m4u 0x80>, <&m4u 0x81>;
			};
			lat@16010000 { reg = <0 0x16010000 0 0x1000>; iommus = <&m4u 0x81>; };
		};
		video-decoder@17000000 {
			#address-cells = <2>;
			#size-cells = <2>;
			ranges;
			reg = <0 0x17000000 0 0x1000>;
			dma-ranges = <0x2 0x0 0x0 0x40000000 0x0 0xfff00000>;
			codec@17025000 { reg = <0 0x17025000 0 0x1000>; iommus = <&m4u 0x90>; };
		};
	};
};
"""


def check_banks(tap, folder):
    path = os.path.join(folder, "banks.dts")
    with open(path, "w", encoding="utf-8") as file:
        file.write(BANKS)
    decoder = "/soc/video-decoder@16000000"
    group = groups(path, "video-codec@16025000")[0]
    tap.equal(group["devices"], [decoder + "/video-codec@16025000", decoder + "/lat@16010000"],
              "who has one stream of the same IOMMU belongs to the group")
    tap.equal(spelled(allowed(group["iova"])), spelled([
        (0x100000000, 0x110000000), (0x111000000, 0x1fff00000)]),
        "a bank is a window, less what iommu-addresses keep free, wherever its CPU side leads")
    tap.equal([(one["first"], one["cause"], one["by"]) for one in group["iova"]["removed"]],
              [("0x0", "no-window", decoder),
               ("0x110000000", "iommu-addresses", "/reserved-memory/frame"),
               ("0x1fff00000", "no-window", decoder)], "banks: taken away")
    both = groups(path, "video-codec@16025000,codec@17025000")[0]
    tap.equal((both["iova"]["allowed"], both["usable"]), ([], "0x0"),
              "devices of two banks have no IOVA in common")
    tap.equal(list(accounting(both["iova"])), [], "and each is taken away by somebody")
    tap.check("none" in run("show", path, "video-codec@16025000,codec@17025000", "--iova").out,
              "for people: none")
    streams = [group["devices"] for group in groups(path)]
    tap.equal(streams, [[decoder + "/video-codec@16025000", decoder + "/lat@16010000"],
                        ["/soc/video-decoder@17000000/codec@17025000"]],
              "without a name: every group, by the streams that are shared")


# An SMMU that cannot tell the functions of a device apart (iommu-map-mask), and a function whose ID
# a platform device has by its specifier.
FUNCTIONS = """/dts-v1/;
/ {
	#address-cells = <2>;
	#size-cells = <2>;
	memory@0 { device_type = "memory"; reg = <0 0 0 0x80000000>; };
	smmu: iommu@f0000000 { reg = <0 0xf0000000 0 0x1000>; #iommu-cells = <1>; };
	other: iommu@f1000000 { reg = <0 0xf1000000 0 0x1000>; #iommu-cells = <1>; };
	pcie@e0000000 {
		compatible = "pci-host-ecam-generic";
		device_type = "pci";
		reg = <0 0xe0000000 0 0x100000>;
		#address-cells = <3>;
		#size-cells = <2>;
		bus-range = <0 0xff>;
		ranges = <0x2000000 0 0x90000000 0 0x90000000 0 0x10000000>;
		dma-ranges = <0x2000000 0 0 0 0 0x1 0>;
		iommu-map = <0 &smmu 0x100 0x10000>;
		iommu-map-mask = <0xfff8>;
		one@1,0 { reg = <0x800 0 0 0 0>; };
		two@1,1 { reg = <0x900 0 0 0 0>; };
		three@2,0 { reg = <0x1000 0 0 0 0>; };
		chip@3,0 {
			compatible = "simple-bus";
			reg = <0x1800 0 0 0 0>;
			#address-cells = <3>;
			#size-cells = <2>;
			ranges;
			bus { /* without dma-ranges, two levels deep: no table is found */
				compatible = "simple-bus";
				#address-cells = <3>;
				#size-cells = <2>;
				ranges;
				inner-dma@1000 { reg = <0 0 0x1000 0 0x1000>; #dma-cells = <1>; };
			};
		};
		bridge@4,0 {
			device_type = "pci";
			reg = <0x2000 0 0 0 0>;
			#address-cells = <3>;
			#size-cells = <2>;
			ranges;
			deep { /* no function: it states no ID */
				compatible = "simple-bus";
				#address-cells = <3>;
				#size-cells = <2>;
				ranges;
				deep-dma@2000 { reg = <0 0 0x2000 0 0x1000>; #dma-cells = <1>; };
			};
		};
		chip@7,0 {
			compatible = "simple-bus";
			status = "disabled";
			reg = <0x3800 0 0 0 0>;
			#address-cells = <3>;
			#size-cells = <2>;
			ranges;
			bus {
				compatible = "simple-bus";
				#address-cells = <3>;
				#size-cells = <2>;
				ranges;
				off-dma@4000 { reg = <0 0 0x4000 0 0x1000>; #dma-cells = <1>; };
			};
		};
		chip@5,0 {
			compatible = "simple-bus";
			reg = <0x2800 0 0 0 0>;
			#address-cells = <2>;
			#size-cells = <2>;
			ranges = <0 0 0x2000000 0 0x90000000 0 0x100000>;
			dma-ranges = <1 0 0x2000000 0 0 0 0x40000000>;
			moved-dma@3000 { reg = <0 0x3000 0 0x1000>; #dma-cells = <1>; };
			moved-too@5000 { reg = <0 0x5000 0 0x1000>; #dma-cells = <1>; };
		};
	};
	same-dma@a0000000 { reg = <0 0xa0000000 0 0x1000>; #dma-cells = <1>; iommus = <&smmu 0x110>; };
	far-dma@a1000000 { reg = <0 0xa1000000 0 0x1000>; #dma-cells = <1>; iommus = <&other 0x110>; };
};
"""


def check_streams(tap, folder):
    path = os.path.join(folder, "functions.dts")
    with open(path, "w", encoding="utf-8") as file:
        file.write(FUNCTIONS)
    host, same, far = "/pcie@e0000000", "/same-dma@a0000000", "/far-dma@a1000000"
    chip, moved = host + "/chip@3,0/bus/inner-dma@1000", host + "/chip@5,0/moved-dma@3000"
    deep = host + "/bridge@4,0/deep/deep-dma@2000"
    for named, expected in (
            (host + "/one@1,0", [host + "/one@1,0", host + "/two@1,1"]),
            (host + "/two@1,1", [host + "/two@1,1", host + "/one@1,0"]),
            (host + "/three@2,0", [host + "/three@2,0", same]),
            (same, [same, host + "/three@2,0"]), (far, [far]),
            (host + ":00:01.7", [host + ":00:01.7", host + "/one@1,0", host + "/two@1,1"]),
            (chip, [chip, host + "/chip@3,0"]),
            (moved, [moved, host + "/chip@5,0", host + "/chip@5,0/moved-too@5000"]),
            (deep, [deep, host + "/bridge@4,0"]),
            (host + ":00:03.1", [host + ":00:03.1", host + "/chip@3,0", chip]),
            (host + ":00:06.0", [host + ":00:06.0"]), (host, [host])):
        tap.equal(groups(path, named)[0]["devices"], expected, "who shares a stream with " + named)
    behind = groups(path, chip)[0]["iova"]
    tap.equal(spelled(removed(behind, "aperture")), spelled([(0x90000000, 0xa0000000)]),
              "a chip behind a function, whose bus states no table, has the apertures of the bridge")
    off = groups(path, host + "/chip@7,0/bus/off-dma@4000")[0]
    tap.equal((len(off["devices"]), spelled(removed(off["iova"], "aperture"))),
              (1, spelled([(0x90000000, 0xa0000000)])), "also where the function is disabled")
    alone = run("show", path, chip, "--format", "json").json()["devices"][0]["iova"]
    tap.equal(alone, behind, "also by itself")
    beyond = groups(path, moved)[0]["iova"]
    tap.equal((spelled(allowed(beyond)), {one["by"] for one in beyond["removed"]},
               (host + "/chip@5,0", 0, 0xffffffff) in
               [(one["by"], number(one["first"]), number(one["last"])) for one in beyond["removed"]]),
              ("nothing", {host, host + "/chip@5,0"}, True),
              "where the bus of a chip has a table, what is good for it is not for the function")
    alone = run("show", path, moved, "--format", "json").json()["devices"][0]["iova"]
    tap.equal(spelled(allowed(alone)), spelled([(0x100000000, 0x140000000)]),
              "by itself it can use all that the table forwards")
    with_bridge = groups(path, same)[0]["iova"]
    tap.equal(spelled(allowed(with_bridge)), spelled([(0, 0x90000000), (0xa0000000, 0x100000000)]),
              "a device has the limits of the function that shares its stream")


# ---- the reference ----

def reference(tree, node, own):
    """(windows, apertures, whose windows) in front of the IOMMU; None: a bridge is further up."""
    kinds, hosts = dtref.classify(tree)
    is_host = kinds[node] in ("pcie-host", "pci-host")
    host = None if own else node if is_host else hosts.get(node)
    start = host or dtref.dma_parent(tree, node)
    above = node.parent
    while not host and above is not None and kinds.get(above) != "pci-function":
        above = above.parent
    if not host and not own and above is not None:  # on a chip behind a function
        table = dtref.find_table(tree, start)
        if table is not None and (table.path + "/").startswith(above.path + "/"):
            return None
        windows, apertures, source = reference(tree, above, False)
        if table is not None:
            windows = common(windows, union([dtref.span(bus, size) for bus, size, _upper in
                                             dtref.up_to_the_end(tree, table)[1]]))
        return windows, apertures, source
    for above in dtref.chain(tree, start, dtref.dma_parent) if start is not None else ():
        if above is not host and above is not node and kinds.get(above) in ("pcie-host", "pci-host"):
            return None
    table = dtref.find_table(tree, start) if start is not None else None
    windows = [(0, END)] if table is None else \
        [dtref.span(bus, size) for bus, size, _upper in dtref.up_to_the_end(tree, table)[1]]
    apertures = [dtref.span(number(one["bus"]), number(one["size"]))
                 for one in (dtref.outbound_objects(tree, host) if host else ())
                 if one["kind"] != "io" and one["cpu"] is not None]
    return union(windows), union(apertures), table.path if table else None


def compare(tap, what, iova, expected):
    windows, apertures, source = expected
    tap.equal(spelled(allowed(iova)), spelled(common(windows, rest(apertures))),
              what + ": allowed, as the reference has it")
    tap.equal((spelled(removed(iova, "no-window")), spelled(union(removed(iova, "aperture")))),
              (spelled(rest(windows)), spelled(apertures)), what + ": taken away")
    tap.check(all(one["by"] == source for one in iova["removed"] if one["cause"] == "no-window"),
              what + ": by the node whose windows they are", iova["removed"])
    tap.equal(list(accounting(iova)), [], what + ": every byte has its cause")


# ---- the fabric ----

def caught(tree, device, options, address):
    """(code, hop) by which an access ends before it comes to the CPU's addresses, or (None, None).

    What the CPU's addresses lead to does not matter: an IOMMU in front of them makes others of it.
    """
    result = run("why", tree, device, *options, hex(address), "--format", "json").json()
    if not result["refusal"] or any(hop["space"] == "cpu" for hop in result["hops"]):
        return None, None
    return result["refusal"]["code"], result["refusal"]["hop"]


def probes(pieces, generator):
    for first, end in pieces:
        yield from {first, end - 1, generator.randrange(first, end)}


def check_fabric(tap, what, tree, device, options, iova, generator):
    wrong = []
    for address in probes(allowed(iova), generator):
        code, hop = caught(tree, device, options, address)
        # further up than the device's own windows it is the IOMMU that matters
        first = {one["by"] for one in iova["removed"] if one["cause"] == "no-window"}
        if code == "aperture" or (code == "no-window" and hop in first):
            wrong.append("0x%x is allowed: %s of %s" % (address, code, hop))
    for one in iova["removed"]:
        for address in probes([(number(one["first"]), number(one["last"]) + 1)], generator):
            code, hop = caught(tree, device, options, address)
            also = {other["cause"] for other in iova["removed"]
                    if number(other["first"]) <= address <= number(other["last"])}
            if code not in also:
                wrong.append("0x%x is taken away by %s of %s, but: %s of %s" % (
                    address, one["cause"], one["by"], code, hop))
            elif code == one["cause"] == "no-window" and hop != one["by"]:
                wrong.append("0x%x: %s, not %s" % (address, hop, one["by"]))
    tap.check(not wrong, what + ": the fabric agrees", "\n".join(wrong[:8]))


# ---- every device of every tree ----

def asked(document):
    """(path, options, is it the bridge itself?) of all that is looked at."""
    for one in document["devices"]:
        is_host = one["kind"] in ("pcie-host", "pci-host")
        if "iova" in one or is_host:
            yield one["path"], [], False
        if is_host:
            yield one["path"], ["--own"], True


def check_tree(tap, name, path, generator, seen):
    with tempfile.TemporaryDirectory() as folder:
        blob = path if path.endswith(".dtb") else \
            compile_tree(path, os.path.join(folder, "tree.dtb"))
        with open(blob, "rb") as file:
            tree = dtref.read_fdt(file.read())
        document = run("show", blob, "--all", "--format", "json").json()
        for device, options, own in asked(document):
            what = "%s %s%s" % (name, device, " itself" if own else "")
            expected = reference(tree, tree.by_path[device], own)
            if expected is None:
                seen["skipped"] += 1
                continue
            # alone: what else has its stream is not of this question
            iova = next(one for one in document["devices"] if one["path"] == device).get("iova")
            if own or not iova:
                iova = groups(blob, device, *options)[0]["iova"]
            # once for each view; what is on a chip behind a function has the function's, of which
            # `why` knows nothing where the chip's bus states no table
            view = (name, str(expected))
            compare(tap, what, iova, expected)
            seen["compared"] += 1
            if view not in seen["fabric"]:
                seen["fabric"].add(view)
                check_fabric(tap, what, blob, device, options, iova, generator)


def check_trees(tap):
    generator = random.Random(5)
    seen = {"compared": 0, "skipped": 0, "fabric": set()}
    for name in board_names():
        check_tree(tap, name, board(name), generator, seen)
    tap.check(seen["compared"] >= 25 and len(seen["fabric"]) >= 15,
              "devices of boards were compared", str(seen))
    real = real_trees()
    before = seen["compared"]
    for path in sorted(real.values()):
        check_tree(tap, os.path.basename(path), path, generator, seen)
    if real:
        tap.check(seen["compared"] - before >= 60, "devices of real trees were compared", str(seen))
    else:
        tap.skip("real trees", "set BUSWAY_TEST_DATA to the folder above dtb/")


# ---- groups ----

def check_groups(tap):
    found = groups(board("juno-r1"))
    tap.equal([group["devices"] for group in found],
              [["/pcie@40000000", "/pcie@40000000/pci@0,0", "/pcie@40000000/pci@0,0/ethernet@0,0"],
               ["/dma-controller@7ff00000"], ["/hdlcd@7ff50000"], ["/usb@7ffc0000"]],
              "functions that all are one stream of the SMMU are one group")
    host, engine = board("juno-r1"), "dma-controller@7ff00000"
    both = groups(host, "ethernet@0,0," + engine)[0]
    one, other = groups(host, "ethernet@0,0")[0], groups(host, engine)[0]
    tap.equal(both["devices"][:2], ["/pcie@40000000/pci@0,0/ethernet@0,0", "/" + engine],
              "the devices that were named come first")
    tap.equal(spelled(allowed(both["iova"])),
              spelled(common(allowed(one["iova"]), allowed(other["iova"]))),
              "a group has what each of its devices has")
    again = groups(host, "ethernet@0,0,ethernet@0,0")[0]
    tap.equal(again, one, "a device that is named twice is there once")
    hosts = groups(board("xgene-mustang"), "pcie@1f2b0000,pcie@1f2c0000")[0]
    each = [groups(board("xgene-mustang"), name)[0]["iova"]
            for name in ("pcie@1f2b0000", "pcie@1f2c0000")]
    tap.equal(spelled(allowed(hosts["iova"])),
              spelled(common(allowed(each[0]), allowed(each[1]))), "two host bridges: allowed")
    tap.equal({one["by"] for one in hosts["iova"]["removed"]},
              {"/soc/pcie@1f2b0000", "/soc/pcie@1f2c0000"}, "and either takes away what is its own")
    tap.equal(groups(board("xgene-mustang")), [], "a board without an IOMMU has no groups")


# ---- reports and masks ----

def check_reports(tap):
    name, device = board("juno-r1"), "pcie@40000000"
    plain = groups(name, device)[0]["iova"]
    report = [(0, 0x8000000), (0x90000000, 0xa0000000), (0xc0000000, 1 << 40)]
    told = "vfio=" + ",".join("0x%x-0x%x" % (first, end - 1) for first, end in report)
    with_report = groups(name, device, "--reported", told)[0]["iova"]
    tap.equal(spelled(allowed(with_report)), spelled(common(allowed(plain), report)),
              "what a report does not have is not allowed")
    tap.equal((spelled(removed(with_report, "reported")),
               {one["by"] for one in with_report["removed"] if one["cause"] == "reported"}),
              (spelled(rest(report)), {"vfio"}), "and the report is named")
    second = groups(name, device, "--reported", told, "--reported", "0x80000000+512M")[0]["iova"]
    tap.equal(spelled(allowed(second)), spelled([(0x90000000, 0xa0000000)]), "two reports both count")
    tap.equal({one["by"] for one in second["removed"] if one["cause"] == "reported"},
              {"vfio", "the report"}, "a report without a name has one")
    for bits in 12, 31, 32, 36, 64:
        found = groups(name, device, "--mask", str(bits))[0]["iova"]
        tap.equal(spelled(allowed(found)), spelled(common(allowed(plain), [(0, 1 << bits)])),
                  "a mask of %d bits" % bits)
        tap.equal(list(accounting(found)), [], "a mask of %d bits: every byte has its cause" % bits)
    for wrong in ("", "x", "vfio=", "0x2000-0x2fff,0x1000-0x1fff", "0-0xfff,0xfff-0x1fff", "5-4",
                  "0-1,", "1000"):
        result = run("show", name, device, "--reported", wrong)
        tap.check(result.status == 2 and not result.out and "--reported" in result.err,
                  "no report: '%s'" % wrong, result)
    full = groups(name, "usb@7ffc0000", "--reported", "0-0xffff_ffff_ffff_ffff")[0]
    tap.equal(full["usable"], "0x10000000000000000", "all of the space is 2^64 bytes")


# ---- for people ----

def lines_of(text):
    """[(mark, first, last, causes)] of the space, and [(first, last, cause)] below."""
    space, taken = [], []
    for line in text.splitlines():
        words = line.split()
        if words and words[0] in ("####", "...."):
            first, last = (number(one) for one in words[1].split(".."))
            causes = [word.rstrip(",") for word in words[4:]]
            space.append((words[0], first, last, causes))
        elif words and words[0].startswith("0x") and line.startswith("    0x"):
            first, last = (number(one) for one in words[0].split(".."))
            taken.append((first, last, words[3].rstrip(":")))
    return space, taken


def check_text(tap):
    for name, device, options in ([(row[0], row[1], row[2]) for row in HAND] +
                                  [("juno-r1", "pcie@40000000,usb@7ffc0000", ["--mask", "35"])]):
        what = "for people: %s %s" % (name, device)
        iova = groups(board(name), device, *options)[0]["iova"]
        space, taken = lines_of(run("show", board(name), device, "--iova", *options).out)
        tap.equal([first for _mark, first, _last, _causes in space] + [END],
                  [0] + [last + 1 for _mark, _first, last, _causes in space],
                  what + ": the whole space, without gaps")
        tap.equal(spelled([(first, last + 1) for mark, first, last, _causes in space
                           if mark == "####"]), spelled(allowed(iova)), what + ": what is marked")
        wrong = [one for one in space
                 if set(one[3]) != {r["cause"] for r in iova["removed"]
                                    if number(r["first"]) <= one[1] and one[2] <= number(r["last"])}]
        tap.check(not wrong, what + ": causes", wrong)
        tap.equal(taken, [(number(r["first"]), number(r["last"]), r["cause"])
                          for r in iova["removed"]], what + ": who took what")


    for options, told in (([], True), (["-q"], False), (["--reported", "0-0xfff"], False)):
        result = run("show", board("juno-r1"), "--iova", *options)
        tap.equal("--reported" in result.out, told,
                  "what no tree tells is said where no report is given: %s" % " ".join(options))


def main():
    tap = Tap()
    check_hand(tap)
    with tempfile.TemporaryDirectory() as folder:
        check_banks(tap, folder)
        check_streams(tap, folder)
    check_trees(tap)
    check_groups(tap)
    check_reports(tap)
    check_text(tap)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
