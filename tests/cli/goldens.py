# SPDX-License-Identifier: BSD-2-Clause
"""goldens.py - what the golden files hold: used to write them and to compare with them.

tests/goldens/SHA256.json      `busway show --all --format json` of the real device tree whose file
                               has that SHA-256, without platform.source; one device a line. The
                               trees themselves are not ours and not in the repository.
tests/goldens/boards/NAME.txt  what `busway` prints about boards/NAME.dts, as a transcript
tests/goldens/check/NAME.FORM  what `busway check` says about some boards, and about mistakes of
                               history (tests/check/history); SARIF without the list of rules
tests/goldens/p2p/NAME.txt     what `busway p2p` says of tests/data/machines/NAME, as a transcript
"""

import hashlib
import json
import os

from support import BOARDS, ROOT, board_names, run, show

GOLDENS = os.path.join(ROOT, "tests", "goldens")
HOSTS = ("pcie-host", "pci-host")


def data_folder():
    """Where real device trees may be, or None."""
    for folder in (os.environ.get("BUSWAY_TEST_DATA"), os.path.join(ROOT, "..", "shared", "data")):
        if folder and os.path.isdir(os.path.join(folder, "dtb")):
            return os.path.join(folder, "dtb")
    return None


def real_trees():
    """{SHA-256: path} of the device trees at hand."""
    found = {}
    folder = data_folder()
    for name in sorted(os.listdir(folder)) if folder else ():
        if name.endswith(".dtb"):
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                found[hashlib.sha256(file.read()).hexdigest()] = path
    return found


def json_path(digest):
    return os.path.join(GOLDENS, digest + ".json")


def known():
    """The digests that there are goldens for."""
    return sorted(name[:-5] for name in os.listdir(GOLDENS) if name.endswith(".json"))


def document(path):
    found = show(path, "--all")
    found["platform"].pop("source")
    return found


def as_json(found):
    """One line for the platform's keys, one for each device: short, and good to compare."""
    lines = ['{"schema": %s,' % json.dumps(found["schema"]), '"platform": {']
    platform = ['%s: %s' % (json.dumps(key), json.dumps(value, ensure_ascii=False))
                for key, value in found["platform"].items()]
    lines += [line + "," for line in platform[:-1]] + platform[-1:] + ["},", '"devices": [']
    devices = [json.dumps(one, ensure_ascii=False) for one in found["devices"]]
    lines += [line + "," for line in devices[:-1]] + devices[-1:] + ["]}"]
    return "\n".join(lines) + "\n"


def commands(name):
    """What the transcript of a board shows."""
    source = name + ".dts"
    devices = show(os.path.join(BOARDS, source))["devices"]
    one = next((d for d in devices if d["kind"] in HOSTS), devices[0])["path"]
    first = show(os.path.join(BOARDS, source))["platform"]["memory"][-1]
    last = hex(int(first["base"], 16) + int(first["size"], 16) - 0x1000)
    return (("show", source), ("show", source, one, "-v"), ("show", source, "--mask", "32", "-q"),
            ("map", source, one, last + "+4K", "--mask", "32"),
            ("why", source, one, last + "+4K"))


def transcript(name):
    text = ""
    before = os.getcwd()
    os.chdir(BOARDS)
    try:
        for command in commands(name):
            result = run(*command)
            text += "$ busway %s\n%s%s" % (" ".join(command), result.out, result.err)
            text += "(%d)\n\n" % result.status
    finally:
        os.chdir(before)
    return text


# name of the golden: folder and arguments
CHECKS = {
    "rpi4-8g": (BOARDS, ("rpi4-8g.dts",)),
    "rpi5": (BOARDS, ("rpi5.dts",)),
    "stingray": (BOARDS, ("stingray.dts", "--suppress", "memory-unreachable:/pcie@*")),
    "all-boards": (ROOT, ("boards", "--fail-on", "warning")),
    "history": (os.path.join(ROOT, "tests", "check", "history"), (".",)),
}
FORMS = ("text", "json", "sarif")


def check_path(name, form):
    return os.path.join(GOLDENS, "check", name + "." + {"text": "txt"}.get(form, form))


def check_answer(name, form):
    folder, arguments = CHECKS[name]
    before = os.getcwd()
    os.chdir(folder)
    try:
        result = run("check", *arguments, "--format", form, *(("-v",) if form == "text" else ()))
    finally:
        os.chdir(before)
    if form == "text":
        return result.out + result.err + "(%d)\n" % result.status
    document_of = result.json()
    for one in document_of.get("runs", ()):
        for key in ("rules", "version"):  # the pages, which have tests of their own
            one["tool"]["driver"].pop(key)
    return json.dumps(document_of, indent=1, ensure_ascii=False) + "\n"


MACHINES = os.path.join(ROOT, "tests", "data", "machines")


def machine_names():
    return sorted(os.listdir(MACHINES))


def p2p_path(name):
    return os.path.join(GOLDENS, "p2p", name + ".txt")


def p2p_transcript(name):
    """The matrix in both views, and what its first device reaches."""
    text = ""
    before = os.getcwd()
    os.chdir(MACHINES)
    try:
        for command in ((name, "-v"), (name, "--policy", "linux"), (name, "--cpu", "zen", "-q"),
                        (name, "--format", "dot")):
            result = run("p2p", *command)
            text += "$ busway p2p %s\n%s%s" % (" ".join(command), result.out, result.err)
            text += "(%d)\n\n" % result.status
    finally:
        os.chdir(before)
    return text


def text_path(name):
    return os.path.join(GOLDENS, "boards", name + ".txt")


def boards():
    return board_names()
