#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""effort_test.py - hostile trees cost what they are large: four times the size, about four times.

Each shape is checked in two sizes in one run; the bound lies between what linear (4) and what
quadratic (16) gives, and of several runs the quickest counts.
"""

import os
import resource
import sys
import tempfile

from fdt import Node, cells, flatten, number, text
from found import Tap, run

SMALL, TIMES, BOUND = 4000, 4, 10
WIDE = 0x1000


def put_cells(node):
    node.props["#address-cells"], node.props["#size-cells"] = cells(2), cells(2)


def pair(first, size):
    return number(first, 2) + number(size, 2)


def entry(child, parent, size):
    return number(child, 2) + number(parent, 2) + number(size, 2)


def board():
    root = Node("")
    put_cells(root)
    root.props["compatible"] = text("test,board")
    memory = Node("memory@80000000", root)
    memory.props["device_type"] = text("memory")
    memory.props["reg"] = pair(0x80000000, 0x40000000)
    return root


def bus(root, name="soc"):
    node = Node(name, root)
    put_cells(node)
    node.props["compatible"], node.props["ranges"] = text("simple-bus"), b""
    return node


def device(above, at):
    node = Node("usb@%x" % at, above)
    node.props["compatible"], node.props["reg"] = text("test,usb"), pair(at, WIDE)
    return node


def limited(root):
    soc = bus(root)
    soc.props["dma-ranges"] = entry(0, 0x90000000, WIDE)
    return soc


def bridge(root, at):
    host = Node("pcie@%x" % at, root)
    host.props["device_type"] = text("pci")
    host.props["#address-cells"], host.props["#size-cells"] = cells(3), cells(2)
    return host


def entries_of_ranges(count):
    root = board()
    soc = bus(root)
    soc.props["ranges"] = b"".join(entry(i * 2 * WIDE, (i * 2 + (1 << 24)) * WIDE, WIDE)
                                   for i in range(count))
    for i in range(count // 4):
        device(soc, i * 2 * WIDE)
    return root


def entries_of_a_map(count):
    root = board()
    iommu = device(root, 0x1000)
    iommu.props["#iommu-cells"], iommu.props["phandle"] = cells(1), cells(1)
    host = bridge(root, 0x10000000)
    host.props["iommu-map"] = b"".join(cells(i % 65536, 1, i, 3) for i in range(count))
    return root


def pools_and_users(count):
    root = board()
    reserved = Node("reserved-memory", root)
    put_cells(reserved)
    reserved.props["ranges"] = b""
    soc = limited(root)
    for i in range(count):
        pool = Node("pool@%x" % (0x80000000 + i * 2 * WIDE), reserved)
        pool.props["compatible"] = text("shared-dma-pool")
        pool.props["reg"] = pair(0x80000000 + i * 2 * WIDE, WIDE)
        pool.props["phandle"] = cells(i + 10)
        device(soc, i * 2 * WIDE).props["memory-region"] = cells(i + 10)
    return root


def pools_of_few_users(count):
    root = pools_and_users(count)
    for user in root.children[-1].children[:3]:
        user.props["memory-region"] = cells(*range(10, 10 + count))
    return root


def bridges_that_collide(count):
    root = board()
    for i in range(count):
        host = bridge(root, i * 0x10000)
        host.props["linux,pci-domain"] = cells(0)
        host.props["ranges"] = (cells(0x02000000) + number(0x1000000, 2) +
                                pair((i + (1 << 24)) * WIDE, 2 * WIDE))
        host.props["dma-ranges"] = cells(0x02000000) + entry(0, 0x80000000, WIDE)
    return root


def buses_that_collide(count):
    root = board()
    for i in range(count):
        soc = bus(root, "soc%d" % i)
        soc.props["ranges"] = entry(0, (i + (1 << 24)) * WIDE, 3 * WIDE)
        soc.props["reg"] = pair((i + (1 << 24)) * WIDE, 3 * WIDE)
        soc.props["dma-ranges"] = entry(0, 0x80000000, WIDE)
        device(soc, 0).props["dmas"] = cells(5, 5, 5)
    return root


def banks_and_registers(count):
    root = board()
    root.children[0].props["reg"] = b"".join(pair(i * 2 * WIDE, WIDE) for i in range(count))
    soc = limited(root)
    for i in range(count // 4):
        device(soc, i * 2 * WIDE)
    return root


def long_string_lists(count):
    root = board()
    for i in range(100):
        device(root, i * WIDE).props["compatible"] = text(*("c%d" % j for j in range(count // 100)))
    return root


SHAPES = [entries_of_ranges, entries_of_a_map, pools_and_users, pools_of_few_users,
          bridges_that_collide, buses_that_collide, banks_and_registers, long_string_lists]


def cost(path):
    """Processor seconds of the quickest of three runs; a start of the command is not counted."""
    best = None
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        result = run("check", "-q", "--fail-on", "never", path)
        if result.status:
            raise AssertionError(str(result))
        spent = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
        best = spent if best is None else min(best, spent)
    return best


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        for shape in SHAPES:
            costs = []
            for count in (SMALL, SMALL * TIMES):
                path = os.path.join(folder, "tree.dtb")
                with open(path, "wb") as file:
                    file.write(flatten(shape(count)))
                costs.append(cost(path))
            # what is quick anyway is measured too roughly to be divided
            ratio = costs[1] / max(costs[0], 0.02)
            tap.check(ratio < BOUND, "%s: in proportion" % shape.__name__.replace("_", " "),
                      "%.3f s, then %.3f s: %.1f times" % (*costs, ratio))
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
