#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What running kernels said about peers (p2pdma_distance, p2pmem_map_sg), and what is decided here.

The recordings list functions with the bridge above each, and resources with windows; that none of
their bridges redirects is said of the machine they were made on: ACS of the root ports is 0 when
it boots with a device tree, and the switch has none. Prints TAP.
"""

import glob
import gzip
import json
import os
import subprocess
import sys

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../data/kernel-answers")
ADAPTER = os.environ["BUSWAY_ADAPTER"]

# numbers of enum busway_pci_type
CONVENTIONAL, ENDPOINT, ROOT_PORT, UPSTREAM, DOWNSTREAM = 1, 2, 5, 6, 7
TYPES = {"0x1b36:0x0008": CONVENTIONAL, "0x1b36:0x000c": ROOT_PORT,
         "0x104c:0x8232": UPSTREAM, "0x104c:0x8233": DOWNSTREAM}
MEMORY, PREFETCH = 14, 15  # resources of a bridge: what Linux calls its windows
PEER_BAR = 2


def resources(text):
    for part in filter(None, text.split(";")):
        index, span = part.split(":")
        first, last = span.split("-")
        yield int(index), int(first, 16), int(last, 16)


def bus_of(bdf):
    return int(bdf.split(":")[1], 16)


def buses_below(functions, bdf):
    """The secondary bus, and the last one below it."""
    below = [f["bdf"] for f in functions if f["parent"] == bdf]
    if not below:
        return 0xff, 0xff
    last = max([bus_of(b) for b in below] +
               [buses_below(functions, b)[1] for b in below
                if any(f["parent"] == b for f in functions)])
    return bus_of(below[0]), last


def place_of(bdf):
    _domain, bus, slot = bdf.split(":")
    device, function = slot.split(".")
    return [int(bus, 16), int(device, 16) << 3 | int(function)]


def describe(functions):
    unused = 0xfe
    for f in functions:
        kind = TYPES.get(f["id"], ENDPOINT)
        first, last = buses_below(functions, f["bdf"]) if kind >= ROOT_PORT else (0, 0)
        if first == 0xff:
            first = last = unused  # nothing is below it
            unused -= 1
        parts = list(resources(f["resource"]))
        bus, devfn = place_of(f["bdf"])
        vendor, device = (int(part, 16) for part in f["id"].split(":"))
        yield {"bus": bus, "devfn": devfn, "type": kind, "vendor": vendor, "device": device,
               "secondary": first, "subordinate": last,
               "windows": [next(([start, end] for index, start, end in parts if index == window),
                                None) for window in (MEMORY, PREFETCH)],
               "bars": [part for part in parts if part[0] < 6]}


def ask(functions, questions):
    text = json.dumps({"functions": list(describe(functions)), "questions": questions})
    done = subprocess.run([ADAPTER], input=text, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def compare(answers):
    """(what differs, how many pairs) of one recording."""
    functions = [a for a in answers if a.get("q") == "pci"]
    distances = [a for a in answers if a.get("q") == "p2pdma_distance"]
    maps = {a["dev"]: a for a in answers if a.get("q") == "p2pmem_map_sg"}
    questions = [{"initiator": place_of(d["dev"]), "target": place_of(d["peer"]),
                  "bar": PEER_BAR, "view": view}
                 for d in distances for view in ("linux", "route")]
    ours = ask(functions, questions)
    if len(ours) != len(questions):
        return ["%d answers to %d questions" % (len(ours), len(questions))], 0
    wrong = []
    for index, theirs in enumerate(distances):
        linux, route = ours[2 * index], ours[2 * index + 1]
        name = "%s -> %s" % (theirs["dev"], theirs["peer"])
        reached = theirs["distance"] >= 0
        if (linux["verdict"] != "refused") != reached or not linux["certain"] or \
                (reached and linux["distance"] != theirs["distance"]):
            wrong.append("%s: the kernel %s, Linux's rules %s" % (name, theirs["distance"], linux))
        mapped = maps[theirs["dev"]]
        if (mapped["ret"] == "OK") != reached or \
                mapped["bus_flag"] != (linux["verdict"] == "switch"):
            wrong.append("%s: the kernel mapped %s, Linux's rules %s" % (name, mapped, linux))
        # what the route carries is no more than that, and by the address that the kernel gave
        if mapped["bus_flag"] and (route["verdict"] != "switch" or not route["certain"] or
                                   route["address"] != int(mapped["dma"], 16)):
            wrong.append("%s: the kernel %s, the route %s" % (name, mapped, route))
        if not reached and route["verdict"] != "refused":
            wrong.append("%s: the kernel refuses, the route %s" % (name, route))
    return wrong, len(distances)


def main():
    recordings = sorted(glob.glob(os.path.join(FOLDER, "*.json.gz")))
    print("1..%d" % len(recordings))
    failed = not recordings
    for number, path in enumerate(recordings, 1):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            wrong, count = compare(json.load(file)["answers"])
        if not count:
            wrong.append("it has no questions about peers")
        failed = failed or bool(wrong)
        print("%s %d - %s: %d pairs" % ("not ok" if wrong else "ok", number,
                                        os.path.basename(path), count))
        for line in wrong:
            print("# " + line)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
