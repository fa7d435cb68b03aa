#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""sim_test.py - busway sim: random and scripted work on the simulated machines of boards.

The machine follows each access by code of its own and checks every byte, so a run without violation
is a statement about the library; scripts commit mistakes, to see that they are told.
"""

import os
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
            served = total(document, "direct") + total(document, "bounce")
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
           words=("misuse", "end: r is left live: a leak", "3 of the script's steps"), codes=[])
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
    for what, text, words in (
            ("a step that there is not", "\n# a comment\nfrobnicate a\n", (":3:", "'frobnicate'")),
            ("too few words", "map a\n", (":1:", "'map'")),
            ("a name that there is not", "unmap a\n", ("'a'",)),
            ("a device that there is not", "map a nothing@0 to 4096\n", ("nothing@0",)),
            ("a direction that there is not", f"map a {DEVICE} sideways 4096\n", ("sideways",)),
            ("no number", f"alloc a {DEVICE} many\n", ("many",))):
        script(tap, what, text, status=2, words=words)


def check_bad_input(tap):
    for what, arguments, words in (
            ("a device that there is not", (board("rpi4-8g"), "nothing@0"), ("nothing@0",)),
            ("a script that there is not", (board("rpi4-8g"), "--script", "/nonexistent"),
             ("/nonexistent",)),
            ("--pool that is no size", (board("rpi4-8g"), "--pool", "much"), ("--pool", "much")),
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
    check_bad_input(tap)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
