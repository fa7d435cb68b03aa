#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""busway.py - answers the vectors' questions with the busway command.

    run.py --adapter "adapters/busway.py [COMMAND]"

COMMAND is the command to run; without it, what the environment has as BUSWAY, or "busway". What
`show` prints is asked once for each tree; addresses are asked of `why` and `map`.
"""

import functools
import json
import os
import subprocess
import sys

BUSWAY = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("BUSWAY", "busway")


class Unsupported(Exception):
    """The command does not tell that."""


def ask(*arguments):
    done = subprocess.run([BUSWAY, *arguments, "--format", "json"], capture_output=True,
                          timeout=50, text=True, encoding="utf-8")
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stderr.strip())
    return json.loads(done.stdout)


@functools.lru_cache(maxsize=1)
def shown(dtb):
    document = ask("show", "--all", dtb)
    return document["platform"], {device["path"]: device for device in document["devices"]}


def picked(items, *keys):
    return [{key: item[key] for key in keys} for item in items]


def number(text):
    return int(text, 16)


# ---- who answers: the functions of a host bridge, or the bridge itself ----

def view(device, question):
    if question.get("as") != "bridge":
        return device
    return {**device, **device["own"]}


def windows(device):
    dma = device["dma"]
    return {"restricted": dma["restricted"], "windows": picked(dma["windows"], "bus", "cpu", "size")}


# ---- addresses ----

# The command tells why no window leads anywhere; the vectors do not.
CLASSES = {"untranslatable": "no-window", "pool-rejected": "restricted-pool",
           "empty-reach": "restricted-pool", "pool-too-small": "restricted-pool"}

# A refusal of the CPU's own space: the address got there, and what is there is another question.
ARRIVED = ("reserved", "no-memory", "unknown-memory", "access")


def translate(dtb, path, question):
    found = ask("why", dtb, path, "%s+%s" % (question["address"], question.get("size", "0x1")))
    refusal = found["refusal"]
    if refusal and not (refusal["hop"] == "cpu" and refusal["code"] in ARRIVED):
        return {"refused": CLASSES.get(refusal["code"], refusal["code"])}
    return {"cpu": next(hop["first"] for hop in found["hops"] if hop["space"] == "cpu")}


def for_phys(dtb, path, question):
    mask = ["--mask", str(question["mask"])] if "mask" in question else []
    result = ask("map", *mask, dtb, path,
                 "%s+%s" % (question["address"], question.get("size", "0x1")))["results"][0]
    if not result["ok"]:
        code = result["refusal"]["code"]
        return {"refused": CLASSES.get(code, code)}
    if result["how"] == "bounce":
        return {"refused": "restricted-pool"}  # the address is one of the pool's
    if len(result["segments"]) > 1:
        return {"refused": "straddles"}
    return {"dma": result["segments"][0]["dma"]}


# ---- controllers ----

def looked_up(maps, requester, name):
    """An ID in a map, as Linux looks it up."""
    for entry in maps:
        base, mask = number(entry["id_base"]), number(entry["id_mask"])
        if base & ~mask:
            return {"error": "base-outside-mask"}
        offset = (requester & mask) - base
        if 0 <= offset < number(entry["id_count"]):
            if not entry["enabled"]:
                break
            return {"controller": entry[name], "id": hex(number(entry["out_base"]) + offset)}
    return {"controller": None, "id": None}


def controllers(maps, question, name):
    if "requester" in question:
        return looked_up(maps, number(question["requester"]), name)
    return {"specifiers": [{"controller": entry[name], "cells": entry["cells"]}
                           for entry in maps if entry["enabled"]]}


# ---- memory ----

def pool(platform, path):
    found = next(one for one in platform["pools"] if one["node"] == path)
    return {"type": found["type"], "accepted": found["valid"], "base": found["base"],
            "size": found["size"]}


def placement(platform, path):
    found = next(one for one in platform["pools"] if one["node"] == path)
    return {key: found[key] for key in ("size", "alignment", "alloc_ranges")}


def restricted_pool(platform, device):
    usable = {one["node"] for one in platform["pools"]
              if one["type"] == "restricted" and one["enabled"]}
    if any(note["code"] == "restricted-pool-behind-iommu" for note in device["notes"]):
        usable = set()
    return {"pool": next((path for path in device["pools"] if path in usable), None)}


def answer(dtb, path, question):
    platform, devices = shown(dtb)
    operation = question["op"]
    if operation == "memory":
        return {"banks": picked(platform["memory"], "base", "size") or None}
    if operation == "pool":
        return pool(platform, path)
    if operation == "pool-placement":
        return placement(platform, path)
    if operation in ("translate-dma", "dma-for-phys") and question.get("as") == "bridge":
        raise Unsupported("the command follows no single access of a bridge itself")
    if operation == "translate-dma":
        return translate(dtb, path, question)
    if operation == "dma-for-phys":
        return for_phys(dtb, path, question)

    device = view(devices[path], question)
    if operation == "effective-windows":
        return windows(device)
    if operation == "table":
        return {"table": device["dma"]["source"]}
    if operation == "limit":
        return {"bus_limit": device["dma"]["bus_limit"]}
    if operation == "coherence":
        return {"coherence": device["coherence"]}
    if operation == "enabled":
        return {"enabled": device["enabled"]}
    if operation == "reach":
        reach = device["reach"]
        return {"reach": reach if reach is None else picked(reach, "dma", "cpu", "size")}
    if operation == "outbound":
        return {"outbound": picked(device["outbound"], "kind", "bus", "cpu", "size")}
    if operation == "memory-regions":
        return {"regions": device["pools"]}
    if operation == "restricted-pool":
        return restricted_pool(platform, device)
    if operation == "iommu":
        return controllers(device["iommu"], question, "node")
    if operation == "msi":
        return controllers(device["msi"], question, "controller")
    if operation == "doorbell":
        return {"doorbell": device["msi"][0].get("doorbell")}
    if operation == "iova" and "iova" in device:
        return {"allowed": device["iova"]["allowed"]}
    raise Unsupported("the command does not tell this")


def main():
    for line in sys.stdin:
        asked = json.loads(line)
        reply = {"id": asked["id"]}
        try:
            reply["answer"] = answer(asked["dtb"], asked["device"], asked["question"])
        except Unsupported as why:
            reply["unsupported"] = str(why)
        except (RuntimeError, KeyError, StopIteration, ValueError) as error:
            reply["error"] = repr(error)
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
