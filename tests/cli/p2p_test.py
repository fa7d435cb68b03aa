#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""p2p_test.py - `busway p2p`: the matrix, the pair, JSON, drawings, errors.

Machines are made up (machines.py), so that what is wired is known without asking the command.
"""

import fcntl
import filecmp
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
import termios

import machines
from machines import CR, DOWNSTREAM, ENDPOINT, Function, MEM32, ROOT_PORT, RR, UPSTREAM
from support import (BUSWAY, REFUSAL, ROOT, Tap, ask, board, hexadecimal, mismatches, one_of, run, text)
from svg_test import NAMESPACE, Picture

RECORDED = os.path.join(ROOT, "..", "shared", "data", "machines")
WORKSTATION = os.path.join(ROOT, "tests", "data", "machines", "workstation")
DRAWN = os.path.join(ROOT, "docs", "pictures", "workstation-p2p.svg")
LETTERS = {"refused": ".?", "switch": "Ss", "host-bridge": "Hh", "iommu": "Ii"}


# ---- the contract ----

def address(value):
    return None if isinstance(value, str) and re.fullmatch(
        r"[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]", value) else "%r is no function" % (value,)


VERDICT = one_of(*LETTERS)
NEEDS = [one_of("bus-master", "memory-decode")]
ACS = [one_of("SV", "TB", "RR", "CR", "UF", "EC", "DT")]

PAIR = {"a": address, "b": address, "verdict": VERDICT, "certain": bool, "distance": int,
        "address": (one_of("bus", "cpu", "iova"), None), "reason": (REFUSAL, None),
        "common": (address, None), "decider": (address, None), "acs": ACS, "needs": NEEDS,
        "other": ({"policy": one_of("linux", "route"), "verdict": VERDICT, "certain": bool}, None)}

P2P = {
    "schema": one_of("busway-p2p/1"),
    "policy": one_of("linux", "route"),
    "pairs": [PAIR],
    "gaps": [{"file": text, "message": text}],
    "oddities": [{"code": text, "function": address}],
    "bars?": [{"bar": int, "bus": hexadecimal, "cpu": (hexadecimal, None),
               "size": (hexadecimal, None), "prefetchable": bool, "verdict": VERDICT}],
    "way?": [({"hop": address, "leg": one_of("start", "up", "turn", "down", "end"), "type": text,
               "acs_state": one_of("unknown", "absent", "present"), "acs": ACS, "needs": NEEDS}, {"hop": text, "leg": one_of("host")})],
}


def contradictions(document):
    """What the keys of a pair say against each other."""
    for pair in document["pairs"]:
        if (pair["address"], pair["verdict"]) not in (
                (None, "refused"), ("bus", "switch"), ("cpu", "host-bridge"), ("iova", "iommu")):
            yield "address and verdict: %s" % pair
        if (pair["reason"] is None) != (pair["verdict"] != "refused"):
            yield "reason and verdict: %s" % pair
        if pair["other"] and pair["other"]["policy"] == document["policy"]:
            yield "the other view is the same one: %s" % pair


def check_document(tap, what, source, *arguments):
    _, document = ask("p2p", source, *arguments)
    wrong = list(mismatches(document, P2P)) + list(contradictions(document))
    names = sorted({pair["a"] for pair in document["pairs"]})
    if [(p["a"], p["b"]) for p in document["pairs"]] != [(a, b) for a in names for b in names]:
        wrong.append("not each ordered pair, in order")
    tap.check(not wrong, what, "\n".join(str(one)[:300] for one in wrong[:10]))
    return document


def check_views(tap, source):
    """`other` is what the other policy answers, and null where that is the same."""
    views = {policy: {(p["a"], p["b"]): p for p in ask("p2p", source, "--policy", policy)[1]["pairs"]}
             for policy in ("route", "linux")}
    wrong = []
    for policy, other in (("route", "linux"), ("linux", "route")):
        for key, pair in views[policy].items():
            there = {"policy": other, "verdict": views[other][key]["verdict"],
                     "certain": views[other][key]["certain"]}
            same = all(there[k] == pair[k] for k in ("verdict", "certain"))
            if pair["other"] != (None if same else there):
                wrong.append("%s: %s, not %s" % (key, pair["other"], there))
    tap.check(not wrong, "both views of %s" % os.path.basename(source), "\n".join(wrong[:5]))
    return sum(pair["other"] is not None and pair["a"] != pair["b"]
               for pair in views["route"].values())


# ---- the matrix ----

def read_matrix(out):
    """{(row, column): letter} by number, {number: name}, and the letters of each row in bands."""
    cells, names, columns = {}, {}, {}
    for line in out.splitlines():
        row = re.match(r"  +(\d+) ([0-9a-f:]+\.[0-7])  (.+)$", line)
        if not row:
            continue
        number = int(row.group(1))
        names[number] = row.group(2)
        for letter in row.group(3).replace(" ", ""):
            cells[number, columns.get(number, 0)] = letter
            columns[number] = columns.get(number, 0) + 1
    return cells, names


def check_matrix(tap, what, source, *arguments, width=120):
    """The letters are what JSON says, and the lines fit. Returns how many rows there are."""
    result = run("p2p", source, *arguments)
    cells, names = read_matrix(result.out)
    known = {}
    for pair in ask("p2p", source, *arguments)[1]["pairs"]:
        known[pair["a"][5:], pair["b"][5:]] = LETTERS[pair["verdict"]][0 if pair["certain"] else 1]
    wrong = ["%s -> %s: %s" % (names[i], names[k], letter) for (i, k), letter in cells.items()
             if letter != ("\\" if i == k else known[names[i], names[k]])]
    if result.status != 0:
        wrong.append("exit status %d" % result.status)
    if len(cells) != len(names) ** 2:
        wrong.append("%d cells of %d rows" % (len(cells), len(names)))
    wrong += ["too wide: %s" % line for line in result.out.splitlines()
              if len(line) > width and re.match(r"  +\d+ [0-9a-f:]+\.[0-7]  ", line)]
    tap.check(not wrong, what, "\n".join(wrong[:10]))
    return len(names)


def check_matrices(tap, folder):
    many = machines.write(os.path.join(folder, "many"), machines.server(8, 8, RR | CR))
    tap.equal(check_matrix(tap, "a matrix of 64 devices, within 90 columns", many, width=90), 64,
              "all 64 have a row")
    apart = machines.write(os.path.join(folder, "apart"), machines.server(16, 4))
    tap.equal(check_matrix(tap, "64 devices in 16 groups, within 120 columns", apart), 64,
              "all of them have a row")
    huge = machines.write(os.path.join(folder, "huge"), machines.server(6, 20))
    tap.equal(check_matrix(tap, "120 devices in bands, within 120 columns", huge), 120,
              "all 120 have a row")
    out = run("p2p", many).out
    tap.check("pci0000:00, below root port 00:01.0\n" in out and "S switch" in out and
              "4032 pairs: 4032 refused" in out, "groups, legend and counts", out[-600:])
    tap.check(run("p2p", many, "-q").out.count("\n") == 2 + 8 + 64, "-q is rows and heads only")
    wide = run("p2p", many, "-v").out
    tap.check("distances" in wide and "not read" not in wide, "-v adds distances")
    cells, _ = read_matrix(wide.split("distances", 1)[1])
    known = ask("p2p", many)[1]["pairs"]
    tap.equal([int(cells[i // 64, i % 64], 36) for i in range(64 * 64)],
              [pair["distance"] for pair in known], "as JSON has them")


def on_terminal(columns, *arguments):
    """What the command writes to a terminal that is so wide."""
    terminal, other = pty.openpty()
    fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen([BUSWAY, *arguments], stdout=other, stdin=subprocess.DEVNULL)
    os.close(other)
    out = b""
    while True:
        try:
            got = os.read(terminal, 65536)
        except OSError:  # the other end is closed
            break
        if not got:
            break
        out += got
    os.close(terminal)
    process.wait()
    return out.decode().replace("\r\n", "\n")


def check_terminal(tap, folder):
    many = os.path.join(folder, "many")
    for columns in (60, 80, 200):
        out = on_terminal(columns, "p2p", many, "--color", "never", "-q")
        cells, names = read_matrix(out)
        tap.check(len(names) == 64 and len(cells) == 64 * 64 and
                  max(map(len, out.splitlines())) <= columns,
                  "64 devices on a terminal of %d columns" % columns, out[:400])
    out = on_terminal(80, "p2p", WORKSTATION, "--color", "always")
    tap.check("\033[32mS\033[0m" in out and "\033[31m.\033[0m" in out, "with colours", out[:400])


def check_folding(tap, folder):
    lone = machines.write(os.path.join(folder, "lone"), [
        Function("00:01.0", ENDPOINT, bars=[(0xe0000000, 0x1000, MEM32)]),
        Function("00:02.0", ENDPOINT), Function("00:03.0", ENDPOINT)])
    short, whole = run("p2p", lone).out, run("p2p", lone, "--all").out
    tap.check("2 functions without memory of their own left out (--all)" in short and
              len(read_matrix(short)[1]) == 1, "functions without memory are left out", short)
    tap.check(len(read_matrix(whole)[1]) == 3 and "left out" not in whole, "but not with --all",
              whole)
    tap.equal(len(ask("p2p", lone)[1]["pairs"]), 9, "and never from JSON")
    none = machines.write(os.path.join(folder, "none"), [Function("00:02.0", ENDPOINT)])
    result = run("p2p", none)
    tap.check(result.status == 0 and "0 pairs" in result.out, "nobody has memory", result)


def check_domains(tap, folder):
    two = machines.write(os.path.join(folder, "domains"), [
        Function("0000:01:00.0", ENDPOINT, root=1, bars=[(0xe0000000, 0x1000, MEM32)]),
        Function("10001:01:00.0", ENDPOINT, root=1, bars=[(0xe0000000, 0x1000, MEM32)])])
    out = run("p2p", two).out
    tap.check("0000:01:00.0" in out and "10001:01:00.0" in out and "pci10001:01" in out,
              "names have their domains where there are several", out)
    result = run("p2p", two, "01:00.0", "10001:01:00.0")
    tap.check(result.status == 2 and result.out == "" and "ambiguous" in result.err and
              result.err.splitlines()[1:] == ["  0000:01:00.0", "  10001:01:00.0"],
              "a name without its domain is ambiguous then, and both are listed", result)


def check_unread(tap, folder):
    """64 bytes of configuration space: unknown is not absent."""
    functions = machines.server(1, 3)
    for one in functions:
        one.size = 64
    plain = machines.write(os.path.join(folder, "plain"), functions)
    result = run("p2p", plain)
    cells, _ = read_matrix(result.out)
    tap.check(cells[0, 1] == "?" and "8 more" not in result.out and
              re.search(r"not read: .*config and 7 more: only the first 64 bytes", result.out),
              "unknown ACS refuses, marked, and the gaps are summed up", result)
    tap.equal(read_matrix(run("p2p", plain, "--policy", "linux").out)[0][0, 1], "s",
              "as Linux: what it would say without ACS, marked")
    tap.equal(len(re.findall("not read: ", run("p2p", plain, "-v").out)), 8, "-v lists each gap")
    tap.check("not read" not in run("p2p", plain, "-q").out, "-q none")
    tap.equal([gap["file"] for gap in ask("p2p", plain)[1]["gaps"]],
              sorted("sys/bus/pci/devices/%s/config" % one.address for one in functions),
              "and JSON lists them in order")
    # what a pair says of it
    pair = run("p2p", plain, "03:00.0", "04:00.0", "--policy", "linux")
    tap.check(pair.status == 0 and "not certain: the ACS is unknown of" in pair.out and
              "as the route carries it: refused" in pair.out, "the pair says what is unknown", pair)


# ---- the pair ----

def model_of(functions):
    """{function: the bridge above it, or None}"""
    full = lambda name: name if name is None or name.count(":") == 2 else "0000:" + name
    return {one.address: full(one.above) for one in functions}


def chain(above, name):
    found = [name]
    while above[found[-1]]:
        found.append(above[found[-1]])
    return found


def expected_way(above, a, b, to_host):
    """Hops with their legs, from what is wired alone."""
    if a == b:
        return [(a, "start"), (b, "end")]
    up, down = chain(above, a), chain(above, b)
    common = next((one for one in up if one in down), None)
    if to_host or common is None:
        middle = [("pci0000:00", "host")]
    else:
        up, down = up[:up.index(common)], down[:down.index(common)]
        middle = [(common, "turn")]
    return ([(up[0], "start")] + [(one, "up") for one in up[1:]] + middle +
            [(one, "down") for one in down[:0:-1]] + [(down[0], "end")])


def check_ways(tap, what, source, functions, *arguments):
    above = model_of(functions)
    ends = [one.address for one in functions if one.bridge is None]
    wrong = []
    for a in ends:
        for b in ends:
            status, document = ask("p2p", source, a, b, *arguments)
            pair = document["pairs"][0]
            to_host = pair["address"] in ("cpu", "iova") or (
                pair["reason"] and pair["reason"]["code"] in ("peer-route", "acs-redirect"))
            way = [(hop["hop"], hop["leg"]) for hop in document["way"]]
            if way != expected_way(above, a, b, to_host):
                wrong.append("%s -> %s: %s" % (a, b, way))
            if status != (1 if pair["verdict"] == "refused" else 0):
                wrong.append("%s -> %s: exit status %d" % (a, b, status))
            wrong += list(mismatches(document, P2P))
    tap.check(not wrong, what, "\n".join(str(one)[:300] for one in wrong[:5]))


def check_pairs(tap):
    functions = machines.workstation()
    check_ways(tap, "ways go as the machine is wired", WORKSTATION, functions)
    check_ways(tap, "also through the root complex", WORKSTATION, functions, "--cpu", "zen")
    inside = run("p2p", WORKSTATION, "04:00.0", "05:00.0")
    tap.check(inside.status == 0 and "inside a switch; distance 4" in inside.out and
              "BAR 0: emit bus 0xe0200000 (CPU 0x80e0200000), 16 KiB" in inside.out and
              "as Linux decides: the same" in inside.out,
              "inside a switch: the bus address of the BAR", inside)
    refused = run("p2p", WORKSTATION, "03:00.0", "04:00.0")
    tap.check(refused.status == 1 and "02:00.0  downstream port 104c:8233, ACS SV, RR, CR, UF "
              "<- decides: RR" in refused.out and "emit" not in refused.out and
              "would help: clear RR" in refused.out,
              "refused: the port, its bits and what would help", refused)
    zen = run("p2p", WORKSTATION, "03:00.0", "04:00.0", "--cpu", "zen")
    tap.check(zen.status == 0 and "emit what leads to CPU 0x80e0100000" in zen.out,
              "through the host bridge: the CPU's address", zen)
    window = run("p2p", WORKSTATION, "06:00.0", "07:00.0", "--cpu", "zen")
    tap.check(window.status == 1 and "bridge-window: 0000:00:03.0" in window.out,
              "a window that does not pass it refuses", window)
    linux = run("p2p", WORKSTATION, "06:00.0", "06:00.1")
    tap.check(linux.status == 0 and re.search("as Linux decides: refused: acs-redirect: "
                                              "0000:00:02.0", linux.out),
              "where the views differ both are told", linux)
    needs = run("p2p", WORKSTATION, "05:00.0", "04:00.0")
    tap.check("needs    bus mastering on at 0000:05:00.0" in needs.out, "what is off is told", needs)
    needs = ask("p2p", WORKSTATION, "05:00.0", "04:00.0")[1]["pairs"][0]["needs"]
    tap.equal(needs, ["bus-master"], "in JSON, too")


def check_bars(tap, folder):
    """Each BAR has an answer of its own."""
    functions = machines.server(1, 2)
    end = next(one for one in functions if one.address == "0000:04:00.0")
    end.bars.append((0x900000000, 0x100000, machines.MEM64_PREFETCH))
    source = machines.write(os.path.join(folder, "bars"), functions)
    _, document = ask("p2p", source, "03:00.0", "04:00.0")
    tap.equal([(bar["bar"], bar["bus"], bar["verdict"]) for bar in document["bars"]],
              [(0, "0xc0100000", "switch"), (1, "0x900000000", "refused")],
              "one BAR is passed, another is not")
    out = run("p2p", source, "03:00.0", "04:00.0").out
    tap.check("BAR 1: bus 0x900000000, 1 MiB, prefetchable: refused" in out or
              "BAR 0: emit bus 0xc0100000, 1 MiB: switch" in out, "text says which", out)


def check_iommu(tap, folder):
    functions = machines.server(2, 1)
    for number, one in enumerate(functions):
        one.group = number
    source = machines.write(os.path.join(folder, "iommu"), functions)
    result = run("p2p", source, "03:00.0", "06:00.0", "--cpu", "zen")
    tap.check(result.status == 0 and "emit an IOVA that is mapped to CPU 0xc0100000" in result.out,
              "through an IOMMU: an IOVA", result)
    tap.equal(read_matrix(run("p2p", source, "--cpu", "zen").out)[0][0, 1], "I", "I in the matrix")
    # a link that was not recorded, where other functions have one; or groups without a type
    os.unlink(os.path.join(source, "sys/bus/pci/devices/0000:03:00.0/iommu_group"))
    os.unlink(os.path.join(source, "sys/kernel/iommu_groups/7/type"))
    says_unknown(tap, source, "no link to a group", "h")
    tap.equal(read_matrix(run("p2p", source, "--cpu", "zen").out)[0][1, 0], "i",
              "a group of unknown type: it may be one that is not translated")
    # nothing is said of IOMMUs at all; then tables are, and none of one
    source = machines.write(os.path.join(folder, "no-iommu"), machines.server(2, 1))
    says_unknown(tap, source, "nothing told", "h")
    tables = os.path.join(source, "sys/firmware/acpi/tables")
    os.makedirs(tables)
    with open(os.path.join(tables, "FACP"), "wb"):
        pass
    tap.equal(read_matrix(run("p2p", source, "--cpu", "zen").out)[0][0, 1], "H",
              "certain where all tables are told, and none is an IOMMU's")


def says_unknown(tap, source, what, letter):
    """The CPU's address would not arrive there if an IOMMU translated it."""
    result = run("p2p", source, "03:00.0", "06:00.0", "--cpu", "zen")
    tap.check("not certain: nothing says whether an IOMMU translates" in result.out,
              "%s: the pair says so" % what, result)
    tap.equal(read_matrix(run("p2p", source, "--cpu", "zen").out)[0][0, 1], letter,
              "%s: not certain in the matrix" % what)


# ---- virtual functions ----

def check_virtual(tap, folder):
    """The registers of their BARs read as 0; what the CPU adds is what it adds for the physical one."""
    added = 0x20000000
    functions = [
        Function("00:01.0", ROOT_PORT, bridge=(1, 4, (0xa0000000, 0xdfffffff), None)),
        Function("01:00.0", UPSTREAM, "00:01.0", bridge=(2, 4, (0xa0000000, 0xdfffffff), None)),
        Function("02:00.0", DOWNSTREAM, "01:00.0", bridge=(3, 3, (0xa0000000, 0xcfffffff), None)),
        Function("02:01.0", DOWNSTREAM, "01:00.0", bridge=(4, 4, (0xd0000000, 0xd00fffff), None)),
        Function("03:00.0", ENDPOINT, "02:00.0", bars=[(0xa0000000, 0x100000, MEM32)], cpu=added),
        Function("03:00.1", ENDPOINT, "02:00.0", bars=[(0xa0100000, 0x100000, MEM32)], cpu=added),
        Function("04:00.0", ENDPOINT, "02:01.0", bars=[(0xd0000000, 0x1000, MEM32)], cpu=added)]
    source = machines.write(os.path.join(folder, "virtual"), functions)
    place = os.path.join(source, "sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0/0000:02:00.0")
    with open(os.path.join(place, "0000:03:00.1/config"), "r+b") as file:
        file.write(b"\xff" * 4)
        file.seek(0x10)
        file.write(bytes(0x18))
    os.symlink("../0000:03:00.0", os.path.join(place, "0000:03:00.1/physfn"))
    result = run("p2p", source, "04:00.0", "03:00.1")
    tap.check(result.status == 0 and
              "BAR 0: emit bus 0xa0100000 (CPU 0xc0100000), 1 MiB" in result.out and
              "as it seems" not in result.out.splitlines()[0],
              "a virtual function: its address on the bus is not the CPU's", result)
    os.unlink(os.path.join(place, "0000:03:00.0/resource"))
    for view in ("route", "linux"):
        result = run("p2p", source, "04:00.0", "03:00.1", "--policy", view)
        tap.check("as it seems" in result.out.splitlines()[0] or
                  "for lack of knowledge" in result.out.splitlines()[0],
                  "%s: not certain where the physical one does not tell" % view, result)


def check_unknown_iommu(tap, folder):
    """Where nothing says whether an IOMMU translates, no address of the CPU is certain."""
    functions = machines.server(2, 1)
    source = machines.write(os.path.join(folder, "untold"), functions)
    pair = ("p2p", source, "03:00.0", "06:00.0", "--cpu", "zen")
    result = run(*pair)
    tap.check(result.status == 0 and "through the host bridge, as it seems" in result.out and
              "not certain: nothing says whether an IOMMU translates what 0000:03:00.0 emits"
              in result.out and result.out.count("not certain") == 1 and
              "as Linux decides: the same, and certain" in result.out,
              "nobody spoke of an IOMMU: its CPU address is not certain", result)
    linux = run(*pair, "--policy", "linux")
    tap.check("through the host bridge; distance" in linux.out and
              "note: nothing says whether an IOMMU translates" in linux.out and
              "as the route carries it: the same, but not certain" in linux.out,
              "as Linux decides it is certain, and the address is not", linux)
    matrix = run("p2p", source, "--cpu", "zen")
    tap.check(read_matrix(matrix.out)[0][0, 1] == "h" and
              "2 pairs would be answered the same by Linux, and for certain" in matrix.out and
              "otherwise" not in matrix.out, "h in the matrix, and that Linux is sure", matrix)
    shown = run("show", source)
    tap.check("0000:03:00.0  pci-function, perhaps behind an IOMMU" in shown.out.replace(
        "coherent, ", "") and "pci0000:00  pcie-host, perhaps behind an IOMMU" in
        shown.out.replace("coherent, ", ""), "show says perhaps", shown)
    os.makedirs(os.path.join(source, "sys", "kernel", "iommu_groups"))
    result = run(*pair)
    tap.check(result.status == 0 and "through the host bridge; distance" in result.out and
              "IOMMU" not in result.out, "no groups at all: no IOMMU, and certain", result)
    tap.check("perhaps" not in run("show", source).out, "show says it no more")


def check_pointers(tap):
    """Whoever asks why or map about a peer's memory is told whose it is, and where to ask."""
    ask_it = "busway p2p %s 0000:03:00.0 0000:05:00.0 tells" % WORKSTATION
    result = run("why", WORKSTATION, "03:00.0", "0xe0200000+4K")
    tap.check(result.status == 1 and "that is BAR 0 of 0000:05:00.0: " + ask_it in result.out and
              "move the aperture" not in result.out, "why: whose memory that is", result)
    result = run("map", WORKSTATION, "03:00.0", "0x80e0203000+4K")
    tap.check(result.status == 1 and "that is BAR 0 of 0000:05:00.0: " + ask_it in result.out,
              "map: the same by the CPU's address", result)
    for what, command, device, address in (
            ("beyond the BAR", "why", "03:00.0", "0xe0203000+8K"),
            ("a bus address is none of the CPU's", "map", "03:00.0", "0xe0200000+4K"),
            ("its own memory is no peer's", "why", "05:00.0", "0xe0200000+4K")):
        result = run(command, WORKSTATION, device, address)
        tap.check(result.status == 1 and "that is BAR" not in result.out, what, result)


# ---- drawings ----

def draw(source, *arguments):
    result = run("p2p", source, *arguments, "--format", "svg")
    return result.status, Picture(result.out)


def thick(picture):
    return sum(one.get("stroke-width") == "4" for one in picture.root.iter(NAMESPACE + "line"))


def check_drawings(tap, folder):
    functions = machines.workstation()
    status, picture = draw(WORKSTATION, "03:00.0", "04:00.0")
    wrong = list(picture.complaints())
    tap.check(status == 1 and not wrong, "a picture of a pair is sound; it exits as the text",
              "\n".join(wrong))
    # up 02:00.0, 01:00.0, 00:01.0 and the initiator; down again two edges of them, and two more
    tap.equal(thick(picture), 2 * 6, "its way is thick: six edges, of two lines each")
    for name in ("0000:03:00.0", "0000:02:00.0", "0000:04:00.0", "pci0000:00"):
        tap.check(name in picture.all, "%s is in it" % name)
    with open(DRAWN, encoding="utf-8") as file:
        tap.equal(file.read(), picture.source, "the picture of the documents is this one")
    tap.check("1 below, not shown" in picture.all and "0000:07:00.0" not in picture.all,
              "what is off the way is folded", picture.all)
    status, picture = draw(WORKSTATION, "05:00.0")
    wrong = list(picture.complaints())
    wrong += [one.address for one in functions if one.address not in picture.all]
    words = [one.words for one in picture.texts]
    for pair in ask("p2p", WORKSTATION)[1]["pairs"]:
        if pair["a"] == "0000:05:00.0" and pair["b"] != pair["a"]:
            verdict = "; " + pair["verdict"] + (": " + pair["reason"]["code"] if pair["reason"]
                                                else "")
            if not words[words.index(pair["b"]) + 1].endswith(verdict):
                wrong.append("%s: %s" % (pair["b"], verdict))
    tap.check(status == 0 and not wrong, "a picture of what one reaches has all functions",
              "\n".join(map(str, wrong)))
    tap.check("endpoint; switch" in picture.all and "refused: peer-route" in picture.all,
              "with verdicts in words", picture.all)
    big = machines.write(os.path.join(folder, "drawn"), machines.server(4, 8, RR))
    for arguments in ((), ("03:00.0",), ("03:00.0", "10:00.0")):
        status, picture = draw(big, *arguments)
        wrong = list(picture.complaints())
        tap.check(status in (0, 1) and not wrong, "a larger picture %s" % (arguments,),
                  "\n".join(wrong))


def check_dot(tap):
    above = model_of(machines.workstation())
    result = run("p2p", WORKSTATION, "--format", "dot")
    edges = dict(reversed(pair) for pair in
                 re.findall(r'^  "([^"]+)" -> "([^"]+)"', result.out, re.M))
    tap.equal(edges, {name: up or "pci0000:00" for name, up in above.items()},
              "dot: an edge from each function to what is above it")
    result = run("p2p", WORKSTATION, "04:00.0", "05:00.0", "--format", "dot")
    way = re.findall(r'-> "([^"]+)" \[dir=(\w+)', result.out)
    tap.equal(sorted(way), [("0000:02:01.0", "back"), ("0000:02:02.0", "forward"),
                            ("0000:04:00.0", "back"), ("0000:05:00.0", "forward")],
              "dot: the way of a pair has arrows")
    result = run("p2p", WORKSTATION, "03:00.0", "04:00.0", "--format", "dot")
    tap.check(result.status == 1 and '-> "0000:01:00.0" [dir=both' in result.out and
              '-> "0000:00:01.0" [dir=both' in result.out,
              "dot: both ways through a bridge that it passes twice", result)


# ---- errors ----

def check_errors(tap, folder):
    def refuses(what, *arguments, saying):
        result = run("p2p", *arguments)
        tap.check(result.status == 2 and not result.out and saying in result.err, what, result)

    refuses("no platform", saying="PLATFORM is missing")
    refuses("a device tree", board("rpi5"), saying="a device tree lists no PCI functions")
    refuses("one device", WORKSTATION, "03:00.0",
            saying="say two, or none for all pairs; what one reaches is drawn")
    refuses("a device that is not there", WORKSTATION, "03:00.0", "0f:00.0",
            saying="there is no PCI function '0f:00.0'")
    refuses("the same in a drawing", WORKSTATION, "0f:00.0", "--format", "svg",
            saying="there is no PCI function")
    refuses("three devices", WORKSTATION, "03:00.0", "04:00.0", "05:00.0", saying="too much")
    refuses("a policy that is none", WORKSTATION, "--policy", "kernel",
            saying="none of route, linux")
    refuses("a processor that is none", WORKSTATION, "--cpu", "arm", saying="none of zen, other")
    refuses("a format of others", WORKSTATION, "--format", "sarif",
            saying="'sarif' is none of text")
    refuses("a folder without PCI", os.path.join(folder, "nothing"), saying="nothing")
    refuses("groups are not drawn", WORKSTATION, "--groups", "--format", "svg",
            saying="--groups is told as text or as json")
    refuses("groups are of no pair", WORKSTATION, "--groups", "03:00.0", "04:00.0",
            saying="'03:00.0' is too much")
    refuses("root complexes are text", "--hosts", "--format", "json", saying="as text only")
    refuses("two lists", WORKSTATION, "--hosts", "--groups", saying="ask for one")
    result = run("p2p", "--hosts")
    tap.check(result.status == 0 and "8086:2030  Intel Skylake-E" in result.out, "--hosts", result)


# ---- all of it ----

def check_example(tap, folder):
    """The machine of the documents is what machines.py writes."""
    made = machines.write(os.path.join(folder, "workstation"), machines.workstation())
    wrong = []
    for where, folders, names in os.walk(os.path.join(made, "sys")):
        there = os.path.join(WORKSTATION, os.path.relpath(where, made))
        for name in names + folders:
            one, other = os.path.join(where, name), os.path.join(there, name)
            if os.path.islink(one):
                same = os.path.islink(other) and os.readlink(one) == os.readlink(other)
            else:
                same = os.path.isdir(one) or (os.path.exists(other) and
                                              filecmp.cmp(one, other, shallow=False))
            wrong += [] if same else [other]
    tap.check(not wrong, "the example is as it is made", "\n".join(wrong[:5]))


def check_hosts(tap, folder):
    """Of a root complex that forwards below itself only, and one that does so in any case."""
    def two(name, ids):
        below = lambda bus, root: [
            Function("%02x:00.0" % root, ROOT_PORT, ids=ids, class_code=0x060400, root=root,
                     bridge=(bus, bus, (0xc0000000 + (bus << 20), 0xc00fffff + (bus << 20)), None)),
            Function("%02x:00.0" % bus, ENDPOINT, "%02x:00.0" % root, root=root,
                     bars=[(0xc0000000 + (bus << 20), 0x1000, MEM32)])]
        return machines.write(os.path.join(folder, name), below(1, 0) + below(0x81, 0x80))

    result = run("p2p", two("sandy", (0x8086, 0x3c00)), "01:00.0", "81:00.0")
    tap.check(result.status == 1 and
              result.out.count("known to forward below itself: Intel Xeon E5") == 2,
              "below one host bridge only", result)
    result = run("p2p", two("skylake", (0x8086, 0x2030)), "01:00.0", "81:00.0")
    tap.check(result.status == 0 and result.out.count("known to forward: Intel Skylake-E") == 2,
              "from one host bridge to another", result)


def check_order(tap, folder):
    """The same machine gives the same bytes, in whatever order it is found."""
    other = machines.write(os.path.join(folder, "reversed"), machines.workstation())
    links = os.path.join(other, "sys", "bus", "pci", "devices")
    for name in sorted(os.listdir(links), reverse=True):
        link = os.path.join(links, name)
        target = os.readlink(link)
        os.unlink(link)
        os.symlink(target, link)
    for form in ("text", "json", "svg", "dot"):
        one = run("p2p", other, "--format", form).out.replace(other, WORKSTATION)
        tap.equal(one, run("p2p", WORKSTATION, "--format", form).out, "%s is deterministic" % form)


def check_recorded(tap, folder):
    """Recordings of machines, where they are at hand."""
    if not os.path.isdir(RECORDED):
        tap.skip("recorded machines", "they are not here")
        return
    for name in sorted(os.listdir(RECORDED)):
        if not name.endswith(".tar.xz"):
            continue
        with tarfile.open(os.path.join(RECORDED, name)) as archive:
            archive.extractall(os.path.join(folder, "recorded"))
        source = os.path.join(folder, "recorded", name[:-7])
        check_document(tap, "%s: JSON" % name, source)
        check_matrix(tap, "%s: matrix" % name, source)
        check_views(tap, source)
        picture = draw(source)[1]
        tap.check(not list(picture.complaints()), "%s: picture" % name)


def check_carried(tap, folder):
    """What the fabric does with the pairs of the example is what was said about them."""
    wrong, verdicts = [], set()
    # the example says nothing of IOMMUs, and then nothing is certain beyond a host bridge
    source = machines.write(os.path.join(folder, "carried"), machines.workstation())
    shutil.copy(os.path.join(WORKSTATION, "proc", "iomem"), os.path.join(source, "proc", "iomem"))
    os.makedirs(os.path.join(source, "sys", "kernel", "iommu_groups"))
    for cpu in ("other", "zen"):
        for pair in ask("p2p", source, "--cpu", cpu)[1]["pairs"]:
            a, b = pair["a"], pair["b"]
            said = run("p2p", source, a, b, "--cpu", cpu, "-v").out
            verdicts.add((pair["verdict"], pair["certain"]))
            arrived = all(re.search(r"a %s BAR \d of %s \+ 0x0\n" % (what, b), said)
                          for what in ("write arrives at", "read comes back from"))
            # what is off is not carried, and is told apart from the verdict
            if a != b and pair["certain"] and not pair["needs"] and arrived != (pair["verdict"] != "refused"):
                wrong.append("%s -> %s: %s\n%s" % (a, b, pair["verdict"], said))
    tap.check(not wrong, "the fabric carries what is not refused, and nothing else",
              "\n".join(wrong[:2]))
    tap.check({("switch", True), ("host-bridge", True), ("refused", True)} <= verdicts,
              "of each verdict there is one that is certain", verdicts)
    said = run("p2p", WORKSTATION, "03:00.0", "04:00.0", "-v").out
    tap.check(re.search(r"sent up by the ACS of +0000:02:00.0\n", said) and
              "a write does not arrive: 0000:00:01.0: it leaves PCI" in said,
              "and shows where the rest goes", said)


def check_processor(tap, folder):
    """What processor it is the machine says itself, unless the user does."""
    copy = os.path.join(folder, "processor")
    shutil.copytree(WORKSTATION, copy, symlinks=True)
    for cpuinfo, name in (("vendor_id\t: AuthenticAMD\ncpu family\t: 23\n", "zen"),
                          ("vendor_id\t: GenuineIntel\ncpu family\t: 6\n", "other")):
        with open(os.path.join(copy, "proc/cpuinfo"), "w", encoding="ascii") as file:
            file.write(cpuinfo)
        told = ask("p2p", WORKSTATION, "--cpu", name)[1]["pairs"]
        tap.equal(ask("p2p", copy)[1]["pairs"], told, "%s as proc/cpuinfo tells" % name)
        other = "other" if name == "zen" else "zen"
        tap.equal(ask("p2p", copy, "--cpu", other)[1]["pairs"],
                  ask("p2p", WORKSTATION, "--cpu", other)[1]["pairs"], "and %s as the user does" % other)


def check_unknown_root(tap):
    """On the user's word a root complex forwards as a known one does."""
    known = ask("p2p", WORKSTATION, "--cpu", "zen")[1]["pairs"]
    trusted = ask("p2p", WORKSTATION, "--unknown-root", "forward")[1]["pairs"]
    refused = ask("p2p", WORKSTATION, "--unknown-root", "refuse")[1]["pairs"]
    keys = ("a", "b", "verdict", "address")
    tap.equal([[p[k] for k in keys] for p in trusted], [[p[k] for k in keys] for p in known],
              "trusted, it is as one that is known")
    tap.equal(refused, ask("p2p", WORKSTATION)[1]["pairs"], "and refusing is the default")
    said = run("p2p", WORKSTATION, "03:00.0", "04:00.0", "--unknown-root", "forward").out
    tap.check("pci0000:00  root complex, taken for one that forwards" in said and "AMD" not in said,
              "and it is said whose word that is", said)
    wrong = run("p2p", WORKSTATION, "--unknown-root", "perhaps")
    tap.check(wrong.status == 2 and not wrong.out and "refuse, forward" in wrong.err,
              "it is one of two", wrong)


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="busway-p2p-") as folder:
        os.mkdir(os.path.join(folder, "nothing"))
        check_example(tap, folder)
        check_document(tap, "JSON of the example", WORKSTATION)
        tap.check(check_views(tap, WORKSTATION) > 0, "and the views differ somewhere")
        card = machines.write(os.path.join(folder, "card"), [
            Function("00:01.0", ROOT_PORT, bridge=(1, 1, (0xe0000000, 0xe00fffff), None)),
            Function("01:00.0", ENDPOINT, "00:01.0", bars=[(0xe0000000, 0x1000, MEM32)], many=True),
            Function("01:00.1", ENDPOINT, "00:01.0", bars=[(0xe0001000, 0x1000, MEM32)], many=True)])
        tap.equal(check_views(tap, card), 2, "two that differ only in how certain they are")
        check_matrix(tap, "the matrix of the example", WORKSTATION)
        # 07:00.0 reaches others, and nobody reaches what its port does not pass
        check_matrix(tap, "a matrix that is not symmetric", WORKSTATION, "--cpu", "zen")
        out = run("p2p", WORKSTATION).out
        tap.check("  pci0000:00\n  5 07:00.0" in out and
                  "below root port 00:02.0\n  3 06:00.0" in out,
                  "who is alone below a port is no group", out)
        check_matrices(tap, folder)
        check_terminal(tap, folder)
        check_folding(tap, folder)
        check_domains(tap, folder)
        check_unread(tap, folder)
        check_pairs(tap)
        check_carried(tap, folder)
        check_processor(tap, folder)
        check_unknown_root(tap)
        check_bars(tap, folder)
        check_iommu(tap, folder)
        check_virtual(tap, folder)
        check_unknown_iommu(tap, folder)
        check_pointers(tap)
        check_drawings(tap, folder)
        check_dot(tap)
        check_errors(tap, folder)
        check_hosts(tap, folder)
        check_order(tap, folder)
        check_recorded(tap, folder)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
