#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""why_test.py - `busway why`: one access, hop by hop."""

import sys

from support import WHY, Tap, ask, board, mismatches, run, tree

NVME = "/axi/pcie@1000110000/pci@0,0/nvme@0,0"


def follow(tap, what, platform, device, address, *options):
    status, document = ask("why", platform, device, address, *options)
    found = list(mismatches(document, WHY))
    tap.check(not found, what + ": as the contract has it", "\n".join(found))
    ok = document["ok"]
    tap.equal(status, 0 if ok else 1, what + ": the exit status agrees")
    tap.check((document["target"] is not None) == ok and (document["refusal"] is None) == ok,
              what + ": a target or a refusal", document)
    return document


def lands(tap, what, platform, device, address, node, *options):
    document = follow(tap, what, platform, device, address, *options)
    tap.equal((document["target"] or {}).get("node"), node, what)
    return document


def stops(tap, what, platform, device, address, code, *options):
    document = follow(tap, what, platform, device, address, *options)
    tap.equal((document["refusal"] or {}).get("code"), code, what)
    return document


def check_ways(tap):
    document = lands(tap, "two levels of windows", board("rpi5"),
                     "/axi/pcie@1000120000/pci@0,0/dev@0,0/pci-ep-bus@1/usb@40200000",
                     "0x10_4000_0000+0x1000", "/memory@0")
    tap.equal([(h["space"].rsplit("/", 1)[-1], h["first"], h["last"]) for h in document["hops"]],
              [("pci-ep-bus@1", "0x1040000000", "0x1040000fff"),
               ("pcie@1000120000", "0x1040000000", "0x1040000fff"),
               ("axi", "0x40000000", "0x40000fff"),
               ("cpu", "0x40000000", "0x40000fff")], "the hops, with what is asked of each")
    tap.equal((document["address"], document["size"]), ("0x1040000000", "0x1000"),
              "what was asked is repeated")
    tap.equal(document["hops"][0]["via"],
              "/axi/pcie@1000120000/pci@0,0/dev@0,0/pci-ep-bus@1#0", "the window it leaves by")

    lands(tap, "no table", board("rpi4-8g"), "gpu@7ec00000", "0x1000", "/memory@0")
    one_byte = lands(tap, "an address alone is one byte", board("rpi4-8g"), "gpu@7ec00000",
                     "0xffff", "/memory@0")
    tap.equal(one_byte["size"], "0x1", "one byte has size 0x1")
    aperture = follow(tap, "an aperture", tree("hosts"), "/soc/pcie@20000000/fn@0,0", "0x30000000")
    tap.check(not aperture["ok"] or aperture["target"]["kind"] == "aperture",
              "an aperture is not taken for memory", aperture)
    doorbell = lands(tap, "a doorbell", tree("maps"), "/one", "0x8090040+4",
                     "/gic@8000000/its@80000")
    tap.equal(doorbell["target"]["kind"], "doorbell", "is told as such")
    unknown = lands(tap, "memory that is not stated", tree("no-memory"), "/bus/dev", "0x0",
                    "(memory not stated)")
    tap.equal(unknown["target"]["kind"], "unknown", "is told as unknown")

    stops(tap, "no window", board("rpi4-8g"), "mmc@7e340000", "0x1000", "no-window")
    stops(tap, "the mask", board("rpi5"), NVME, "0x1040000000", "beyond-mask", "--mask", "32")
    stops(tap, "a carve-out", tree("reserved"), "/plain", "0x81000000", "reserved")
    through = follow(tap, "through a bridge without a table", board("restricted-endpoint"),
                     "/pcie@8b20000", "0x80000000")
    tap.equal([hop["via"] for hop in through["hops"]][0], "/pcie@8b20000",
              "a bridge without a table has no entry to name")
    stops(tap, "nothing there", board("rpi4-8g"), "gpu@7ec00000", "0xfc000000", "no-memory")
    stopped = stops(tap, "stopped one level up", tree("translate"), "/upper/wholly-outside/dev",
                    "0x0", "no-window")
    tap.equal(stopped["refusal"]["hop"], "/upper", "the hop that refused is named")
    stops(tap, "a table that cannot lead anywhere", tree("root-table"), "/dev", "0x0",
          "untranslatable")
    stops(tap, "two ways", tree("translate"), "/overlap/dev", "0xf00+0x200", "straddles")
    stops(tap, "a doorbell cannot be read", tree("maps"), "/one", "0x8090040+4", "access",
          "--access", "read")
    lands(tap, "memory can", tree("maps"), "/one", "0x80000000+4", "/memory@80000000", "--access",
          "read")


def check_hosts(tap):
    host = "/soc/pcie@10000000"
    stops(tap, "a host bridge stands for its functions", tree("hosts"), host, "0x70000000",
          "no-window")
    lands(tap, "--own: for itself", tree("hosts"), host, "0x70000000", "/memory@0", "--own")
    lands(tap, "a function of it", tree("hosts"), host + ":05:1f.7", "0x50000000", "/memory@0")
    result = run("why", board("rpi4-8g"), "gpu@7ec00000", "0x0", "--own")
    tap.check(result.status == 2 and not result.out, "--own of what is no host bridge", result)


def check_iommus(tap):
    """The remark names the IOMMU that translates this device, and so does a refusal of map."""
    host, memory = "/pcie@10000000", "0x80000000"
    for what, device, iommu in (
            ("the first entry", host + ":00:01.0", "/iommu@1000000"),
            ("a later entry", host + ":02:00.0", "/iommu@2000000"),
            ("some function", host, "/iommu@1000000"),
            ("a specifier", "/one", "/iommu@1000000")):
        text = run("why", tree("maps"), device, memory)
        tap.check("note: %s translates" % iommu in text.out, what + ": the remark", text)
        text = run("map", tree("maps"), device, memory + "+4K")
        tap.check(text.status == 1 and iommu in text.out and "behind-iommu" in text.out,
                  what + ": the refusal", text)
    for what, device in (("of an IOMMU that is off", host + ":01:00.0"),
                         ("of none", host + ":03:00.0"), ("of one that is off", "/behind-off")):
        text = run("why", tree("maps"), device, memory)
        tap.check("translates" not in text.out, what + ": no remark", text)


def check_usage(tap):
    for text in ("", "x", "0x", "0x1000+", "0x1000+0", "0x2000-0x1000", "0xffffffffffffffff+2",
                 "0x10000000000000000"):
        result = run("why", board("rpi4-8g"), "gpu@7ec00000", "--", text)
        tap.check(result.status == 2 and not result.out and result.err,
                  "no address: '%s'" % text, result)
    last = follow(tap, "the last byte", tree("no-memory"), "/dev", "0xffffffffffffffff")
    tap.check(last["ok"], "the last byte is an address", last)
    text = run("why", board("rpi4-8g"), "mmc@7e340000", "0xc000_0000+4K")
    tap.check(text.status == 0 and "0xc0000000" in text.out and "/memory@0" in text.out, "text",
              text)
    text = run("why", board("rpi4-8g"), "mmc@7e340000", "0x0+4K")
    tap.check(text.status == 1 and "no-window" in text.out, "text of a refusal", text)


def main():
    tap = Tap()
    check_ways(tap)
    check_hosts(tap)
    check_iommus(tap)
    check_usage(tap)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
