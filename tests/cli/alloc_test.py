#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""alloc_test.py - `busway alloc`: memory that several devices can all reach."""

import sys

from support import ALLOC, Tap, ask, board, mismatches, run, show, tree

MMC, USB, HOST, GPU = ("/emmc2bus/mmc@7e340000", "/soc/usb@7e980000", "/scb/pcie@7d500000",
                       "/scb/gpu@7ec00000")


def find(tap, what, platform, devices, size, *options):
    status, document = ask("alloc", platform, devices, size, *options)
    found = list(mismatches(document, ALLOC))
    tap.check(not found, what + ": as the contract has it", "\n".join(found))
    ok = document["ok"]
    tap.equal(status, 0 if ok else 1, what + ": the exit status agrees")
    tap.check((document["phys"] is not None) == ok and (document["refusal"] is None) == ok
              and all((one["dma"] is not None) == ok for one in document["devices"]),
              what + ": an address for each, or a refusal", document)
    return document


def confirm(tap, what, platform, document, *options):
    """Each device is handed the same address for that memory by `map`."""
    for one in document["devices"]:
        _status, mapped = ask("map", platform, one["path"],
                              "%s+%s" % (document["phys"], document["size"]), *options)
        result = mapped["results"][0]
        tap.equal([(s["dma"], s["size"]) for s in result.get("segments", [])],
                  [(one["dma"], document["size"])], "%s: map agrees for %s" % (what, one["path"]))


def check_answers(tap):
    platform = board("rpi4-8g")
    document = find(tap, "three views of one RAM", platform, ",".join((HOST, MMC, GPU)), "2M")
    tap.equal([one["path"] for one in document["devices"]], [HOST, MMC, GPU],
              "devices in the order asked")
    tap.equal(document["size"], "0x200000", "the size")
    confirm(tap, "three views", platform, document)

    one = find(tap, "one device", platform, GPU, "1")
    confirm(tap, "one device", platform, one)
    tap.check(int(one["phys"], 16) >= 0x1000, "not in memory that the header reserves", one)

    aligned = find(tap, "aligned", platform, ",".join((USB, GPU)), "64K", "--align", "2M")
    tap.equal(int(aligned["phys"], 16) % 0x200000, 0, "--align")
    confirm(tap, "aligned", platform, aligned)

    masked = find(tap, "masked", board("rpi5"),
                  "/axi/pcie@1000110000/pci@0,0/nvme@0,0,/axi/dma@1000010600", "1M",
                  "--coherent-mask", "40")
    confirm(tap, "masked", board("rpi5"), masked)

    too_low = find(tap, "a mask that reaches nothing", board("rpi5"),
                   "/axi/pcie@1000110000/pci@0,0/nvme@0,0", "4K", "--mask", "32")
    tap.check(not too_low["ok"], "is refused", too_low)
    too_large = find(tap, "more than they share", platform, ",".join((MMC, GPU)), "1G")
    tap.check(not too_large["ok"], "is refused, too", too_large)


def check_functions(tap):
    """PCI functions stand anywhere in the list, named in any way."""
    platform = board("rpi4-8g")
    first, second = HOST + ":01:00.0", HOST + ":02:00.0"
    for what, devices, paths in (
            ("functions by their host", (first, second), (first, second)),
            ("functions behind a device", (MMC, first, second), (MMC, first, second)),
            ("by the end of the host's path", ("pcie@7d500000:01:00.0", "pcie@7d500000:02:00.0"),
             (first, second)),
            ("by domain and bus", ("0000:01:00.0", "02:00.0", "0000:01:00.0"),
             (first, second, first)),
            ("functions and devices in turns", (first, MMC, "02:00.0", GPU),
             (first, MMC, second, GPU))):
        document = find(tap, what, platform, ",".join(devices), "4K")
        tap.equal([one["path"] for one in document["devices"]], list(paths), what)
    document = find(tap, "a host whose path has commas", tree("commas"),
                    "/pci@1,0:01:00.0,/pci@1,0/fn@0,0,/pci@1,0:02:00.0", "4K")
    tap.equal([one["path"] for one in document["devices"]],
              ["/pci@1,0:01:00.0", "/pci@1,0/fn@0,0", "/pci@1,0:02:00.0"],
              "a host whose path has commas")
    result = run("alloc", platform, MMC + ",gpu@7ec00000:01:00.0", "4K")
    tap.check(result.status == 2 and not result.out and GPU + " is no host bridge" in result.err,
              "a function of no host, in a list", result)


def check_reserved(tap):
    """What is reserved for somebody is not handed out, whether or not it is no-map."""
    platform = tree("reserved")
    document = find(tap, "beside pools", platform, "/plain", "0x80_0000", "--align", "16")
    first, size = int(document["phys"], 16), int(document["size"], 16)
    for pool in show(platform)["platform"]["pools"]:
        if pool["base"] is None or not pool["enabled"]:
            continue
        base, length = int(pool["base"], 16), int(pool["size"], 16)
        tap.check(first + size <= base or base + length <= first, "not in " + pool["node"],
                  document)
    confirm(tap, "beside pools", platform, document)


def check_restricted(tap):
    platform, wifi = board("chromebook-asurada"), "/soc/pcie@11230000/pcie@0,0/wifi@0,0"
    document = find(tap, "restricted", platform, wifi, "1M")
    if tap.check(document["ok"], "a restricted pool serves its device", document):
        tap.check(0xc0000000 <= int(document["phys"], 16) <= 0xc4000000 - 0x100000,
                  "with memory of the pool", document)
    shared = find(tap, "restricted and not", platform, wifi + ",/soc/usb@11200000", "1M")
    if tap.check(shared["ok"], "and others that reach the pool", shared):
        tap.check(0xc0000000 <= int(shared["phys"], 16) <= 0xc4000000 - 0x100000,
                  "with memory of the pool, too", shared)
    large = find(tap, "larger than the pool", platform, wifi, "65M")
    tap.check(not large["ok"], "more than the pool has is refused", large)


def check_unknown(tap):
    """Where memory is not stated, a pool with an address is memory all the same."""
    platform = tree("no-memory")
    document = find(tap, "a pool without memory", platform, "/restricted", "4K")
    tap.equal(document["phys"], "0x90000000", "serves its device")
    shared = find(tap, "and others", platform, "/restricted,/dev", "1M")
    tap.equal(shared["phys"], "0x90000000", "that reach it")
    for devices in ("/dev", "/restricted-somewhere"):
        document = find(tap, devices, platform, devices, "4K")
        tap.equal((document["refusal"] or {}).get("code"), "unknown-memory", "is refused")
    document = find(tap, "more than the pool has", platform, "/restricted", "2M")
    tap.equal((document["refusal"] or {}).get("code"), "no-room", "is refused")


def check_iommu(tap):
    document = find(tap, "behind an IOMMU", tree("maps"), "/one", "4K")
    tap.equal((document["refusal"] or {}).get("code"), "behind-iommu", "is refused")
    document = find(tap, "--bypass-iommu", tree("maps"), "/one", "4K", "--bypass-iommu")
    tap.check(document["ok"], "unless it is known to pass everything", document)


def check_limits(tap):
    """What a driver says of its lists counts as it does for `map`."""
    platform, limit = board("rpi4-8g"), ("--boundary", "64K")
    document = find(tap, "a boundary", platform, ",".join((HOST, MMC)), "64K", *limit)
    tap.equal(document["phys"], "0x10000", "no boundary is crossed")
    confirm(tap, "a boundary", platform, document, *limit)
    across = find(tap, "across each boundary", platform, GPU, "0x10001", *limit)
    tap.equal((across["refusal"] or {}).get("code"), "segment-limits", "is refused")
    fits = find(tap, "as long as a segment", platform, GPU, "4K", "--max-segment", "4K",
                "--max-segments", "1")
    tap.check(fits["ok"], "one segment", fits)
    longer = find(tap, "longer than a segment", platform, GPU, "0x1001", "--max-segment", "4K")
    tap.equal((longer["refusal"] or {}).get("code"), "segment-limits", "is refused, too")


def check_usage(tap):
    for size in ("0", "", "x", "-1", "0x10000000000000000", "4K+4K"):
        result = run("alloc", board("rpi4-8g"), GPU, "--", size)
        tap.check(result.status == 2 and not result.out and result.err, "no size: '%s'" % size,
                  result)
    for devices, words in (("", "no device"), ("nothing", "'nothing'"),
                           (GPU + ",nothing", "'nothing'"), (GPU + ",", "comma"),
                           (GPU + ",,", "comma"), ("," + GPU, "comma"), (",", "comma"),
                           (GPU + ",," + MMC, "comma"), (GPU + ",01:00.0,", "comma")):
        result = run("alloc", board("rpi4-8g"), devices, "4K")
        tap.check(result.status == 2 and not result.out and words in result.err,
                  "no devices: '%s'" % devices, result)
    result = run("alloc", board("rpi4-8g"), GPU, "4K", "--align", "3000")
    tap.check(result.status == 2 and not result.out, "--align wants a power of two", result)
    text = run("alloc", board("rpi4-8g"), GPU + "," + MMC, "4K")
    tap.check(text.status == 0 and GPU in text.out and MMC in text.out, "text", text)


def main():
    tap = Tap()
    check_answers(tap)
    check_functions(tap)
    check_reserved(tap)
    check_restricted(tap)
    check_unknown(tap)
    check_iommu(tap)
    check_limits(tap)
    check_usage(tap)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
