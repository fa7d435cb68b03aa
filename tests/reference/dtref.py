#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""dtref.py - an independent reading of device trees, to judge `busway show`.

    dtref.py FILE.dtb [--mask BITS] [--all]

prints one JSON object in the form "busway-show/1". It shares no code with Busway: where the two
disagree, one of them is wrong. Written to be read, not to be fast; only the standard library.

"facts N" in a comment is section N of the project's facts sheet on device trees and DMA, "contract"
is the description of `busway show`, and "decided" marks what neither of them settles.

Read in this order: the container (facts 1), cells and bus types (2, 3), the walk upwards (4, 5, 6),
windows (6, 7, 15), memory and pools (10, 11), maps (12), kinds of nodes, one device, the document.

Addresses are Python integers, so nothing wraps unless a line says "% SPACE"; ranges are half open.
"""

import argparse
import json
import struct
import sys

SPACE = 1 << 64  # number of addresses in any space
MEMORY_SPACE = 0x02000000  # first cell of a PCI memory address (facts 3)


class Malformed(Exception):
    """The file is not a flattened device tree that can be read."""


# ---------------------------------------------------------------------------------------------
# The container (facts 1)
# ---------------------------------------------------------------------------------------------

class Node:
    def __init__(self, name, parent):
        self.name = name
        self.parent = parent
        self.children = []
        self.props = {}
        if parent is None:
            self.path = "/"
        else:
            self.path = parent.path.rstrip("/") + "/" + name
            parent.children.append(self)

    @property
    def base_name(self):
        return self.name.split("@")[0]

    def cells(self, prop):
        """The property as 32-bit numbers; bytes after the last whole one are ignored."""
        value = self.props.get(prop, b"")
        count = len(value) // 4
        return list(struct.unpack(">%dI" % count, value[:4 * count]))

    def u32(self, prop):
        cells = self.cells(prop)
        return cells[0] if cells else None

    def strings(self, prop):
        value = self.props.get(prop, b"")
        if value.endswith(b"\0"):
            value = value[:-1]
        return [text(s) for s in value.split(b"\0")] if value else []

    def string(self, prop):
        return text(self.props[prop].split(b"\0")[0]) if prop in self.props else None

    def compatible_with(self, name):
        return name in self.strings("compatible")


class Tree:
    def __init__(self, nodes):
        self.nodes = nodes  # every node, parents before children, in the order of the file
        self.root = nodes[0]
        self.by_path = {}
        self.by_phandle = {}
        for node in nodes:
            self.by_path.setdefault(node.path, node)
            if is_bookkeeping(node):
                continue
            for prop in ("phandle", "linux,phandle"):
                number = node.u32(prop)
                if number not in (None, 0, 0xffffffff):
                    self.by_phandle.setdefault(number, node)


def text(raw):
    return raw.decode("utf-8", "backslashreplace")


def read_fdt(blob):
    def u32(at):
        if at + 4 > total:
            raise Malformed("the file ends inside a value at offset %d" % at)
        return struct.unpack_from(">I", blob, at)[0]

    def c_string(start, end, what):
        stop = blob.find(b"\0", start, end)
        if start >= end or stop < 0:
            raise Malformed("%s at offset %d has no end" % (what, start))
        return blob[start:stop], stop + 1

    if len(blob) < 40 or blob[:4] != b"\xd0\x0d\xfe\xed":
        raise Malformed("not a flattened device tree")
    (total, struct_at, strings_at, reserve_at, version, oldest, _cpu, strings_size,
     struct_size) = struct.unpack_from(">9I", blob, 4)
    if total < 40 or total > len(blob):
        raise Malformed("total size %d does not fit a file of %d bytes" % (total, len(blob)))
    if version < 16 or oldest > 17:
        raise Malformed("version %d, readable as %d: not supported" % (version, oldest))
    struct_end = struct_at + struct_size if version >= 17 else total
    strings_end = strings_at + strings_size
    if struct_at % 4 or struct_end > total or strings_end > total:
        raise Malformed("a block lies outside the file")
    while u32(reserve_at) | u32(reserve_at + 4) | u32(reserve_at + 8) | u32(reserve_at + 12):
        reserve_at += 16  # these reservations are not subtracted from anything (contract)

    nodes = []
    node = None  # the node we are in
    at = struct_at
    while True:
        if at + 4 > struct_end:
            raise Malformed("the structure block has no end")
        token = u32(at)
        at += 4
        if token == 1:  # BEGIN_NODE
            name, at = c_string(at, struct_end, "node name")
            at = (at + 3) & ~3
            if node is None and nodes:
                raise Malformed("a second root node at offset %d" % at)
            node = Node(text(name), node)
            nodes.append(node)
        elif token == 2:  # END_NODE
            if node is None:
                raise Malformed("a node ends that never began, before offset %d" % at)
            node = node.parent
        elif token == 3:  # PROP
            if node is None or at + 8 > struct_end:
                raise Malformed("a property outside any node, or cut off, at offset %d" % at)
            size, name_at = u32(at), strings_at + u32(at + 4)
            at += 8
            if size > struct_end - at:
                raise Malformed("a property value of %d bytes at offset %d passes the end" % (size, at))
            name, _ = c_string(name_at, strings_end, "property name")
            node.props.setdefault(text(name), blob[at:at + size])  # the first of two wins (facts 1)
            at = (at + size + 3) & ~3
        elif token == 9:  # END
            if node is not None or not nodes:
                raise Malformed("the tree ends inside a node, or has none")
            return Tree(nodes)
        elif token != 4:  # NOP
            raise Malformed("unknown token %#x before offset %d" % (token, at))


BOOKKEEPING = ("__symbols__", "__fixups__", "__local_fixups__", "__overrides__")


def is_bookkeeping(node):
    """Is this one of dtc's own nodes, or below one? (facts 1)"""
    top = top_level(node)
    return top is not None and top.name in BOOKKEEPING


def top_level(node):
    """The ancestor (or the node itself) that is a child of the root."""
    while node.parent is not None and node.parent.parent is not None:
        node = node.parent
    return node if node.parent is not None else None


def is_available(node):
    """facts 2: absent, "okay" and "ok" mean yes; anything else, an empty one too, means no."""
    return node.string("status") in (None, "okay", "ok")


def is_enabled(node):
    """facts 2: a child of a disabled node is never probed."""
    while node is not None:
        if not is_available(node):
            return False
        node = node.parent
    return True


# ---------------------------------------------------------------------------------------------
# Cells and bus types (facts 2, 3)
# ---------------------------------------------------------------------------------------------

def number(cells):
    """facts 2: Linux reads 64 bits at most; of three or four cells the low two count."""
    value = 0
    for cell in cells:
        value = (value << 32 | cell) % SPACE
    return value


def own_cells(node, prop):
    """facts 2: nearest node at or above that states it; 1 where none does."""
    while node is not None:
        count = node.u32(prop)
        if count is not None:
            return count
        node = node.parent
    return 1


def parent_cells(node, prop):
    """The same, for the addresses that a node's own properties hold."""
    return own_cells(node.parent or node, prop)


def bus_type(node):
    """facts 3: first that fits."""
    if node.string("device_type") in ("pci", "pciex", "vci", "ht") or node.base_name == "pcie":
        return "pci"
    if node.base_name == "isa":
        return "isa"
    if own_cells(node, "#address-cells") == 3:
        return "default-flags"
    return "default"


def flag_cells(bus):
    return 0 if bus_type(bus) == "default" else 1


def cells_on_bus(bus, child):
    """How many address and size cells child's addresses have on that bus (facts 3: fixed for PCI).

    bus is child's parent, or its DMA parent; the counts stay those of the parent (facts 2, 5).
    """
    kind = bus_type(bus)
    if kind == "pci":
        return 3, 2
    if kind == "isa":
        return 2, 1
    return parent_cells(child, "#address-cells"), parent_cells(child, "#size-cells")


def counts_are_good(address_cells, size_cells):
    """facts 2: 1 to 4 address cells, and size cells, or no translation."""
    return 1 <= address_cells <= 4 and size_cells > 0


PCI_SPACES = ("config", "io", "mem32", "mem64")


def pci_space(cell):
    """facts 3: the ss bits; n, p and t do not matter."""
    return PCI_SPACES[cell >> 24 & 3]


def same_space(bus, one, other):
    """facts 3, last column: may an address with this first cell use that entry?"""
    kind = bus_type(bus)
    if kind == "pci":  # mem32 and mem64 are one class
        return pci_space(one)[:3] == pci_space(other)[:3]
    if kind == "isa":
        return one & 1 == other & 1
    if kind == "default-flags":
        return one == other
    return True


def linux_flags(bus, cell):
    """What must be equal for Linux to merge two entries (facts 6)."""
    kind = bus_type(bus)
    if kind == "pci":
        return pci_space(cell), bool(cell & 0x40000000)
    if kind == "isa":
        return cell & 1
    if kind == "default-flags":
        return cell
    return None


def entries(node, prop, address_cells, upper_cells, size_cells):
    """Cut a ranges-like property into entries: (child cells, parent cells and what follows, size).

    facts 2: whole entries only, the tail is ignored.
    """
    cells = node.cells(prop)
    length = address_cells + upper_cells + size_cells
    found = []
    for at in range(0, len(cells) - length + 1, max(length, 1)):
        if length:
            found.append((cells[at:at + address_cells], cells[at + address_cells:],
                          number(cells[at + address_cells + upper_cells:at + length])))
    return found


# ---------------------------------------------------------------------------------------------
# The walk upwards (facts 4, 5, 6)
# ---------------------------------------------------------------------------------------------

def phandle_list(tree, node, prop, cells_prop, missing):
    """A list of phandles with specifiers: [(target, cells)], target None for a phandle of 0.

    missing: what a target without cells_prop counts as; None ends the list there (facts 12).
    The list also ends at a phandle that leads nowhere and at a specifier that is cut off.
    """
    cells = node.cells(prop)
    found = []
    at = 0
    while at < len(cells):
        if cells[at] == 0:
            found.append((None, []))
            at += 1
            continue
        target = tree.by_phandle.get(cells[at])
        if target is None:
            break
        count = target.u32(cells_prop) if cells_prop else 0
        if count is None:
            count = missing
        if count is None or at + 1 + count > len(cells):
            break
        found.append((target, cells[at + 1:at + 1 + count]))
        at += 1 + count
    return found


def dma_parent(tree, node):
    """facts 5: the interconnect called "dma-mem", if it can be found; else the parent."""
    names = node.strings("interconnect-names")
    if "dma-mem" in names:
        links = phandle_list(tree, node, "interconnects", "#interconnect-cells", None)
        index = names.index("dma-mem")
        if index < len(links) and links[index][0] is not None:
            return links[index][0]
    return node.parent


def dt_parent(_tree, node):
    return node.parent


def chain(tree, node, parent_of):
    """The node and everything above it, up to the root; a loop of DMA parents is cut open.

    Decided: what was found before the loop counts, but no address gets through it.
    """
    nodes = []
    while node is not None and node not in nodes:
        nodes.append(node)
        node = parent_of(tree, node)
    return nodes


def leads_up(tree, path):
    """Can addresses of path[0]'s property be translated at all? Not those of the root (facts 4)."""
    return len(path) > 1 and path[-1] is tree.root


def find_table(tree, start):
    """facts 4: the node whose dma-ranges counts for masters whose addresses enter at start."""
    for level, node in enumerate(chain(tree, start, dma_parent)):
        if node.props.get("dma-ranges"):
            return node  # rule 1: non-empty
        if "dma-ranges" not in node.props and level > 0:
            return None  # rule 3: missing is tolerated at the first node only
        # rule 2: empty means 1:1, go on; and so does the first node without one
    return None  # rule 4


def linux_translate(tree, node, cells, prop, parent_of):
    """The start of an entry of node (its parent-side cells) as a CPU address; None if there is none.

    facts 6, done as Linux does it, cell by cell: this one decides what is in Linux's map, where it
    ends, and where outbound apertures and registers are.
    """
    path = chain(tree, node, parent_of)
    if not leads_up(tree, path):
        return None
    address_cells, size_cells = cells_on_bus(path[1], node)
    if not counts_are_good(address_cells, size_cells) or len(cells) < address_cells:
        return None
    address = cells[:address_cells]

    for bus, above in zip(path[1:], path[2:]):
        above_cells, above_size_cells = cells_on_bus(above, bus)
        if not counts_are_good(above_cells, above_size_cells):
            return None
        flags = flag_cells(bus)
        if not bus.props.get(prop):
            if prop not in bus.props and prop == "ranges":
                return None  # facts 6: missing is 1:1 for dma-ranges, untranslatable for ranges
            # facts 6: 1:1 keeps the low 64 bits. Between two buses that have one, the flag cell
            # passes (Linux 6.12, stable); from a bus that has none, it becomes 0.
            base, offset = [0] * above_cells, number(address)
            if flag_cells(above) and flags:
                base[0] = address[0]
        else:
            here = number(address[flags:])
            for child, upper, size in entries(bus, prop, address_cells, above_cells, size_cells):
                start = number(child[flags:])
                # facts 6: in 64-bit arithmetic: an entry whose end wraps never matches
                if same_space(bus, address[0], child[0]) and start <= here < (start + size) % SPACE:
                    base, offset = upper[:above_cells], here - start
                    break
            else:
                return None

        # Write base + offset back into as many cells as the upper bus has, at most 64 bits.
        flags = flag_cells(above)
        value = number(base[flags:]) + offset
        address = base[:flags] + [0] * (above_cells - flags)
        if len(address) > flags:
            address[-1] = value & 0xffffffff
        if len(address) > flags + 1:
            address[-2] = value >> 32 & 0xffffffff
        address_cells, size_cells = above_cells, above_size_cells

    result = number(address)
    return None if result == SPACE - 1 else result  # OF_BAD_ADDR


# ---------------------------------------------------------------------------------------------
# Sets of addresses: lists of (first, end), end not included
# ---------------------------------------------------------------------------------------------

def subtract(pieces, holes):
    for hole_first, hole_end in holes:
        left = []
        for first, end in pieces:
            if first < min(end, hole_first):
                left.append((first, min(end, hole_first)))
            if max(first, hole_end) < end:
                left.append((max(first, hole_end), end))
        pieces = left
    return pieces


def span(start, size):
    """facts 15, rule 3: clipped at 2^64."""
    return start, min(start + size, SPACE)


# ---------------------------------------------------------------------------------------------
# Windows (facts 6, 7, 15)
# ---------------------------------------------------------------------------------------------

def climb(tree, table, pieces):
    """Carry pieces of the table's parent side up to CPU addresses (facts 15, rule 3).

    pieces: (bus, size, cells, offset): bus is the address that the device uses; cells + offset is
    the parent-side address that belongs to it. Returns [(bus, size, cpu)].

    On the way a piece is (bus, size, flag, address): flag is the first cell of the address where
    the bus it is on has flags, else None.
    """
    path = chain(tree, table, dma_parent)
    if not leads_up(tree, path):
        return []
    address_cells, size_cells = cells_on_bus(path[1], table)
    if not counts_are_good(address_cells, size_cells):
        return []

    flags = flag_cells(path[1])
    moving = []
    for bus, size, cells, offset in pieces:
        if len(cells) >= address_cells:
            flag = cells[0] if flags else None
            moving += clipped(bus, size, flag, number(cells[flags:address_cells]) + offset)

    for bus, above in zip(path[1:], path[2:]):
        above_cells, above_size_cells = cells_on_bus(above, bus)
        if not counts_are_good(above_cells, above_size_cells):
            return []
        if bus.props.get("dma-ranges"):
            moving = through_table(bus, flag_cells(above), moving,
                                   address_cells, above_cells, size_cells)
        else:
            # facts 6: missing and empty are 1:1
            moving = [(at, size, pass_flag(bus, above, flag), address)
                      for at, size, flag, address in moving]
        address_cells, size_cells = above_cells, above_size_cells

    return [(bus, size, address) for bus, size, _flag, address in moving]


def pass_flag(bus, above, flag):
    """A 1:1 step keeps the space code; decided: coming from a bus without one, it is memory."""
    if not flag_cells(above):
        return None
    if flag is not None:
        return flag
    return MEMORY_SPACE if bus_type(above) == "pci" else 0


def clipped(bus, size, flag, address):
    """facts 15, rule 3: what would pass 2^64, on either side, is cut off."""
    size = min(size, SPACE - bus, SPACE - address)
    return [(bus, size, flag, address)] if size > 0 else []


def through_table(bus, above_flags, pieces, address_cells, above_cells, size_cells):
    """One level: each address takes the first entry that matches it (facts 6, facts 15 rule 3)."""
    passed = []
    table = entries(bus, "dma-ranges", address_cells, above_cells, size_cells)
    flags = flag_cells(bus)
    for at, size, flag, address in pieces:
        waiting = [(address, address + size)]
        for child, upper, entry_size in table:
            if flags and not same_space(bus, flag, child[0]):
                continue
            entry_first, entry_end = span(number(child[flags:]), entry_size)
            upper_flag = upper[0] if above_flags else None
            upper_start = number(upper[above_flags:above_cells])
            for first, end in waiting:
                first, end = max(first, entry_first), min(end, entry_end)
                if first < end:
                    passed += clipped(at + first - address, end - first, upper_flag,
                                      upper_start + first - entry_first)
            waiting = subtract(waiting, [(entry_first, entry_end)])
    return passed


def linux_groups(tree, table):
    """The entries of the device's own table as Linux merges them (facts 6).

    A group is [flags, bus, cpu, size, entries]; cpu None where the start does not translate. An
    entry is (bus, size, parent cells). Merging looks at translated starts. Decided: in plain
    arithmetic, so two halves of the 64-bit space are a group of 2^64, not of 0.
    """
    # facts 3: here the node's own cell counts hold, for PCI too
    address_cells = own_cells(table, "#address-cells")
    upper_cells = parent_cells(table, "#address-cells")
    size_cells = own_cells(table, "#size-cells")
    flags = flag_cells(table)
    groups = []
    for child, upper, size in entries(table, "dma-ranges", address_cells, upper_cells, size_cells):
        code = linux_flags(table, child[0] if child else 0)
        bus = number(child[flags:])  # the space code of the own table is ignored (facts 6)
        cpu = linux_translate(tree, table, upper, "dma-ranges", dma_parent)
        last = groups[-1] if groups else None
        if (last and cpu is not None and last[2] is not None and code == last[0]
                and bus == last[1] + last[3] and cpu == last[2] + last[3]):
            last[3] += size
            last[4].append((bus, size, upper))
        else:
            groups.append([code, bus, cpu, size, [(bus, size, upper)]])
    return groups


def up_to_the_end(tree, table):
    """What counts of a table: (Linux's map, the entries, does an entry of size 0 end it?)"""
    linux_map = []  # (bus, size): what Linux uses, up to the first entry of size 0 (facts 6)
    live = []  # the property's entries up to there, translatable for Linux or not
    for _code, bus, cpu, size, members in linux_groups(tree, table):
        if cpu is not None:
            if size == 0:
                return linux_map, live, True
            linux_map.append((bus, size))
        live += members
    return linux_map, live, False


def first_come(live):
    """Pieces of the entries for climb().

    facts 15, rule 3. Within the own table, too, the first entry that lists a bus address has it
    (decided: even if it leads nowhere further up).
    """
    pieces = []
    taken = []
    for bus, size, upper in live:
        for first, end in subtract([span(bus, size)], taken):
            pieces.append((first, end - first, upper, first - bus))
        taken.append(span(bus, size))
    return pieces


def windows_in_order(tree, start):
    """[(bus, size, cpu)] in the order of the property, which decides backwards (facts 6)."""
    table = find_table(tree, start) if start is not None else None
    if table is None:
        return [(0, SPACE, 0)]
    return climb(tree, table, first_come(up_to_the_end(tree, table)[1]))


def shadowed(tree, source):
    """CPU addresses, as (first, end), of what earlier entries of a table take from later ones."""
    if source is None:
        return []
    table = tree.by_path[source]
    live = up_to_the_end(tree, table)[1]
    everything = [piece for entry in live for piece in first_come([entry])]
    stated = [(cpu, cpu + size) for _bus, size, cpu in climb(tree, table, everything)]
    return subtract(stated, [(cpu, cpu + size) for _bus, size, cpu in
                             climb(tree, table, first_come(live))])


def dma_view(tree, start):
    """The dma object for masters whose addresses enter at start, and its windows as numbers."""
    table = find_table(tree, start) if start is not None else None
    if table is None:
        dma = {"restricted": False, "source": None, "windows": [], "limit": None, "bus_limit": None}
        return dma, [(0, SPACE, 0)]  # facts 4: nothing limits it

    linux_map, live, ended = up_to_the_end(tree, table)
    windows = []
    for bus, size, cpu in sorted(climb(tree, table, first_come(live))):
        if windows:
            last_bus, last_size, last_cpu = windows[-1]
            if bus == last_bus + last_size and cpu == last_cpu + last_size:
                windows[-1] = (last_bus, last_size + size, last_cpu)
                continue
        windows.append((bus, size, cpu))

    # facts 7, column 6.12: the largest last bus address of Linux's map, in 64-bit arithmetic; an
    # all-zero table gives 0 (facts 6), no translatable entry none at all (facts 4).
    bus_limit = None
    if linux_map or ended:
        bus_limit = max([(bus + size - 1) % SPACE for bus, size in linux_map], default=0)
    dma = {
        "restricted": True,
        "source": table.path,
        "windows": [{"bus": hex(bus), "cpu": hex(cpu), "size": hex(size)} for bus, size, cpu in windows],
        "limit": hex(max(cpu + size - 1 for _bus, size, cpu in windows)) if windows else None,
        "bus_limit": hex(bus_limit) if bus_limit is not None else None,
    }
    if not windows:
        dma["error"] = "empty-table" if ended and not linux_map \
            else "untranslatable"  # facts 15, rule 6
    return dma, windows


def coherence(tree, node):
    """facts 9: the nearest node upwards over DMA parents; in one node dma-coherent is asked first."""
    for above in chain(tree, node, dma_parent):
        if "dma-coherent" in above.props:
            return "coherent"
        if "dma-noncoherent" in above.props:
            return "noncoherent"
    return "arch-default"


# ---------------------------------------------------------------------------------------------
# Memory and pools (facts 10, 11)
# ---------------------------------------------------------------------------------------------

def reg_pairs(cells, address_cells, size_cells):
    length = address_cells + size_cells
    if length == 0:
        return []
    return [(number(cells[at:at + address_cells]), number(cells[at + address_cells:at + length]))
            for at in range(0, len(cells) - length + 1, length)]


def memory_banks(tree):
    """facts 11: [(node, base, size)]."""
    banks = []
    for node in tree.root.children:
        if node.string("device_type") == "memory" and is_available(node):
            prop = "linux,usable-memory" if "linux,usable-memory" in node.props else "reg"
            for base, size in reg_pairs(node.cells(prop), *root_cells(tree)):
                if size:
                    banks.append((node, base, size))
    return banks


def root_cells(tree):
    return own_cells(tree.root, "#address-cells"), own_cells(tree.root, "#size-cells")


def region_pairs(tree, node):
    """The static ranges of a /reserved-memory child, in root cells (facts 10)."""
    address_cells, size_cells = root_cells(tree)
    cells = node.cells("reg")
    if len(node.props.get("reg", b"")) % (4 * (address_cells + size_cells) or 1):
        return []  # facts 10: a reg of a wrong length: node skipped
    return reg_pairs(cells, address_cells, size_cells)


def reserved_nodes(tree):
    parent = tree.by_path.get("/reserved-memory")
    return parent.children if parent else []


def carve_outs(tree):
    """The static no-map regions that are enabled (contract, facts 15 rule 5)."""
    parent = tree.by_path.get("/reserved-memory")
    if parent is None or "ranges" not in parent.props or \
            (parent.u32("#address-cells"), parent.u32("#size-cells")) != root_cells(tree):
        return []  # facts 10: Linux ignores the whole node
    return [span(base, size) for node in parent.children
            if is_available(node) and "no-map" in node.props
            for base, size in region_pairs(tree, node) if size]


def pool_type(node):
    if node.compatible_with("restricted-dma-pool"):
        return "restricted"
    if node.compatible_with("shared-dma-pool"):
        return "shared"
    return "reserved"


def pool_is_valid(node):
    """facts 10, table: would the kernel reject it for its flags?"""
    if pool_type(node) == "restricted":
        return not any(flag in node.props for flag in
                       ("reusable", "no-map", "linux,cma-default", "linux,dma-default"))
    if pool_type(node) == "shared":
        return not ("reusable" in node.props and "no-map" in node.props)
    return True


def memory_regions(tree, node):
    """facts 10: phandles without specifiers; decided: those that lead nowhere are passed over."""
    found = [tree.by_phandle.get(phandle) for phandle in node.cells("memory-region")]
    return [target for target in found if target is not None]


def pool_objects(tree):
    users = {}
    for node in tree.nodes:
        if not is_bookkeeping(node):
            for target in memory_regions(tree, node):
                paths = users.setdefault(target, [])
                if node.path not in paths:
                    paths.append(node.path)

    pools = []
    address_cells, size_cells = root_cells(tree)
    for node in reserved_nodes(tree):
        common = {"node": node.path, "type": pool_type(node), "enabled": is_enabled(node),
                  "valid": pool_is_valid(node), "no_map": "no-map" in node.props,
                  "reusable": "reusable" in node.props, "users": users.get(node, [])}
        if "reg" in node.props:  # facts 10: reg beats size; contract: one object for each pair
            for base, size in region_pairs(tree, node):
                pools.append({**common, "base": hex(base), "size": hex(size)})
        elif "size" in node.props:
            ranges = reg_pairs(node.cells("alloc-ranges"), address_cells, size_cells)
            pools.append({
                **common, "base": None, "size": hex(number(node.cells("size"))),
                "alignment": hex(number(node.cells("alignment"))) if "alignment" in node.props else None,
                "alloc_ranges": [{"base": hex(base), "size": hex(size)} for base, size in ranges]})
    return pools


# ---------------------------------------------------------------------------------------------
# IOMMU and MSI maps (facts 12)
# ---------------------------------------------------------------------------------------------

def map_entries(tree, node, prop, cells_prop):
    """iommu-map and msi-map: [(target, id base, id count, out base)]."""
    cells = node.cells(prop)
    if not cells or len(node.props[prop]) % 4:
        return []

    # 4-cell entries, whatever the target states: if they fit and every phandle resolves
    if len(cells) % 4 == 0:
        found = [(tree.by_phandle.get(cells[at + 1]), cells[at], cells[at + 3], cells[at + 2])
                 for at in range(0, len(cells), 4)]
        if all(entry[0] is not None for entry in found):
            return found

    # entries sized by the target (1 where it states nothing); decided: all of it or nothing
    found = []
    at = 0
    while at + 1 < len(cells):
        target = tree.by_phandle.get(cells[at + 1])
        if target is None:
            return []
        count = target.u32(cells_prop)
        count = 1 if count is None else count
        if at + 3 + count > len(cells):
            return []
        out = cells[at + 2] if count else None
        found.append((target, cells[at], cells[at + 2 + count], out))
        at += 3 + count
    return found if at == len(cells) else []


def map_objects(tree, node, prop, cells_prop, name):
    mask = node.u32(prop + "-mask")
    mask = 0xffffffff if mask is None else mask
    return [{name: target.path, "id_base": hex(base), "id_count": hex(count),
             "out_base": None if out is None else hex(out), "id_mask": hex(mask)}
            for target, base, count, out in map_entries(tree, node, prop, cells_prop)]


def specifier_objects(tree, node, prop, cells_prop, missing, name):
    """iommus and msi-parent: one entry a specifier (contract)."""
    found = []
    for target, cells in phandle_list(tree, node, prop, cells_prop, missing):
        if target is None:
            break  # decided: a phandle of 0 ends these lists
        found.append({name: target.path, "id_base": None, "id_count": None,
                      "out_base": hex(cells[0]) if cells else None,
                      "cells": [hex(cell) for cell in cells]})
    return found


def iommu_objects(tree, node, is_host):
    """facts 12: iommus on a host bridge speaks of the bridge, not of the functions below."""
    if "iommu-map" in node.props or is_host:
        return map_objects(tree, node, "iommu-map", "#iommu-cells", "node")
    return specifier_objects(tree, node, "iommus", "#iommu-cells", None, "node")


def iommu_is_unreadable(tree, node, is_host):
    """Decided: a property that is there and cannot be read to its end names an IOMMU all the same."""
    if "iommu-map" in node.props or is_host:
        return bool(node.props.get("iommu-map")) and \
            not map_entries(tree, node, "iommu-map", "#iommu-cells")
    read = 0
    for target, cells in phandle_list(tree, node, "iommus", "#iommu-cells", None):
        if target is None:
            break
        read += 4 * (1 + len(cells))
    return read < len(node.props.get("iommus", b""))


def msi_objects(tree, node, is_host):
    """contract: with both properties the map is shown. facts 12: no #msi-cells is 0 in msi-parent;
    msi-map is looked for upwards (functions ask; decided: from the host bridge on)."""
    holder = node
    while is_host and holder.parent is not None:
        if "msi-map" in holder.props:
            return map_objects(tree, holder, "msi-map", "#msi-cells", "controller")
        holder = holder.parent
    if "msi-map" in node.props:
        return map_objects(tree, node, "msi-map", "#msi-cells", "controller")
    return specifier_objects(tree, node, "msi-parent", "#msi-cells", 0, "controller")


# ---------------------------------------------------------------------------------------------
# Kinds of nodes (contract)
# ---------------------------------------------------------------------------------------------

def is_pci_bus(node):
    """Are the children of this node PCI functions, if it is a host bridge or a function itself?

    The bus type decides (section 3), not the cells: root ports of the imx8mm-venice boards state
    one address cell, and what is below them is PCI all the same.
    """
    return bus_type(node) == "pci"


def is_endpoint_controller(node):
    return node.name.startswith(("pcie-ep", "pcie_ep")) or any(
        name.endswith("-ep") or "pcie-ep" in name or "-ep-" in name
        for name in node.strings("compatible"))


def is_host_bridge(node):
    stated = node.string("device_type") in ("pci", "pciex")
    return ((stated or node.base_name == "pcie")
            and node.parent is not None and bus_type(node.parent) != "pci"
            and (stated or "ranges" in node.props or "bus-range" in node.props))


def classify(tree):
    """Two dictionaries: the kind of each node, and the host bridge of each PCI function."""
    kinds = {}
    hosts = {}
    for node in tree.nodes:  # parents come first
        parent_kind = kinds.get(node.parent)
        on_pci = parent_kind in ("pcie-host", "pci-host") or node.parent in hosts
        if on_pci and is_pci_bus(node.parent):
            # the PCI binding wants a reg of every function: what has none is a part of the bridge
            kinds[node] = "pci-function" if "reg" in node.props else "platform"
            hosts[node] = hosts.get(node.parent, node.parent)
        elif is_endpoint_controller(node):
            kinds[node] = "pcie-endpoint"
        elif is_host_bridge(node):
            pcie = "pcie" in node.name or any("pcie" in name for name in node.strings("compatible"))
            kinds[node] = "pcie-host" if pcie else "pci-host"
        elif "#iommu-cells" in node.props:
            kinds[node] = "iommu"
        else:
            kinds[node] = "platform"
    return kinds, hosts


def is_listed(node):
    """Every node but the root and what is not a device by its name."""
    top = top_level(node)
    if top is None or top.name in ("aliases", "chosen", "cpus", "reserved-memory") + BOOKKEEPING:
        return False
    return not (node is top and (node.base_name == "memory" or node.string("device_type") == "memory"))


# ---------------------------------------------------------------------------------------------
# One device
# ---------------------------------------------------------------------------------------------

def outbound_objects(tree, host):
    """contract: the entries of ranges as written; facts 8: cpu null where they do not translate."""
    address_cells = own_cells(host, "#address-cells")
    upper_cells = parent_cells(host, "#address-cells")
    size_cells = own_cells(host, "#size-cells")
    found = []
    for child, upper, size in entries(host, "ranges", address_cells, upper_cells, size_cells):
        if not child or size == 0 or pci_space(child[0]) == "config":
            continue
        cpu = linux_translate(tree, host, upper, "ranges", dt_parent)
        found.append({"kind": pci_space(child[0]), "bus": hex(number(child[1:])),
                      "cpu": None if cpu is None else hex(cpu), "size": hex(size),
                      "prefetchable": bool(child[0] & 0x40000000)})
    return found


def doorbells(tree):
    """facts 12: four bytes where the controller's type fixes them; decided: they are no memory."""
    found = []
    for node in tree.nodes:
        for name, offset in (("arm,gic-v3-its", 0x10040), ("arm,gic-v2m-frame", 0x40)):
            if node.parent is None or not is_enabled(node) or not node.compatible_with(name):
                continue
            address_cells, size_cells = cells_on_bus(node.parent, node)
            base = linux_translate(tree, node, node.cells("reg"), "ranges", dt_parent)
            if base is not None and len(node.cells("reg")) >= address_cells + size_cells:
                found.append(span(base + offset, 4))
                break
    return found


def endpoint_object(tree, node):
    """facts 8, endpoint controllers; null where not stated."""
    outbound = None
    address_cells, size_cells = cells_on_bus(node.parent, node)
    length = address_cells + size_cells
    for index, name in enumerate(node.strings("reg-names")):
        at = index * length
        cells = node.cells("reg")[at:at + length]
        if name in ("addr_space", "mem", "mem-base") and outbound is None and len(cells) == length:
            base = linux_translate(tree, node, cells, "ranges", dt_parent)
            outbound = {"base": None if base is None else hex(base),
                        "size": hex(number(cells[address_cells:]))}

    windows = [node.u32(prop) for prop in ("num-ob-windows", "cdns,max-outbound-regions",
                                           "rockchip,max-outbound-regions") if prop in node.props]
    functions = node.props.get("max-functions", b"")  # facts 2: one byte wide
    return {"outbound": outbound,
            "ob_windows": windows[0] if windows else None,
            "ib_windows": node.u32("num-ib-windows"),
            "max_functions": int.from_bytes(functions, "big") if len(functions) in (1, 4) else None}


class Show:
    """The document: computes what all devices share once."""

    def __init__(self, tree, source, mask):
        self.tree = tree
        self.source = source
        self.dma_end = 1 << mask
        self.kinds, self.hosts = classify(tree)
        self.banks = memory_banks(tree)
        self.carve_outs = carve_outs(tree)
        self.doorbells = doorbells(tree)
        self.ram = self.usable_ram()

    def usable_ram(self):
        """[(first, end, target)], disjoint: of overlapping banks the first one has the address."""
        ram = []
        seen = []
        for node, base, size in self.banks:
            bank = span(base, size)
            ram += [(first, end, node.path)
                    for first, end in subtract([bank], seen + self.carve_outs + self.doorbells)]
            seen.append(bank)
        return ram

    def reach(self, windows, apertures):
        """contract, facts 15 rule 5: RAM seen through the windows, as the device addresses it."""
        if not self.banks:
            return None  # facts 11: unknown, not nothing
        pieces = []
        for bus, size, cpu in windows:
            for ram_first, ram_end, target in self.ram:
                first, end = max(cpu, ram_first), min(cpu + size, ram_end)
                if first >= end:
                    continue
                dma = bus + first - cpu
                visible = [(dma, min(dma + end - first, self.dma_end))]
                for dma_first, dma_end in subtract(visible, apertures):
                    if dma_first < dma_end:
                        pieces.append((dma_first, dma_end, first + dma_first - dma, target))
        merged = []
        for dma, end, cpu, target in sorted(pieces):
            if merged:
                last_dma, last_end, last_cpu, last_target = merged[-1]
                if dma == last_end and cpu - last_cpu == dma - last_dma and target == last_target:
                    merged[-1] = (last_dma, end, last_cpu, target)
                    continue
            merged.append((dma, end, cpu, target))
        return [{"dma": hex(dma), "cpu": hex(cpu), "size": hex(end - dma), "target": target}
                for dma, end, cpu, target in merged]

    def platform(self):
        root = self.tree.root
        return {
            "source": self.source,
            "model": root.string("model") or None,
            "compatible": root.strings("compatible"),
            "memory": [{"node": node.path, "base": hex(base), "size": hex(size),
                        "usable": hex(sum(end - first for first, end in
                                          subtract([span(base, size)], self.carve_outs)))}
                       for node, base, size in self.banks],
            "pools": pool_objects(self.tree),
        }

    def behind_iommu(self, objects, unreadable):
        """facts 10: does an IOMMU keep a restricted pool from being attached? Not a disabled one."""
        return unreadable or any(is_enabled(self.tree.by_path[entry["node"]]) for entry in objects)

    def pools_of(self, node, host, iommu, unreadable):
        """contract: the own memory-region; without one, what the host's restricted pool gives."""
        if "memory-region" in node.props or host is None:
            return [target.path for target in memory_regions(self.tree, node)]
        if self.behind_iommu(iommu, unreadable):
            return []
        return [target.path for target in memory_regions(self.tree, host)
                if pool_type(target) == "restricted" and is_available(target)][:1]

    def device(self, node):
        tree = self.tree
        kind = self.kinds[node]
        is_host = kind in ("pcie-host", "pci-host")
        # facts 4, 8, 15 rule 7: functions use the table, coherence and maps of their host bridge
        host = node if is_host else self.hosts.get(node)

        outbound = outbound_objects(tree, host) if host else []
        if host:
            apertures = [span(int(one["bus"], 16), int(one["size"], 16)) for one in outbound
                         if one["kind"] != "io" and one["cpu"] is not None]
            dma, windows = dma_view(tree, host)
            reach = self.reach(windows, apertures)
        else:
            dma, windows = dma_view(tree, dma_parent(tree, node))
            reach = self.reach(windows, [])
        iommu = iommu_objects(tree, host or node, host is not None)
        unreadable = iommu_is_unreadable(tree, host or node, host is not None)
        # decided: what comes out of a host bridge further up is translated there
        for above in chain(tree, host or node, dma_parent)[1:]:
            if self.kinds[above] in ("pcie-host", "pci-host"):
                bridge = iommu_objects(tree, above, True)
                unreadable = unreadable or iommu_is_unreadable(tree, above, True) or \
                    self.behind_iommu(bridge, False)
                iommu = iommu or bridge

        device = {
            "path": node.path,
            "kind": kind,
            "enabled": is_enabled(node),
            "coherence": coherence(tree, host or node),
            "dma": dma,
            "reach": reach,
            "iommu": iommu,
            "msi": msi_objects(tree, host or node, host is not None),
            "outbound": outbound if is_host else [],
            "pools": self.pools_of(node, None if is_host else host, iommu, unreadable),
            "endpoint": endpoint_object(tree, node) if kind == "pcie-endpoint" else None,
        }
        if is_host:  # the bridge as a master of its own: its parent's table (facts 8)
            own_dma, own_windows = dma_view(tree, dma_parent(tree, node))
            device["own"] = {"dma": own_dma, "reach": self.reach(own_windows, [])}
        return device

    def document(self):
        return {"schema": "busway-show/1", "platform": self.platform(),
                "devices": [self.device(node) for node in self.tree.nodes if is_listed(node)]}


def mask_bits(value):
    """A width of addresses on the command line."""
    bits = int(value)
    if not 1 <= bits <= 64:
        raise ValueError
    return bits


def show(path, mask=64):
    """The whole answer for one file. Raises Malformed or OSError."""
    with open(path, "rb") as file:
        return Show(read_fdt(file.read()), path, mask).document()


def main():
    parser = argparse.ArgumentParser(description="independent reference for `busway show`")
    parser.add_argument("file", metavar="FILE.dtb")
    parser.add_argument("--mask", metavar="BITS", type=mask_bits, default=64,
                        help="how many address bits the device drives: 1 to 64 (default 64)")
    parser.add_argument("--all", action="store_true",
                        help="as for busway show; this program lists every node in any case")
    options = parser.parse_args()
    try:
        document = show(options.file, options.mask)
    except (Malformed, OSError) as error:
        print("dtref: %s: %s" % (options.file, error), file=sys.stderr)
        return 2
    json.dump(document, sys.stdout, indent=2, ensure_ascii=False)
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
