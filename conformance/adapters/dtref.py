#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""dtref.py - answers the vectors' questions with tests/reference/dtref.py.

    run.py --adapter adapters/dtref.py

That program is a second reading of trees, which shares no code with Busway. It knows windows,
memory, pools and maps; single addresses are worked out from its windows here, by search.
"""

import functools
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "tests", "reference"))
import dtref  # pylint: disable=wrong-import-position


class Unsupported(Exception):
    """The reference does not know that."""


@functools.lru_cache(maxsize=1)
def loaded(dtb):
    with open(dtb, "rb") as file:
        return dtref.Show(dtref.read_fdt(file.read()), dtb, 64)


def picked(items, *keys):
    return [{key: item[key] for key in keys} for item in items]


class Device:
    """One master: its windows, what is taken from it, its controllers."""

    def __init__(self, show, node, question):
        self.show, self.tree, self.node = show, show.tree, node
        document = show.device(node)
        self.own_view = question.get("as") == "bridge"
        self.document = {**document, **document["own"]} if self.own_view else document
        is_host = document["kind"] in ("pcie-host", "pci-host")
        self.host = None if self.own_view else node if is_host else show.hosts.get(node)
        start = self.host or dtref.dma_parent(self.tree, node)
        self.dma, self.windows = dtref.dma_view(self.tree, start)
        self.in_order = dtref.windows_in_order(self.tree, start)

    def apertures(self):
        if not self.host:
            return []
        return [dtref.span(int(one["bus"], 16), int(one["size"], 16))
                for one in dtref.outbound_objects(self.tree, self.host)
                if one["kind"] != "io" and one["cpu"] is not None]

    # ---- controllers ----

    def iommu(self):
        if self.own_view:
            return dtref.specifier_objects(self.tree, self.node, "iommus", "#iommu-cells", None,
                                           "node")
        return self.document["iommu"]

    def enabled(self, entries, name):
        return [one for one in entries if dtref.is_enabled(self.tree.by_path[one[name]])]

    def is_translated(self):
        """Some access of it is: what a requester's map says is asked with its ID."""
        return bool(self.enabled(self.iommu(), "node"))

    # ---- addresses ----

    def translate(self, first, end):
        if overlaps([(first, end)], self.apertures()):
            return {"refused": "aperture"}
        if dtref.subtract([(first, end)], [(bus, bus + size) for bus, size, _ in self.windows]):
            return {"refused": "no-window"}
        for bus, size, cpu in self.windows:
            if bus <= first and end <= bus + size:
                return {"cpu": hex(cpu + first - bus)}
        return {"refused": "straddles"}

    def for_phys(self, first, end, mask):
        if self.is_translated():
            return {"refused": "behind-iommu"}
        if self.restricted_pool():
            return {"refused": "restricted-pool"}
        if overlaps([(first, end)], self.show.carve_outs):
            return {"refused": "reserved"}
        whole = [(bus, size, cpu) for bus, size, cpu in self.in_order
                 if cpu <= first and end <= cpu + size]
        whole += [(bus, size, cpu) for bus, size, cpu in self.windows
                  if cpu <= first and end <= cpu + size]
        if not whole:
            cpu_side = [(cpu, cpu + size) for _, size, cpu in self.windows]
            if not dtref.subtract([(first, end)], cpu_side):
                return {"refused": "straddles"}
            shadowed = overlaps([(first, end)], dtref.shadowed(self.tree, self.dma["source"]))
            return {"refused": "shadowed" if shadowed else "no-window"}
        bus, _, cpu = whole[0]
        at, at_end = bus + first - cpu, bus + end - cpu
        if at_end > 1 << mask:
            return {"refused": "beyond-mask"}
        if overlaps([(at, at_end)], self.apertures()):
            return {"refused": "aperture"}
        banks = [dtref.span(base, size) for _, base, size in self.show.banks]
        if banks and dtref.subtract([(first, end)], banks):
            return {"refused": "no-memory"}
        return {"dma": hex(at)}

    def restricted_pool(self):
        if self.is_translated():
            return None
        pools = [self.tree.by_path[path] for path in self.document["pools"]]
        return next((pool.path for pool in pools if dtref.pool_type(pool) == "restricted"
                     and dtref.is_available(pool)), None)


def overlaps(pieces, others):
    return dtref.subtract(pieces, others) != pieces


def looked_up(entries, requester, name, is_enabled):
    for entry in entries:
        base, mask = int(entry["id_base"], 16), int(entry["id_mask"], 16)
        if base & ~mask & 0xffffffff:
            return {"error": "base-outside-mask"}
        offset = (requester & mask) - base
        if 0 <= offset < int(entry["id_count"], 16):
            if not is_enabled(entry[name]):
                break
            return {"controller": entry[name], "id": hex(int(entry["out_base"], 16) + offset)}
    return {"controller": None, "id": None}


def controllers(device, entries, question, name):
    if "requester" in question:
        return looked_up(entries, int(question["requester"], 16), name,
                         lambda path: dtref.is_enabled(device.tree.by_path[path]))
    return {"specifiers": [{"controller": one[name], "cells": one["cells"]}
                           for one in device.enabled(entries, name)]}


def pool(show, path):
    return next(one for one in dtref.pool_objects(show.tree) if one["node"] == path)


def of_platform(show, path, operation):
    """Questions that are about no device; None for others."""
    if operation == "memory":
        return {"banks": [{"base": hex(base), "size": hex(size)}
                          for _, base, size in show.banks] or None}
    if operation == "pool":
        found = pool(show, path)
        return {"type": found["type"], "accepted": found["valid"], "base": found["base"],
                "size": found["size"]}
    if operation == "pool-placement":
        return {key: pool(show, path)[key] for key in ("size", "alignment", "alloc_ranges")}
    return None


def answer(dtb, path, question):
    show = loaded(dtb)
    operation = question["op"]
    found = of_platform(show, path, operation)
    if found:
        return found
    node = show.tree.by_path[path]
    device = Device(show, node, question)
    dma = device.document["dma"]
    if operation in ("translate-dma", "dma-for-phys"):
        first = int(question["address"], 16)
        end = first + int(question["size"], 16)
        if operation == "translate-dma":
            return device.translate(first, end)
        return device.for_phys(first, end, question.get("mask", 64))
    if operation == "effective-windows":
        return {"restricted": dma["restricted"], "windows": dma["windows"]}
    if operation == "table":
        return {"table": dma["source"]}
    if operation == "limit":
        return {"bus_limit": dma["bus_limit"]}
    if operation == "dma-parent":
        return {"parent": dtref.dma_parent(show.tree, node).path}
    if operation in ("coherence", "enabled"):
        return {operation: device.document[operation]}
    if operation == "reach":
        reach = device.document["reach"]
        return {"reach": reach if reach is None else picked(reach, "dma", "cpu", "size")}
    if operation == "outbound":
        return {"outbound": picked(device.document["outbound"], "kind", "bus", "cpu", "size")}
    if operation == "memory-regions":
        return {"regions": device.document["pools"]}
    if operation == "restricted-pool":
        return {"pool": device.restricted_pool()}
    if operation == "iommu":
        return controllers(device, device.iommu(), question, "node")
    if operation == "msi":
        return controllers(device, device.document["msi"], question, "controller")
    raise Unsupported("the reference does not know this")


def main():
    for line in sys.stdin:
        asked = json.loads(line)
        reply = {"id": asked["id"]}
        try:
            reply["answer"] = answer(asked["dtb"], asked["device"], asked["question"])
        except Unsupported as why:
            reply["unsupported"] = str(why)
        except (dtref.Malformed, KeyError, StopIteration, ValueError) as error:
            reply["error"] = repr(error)
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
