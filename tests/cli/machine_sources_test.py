#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""machine_sources_test.py - one machine as a directory, archives, a dump and standard input.

What a file is its content tells. All forms of one machine say the same; what is broken exits with 2,
names the file and the place, and writes nothing to standard output.
"""

import gzip
import io
import lzma
import os
import struct
import sys
import tarfile
import tempfile

from support import Tap, run


# ---- a machine made by hand: a root port, a switch with two endpoints ----

def config(layout, kind, size=4096, bar=0, buses=(0, 0, 0)):
    data = bytearray(size)
    struct.pack_into("<HHHH", data, 0, 0x1234, 0x1111, 6, 0x10)
    data[0x0e] = layout
    data[0x34] = 0x40
    data[0x40] = 0x10
    data[0x42] = 2 | kind << 4
    struct.pack_into("<I", data, 0x10, bar)
    if layout:
        data[0x18:0x1b] = bytes(buses)
        struct.pack_into("<HHHH", data, 0x20, 0xc000, 0xcff0, 0xfff0, 0)
    return bytes(data)


PORT = "pci0000:00/0000:00:01.0"
UP = PORT + "/0000:01:00.0"
MACHINE = {
    PORT: config(1, 4, buses=(0, 1, 4)),
    UP: config(1, 5, buses=(1, 2, 4)),
    UP + "/0000:02:00.0": config(1, 6, buses=(2, 3, 3)),
    UP + "/0000:02:00.0/0000:03:00.0": config(0, 0, bar=0xc0000000),
    UP + "/0000:02:01.0": config(1, 6, buses=(2, 4, 4)),
    UP + "/0000:02:01.0/0000:04:00.0": config(0, 0, bar=0xc0100000),
}


def files(front=""):
    for path, data in MACHINE.items():
        yield front + "sys/devices/" + path + "/config", data
        bar = struct.unpack_from("<I", data, 0x10)[0]
        lines = ["0x%016x 0x%016x 0x%016x" % ((bar, bar + 0xfff, 0x40200) if bar else (0, 0, 0))]
        lines += ["0x0 0x0 0x0"] * 12
        yield front + "sys/devices/" + path + "/resource", "\n".join(lines).encode()


def links(front=""):
    for path in MACHINE:
        yield front + "sys/bus/pci/devices/" + os.path.basename(path), "../../../devices/" + path


def write(folder):
    for path, data in files():
        path = os.path.join(folder, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)
    for path, target in links():
        path = os.path.join(folder, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.symlink(target, path)


def archive(front="", form=tarfile.GNU_FORMAT, extra=None):
    """@extra: (name, type, target) of a file more."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as tar:
        if extra:
            info = tarfile.TarInfo(extra[0])
            info.type, info.linkname = extra[1], extra[2]
            tar.addfile(info)
        for path, data in files(front):
            info = tarfile.TarInfo(path)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        for path, target in links(front):
            info = tarfile.TarInfo(path)
            info.type, info.linkname = tarfile.SYMTYPE, target
            tar.addfile(info)
    return out.getvalue()


def dump(size=4096, domain=True):
    lines = []
    for path, data in MACHINE.items():
        name = os.path.basename(path)
        lines.append((name if domain else name[5:]) + " A device: of some kind (rev 01)")
        for at in range(0, size, 16):
            lines.append("%02x: " % at + " ".join("%02x" % byte for byte in data[at:at + 16]))
        lines.append("")
    return "\n".join(lines).encode()


# ---- checks ----

def ask(platform, stdin=b""):
    return run("p2p", platform, "--policy", "linux", "--format", "json", stdin=stdin)


def check_forms(tap, folder, expected):
    plain = archive()
    forms = {
        "plain.tar": plain,
        "packed.tar.gz": gzip.compress(plain),
        "packed.tar.xz": lzma.compress(plain),
        "folder.tar": archive("box/"),
        "dots.tar": archive("./box/"),
        "pax.tar": archive("box/", tarfile.PAX_FORMAT),
        "ustar.tar": archive("box/", tarfile.USTAR_FORMAT),
        "no-name-that-helps": lzma.compress(archive("box/")),
    }
    for name, data in forms.items():
        path = os.path.join(folder, name)
        with open(path, "wb") as file:
            file.write(data)
        tap.equal(ask(path).out, expected, name)
        tap.equal(ask("-", data).out, expected, name + ", by standard input")


def check_strange(tap, expected):
    """Files that do not belong to a machine change nothing."""
    for what, extra in {
            "a name that is not in ASCII": ("box/\u00e4rger/\u65e5\u672c", tarfile.REGTYPE, ""),
            "a device": ("box/dev/null", tarfile.CHRTYPE, ""),
            "a pipe": ("box/pipe", tarfile.FIFOTYPE, ""),
            "a path that leads out": ("../../etc/passwd", tarfile.REGTYPE, ""),
            "a link that leads out": ("box/etc", tarfile.SYMTYPE, "/etc"),
            "a link to itself": ("box/self", tarfile.SYMTYPE, "self"),
            "a file that is another one, which is not there": ("box/a", tarfile.LNKTYPE, "box/b"),
            "the root": ("/", tarfile.DIRTYPE, "")}.items():
        for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
            tap.equal(ask("-", archive("box/", form, extra)).out, expected, what)
    tap.equal(ask("-", archive("/")).out, expected, "paths from the root on")


def verdicts(result):
    return [(pair["a"], pair["b"], pair["verdict"], pair["certain"], pair["distance"])
            for pair in result.json()["pairs"]]


def check_dumps(tap, folder, expected):
    path = os.path.join(folder, "some.txt")
    for domain in (True, False):
        with open(path, "wb") as file:
            file.write(dump(domain=domain))
        result = ask(path)
        tap.equal(verdicts(result), verdicts(expected), "a dump says the same, domains: %s" % domain)
        tap.equal(ask("-", dump(domain=domain)).out, result.out, "and by standard input")
    short = ask("-", dump(size=64))
    tap.check(short.status == 0 and not any(pair["certain"] for pair in short.json()["pairs"]
                                            if pair["a"] != pair["b"] and pair["verdict"] == "switch"),
              "of 64 bytes ACS is unknown", short)


def refused(tap, what, result, *words):
    tap.check(result.status == 2 and result.out == "" and all(word in result.err for word in words),
              what, result)


def check_broken(tap, folder):
    whole = lzma.compress(archive("box/"))
    tar = archive("box/")
    path = os.path.join(folder, "cut.tar.xz")
    with open(path, "wb") as file:
        file.write(whole[:len(whole) // 2])
    refused(tap, "a cut archive", ask(path), path, "truncated xz")
    refused(tap, "the same by standard input", ask("-", whole[:-20]), "standard input")
    refused(tap, "one cut between two files", ask("-", tar[:512 + 4096]), "cut")
    refused(tap, "a packed one of something else", ask("-", gzip.compress(b"words\n" * 500)),
            "standard input: archive")
    refused(tap, "a path that is too long",
            ask("-", archive("box/", extra=("d/" * 1500, tarfile.DIRTYPE, ""))), "too long")
    refused(tap, "an archive without a machine", ask("-", tar_of("readme", b"words")), "sys: not there")
    lines = dump().split(b"\n")
    lines[3] = lines[3][:-1]
    refused(tap, "a row that is cut", ask("-", b"\n".join(lines)), "line 4", "digits")
    refused(tap, "a dump without registers", ask("-", b"00:01.0 PCI bridge: of some kind\n"),
            "lspci -xxxx")
    refused(tap, "a directory without a machine", ask(folder), folder, "sys: ")
    refused(tap, "nothing", ask("-", b""), "standard input")
    refused(tap, "words", ask("-", b"words\n"), "standard input")


def tar_of(name, data):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        info = tarfile.TarInfo(name)
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        machine = os.path.join(folder, "machine")
        write(machine)
        expected = ask(machine)
        tap.equal(verdicts(expected), [
            ("0000:03:00.0", "0000:03:00.0", "switch", True, 0),
            ("0000:03:00.0", "0000:04:00.0", "switch", True, 4),
            ("0000:04:00.0", "0000:03:00.0", "switch", True, 4),
            ("0000:04:00.0", "0000:04:00.0", "switch", True, 0)], "a directory")
        check_forms(tap, folder, expected.out)
        check_strange(tap, expected.out)
        check_dumps(tap, folder, expected)
        empty = os.path.join(folder, "empty")
        os.mkdir(empty)
        check_broken(tap, empty)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
