#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""usage_test.py - command lines, inputs that cannot be read, and how devices are named.

Whatever is wrong: exit status 2, a word on standard error, and nothing on standard output.
"""

import os
import re
import subprocess
import sys
import tempfile

from support import BUSWAY, ROOT, Tap, board, compile_tree, run, show, tree

COMMANDS = {  # command: arguments that are right
    "show": (board("rpi4-8g"),),
    "why": (board("rpi4-8g"), "gpu@7ec00000", "0x1000"),
    "map": (board("rpi4-8g"), "gpu@7ec00000", "0x1000+4K"),
    "alloc": (board("rpi4-8g"), "gpu@7ec00000", "4K"),
}


DEVICE_COMMANDS = set(COMMANDS) | {"sim"}
EVERY_COMMAND = DEVICE_COMMANDS | {"check", "bench"}

OPTIONS = {  # option: a value, the commands that take it
    "--format": ("json", EVERY_COMMAND),
    "--color": ("never", EVERY_COMMAND),
    "--quiet": (None, EVERY_COMMAND),
    "--verbose": (None, EVERY_COMMAND),
    "--mask": ("32", DEVICE_COMMANDS),
    "--coherent-mask": ("32", DEVICE_COMMANDS),
    "--all": (None, DEVICE_COMMANDS),
    "--own": (None, DEVICE_COMMANDS),
    "--iova": (None, {"show"}),
    "--reported": ("0-0xfff", {"show"}),
    "--bypass-iommu": (None, {"why", "map", "alloc", "sim"}),
    "--access": ("read", {"why"}),
    "--align": ("4K", {"alloc"}),
    "--max-segment": ("4K", {"map", "alloc", "sim"}),
    "--boundary": ("4K", {"map", "alloc", "sim"}),
    "--max-segments": ("2", {"map", "alloc", "sim"}),
    "--fail-on": ("note", {"check"}),
    "--suppress": ("bank-overlap", {"check"}),
    "--suppressions": (os.devnull, {"check"}),
    "--explain": ("all", {"check"}),
    "--jobs": ("1", {"check"}),
    "--count": ("1", {"bench", "sim"}),
    "--seed": ("1", {"sim"}),
    "--script": (os.devnull, {"sim"}),
    "--pool": ("1M", {"sim"}),
    "--memory": ("0+1G", {"sim"}),
    "--min-align": ("4K", {"sim"}),
    "--default-coherent": (None, {"sim"}),
    "--iommu": ("strict", {"sim"}),
}


def refused(tap, what, *arguments, stdin=b"", words=()):
    result = run(*arguments, stdin=stdin)
    tap.check(result.status == 2 and not result.out and result.err.startswith("busway: ")
              and all(word in result.err for word in words), what, result)
    return result


def check_help(tap):
    with open(os.path.join(ROOT, "VERSION"), encoding="utf-8") as file:
        version = file.read().strip()
    tap.equal(run("--version").out, "busway %s\n" % version, "--version")
    overview = run("--help")
    tap.check(overview.status == 0 and not overview.err, "--help", overview)
    for command in [*COMMANDS, "check"]:  # check_test.py has the rest of check
        tap.check("\n  %s " % command in overview.out, "--help lists " + command, overview)
        for arguments in ((command, "--help"), (command, "nothing", "--help")):
            text = run(*arguments)
            tap.check(text.status == 0 and not text.err and
                      text.out.startswith("Usage: busway %s" % command), " ".join(arguments), text)
            tap.check("Exit status" in text.out and "--format" in text.out,
                      " ".join(arguments) + " tells of exit status and common options", text)
        tap.equal(run(command, "--version").out, "busway %s\n" % version, command + " --version")
    bare = run()
    tap.check(bare.status == 2 and not bare.out and bare.err, "no command", bare)


def check_command_lines(tap):
    refused(tap, "a command that there is not", "frobnicate", board("rpi4-8g"),
            words=("frobnicate",))
    for word in ("help", "--help", "-h"):
        tap.equal((run(word, "why").status, run(word, "why").out), (0, run("why", "--help").out),
                  word + " of a command")
        refused(tap, word + " of no command", word, "frobnicate", words=("frobnicate",))
        refused(tap, word + " of two commands", word, "why", "map", words=("'map' is too much",))
    refused(tap, "--version of something", "--version", "why", words=("'why' is too much",))
    refused(tap, "check of nothing", "check", words=("PLATFORM is missing",))
    for command, arguments in COMMANDS.items():
        refused(tap, command + " without a platform", command, words=("PLATFORM is missing",))
        if len(arguments) > 1:
            refused(tap, command + " without enough", command, *arguments[:-1],
                    words=("missing", "usage: busway " + command))
        if command != "map":
            refused(tap, command + " with too much", command, *arguments, "x", "y",
                    words=("'%s' is too much" % ("y" if command == "show" else "x"),
                           "usage: busway " + command))
        for what, options in (
                ("an option that there is not", ("--frobnicate",)),
                ("a short option that there is not", ("-x",)),
                ("--format of nothing", ("--format", "yaml")),
                ("--format without a value", ("--format",)),
                ("--mask 0", ("--mask", "0")),
                ("--mask 65", ("--mask", "65")),
                ("--mask that is no number", ("--mask", "many")),
                ("--mask -1", ("--mask", "-1")),
                ("--coherent-mask 65", ("--coherent-mask", "65")),
                ("--color of nothing", ("--color", "blue")),
                ("--align 3", ("--align", "3")),
                ("--align 0", ("--align", "0")),
                ("--boundary 3K", ("--boundary", "3K")),
                ("--max-segments 0", ("--max-segments", "0")),
                ("--access of nothing", ("--access", "execute"))):
            refused(tap, "%s: %s" % (command, what), command, *arguments, *options)
        for options in (("--format", "json"), ("--format=text",), ("--mask", "1"),
                        ("--mask=64",), ("--mask", "0x20"), ("-q",), ("-v",), ("-qv",), ("--all",),
                        ("--color=never",)):
            last = run(command, *arguments, *options)
            first = run(command, *options, *arguments)
            tap.check(last.status in (0, 1) and last.out and
                      (last.status, last.out) == (first.status, first.out),
                      "%s %s, before and behind" % (command, " ".join(options)), last)


def check_applicable(tap):
    """What an option would change is not left out in silence: the command refuses it."""
    for command in sorted(EVERY_COMMAND):
        arguments = COMMANDS.get(command, (board("rpi4-8g"),))
        text = run(command, "--help").out
        for option, (value, commands) in OPTIONS.items():
            given = (option,) if value is None else (option, value)
            taken = command in commands
            tap.check((re.search(r"^  (-\w, )?%s\b(?!-)" % option, text, re.M) is not None) == taken,
                      "the help of %s, and %s" % (command, option), text)
            if not taken:
                refused(tap, "%s does not take %s" % (command, option), command, *arguments,
                        *given, words=("%s does not take %s," % (command, option),))
    refused(tap, "show --own of no device", "show", board("rpi4-8g"), "--own", words=("--own",))
    refused(tap, "sarif is for check", "show", board("rpi4-8g"), "--format", "sarif",
            words=("show", "sarif", "text|json"))
    refused(tap, "check --explain of a platform", "check", "--explain", "all", board("rpi4-8g"),
            words=("--explain", board("rpi4-8g")))


def check_named_options(tap):
    """A complaint names the option as it was written, wherever it stands."""
    for what, options, words in (
            ("a letter at the end of a bundle", ("-qvx",), ("'-x'",)),
            ("a letter at its beginning", ("-xqv",), ("'-x'",)),
            ("a letter behind another option", ("--all", "-xq"), ("'-x'",)),
            ("a byte that is no letter", ("-q\u00e4",), ("'-\\xc3'",)),
            ("a word with a value", ("--frob=-q",), ("no option '--frob'",)),
            ("a word with an empty value", ("--frob=",), ("no option '--frob'",)),
            ("a value that is not wanted", ("--all=yes",), ("'--all' takes no value",)),
            ("a value that is missing", ("-q", "--mask"), ("'--mask' wants a value",)),
            ("a beginning of several", ("--max=3",), ("'--max'", "--max-segment", "--max-segments")),
            ("the name of another command's", ("--fail-on=note",), ("--fail-on", "check"))):
        result = refused(tap, what, "map", *COMMANDS["map"], *options, words=words)
        tap.check(result.err.count("\n") == 1, what + ": one line", result)
    short = run("map", *COMMANDS["map"], "--form=json")
    tap.check(short.status == 0 and short.out.startswith("{"), "a beginning of one", short)
    behind = run("map", *COMMANDS["map"][:2], "--", "--frob")
    tap.check(behind.status == 2 and "'--frob' is no range" in behind.err,
              "behind -- nothing is an option", behind)


def check_inputs(tap):
    with tempfile.TemporaryDirectory() as folder:
        def write(name, data):
            path = os.path.join(folder, name)
            with open(path, "wb") as file:
                file.write(data)
            return path

        with open(compile_tree(board("rpi4-8g"), os.path.join(folder, "board.dtb")), "rb") as file:
            good = file.read()
        name = good.index(b"dma-controller@7e007000\0")
        inputs = (
            ("a directory", folder, ("directory",)),
            ("nothing of that name", os.path.join(folder, "nothing"), ("No such file",)),
            ("an empty file", write("empty.dtb", b""), ("empty",)),
            ("ten bytes", write("short.dtb", good[:10]), ("short",)),
            ("half a tree", write("half.dtb", good[:len(good) // 2]), ("cut short",)),
            ("a tree without its last byte", write("most.dtb", good[:-1]), ("cut short",)),
            ("another kind of file", write("text", b"hello, world\n" * 100), ("magic",)),
            ("a control character in a name",
             write("name.dtb", good[:name] + b"\n" + good[name + 1:]), ("/soc", "0x0a")),
            ("a source that does not compile", write("bad.dts", b"/dts-v1/; / { x = <; };"),
             ("bad.dts:1.", "syntax error", "dtc")),
            ("an empty source", write("empty.dts", b""), ("empty",)),
            ("a source with a missing include",
             write("include.dts", b'/dts-v1/; /include/ "nothing.dtsi" / { };'), ("dtc",)),
        )
        for what, path, words in inputs:
            for command, arguments in COMMANDS.items():
                result = run(command, path, *arguments[1:])
                tap.check(result.status == 2 and not result.out and path in result.err and
                          all(word in result.err for word in words),
                          "%s of %s" % (command, what), result)
                tap.check("<stdin>" not in result.err and
                          ("dtc" in words or result.err.count("\n") == 1),
                          "%s of %s: one line, or what dtc has to say of it" % (command, what),
                          result)
        refused(tap, "a source on standard input that does not compile", "show", "-",
                stdin=b"/dts-v1/; / { x = <; };", words=("standard input:1.", "syntax error"))
        refused(tap, "a platform without a name", "show", "", words=("''", "No such file"))
        without = subprocess.run([BUSWAY, "show", board("rpi4-8g")], capture_output=True,
                                 check=False, timeout=60, env={"PATH": folder})
        tap.check(without.returncode == 2 and not without.stdout and
                  board("rpi4-8g").encode() in without.stderr and b"dtc" in without.stderr,
                  "a source without dtc", without)
        included = write("part.dtsi", b"/ { #address-cells = <1>; #size-cells = <1>; };")
        main = write("whole.dts", b'/dts-v1/; /include/ "part.dtsi" / { d { }; };')
        tap.check(run("show", main, "/d").status == 0, "an include beside the source", included)
        odd = write("odd.dts", b'/dts-v1/; / { model = "/dts-v1/; / { };"; d { }; };')
        with open(compile_tree(odd, os.path.join(folder, "odd.dtb")), "rb") as file:
            compiled = file.read()
        for what, path in (("a compiled tree that quotes a source", "odd.dtb"),
                           ("a compiled tree called *.dts", "compiled.dts")):
            tap.equal(run("show", write(path, compiled), "/d").status, 0, what)
        tap.equal(run("show", "-", "/d", stdin=compiled).status, 0,
                  "a compiled tree that quotes a source, on standard input")
        refused(tap, "nothing on standard input", "show", "-", words=("standard input",))
        refused(tap, "rubbish on standard input", "show", "-", stdin=b"\0" * 100,
                words=("standard input",))


def check_devices(tap):
    def named(what, platform, name, path):
        document = run("show", platform, name, "--format", "json")
        tap.check(document.status == 0, what + ": found", document)
        if document.status == 0:
            tap.equal([one["path"] for one in document.json()["devices"]], [path], what)

    rpi4, host = board("rpi4-8g"), "/scb/pcie@7d500000"
    named("the full path", rpi4, "/emmc2bus/mmc@7e340000", "/emmc2bus/mmc@7e340000")
    named("an alias", tree("nodes"), "serial0", "/soc/uart@1000")
    named("the end of a path", rpi4, "mmc@7e340000", "/emmc2bus/mmc@7e340000")
    named("more of its end", rpi4, "emmc2bus/mmc@7e340000", "/emmc2bus/mmc@7e340000")
    named("a full path that is the end of another", tree("nodes"), "/same@1", "/same@1")
    named("HOST:BUS:DEV.FN, by the host's path", rpi4, host + ":01:00.0", host + ":01:00.0")
    named("HOST:BUS:DEV.FN, by the end of it", rpi4, "pcie@7d500000:1f:1f.7", host + ":1f:1f.7")
    named("DOMAIN:BUS:DEV.FN with one host", rpi4, "0000:01:00.0", host + ":01:00.0")
    named("BUS:DEV.FN with one host", rpi4, "01:00.0", host + ":01:00.0")
    named("upper-case digits", rpi4, "0000:0A:1F.0", host + ":0a:1f.0")

    several = refused(tap, "an ambiguous name", "show", tree("nodes"), "same@1",
                      words=("same@1", "could be any of"))
    tap.check({"/same@1", "/same@1/same@1"} <= {line.strip() for line in several.err.splitlines()},
              "the candidates are listed", several)
    hosts = refused(tap, "a function, with several hosts", "show", board("rk3588"), "01:00.0")
    tap.check("/pcie@fe150000" in hosts.err and "/pcie@fe190000" in hosts.err,
              "the hosts are listed", hosts)
    domains = tree("domains")
    for what, name, path in (
            ("a stated domain", "0000:0f:00.0", "/soc/pcie@10000000:0f:00.0"),
            ("another one", "0001:01:00.0", "/soc/pcie@11000000:01:00.0"),
            ("any bus, where no range is stated", "0001:ff:1f.7", "/soc/pcie@11000000:ff:1f.7"),
            ("a shared domain, by the bus", "0002:1f:00.0", "/soc/pcie@12000000:1f:00.0"),
            ("a shared domain, the other bus", "0002:20:00.0", "/soc/pcie@13000000:20:00.0"),
            ("a domain in hex", "2345:10:00.0", "/soc/pcie@14000000:10:00.0"),
            ("an alias of hex digits", "face:01:00.0", "/soc/pcie@11000000:01:00.0"),
            ("HOST: whether or not it has a domain", "pcie@15000000:ff:00.0",
             "/soc/pcie@15000000:ff:00.0")):
        named(what, domains, name, path)
    named("the domain of one of two hosts", board("rk3588"), "0004:41:00.0",
          "/pcie@fe190000:41:00.0")
    for what, platform, name, words in (
            ("a bus outside the range, by domain", domains, "0000:10:00.0",
             ("/soc/pcie@10000000", "bus-range", "00..0f")),
            ("a bus outside the range, by host", domains, "pcie@14000000:0f:00.0",
             ("/soc/pcie@14000000", "bus-range", "10..ff")),
            ("a bus that none of a shared domain has", domains, "0002:40:00.0",
             ("/soc/pcie@12000000", "/soc/pcie@13000000", "20..3f")),
            ("a domain that nobody states", domains, "0007:01:00.0",
             ("0007", "linux,pci-domain", "/soc/pcie@15000000", "/soc/pcie@13000000")),
            ("the domain of a disabled host", domains, "0009:01:00.0", ("0009",)),
            ("an alias of hex digits that is no host", domains, "beef:01:00.0",
             ("/soc/dma@1000 is no host bridge",)),
            ("a domain, where several hosts state none", tree("hosts"), "0000:01:00.0",
             ("linux,pci-domain", "/soc/pcie@10000000", "/mbus/pcie")),
            ("another domain than that of the only host", board("juno-r1"), "0001:01:00.0",
             ("/pcie@40000000", "domain 0000")),
            ("another domain than 0000 where none is stated", rpi4, "0001:01:00.0",
             (host, "linux,pci-domain")),
            ("a domain without any host", board("sopine-a64"), "0000:01:00.0",
             ("there is no host bridge",))):
        refused(tap, what, "show", platform, name, words=words)
    two = b"/dts-v1/; / { #address-cells = <1>; #size-cells = <1>; %s };" % b"".join(
        b'pcie@%d { device_type = "pci"; reg = <%d 1>; #address-cells = <3>; #size-cells = <2>; '
        b"%s };" % (i, i, more) for i, more in (
            (1, b""), (2, b'status = "disabled"; linux,pci-domain = <0>;')))
    refused(tap, "the number that Linux gives, where a disabled host has one", "show", "-",
            "0000:01:00.0", stdin=two, words=("0000", "linux,pci-domain", "/pcie@1"))
    for what, platform, name in (
            ("a name of nothing", rpi4, "nothing@1"),
            ("a part of a name", rpi4, "mc@7e340000"),
            ("a name without its address", rpi4, "mmc"),
            ("an alias of nothing", tree("nodes"), "ghost"),
            ("the root", rpi4, "/"),
            ("memory", rpi4, "/memory@0"),
            ("reserved memory", rpi4, "/reserved-memory/linux,cma"),
            ("no name", rpi4, ""),
            ("a slash behind", rpi4, "/scb/gpu@7ec00000/"),
            ("a function of no host", rpi4, "gpu@7ec00000:01:00.0"),
            ("a function without any host", board("sopine-a64"), "01:00.0"),
            ("a device that PCI has not", rpi4, host + ":01:20.0"),
            ("a function that PCI has not", rpi4, host + ":01:00.8"),
            ("a bus that PCI has not", rpi4, host + ":100:00.0"),
            ("no function", rpi4, host + ":01:00"),
            ("a colon and nothing", rpi4, host + ":")):
        refused(tap, what, "show", platform, name)


def check_writing(tap):
    """An answer that cannot be written is no success."""
    if not os.path.exists("/dev/full"):
        tap.skip("answers to a full disk", "there is no /dev/full")
        return
    lines = [(command, *arguments, *options) for command, arguments in COMMANDS.items()
             for options in ((), ("--format", "json"), ("--help",), ("--version",))]
    lines += [("--help",), ("help",), ("--version",), ("check", "--explain", "all"),
              ("check", "--explain", "bank-overlap")]
    lines += [("check", board("rpi4-8g"), "--format", name) for name in ("text", "json", "sarif")]
    read_end, write_end = os.pipe()
    os.close(read_end)
    with open("/dev/full", "wb") as full, os.fdopen(write_end, "wb") as nobody:
        for what, out, why in (("a full disk", full, b"No space left"),
                               ("nobody who reads it", nobody, b"Broken pipe")):
            for arguments in lines:
                done = subprocess.run([BUSWAY, *arguments], stdout=out, stderr=subprocess.PIPE,
                                      check=False, timeout=60, restore_signals=False)
                tap.check(done.returncode == 2 and done.stderr.startswith(b"busway: ")
                          and done.stderr.count(b"\n") == 1 and why in done.stderr,
                          "%s, to %s" % (" ".join(map(os.path.basename, arguments)), what), done)


def many_pieces(inner=1024, outer=1025):
    """A tree in which the windows of two buses multiply to more pieces than are kept."""
    far = " ".join("0x%x 0x%x 0x1000" % (i * 0x1000, 0x80000000 + i * 0x2000)
                   for i in range(inner))
    near = " ".join("0x%x 0x%x 0 0x%x" % (i >> 10, (i << 22) & 0xffffffff, inner * 0x1000)
                    for i in range(outer))
    return """/dts-v1/; / { #address-cells = <1>; #size-cells = <1>;
        memory@80000000 { device_type = "memory"; reg = <0x80000000 0x40000000>; };
        far { #address-cells = <1>; #size-cells = <1>; ranges; dma-ranges = <%s>;
        near { #address-cells = <2>; #size-cells = <1>; ranges; dma-ranges = <%s>;
        gpu@0 { reg = <0 0 1>; }; }; }; };""" % (far, near)


def check_closed_streams(tap):
    """No file takes the number of a standard stream that is closed."""
    for what, command, status in (
            ("standard output", '"$1" show "$2" >&-', 2),
            ("standard error", '"$1" show "$2" 2>&-', 0),
            ("standard error, of what cannot be read", '"$1" show "$3" 2>&-', 2),
            ("standard input", '"$1" show "$2" <&-', 0),
            ("standard input, which is asked for", '"$1" show - <&-', 2),
            ("all of them", '"$1" show "$2" <&- >&- 2>&-', 2)):
        done = subprocess.run(["sh", "-c", command, "sh", BUSWAY, board("rpi4-8g"), ROOT],
                              capture_output=True, check=False, timeout=60)
        tap.check(done.returncode == status and bool(done.stdout) == (status == 0),
                  "closed: " + what, done)


def check_many_pieces(tap):
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "many.dts")
        with open(source, "w", encoding="utf-8") as file:
            file.write(many_pieces())
        for command, arguments in (("show", ()), ("map", ("0x80000000+4K",)), ("alloc", ("4K",))):
            refused(tap, command + " of windows that multiply says so", command, source, "gpu@0",
                    *arguments, words=(source, "/far/near/gpu@0", "more pieces than are kept"))


def check_names_of_a_tree(tap):
    """What a tree says is text: no byte of it steers the terminal."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "odd.dts")
        with open(path, "w", encoding="utf-8") as file:
            file.write('/dts-v1/; / { #address-cells = <1>; #size-cells = <1>;\n'
                       'model = "odd\\x1b[31m\\xff"; compatible = "a\\x07b";\n'
                       'gpu@1 { reg = <1 1>; }; };')
        text = subprocess.run([BUSWAY, "show", path], capture_output=True, check=False)
        tap.check(text.returncode == 0 and b"\033" not in text.stdout and b"\7" not in text.stdout,
                  "no control character of the model reaches the terminal", text)
        document = show(path)
        tap.check(isinstance(document["platform"]["model"], str), "JSON stays JSON",
                  document["platform"])


def main():
    tap = Tap()
    check_help(tap)
    check_command_lines(tap)
    check_applicable(tap)
    check_named_options(tap)
    check_inputs(tap)
    check_devices(tap)
    check_writing(tap)
    check_closed_streams(tap)
    check_many_pieces(tap)
    check_names_of_a_tree(tap)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
