# SPDX-License-Identifier: BSD-2-Clause
"""machines.py - sysfs trees of machines that tests make up.

A machine is a list of functions in the order in which they are found; `write()` makes a folder of
it as a running Linux would show it: devices nested as they are wired, links to them, configuration
spaces with capabilities and windows (register offsets: PCI Local Bus 3.0, PCI-to-PCI Bridge 1.2,
PCI Express Base 5.0), and the resource files.
"""

import os
import struct

# ACS bits
SV, TB, RR, CR, UF, EC, DT = (1 << bit for bit in range(7))

ENDPOINT, ROOT_PORT, UPSTREAM, DOWNSTREAM, PCIE_TO_PCI, INTEGRATED = 0, 4, 5, 6, 7, 9
CONVENTIONAL = None

MEM32, MEM64, MEM64_PREFETCH = 0x200, 0x100200, 0x102200


class Function:
    """
    address   "00:01.0" (domain 0) or with a domain
    above     the bridge above it, or None: on the root bus `root` of the host bridge
    bars      [(base, size, flags)], 64-bit ones take two registers; `cpu`: what the CPU adds
    bridge    (secondary, subordinate, (first, last) or None, prefetchable (first, last) or None)
    acs       None, or (capability, control)
    """

    def __init__(self, address, kind=ENDPOINT, above=None, bars=(), bridge=None, acs=None,
                 ids=(0x1b36, 0x0010), class_code=0x010802, many=False, command=6, cpu=0,
                 size=4096, root=0, port=0, group=None):
        self.address = address if address.count(":") == 2 else "0000:" + address
        self.above, self.kind, self.bars, self.bridge = above, kind, list(bars), bridge
        self.acs, self.ids, self.class_code, self.many = acs, ids, class_code, many
        self.command, self.cpu, self.size, self.root, self.port = command, cpu, size, root, port
        self.group = group

    # ---- the configuration space ----

    def header(self):
        bridge = self.bridge is not None
        out = bytearray(256)
        struct.pack_into("<HHHH", out, 0, self.ids[0], self.ids[1], self.command,
                         0x10 if self.kind is not CONVENTIONAL else 0)
        struct.pack_into("<I", out, 8, self.class_code << 8)
        out[0x0e] = (1 if bridge else 0) | (0x80 if self.many else 0)
        at = 0x10
        for base, _, flags in self.bars:
            low = {MEM32: 0, MEM64: 4, MEM64_PREFETCH: 12}[flags]
            struct.pack_into("<I", out, at, (base & 0xfffffff0) | low)
            at += 4
            if flags != MEM32:
                struct.pack_into("<I", out, at, base >> 32)
                at += 4
        if bridge:
            self.windows(out)
        return out

    def windows(self, out):
        secondary, subordinate, memory, prefetch = self.bridge
        out[0x18] = int(self.address.split(":")[1], 16)
        out[0x19], out[0x1a] = secondary, subordinate
        first, last = memory or (0x100000, 0)  # base above limit: closed
        struct.pack_into("<HH", out, 0x20, first >> 16 & 0xfff0, last >> 16 & 0xfff0)
        first, last = prefetch or (0x100000, 0)
        struct.pack_into("<HH", out, 0x24, first >> 16 & 0xfff0 | 1, last >> 16 & 0xfff0 | 1)
        struct.pack_into("<II", out, 0x28, first >> 32, last >> 32)

    def config(self):
        out = self.header()
        if self.kind is not CONVENTIONAL:
            out[0x34] = 0x40
            struct.pack_into("<BBH", out, 0x40, 0x10, 0, 2 | self.kind << 4)
            struct.pack_into("<I", out, 0x4c, self.port << 24)
            out += bytes(4096 - 256)
            if self.acs:
                struct.pack_into("<IHH", out, 0x100, 0x0001000d, *self.acs)
        return bytes(out[:self.size])

    def resource(self):
        """Thirteen lines: the BARs, the ROM, six more; addresses of the CPU."""
        lines = []
        for base, size, flags in self.bars:
            lines.append((base + self.cpu, base + self.cpu + size - 1, flags) if base else (0, 0, 0))
            if flags != MEM32:
                lines.append((0, 0, 0))
        lines += [(0, 0, 0)] * (13 - len(lines))
        return "".join("0x%016x 0x%016x 0x%016x\n" % line for line in lines)


def write(folder, functions):
    """Make the tree; returns the folder."""
    places = {}
    links = os.path.join(folder, "sys", "bus", "pci", "devices")
    os.makedirs(links, exist_ok=True)
    # memory that can be read, so that no gap is but those of functions
    os.makedirs(os.path.join(folder, "proc"), exist_ok=True)
    with open(os.path.join(folder, "proc", "iomem"), "w", encoding="utf-8") as file:
        file.write("00100000-7fffffff : System RAM\n")
    for one in functions:
        domain = one.address.split(":")[0]
        above = places["0000:" + one.above if one.above.count(":") == 1 else one.above] \
            if one.above else "pci%s:%02x" % (domain, one.root)
        place = places[one.address] = os.path.join(above, one.address)
        path = os.path.join(folder, "sys", "devices", place)
        os.makedirs(path, exist_ok=True)
        for name, content in (("config", one.config()), ("resource", one.resource().encode())):
            with open(os.path.join(path, name), "wb") as file:
                file.write(content)
        os.symlink(os.path.join("../../../devices", place), os.path.join(links, one.address))
        if one.group is not None:
            group = os.path.join("sys", "kernel", "iommu_groups", str(one.group))
            os.makedirs(os.path.join(folder, group), exist_ok=True)
            with open(os.path.join(folder, group, "type"), "w", encoding="ascii") as file:
                file.write("DMA-FQ\n")
            up = "../" * (place.count("/") + 3)
            os.symlink(up + group[4:], os.path.join(path, "iommu_group"))
    return folder


# ---- machines ----

def server(switches, below, acs=0):
    """
    A host bridge with @switches switches of @below endpoints each, each with a BAR of 1 MiB; the
    control register of all downstream ports is @acs.
    """
    functions, bus, base = [], 1, 0xc0000000
    for i in range(switches):
        root, up = "00:%02x.0" % (i + 1), "%02x:00.0" % bus
        first, last = base, base + (below << 20) - 1
        top = bus + 1 + below
        functions += [
            Function(root, ROOT_PORT, bridge=(bus, top, (first, last), None), acs=(0x5f, 0),
                     class_code=0x060400),
            Function(up, UPSTREAM, root, bridge=(bus + 1, top, (first, last), None),
                     class_code=0x060400)]
        for k in range(below):
            port = "%02x:%02x.0" % (bus + 1, k)
            own = base + (k << 20)
            functions += [
                Function(port, DOWNSTREAM, up, acs=(0x7f & ~EC, acs), class_code=0x060400,
                         bridge=(bus + 2 + k, bus + 2 + k, (own, own + 0xfffff), None)),
                Function("%02x:00.0" % (bus + 2 + k), ENDPOINT, port,
                         bars=[(own, 0x100000, MEM32)])]
        base += below << 20
        bus = top + 1
    return functions


def workstation():
    """
    The machine of docs/p2p.md. A switch with a GPU, a NIC and an NVMe drive: the port of the GPU
    redirects requests, the others do not. Besides, a card with two functions that say by ACS that
    they carry requests between each other, and a drive with 64-bit memory that its port does not
    pass. The CPU finds all of it 0x8000000000 higher.
    """
    isolation = SV | RR | CR | UF
    offset = 0x8000000000
    bridge = {"class_code": 0x060400, "cpu": offset}
    return [
        Function("00:00.0", CONVENTIONAL, ids=(0x1b36, 0x0008), class_code=0x060000, size=256),
        Function("00:01.0", ROOT_PORT, ids=(0x1b36, 0x000c), acs=(0x5f, isolation),
                 bridge=(1, 5, (0xe0000000, 0xe03fffff), (0x400000000, 0x7ffffffff)), **bridge),
        Function("01:00.0", UPSTREAM, "00:01.0", ids=(0x104c, 0x8232),
                 bridge=(2, 5, (0xe0000000, 0xe03fffff), (0x400000000, 0x7ffffffff)), **bridge),
        Function("02:00.0", DOWNSTREAM, "01:00.0", ids=(0x104c, 0x8233), acs=(0x5f, isolation),
                 bridge=(3, 3, (0xe0000000, 0xe00fffff), (0x400000000, 0x7ffffffff)), **bridge),
        Function("02:01.0", DOWNSTREAM, "01:00.0", ids=(0x104c, 0x8233), acs=(0x5f, 0),
                 bridge=(4, 4, (0xe0100000, 0xe01fffff), None), **bridge),
        Function("02:02.0", DOWNSTREAM, "01:00.0", ids=(0x104c, 0x8233), acs=(0x5f, 0),
                 bridge=(5, 5, (0xe0200000, 0xe02fffff), None), **bridge),
        Function("03:00.0", ENDPOINT, "02:00.0", ids=(0x1b36, 0x0100), class_code=0x030000,
                 bars=[(0xe0000000, 0x100000, MEM32), (0x400000000, 0x400000000, MEM64_PREFETCH)],
                 cpu=offset),
        Function("04:00.0", ENDPOINT, "02:01.0", ids=(0x1b36, 0x0200), class_code=0x020000,
                 bars=[(0xe0100000, 0x10000, MEM32)], cpu=offset),
        Function("05:00.0", ENDPOINT, "02:02.0", bars=[(0xe0200000, 0x4000, MEM64)],
                 command=2, cpu=offset),
        Function("00:02.0", ROOT_PORT, ids=(0x1b36, 0x000c), acs=(0x5f, isolation),
                 bridge=(6, 6, (0xe0400000, 0xe04fffff), None), **bridge),
        Function("06:00.0", ENDPOINT, "00:02.0", acs=(RR | CR | DT, 0), many=True,
                 bars=[(0xe0400000, 0x4000, MEM64)], cpu=offset),
        Function("06:00.1", ENDPOINT, "00:02.0", acs=(RR | CR | DT, 0), many=True,
                 bars=[(0xe0404000, 0x4000, MEM64)], cpu=offset),
        Function("00:03.0", ROOT_PORT, ids=(0x1b36, 0x000c), acs=(0x5f, isolation),
                 bridge=(7, 7, (0xe0500000, 0xe05fffff), None), **bridge),
        Function("07:00.0", ENDPOINT, "00:03.0", bars=[(0x800000000, 0x100000, MEM64_PREFETCH)],
                 cpu=offset),
    ]
