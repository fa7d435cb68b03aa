#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""svg_test.py - `busway show --format svg`: pictures can be read, and nothing is missing in them.

What can be told without eyes: that the file is sound and complete by itself, that no text lies
upon another or leaves the picture, and that all that JSON tells is drawn. BUSWAY_SVG_MARKS names
the program that draws findings into a picture (tests/cli/svg_marks.c).
"""

import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

from goldens import real_trees
from support import ROOT, Tap, board, board_names, compile_tree, run, show

NAMESPACE = "{http://www.w3.org/2000/svg}"
WIDTH = 0.602  # of a character of the widest of the usual monospaced fonts, in em
PICTURE = os.path.join(ROOT, "docs", "pictures", "rpi4-8g-pcie.svg")
PICTURE_OF = ("show", board("rpi4-8g"), "pcie@7d500000", "--format", "svg")


def number(text):
    return int(text, 16)


# ---- reading a picture ----

class Text:
    def __init__(self, element):
        self.words = "".join(element.itertext())
        title = element.find(NAMESPACE + "title")
        shown = self.words[len(title.text):] if title is not None else self.words
        size = int(element.get("font-size"))
        width = len(shown) * size * WIDTH
        x, y = int(element.get("x")), int(element.get("y"))
        anchor = element.get("text-anchor", "start")
        self.shown, self.size = shown, size
        self.left = x - {"start": 0, "middle": width / 2, "end": width}[anchor]
        self.right = self.left + width
        self.top, self.bottom = y - 0.76 * size, y + 0.22 * size

    def __repr__(self):
        return "%r at %d,%d" % (self.shown, self.left, self.bottom)


class Picture:
    def __init__(self, source):
        self.source = source
        self.root = ElementTree.fromstring(source)
        self.view = [int(part) for part in self.root.get("viewBox").split()]
        self.texts = [Text(one) for one in self.root.iter(NAMESPACE + "text")]
        self.titles = [one.text or "" for one in self.root.iter(NAMESPACE + "title")]
        self.all = "\n".join(self.titles + [one.words for one in self.texts])

    def overlaps(self):
        """Pairs of texts that lie upon each other."""
        texts = sorted(self.texts, key=lambda text: text.top)
        for i, one in enumerate(texts):
            for other in texts[i + 1:]:
                if other.top >= one.bottom:
                    break
                if one.left < other.right and other.left < one.right:
                    yield "%r and %r" % (one, other)

    def outside(self):
        """What leaves the picture."""
        _, _, width, height = self.view
        for text in self.texts:
            if text.left < 0 or text.right > width or text.top < 0 or text.bottom > height:
                yield repr(text)
        for tag, names in (("rect", "x y width height"), ("line", "x1 y1 x2 y2")):
            for one in self.root.iter(NAMESPACE + tag):
                a, b, c, d = (int(one.get(name)) for name in names.split())
                right, bottom = (a + c, b + d) if tag == "rect" else (max(a, c), max(b, d))
                if min(a, b, c, d) < 0 or right > width or bottom > height:
                    yield "%s %s" % (tag, one.attrib)
        for one in self.root.iter(NAMESPACE + "polygon"):
            for x, y in (point.split(",") for point in one.get("points").split()):
                if not (0 <= int(x) <= width and 0 <= int(y) <= height):
                    yield "polygon %s" % one.get("points")

    def complaints(self):
        yield from list(self.overlaps())[:5]
        yield from list(self.outside())[:5]
        if min(text.size for text in self.texts) < 11:
            yield "a text is too small"
        if not (self.root.get("role") == "img" and self.root.get("aria-label") and
                self.root.find(NAMESPACE + "title") is not None and
                self.root.find(NAMESPACE + "desc") is not None):
            yield "no title, description or role for those who do not see it"
        for one in self.root.iter():
            if one.tag.rpartition("}")[2] in ("script", "image", "style", "foreignObject", "a"):
                yield "there is a %s" % one.tag
            if any("href" in name or name.startswith("on") for name in one.attrib):
                yield "something leads out of the file: %s" % one.attrib
        if re.search(r"https?://(?!www\.w3\.org/2000/svg)", self.source):
            yield "something is fetched"

    def has_range(self, first, last):
        """A tooltip with exactly this range."""
        return re.search(r"\b0x%x\.\.0x%x\b" % (first, last), self.all) is not None


def draw(*arguments):
    result = run("show", *arguments, "--format", "svg")
    if result.status != 0:
        raise AssertionError(str(result))
    return Picture(result.out)


# ---- is all of it there? ----

def end_of(base, size):
    return number(base) + number(size) - 1


def missing_of_device(picture, device):
    """What JSON tells of a device and the picture does not."""
    for window in device["dma"]["windows"]:
        first, last = number(window["bus"]), end_of(window["bus"], window["size"])
        if not picture.has_range(first, last) and \
                not all(any(one in text for text in picture.titles)
                        for one in ("0x%x.." % first, "..0x%x" % last)):
            yield "window %s" % window
    for piece in device["reach"] or ():
        if "0x%x.." % number(piece["cpu"]) not in picture.all:
            yield "reach %s" % piece
        if "0x%x.." % number(piece["dma"]) not in picture.all:
            yield "address of %s" % piece


def missing_of_platform(picture, platform):
    for bank in platform["memory"]:
        if "0x%x.." % number(bank["base"]) not in picture.all:
            yield "bank %s" % bank
    for pool in platform["pools"]:
        if pool["node"] not in picture.all:
            yield "pool %s" % pool["node"]
        elif pool["base"] and number(pool["size"]) and \
                "0x%x.." % number(pool["base"]) not in picture.all:
            yield "place of pool %s" % pool["node"]


def missing(picture, document):
    """All of it, for an overview: views that nothing limits have their lane only."""
    yield from missing_of_platform(picture, document["platform"])
    for device in document["devices"]:
        if not device["enabled"]:
            continue
        if device["path"] not in picture.all:
            yield device["path"]
        if device["dma"]["restricted"]:
            yield from missing_of_device(picture, device)


def check_picture(tap, what, platform, *device):
    picture = draw(platform, *device)
    wrong = list(picture.complaints())
    document = show(platform, *device)
    if not device:
        wrong += list(missing(picture, document))
    else:
        wrong += list(missing_of_device(picture, document["devices"][0]))
        wrong += list(missing_of_platform(picture, document["platform"]))
    tap.check(not wrong, what, "\n".join(str(one)[:300] for one in wrong[:20]))


# ---- trees ----

def many_windows(count):
    """A bus with @count windows on a bus of its own, scattered banks, and 100 devices."""
    def cells(value):
        return "0x%x 0x%x" % (value >> 32, value & 0xffffffff)

    inner = ["%s %s %s" % (cells(i << 36), cells((count - i) << 34), cells(1 << (20 + i % 14)))
             for i in range(count)]
    outer = ["%s %s %s" % (cells(i << 35), cells((i * 7 % 20 << 35) + (1 << 33)), cells(3 << 33))
             for i in range(20)]
    banks = ["%s %s" % (cells((i << 36) + (1 << 33)), cells(1 << (28 + i % 5))) for i in range(12)]
    devices = "".join("dma-controller@%x { reg = <0 0x%x 0 0x100>; #dma-cells = <1>; };\n" % (i, i)
                      for i in range(0x1000, 0x1000 + 100 * 0x100, 0x100))
    return """/dts-v1/;
/ { model = "many windows"; compatible = "test,many"; #address-cells = <2>; #size-cells = <2>;
    memory@200000000 { device_type = "memory"; reg = <%s>; };
    outer { compatible = "simple-bus"; #address-cells = <2>; #size-cells = <2>; ranges;
        dma-ranges = <%s>;
        inner-bus-with-a-rather-long-name-that-cannot-be-shown-as-it-is { compatible = "simple-bus";
            #address-cells = <2>; #size-cells = <2>; ranges; dma-ranges = <%s>;
            %s }; }; };
""" % (">, <".join(banks), ">, <".join(outer), ">, <".join(inner), devices)


HOSTILE = """/dts-v1/;
/ { model = "PLACEHOLDER-FOR-THE-NAME-OF-A-MODEL"; compatible = "test";
    #address-cells = <1>; #size-cells = <1>;
    memory@0 { device_type = "memory"; reg = <0 0x80000000>; };
    reserved-memory { #address-cells = <1>; #size-cells = <1>; ranges;
        PLACEHOLDERPOOL@1000000 { reg = <0x1000000 0x100000>; }; };
    PLACEHOLDERBUS { compatible = "simple-bus"; #address-cells = <1>; #size-cells = <1>; ranges;
        dma-ranges = <0 0x10000000 0x20000000>;
        PLACEHOLDERDMA@1000 { compatible = "test,dma"; reg = <0x1000 0x100>; #dma-cells = <1>; };
    }; };
"""


def check_hostile(tap, folder):
    source, blob = os.path.join(folder, "hostile.dts"), os.path.join(folder, "hostile.dtb")
    with open(source, "w", encoding="ascii") as file:
        file.write(HOSTILE)
    compile_tree(source, blob)
    with open(blob, "rb") as file:
        tree = file.read()
    # the importer refuses control characters in names of nodes, and takes them in other text
    for place, bad in ((b"PLACEHOLDER-FOR-THE-NAME-OF-A-MODEL",
                        b"</title><script>&\x01\xff\xc3(\"'>"),
                       (b"PLACEHOLDERPOOL", b"<b>&amp;\"]]>"), (b"PLACEHOLDERBUS", b"\"'><x>a='"),
                       (b"PLACEHOLDERDMA", b"%s%n&#0;")):
        tree = tree.replace(place, bad + b"_" * (len(place) - len(bad)))
    with open(blob, "wb") as file:
        file.write(tree)
    result = run("show", blob, "--all", "--format", "svg")
    tap.equal(result.status, 0, "names that are no names make a picture")
    try:
        picture = Picture(result.out)
    except ElementTree.ParseError as error:
        tap.check(False, "names cannot break the markup", error)
        return
    wrong = list(picture.complaints())
    tap.check(not wrong and "script" not in {one.tag for one in picture.root.iter()} and
              "</title><script>&" in picture.all and "%s%n&#0;" in picture.all,
              "names stand in the picture as they are, escaped", wrong or picture.all[:1000])
    tap.check(all(character == "\n" or " " <= character <= "~" or character == "\u2026"
                  for character in result.out), "no control characters, no broken UTF-8")


def check_many(tap, folder):
    path = os.path.join(folder, "many.dts")
    with open(path, "w", encoding="ascii") as file:
        file.write(many_windows(40))
    check_picture(tap, "40 windows upon 20 windows, 100 devices", path)
    check_picture(tap, "40 windows upon 20 windows, one device", path, "dma-controller@1000")
    picture = draw(path)
    tap.check("and 99 others" in picture.all, "devices that share a view share a picture")
    labels = [text for text in picture.texts if text.shown.startswith("window ")
              and ", " in text.shown and "usable" not in text.shown]
    tap.equal(len(labels), 60, "each window has its label")


def check_marks(tap):
    program = os.environ.get("BUSWAY_SVG_MARKS")
    if not program:
        tap.skip("findings are drawn", "BUSWAY_SVG_MARKS is not set")
        return
    node = "/scb/pcie@7d500000"
    marks = ((node, "dma-ranges", "error", "0", "0", "none"),
             (node, "dma-ranges", "warning", "0xf8000000", "0xf8000fff", "bus"),
             ("/memory@0", "reg", "note", "0", "0", "none"),
             ("/memory@0", "", "error", "0x100001000", "0x100002000", "cpu"),
             ("/nowhere", "", "note", "0", "0", "none"))
    for device, least in (("pcie@7d500000", 2), ("-", 3)):
        found = subprocess.run([program, board("rpi4-8g"), device] + [w for m in marks for w in m],
                               capture_output=True, timeout=60, check=True).stdout.decode()
        picture = Picture(found)
        wrong = list(picture.complaints())
        flags = [text.shown for text in picture.texts if re.fullmatch(r"\d", text.shown)]
        for i in range(1, 5):
            if flags.count(str(i)) < 2:
                wrong.append("flag %d stands %d times" % (i, flags.count(str(i))))
        if flags.count("5") != 1:
            wrong.append("a finding without a place is told once: %s" % flags)
        if sum("some-code" in text.shown for text in picture.texts) != len(marks):
            wrong.append("not all findings are told")
        tap.check(not wrong and len(flags) > least, "findings are drawn and told (%s)" % device,
                  "\n".join(wrong))


def check_options(tap):
    picture = draw(board("rpi4-8g"), "ethernet@7d580000", "--mask", "32")
    tap.check("mask of 32 bits" in picture.all and "out of reach" in picture.all,
              "a mask is drawn, and what it leaves out of reach")
    picture = draw(board("rpi4-8g"), "ethernet@7d580000", "--mask", "33", "--coherent-mask", "30")
    tap.check("coherent mask of 30 bits" in picture.all and not list(picture.complaints()) and
              "mask of 33 bits" in picture.all, "two masks are two lines")
    picture = draw(board("stingray"), "pcie@48000000")
    tap.check("out of reach" in picture.all and "hole" in picture.all and
              "aperture" in picture.all, "holes, apertures and what is out of reach are told")
    for command in (("why", "pcie@7d500000", "0"), ("map", "pcie@7d500000", "0+4K")):
        result = run(command[0], board("rpi4-8g"), *command[1:], "--format", "svg")
        tap.check(result.status == 2 and not result.out and "svg" in result.err,
                  "%s draws no picture, and says so" % command[0], result)


def check_iovas(tap):
    """What can be used and what was taken away has its place, in full."""
    cases = [(name,) for name in board_names()] + [
        ("juno-r1", "pcie@40000000,usb@7ffc0000", "--reported", "vfio=0-0x7ffffff,0x8100000+1T"),
        ("stingray-windows", "pcie@48000000", "--mask", "40"), ("xgene-mustang", "pcie@1f2b0000")]
    for name, *arguments in cases:
        picture = draw(board(name), "--iova", *arguments)
        wrong = list(picture.complaints())
        found = run("show", board(name), "--iova", *arguments, "--format", "json").json()["groups"]
        for group in found:
            ranges = group["iova"]["allowed"] + group["iova"]["removed"]
            wrong += [one for one in ranges
                      if not picture.has_range(number(one["first"]), number(one["last"]))]
            wrong += [path for path in group["devices"] if path not in picture.all]
            wrong += [one for one in group["iova"]["removed"] if one["by"] not in picture.all]
        green = sum(one.get("fill") == "#bfe8d8" for one in picture.root.iter(NAMESPACE + "rect"))
        usable = sum(len(group["iova"]["allowed"]) for group in found)
        if green != usable + bool(usable):  # and the legend
            wrong.append("%d boxes look usable, of %d ranges" % (green, usable))
        tap.check(not wrong, "IOVAs of %s" % " ".join((name, *arguments)),
                  "\n".join(str(one)[:300] for one in wrong[:20]))


def main():
    tap = Tap()
    for name in board_names():
        check_picture(tap, "overview of " + name, board(name))
        for device in show(board(name))["devices"]:
            if device["dma"]["restricted"] or device["kind"] != "platform":
                check_picture(tap, "%s: %s" % (name, device["path"]), board(name), device["path"])
    for path in sorted(real_trees().values(), key=os.path.basename):
        check_picture(tap, "overview of " + os.path.basename(path), path)
    with tempfile.TemporaryDirectory(prefix="busway-svg-") as folder:
        check_many(tap, folder)
        check_hostile(tap, folder)
    check_iovas(tap)
    check_marks(tap)
    check_options(tap)
    first, second = run(*PICTURE_OF), run(*PICTURE_OF)
    tap.check(first.out == second.out, "the same platform makes the same bytes")
    with open(PICTURE, encoding="utf-8") as file:
        tap.check(file.read() == first.out, "the picture in docs/ is what the command draws",
                  "busway %s > docs/pictures/%s" % (" ".join(PICTURE_OF[0:1] + (
                      "boards/rpi4-8g.dts",) + PICTURE_OF[2:]), os.path.basename(PICTURE)))
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
