# SPDX-License-Identifier: BSD-2-Clause
"""platforms.py - random platforms that are right: plan() makes one, render() a tree of it.

All places are taken from one map of CPU addresses, so that nothing lies on anything else:

    below 4 GiB    16 slots of 256 MiB: memory, registers (in chunks of 16 MiB), PCI windows
    above          units of 16 GiB: memory, PCI windows

A bus knows where CPU addresses are on it (local(): for its ranges), and where a master on it finds
them (inbound(): for dma-ranges). Tables for DMA lead to all memory, to the doorbell, and to the
registers that DMA engines feed. Cell counts are chosen last, as large as the numbers need or larger.
"""

from fdt import Node, cells, number, text

SLOT, CHUNK, UNIT = 0x10000000, 0x1000000, 0x400000000
MEM32, MEM64, IO = 0x02000000, 0x03000000, 0x01000000
CLIENT, MASTER, ENGINE = "test,client", "test,master", "test,dma"


def overlap(a, a_size, b, b_size):
    return a < b + b_size and b < a + a_size


def within(a, a_size, b, b_size):
    return b <= a and a + a_size <= b + b_size


class Bus:
    """A bus. ranges: None (empty: 1:1) or entries; dma: None (absent), [] (empty) or entries."""

    def __init__(self, name, above=None):
        self.name, self.above, self.ranges, self.dma = name, above, None, None
        self.address_cells = self.size_cells = 2
        self.devices, self.buses, self.hosts, self.base, self.used = [], [], [], 0, 0
        self.compatible = "simple-bus"

    def local(self, cpu, size):
        """The address of a CPU range on this bus; a window is added where there is none."""
        if self.above is None:
            return cpu
        up = self.above.local(cpu, size)
        if self.ranges is None:
            return up
        for child, parent, length in self.ranges:
            if within(up, size, parent, length):
                return up - parent + child
        child = clear_place(size, up, [(e[0], e[2]) for e in self.ranges])
        self.ranges.append([child, up, size])
        return child

    def inbound(self):
        """[(address for a master here, CPU address, size)]"""
        above = self.above.inbound() if self.above else [(0, 0, 1 << 64)]
        return through(self.dma, above)

    def table(self):
        """The nearest bus (this one included) with a dma-ranges that has entries, or None."""
        if self.dma:
            return self
        return self.above.table() if self.above else None

    def path(self):
        return (self.above.path() if self.above and self.above.above else "") + "/" + self.name


class Host(Bus):
    """A PCI host bridge. windows: [code, PCI address, CPU address, size]"""

    def __init__(self, name, above):
        Bus.__init__(self, name, above)
        self.windows, self.iommu, self.msi, self.domain, self.buses_of = [], None, None, None, None
        self.compatible, self.extra, self.codes, self.reg = "pci-host-ecam-generic", {}, {}, (0, 0)


class Device:
    def __init__(self, name, bus, reg, compatible=MASTER):
        self.name, self.bus, self.reg, self.compatible = name, bus, reg, compatible
        self.props, self.pools, self.engine, self.phandle, self.status = {}, [], None, None, None
        self.wraps = None  # registers of something below, behind ranges

    def path(self):
        return (self.bus.path() if self.bus.above else "") + "/" + self.name


class Pool:
    def __init__(self, name, kind, size):
        self.name, self.kind, self.size = name, kind, size
        self.first, self.alloc, self.flags, self.phandle = None, [], [], None
        self.path = "/reserved-memory/" + name


class Platform:
    def __init__(self):
        self.root = Bus("")
        self.banks, self.buses, self.hosts, self.devices, self.pools = [], [], [], [], []
        self.iommu = self.its = None  # devices
        self.phandles = 0
        self.memory_nodes = []  # [name, banks]
        self.broken = []        # disabled nodes with nonsense in them
        self.low, self.high, self.chunks, self.extras = [], [], [], []

    def phandle(self):
        self.phandles += 1
        return self.phandles


def clear_place(size, wanted, taken, least=0):
    """@wanted, or the lowest multiple of the size from @least on, clear of all in @taken."""
    place, step = wanted, max(size, 0x1000)
    while any(overlap(place, size, at, length) for at, length in taken):
        place, least = -(-least // step) * step, least + step
    return place


def through(dma, above):
    if not dma:
        return above
    pieces = []
    for child, parent, size in dma:
        for at, cpu, length in above:
            first, end = max(parent, at), min(parent + size, at + length)
            if first < end:
                pieces.append((child + first - parent, cpu + first - at, end - first))
    return pieces


def found_at(inbound, cpu, size):
    """Where a master finds a CPU range; None: nowhere as one piece."""
    for at, first, length in inbound:
        if within(cpu, size, first, length):
            return at + cpu - first
    return None


# ---- memory and places ----

def plan_places(rng, p, wide, big):
    slots = rng.randint(1, 6)
    first = rng.choice([0, rng.randint(0, 15 - slots)])
    free = [i for i in range(16) if not first <= i < first + slots]
    rng.shuffle(free)
    p.low, p.high = free[2:], list(range(1, 40))
    p.chunks = [slot * SLOT + i * CHUNK for slot in free[:2] for i in range(16)]
    rng.shuffle(p.chunks)
    rng.shuffle(p.high)
    base, size = first * SLOT, slots * SLOT
    if rng.random() < .4:  # some of it is somebody else's
        size -= rng.choice([0x100000, 0x4000000, 0x8000000])
    if rng.random() < .4:
        cut = rng.randrange(0x1000000, size - 0x100000, 0x100000)
        p.banks = [(base, cut), (base + cut, size - cut)]
        if rng.random() < .5 and cut > 0x2000000:
            p.banks[0] = (base, cut - 0x200000)
    else:
        p.banks = [(base, size)]
    for _ in range(rng.randint(0, 2) if wide else 0):
        most = 15 if big else 3
        p.banks.append((p.high.pop() * UNIT, rng.randint(1, most) << 30))
    banks = list(p.banks)
    if rng.random() < .3 and len(banks) > 1:
        rng.shuffle(banks)
    while banks:
        count = rng.randint(1, len(banks))
        p.memory_nodes.append(["memory@%x" % banks[0][0], banks[:count]])
        banks = banks[count:]


# ---- DMA tables ----

def plan_table(rng, bus, targets, style):
    """Entries of a dma-ranges of @bus that lead to all CPU ranges in @targets."""
    above = bus.above.inbound()
    entries = []
    if style == "all" and above == [(0, 0, 1 << 64)]:
        bits = max(first + size - 1 for first, size in targets).bit_length()
        shift = rng.choice([0, 0, 1 << max(bits, 32)])
        return [[shift, 0, 1 << max(bits, 31)]]
    for first, size in targets:
        at = found_at(above, first, size)
        wanted = {"packed": 0, "offset": at + 0x8000000000}.get(style, at)
        child = clear_place(size, wanted, [(e[0], e[2]) for e in entries])
        entries.append([child, at, size])
    return entries


def plan_dma(rng, p, bus, want=False):
    """What a bus says about DMA, so that everything is found."""
    above = bus.above.inbound()
    targets = p.banks + p.extras
    if want or rng.random() < .4:
        bus.dma = plan_table(rng, bus, targets, rng.choice(["all", "same", "packed", "offset"]))
    elif above != [(0, 0, 1 << 64)] or rng.random() < .5:
        bus.dma = []


# ---- buses, devices, hosts ----

def take_registers(rng, bus):
    """A register block in the chunk of the bus: (address on the bus, CPU address, size)"""
    size = rng.choice([0x100, 0x1000, 0x1000, 0x10000])
    cpu = bus.base + bus.used
    bus.used += 0x10000
    return bus.local(bus.base, CHUNK) + cpu - bus.base, cpu, size


def plan_device(rng, p, bus, compatible=MASTER, word="dev"):
    reg = take_registers(rng, bus)
    device = Device("%s@%x" % (word, reg[0]), bus, reg, compatible)
    p.devices.append(device)
    bus.devices.append(device)
    return device


def plan_bus(rng, p, above):
    bus = Bus("", above)
    bus.base = p.chunks.pop()
    bus.ranges = rng.choice([None, [], []])
    if bus.ranges is not None:
        up = above.local(bus.base, CHUNK)
        bus.ranges.append([rng.choice([0, up, 0x40000000]), up, CHUNK])
    bus.name = "bus@%x" % above.local(bus.base, CHUNK)
    plan_dma(rng, p, bus)
    above.buses.append(bus)
    p.buses.append(bus)
    for _ in range(rng.randint(1, 3)):
        device = plan_device(rng, p, bus)
        device.props["dma-coherent"] = b""
    if rng.random() < .3:
        wrapper = plan_device(rng, p, bus, "test,wrapper", "wrapper")
        wrapper.wraps = rng.choice([None, 0, 0x100])
        wrapper.wraps = wrapper.reg[0] if wrapper.wraps is None else wrapper.wraps
    return bus


def plan_windows(rng, p, host, wide, big):
    bus, above = host.inbound(), host.above
    taken = [(at, size) for at, _, size in bus]
    if bus == [(0, 0, 1 << 64)]:
        taken = p.banks + p.extras
    else:  # of windows that lead to everything, what they lead to counts
        taken = [(found_at(bus, *r), r[1]) for r in p.banks + p.extras]

    def add(code, cpu, size, least=0):
        place = clear_place(size, rng.choice([cpu, least]), taken, least)
        if code & MEM64 == MEM32 and place + size > 1 << 32:
            code |= IO
        taken.append((place, size))
        host.windows.append([code, place, cpu, size])
        above.local(cpu, size)

    size = 0x100000 << rng.randint(0, 8)
    add(rng.choice([MEM32, MEM32, 0x42000000]), p.low.pop() * SLOT, size, rng.choice([0, 1 << 30]))
    if wide and rng.random() < .5:
        size = SLOT << rng.randint(0, 5 if big else 3)
        add(rng.choice([MEM64, 0x43000000]), p.high.pop() * UNIT, size, rng.choice([0, 1 << 33]))
    if rng.random() < .5:
        cpu = p.chunks.pop()
        host.windows.append([IO, 0, cpu, 0x10000])
        above.local(cpu, 0x10000)
    rng.shuffle(host.windows)


def plan_host(rng, p, above, wide, big):
    cpu = p.chunks.pop()
    at = above.local(cpu, CHUNK)
    host = Host("pcie@%x" % at, above)
    host.reg, host.buses_of = (at, CHUNK), (0, 15)
    plan_dma(rng, p, host)
    if host.dma is None and above.inbound() != [(0, 0, 1 << 64)]:
        host.dma = []
    plan_windows(rng, p, host, wide, big)
    if p.iommu and rng.random() < .3:
        host.iommu = [[0, p.iommu, 0, 0x10000]]
        if rng.random() < .3:
            host.iommu = [[0, p.iommu, 0, 0x100], [0x100, p.iommu, 0x4000, 0xff00]]
    if p.its and rng.random() < .6:
        host.msi = rng.choice([[[0, p.its, 0, 0x10000]], p.its])
    if rng.random() < .6:
        host.domain = len(p.hosts)
    elif rng.random() < .5:
        host.domain, host.buses_of = 99, (16 * len(p.hosts), 16 * len(p.hosts) + 15)
    above.hosts.append(host)
    p.hosts.append(host)


# ---- reserved memory ----

def plan_pools(rng, p):
    for first, size in p.banks:
        at = first
        for _ in range(rng.randint(0, 2)):
            length = rng.choice([0x1000, 0x40000, 0x100000, 0x400000])
            at += rng.choice([0, 0x10000, 0x100000])
            if at + length > first + size // 4:
                break
            kind = rng.choice(["reserved", "shared", "restricted"])
            pool = Pool("pool@%x" % at, kind, length)
            if kind == "restricted" and length < 0x40000:
                pool.kind = "reserved"
            pool.first = at
            pool.flags = {"reserved": rng.choice([[], ["no-map"]]), "restricted": []}.get(
                pool.kind, rng.choice([[], ["no-map"], ["reusable"]]))
            p.pools.append(pool)
            at += length
    for i in range(rng.randint(0, 2)):
        pool = Pool("dynamic-%d" % i, rng.choice(["shared", "restricted"]),
                    rng.choice([0x40000, 0x100000, 0x200000]))
        if rng.random() < .5:
            pool.alloc = [rng.choice([b for b in p.banks if b[1] >= 0x1000000] or p.banks)]
            if pool.alloc[0][1] < 0x1000000:
                continue
        p.pools.append(pool)
    for pool in p.pools:
        pool.phandle = p.phandle()
        if pool.kind != "reserved" and rng.random() < .7:
            rng.choice([d for d in p.devices if d.compatible == MASTER]).pools.append(pool)


# ---- the whole ----

def plan(rng):
    p = Platform()
    wide = rng.random() < .7
    big = wide and rng.random() < .6
    p.root.address_cells, p.root.size_cells = (2 if wide else 1), (2 if big else 1)
    plan_places(rng, p, wide, big)
    p.root.base = p.chunks.pop()
    if rng.random() < .7:
        p.its = plan_device(rng, p, p.root, "arm,gic-v3-its", "msi-controller")
        p.its.phandle = p.phandle()
        p.its.reg = p.its.reg[:2] + (0x20000,)
        p.root.used += 0x20000
        p.extras.append((p.its.reg[1], 0x20000))
    if rng.random() < .5:
        p.iommu = plan_device(rng, p, p.root, "arm,smmu-v3", "iommu")
        p.iommu.phandle = p.phandle()
        p.iommu.props["#iommu-cells"] = cells(1)
    engines = rng.randint(0, 2)
    clients = Bus("", p.root)  # where DMA goes: one bus, whose chunk all tables lead to
    if engines:
        clients.base = p.chunks.pop()
        clients.name = "bus@%x" % clients.base
        p.extras.append((clients.base, CHUNK))
        if rng.random() < .5:
            clients.ranges = [[rng.choice([0, 0x70000000]), clients.base, CHUNK]]
        plan_dma(rng, p, clients)
        p.root.buses.append(clients)
        p.buses.append(clients)
        for _ in range(rng.randint(1, 3)):
            plan_device(rng, p, clients, CLIENT, "client")
    for _ in range(rng.randint(1, 3)):
        bus = plan_bus(rng, p, p.root)
        while rng.random() < .4:
            bus = plan_bus(rng, p, bus)
    for _ in range(engines):
        engine = plan_device(rng, p, rng.choice(p.buses), ENGINE, "dma")
        engine.phandle = p.phandle()
    for device in p.devices:
        if device.compatible == CLIENT:
            device.engine = rng.choice([d for d in p.devices if d.compatible == ENGINE])
    for _ in range(rng.randint(0, 3)):
        plan_host(rng, p, rng.choice([p.root] + p.buses), wide, big)
    if p.iommu and rng.random() < .3:
        device = rng.choice([d for d in p.devices if d.compatible == MASTER])
        device.props["iommus"] = cells(p.iommu.phandle, 5)
    plan_pools(rng, p)
    if rng.random() < .05:  # the firmware fills it in
        p.banks, p.memory_nodes, p.pools = [], [["memory", [(0, 0)]]], []
        for device in p.devices:
            device.pools = []
    p.broken = [rng.choice(BROKEN) for _ in range(rng.randint(0, 2))]
    choose_cells(rng, p, wide)
    return p


def choose_cells(rng, p, wide):
    """The least that the numbers on a bus need, or more."""
    for bus in p.buses:
        entries = (bus.ranges or []) + (bus.dma or [])
        last = max([e[0] + e[2] - 1 for e in entries] + [d.reg[0] + d.reg[2] for d in bus.devices] +
                   [0])
        size = max([e[2] for e in entries] + [0])
        for below in bus.buses + bus.hosts:
            for e in (below.ranges or []) + (below.dma or []):
                last = max(last, e[1] + e[2] - 1)
        for host in bus.hosts:
            last = max([last] + [bus.local(w[2], w[3]) + w[3] for w in host.windows])
        most = 2 if wide or rng.random() < .2 else 1
        bus.address_cells = 2 if last >= 1 << 32 else rng.randint(1, most)
        bus.size_cells = 2 if size >= 1 << 32 else rng.randint(1, most)


# ---- nonsense in disabled nodes ----

def broken_host(p, node):
    first, size = p.banks[0] if p.banks else (0, 0x10000000)
    node.props["device_type"] = text("pci")
    node.props["#address-cells"], node.props["#size-cells"] = cells(3), cells(2)
    node.props["ranges"] = (cells(MEM32) + number(first, 2) +
                            number(first, p.root.address_cells) + number(size, 2))
    node.props["msi-parent"] = cells(0xbad)
    node.props["iommu-map"] = cells(0x100, 0xbad, 0)


def broken_device(p, node):
    node.props["reg"] = cells(*range(1, 6))
    node.props["memory-region"] = cells(0xbad)
    node.props["dmas"] = cells(0xbad, 1)
    node.props["dma-coherent"] = node.props["dma-noncoherent"] = b""


def broken_bus(p, node):
    node.props["#address-cells"], node.props["#size-cells"] = cells(1), cells(1)
    node.props["ranges"] = cells(0, 0, 0xfffff000, 0x2000, 5)
    node.props["dma-ranges"] = cells(0, 0)
    child = Node("device@5000000", node)
    child.props["compatible"] = text(MASTER)
    child.props["reg"] = cells(0x5000000, 0x1000)
    child.props["dma-coherent"] = b""


BROKEN = [broken_host, broken_device, broken_bus]


# ---- the tree ----

def put_entries(entries, bus, above):
    return b"".join(number(child, bus.address_cells) + number(parent, above.address_cells) +
                    number(size, bus.size_cells) for child, parent, size in entries)


def put_cells(node, address_cells, size_cells):
    node.props["#address-cells"] = cells(address_cells)
    node.props["#size-cells"] = cells(size_cells)


def put_map(entries):
    return b"".join(cells(first, target if isinstance(target, int) else target.phandle, out, count)
                    for first, target, out, count in entries)


def render_device(p, device, above):
    node, bus = Node(device.name, above), device.bus
    node.props["compatible"] = text(device.compatible)
    node.props["reg"] = number(device.reg[0], bus.address_cells) + number(device.reg[2],
                                                                          bus.size_cells)
    node.props.update(device.props)
    if device is p.its:
        node.props["msi-controller"], node.props["#msi-cells"] = b"", cells(1)
    if device.compatible == ENGINE:
        node.props["#dma-cells"] = cells(1)
    if device.phandle:
        node.props["phandle"] = cells(device.phandle)
    if device.engine:
        node.props["dmas"] = cells(device.engine.phandle, 7)
    if device.pools:
        node.props["memory-region"] = cells(*(pool.phandle for pool in device.pools))
    if device.wraps is not None:
        put_cells(node, bus.address_cells, bus.size_cells)
        node.props["ranges"] = put_entries([[device.wraps, device.reg[0], device.reg[2]]], bus, bus)
        child = Node("inner@%x" % device.wraps, node)
        child.props["compatible"] = text("test,inner")
        child.props["reg"] = number(device.wraps, bus.address_cells) + number(device.reg[2],
                                                                              bus.size_cells)


def render_host(host, above):
    node, bus = Node(host.name, above), host.above
    node.props["compatible"] = text(host.compatible)
    node.props["device_type"] = text("pci")
    node.props["reg"] = number(host.reg[0], bus.address_cells) + number(host.reg[1], bus.size_cells)
    put_cells(node, 3, 2)
    node.props["bus-range"] = cells(*host.buses_of)
    node.props["ranges"] = b"".join(
        cells(code) + number(pci, 2) + number(bus.local(cpu, size), bus.address_cells) +
        number(size, 2) for code, pci, cpu, size in host.windows)
    if host.dma is not None:
        node.props["dma-ranges"] = b"".join(
            cells(host.codes.get(i, 0x43000000)) + number(e[0], 2) +
            number(e[1], bus.address_cells) + number(e[2], 2) for i, e in enumerate(host.dma))
    if host.iommu:
        node.props["iommu-map"] = put_map(host.iommu)
    if isinstance(host.msi, list):
        node.props["msi-map"] = put_map(host.msi)
    elif host.msi:
        node.props["msi-parent"] = cells(host.msi.phandle, 0)
    if host.domain is not None:
        node.props["linux,pci-domain"] = cells(host.domain)
    node.props.update(host.extra)


def render_bus(p, bus, node):
    if bus.above:
        node.props["compatible"] = text(bus.compatible)
        put_cells(node, bus.address_cells, bus.size_cells)
        node.props["ranges"] = put_entries(bus.ranges or [], bus, bus.above)
        if bus.dma is not None:
            node.props["dma-ranges"] = put_entries(bus.dma, bus, bus.above)
    for device in bus.devices:
        render_device(p, device, node)
    for host in bus.hosts:
        render_host(host, node)
    for below in bus.buses:
        render_bus(p, below, Node(below.name, node))


def render_pool(p, pool, above):
    node, root = Node(pool.name, above), p.root

    def pair(first, size):
        return number(first, root.address_cells) + number(size, root.size_cells)

    if pool.kind != "reserved":
        node.props["compatible"] = text(pool.kind + "-dma-pool")
    if pool.first is not None:
        node.props["reg"] = pair(pool.first, pool.size)
    else:
        node.props["size"] = number(pool.size, root.size_cells)
        if pool.alloc:
            node.props["alloc-ranges"] = b"".join(pair(*r) for r in pool.alloc)
    for flag in pool.flags:
        node.props[flag] = b""
    node.props["phandle"] = cells(pool.phandle)


def render(p):
    for host in p.hosts:  # all windows, before any is written
        for _, _, cpu, size in host.windows:
            host.above.local(cpu, size)
    root = Node("")
    put_cells(root, p.root.address_cells, p.root.size_cells)
    root.props["compatible"] = text("test,board")
    for name, banks in p.memory_nodes:
        node = Node(name, root)
        node.props["device_type"] = text("memory")
        node.props["reg"] = b"".join(number(first, p.root.address_cells) +
                                     number(size, p.root.size_cells) for first, size in banks)
    if p.pools:
        node = Node("reserved-memory", root)
        put_cells(node, p.root.address_cells, p.root.size_cells)
        node.props["ranges"] = b""
        for pool in p.pools:
            render_pool(p, pool, node)
    render_bus(p, p.root, root)
    for i, breakage in enumerate(p.broken):
        node = Node("broken-%d" % i, root)
        node.props["compatible"] = text(MASTER)
        node.props["status"] = text("disabled")
        breakage(p, node)
    return root
