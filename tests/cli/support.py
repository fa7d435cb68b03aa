# SPDX-License-Identifier: BSD-2-Clause
"""support.py - what the tests of the command share: running it, TAP, shapes of JSON.

The command is the one that the environment names by BUSWAY; the sources are found from here.
Only the standard library, so that the tests run wherever Busway is built.
"""

import json
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BOARDS = os.path.join(ROOT, "boards")
TREES = os.path.join(ROOT, "tests", "import", "trees")
BUSWAY = os.environ.get("BUSWAY", "busway")
TIMEOUT = 60  # seconds for one call


def board(name):
    return os.path.join(BOARDS, name + ".dts")


def tree(name):
    return os.path.join(TREES, name + ".dts")


def board_names():
    return sorted(name[:-4] for name in os.listdir(BOARDS) if name.endswith(".dts"))


# ---- TAP ----

class Tap:
    """Checks, one TAP line each. `done()` prints the plan and is the exit status."""

    def __init__(self):
        self.count = self.failed = 0

    def check(self, ok, what, why=None):
        """A check that is known to have held or not; why: what to tell if it has not."""
        self.count += 1
        print("%s %d - %s" % ("ok" if ok else "not ok", self.count, what.replace("#", "\\#")))
        if not ok:
            self.failed += 1
            for line in str(why if why is not None else "").splitlines():
                print("#   " + line)
        return ok

    def equal(self, found, expected, what):
        return self.check(found == expected, what, "expected: %s\nfound:    %s" % (
            as_line(expected), as_line(found)))

    def skip(self, what, why):
        self.count += 1
        print("ok %d - %s # SKIP %s" % (self.count, what, why))

    def done(self):
        print("1..%d" % self.count)
        sys.stdout.flush()
        return 1 if self.failed else 0


def as_line(value, limit=600):
    line = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return line if len(line) <= limit else line[:limit] + "..."


# ---- running ----

class Result:
    def __init__(self, command, status, out, err):
        self.command, self.status, self.out, self.err = command, status, out, err

    def __str__(self):
        return "%s\nstatus %s\n%s%s" % (" ".join(self.command), self.status, self.out[:2000],
                                        self.err[:2000])

    def json(self):
        return json.loads(self.out)


def run(*arguments, stdin=b""):
    """The command with these arguments."""
    command = [BUSWAY] + [str(argument) for argument in arguments]
    environment = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    done = subprocess.run(command, input=stdin, capture_output=True, timeout=TIMEOUT,
                          env=environment)
    return Result(command, done.returncode, done.stdout.decode("utf-8"),
                  done.stderr.decode("utf-8", "replace"))


def ask(*arguments):
    """(status, document) of the command with --format json."""
    result = run(*arguments, "--format", "json")
    if result.status not in (0, 1):
        raise AssertionError(str(result))
    return result.status, result.json()


def show(platform, *arguments):
    return ask("show", platform, *arguments)[1]


def compile_tree(source, out):
    subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", out, source], check=True)
    return out


def reasons():
    """The codes of refusals, from the header that lists them."""
    with open(os.path.join(ROOT, "include", "busway", "refusal.h"), encoding="utf-8") as header:
        return set(re.findall(r'X\(BUSWAY_\w+, "([a-z-]+)"', header.read()))


# ---- shapes ----
#
# A shape is what the JSON must look like: a type, a tuple of alternatives, a list of one shape, a
# dictionary of shapes (keys that end in "?" may be left out), or a function that returns a
# complaint or None. Keys that a shape does not list are allowed: the contract says so.

def hexadecimal(value):
    """Lower case, with 0x, without leading zeroes."""
    if not isinstance(value, str) or not re.fullmatch(r"0x(0|[1-9a-f][0-9a-f]*)", value):
        return "%r is no address or size" % (value,)
    if int(value, 16) > 1 << 64:
        return "%s is beyond 2^64" % value
    return None


def one_of(*words):
    return lambda value: None if value in words else "%r is none of %s" % (
        value, ", ".join(str(word) for word in words))


def text(value):
    return None if isinstance(value, str) and value else "%r is no text" % (value,)


def mismatches(value, shape, where="$"):
    """Yield what is wrong with the value."""
    if isinstance(shape, tuple):
        found = [list(mismatches(value, one, where)) for one in shape]
        if all(found):
            yield from min(found, key=len)
    elif isinstance(shape, list):
        if not isinstance(value, list):
            yield "%s: %r is no list" % (where, value)
            return
        for index, item in enumerate(value):
            yield from mismatches(item, shape[0], "%s[%d]" % (where, index))
    elif isinstance(shape, dict):
        if not isinstance(value, dict):
            yield "%s: %r is no object" % (where, value)
            return
        for key, inner in shape.items():
            name = key.rstrip("?")
            if name in value:
                yield from mismatches(value[name], inner, "%s.%s" % (where, name))
            elif not key.endswith("?"):
                yield "%s.%s: missing" % (where, name)
    elif shape is None:
        if value is not None:
            yield "%s: %r is not null" % (where, value)
    elif isinstance(shape, type):
        if not isinstance(value, shape) or (shape is int and isinstance(value, bool)):
            yield "%s: %r is no %s" % (where, value, shape.__name__)
    else:
        complaint = shape(value)
        if complaint:
            yield "%s: %s" % (where, complaint)


REASONS = reasons()

REFUSAL = {"code": one_of(*REASONS), "hop": text, "detail": text, "advice": (text, None)}

ID_MAP = {"id_base": (hexadecimal, None), "id_count": (hexadecimal, None),
          "out_base": (hexadecimal, None), "id_mask?": hexadecimal, "cells?": [hexadecimal]}

DMA = {"restricted": bool, "source": (text, None),
       "windows": [{"bus": hexadecimal, "cpu": hexadecimal, "size": hexadecimal}],
       "limit": (hexadecimal, None), "bus_limit": (hexadecimal, None),
       "error?": one_of("untranslatable", "empty-table")}

REACH = ([{"dma": hexadecimal, "cpu": hexadecimal, "size": hexadecimal, "target": text}], None)

DEVICE = {
    "path": text,
    "kind": one_of("platform", "pcie-host", "pci-host", "pcie-endpoint", "pci-function", "iommu"),
    "enabled": bool,
    "coherence": one_of("coherent", "noncoherent", "arch-default"),
    "dma": DMA,
    "reach": REACH,
    "iommu": [{**ID_MAP, "node": text}],
    "msi": [{**ID_MAP, "controller": text}],
    "outbound": [{"kind": one_of("io", "mem32", "mem64"), "bus": hexadecimal,
                  "cpu": (hexadecimal, None), "size": hexadecimal, "prefetchable": bool}],
    "pools": [text],
    "endpoint": ({"outbound": ({"base": hexadecimal, "size": hexadecimal}, None),
                  "ob_windows": (int, None), "ib_windows": (int, None),
                  "max_functions": (int, None)}, None),
    "own?": {"dma": DMA, "reach": REACH},
}

POOL = {"node": text, "type": one_of("restricted", "shared", "reserved"),
        "base": (hexadecimal, None), "size": hexadecimal, "no_map": bool, "reusable": bool,
        "enabled": bool, "valid": bool, "users": [text], "alignment?": (hexadecimal, None),
        "alloc_ranges?": [{"base": hexadecimal, "size": hexadecimal}]}

SHOW = {
    "schema": one_of("busway-show/1"),
    "platform": {"source": text, "model": (str, None), "compatible": [text],
                 "memory": [{"node": text, "base": hexadecimal, "size": hexadecimal,
                             "usable": hexadecimal}],
                 "pools": [POOL]},
    "devices": [DEVICE],
}

SEGMENT = {"dma": hexadecimal, "size": hexadecimal}

MAP = {
    "schema": one_of("busway-map/1"),
    "device": text,
    "mask": int,
    "results": [({"phys": hexadecimal, "size": hexadecimal, "ok": one_of(True),
                  "how": one_of("direct", "bounce", "iommu", "p2p"), "segments": [SEGMENT]},
                 {"phys": hexadecimal, "size": hexadecimal, "ok": one_of(False),
                  "refusal": REFUSAL})],
}

WHY = {
    "schema": one_of("busway-why/1"),
    "device": text,
    "address": hexadecimal,
    "size": hexadecimal,
    "ok": bool,
    "hops": [{"space": text, "first": hexadecimal, "last": hexadecimal, "via": (text, None)}],
    "target": (dict, None),
    "refusal": (REFUSAL, None),
}

ALLOC = {
    "schema": one_of("busway-alloc/1"),
    "ok": bool,
    "phys": (hexadecimal, None),
    "size": hexadecimal,
    "devices": [{"path": text, "dma": (hexadecimal, None)}],
    "refusal": (REFUSAL, None),
}
