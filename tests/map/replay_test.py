#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""replay_test.py - the DMA API beside what a running Linux 6.12 answered.

tests/data/kernel-answers holds trees that a kernel booted, and what its DMA API answered to a test
module. Here each of these questions is put to Busway in the same order, by replay_adapter. Variants
of which only the decisions were kept are rebuilt from the first tree (REBUILT), and asked alike.

A kernel is a witness, not a law. A pair of answers is one of

  the same   both grant it, by the same way and, where the device reaches the memory itself, at the
             same address; or both refuse it;
  refused    on purpose: what the kernel grants leads nowhere, elsewhere, or past what confines the
             device;
  served     what the kernel refuses, though the device reaches memory that would do.

RULES lists all of them. A pair that is under no rule fails, and so does a rule under which no pair
comes. What a rule demands of addresses is worked out here from the windows, which the kernel tells
itself (range_map): by plain arithmetic, not by the library. The pool of 64 MiB through which all
devices bounce is as large as the kernel's; it lies in memory that they reach, and where the
kernel's lay in a hole, that is the difference.
"""

import gzip
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "cli"))

from support import ROOT, Tap, compile_tree  # noqa: E402

FOLDER = os.path.join(ROOT, "tests", "data", "kernel-answers")
ADAPTER = os.environ.get("BUSWAY_REPLAY", "replay_adapter")

RULES = {
    # the same
    "direct": "mapped as it is, at the same address",
    "bounced": "bounced, at an address that leads into the device's pool, under its mask",
    "list": "a list: entry by entry direct or bounced, as the kernel",
    "live": "as many mappings live at once",
    "mask": "accepted: some memory has such an address",
    "mask-refused": "refused: no memory has such an address",
    "live-narrower": "narrowed while what lives stays under the mask",
    "probe-mask": "the mask to begin with, and what sees the CPU's caches",
    "required": "the mask that would drive everything, and whether this one limits",
    "coherent": "coherent memory: under the mask, zeroed, from the pool that the device has",
    "coherent-refused": "no coherent memory of that size",
    "peer-refused-too": "no address for a peer's registers",
    "registers": "registers behind no bridge: their own address, where no window translates",
    # refused
    "behind-iommu": "an IOMMU translates: there are no domains yet",
    "mask-nothing": "the kernel accepts a mask with which nothing can be mapped",
    "nothing-reached": "the device reaches no memory, or not the pool that it must use: it cannot "
                       "be attached; the kernel fails later, at every call",
    "live-mask": "the kernel narrows a mask although what lives is outside of it",
    "coherent-nowhere": "the kernel grants memory of a pool outside the windows, at ~0 or 0xfff",
    "aperture": "the kernel's address is one that the PCI bridge claims for registers below it; "
                "bounced instead, or not attached where there is no other",
    "alias": "windows overlap: the kernel's address belongs to other memory; bounced instead",
    "pool-ignored": "the kernel lets a device past its restricted pool; Busway bounces, or refuses",
    "peer": "the kernel hands out the CPU address of a BAR; which way there is between functions "
            "is not known",
    "peer-switch": "both are behind one switch; Busway does not know PCI topology yet",
    "registers-nowhere": "registers that no window leads to; the kernel hands out their CPU "
                         "address",
    # served
    "hole": "the kernel's bounce pool is in a hole of the windows, and every bounce fails",
    "long": "the kernel bounces 256 KiB at most",
    "last-slot": "the kernel does not use a pool to the last slot",
    "mask-smaller": "the kernel wants 32 bits (or all of its first zone); less reaches memory, too",
    "probe-mask-window": "the kernel begins with a mask cut to the windows; Busway with 32 bits, "
                         "and the windows hold anyway",
    "required-exact": "the kernel asks for 64 bits where windows end below the top of memory, and "
                      "for all of memory where only a pool is used; Busway for what is reached",
    "coherent-hole": "the kernel's areas for coherent memory are in a hole of the windows",
    "coherent-larger": "the kernel's area for coherent memory is too small; Busway's pools grow",
    "atomic-grown": "atomic memory from a pool that grew before",
    "atomic-own-pool": "the kernel serves atomic calls from outside of the device's reusable pool",
    "whole-pool": "the kernel allocates 256 KiB at most from a restricted pool",
}

# Questions with a device that are about its surroundings.
NOT_DECISIONS = {"begin", "reserved_mem_init", "resv_regions", "p2pdma_distance"}

K, M, G = 1 << 10, 1 << 20, 1 << 30
RAM = (0x40000000, 6 * G)
TARGETS = [0x4a000000, 0x5f000000, 0x90000000, 0xfff00000, 0x100000000, 0x130000000, 0x1b0000000]
OUTBOUND = [(0x2000000, 0x10000000, 0x10000000, 0x2eff0000),  # code, bus, CPU, size
            (0x3000000, 0x8000000000, 0x8000000000, 512 * G)]
BOUNCE = (0x42000000, 64 * M)  # in every window that leads to memory
COHERENT = (0x41000000, 4 * M)
BAR_SIZES = {0: 0x100, 2: 4 * M}
SWEEP = 600  # mappings that the kernel was asked for at once
KERNEL_BOUNCE_MAX = 256 * K
NOWHERE = -1

PLATFORM, FUNCTION, SWITCHED = "busway-bus:busway-dev", "0000:01:00.0", "0000:04:00.0"
DEVICES = {PLATFORM: {"device": "/busway-bus/busway-dev"},
           FUNCTION: {"device": "/pcie@10000000", "requester": 0x100},
           SWITCHED: {"device": "/pcie@10000000", "requester": 0x400}}


def number(text):
    return int(text, 16)


def bits_last(bits):
    return (1 << bits) - 1


def inside(first, size, whole):
    return whole[0] <= first and first + size <= whole[0] + whole[1]


# ---- the adapter ----

class Adapter:
    def __init__(self):
        self.process = subprocess.Popen([ADAPTER], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)

    def ask(self, op, **arguments):
        self.process.stdin.write(json.dumps({"op": op, **arguments}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError("%s %s: the adapter has no answer" % (op, arguments))
        return json.loads(line)

    def close(self):
        """Its exit status: sanitizers speak there."""
        self.process.stdin.close()
        status = self.process.wait()
        self.process.stdout.close()
        return status


# ---- what must hold, by arithmetic ----

class Place:
    """A device's windows, (bus, CPU, size) each, and its pools: what leads where.

    Apertures are what a PCI bridge claims of the bus for registers below it, (first, size) each: no
    access of a function gets from there to memory, whatever the windows say.
    """

    def __init__(self, windows=(), apertures=(), restricted=None, shared=None):
        self.windows, self.apertures = list(windows), list(apertures)
        self.restricted, self.shared = restricted, shared

    def lead(self, dma, size=1):
        """The CPU address that the windows make of it, as the kernel has it: the first counts."""
        if not self.windows:
            return dma
        for bus, cpu, length in self.windows:
            if inside(dma, size, (bus, length)):
                return cpu + (dma - bus)
        return NOWHERE

    def claimed(self, dma, size=1):
        return not apart(dma, size, self.apertures)

    def bus(self, phys):
        """The address that leads to this byte by the windows, or None."""
        for bus, cpu, length in self.windows or [(0, 0, 1 << 64)]:
            if inside(phys, 1, (cpu, length)) and self.lead(bus + (phys - cpu)) == phys:
                return bus + (phys - cpu)
        return None

    def parts(self, memory):
        """(bus address, CPU address, size) of what is reached of a run of memory."""
        for bus, cpu, length in self.windows or [(0, 0, 1 << 64)]:
            first, end = max(cpu, memory[0]), min(cpu + length, sum(memory))
            for at, size in left_of(bus + (first - cpu), end - first, self.apertures):
                yield at, cpu + (at - bus), size

    def reaches(self, bits, memory):
        return any(first <= bits_last(bits) for first, _cpu, _size in self.parts(memory))

    def lowest(self, memory):
        """The lowest bus address by which it is reached, and the CPU address there."""
        return min(part[:2] for part in self.parts(memory))

    def highest(self, memory):
        return max(first + size - 1 for first, _cpu, size in self.parts(memory))

    def must_use(self, coherent):
        """The memory of which something has to be reached."""
        return (self.shared if coherent else None) or self.restricted or RAM

    def without_apertures(self):
        return Place(self.windows, (), self.restricted, self.shared)


def apart(first, size, others):
    return all(first + size <= other or first >= other + length for other, length in others)


def left_of(first, size, taken):
    """What others leave of a range."""
    ranges = [(first, first + size)]
    for other, length in taken:
        ranges = [part for a, z in ranges
                  for part in ((a, min(z, other)), (max(a, other + length), z))]
        ranges = [(a, z) for a, z in ranges if a < z]
    return [(a, z - a) for a, z in ranges if a < z]


class Replay:
    """One device of one tree, in the order in which the kernel was asked."""

    def __init__(self, adapter, place, hole, attached):
        self.adapter, self.place, self.hole, self.attached = adapter, place, hole, attached
        self.bits = {}
        self.report = None

    def ask(self, op, **arguments):
        return self.adapter.ask(op, **arguments)

    def set_mask(self, op, bits):
        answer = self.ask(op, bits=bits)
        if answer["ok"]:
            self.bits[op] = bits
        return answer

    def under(self, bits, op="mask"):
        """Is this mask in force?"""
        return self.bits.get(op) == bits or self.set_mask(op, bits)["ok"]

    def accepts(self, bits, coherent=False):
        return self.place.reaches(bits, self.place.must_use(coherent))

    def lands(self, dma, size, leads_to, op):
        """Under the mask, and both by the windows and by the library in the same place?"""
        return (dma + size - 1 <= bits_last(self.bits[op]) and
                not self.place.claimed(dma, size) and
                self.place.lead(dma, size) == leads_to != NOWHERE)

    def bounces(self, ours, size):
        """Through the pool that the device has, with the right bytes?"""
        return (ours["ok"] and ours["way"] == "bounce" and ours["same_bytes"] and
                ours["size"] == size and
                self.lands(ours["dma"], size, ours["leads_to"], "mask") and
                inside(ours["leads_to"], size, self.place.restricted or BOUNCE))

    def is_direct(self, ours, dma, phys):
        return (ours["ok"] and ours["way"] == "direct" and ours["same_bytes"] and
                ours["dma"] == dma and ours["leads_to"] == phys)

    def serves(self, ours, size):
        """Coherent memory as it should be?"""
        own = self.place.shared or self.place.restricted
        return (ours["zeroed"] and ours["leads_to"] == ours["phys"] and
                self.lands(ours["dma"], size, ours["leads_to"], "coherent-mask") and
                inside(ours["phys"], size, own or RAM) and
                (own or apart(ours["phys"], size, [BOUNCE] + [(t, M) for t in TARGETS])))


def refuses(ours, *reasons):
    return not ours["ok"] and ours["reason"] in reasons and ours["detail"] != ""


# ---- pairs of answers ----
#
# Each function takes what the kernel was asked and said, asks Busway the same, and returns the
# names of the rules that explain the pair: none, if it is explained by none.

def page_rule(r, theirs):
    first, size = number(theirs["phys"]) + number(theirs["off"]), number(theirs["len"])
    if not r.under(theirs["mask_bits"]):
        nothing = theirs["ret"] != "OK" and not r.accepts(theirs["mask_bits"])
        return ["mask-nothing"] if nothing else []
    ours = r.ask("map", phys=first, size=size)
    if not ours["ok"]:
        return []
    if theirs["ret"] == "OK" and not theirs["bounced"]:
        return unbounced_rule(r, theirs, ours, first, size)
    if not r.bounces(ours, size):
        return []
    if theirs["ret"] == "OK":
        return ["bounced"]
    if r.hole:
        return ["hole"]
    return ["long"] if size > KERNEL_BOUNCE_MAX else []


def unbounced_rule(r, theirs, ours, first, size):
    """The kernel's address leads to the memory, to other memory, or to a bridge's registers."""
    if r.place.restricted:
        return ["pool-ignored"] if r.bounces(ours, size) else []
    dma = number(theirs["dma"])
    rule, reason = ("alias", "shadowed") if number(theirs["leads_to"]) != first else \
        ("aperture", "aperture") if r.place.claimed(dma, size) else ("direct", None)
    if rule == "direct":
        return ["direct"] if r.is_direct(ours, dma, first) else []
    refused = refuses(r.ask("map", phys=first, size=size, direct=True), reason)
    return [rule] if refused and r.bounces(ours, size) else []


def list_rule(r, theirs):
    r.under(theirs["mask_bits"])
    size = 8 * K
    pages = list(reversed(TARGETS))
    ours = r.ask("map-list", entries=[[phys, size] for phys in pages])
    if not ours["ok"] or len(ours["mapped"]) != len(pages):
        return []
    for index, (phys, one) in enumerate(zip(pages, ours["mapped"])):
        one["ok"] = True
        if theirs["ret"] == "OK":
            dma = number(theirs["mapped"][index]["dma"])
            direct = not r.place.restricted and r.place.lead(dma) == phys
        else:
            dma = r.place.bus(phys)
            direct = dma is not None and dma + size - 1 <= bits_last(theirs["mask_bits"])
        direct = direct and not r.place.claimed(dma, size)
        if not (r.is_direct(one, dma, phys) if direct else r.bounces(one, size)):
            return []
    if theirs["ret"] == "OK":
        return ["list"]
    return ["hole"] if r.hole else []


def exhaust_rule(r, theirs):
    r.under(theirs["mask_bits"])
    size = number(theirs["len"])
    ours = r.ask("exhaust", phys=number(theirs["phys"]), size=size, count=SWEEP)
    if ours["ok"]:
        return ["live"] if ours["live"] == theirs["live"] == SWEEP else []
    # what small buffers left behind may lie between two runs; else not a slot is lost
    full = (r.place.restricted or BOUNCE)[1] // size
    if ours["live"] != (full if refuses(ours, "pool-full") else full - 1) or \
            not refuses(ours, "pool-full", "pool-fragmented"):
        return []
    if theirs["live"] == 0:
        return ["hole"] if r.hole else []
    if theirs["live"] > full:
        return ["pool-ignored"] if r.place.restricted else []
    if theirs["live"] == ours["live"]:
        return ["live"]
    return ["last-slot"] if theirs["live"] == full - 1 else []


def live_mask_rule(r, theirs):
    r.under(64)
    phys, size = TARGETS[-1], 4 * K
    ours = r.ask("map", phys=phys, size=size, keep=True)
    narrowed = r.set_mask("mask", 32)
    still = r.ask("map", phys=phys - size, size=size, direct=True)  # by the mask in force
    if not ours["ok"] or not r.ask("unmap")["ok"]:
        return []
    if theirs.get("live_still_over_mask"):
        refused = refuses(narrowed, "live-mapping") and still["ok"] and still["dma"] > 1 << 32
        return ["live-mask"] if refused and ours["dma"] == number(theirs["live_dma"]) else []
    if not narrowed["ok"] or not r.bounces(ours, size):
        return []
    if "map" in theirs:
        return ["hole"] if r.hole else []
    return ["live-narrower"]


def mask_rule(r, theirs):
    found = []
    r.report = None
    for op, key in ("mask", "set_mask"), ("coherent-mask", "set_coherent_mask"):
        coherent = op == "coherent-mask"
        ours = r.set_mask(op, theirs["bits"])
        if ours["ok"] != r.accepts(theirs["bits"], coherent) or \
                not (ours["ok"] or refuses(ours, "empty-reach")):
            return []
        if not coherent:
            r.report = ours
        granted = theirs[key] == "OK"
        found.append(("mask" if ours["ok"] else "mask-nothing") if granted else
                     ("mask-smaller" if ours["ok"] else "mask-refused"))
    return found if found[0] != "mask-smaller" or is_of_use(r, theirs["bits"]) else []


def is_of_use(r, bits):
    """Under this mask, is the lowest page mapped?"""
    dma, phys = r.place.lowest(RAM)
    ours = r.ask("map", phys=phys, size=4 * K)
    return r.bounces(ours, 4 * K) if r.place.restricted else \
        r.is_direct(ours, dma, phys) and dma <= bits_last(bits)


def info_rule(r, theirs):
    if theirs["when"] == "at probe":
        bits = number(theirs["dma_mask"]).bit_length()
        if r.attached["coherent"] != theirs["coherent_hw"]:
            return []
        if bits == r.attached["mask"]:
            return ["probe-mask"]
        end = r.place.highest(RAM) if r.place.windows else 0
        return ["probe-mask-window"] if bits == end.bit_length() < r.attached["mask"] else []
    required = number(theirs["required_mask"]).bit_length()
    if r.report["required"] != r.place.highest(r.place.must_use(False)).bit_length():
        return []
    if r.place.restricted:
        return ["required-exact"] if r.report["limited"] else []
    if r.report["limited"] != theirs["addressing_limited"]:
        return []
    if r.report["required"] == required:
        return ["required"]
    return ["required-exact"] if required == 64 and r.place.windows else []


def alloc_rule(r, theirs):
    size, atomic = number(theirs["len"]), theirs["gfp"] == "GFP_ATOMIC"
    in_force = r.under(theirs["mask_bits"], "coherent-mask")
    ours = r.ask("alloc", size=size, atomic=atomic, slot=0) if in_force or r.place.shared else None
    if ours is None:
        nothing = theirs["ret"] != "OK" and not r.accepts(theirs["mask_bits"], True)
        return ["mask-nothing"] if nothing else []
    if ours["ok"]:
        r.ask("free", slot=0)
    if theirs["ret"] == "OK":
        return granted_rule(r, theirs, ours, size)
    if not ours["ok"]:
        fits = refuses(ours, "pool-too-small", "no-pool") and (ours["by"] or not r.place.shared)
        return ["coherent-refused"] if fits else []
    return extra_rule(r, size, atomic) if r.serves(ours, size) else []


def granted_rule(r, theirs, ours, size):
    """The kernel granted coherent memory: of which pool, and does its address lead there?"""
    own = r.place.shared or r.place.restricted
    served = r.serves(ours, size) if ours["ok"] else False
    if r.place.lead(number(theirs["dma"]), size) == NOWHERE:
        return ["coherent-nowhere"] if refuses(ours, "no-pool") and ours["by"] else []
    if not own or inside(number(theirs["leads_to"]), size, own):
        return ["coherent"] if served else []
    if r.place.restricted:
        return ["pool-ignored"] if served or refuses(ours, "pool-too-small") else []
    return ["atomic-own-pool"] if served and theirs["gfp"] == "GFP_ATOMIC" else []


def extra_rule(r, size, atomic):
    """Busway grants what the kernel did not."""
    if r.place.shared:
        return []
    if r.place.restricted:
        return ["whole-pool"] if size > KERNEL_BOUNCE_MAX else []
    if atomic and size > COHERENT[1]:
        return ["atomic-grown"]
    if size > 8 * M:
        return ["coherent-larger"]
    return ["coherent-hole"] if r.hole else []


def pair_rule(r, theirs):
    """Two allocations at a time."""
    r.under(32, "coherent-mask")
    size = 4 * K
    ours = [r.ask("alloc", size=size, atomic=False, slot=slot) for slot in (0, 1)]
    for slot, one in enumerate(ours):
        if one["ok"]:
            r.ask("free", slot=slot)
    if any(r.place.lead(number(theirs[key]), size) == NOWHERE
           for key in ("dma_first", "dma_second")):
        fits = all(refuses(one, "no-pool") and one["by"] for one in ours)
        return ["coherent-nowhere"] if fits else []
    fits = all(one["ok"] and r.serves(one, size) for one in ours)
    return ["coherent"] if fits and abs(ours[0]["dma"] - ours[1]["dma"]) >= size else []


def peer_rule(r, theirs, phys, size):
    ours = r.ask("peer", phys=phys, size=size)
    if not refuses(ours, "peer-route") or not ours["by"].startswith("/pcie@"):
        return []
    if theirs["ret"] != "OK":
        return ["peer-refused-too"]
    return ["peer-switch"] if theirs.get("bus_flag") else ["peer"]


def resource_rule(r, theirs):
    if not r.under(theirs["mask_bits"]):
        return ["mask-nothing"] if not r.accepts(theirs["mask_bits"]) else []
    return peer_rule(r, theirs, number(theirs["bar_cpu"]), BAR_SIZES[theirs["bar"]])


def p2p_rule(r, theirs):
    return peer_rule(r, theirs, 0x8000000000, BAR_SIZES[2])


def registers_rule(r, theirs):
    """Registers that no PCI bridge is in front of."""
    phys, size = number(theirs["phys"]), 4 * K
    ours = r.ask("peer", phys=phys, size=size)
    dma = r.place.bus(phys)
    if r.place.restricted:
        return ["pool-ignored"] if refuses(ours, "restricted-pool") else []
    if dma is None:
        return ["registers-nowhere"] if refuses(ours, "no-window") else []
    return ["registers"] if ours["ok"] and ours["dma"] == dma == number(theirs["dma"]) else []


PAIRS = {"map_page": page_rule, "map_sg": list_rule, "exhaust_streaming": exhaust_rule,
         "mask_change_live": live_mask_rule, "set_mask": mask_rule, "info": info_rule,
         "alloc_coherent": alloc_rule, "coherent_pair": pair_rule, "map_resource": resource_rule,
         "p2pmem_map_sg": p2p_rule, "p2pmem_map_page": p2p_rule, "registers": registers_rule}


# ---- variants of which no recording was kept ----
#
# Sizes of windows and pools are chosen here, such that they show what the kernel did (6.12, where
# no 6.1 is named). Windows are (bus, CPU, size). The kernel is told of by one letter for each of
# TARGETS, from the lowest on: D direct, B bounced, E error, X an address of other memory, I by the
# IOMMU past the pool; and for coherent memory of SIZES, first GFP_KERNEL, then GFP_ATOMIC: Y
# granted, O granted outside of the device's pool, I by the IOMMU, "." refused. Where nothing else
# is known of a variant, that is what it did with others: D inside windows and mask, else B.

SIZES = [4 * K, 64 * K, 1 * M, 8 * M, 64 * M]
USUAL, SMALL, HOLE = "YYYY. YYY..", "YYY.. YYY..", "YYY.. ....."
RESTRICTED, NONE = "YY... YY...", "..... ....."
OUTSIDE = "YYY.. OOO.."
BELOW = [(0, RAM[0], RAM[1])]  # bus addresses below CPU addresses
OFFSET = [(0x80000000, 0x40000000, 2 * G)]
LOW_WINDOW = [(0x40000000, 0x40000000, 256 * M)]
TWO = [(0x80000000, 0x40000000, 512 * M), (0, 0x100000000, 1 * G)]  # and a hole between
HOLES = [(0x40000000, 0x40000000, 512 * M), (0x100000000, 0x100000000, 1 * G),
         (0x8000000000, 0x8000000000, 4 * G)]
CHILD = {"device": "/pcie@10000000/function@2,0"}
BYPASSED = {**DEVICES[FUNCTION], "bypass": True}
ELSEWHERE = 0xfbe00000  # where the kernel's own areas were
NO_ADDRESS = "0xffffffffffffffff"


def pool(kind, base, size, *users):
    return {"kind": kind, "at": (base, size), "users": users}


def both(bits64, bits32, coherent64=USUAL, coherent32=None, **more):
    """What the kernel did for the PCI function and for the platform device."""
    row = (bits64, bits32, coherent64, coherent32 or coherent64)
    return {PLATFORM: more.get("platform", row), FUNCTION: more.get("function", row)}


REBUILT = [
    # name, the least bits of a mask that reaches something, what the kernel did, the tree
    ("02-empty-dma-ranges", 31, both("DDDDDDD", "DDDDBBB"), {"windows": []}),
    ("03-low-window on 6.1", 31, both("DEEEEEE", "DEEEEEE", SMALL,
                                      platform=("DEEEEEE", "DEEEEEE", HOLE, HOLE)),
     {"windows": LOW_WINDOW, "hole": True}),
    ("04-3g-window", 31, both("DDDDBBB", "DDDDBBB"),
     {"windows": [(0x40000000, 0x40000000, 3 * G)]}),
    ("05-bus-below-cpu", 1, both("DDDDDDD", "DDDDDDB"), {"windows": BELOW}),
    ("06-bus-from-2^39", 40, both("DDDDDDD", "EEEEEEE", USUAL, NONE),
     {"windows": [(1 << 39, RAM[0], RAM[1])], "refused": [FUNCTION]}),
    ("08-offset-hole", 1, both("DDEEDDE", "DDEEDDE", SMALL,
                               platform=("DDEEDDE", "DDEEDDE", HOLE, HOLE)),
     {"windows": TWO, "hole": True}),
    ("09-out-of-order", 1, both("DDEEDDE", "DDEEDDE", SMALL,
                                platform=("DDEEDDE", "DDEEDDE", HOLE, HOLE)),
     {"windows": TWO[::-1], "hole": True}),
    ("10-no-ram", None, both("EEEEEEE", "EEEEEEE", NONE),
     {"windows": [(0x200000000, 0x200000000, 256 * M)], "refused": [PLATFORM, FUNCTION]}),
    ("11-overlap", 1, both("DDEEXDE", "DDEEXDE", SMALL,
                           platform=("DDEEXDE", "DDEEXDE", HOLE, HOLE)),
     {"windows": [(0, 0x40000000, 512 * M), (0, 0x100000000, 1 * G)], "hole": True}),
    ("12-restricted-host on 6.1", 31, both("DDDDDDD", "DDDDBBB", "OOOO. OOO.."),
     {"pools": [pool("restricted", 0x58000000, 8 * M, "host", "platform")]}),
    ("13-restricted-function", 31,
     {FUNCTION: ("BBBBBBB", "BBBBBBB", RESTRICTED, RESTRICTED)},
     {"pools": [pool("restricted", 0x58000000, 8 * M, "child")], "devices": {FUNCTION: CHILD}}),
    ("14-restricted-high", 33, both("BBBBBBB", "EEEEEEE", RESTRICTED, NONE),
     {"pools": [pool("restricted", 0x140000000, 8 * M, "host", "platform")]}),
    ("15-restricted-outside-window", None, both("EEEEEEE", "EEEEEEE", NONE),
     {"windows": LOW_WINDOW, "refused": [PLATFORM, FUNCTION],
      "pools": [pool("restricted", 0x80000000, 8 * M, "host", "platform")]}),
    ("16-restricted-offset", 32, both("BBBBBBB", "BBBBBBB", RESTRICTED),
     {"windows": OFFSET, "pools": [pool("restricted", 0x58000000, 8 * M, "host", "platform")]}),
    ("17-shared-reusable", 31, both("DDDDDDD", "DDDDBBB",
                                    platform=("DDDDDDD", "DDDDBBB", OUTSIDE, OUTSIDE)),
     {"pools": [pool("reusable", 0x5a000000, 4 * M, "platform")]}),
    ("19-shared-and-restricted", 31, both("DDDDDDD", "DDDDBBB",
                                          platform=("BBBBBBB", "BBBBBBB", SMALL, SMALL)),
     {"pools": [pool("restricted", 0x58000000, 8 * M, "platform"),
                pool("no-map", 0x5a000000, 4 * M, "platform")]}),
    ("20-shared-offset", 1, both("DDDDDDD", "DDDDDDB",
                                 platform=("DDDDDDD", "DDDDDDB", SMALL, SMALL)),
     {"windows": BELOW, "pools": [pool("no-map", 0x5a000000, 4 * M, "platform")]}),
    ("22-outbound-offset", 31, both("DDDDDDD", "DDDDBBB"),
     {"outbound": [(0x2000000, 0x50000000, 0x10000000, 0x2eff0000),
                   (0x3000000, 0x9000000000, 0x8000000000, 0x8000000000)]}),
    ("34-smmu-restricted", 31,
     {PLATFORM: ("BBBBBBB", "BBBBBBB", RESTRICTED, RESTRICTED),
      FUNCTION: ("IIIIIII", "IIIIIII", "IIIII III..", "IIIII III..")},
     {"base": "31-smmu-holes", "windows": HOLES, "refused": [FUNCTION],
      "pools": [pool("restricted", 0x58000000, 8 * M, "host", "platform")]}),
    ("34-smmu-restricted, bypassed", 31,
     {FUNCTION: ("IIIIIII", "IIIIIII", "IIIII III..", "IIIII III..")},
     {"base": "31-smmu-holes", "windows": HOLES, "devices": {FUNCTION: BYPASSED},
      "pools": [pool("restricted", 0x58000000, 8 * M, "host", "platform")]}),
]


def page_told(letter, place, phys):
    """The kernel's answer for one page, in the form of the recordings."""
    answer = {"ret": "DMA_MAPPING_ERROR" if letter == "E" else "OK", "bounced": letter == "B"}
    if letter == "D":
        # the memory itself is where its address leads, pools and all
        answer.update(dma=hex(place.bus(phys)), leads_to=hex(phys))
    elif letter == "X":
        dma = next(bus + (phys - cpu) for bus, cpu, size in place.windows
                   if inside(phys, 1, (cpu, size)))
        answer.update(dma=hex(dma), leads_to=hex(place.lead(dma)))
    elif letter == "I":
        answer.update(dma="0x5ffdf000", leads_to=hex(phys))
    return answer


def alloc_told(letter, place):
    if letter == ".":
        return {"ret": "NULL"}
    if letter == "I":
        return {"ret": "OK", "dma": "0x54000000", "leads_to": "0x101c4a000"}
    phys = ELSEWHERE if letter == "O" else (place.shared or place.restricted or COHERENT)[0]
    return {"ret": "OK", "dma": hex(place.bus(phys)), "leads_to": hex(phys)}


def pages_told(place, bits, letters):
    live = {"D": SWEEP, "B": 63 if place.restricted and "D" not in letters else 511, "E": 0}
    if letters[-1] in live and place.reaches(bits, place.must_use(False)):
        yield {"q": "exhaust_streaming", "mask_bits": bits, "phys": hex(TARGETS[-1]),
               "len": "0x20000", "live": live[letters[-1]]}
    pages = [page_told(letter, place, phys) for letter, phys in zip(letters, TARGETS)]
    for page, phys in zip(pages, TARGETS):
        yield {"q": "map_page", "mask_bits": bits, "phys": hex(phys), "off": "0x0", "len": "0x1000",
               **page}
    if set(letters) <= set("BD"):
        yield {"q": "map_sg", "mask_bits": bits, "ret": "OK",
               "mapped": [{"dma": page.get("dma", NO_ADDRESS)} for page in reversed(pages)]}


def allocs_told(place, bits, letters):
    for letters_of, gfp in zip(letters.split(), ("GFP_KERNEL", "GFP_ATOMIC")):
        for letter, size in zip(letters_of, SIZES):
            yield {"q": "alloc_coherent", "mask_bits": bits, "len": hex(size), "gfp": gfp,
                   **alloc_told(letter, place)}


def told(device, row, place):
    """Questions and answers, in the order of the recordings."""
    for bits, letters, coherent in (64, row[0], row[2]), (32, row[1], row[3]):
        accepted = "OK" if bits >= 32 else "EIO"
        yield {"q": "set_mask", "bits": bits, "set_mask": accepted, "set_coherent_mask": accepted}
        yield from pages_told(place, bits, letters)
        for bar, cpu in (2, 0x8000000000), (0, 0x10400000):
            fits = cpu <= bits_last(bits)
            yield {"q": "map_resource", "mask_bits": bits, "bar": bar, "bar_cpu": hex(cpu),
                   "ret": "OK" if fits else "DMA_MAPPING_ERROR",
                   "dma": hex(cpu) if fits else NO_ADDRESS}
        yield from allocs_told(place, bits, coherent)
    for bits in 36, 34, 33, 31, 30, 12:
        accepted = "OK" if bits >= 32 else "EIO"
        yield {"q": "set_mask", "bits": bits, "set_mask": accepted, "set_coherent_mask": accepted}
    if device == PLATFORM:
        yield {"q": "registers", "phys": "0x9000000", "dma": "0x9000000"}


# ---- trees ----

def cells(*values):
    return " ".join("0x%x 0x%x" % (value >> 32, value & bits_last(32)) for value in values)


def dma_ranges(windows, code):
    entries = " ".join(code + cells(*window) for window in windows)
    return "dma-ranges = <%s>;" % entries if entries else "dma-ranges;"


def pool_node(handle, one):
    flag = {"restricted": "", "no-map": "no-map;", "reusable": "reusable;"}[one["kind"]]
    kind = "restricted" if one["kind"] == "restricted" else "shared"
    return """pool@%x { phandle = <0x%x>; %s reg = <%s>; compatible = "%s-dma-pool"; };""" % (
        one["at"][0], handle, flag, cells(*one["at"]), kind)


def additions(tree):
    """(path, what is there besides) of a variant."""
    pools = tree.get("pools", [])
    if "windows" in tree:
        yield "/busway-bus", dma_ranges(tree["windows"], "")
        yield "/pcie@10000000", dma_ranges(tree["windows"], "0x43000000 ")
    if "outbound" in tree:
        yield "/pcie@10000000", "ranges = <%s>;" % " ".join(
            "0x%x %s" % (code, cells(*values)) for code, *values in tree["outbound"])
    if CHILD in tree.get("devices", {}).values():
        yield "/pcie@10000000", "function@2,0 { reg = <0x1000 0 0 0 0>; };"
    paths = {"host": "/pcie@10000000", "platform": "/busway-bus/busway-dev",
             "child": CHILD["device"]}
    handles = [0x8100 + index for index in range(len(pools))]
    for handle, one in zip(handles, pools):
        yield "/reserved-memory", pool_node(handle, one)
    for user, path in paths.items():
        names = " ".join(hex(h) for h, one in zip(handles, pools) if user in one["users"])
        if names:
            yield path, "memory-region = <%s>;" % names


def rebuilt(tree):
    with open(os.path.join(FOLDER, tree.get("base", "01-baseline") + ".dts"),
              encoding="utf-8") as file:
        return file.read() + "".join("&{%s} { %s };\n" % one for one in additions(tree))


# What was recorded can be rebuilt, too: that is how the rebuilding is tested.
RECORDED = {
    "01-baseline": {},
    "03-low-window": {"windows": LOW_WINDOW},
    "07-two-ranges-hole": {"windows": HOLES[:2]},
    "12-restricted-host": {"pools": [pool("restricted", 0x58000000, 8 * M, "host", "platform")]},
    "18-shared-no-map": {"pools": [pool("no-map", 0x5a000000, 4 * M, "platform")]},
    "21-shared-no-map-outside-window": {
        "windows": LOW_WINDOW, "pools": [pool("no-map", 0x80000000, 4 * M, "platform")]},
    "31-smmu-holes": {"base": "31-smmu-holes", "windows": HOLES},
}


def normal_form(blob):
    """A tree in a form that can be compared: without seeds, symbols and numbers of phandles."""
    done = subprocess.run(["dtc", "-q", "-s", "-I", "dtb", "-O", "dts", blob], check=True,
                          capture_output=True, text=True)
    left_out = r"\s*(\w+-seed|phandle|busway_\w+|t\d|busway,attach-regions)\b.*"
    return [re.sub(r"(memory-region) = .*", r"\1", line) for line in done.stdout.splitlines()
            if not re.fullmatch(left_out, line)]


# ---- the run ----

class Run:
    def __init__(self, tap, folder):
        self.tap, self.folder = tap, folder
        self.hits = Counter()
        self.adapter = Adapter()

    def compile(self, name, source):
        path = os.path.join(self.folder, name)
        with open(path + ".dts", "w", encoding="utf-8") as file:
            file.write(source)
        return compile_tree(path + ".dts", path + ".dtb")

    def open(self, blob):
        ask = self.adapter.ask
        ready = ask("open", dtb=blob)["ok"]
        for use, (first, size) in ("bounce", BOUNCE), ("coherent", COHERENT):
            ready = ask("add-pool", phys=first, size=size, use=use)["ok"] and ready
        self.tap.check(ready, "%s: pools are placed" % os.path.basename(blob))

    def attach(self, what, device, place, hole, refused):
        attached = self.adapter.ask("attach", **device)
        self.tap.equal(attached["ok"], not refused, "%s: can it be attached?" % what)
        return Replay(self.adapter, place, hole, attached)

    def refused_rule(self, replay):
        """All questions to a device that cannot be attached."""
        attached, place = replay.attached, replay.place
        if refuses(attached, "behind-iommu"):
            return ["behind-iommu"]
        nothing = not replay.accepts(64)
        own = not place.restricted or attached["by"].startswith("/reserved-memory/pool@")
        if not nothing or not own or not refuses(attached, "empty-reach"):
            return []
        in_the_way = place.without_apertures().reaches(64, place.must_use(False))
        return ["aperture" if in_the_way else "nothing-reached"]

    def pair(self, what, replay, theirs):
        if theirs["q"] in NOT_DECISIONS:
            return
        rules = PAIRS[theirs["q"]](replay, theirs) if replay.attached["ok"] \
            else self.refused_rule(replay)
        self.hits.update(rules)
        self.tap.check(bool(rules), "%s: %s" % (what, spelled(theirs, rules)),
                       "no rule explains what Busway answered to\n%s" % json.dumps(theirs))


def spelled(theirs, rules):
    """A line about one question."""
    names = "q mask_bits bits when case phys off len gfp bar".split()
    return "%s: %s" % (" ".join(str(theirs[name]) for name in names if name in theirs),
                       ", ".join(rules) or "unexplained")


# ---- the recordings ----

def recordings():
    for name in sorted(os.listdir(FOLDER)):
        if name.endswith(".json.gz"):
            with gzip.open(os.path.join(FOLDER, name), "rt", encoding="utf-8") as file:
                yield name[:-len(".json.gz")], json.load(file)["answers"]


def info_of(answers, device):
    """How it was set up; of the function behind the switch nobody asked: as the other one."""
    asked = FUNCTION if device == SWITCHED else device
    return next(a for a in answers if a.get("q") == "info" and a["dev"] == asked)


def place_of(answers, device, tree):
    """Windows as the kernel tells them, and whether its bounce pool is in a hole of them."""
    user = "platform" if device == PLATFORM else "host"
    info = info_of(answers, device)
    place = placed(tree, user, [tuple(number(one[key]) for key in ("dma", "cpu", "size"))
                                for one in info["range_map"] or []])
    return place, place.bus(number(info["swiotlb"]["start"])) is None


def placed(tree, user, windows):
    """The pools of one user of a tree."""
    own = {one["kind"]: one["at"] for one in tree.get("pools", []) if user in one["users"]}
    apertures = [] if user == "platform" else \
        [(bus, size) for _code, bus, _cpu, size in tree.get("outbound", OUTBOUND)]
    return Place(windows, apertures, own.get("restricted"),
                 own.get("no-map") or own.get("reusable"))


def replay_recording(run, variant, answers):
    with open(os.path.join(FOLDER, variant + ".dts"), encoding="utf-8") as file:
        blob = run.compile(variant, file.read())
    again = run.compile(variant + "-rebuilt", rebuilt(RECORDED[variant]))
    run.tap.equal(normal_form(again), normal_form(blob), "%s: rebuilt, it is the same" % variant)
    run.open(blob)
    name, replay = None, None
    for theirs in answers:
        if theirs.get("dev") is None:
            continue
        if theirs["dev"] != name:
            name = theirs["dev"]
            replay = run.attach("%s %s" % (variant, name), DEVICES[name],
                                *place_of(answers, name, RECORDED[variant]),
                                info_of(answers, name)["iommu"])
        run.pair("%s %s" % (variant, name), replay, theirs)


# ---- the rebuilt ----

def check_least(run, what, replay, least):
    if not replay.attached["ok"]:
        return
    run.tap.check(replay.set_mask("mask", least)["ok"],
                  "%s: a mask of %d bits reaches something" % (what, least))
    if least > 1:
        run.tap.check(refuses(replay.set_mask("mask", least - 1), "empty-reach"),
                      "%s: a mask of %d bits reaches nothing" % (what, least - 1))


def replay_rebuilt(run, name, least, rows, tree):
    run.open(run.compile("rebuilt", rebuilt(tree)))
    devices = {**DEVICES, **tree.get("devices", {})}
    for device, row in rows.items():
        user = "platform" if device == PLATFORM else "child" if devices[device] is CHILD else "host"
        place = placed(tree, user, tree.get("windows", []))
        what = "%s %s" % (name, device)
        replay = run.attach(what, devices[device], place, tree.get("hole", False),
                            device in tree.get("refused", ()))
        check_least(run, what, replay, least)
        for theirs in told(device, row, place):
            run.pair(what, replay, theirs)


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        run = Run(tap, folder)
        for variant, answers in recordings():
            replay_recording(run, variant, answers)
        recorded = sum(run.hits.values())
        tap.check(recorded > 2000, "answers of the kernel were replayed", recorded)
        for row in REBUILT:
            replay_rebuilt(run, *row)
        tap.equal(run.adapter.close(), 0, "the adapter ends well")
    for rule, meaning in RULES.items():
        tap.check(run.hits[rule] > 0, "rule %s: %d pairs: %s" % (rule, run.hits[rule], meaning))
    tap.equal(sorted(set(run.hits) - set(RULES)), [], "no rule is missing from the list")
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
