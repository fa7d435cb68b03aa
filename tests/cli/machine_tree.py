# SPDX-License-Identifier: BSD-2-Clause
"""machine_tree.py - small machines for tests: a folder with sys/ and proc/ as Linux has them."""

import os
import struct
import subprocess

COMMAND = 0x6  # memory decode, bus master


def config(vendor=0x1af4, device=0x1000, class_code=0x020000, bars=(), bridge=None, size=256,
           capability=None):
    """A configuration space. bars: (kind, bus address); bridge: (primary, secondary, subordinate)
    with an optional memory window (first, last). capability: PCIe device/port type, or None."""
    space = bytearray(size)
    struct.pack_into("<HHHH", space, 0, vendor, device, COMMAND, 0x10 if capability is not None
                     else 0)
    struct.pack_into("<I", space, 8, class_code << 8)
    space[0xe] = 1 if bridge else 0
    at = 0x10
    for kind, address in bars:
        if kind == 64:
            struct.pack_into("<II", space, at, (address & 0xfffffff0) | 0x4, address >> 32)
            at += 8
        else:
            struct.pack_into("<I", space, at, address)
            at += 4
    if bridge:
        space[0x18:0x1b] = bytes(bridge[:3])
        struct.pack_into("<HH", space, 0x20, *(
            (bridge[3][0] >> 16 & 0xfff0, bridge[3][1] >> 16 & 0xfff0) if len(bridge) > 3
            else (0xfff0, 0)))
        struct.pack_into("<HH", space, 0x24, 0xfff0, 0)
    if capability is not None and size > 0x60:
        space[0x34] = 0x40
        struct.pack_into("<BBH", space, 0x40, 0x10, 0, 2 | capability << 4)
    return bytes(space)


def resource(lines):
    """(first, last) of each BAR in the CPU's addresses, or None."""
    rows = [(one[0], one[1], 0x40200) if one else (0, 0, 0) for one in lines]
    rows += [(0, 0, 0)] * (13 - len(rows))
    return "".join("0x%016x 0x%016x 0x%016x\n" % row for row in rows)


class Machine:
    def __init__(self, root):
        self.root = root
        os.makedirs(os.path.join(root, "sys/bus/pci/devices"))

    def path(self, *parts):
        return os.path.join(self.root, *parts)

    def write(self, path, content):
        full = self.path(path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())

    def link(self, path, target):
        """A link to another path of the machine, as sysfs has them: relative."""
        full = self.path(path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        os.symlink(os.path.relpath(self.path(target), os.path.dirname(full)), full)

    def function(self, name, below="pci0000:00", space=None, cpu=(), mask=64, **files):
        """A function; below: the path under sys/devices. Returns its own path under it."""
        own = os.path.join(below, name)
        folder = os.path.join("sys/devices", own)
        self.write(os.path.join(folder, "config"), config() if space is None else space)
        self.write(os.path.join(folder, "resource"), resource(cpu))
        if mask:
            self.write(os.path.join(folder, "dma_mask_bits"), "%d\n" % mask)
        for file, content in files.items():
            self.write(os.path.join(folder, file), content)
        self.link(os.path.join("sys/bus/pci/devices", name), folder)
        return own

    def group(self, number, functions, kind="DMA", reserved=()):
        base = "sys/kernel/iommu_groups/%d" % number
        if kind:
            self.write(base + "/type", kind + "\n")
        if reserved is not None:
            self.write(base + "/reserved_regions", "".join(
                "0x%016x 0x%016x %s\n" % one for one in reserved))
        os.makedirs(self.path(base, "devices"), exist_ok=True)
        for own in functions:
            self.link(os.path.join("sys/devices", own, "iommu_group"), base)
            self.link(os.path.join(base, "devices", os.path.basename(own)),
                      os.path.join("sys/devices", own))

    def iomem(self, *lines):
        """(depth, first, last, name)"""
        self.write("proc/iomem", "".join("%s%08x-%08x : %s\n" % ("  " * depth, first, last, name)
                                         for depth, first, last, name in lines))

    def tree(self, source):
        """A device tree as the firmware's."""
        done = subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb"], input=source.encode(),
                              capture_output=True, check=True)
        self.write("sys/firmware/fdt", done.stdout)


def dmar(*reserved, units=((0xfed90000, True),)):
    """A DMAR table: units of (registers, all others?), and memory (first, last, bus, device,
    function) that stays mapped for a function."""
    body = b""
    for base, all_others in units:
        body += struct.pack("<HHBBHQ", 0, 16, all_others, 0, 0, base)
    for first, last, bus, slot, function in reserved:
        body += struct.pack("<HHHHQQ", 1, 32, 0, 0, first, last)
        body += struct.pack("<BBHBBBB", 1, 8, 0, 0, bus, slot, function)
    table = bytearray(b"DMAR" + struct.pack("<IBB", 48 + len(body), 1, 0) + b"BUSWAY" +
                      b"TESTTEST" + bytes(12) + bytes((45, 0)) + bytes(10) + body)
    table[9] = -sum(table) & 0xff
    return bytes(table)


RAM = (0, 0x100000, 0x7fffffff, "System RAM")
HIGH = (0, 0x100000000, 0x17fffffff, "System RAM")
IOAPIC = (0, 0xfec00000, 0xfec003ff, "IOAPIC 0")


def unpack(archive, folder):
    """A recorded machine; returns its root."""
    os.makedirs(folder)
    subprocess.run(["tar", "-xf", archive, "-C", folder], check=True)
    (name,) = os.listdir(folder)
    return os.path.join(folder, name)
