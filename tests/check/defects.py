# SPDX-License-Identifier: BSD-2-Clause
"""defects.py - one mistake each, put into a platform that is right.

A defect is a function of a random generator and a plan (platforms.py). It changes the plan and says
what must be found, or returns None where this platform has no place for it.
"""

from fdt import cells, number
from platforms import (CHUNK, ENGINE, IO, MASTER, MEM32, MEM64, SLOT, found_at, overlap, within)

ANY = {"child-range-outside-parent", "window-untranslatable", "msi-doorbell-unreachable",
       "peripheral-unreachable", "cells-mismatch", "aperture-overlaps-ram", "window-overlap",
       "zero-size-entry", "address-overflow", "memory-overlaps-mmio"}
# what a table that lost an entry does to those below it and beside it
LOST = {"window-untranslatable", "msi-doorbell-unreachable", "peripheral-unreachable"}

DEFECTS = []


class Expected:
    """code at one of nodes, at least as severe as least, with one of numbers (none: whatever)."""

    def __init__(self, code, nodes, numbers=(), least="warning", also=(), patch=None):
        self.code, self.least, self.patch = code, least, patch
        self.nodes = {nodes} if isinstance(nodes, str) else set(nodes)
        self.numbers, self.also = set(numbers), set(also)

    def __repr__(self):
        return "%s at %s: %s" % (self.code, sorted(self.nodes),
                                 [hex(n) for n in sorted(self.numbers)])


def defect(function):
    DEFECTS.append(function)
    return function


def node_at(root, path):
    for node in root.all():
        if node.path == path:
            return node
    raise KeyError(path)


def pick(rng, things):
    things = list(things)
    return rng.choice(things) if things else None


def masters(p):
    return [d for d in p.devices if d.compatible == MASTER and "iommus" not in d.props]


def tables(p):
    """Buses and bridges with entries in dma-ranges, and somebody without IOMMU who uses them."""
    users = {d.bus.table() for d in masters(p)}
    return [b for b in p.buses if b.dma and b in users] + [h for h in p.hosts
                                                             if h.dma and not h.iommu]


def entry_for(bus, cpu, size):
    """The entry of dma-ranges that leads to just this."""
    above = bus.above.inbound()
    for e in bus.dma:
        if e[2] == size and found_at(above, cpu, size) == e[1]:
            return e
    return None


def middle(p, rng):
    """Some memory that no pool is in."""
    first, size = rng.choice([b for b in p.banks if b[1] >= 0x2000000] or [(0, 0)])
    return first + size // 2 // 0x100000 * 0x100000, size // 4


# ---- outbound windows ----

def outbound(p):
    return [(h, w) for h in p.hosts for w in h.windows if w[0] != IO]


@defect
def outbound_window_on_memory_as_functions_see_it(rng, p):
    found = pick(rng, [(h, w) for h, w in outbound(p) if not h.iommu])
    at, size = middle(p, rng) if p.banks else (0, 0)
    if not found or not size:
        return None
    host, window = found
    place = found_at(host.inbound(), at, 0x1000)
    if place is None or place + window[3] > 1 << 64 or any(
            overlap(place, window[3], w[1], w[3]) for w in host.windows if w is not window):
        return None
    window[0], window[1] = MEM64, place
    return Expected("aperture-overlaps-ram", host.path(), [place], "error")


@defect
def outbound_window_on_memory_as_the_cpu_sees_it(rng, p):
    found = pick(rng, outbound(p))
    at, size = middle(p, rng) if p.banks else (0, 0)
    if not found or found[1][3] > size or (found[0].above.above and found[0].above.address_cells < 2):
        return None
    found[1][2] = at // found[1][3] * found[1][3] if at // found[1][3] * found[1][3] >= at else at
    return Expected("aperture-overlaps-ram", found[0].path(), [at], "error", ANY)


@defect
def two_windows_to_one_cpu_address(rng, p):
    host = pick(rng, [h for h in p.hosts if len([w for w in h.windows if w[0] != IO]) > 1])
    if not host:
        return None
    a, b = [w for w in host.windows if w[0] != IO][:2]
    b[2] = a[2]
    return Expected("window-overlap", host.path(), [a[2]], "error", ANY)


@defect
def configuration_space_in_ranges(rng, p):
    found = pick(rng, outbound(p))
    if not found:
        return None
    found[1][0] = 0x00000800
    return Expected("bad-space-code", found[0].path(), [0x800])


@defect
def window_of_32_bits_above_them(rng, p):
    found = pick(rng, [(h, w) for h, w in outbound(p) if w[1] + w[3] > 1 << 32])
    if not found:
        return None
    found[1][0] = MEM32
    return Expected("bad-space-code", found[0].path(), [found[1][1]])


# ---- dma-ranges ----

@defect
def bank_in_no_window(rng, p):
    found = pick(rng, [(t, e, b) for t in tables(p) for b in p.banks if len(t.dma) > 1
                       for e in [entry_for(t, *b)] if e])
    if not found:
        return None
    table, entry, bank = found
    table.dma.remove(entry)
    if len(p.banks) == 1:
        return Expected("window-without-memory", table.path(), [bank[0], bank[0] + bank[1] - 1],
                        also=LOST)
    return Expected("memory-unreachable", table.path(), [bank[0], bank[0] + bank[1] - 1], also=LOST)


@defect
def doorbell_in_no_window(rng, p):
    if not p.its:
        return None
    found = pick(rng, [(h, e) for h in p.hosts if h.dma and h.msi and not h.iommu
                       for e in [entry_for(h, p.its.reg[1], 0x20000)] if e])
    if not found:
        return None
    found[0].dma.remove(found[1])
    return Expected("msi-doorbell-unreachable", found[0].path(), [p.its.reg[1] + 0x10040], "error")


@defect
def registers_of_a_client_in_no_window(rng, p):
    clients = [d for d in p.devices if d.engine]
    if not clients:
        return None
    client = rng.choice(clients)
    table = client.engine.bus.table()
    bus = client.bus
    entry = table and entry_for(table, bus.base, CHUNK)
    if not entry or client.engine.bus is bus or bus.dma:
        return None
    table.dma.remove(entry)
    return Expected("peripheral-unreachable", table.path(),
                    [d.reg[1] for d in clients if d.engine], "error", LOST)


@defect
def entry_of_size_zero_in_front(rng, p):
    table = pick(rng, tables(p))
    if not table or not p.banks:
        return None
    # not where the next one begins: Linux would join the two
    table.dma.insert(0, [table.dma[0][0] + 0x1000, table.dma[0][1], 0])
    return Expected("zero-size-entry", table.path(), [table.dma[1][2]], also=LOST)


@defect
def window_to_where_nothing_above_leads(rng, p):
    found = pick(rng, [t for t in p.buses + p.hosts if t.dma and t.above.table()])
    if not found:
        return None
    above = found.above.inbound()
    for place in range(0, 1 << 32, SLOT):
        if not any(overlap(place, SLOT, at, size) for at, _, size in above):
            entry = rng.choice(found.dma)
            entry[1] = place
            return Expected("window-untranslatable", found.path(), [place], "error", ANY)
    return None


@defect
def size_that_is_a_last_address(rng, p):
    found = pick(rng, [(t, e) for t in p.buses + p.hosts for e in t.dma or []
                       if e[2] >= 0x2000 and not e[2] & 0xfff and e[2] < 1 << 32])
    if not found or (found[1][2] == 1 << 32 and found[0].size_cells == 1):
        return None
    found[1][2] -= 1
    return Expected("window-size-odd", found[0].path(), [found[1][2]],
                    also=LOST | {"child-range-outside-parent"})


@defect
def two_levels_without_a_table(rng, p):
    below = [b for b in p.buses if b.above.above and b.above.above.table() and
             not b.dma and not b.above.dma and any(d in masters(p) for d in b.devices)]
    bus = pick(rng, below)
    if not bus:
        return None
    bus.dma = bus.above.dma = None
    return Expected("missing-dma-ranges", [bus.path(), bus.above.path()],
                    [bus.above.above.table().dma[0][2]], "note", LOST | {"aperture-overlaps-ram"})


@defect
def bridge_that_cannot_translate(rng, p):
    found = pick(rng, [(h, e) for h in p.hosts for e in h.dma or [] if e[0] != e[1]])
    if not found:
        return None
    found[0].compatible = "cdns,cdns-pcie-host"
    return Expected("window-not-identity", found[0].path(), [found[1][0]])


def joined(entries):
    """What Linux hands to a driver: entries that continue each other are one."""
    out = []
    for child, parent, size in (e[:3] for e in entries):
        last = out[-1] if out else None
        if last and child == last[0] + last[2] and parent == last[1] + last[2]:
            last[2] += size
        else:
            out.append([child, parent, size])
    return out


@defect
def bridge_that_compares_bits(rng, p):
    found = pick(rng, [(h, e) for h in p.hosts for e in joined(h.dma or []) if e[2] & (e[2] - 1)])
    if not found:
        return None
    found[0].compatible = "brcm,iproc-pcie-paxb-v2"
    return Expected("non-power-of-two-window", found[0].path(), [found[1][2]])


# ---- registers and buses ----

def last_registers(p):
    """Devices that nothing comes behind in the window of their bus."""
    for bus in p.buses:
        for entry in bus.ranges or []:
            inside = [d for d in bus.devices if within(d.reg[0], d.reg[2], entry[0], entry[2])]
            if inside and not any(b for b in bus.buses + bus.hosts):
                yield bus, entry, max(inside, key=lambda d: d.reg[0])


@defect
def registers_behind_the_window(rng, p):
    found = pick(rng, [f for f in last_registers(p) if f[2].reg[0] > f[1][0]])
    if not found:
        return None
    bus, entry, device = found
    entry[2] = device.reg[0] - entry[0]
    return Expected("child-range-outside-parent", bus.path(), [device.reg[0]], "error",
                    {"window-overlap"})


@defect
def registers_one_byte_too_long(rng, p):
    found = pick(rng, last_registers(p))
    if not found:
        return None
    bus, entry, device = found
    entry[2] = device.reg[0] + device.reg[2] - 1 - entry[0]
    return Expected("child-range-outside-parent", bus.path(), [device.reg[0]])


@defect
def wrapper_at_the_registers_of_another(rng, p):
    found = pick(rng, [(a, b) for bus in p.buses for a in bus.devices for b in bus.devices
                       if a is not b and not a.wraps and not b.wraps and a.reg[0] and
                       a.compatible == b.compatible == MASTER and a.reg[0] < b.reg[0]])
    if not found:
        return None
    a, b = found
    a.wraps = b.wraps = 0

    def patch(root):
        bus = b.bus
        node_at(root, b.path()).props["ranges"] = (
            number(0, bus.address_cells) + number(a.reg[0], bus.address_cells) +
            number(a.reg[2], bus.size_cells))

    if a.reg[2] < b.reg[2]:
        return None
    return Expected("window-overlap", b.path(), [a.reg[0]], "error",
                    {"child-range-outside-parent"}, patch)


@defect
def registers_beyond_the_last_address(rng, p):
    device = pick(rng, [d for d in masters(p)
                        if d.bus.address_cells == d.bus.size_cells == 2 and d.wraps is None])
    if not device:
        return None

    def patch(root):
        node_at(root, device.path()).props["reg"] = (number((1 << 64) - 0x1000, 2) +
                                                     number(0x2000, 2))

    return Expected("address-overflow", device.path(), [(1 << 64) - 0x1000], "error",
                    {"child-range-outside-parent"}, patch)


@defect
def property_that_lost_a_cell(rng, p):
    things = [(d.path(), "reg") for d in p.devices]
    things += [(b.path(), "ranges") for b in p.buses if b.ranges]
    things += [(b.path(), "dma-ranges") for b in p.buses + p.hosts if b.dma]
    path, name = rng.choice(things)
    found = Expected("cells-mismatch", path, [], "error", ANY)

    def patch(root):
        props = node_at(root, path).props
        props[name] = props[name][:-4]
        found.numbers.add(len(props[name]))

    found.patch = patch
    return found


@defect
def property_that_stands_twice(rng, p):
    device = rng.choice(p.devices)

    def patch(root):
        node = node_at(root, device.path())
        node.twice.append(("reg", node.props["reg"]))

    return Expected("duplicate-property", device.path(), patch=patch)


@defect
def node_that_is_coherent_and_is_not(rng, p):
    device = pick(rng, masters(p))
    if not device:
        return None
    device.props["dma-coherent"] = device.props["dma-noncoherent"] = b""
    return Expected("coherence-mismatch", device.path())


# ---- memory ----

@defect
def memory_node_without_a_type(rng, p):
    if not p.banks:
        return None
    name, banks = rng.choice(p.memory_nodes)

    def patch(root):
        del node_at(root, "/" + name).props["device_type"]

    return Expected("bank-ignored", "/" + name, [banks[0][0], banks[-1][0] + banks[-1][1] - 1],
                    patch=patch)


@defect
def banks_that_overlap(rng, p):
    if not p.banks:
        return None
    node = rng.choice(p.memory_nodes)
    first, size = rng.choice(node[1])
    cut = size // 2 // 0x1000 * 0x1000
    node[1].append((first + cut, size - cut))
    return Expected("bank-overlap", "/" + node[0], [first + cut])


@defect
def memory_over_registers(rng, p):
    device = pick(rng, [d for d in masters(p) if d.bus.base])
    if not device or not p.banks:
        return None
    base = device.reg[1] // 0x10000 * 0x10000
    p.memory_nodes.append(["memory@%x" % base, [(base, 0x10000)]])
    return Expected("memory-overlaps-mmio", "/memory@%x" % base, [base], "error",
                    {"aperture-overlaps-ram"})


# ---- reserved memory ----

def fixed(p):
    return [pool for pool in p.pools if pool.first is not None]


@defect
def pools_that_overlap(rng, p):
    if len(fixed(p)) < 2:
        return None
    a, b = rng.sample(fixed(p), 2)
    b.first = a.first
    return Expected("pool-overlap", [a.path, b.path], [a.first], "error")


@defect
def restricted_pool_that_is_not_mapped(rng, p):
    pool = pick(rng, [pool for pool in p.pools if pool.kind == "restricted"])
    if not pool:
        return None
    pool.flags = [rng.choice(["no-map", "reusable", "linux,cma-default", "linux,dma-default"])]
    return Expected("pool-rejected", pool.path, least="error")


@defect
def restricted_pool_for_less_than_a_mapping(rng, p):
    pool = pick(rng, [pool for pool in p.pools if pool.kind == "restricted"])
    if not pool:
        return None
    pool.size = 0x3f000
    return Expected("pool-too-small", pool.path, [0x3f000])


@defect
def pool_with_no_place_in_memory(rng, p):
    pool = pick(rng, [pool for pool in p.pools if pool.first is None])
    if not pool:
        return None
    pool.alloc = [(p.low.pop() * SLOT, 0x1000000)]
    return Expected("pool-outside-memory", pool.path, [pool.alloc[0][0]])


@defect
def pool_where_its_user_cannot_go(rng, p):
    found = pick(rng, [(d, pool, b, e) for d in masters(p) if d.bus.dma for pool in fixed(p)
                       if pool.kind == "shared"
                       for b in p.banks if within(pool.first, pool.size, *b)
                       for e in [entry_for(d.bus, *b)] if e and len(d.bus.dma) > 1])
    if not found:
        return None
    device, pool, _, entry = found
    device.bus.dma.remove(entry)
    device.pools = [pool]
    return Expected("pool-outside-reach", pool.path, [pool.first], also=LOST)


@defect
def reserved_memory_without_ranges(rng, p):
    if not p.pools:
        return None

    def patch(root):
        del node_at(root, "/reserved-memory").props["ranges"]

    return Expected("cells-mismatch", "/reserved-memory", least="error", patch=patch)


# ---- maps ----

@defect
def map_entries_for_one_function(rng, p):
    host = pick(rng, [h for h in p.hosts if h.iommu])
    if not host:
        return None
    host.iommu.append([0x80, p.iommu, 0, 0x10])
    return Expected("map-overlap", host.path(), [0x80])


@defect
def map_entry_outside_its_mask(rng, p):
    host = pick(rng, [h for h in p.hosts if p.iommu])
    if not host:
        return None
    host.iommu = [[0x100, p.iommu, 0, 0x100]]
    host.extra["iommu-map-mask"] = cells(0xff)
    return Expected("map-outside-mask", host.path(), [0x100], "error")


@defect
def map_to_what_is_no_iommu(rng, p):
    host = pick(rng, p.hosts)
    if not host or not p.its:
        return None
    host.iommu = [[0, p.its, 0, 0x10000]]
    return Expected("iommu-map-wrong-target", host.path())


@defect
def phandle_of_nobody(rng, p):
    device = pick(rng, masters(p))
    if not device:
        return None

    def patch(root):
        node_at(root, device.path()).props["memory-region"] = cells(0xdead)

    return Expected("unresolved-phandle", device.path(), [0xdead], patch=patch)


@defect
def bridges_with_the_same_buses(rng, p):
    if len(p.hosts) < 2:
        return None
    a, b = rng.sample(p.hosts, 2)
    a.domain = b.domain = 7
    a.buses_of = b.buses_of = (0, 15)
    return Expected("bus-range-overlap", [a.path(), b.path()], [7], "error")
