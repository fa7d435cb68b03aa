#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""sim_test.py - busway sim: random and scripted work on the simulated machines of boards.

The machine follows each access by code of its own and checks every byte, so a run without violation
is a statement about the library; scripts commit mistakes, to see that they are told.
"""

import os
import re
import sys
import tempfile

from support import ROOT, Tap, ask, board, board_names, run

STEPS = "4000"


def device(document, path):
    return next(d for d in document["devices"] if d["path"] == path)


def total(document, key):
    return sum(d[key] for d in document["devices"] if d["attached"])


def check_boards(tap):
    """Nobody is ever given a wrong address, on any board, under any mask."""
    for name in board_names():
        for mask in ("64", "32"):
            status, document = ask("sim", board(name), "--count", STEPS, "--seed", "7",
                                   "--mask", mask)
            what = "%s with a %s-bit mask" % (name, mask)
            attached = any(d["attached"] for d in document["devices"])
            tap.equal((status, document["violation_count"], total(document, "wrong_bytes")),
                      (0 if attached else 1, 0, 0),
                      what + ": no violation, and every byte where it should be")
            served = sum(total(document, way) for way in ("direct", "bounce", "iommu"))
            tap.check(served > 0 or not attached, what + ": something was mapped", document)
            tap.equal(document["steps"], int(STEPS) if attached else 0,
                      what + ": all steps were done, unless nobody takes part")


def check_shipped(tap):
    """The same on trees that distributions ship, where they are there."""
    folder = next((f for f in (os.path.join(top, "dtb") for top in (
        os.environ.get("BUSWAY_TEST_DATA") or "", os.path.join(ROOT, "..", "shared", "data")))
                   if os.path.isdir(f)), None)
    names = sorted(n for n in os.listdir(folder) if n.endswith(".dtb")) if folder else []
    if not names:
        tap.skip("shipped trees", "they are not here: set BUSWAY_TEST_DATA to the folder above dtb/")
    for name in names:
        for mask in ("64", "32"):
            arguments = ["sim", os.path.join(folder, name), "--count", "2000", "--mask", mask]
            result = run(*arguments, "--format", "json")
            if result.status == 2 and "--memory" in result.err:
                result = run(*arguments, "--memory", "0x40000000+1G", "--memory",
                             "0x2_0000_0000+2G", "--format", "json")
            document = result.json() if result.status in (0, 1) else {}
            nobody = not any(d["attached"] for d in document.get("devices", []))
            tap.check(result.status == (1 if nobody else 0) and
                      document["violation_count"] == 0 and
                      total(document, "wrong_bytes") == 0,
                      "%s with a %s-bit mask: no violation" % (name, mask), result)


def check_ways(tap):
    """Each of the five boards of the debates is served as it has to be."""
    _status, document = ask("sim", board("chromebook-asurada"), "wifi@0,0", "--count", STEPS)
    wifi = document["devices"][0]
    tap.check(wifi["direct"] == 0 and wifi["bounce"] > 100 and wifi["coherent"] > 10,
              "the Chromebook's Wi-Fi gets nothing but its pool", wifi)
    pool = next(p for p in document["pools"] if p["node"])
    tap.check(pool["base"] == "0xc0000000" and int(pool["high_water"], 0) > 0,
              "the pool at 0xc0000000 is what it gets", pool)

    _status, document = ask("sim", board("restricted-endpoint"), "--count", STEPS)
    used = {p["base"]: p for p in document["pools"] if p["node"]}
    tap.check("0x4a000000" in used and used["0x4a000000"]["size"] == "0x2400000" and
              int(used["0x4a000000"]["high_water"], 0) > 0,
              "the endpoint two levels below its bridge uses the pool at 0x4a000000", used)

    for name, bounces in (("rpi4-1g", False), ("rpi4-4g", True), ("rpi4-8g", True)):
        _status, document = ask("sim", board(name), "pcie@7d500000", "--count", STEPS,
                                "--default-coherent")
        pcie = document["devices"][0]
        tap.check((pcie["bounce"] > 0) == bounces and pcie["direct"] > 0,
                  "%s: PCIe %s" % (name, "bounces what lies above 3 GiB" if bounces else
                                   "reaches all of its memory"), pcie)
        tap.check((pcie["mixed"] > 0) == bounces, name + ": and so do parts of lists", pcie)

    _status, document = ask("sim", board("stingray"), "pcie@48000000", "--count", STEPS,
                            "--default-coherent", "--mask", "39")
    pcie = document["devices"][0]
    tap.check(pcie["direct"] > 0 and pcie["bounce"] > 0 and pcie["limited"],
              "Stingray: a 39-bit mask bounces what lies above 512 GiB", pcie)
    _status, document = ask("sim", board("stingray"), "pcie@48000000", "--count", STEPS,
                            "--default-coherent", "--mask", "39", "--pool", "0")
    pcie = document["devices"][0]
    tap.check(pcie["bounce"] == 0 and pcie["refused"].get("no-window", 0) > 0,
              "Stingray: without a pool that is refused", pcie)


def check_seeds(tap):
    runs = [run("sim", board("rpi4-8g"), "--count", "2000", "--seed", seed, "--format", "json")
            for seed in ("1", "1", "2")]
    tap.equal(runs[0].out, runs[1].out, "the same seed gives the same run")
    tap.check(runs[0].out != runs[2].out, "another seed gives another one")
    text = run("sim", board("rpi4-8g"), "--count", "100")
    tap.check(text.status == 0 and "no violation" in text.out and not text.err,
              "the summary for people, without progress where nobody looks", text)


def script(tap, what, text, *arguments, status=0, words=(), codes=None):
    """Run a script on the Raspberry Pi 4 with 8 GiB."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(text)
        file.flush()
        result = run("sim", board("rpi4-8g"), "pcie@7d500000", "--script", file.name, *arguments)
        tap.check(result.status == status and all(w in result.out + result.err for w in words),
                  what, result)
        if codes is not None:
            document = run("sim", board("rpi4-8g"), "pcie@7d500000", "--script", file.name,
                           *arguments, "--format", "json").json()
            tap.equal([v["code"] for v in document["violations"]], codes, what + ": codes")


DEVICE = "pcie@7d500000"


def check_scripts(tap):
    script(tap, "a right script", f"""
map a {DEVICE} to 4096    # in memory that is free
device a read
unmap a
map b {DEVICE} both 0x1_8000_0000+4K
device b fill 7
sync b cpu
check b 7
unmap b
alloc r {DEVICE} 4096
device r fill 9
check r 9
free r
""", words=("to 4096: direct, dma", "bounce (no-window), dma", "as expected", "no violation"), codes=[])
    script(tap, "a refusal is no violation",
           f"map a {DEVICE} to 0x1_8000_0000+4K\n", "--pool", "0",
           words=("refused as no-window",), codes=[])
    script(tap, "unmapped twice", f"map a {DEVICE} to 4096\nunmap a\nunmap a\n", status=1,
           words=("misuse",), codes=["unmapped-twice"])
    script(tap, "a device that goes on after unmapping",
           f"map a {DEVICE} from 0x1000_0000+4K\nunmap a\naccess {DEVICE} write 0x1000_0010+4\n",
           status=1, words=("not mapped any more",), codes=["after-unmap"])
    script(tap, "coherent memory that is unmapped, a sync of nothing, and a leak",
           f"alloc r {DEVICE} 4096\nunmap r\nsync r cpu\n", status=1,
           words=("misuse", "end: r is left live: a leak", "3 mistakes of the script"), codes=[])
    script(tap, "a device beside what was mapped",
           f"map a {DEVICE} from 0x1000_0000+4K\naccess {DEVICE} write 0x1000_1000+4\nunmap a\n",
           status=1, codes=["outside"])
    script(tap, "a device against the direction",
           f"map a {DEVICE} to 0x1000_0000+4K\ndevice a write\nunmap a\n", status=1,
           codes=["wrote"])
    script(tap, "a device where no window is",
           f"access {DEVICE} read 0x40_0000_0000+4\n", status=1, codes=["no-window"])
    script(tap, "a mask under a live mapping",
           f"map a {DEVICE} to 0x8000_0000+4K\nmask {DEVICE} 31\nunmap a\nmask {DEVICE} 31\n",
           status=1, words=("refused as live-mapping",), codes=["mask-live"])
    script(tap, "the CPU looks without a sync",
           f"map a {DEVICE} from 0x1000_0000+4K\ndevice a fill 3\ncheck a 3\nunmap a\n",
           status=1)


def check_lists(tap):
    """Lists, parts, attributes: bytes go where they should, and mistakes are told."""
    above = "0x1_8000_0000+4K"
    script(tap, "a list that is direct in part", f"""
map-list l {DEVICE} both 0x1000_0000+4K {above} 8192
sync l cpu
fill l 3
sync l device
device l verify 3
device l fill 4
sync l cpu 0+16K
check l 4
unmap-list l 3
""", words=("mixed (no-window), dma 0x10000000, and 2 more segments", "1 in part", "no violation"),
           codes=[])
    script(tap, "a list that is not unmapped with all its entries",
           f"map-list l {DEVICE} to 4K 0x1_8000_0000+4K\nunmap-list l 1\nunmap l\n", status=1,
           codes=["wrong-count"])
    script(tap, "a sync of a part gets that part", f"""
map b {DEVICE} from {above}
device b fill 7
sync b cpu 0+2K
sync b cpu 2K+2K
check b 7
unmap b
""", words=("as expected", "no violation"), codes=[])
    script(tap, "a sync of one byte less than all",
           f"map b {DEVICE} from {above}\ndevice b fill 7\nsync b cpu 0+4095\ncheck b 7\nunmap b\n",
           status=1, words=("check b 7: other bytes", "1 time other bytes"))
    script(tap, "a sync behind the end",
           f"map b {DEVICE} from 4K\nsync b cpu 4095+2\nunmap b\n", status=1,
           codes=["sync-outside"])
    script(tap, "no-bounce is refused instead", f"map b {DEVICE} from {above} no-bounce\n",
           words=("refused as no-window", "0 direct, 0 bounced"), codes=[])
    script(tap, "what overwrites comes back, and skip-sync copies nothing", f"""
map a {DEVICE} from {above} overwrites
device a fill 5
unmap a
check a 5
map b {DEVICE} from {above} skip-sync
device b fill 6
unmap b
check b 5
""", status=1, words=("check a 5: as expected", "check b 5: as expected"), codes=["no-sync-for-cpu"])
    script(tap, "lines that are owned need no bounce",
           f"map a {DEVICE} from 0x1000_0001+4K\nunmap a\n"
           f"map b {DEVICE} from 0x1000_0001+4K owns-lines\nunmap b\n",
           words=("1: map a pcie@7d500000 from 0x1000_0001+4K: bounce (cache-line)", "owns-lines: direct"),
           codes=[])
    script(tap, "a name is used again with other memory",
           f"map a {DEVICE} to 0x1000_0000+4K\nunmap a\nmap a {DEVICE} to 0x1100_0000+4K\nunmap a\n",
           words=("dma 0x10000000", "dma 0x11000000"), codes=[])
    # all memory from 1 GiB on; then as much as is nowhere else
    most = "0x4000_0000+7G"
    script(tap, "what was refused keeps none of its memory",
           f"map a {DEVICE} to {most} no-bounce\nmap b {DEVICE} to 1G\nunmap b\nfill a 1\n", "--pool", "0",
           status=1, words=(f"to {most} no-bounce: refused as", "to 1G: direct, dma 0x40000000",
                            "fill a 1: it has no memory"), codes=[])
    script(tap, "a name that gets other memory keeps none of its own",
           f"map a {DEVICE} to 0x4000_0000+2G\nmap b {DEVICE} to 1G\nunmap a\n"
           f"map a {DEVICE} to 4K\nunmap a\nmap b {DEVICE} to 1G\nunmap b\n", "--pool", "0",
           words=("2: map b " + DEVICE + " to 1G: refused as", "6: map b " + DEVICE + " to 1G: direct, dma 0x40000000",), codes=[])


def check_coherent(tap):
    script(tap, "blocks", f"""
blocks b {DEVICE} 64
take x b
take y b atomic
fill x 1
device x verify 1
device y fill 2
check y 2
give x
give y
free b
alloc r {DEVICE} 8K atomic
free r
""", words=("no violation", "3 coherent"), codes=[])
    script(tap, "a block that is given twice, and blocks that are freed too early",
           f"blocks b {DEVICE} 64\ntake x b\ntake y b\ngive x\ngive x\nfree b\n", status=1,
           words=("free b: blocks of it are out", "end: y is left out: a leak", "2 mistakes"),
           codes=["unmapped-twice"])
    script(tap, "blocks that begin where nothing does",
           f"alloc r {DEVICE} 4K\nfree r\nfree r\n", status=1, codes=["unmapped-twice"])


def check_waiting(tap):
    script(tap, "who waits is mapped when its turn comes", f"""
map-or-wait p {DEVICE} from 0x1_8000_0000+3M
map-or-wait q {DEVICE} from 0x1_9000_0000+3M
unmap p
device q fill 3
unmap q
check q 3
""", words=("waits (pool-full)", "4: unmap p: q has its turn: bounce (no-window)", "no violation"),
           codes=[])
    script(tap, "who leaves the line", f"""
map-or-wait p {DEVICE} from 0x1_8000_0000+3M
map-or-wait q {DEVICE} from 0x1_9000_0000+3M
mask {DEVICE} 30
cancel q
cancel q
unmap p
""", status=1, words=("mask pcie@7d500000 30: refused: a mapping waits", "cancel q: done",
                      "cancel q: it does not wait", "1 mistake of"), codes=[])
    script(tap, "who waits at the end",
           f"map-or-wait p {DEVICE} from 0x1_8000_0000+3M\n"
           f"map-or-wait q {DEVICE} from 0x1_9000_0000+3M\nunmap p\nmap-or-wait r {DEVICE} "
           f"from 0x1_a000_0000+3M\nunmap q\nmap-or-wait s {DEVICE} from 0x1_a000_0000+3M\n",
           status=1, words=("end: s is left waiting", "end: r is left live"))


def check_life(tap):
    script(tap, "a device that is left while it does DMA", f"""
map a {DEVICE} from 0x1_8000_0000+4K
abandon {DEVICE}
map b {DEVICE} from 4K
quiet {DEVICE}
attach {DEVICE}
map b {DEVICE} from 4K
unmap b
coherent-mask {DEVICE} 30
detach {DEVICE}
""", status=1, words=("1 in quarantine", "no driver has the device", "1 mistake of"), codes=[])
    script(tap, "a driver that leaves with something mapped",
           f"map a {DEVICE} from 4K\ndetach {DEVICE}\nunmap a\ndetach {DEVICE}\n", status=1,
           codes=["leak"])
    peer(tap)


PEERS = """
/dts-v1/;
/ {
	#address-cells = <1>;
	#size-cells = <1>;
	memory@80000000 { device_type = "memory"; reg = <0x80000000 0x10000000>; };
	soc {
		compatible = "simple-bus";
		#address-cells = <1>;
		#size-cells = <1>;
		ranges = <0x0 0x40000000 0x10000000>;
		dma-ranges = <0x80000000 0x80000000 0x10000000>, <0x0 0x40000000 0x10000000>;
		dma@1000 { compatible = "example,dma"; reg = <0x1000 0x1000>; #dma-cells = <1>; };
		fifo@2000 { compatible = "example,fifo"; reg = <0x2000 0x1000>; };
	};
};
"""


def peer(tap):
    with tempfile.TemporaryDirectory() as folder:
        tree, steps = os.path.join(folder, "peers.dts"), os.path.join(folder, "steps.txt")
        with open(tree, "w") as file:
            file.write(PEERS)
        with open(steps, "w") as file:
            file.write("map-peer f dma@1000 to 0x4000_2000+64\ndevice f read\nunmap f\n"
                       "map-peer f dma@1000 to 0x8000_0000+64\n")
        result = run("sim", tree, "dma@1000", "--script", steps)
        tap.check(result.status == 1 and "peer, dma 0x2000" in result.out and
                  "that is memory" in result.out and "1 to peers" in result.out and
                  "1 mistake of" in result.out and "violation" not in result.out,
                  "registers of a peer, at the address by which the bus leads there", result)


def check_script_errors(tap):
    """What makes no sense is told with its place, before anything is done or printed."""
    for what, text, words in (
            ("a step that there is not", "\n# a comment\nfrobnicate a\n", (":3:", "'frobnicate'")),
            ("too few words", "map a\n", (":1:", "'map'", "it takes NAME DEVICE")),
            ("too many words", f"mask {DEVICE} 3 4\n", (":1:", "'mask'")),
            ("a name that there is not", "unmap a\n", ("'a'",)),
            ("a name that comes later", f"unmap a\nmap a {DEVICE} to 4K\n", (":1:", "'a'")),
            ("a name that is too long", f"map {'a' * 40} {DEVICE} to 4K\n", (":1:", "a" * 40)),
            ("a device that there is not", "map a nothing@0 to 4096\n", (":1:", "'nothing@0'")),
            ("a direction that there is not", f"map a {DEVICE} sideways 4096\n", ("sideways",)),
            ("an attribute that there is not", f"map a {DEVICE} to 4096 quick\n", ("quick",)),
            ("no memory", f"map a {DEVICE} to here\n", (":1:", "'here'")),
            ("no bits", f"mask {DEVICE} 65\n", (":1:", "'65'")),
            ("no range", f"access {DEVICE} read x\n", (":1:", "'x'")),
            ("no side", f"map a {DEVICE} to 4K\nsync a both\n", (":2:", "'both'")),
            ("no number", f"alloc a {DEVICE} many\n", ("many",)),
            ("two mistakes", f"frob\nmap a {DEVICE} to 4K\nunmap b\n", (":1:", "'frob'", ":3:", "'b'"))):
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write(text)
            file.flush()
            result = run("sim", board("rpi4-8g"), DEVICE, "--script", file.name)
            tap.check(result.status == 2 and not result.out and
                      all(w in result.err for w in words) and file.name in result.err,
                      what, result)


def check_script_json(tap):
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(f"\nmap a  {DEVICE} to 0x1000_0000+4K # first\nunmap a\nunmap a\n"
                   f"map b {DEVICE} to 4K\n")
        file.flush()
        result = run("sim", board("rpi4-8g"), DEVICE, "--script", file.name, "--format", "json")
        document = result.json()
        tap.equal([result.status, document["steps"], document["mistakes"], document["script"]], [1, 4, 1, [
            {"line": 2, "step": f"map a {DEVICE} to 0x1000_0000+4K",
             "outcome": "direct, dma 0x10000000", "violation": None},
            {"line": 3, "step": "unmap a", "outcome": "done", "violation": None},
            {"line": 4, "step": "unmap a", "outcome": "misuse", "violation": "unmapped-twice"},
            {"line": 5, "step": f"map b {DEVICE} to 4K", "outcome": document["script"][3]["outcome"],
             "violation": None},
            {"line": None, "step": "b", "outcome": "is left live: a leak", "violation": None}]],
                  "the steps of a script in JSON")
    _status, document = ask("sim", board("rpi4-8g"), DEVICE, "--count", "10")
    tap.check("script" not in document and "mistakes" not in document,
              "none where there is no script")


def check_help(tap):
    """The help and the manual have every step that a script may have."""
    with open(os.path.join(ROOT, "src", "cli", "sim", "script_words.c")) as file:
        steps = re.findall(r'^\t\{"([a-z-]+)",\s*"', file.read(), re.M)
    text = run("sim", "--help").out
    with open(os.path.join(ROOT, "docs", "man", "busway-sim.1")) as file:
        manual = file.read()
    tap.check(len(steps) > 20, "there are steps", steps)
    for step in steps:
        tap.check(re.search(r"\b%s [A-Z]|\b%s +[A-Z]" % (step, step), text) and
                  "Cm %s " % step in manual, "help and manual tell of " + step)
    tap.check(text.count("Exit status") == 1 and "1 a violation" in text,
              "the help states one exit status", text)


def check_bad_input(tap):
    for what, arguments, words in (
            ("a device that there is not", (board("rpi4-8g"), "nothing@0"), ("nothing@0",)),
            ("a script that there is not", (board("rpi4-8g"), "--script", "/nonexistent"),
             ("/nonexistent",)),
            ("--pool that is no size", (board("rpi4-8g"), "--pool", "much"), ("--pool", "much")),
            ("--pool that is smaller than any pool", (board("rpi4-8g"), "--pool", "2K"),
             ("--pool", "'2K'", "4K")),
            ("--memory that is no range", (board("rpi4-8g"), "--memory", "1G"), ("--memory", "1G")),
            ("--memory where the tree states it", (board("rpi4-8g"), "--memory", "0+1G"),
             ("--memory", "rpi4-8g")),
            ("--seed that is no number", (board("rpi4-8g"), "--seed", "x"), ("--seed", "x")),
            ("--min-align that is no power of two", (board("rpi4-8g"), "--min-align", "3"),
             ("--min-align", "3"))):
        result = run("sim", *arguments)
        tap.check(result.status == 2 and not result.out and
                  all(w in result.err for w in words), what, result)


def main():
    tap = Tap()
    check_boards(tap)
    check_shipped(tap)
    check_ways(tap)
    check_seeds(tap)
    check_scripts(tap)
    check_lists(tap)
    check_coherent(tap)
    check_waiting(tap)
    check_life(tap)
    check_script_errors(tap)
    check_script_json(tap)
    check_help(tap)
    check_bad_input(tap)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
