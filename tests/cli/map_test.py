#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""map_test.py - `busway map`: an address for memory, or the reason why there is none."""

import sys

from support import MAP, Tap, ask, board, mismatches, run, tree

USB = "/soc/usb@7e980000"
HOST = "pcie@7d500000"


def one(tap, what, platform, device, phys, *options):
    """The only result; checks the shape, the range that is repeated, and the exit status."""
    status, document = ask("map", platform, device, phys, *options)
    found = list(mismatches(document, MAP))
    tap.check(not found, what + ": as the contract has it", "\n".join(found))
    result = document["results"][0]
    tap.equal(status, 0 if result["ok"] else 1, what + ": the exit status agrees")
    return result


def direct(tap, what, platform, device, phys, expected, *options):
    result = one(tap, what, platform, device, phys, *options)
    tap.check(result["ok"] and result["how"] == "direct", what + ": direct", result)
    tap.equal([(s["dma"], s["size"]) for s in result.get("segments", [])], expected, what)


def refused(tap, what, platform, device, phys, code, *options):
    result = one(tap, what, platform, device, phys, *options)
    tap.equal(result.get("refusal", {}).get("code"), code, what)
    return result.get("refusal")


def check_answers(tap):
    direct(tap, "through a window at an offset", board("rpi4-8g"), USB, "0x1000+0x1000",
           [("0xc0001000", "0x1000")])
    direct(tap, "without a table, 1:1", board("rpi4-8g"), "gpu@7ec00000", "0x180000000+0x1000",
           [("0x180000000", "0x1000")])
    direct(tap, "two banks side by side are one segment", board("rpi5"),
           "/axi/dma@1000010600", "0xffff_f000+0x2000", [("0xfffff000", "0x2000")])
    direct(tap, "a function that the tree does not list", board("rpi4-8g"),
           HOST + ":01:00.0", "0x1000+0x1000", [("0x1000", "0x1000")])
    direct(tap, "a window that is moved twice", tree("translate"),
           "/three-levels/middle/inner/dev", "0x80110000+0x1000", [("0xff00000000", "0x1000")])
    direct(tap, "two windows give two segments", tree("translate"), "/overlap/dev",
           "0x9000_0000+0x1000", [("0x0", "0x1000")])
    direct(tap, "of two addresses the one of the first entry", tree("translate"), "/alias/dev",
           "0x80000000+0x1000", [("0x0", "0x1000")])

    refused(tap, "no window", board("rpi4-8g"), USB, "0x40000000+0x1000", "no-window")
    refused(tap, "the mask", board("rpi4-8g"), "gpu@7ec00000", "0x180000000+0x1000",
            "beyond-mask", "--mask", "32")
    refused(tap, "no memory", board("rpi4-8g"), "gpu@7ec00000", "0x3b400000+0x1000", "no-memory")
    refused(tap, "a carve-out", tree("reserved"), "/plain", "0x81000000+0x1000", "reserved")
    refused(tap, "an aperture", tree("hosts"), "/soc/pcie@20000000", "0x30000000+0x1000",
            "aperture")
    refused(tap, "behind an IOMMU", tree("maps"), "/one", "0x80000000+0x1000", "behind-iommu")
    refused(tap, "nothing translates", tree("translate"), "/upper/wholly-outside/dev",
            "0x80000000+0x1000", "untranslatable")
    refused(tap, "all of it, or nothing", board("rpi4-8g"), USB, "0x3b3ff000+0x2000", "no-memory")


def bounced(tap, what, platform, device, phys, pool, *arguments):
    """One address, all of it inside the pool (first and last)."""
    status, document = ask("map", platform, device, phys, *arguments)
    result = document["results"][0]
    segment = (result.get("segments") or [{"dma": "0x0", "size": "0x0"}])[0]
    first, size = int(segment["dma"], 0), int(segment["size"], 0)
    tap.check(status == 0 and result["how"] == "bounce" and len(result["segments"]) == 1 and
              size == int(result["size"], 0) and pool[0] <= first and first + size - 1 <= pool[1],
              what, document)


def check_restricted(tap):
    """A device with a restricted pool is never mapped directly, not even in the pool."""
    wifi = "/soc/pcie@11230000/pcie@0,0/wifi@0,0"
    pool = (0xc0000000, 0xc3ffffff)
    for what, device, phys in (("ordinary memory", wifi, "0x60000000+0x1000"),
                               ("memory of the pool", wifi, "0xc0000000+0x1000"),
                               ("more than 256 KiB", wifi, "0x60000000+1M"),
                               ("all that the pool holds", wifi, "0x60000000+64M"),
                               ("what the host gets itself", "pcie@11230000", "0x60000000+4K")):
        bounced(tap, "restricted: " + what, board("chromebook-asurada"), device, phys, pool)
    refused(tap, "restricted: more than the pool holds", board("chromebook-asurada"), wifi,
            "0x60000000+0x4000001", "pool-too-small")
    refused(tap, "restricted: the pool is beyond the mask", board("chromebook-asurada"), wifi,
            "0x60000000+4K", "empty-reach", "--mask", "31")
    refused(tap, "restricted: what is no memory is not copied", board("chromebook-asurada"), wifi,
            "0x10000000+4K", "restricted-pool")
    function = "/pcie@8b20000/pci@0,0/pci-ep@0,0"
    bounced(tap, "restricted: the function's own pool", board("restricted-endpoint"), function,
            "0x50000000+4K", (0x4a000000, 0x4c3fffff))
    direct(tap, "the port above it has no pool", board("restricted-endpoint"),
           "/pcie@8b20000/pci@0,0", "0x50000000+4K", [("0x50000000", "0x1000")])
    direct(tap, "nor has another function", board("restricted-endpoint"), "pcie@8b20000:02:00.0",
           "0x50000000+4K", [("0x50000000", "0x1000")])
    refused(tap, "an IOMMU hides the pool, not the refusal", tree("reserved"), "/translated-user",
            "0x90000000+4K", "behind-iommu")


def check_iommu(tap):
    """Which functions are translated depends on their requester IDs."""
    host = "/pcie@10000000"
    refused(tap, "a requester of the map", tree("maps"), host + ":00:00.0", "0x80000000+4K",
            "behind-iommu")
    direct(tap, "a requester of no entry goes around", tree("maps"), host + ":03:00.0",
           "0x80000000+4K", [("0x80000000", "0x1000")])
    direct(tap, "an IOMMU that is off translates nothing", tree("maps"), host + ":01:00.0",
           "0x80000000+4K", [("0x80000000", "0x1000")])
    direct(tap, "--bypass-iommu", tree("maps"), "/one", "0x80000000+4K",
           [("0x80000000", "0x1000")], "--bypass-iommu")


def check_ranges(tap):
    same = ["0x1000+0x1000", "0x1000-0x1fff", "4096+4096", "4K+4K", "4_096+0x1_000", "0x001000+4k",
            "0X1000+0x1000", "4K-8191"]
    status, document = ask("map", board("rpi4-8g"), USB, *same)
    tap.equal([(r["phys"], r["size"]) for r in document["results"]],
              [("0x1000", "0x1000")] * len(same), "one range in several spellings")
    tap.equal(status, 0, "all of them are mapped")

    status, document = ask("map", board("rpi4-8g"), USB, "0x2000+1", "0x40000000+1", "0x1000+1")
    tap.equal([(r["phys"], r["ok"]) for r in document["results"]],
              [("0x2000", True), ("0x40000000", False), ("0x1000", True)],
              "a result for each range, in their order")
    tap.equal(status, 1, "one refusal is a no")

    whole = one(tap, "2^64 bytes", tree("no-memory"), "/dev", "0-0xffffffffffffffff")
    tap.equal(whole["segments"], [{"dma": "0x0", "size": "0x10000000000000000"}],
              "a size of 2^64")
    for spelled in ("0+0x10000000000000000", "0+18446744073709551616", "0x0+16777216T"):
        tap.equal(one(tap, spelled, tree("no-memory"), "/dev", spelled)["size"],
                  "0x10000000000000000", "2^64 as " + spelled)

    bad = ["0x1000", "0x1000+0", "0x2000-0x1fff", "0xffffffffffffffff+2", "+4K", "4K+", "x+1",
           "0x+1", "0x1000+0x", "08+1", "1__0+1", "_1+1", "1_+1", "1K_+1", "1KK+1", "-1+1", "1+-1",
           "010000+4k", "0_10000+1", "00+1", "0_0+1", "1+010", "0x1000-017", "0_+1", "00x10+1",
           "1.5G+1", "", " 1+1", "1 +1", "0x10000000000000000+1",
           "1+0x10000000000000000", "0-0x10000000000000000", "0+0x10000000000000001",
           "0x1000+0x1000+1", "99999999999999999999999+1", "17179869184G+1"]
    for text in bad:
        result = run("map", board("rpi4-8g"), USB, "--", text)
        tap.check(result.status == 2 and not result.out and result.err, "no range: '%s'" % text,
                  result)
    for text, hints in (("017+1", True), ("0_17+1", True), ("1+017", True), ("0x17-0_1", True),
                        ("0+0", False), ("0x017+", False), ("10-00x", True), ("", False)):
        result = run("map", board("rpi4-8g"), USB, "--", text)
        tap.check(("octal" in result.err) == hints, "'%s': a remark on octal, or none" % text,
                  result)
    zero = one(tap, "0", tree("no-memory"), "/dev", "0-0K")
    tap.equal((zero["phys"], zero["size"]), ("0x0", "0x1"), "a 0 alone is a number")
    result = run("map", board("rpi4-8g"), USB, "0x1000+1", "nonsense")
    tap.check(result.status == 2 and not result.out, "one bad range: nothing is answered", result)


def check_limits(tap):
    direct(tap, "--max-segment", board("rpi4-8g"), USB, "0x1000+0x2800",
           [("0xc0001000", "0x1000"), ("0xc0002000", "0x1000"), ("0xc0003000", "0x800")],
           "--max-segment", "4K")
    direct(tap, "--boundary", board("rpi4-8g"), USB, "0xf000+0x2000",
           [("0xc000f000", "0x1000"), ("0xc0010000", "0x1000")], "--boundary", "64K")
    refused(tap, "--max-segments", board("rpi4-8g"), USB, "0x1000+0x2800", "segment-limits",
            "--max-segment", "4K", "--max-segments", "2")


def check_masks(tap):
    """Linux accepts a mask of 32 bits or more, whatever can be reached with it."""
    for bits in (12, 32, 33, 34, 36):
        refusal = refused(tap, "RAM from bus address 2^36: a mask of %d" % bits, board("rpi5"),
                          "/axi/pcie@1000110000/pci@0,0/nvme@0,0", "0x40000000+4K", "beyond-mask",
                          "--mask", str(bits))
        tap.check(refusal and refusal["advice"], "a mask of %d: what would help is told" % bits,
                  refusal)
    for bits in (37, 40, 64):
        direct(tap, "a mask of %d" % bits, board("rpi5"), "/axi/pcie@1000110000/pci@0,0/nvme@0,0",
               "0x40000000+4K", [("0x1040000000", "0x1000")], "--mask", str(bits))


def check_text(tap):
    result = run("map", board("rpi4-8g"), USB, "0x1000+0x1000", "0x40000000+0x1000")
    tap.check(result.status == 1 and "direct, dma 0xc0001000..0xc0001fff" in result.out and
              "no-window" in result.out, "text tells both", result)


def main():
    tap = Tap()
    check_answers(tap)
    check_restricted(tap)
    check_iommu(tap)
    check_ranges(tap)
    check_limits(tap)
    check_masks(tap)
    check_text(tap)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
