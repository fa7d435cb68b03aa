#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""show_test.py - `busway show`: the JSON is as the contract has it, and agrees with itself."""

import os
import sys
import tempfile

from support import (SHOW, Tap, ask, board, board_names, compile_tree, mismatches, run, show, tree)

SPACE = 1 << 64


def number(text):
    return int(text, 16)


def device(document, path):
    return next(one for one in document["devices"] if one["path"] == path)


# ---- does an answer agree with itself? ----

def window_complaints(dma):
    windows = [(number(w["bus"]), number(w["cpu"]), number(w["size"])) for w in dma["windows"]]
    if not dma["restricted"]:
        if windows or dma["limit"] is not None or dma["source"] is not None or "error" in dma:
            yield "not restricted, but by something"
        return
    if dma["source"] is None:
        yield "restricted by nobody"
    if bool(windows) == ("error" in dma):
        yield "either windows, or an error"
    expected = max((cpu + size - 1 for _bus, cpu, size in windows), default=None)
    if (number(dma["limit"]) if dma["limit"] is not None else None) != expected:
        yield "limit %s, not %s" % (dma["limit"], expected)
    for bus, cpu, size in windows:
        if size == 0 or bus + size > SPACE or cpu + size > SPACE:
            yield "window at %x passes 2^64, or is empty" % bus
    for one, other in zip(windows, windows[1:]):
        if one[0] + one[2] > other[0]:
            yield "windows at %x and %x are out of order, or overlap" % (one[0], other[0])
        if one[0] + one[2] == other[0] and one[1] + one[2] == other[1]:
            yield "windows at %x and %x are not merged" % (one[0], other[0])


def reach_complaints(document, dma, reach):
    banks = {}
    for bank in document["platform"]["memory"]:
        banks.setdefault(bank["node"], []).append((number(bank["base"]), number(bank["size"])))
    if (reach is None) != (not banks):
        yield "reach is null where memory is unknown, and only there"
    pieces = [(number(p["dma"]), number(p["cpu"]), number(p["size"]), p["target"])
              for p in reach or []]
    for one, other in zip(pieces, pieces[1:]):
        if one[0] + one[2] > other[0]:
            yield "pieces at %x and %x are out of order, or overlap" % (one[0], other[0])
        if (one[0] + one[2] == other[0] and one[1] + one[2] == other[1] and one[3] == other[3]):
            yield "pieces at %x and %x are not merged" % (one[0], other[0])
    for at, cpu, size, target in pieces:
        covered = sum(max(0, min(cpu + size, base + length) - max(cpu, base))
                      for base, length in banks.get(target, []))
        if covered < size:
            yield "piece at %x is not all in %s" % (at, target)
        if dma["restricted"] and not any(
                number(w["bus"]) <= at and at + size <= number(w["bus"]) + number(w["size"])
                and cpu - number(w["cpu"]) == at - number(w["bus"]) for w in dma["windows"]):
            yield "piece at %x is in no window" % at
        if not dma["restricted"] and at != cpu:
            yield "piece at %x is at another address, though nothing moves it" % at


def device_complaints(document, one):
    yield from window_complaints(one["dma"])
    yield from reach_complaints(document, one["dma"], one["reach"])
    if (one["kind"] in ("pcie-host", "pci-host")) != ("own" in one):
        yield "host bridges, and only they, have an answer of their own"
    if "own" in one:
        yield from window_complaints(one["own"]["dma"])
        yield from reach_complaints(document, one["own"]["dma"], one["own"]["reach"])
    if (one["kind"] == "pcie-endpoint") != (one["endpoint"] is not None):
        yield "endpoint controllers, and only they, have limits as such"
    for name in ("iommu", "msi"):
        for entry in one[name]:
            if (entry["id_base"] is None) != ("cells" in entry) or \
                    (entry["id_base"] is None) != (entry["id_count"] is None) or \
                    (entry["id_base"] is None) == ("id_mask" in entry):
                yield "%s: neither a range nor a specifier: %s" % (name, entry)
    if one["outbound"] and one["kind"] not in ("pcie-host", "pci-host"):
        yield "outbound windows of something that is no host bridge"


def complaints(document):
    yield from mismatches(document, SHOW)
    for bank in document["platform"]["memory"]:
        if number(bank["usable"]) > number(bank["size"]):
            yield "more of %s is usable than there is" % bank["node"]
    for pool in document["platform"]["pools"]:
        if (pool["base"] is None) != ("alloc_ranges" in pool):
            yield "%s: dynamic pools, and only they, have ranges to be placed in" % pool["node"]
    paths = [one["path"] for one in document["devices"]]
    if len(paths) != len(set(paths)):
        yield "a device stands twice"
    for one in document["devices"]:
        for complaint in device_complaints(document, one):
            yield "%s: %s" % (one["path"], complaint)


def check_documents(tap):
    for name in board_names():
        for arguments in ((), ("--all",)):
            status, document = ask("show", board(name), *arguments)
            found = list(complaints(document))
            tap.check(status == 0 and not found, " ".join(("show", name) + arguments),
                      "\n".join(found[:10]))
    for name in ("buses", "hosts", "levels", "maps", "memory", "no-memory", "nodes", "reserved",
                 "root-table", "translate", "dma-parent"):
        found = list(complaints(show(tree(name), "--all")))
        tap.check(not found, "show --all of the test tree " + name, "\n".join(found[:10]))


# ---- single keys ----

def check_keys(tap):
    document = show(board("rpi4-8g"))
    tap.equal(document["platform"]["source"], board("rpi4-8g"), "source is what the user wrote")
    tap.equal(document["platform"]["model"], "Raspberry Pi 4 Model B (8 GiB)", "the model")
    tap.equal(document["platform"]["compatible"][0], "raspberrypi,4-model-b", "compatible")

    mmc = device(document, "/emmc2bus/mmc@7e340000")
    tap.equal(mmc["dma"], {"restricted": True, "source": "/emmc2bus",
                           "windows": [{"bus": "0xc0000000", "cpu": "0x0", "size": "0x40000000"}],
                           "limit": "0x3fffffff", "bus_limit": "0xffffffff"},
              "dma: limit is the highest CPU address, bus_limit Linux's figure")
    tap.equal(mmc["reach"], [{"dma": "0xc0000000", "cpu": "0x0", "size": "0x3b400000",
                              "target": "/memory@0"}], "reach is sorted by dma")
    ethernet = device(document, "/scb/ethernet@7d580000")
    tap.equal(ethernet["dma"], {"restricted": False, "source": None, "windows": [], "limit": None,
                                "bus_limit": None}, "dma of what nothing limits")

    host = device(document, "/scb/pcie@7d500000")
    tap.equal(host["own"]["dma"]["restricted"], False, "own: the bridge itself is not limited")
    tap.equal(host["dma"]["restricted"], True, "its functions are")

    likely = {one["path"] for one in document["devices"]}
    every = {one["path"] for one in show(board("rpi4-8g"), "--all")["devices"]}
    tap.check(likely < every, "--all shows every node, not only likely masters")
    tap.check("/soc" in every - likely, "a bus is no likely master")

    one = show(board("rpi4-8g"), "usb@7e980000")
    tap.equal([d["path"] for d in one["devices"]], ["/soc/usb@7e980000"], "show of one device")
    unlikely = show(board("rpi4-8g"), "/soc")
    tap.equal([d["path"] for d in unlikely["devices"]], ["/soc"], "of any node, if it is named")

    masked = device(show(board("rpi4-8g"), "--mask", "31"), "/scb/ethernet@7d580000")
    tap.equal([(p["dma"], p["size"]) for p in masked["reach"]],
              [("0x0", "0x3b400000"), ("0x40000000", "0x40000000")], "--mask cuts the reach")
    tap.equal(masked["dma"], ethernet["dma"], "and leaves the windows alone")
    both = device(show(board("rpi4-8g"), "--coherent-mask", "31"), "/scb/ethernet@7d580000")
    tap.equal(both["reach"], ethernet["reach"], "--coherent-mask leaves the reach alone")

    regions = {one["path"]: one["pools"] for one in show(tree("reserved"), "--all")["devices"]}
    tap.equal(regions["/user-nothing"],
              ["/reserved-memory/" + name for name in ("wrong@84000000", "neither", "cma")],
              "pools are all that memory-region names, in order")
    unknown = show(tree("no-memory"), "--all")
    tap.equal(unknown["platform"]["model"], None, "a model that is not stated is null")
    tap.equal(unknown["platform"]["memory"], [], "memory that is not stated is []")
    tap.check(all(one["reach"] is None for one in unknown["devices"]), "and every reach is null")

    errors = {one["path"]: one["dma"] for one in show(tree("translate"), "--all")["devices"]}
    for path, error in (("/upper/wholly-outside/dev", "untranslatable"),
                        ("/zero-first/dev", "empty-table")):
        dma = errors[path]
        tap.equal((dma["restricted"], dma["windows"], dma["limit"], dma.get("error")),
                  (True, [], None, error), "no window: " + error)
    tap.equal(errors["/halves/dev"]["windows"],
              [{"bus": "0x0", "cpu": "0x0", "size": "0x10000000000000000"}],
              "2^64 addresses are 0x10000000000000000")

    pools = {pool["node"]: pool for pool in show(tree("reserved"))["platform"]["pools"]}
    cma = pools["/reserved-memory/cma"]
    tap.equal((cma["base"], cma["size"], cma["alignment"], cma["alloc_ranges"]),
              (None, "0x2000000", "0x400000",
               [{"base": "0x80000000", "size": "0x20000000"},
                {"base": "0xa0000000", "size": "0x10000000"}]), "a dynamic pool")
    tap.equal(pools["/reserved-memory/bad-no-map@89000000"]["valid"], False,
              "valid: flags that contradict the type")

    maps = {one["path"]: one for one in show(tree("maps"), "--all")["devices"]}
    tap.equal(maps["/several"]["iommu"][1]["cells"], ["0x20", "0x7f"], "cells of a specifier")
    entry = maps["/pcie@10000000"]["iommu"][0]
    tap.equal({key: entry[key] for key in ("node", "id_base", "id_count", "out_base", "id_mask")},
              {"node": "/iommu@1000000", "id_base": "0x0", "id_count": "0x100",
               "out_base": "0x1000", "id_mask": "0xfff8"}, "a range of requester IDs")

    hosts = {one["path"]: one for one in show(tree("hosts"), "--all")["devices"]}
    tap.equal(hosts["/pcie-ep@50000000"]["endpoint"],
              {"outbound": {"base": "0x900000000", "size": "0x100000000"}, "ob_windows": 6,
               "ib_windows": 8, "max_functions": 2}, "endpoint")
    tap.equal(hosts["/controller@53000000"]["endpoint"],
              {"outbound": None, "ob_windows": None, "ib_windows": None, "max_functions": None},
              "null where an endpoint does not state it")
    tap.equal([(o["kind"], o["cpu"], o["prefetchable"])
               for o in hosts["/moved/pcie@1f000000"]["outbound"]],
              [("mem32", "0x110000000", False), ("mem32", None, True)],
              "outbound: in property order, null where it does not translate")


# ---- forms of input ----

def check_inputs(tap):
    source = board("juno-r1")
    expected = show(source, "--all")
    expected["platform"].pop("source")
    with tempfile.TemporaryDirectory() as folder:
        blob = compile_tree(source, os.path.join(folder, "board.dtb"))
        with open(blob, "rb") as file:
            data = file.read()
        with open(source, "rb") as file:
            text = file.read()
        other_name = os.path.join(folder, "a name with spaces")
        with open(other_name, "wb") as file:
            file.write(data)
        for what, platform, stdin in (("a .dtb", blob, b""),
                                      ("a tree of any name", other_name, b""),
                                      ("a tree on standard input", "-", data),
                                      ("a source on standard input", "-", text)):
            result = run("show", "--all", "--format", "json", platform, stdin=stdin)
            if not tap.check(result.status == 0, what + " is read", result):
                continue
            found = result.json()
            named = found["platform"].pop("source")
            tap.equal(found, expected, what + " gives the same answers as the source")
            tap.check(named == (platform if platform != "-" else "standard input"),
                      what + ": the source is named", named)


def check_text(tap):
    plain = run("show", board("rpi4-8g"))
    tap.check(plain.status == 0 and "\033" not in plain.out, "text without colours in a pipe")
    colored = run("show", board("rpi4-8g"), "--color", "always")
    tap.check("\033[" in colored.out, "--color always")
    tap.equal(run("show", board("rpi4-8g"), "--color", "never").out, plain.out, "--color never")
    quiet = run("show", board("rpi4-8g"), "-q")
    tap.check(quiet.status == 0 and 0 < len(quiet.out) < len(plain.out), "-q says less")
    loud = run("show", tree("levels"), "--all", "-v")
    tap.check("hidden-table" in loud.out, "-v tells which rules were applied")


def check_restricted(tap):
    """Behind an IOMMU the kernel ignores a restricted pool: the text does not say otherwise."""
    rule, pool = "every mapping and allocation", "/reserved-memory/restricted@85000000"
    members = run("show", tree("reserved"), "--all").out.splitlines()
    for what, device, words, absent, member in (
            ("a pool of its own", "/user-restricted", (rule,), "IOMMU",
             "restricted to " + pool),
            ("behind an IOMMU", "/translated-user", ("kernel ignores the restricted pool " + pool,),
             rule, "behind /iommu@50000000"),
            ("the pool of the host, behind an IOMMU", "/pcie@30000000/fn@0,0",
             ("behind /iommu@50000000 the kernel ignores", pool), rule, "behind /iommu@50000000"),
            ("a host bridge", "/pcie@30000000",
             (rule, "except behind /iommu@50000000, where the kernel ignores it"), "other",
             "behind /iommu@50000000, else restricted to %s (its functions)" % pool),
            ("an IOMMU that is off", "/pcie@40000000/fn@0,0", (rule,), "ignores",
             "restricted to " + pool)):
        text = run("show", tree("reserved"), device)
        tap.check(all(word in text.out for word in words) and absent not in text.out,
                  what + ": in full", text)
        line = [line for line in members if line.startswith(device + "  ")][-1]
        tap.check(line.endswith(", " + member), what + ": in a group", line)
    itself = [line for line in members if line.startswith("/pcie@30000000 ") and "itself" in line]
    tap.check(len(itself) == 1 and itself[0].endswith(", restricted to " + pool),
              "the bridge itself is not behind the IOMMU of its functions", itself)


def main():
    tap = Tap()
    check_documents(tap)
    check_keys(tap)
    check_inputs(tap)
    check_text(tap)
    check_restricted(tap)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
