#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""random_trees_test.py - Busway and the independent reference agree on trees that nobody wrote.

Small random trees are asked of `busway show` and of tests/reference/dtref.py, which shares no code
with it, and compared device by device. Addresses are few and close together, so that windows
overlap, touch and miss each other, and entries of size zero are common.

BUSWAY_SEED chooses other trees, BUSWAY_ROUNDS more of them (per cent); a tree that differs is kept
in the folder for temporary files, and its name is told.

Left out on purpose, because the two differ there knowingly: ISA buses (a 1:1 step makes the I/O bit
a part of the address in Linux), buses with 3 cells below PCI, DMA parents with other cells than the
parent in the tree, sums beyond 2^64.
"""

import os
import random
import struct
import sys
import tempfile

from support import BUSWAY, ROOT, Tap

sys.path.insert(0, os.path.join(ROOT, "tests", "reference"))
import compare  # noqa: E402
import dtref    # noqa: E402

TREES, PER_LINE = 240, 20
POOLS = range(900, 904)  # phandles
IOMMU, IOMMU_OFF = 950, 951
MEMORY_CODES = (0x02000000, 0x02000000, 0x03000000, 0x43000000, 0x42000000, 0x82000000)
OTHER_CODES = (0x01000000, 0x00000000)


class Blob:
    """A flattened tree, written token by token."""

    def __init__(self):
        self.structure, self.strings, self.offsets = bytearray(), b"", {}

    def pad(self):
        self.structure += b"\0" * (-len(self.structure) % 4)

    def begin(self, name):
        self.structure += struct.pack(">I", 1) + name.encode() + b"\0"
        self.pad()

    def end(self):
        self.structure += struct.pack(">I", 2)

    def prop(self, name, value=b""):
        if name not in self.offsets:
            self.offsets[name] = len(self.strings)
            self.strings += name.encode() + b"\0"
        self.structure += struct.pack(">III", 3, len(value), self.offsets[name]) + value
        self.pad()

    def cells(self, name, *cells):
        self.prop(name, struct.pack(">%dI" % len(cells), *cells))

    def text(self, name, value):
        self.prop(name, value.encode() + b"\0")

    def bytes(self):
        self.structure += struct.pack(">I", 9)
        strings_at = 56 + len(self.structure)
        header = struct.pack(">10I", 0xd00dfeed, strings_at + len(self.strings), 56, strings_at, 40,
                             17, 16, 0, len(self.strings), len(self.structure))
        return header + b"\0" * 16 + bytes(self.structure) + self.strings


class Bus:
    """How the addresses of a node's children are written."""

    def __init__(self, kind, address_cells, size_cells):
        self.kind, self.address_cells, self.size_cells = kind, address_cells, size_cells

    def __eq__(self, other):
        return vars(self) == vars(other)


class Grower:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.blob = Blob()
        self.handles = []  # (phandle, bus) of nodes that may be DMA parents

    def chance(self, probability):
        return self.random.random() < probability

    def address(self):
        return self.random.choice((self.random.randrange(16) * 0x1000,
                                   self.random.randrange(8) * 0x400,
                                   self.random.randrange(16, 64) * 0x1000,
                                   self.random.choice((0x80000000, 0x40000000, 0x40001000))))

    def size(self):
        if self.chance(0.12):
            return 0
        return self.random.choice((self.random.randrange(1, 9) * 0x1000,
                                   self.random.randrange(1, 9) * 0x400,
                                   self.random.choice((0x20000000, 0x10000000, 0x40000))))

    @staticmethod
    def number(value, count):
        return [value >> 32 * (count - 1 - i) & 0xffffffff for i in range(count)]

    def location(self, value, bus):
        """An address as the bus writes it."""
        cells = self.number(value, bus.address_cells)
        if bus.kind == "pci":
            cells[0] = self.random.choice(MEMORY_CODES + OTHER_CODES)
        elif bus.kind == "flags":
            cells[0] = self.random.choice((0, 0, 1))
        return cells

    def entries(self, bus, parent):
        cells, last = [], None
        for _ in range(self.random.choice((1, 1, 2, 2, 3))):
            child, upper, size = self.address(), self.address(), self.size()
            if last and self.chance(0.35):  # goes on where the one before ends
                child, upper = last[0] + last[2], last[1] + last[2]
            cells += (self.location(child, bus) + self.location(upper, parent)
                      + self.number(size, bus.size_cells))
            last = child, upper, size
        if self.chance(0.06):  # no whole number of entries
            cells = cells[:-1] if self.chance(0.5) else cells + [7]
        return cells

    def table(self, name, bus, parent, has, empty):
        if self.chance(has):
            self.blob.cells(name, *self.entries(bus, parent))
        elif self.chance(empty):
            self.blob.prop(name)

    def choose_bus(self, parent, on_pci):
        """(the bus, node name, device_type)"""
        if on_pci:
            return Bus("pci", 3, 2), "port", "pci"
        if self.chance(0.25):
            return Bus("pci", 3, 2), self.random.choice(("pcie", "host")), "pci"
        cells = self.random.choice((1, 1, 2, 2, 2, 3))
        kind = "flags" if cells == 3 else "default"
        return Bus(kind, cells, self.random.choice((1, 1, 2, 2))), "bus", None

    def describe(self, parent):
        """Coherence, status, and the parent that DMA goes to."""
        if self.chance(0.15):
            self.blob.prop(self.random.choice(("dma-coherent", "dma-noncoherent")))
        if self.chance(0.07):
            self.blob.text("status", self.random.choice(("disabled", "okay", "ok", "")))
        fitting = [phandle for phandle, bus in self.handles if bus == parent]
        if fitting and self.chance(0.25):
            self.blob.cells("interconnects", self.random.choice(fitting), 0)
            self.blob.text("interconnect-names", "dma-mem")

    def grow(self, parent, on_pci, depth, index):
        bus, name, device_type = self.choose_bus(parent, on_pci)
        self.blob.begin("%s@%x" % (name, index))
        self.blob.cells("#address-cells", bus.address_cells)
        self.blob.cells("#size-cells", bus.size_cells)
        if device_type:
            self.blob.text("device_type", device_type)
        if on_pci:
            self.blob.cells("reg", index << 8, 0, 0, 0, 0)
        self.table("dma-ranges", bus, parent, has=0.5, empty=0.35)
        self.table("ranges", bus, parent, has=0.4, empty=0.5)
        self.describe(parent)
        if bus.kind == "default" and self.chance(0.3):
            phandle = len(self.handles) + 1
            self.blob.cells("phandle", phandle)
            self.blob.cells("#interconnect-cells", 1)
            self.handles.append((phandle, bus))
        for child in range(self.random.choice((0, 1, 1, 2, 3)) if depth < 4 else 0):
            self.grow(bus, bus.kind == "pci", depth + 1, child + 1)
        self.device()
        self.blob.end()

    def device(self):
        self.blob.begin("dev")
        if self.chance(0.3):
            self.blob.cells("memory-region", self.random.choice(POOLS))
        if self.chance(0.3):
            self.blob.cells("iommus", IOMMU, self.random.randrange(9))
        self.blob.end()

    def memory(self, root):
        for bank in range(self.random.choice((0, 1, 1, 1, 2))):
            self.blob.begin("memory@%x" % bank)
            self.blob.text("device_type", "memory")
            cells = []
            for _ in range(self.random.choice((1, 1, 2))):
                cells += self.number(self.address(), root.address_cells)
                cells += self.number(self.size() or 0x1000, root.size_cells)
            self.blob.cells("reg", *cells)
            self.blob.end()

    def pools(self, root):
        self.blob.begin("reserved-memory")
        self.blob.cells("#address-cells", root.address_cells)
        self.blob.cells("#size-cells", root.size_cells)
        self.blob.prop("ranges")
        for phandle in POOLS:
            self.blob.begin("pool-%d" % phandle)
            self.blob.cells("phandle", phandle)
            kind = self.random.choice(("restricted-dma-pool", "shared-dma-pool", None))
            if kind:
                self.blob.text("compatible", kind)
                if self.chance(0.2):
                    self.blob.prop("reusable")
            if self.chance(0.5):
                self.blob.prop("no-map")
            if self.chance(0.8):
                self.blob.cells("reg", *self.number(self.address(), root.address_cells),
                                *self.number(self.size(), root.size_cells))
            else:
                self.blob.cells("size", *self.number(0x1000, root.size_cells))
            self.blob.end()
        self.blob.end()

    def tree(self):
        root = Bus("default", self.random.choice((1, 2, 2)), self.random.choice((1, 2, 2)))
        self.blob.begin("")
        self.blob.cells("#address-cells", root.address_cells)
        self.blob.cells("#size-cells", root.size_cells)
        self.blob.text("model", "random")
        self.blob.text("compatible", "random")
        self.memory(root)
        self.pools(root)
        for phandle, status in ((IOMMU, "okay"), (IOMMU_OFF, "disabled")):
            self.blob.begin("iommu@%x" % phandle)
            self.blob.cells("phandle", phandle)
            self.blob.cells("#iommu-cells", 1)
            self.blob.text("status", status)
            self.blob.end()
        for child in range(self.random.choice((1, 2, 3))):
            self.grow(root, False, 1, child + 16)
        self.blob.end()
        return self.blob.bytes()


def differences(path):
    document, problem = compare.ask_busway(BUSWAY, path, 64)
    if document is None:
        # DMA parents in a circle: the reference cuts them open
        return [] if "circle" in problem else [("/", "file", "read", problem)]
    return list(compare.compare_documents(dtref.show(path), document))


def main():
    tap = Tap()
    seed = int(os.environ.get("BUSWAY_SEED", "1"), 0)
    count = TREES * int(os.environ.get("BUSWAY_ROUNDS", "100")) // 100
    print("# seed %d, %d trees" % (seed, count))
    for start in range(0, count, PER_LINE):
        wrong = []
        for index in range(start, min(start + PER_LINE, count)):
            with tempfile.NamedTemporaryFile(prefix="busway-random-%d-" % index, suffix=".dtb",
                                             delete=False) as file:
                file.write(Grower(seed * 1000003 + index).tree())
            found = differences(file.name)
            if found:
                wrong += ["%s: %s %s\n  reference: %s\n  busway:    %s" % (
                    file.name, path, key, compare.as_text(expected), compare.as_text(got))
                          for path, key, expected, got in found[:3]]
            else:
                os.unlink(file.name)
        tap.check(not wrong, "random trees from %d on agree with the reference" % start,
                  "\n".join(wrong[:6]))
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
