#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""compare.py - does `busway show` say what the independent reference says?

    compare.py [--mask BITS] BUSWAY_BINARY FILE...

runs `BUSWAY_BINARY show --all --format json FILE` for each device tree, asks dtref.py about the same
file, and reports what differs: device by device, told apart by path. Keys that only Busway writes
are ignored. Exit status 0: no difference; 1: differences; 2: bad usage.

Numbers are compared as numbers, however they are written. Left out and null are the same, and so
are left out and empty for lists. A file that both refuse to read is no difference.
"""

import argparse
import json
import multiprocessing
import os
import re
import subprocess
import sys

import dtref

SHOWN_PER_FILE = 10
WORKERS = 2
DEFAULT_ID_MASK = 0xffffffff  # what an absent id_mask stands for
LISTS = ("outbound", "iommu", "msi", "pools", "windows", "users", "alloc_ranges", "cells",
         "memory", "compatible")  # where left out means none


def plain(value):
    """The value with every number an integer, so that 16, "0x10" and "0x010" are equal."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if isinstance(value, str) and re.fullmatch(r"0x[0-9a-fA-F_]+", value):
        return int(value, 16)
    return value


def default(key):
    """What a key stands for that Busway leaves out."""
    if key == "id_mask":
        return DEFAULT_ID_MASK
    return [] if key in LISTS else None


def differences(where, expected, found):
    """Yield (key, reference, busway) for each difference; keys of found alone do not count.

    Objects are compared key by key; lists of objects too, unless their lengths differ.
    """
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in expected:
            inner = found.get(key)
            yield from differences("%s.%s" % (where, key) if where else key, expected[key],
                                   default(key) if inner is None and expected[key] is not None
                                   else inner)
        if "error" in found and "error" not in expected and found["error"] is not None:
            yield where + ".error", None, found["error"]  # an error is always worth a word
    elif (isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found)
          and all(isinstance(item, dict) for item in expected + found)):
        for index, (one, other) in enumerate(zip(expected, found)):
            yield from differences("%s[%d]" % (where, index), one, other)
    elif expected != found or isinstance(expected, bool) != isinstance(found, bool):
        yield where, expected, found


def in_order(platform):
    """Pools and their users in an order of their own: the contract states none."""
    def place(pool):
        return pool.get("node") or "", pool.get("base") or 0, pool.get("size") or 0

    pools = platform.get("pools")
    if isinstance(pools, list):
        for pool in pools:
            pool["users"] = sorted(pool.get("users") or [])
        platform["pools"] = sorted(pools, key=place)
    return platform


def compare_documents(expected, found):
    """Yield (path, key, reference, busway)."""
    expected, found = plain(expected), plain(found)
    platform = in_order(expected["platform"])
    platform.pop("source")  # names the file, as each program was given it
    for difference in differences("platform", platform, in_order(found.get("platform") or {})):
        yield ("/",) + difference

    devices = {device.get("path"): device for device in found.get("devices") or []}
    for device in expected["devices"]:
        path = device["path"]
        if path not in devices:
            yield path, "device", "listed", "missing"
            continue
        for difference in differences("", device, devices[path]):
            yield (path,) + difference
    known = {device["path"] for device in expected["devices"]}
    for path in devices:
        if path not in known:
            yield path, "device", "missing", "listed"


def ask_busway(binary, path, mask):
    """(document, None), or (None, why there is none)."""
    masks = [] if mask == 64 else ["--mask", str(mask)]
    try:
        result = subprocess.run([binary, "show", "--all", "--format", "json"] + masks + [path],
                                capture_output=True, timeout=120)
    except subprocess.TimeoutExpired:
        return None, "busway took more than two minutes"
    if result.returncode == 2:
        return None, "refused: " + result.stderr.decode(errors="replace").strip()
    if result.returncode not in (0, 1):
        return None, "busway ended with status %d: %s" % (
            result.returncode, result.stderr.decode(errors="replace").strip()[-300:])
    try:
        return json.loads(result.stdout), None
    except ValueError as error:
        return None, "busway wrote no JSON: %s" % error


def compare_file(job):
    """Differences of one file as [(path, key, reference, busway)]."""
    binary, path, mask = job
    document, problem = ask_busway(binary, path, mask)
    try:
        expected = dtref.show(path, mask)
    except (dtref.Malformed, OSError) as error:
        if document is None and problem.startswith("refused"):
            return []
        return [("/", "file", "refused: %s" % error, problem or "read")]
    if document is None:
        return [("/", "file", "read", problem)]
    try:
        return list(compare_documents(expected, document))
    except (AttributeError, TypeError) as error:
        return [("/", "file", "busway-show/1", "JSON of another form: %s" % error)]


def as_text(value):
    """One line: addresses in hex, cut where it gets long."""
    def hexed(inner):
        if isinstance(inner, bool) or not isinstance(inner, (int, dict, list)):
            return inner
        if isinstance(inner, dict):
            return {key: hexed(item) for key, item in inner.items()}
        if isinstance(inner, list):
            return [hexed(item) for item in inner]
        return hex(inner)

    line = value if isinstance(value, str) else json.dumps(hexed(value), ensure_ascii=False)
    return line if len(line) <= 400 else line[:397] + "..."


def report(path, found):
    print("%s: %d difference%s" % (path, len(found), "" if len(found) == 1 else "s"))
    for node, key, expected, got in found[:SHOWN_PER_FILE]:
        print("  %s  %s\n    reference: %s\n    busway:    %s"
              % (node, key, as_text(expected), as_text(got)))
    if len(found) > SHOWN_PER_FILE:
        print("  ... and %d more" % (len(found) - SHOWN_PER_FILE))


def main():
    parser = argparse.ArgumentParser(description="compare `busway show` with the reference")
    parser.add_argument("busway", metavar="BUSWAY_BINARY")
    parser.add_argument("files", metavar="FILE", nargs="+")
    parser.add_argument("--mask", metavar="BITS", type=dtref.mask_bits, default=64,
                        help="give both programs this mask (default 64)")
    options = parser.parse_args()
    if not os.access(options.busway, os.X_OK):
        parser.error("%s cannot be run" % options.busway)

    jobs = [(os.path.abspath(options.busway), path, options.mask) for path in options.files]
    different = total = 0
    progress = sys.stderr.isatty()
    with multiprocessing.Pool(WORKERS) as pool:
        for done, (path, found) in enumerate(
                zip(options.files, pool.imap(compare_file, jobs)), start=1):
            if progress:
                print("\r\033[K%d of %d files, %d differ" % (done, len(jobs), different + bool(found)),
                      end="", file=sys.stderr, flush=True)
            if found:
                if progress:
                    print("\r\033[K", end="", file=sys.stderr, flush=True)
                report(path, found)
                sys.stdout.flush()
                different += 1
                total += len(found)
    if progress:
        print("\r\033[K", end="", file=sys.stderr, flush=True)
    if different:
        print("%d of %d files differ, %d differences in all" % (different, len(jobs), total))
    else:
        print("%d file%s: no difference" % (len(jobs), "" if len(jobs) == 1 else "s"))
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
