#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""boards_test.py - the boards give the answers that were worked out for them by hand.

tests/data/boards-expected.md is read table by table: banks, reach, coherence, pools, interrupt
messages. Each row is a check; where a table says something in words only, this file has the
numbers beside those words, and a row of the table that is checked nowhere is a failure.
"""

import os
import re
import sys

from support import ROOT, Tap, ask, board, board_names, show

EXPECTED = os.path.join(ROOT, "tests", "data", "boards-expected.md")
FOUR_GIB = 1 << 32
NUMBER = r"0x[0-9a-f]+"


def number(text):
    return int(text, 16)


def tables():
    """{heading: [row as {column: cell}]}"""
    found, heading, columns = {}, None, None
    with open(EXPECTED, encoding="utf-8") as file:
        for line in file:
            if line.startswith("## "):
                heading, columns = line[3:].strip(), None
            elif line.startswith("|"):
                cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
                if columns is None:
                    columns = cells
                elif not set(line.strip()) <= set("|- "):
                    found.setdefault(heading, []).append(dict(zip(columns, cells)))
    return found


class Boards:
    """What `show --all` says of each board, asked once."""

    def __init__(self):
        self.documents = {}

    def __getitem__(self, name):
        if name not in self.documents:
            self.documents[name] = show(board(name), "--all")
        return self.documents[name]

    def device(self, name, path):
        """The device; of a bridge's own node what the bridge gets itself."""
        one = next(one for one in self[name]["devices"] if one["path"] == path)
        return {**one, **one["own"]} if "own" in one else one

    def functions(self, name, path):
        return next(one for one in self[name]["devices"] if one["path"] == path)


def matching(pattern):
    return [name for name in board_names() if re.fullmatch(pattern.replace("*", ".*"), name)]


# ---- banks ----

def check_banks(tap, boards, rows):
    for row in rows:
        name = row["board"]
        memory = boards[name]["platform"]["memory"]
        banks = "; ".join("%s+%s" % (bank["base"], bank["size"]) for bank in memory)
        column = next(key for key in row if key.startswith("banks"))
        tap.equal(banks, row[column], name + ": banks")
        column = next(key for key in row if key.startswith("no-map"))
        taken = {number(base): number(size) for base, size in
                 re.findall(r"(%s)\+(%s)" % (NUMBER, NUMBER), row[column].split("(")[0])}
        usable = {number(bank["base"]): number(bank["usable"]) for bank in memory}
        expected = {}
        for bank in memory:
            base, size = number(bank["base"]), number(bank["size"])
            expected[base] = size - sum(length for first, length in taken.items()
                                        if base <= first < base + size)
        tap.equal(usable, expected, name + ": no-map inside the banks")


# ---- reach ----

def windows(dma):
    return "; ".join("%s->%s+%s" % (w["bus"], w["cpu"], w["size"]) for w in dma["windows"]) or "-"


def bus_end(dma):
    """The table's limit is the last bus address of the highest window."""
    ends = [number(w["bus"]) + number(w["size"]) - 1 for w in dma["windows"]]
    return hex(max(ends)) if ends else "-"


def per_bank(document, reach, below=1 << 64):
    """Bytes of each bank that are reached at addresses below @below."""
    sums = []
    for bank in document["platform"]["memory"]:
        first, end = number(bank["base"]), number(bank["base"]) + number(bank["size"])
        total = 0
        for piece in reach:
            dma, cpu, size = number(piece["dma"]), number(piece["cpu"]), number(piece["size"])
            size = max(0, min(size, below - dma))
            total += max(0, min(end, cpu + size) - max(first, cpu))
        sums.append(hex(total))
    return "; ".join(sums)


def iommu_complaint(cell, entries):
    """The column: the path of the IOMMU, with its IDs in brackets, "0xa0 to 0xa7" for several."""
    if cell == "-":
        return None if not entries else "behind %s" % entries
    path, _, ids = cell.partition(" ")
    if any(entry["node"] != path for entry in entries) or not entries:
        return "behind %s" % entries
    numbers = [number(text) for text in re.findall(NUMBER, ids)]
    if "any function" in ids:
        ok = entries[0]["out_base"] == hex(numbers[0]) and entries[0]["id_mask"] == "0x0"
    elif " to " in ids:
        ok = [number(e["out_base"]) for e in entries] == list(range(numbers[0], numbers[1] + 1))
    elif len(entries) == 1 and numbers:
        ok = [number(cell) for cell in entries[0]["cells"]] == numbers
    else:
        ok = not numbers or [number(e["out_base"]) for e in entries] == numbers
    return None if ok else "behind %s" % entries


def check_reach(tap, boards, rows):
    for row in rows:
        name, path = row["board"], row["device"]
        one = boards.device(name, path)
        what = "%s %s: " % (name, path)
        dma = one["dma"]
        tap.equal(dma["source"] or "none", row["table"], what + "table")
        tap.equal(windows(dma), row["windows"], what + "windows")
        tap.equal(bus_end(dma), row["limit"], what + "limit")
        tap.equal(per_bank(boards[name], one["reach"]), row["reach"], what + "reach")
        tap.equal(per_bank(boards[name], one["reach"], FOUR_GIB), row["low"],
                  what + "reach below 4 GiB")
        low = show(board(name), path, "--mask", "32")["devices"][0]
        low = low["own"] if "own" in low else low
        tap.equal(per_bank(boards[name], low["reach"]), row["low"], what + "reach, mask 32")
        complaint = iommu_complaint(row["IOMMU"], one["iommu"])
        tap.check(complaint is None, what + "IOMMU " + row["IOMMU"], complaint)


# ---- coherence ----

def named(row, column, document):
    """The paths that a cell of the coherence table is about."""
    cell = row[column]
    devices = document["devices"]
    hosts = [d for d in devices if d["kind"] in ("pcie-host", "pci-host")]
    paths = []
    for words in cell.split(", "):
        if words == "all" or words == "all masters named above":
            paths += [d["path"] for d in devices if d["kind"] != "iommu"]
        elif words.startswith("functions behind"):
            paths += [d["path"] for d in devices if d["kind"] == "pci-function"]
        elif words in ("both hosts themselves", "the host"):
            paths += [d["path"] for d in hosts]
        elif words != "-":
            paths += [d["path"] for d in devices if d["path"].endswith("/" + words)]
    return paths


def check_coherence(tap, boards, rows, reach_rows):
    words = {"coherent": "coherent", "not coherent": "noncoherent", "default": "arch-default"}
    masters = {}
    for row in reach_rows:
        masters.setdefault(row["board"], set()).add(row["device"])
    for row in rows:
        for pattern in row["board"].split(", "):
            for name in matching(pattern):
                for column, word in words.items():
                    for path in named(row, column, boards[name]):
                        if row[column].startswith("all") and path not in masters.get(name, ()):
                            continue
                        tap.equal(boards.functions(name, path)["coherence"], word,
                                  "%s %s: %s" % (name, path, word))


# ---- pools ----

def pool_of(document, cell):
    """The pool whose node's name the cell begins with."""
    word = cell.split(":")[0]
    found = [pool for pool in document["platform"]["pools"]
             if pool["node"].rsplit("/", 1)[-1].startswith(word)]
    return found[0] if found else None


def pool_complaints(pool, cell):
    kind = ("restricted" if "restricted" in cell else
            "shared" if "CMA" in cell or "no-map" in cell or "dynamic" in cell else "reserved")
    if pool["type"] != kind:
        yield "type %s, not %s" % (pool["type"], kind)
    if pool["no_map"] != ("no-map" in cell):
        yield "no-map: %s" % pool["no_map"]
    if not pool["valid"] or not pool["enabled"]:
        yield "not in force"
    if "dynamic" in cell:
        size, rest = re.search(r"dynamic, (%s)(.*)" % NUMBER, cell).groups()
        if pool["base"] is not None or pool["size"] != size:
            yield "%s at %s" % (pool["size"], pool["base"])
        aligned = re.search(r"aligned to (%s)" % NUMBER, rest)
        if aligned and pool["alignment"] != aligned.group(1):
            yield "aligned to %s" % pool["alignment"]
        within = re.search(r"within (%s)\.\.(%s)" % (NUMBER, NUMBER), rest)
        expected = [{"base": hex(number(within.group(1))),
                     "size": hex(number(within.group(2)) - number(within.group(1)))}]
        if pool["alloc_ranges"] != expected:
            yield "within %s" % pool["alloc_ranges"]
    else:
        base, size = re.search(r"(%s)\+(%s)" % (NUMBER, NUMBER), cell).groups()
        if (pool["base"], pool["size"]) != (base, size):
            yield "%s+%s" % (pool["base"], pool["size"])


def check_pools(tap, boards, rows):
    for row in rows:
        for name in matching(row["board"]):
            what = "%s: pool %s" % (name, row["pool"])
            pool = pool_of(boards[name], row["pool"])
            if not tap.check(pool is not None, what + ": is there", boards[name]["platform"]):
                continue
            found = list(pool_complaints(pool, row["pool"]))
            tap.check(not found, what, "\n".join(found))
            first = row["users"].split()[0]  # a path, or words: nobody names it
            users = [first] if first.startswith("/") else []
            tap.equal(pool["users"], users, what + ": users")
            if pool["type"] == "restricted":
                check_restricted_users(tap, boards, name, row, pool)


def check_restricted_users(tap, boards, name, row, pool):
    """Who has to use it: "every PCI function below", or one function "only"."""
    user = pool["users"][0]
    for one in boards[name]["devices"]:
        if one["kind"] not in ("pcie-host", "pci-function"):
            continue
        uses = one["path"] == user if "only" in row["users"] else one["path"].startswith(user)
        tap.equal(pool["node"] in one["pools"], uses,
                  "%s: %s has to use %s" % (name, one["path"], pool["node"]))
        status, document = ask("map", board(name), one["path"], "0x60000000+4K")
        tap.equal((status, document["results"][0].get("how")),
                  (0, "bounce" if uses else "direct"),
                  "%s: %s is mapped directly, or not" % (name, one["path"]))


# ---- interrupt messages ----

def translated(entry, requester):
    """What an entry of msi-map makes of a requester ID; None where it does not hold it."""
    masked = requester & number(entry["id_mask"])
    offset = masked - number(entry["id_base"])
    return number(entry["out_base"]) + offset if 0 <= offset < number(entry["id_count"]) else None


def host_for(boards, name, requester_cell):
    hosts = [d["path"] for d in boards[name]["devices"] if d["kind"] == "pcie-host"]
    word = re.search(r"pcie@[0-9a-f]+", requester_cell)
    return [path for path in hosts if not word or path.endswith("/" + word.group(0))]


def check_message(tap, boards, name, row):
    for path in host_for(boards, name, row["requester"]):
        what = "%s %s: %s" % (name, path, row["requester"])
        entries = boards.functions(name, path)["msi"]
        if row["target"].startswith("not stated"):
            tap.equal(entries, [], what + ": not stated")
            continue
        if row["target"].startswith("the host"):
            tap.check(all(e["controller"] == path and "doorbell" not in e for e in entries),
                      what + ": the host itself, at an address unknown yet", entries)
            continue
        tap.check(entries and all(e["controller"].endswith(row["target"]) for e in entries),
                  what + ": to " + row["target"], entries)
        for requester, out in re.findall(r"(%s) -> (%s)" % (NUMBER, NUMBER), row["requester"]):
            found = [translated(e, number(requester)) for e in entries]
            tap.check(number(out) in found, "%s: %s becomes %s" % (what, requester, out), found)
        for requester in re.findall(r"(%s): in no entry" % NUMBER, row["requester"]):
            found = [translated(e, number(requester)) for e in entries]
            tap.check(set(found) == {None}, "%s: %s is in no entry" % (what, requester), found)
        check_doorbell(tap, boards, name, path, row, entries, what)


def check_doorbell(tap, boards, name, path, row, entries, what):
    address = row["address"]
    if address.startswith("PCI"):  # by a window of its own
        pci, cpu = re.findall(NUMBER, address)
        found = boards.functions(name, path)["dma"]["windows"]
        tap.check(any((w["bus"], w["cpu"]) == (pci, cpu) for w in found),
                  what + ": " + address, found)
        return
    if "frame at" in address:  # a controller whose doorbells the tree gives no offset for
        base = sum(number(text) for text in re.findall(NUMBER, address))
        found = boards.functions(name, path)["dma"]["windows"]
        tap.check(any(number(w["cpu"]) <= base < number(w["cpu"]) + number(w["size"])
                      for w in found), what + ": " + address, found)
        return
    doorbell = re.match(NUMBER, address).group(0)
    tap.check(all(e.get("doorbell") == doorbell for e in entries), what + ": at " + address,
              entries)
    status, document = ask("why", board(name), path, doorbell + "+4")
    if row["reachable"].startswith("yes"):
        tap.check(status == 0 and document["target"]["kind"] == "doorbell",
                  what + ": reachable: " + row["reachable"], document)
    else:
        tap.check(status == 1 and document["refusal"]["code"] == "no-window",
                  what + ": reachable: " + row["reachable"], document)


# ---- findings ----

def out_of_reach(document, reach):
    usable = sum(number(bank["usable"]) for bank in document["platform"]["memory"])
    return usable - sum(number(piece["size"]) for piece in reach)


def check_findings(tap, boards, rows):
    """What `show` can say of the table of findings: how many bytes are out of whose reach."""
    functions = {name: "/pci@0,0" for name in board_names()}
    expected = {
        "rpi4-8g": [("/scb/pcie@7d500000" + functions["rpi4-8g"], 0x13c000000),
                    ("/scb/ethernet@7d580000", 0), ("/scb/gpu@7ec00000", 0)],
        "rpi4-4g": [("/soc/usb@7e980000", 0xbc000000),
                    ("/emmc2bus/mmc@7e340000", 0xbc000000),
                    ("/scb/pcie@7d500000/pci@0,0", 0x3c000000)],
        "rpi4-1g": [("/soc/usb@7e980000", 0), ("/scb/pcie@7d500000/pci@0,0", 0)],
        "rpi5": [("/axi/pcie@1000110000/pci@0,0", 0), ("/axi/pcie@1000120000/pci@0,0", 0)],
        "stingray": [("/pcie@48000000/pci@0,0", 0x800000000)],
        "stingray-windows": [("/pcie@48000000/pci@0,0", 0)],
        "rk3588": [("/pcie@fe150000/pci@0,0/nvme@0,0", 0)],
        "juno-r1": [("/pcie@40000000/pci@0,0/ethernet@0,0", 0)],
        "xgene-mustang": [("/soc/pcie@1f2b0000/pci@0,0/ethernet@0,0", 0)],
        "chromebook-asurada": [("/soc/usb@11200000", 0)],
        "restricted-endpoint": [("/pcie@8b20000/pci@0,0", 0)],
        "sopine-a64": [("/soc/deinterlace@1e00000", 0)],
        "beagle-starlight": [("/soc/ethernet@10020000", 0)],
        "imx8mp": [("/soc@0/usb@32f10108/usb@38200000", 0xc0000000),
                   ("/soc@0/bus@30800000/ethernet@30be0000", 0),
                   ("/soc@0/pcie@33800000/pci@0,0/nvme@0,0", 0)],
    }
    tap.equal(sorted(row["board"] for row in rows), sorted(expected),
              "every row of the findings is looked at")
    for row in rows:
        for path, missing in expected.get(row["board"], ()):
            document = boards[row["board"]]
            one = boards.functions(row["board"], path)
            tap.equal(hex(out_of_reach(document, one["reach"])), hex(missing),
                      "%s %s: out of reach" % (row["board"], path))


def main():
    tap = Tap()
    boards = Boards()
    found = tables()
    tap.equal(sorted(found), ["Banks, and what is taken off", "Coherence",
                              "Findings to expect (not complete)", "Interrupt messages", "Pools",
                              "Reach"], "the tables that this test reads")
    tap.equal(sorted({row["board"] for row in found["Reach"]}), board_names(),
              "every board is in the table of reach")
    check_banks(tap, boards, found["Banks, and what is taken off"])
    check_reach(tap, boards, found["Reach"])
    check_coherence(tap, boards, found["Coherence"], found["Reach"])
    check_pools(tap, boards, found["Pools"])
    for row in found["Interrupt messages"]:
        for pattern in row["board"].split(", "):
            for name in matching(pattern):
                check_message(tap, boards, name, row)
    check_findings(tap, boards, found["Findings to expect (not complete)"])
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
