#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""check_test.py - the command around the checker: files, folders, levels, suppressions, formats.

What is found in which tree is for tests/check; here it only matters that something is.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

from support import BUSWAY, ROOT, TIMEOUT, Tap, board, compile_tree, mismatches, one_of, run, text

ERROR = "address-overflow"
WITH_ERROR = (
    '/dts-v1/; / { #address-cells = <1>; #size-cells = <1>;\n'
    'memory@0 { device_type = "memory"; reg = <0x0 0x40000000>; };\n'
    'bus { compatible = "simple-bus"; #address-cells = <1>; #size-cells = <1>; ranges;\n'
    '\tdev@ffffff00 {\n\t\treg = <0xffffff00 0x200>;\n\t};\n}; };\n')


def findings_header():
    """{code: severity} of the public header."""
    with open(os.path.join(ROOT, "include", "busway", "check.h"), encoding="utf-8") as header:
        found = re.findall(r'^\tX\(\w+, "([a-z-]+)", (\w+),', header.read(), re.M)
    return {code: severity.lower() for code, severity in found}


CODES = findings_header()

FINDING = {"code": one_of(*CODES), "severity": one_of("error", "warning", "note"), "node": text,
           "property": str, "entry": (int, None), "message": text, "advice": str}
CHECK = {"schema": one_of("busway-check/1"),
         "files": [{"source": text, "findings": [FINDING], "suppressed": int}]}


class Trees:
    """A folder with a tree for each severity, and one without any finding."""

    def __init__(self, folder):
        self.folder = folder
        self.error = self.write("error.dts", WITH_ERROR)
        self.warning = board("rpi4-8g")   # memory-unreachable, and notes
        self.note = board("rpi4-1g")      # notes only
        self.clean = board("sopine-a64")

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def write(self, name, content):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "wb" if isinstance(content, bytes) else "w") as file:
            file.write(content)
        return self.path(name)


def document(*arguments, stdin=b""):
    result = run("check", *arguments, "--format", "json", stdin=stdin)
    return result.status, json.loads(result.out) if result.out else None, result


def sources(*arguments):
    found = document(*arguments)[1]
    return [one["source"] for one in found["files"]] if found else None


def levels(*arguments):
    found = document(*arguments)[1]
    return {f["severity"] for one in found["files"] for f in one["findings"]}


def check_premises(tap, trees):
    for path, wanted in ((trees.error, {"error"}), (trees.note, {"note"}), (trees.clean, set()),
                         (trees.warning, {"warning", "note"})):
        tap.equal(levels(path), wanted, "findings in " + os.path.basename(path))


def check_contract(tap, trees):
    status, found, result = document(trees.error, trees.warning, trees.clean)
    tap.equal(status, 1, "an error is exit status 1")
    tap.equal(list(mismatches(found, CHECK)), [], "JSON has the keys of the contract")
    tap.equal(set(found), {"schema", "files"}, "and at the top no others")
    for one in found["files"]:
        tap.equal(set(one), {"source", "findings", "suppressed"}, "nor for " + one["source"])
        for finding in one["findings"]:
            if set(finding) != set(FINDING):
                tap.equal(set(finding), set(FINDING), "nor for a finding")
    tap.check(result.out.endswith("}\n") and '\n  "files"' in result.out, "indented by two spaces")
    messages = [f["message"] + f["advice"] for one in found["files"] for f in one["findings"]]
    tap.check(all(not re.search(r"\b0X|\b0x[0-9a-f]*[A-F]", m) for m in messages),
              "hex is lower case", messages)


def check_files(tap, trees):
    three = [trees.note, trees.error, trees.clean]
    tap.equal(sources(*three), three, "files in the order of the command line")
    tap.equal(sources(trees.note, trees.note), [trees.note] * 2, "a file named twice is told twice")
    spaced = trees.write("with space/my board's.dts", WITH_ERROR)
    tap.equal(sources(spaced), [spaced], "a name with spaces")
    tap.check(run("check", spaced).out.startswith(spaced + ": /bus/dev@ffffff00: reg: error: ["
                                                  + ERROR + "] "), "a finding in one line of text")
    with open(compile_tree(trees.error, trees.path("error-copy.dtb")), "rb") as file:
        blob = file.read()
    status, found, result = document("-", stdin=blob)
    tap.check(status == 1 and [f["source"] for f in found["files"]] == ["standard input"],
              "a tree on standard input", result)
    status, found, result = document("-", stdin=WITH_ERROR.encode())
    tap.check(status == 1 and found["files"][0]["findings"], "a source on standard input", result)
    nothing = run("check")
    tap.check(nothing.status == 2 and not nothing.out and "usage" in nothing.err, "no platform",
              nothing)


def check_folders(tap, trees):
    for name in ("dir/b.dts", "dir/sub/a.dts", "dir/a.dts", "dir/.hidden/x.dts", "dir/z.dts"):
        trees.write(name, WITH_ERROR)
    trees.write("dir/README", "no tree")
    trees.write("dir/part.dtsi", "no tree")
    compile_tree(trees.path("dir", "a.dts"), trees.path("dir", "a.dtb"))
    wanted = [trees.path("dir", name) for name in ("a.dtb", "b.dts", "sub/a.dts", "z.dts")]
    tap.equal(sources(trees.path("dir")), wanted,
              "a folder: sorted, with those below, without sources that are compiled beside")
    tap.equal(sources(trees.path("dir") + "/"), wanted, "a slash behind a folder")
    tap.equal(sources(trees.path("dir", "a.dts")), [trees.path("dir", "a.dts")],
              "a source that is named is checked all the same")
    tap.equal(sources(trees.clean, trees.path("dir"), trees.note),
              [trees.clean] + wanted + [trees.note], "a folder between files")
    os.symlink(trees.path("dir"), trees.path("dir", "sub", "loop"))
    tap.equal(sources(trees.path("dir")), wanted, "links to folders are not followed")
    os.makedirs(trees.path("empty", "below"))
    for what, arguments in (("an empty folder", (trees.path("empty"),)),
                            ("an empty folder behind a file", (trees.clean, trees.path("empty")))):
        result = run("check", *arguments)
        tap.check(result.status == 2 and not result.out and trees.path("empty") in result.err,
                  what + " is an error", result)


def check_unreadable(tap, trees):
    broken = trees.write("broken.dtb", b"\xd0\x0d\xfe\xed" + b"\0" * 36)
    missing = trees.path("missing.dtb")
    for what, bad in (("a broken tree", broken), ("a missing file", missing)):
        status, found, result = document(trees.clean, bad, trees.note)
        tap.check(status == 2 and bad in result.err, what + " among others: exit status 2", result)
        tap.equal([one["source"] for one in found["files"]], [trees.clean, trees.note],
                  what + " among others: those are listed")
        told = run("check", trees.clean, bad, trees.error)
        tap.check(told.status == 2 and ERROR in told.out and
                  "1 file could not be read" in told.out, what + ": text tells so", told)
        told = run("check", trees.clean, bad, "--fail-on", "never")
        tap.equal(told.status, 2, what + ": --fail-on never is about findings")
        for form in ("text", "json", "sarif"):
            alone = run("check", bad, "--format", form)
            tap.check(alone.status == 2 and not alone.out and bad in alone.err,
                      "%s alone, %s: nothing on standard output" % (what, form), alone)
    many = [trees.path("missing-%d.dtb" % i) for i in range(200)]
    result = run("check", trees.clean, *many, "--jobs", "8")
    tap.equal(sorted(result.err.splitlines()),
              sorted("busway: %s: No such file or directory" % path for path in many),
              "200 complaints of 8 threads, each in a line of its own")


def check_fail_on(tap, trees):
    table = {  # level: status of a tree with an error, a warning, a note, nothing
        "note": (1, 1, 1, 0), "warning": (1, 1, 0, 0), "error": (1, 0, 0, 0),
        "never": (0, 0, 0, 0)}
    files = (trees.error, trees.warning, trees.note, trees.clean)
    for level, wanted in table.items():
        for form in ("text", "json", "sarif"):
            tap.equal(tuple(run("check", "--fail-on", level, path, "--format", form).status
                            for path in files), wanted, "--fail-on %s, %s" % (level, form))
    tap.equal(tuple(run("check", path).status for path in files), table["error"],
              "the default is error")
    for wrong in ("fatal", "", "Error"):
        result = run("check", "--fail-on", wrong, trees.clean)
        tap.check(result.status == 2 and not result.out and "--fail-on" in result.err,
                  "--fail-on %r is no level" % wrong, result)


def left(*arguments):
    """(number of findings, number suppressed)"""
    one = document(*arguments)[1]["files"][0]
    return len(one["findings"]), one["suppressed"]


def check_suppressions(tap, trees):
    code, path = "memory-unreachable", trees.warning
    found = document(path)[1]["files"][0]["findings"]
    nodes = [f["node"] for f in found if f["code"] == code]
    total, of_code = len(found), len(nodes)
    tap.check(of_code >= 3 and total > of_code, "there is something to suppress", found)
    for what, patterns, count in (
            ("a code", [code], of_code),
            ("a code twice", [code, code], of_code),
            ("a code at a node", [code + ":" + nodes[0]], 1),
            ("a code at a pattern", [code + ":/scb/pcie@*"], 1),
            ("a pattern passes slashes", [code + ":*"], of_code),
            ("a pattern with a set", [code + ":/[es]*"], of_code),
            ("a pattern that fits nothing", [code + ":/nothing*"], 0),
            ("the beginning of a path is not the path", [code + ":/scb"], 0),
            ("another code", ["bank-overlap"], 0),
            ("two nodes", [code + ":" + nodes[0], code + ":" + nodes[1]], 2)):
        options = [word for pattern in patterns for word in ("--suppress", pattern)]
        tap.equal(left(path, *options), (total - count, count), "--suppress: " + what)
    tap.equal(run("check", trees.error, "--suppress", ERROR).status, 0,
              "what is suppressed does not fail")
    told = run("check", path, "--suppress", code)
    tap.check(code not in told.out and "%d suppressed" % of_code in told.out,
              "text counts what is suppressed", told)
    for wrong in ("nothing", code + ":", code + ":soc", "", ":/soc", code + " ", code.upper()):
        result = run("check", "--suppress", wrong, trees.clean)
        tap.check(result.status == 2 and not result.out and "--suppress" in result.err,
                  "--suppress %r is refused" % wrong, result)

    file = trees.write("list", "# what we know\n\n  %s:%s  # on purpose\r\n\t\n%s:%s"
                       % (code, nodes[0], code, nodes[1]))
    tap.equal(left(path, "--suppressions", file), (total - 2, 2),
              "--suppressions: comments, blanks, line ends, no newline at the end")
    tap.equal(left(path, "--suppressions", file, "--suppress", code + ":" + nodes[2]),
              (total - 3, 3), "--suppressions and --suppress add up")
    tap.equal(left(path, "--suppressions", trees.write("empty-list", "")), (total, 0),
              "an empty file of suppressions")
    tap.equal(run("check", path, "--suppressions", "/dev/null").status, 0, "none from /dev/null")
    wrong = trees.write("wrong-list", "# fine\n%s\n\nno-such-code\n" % code)
    result = run("check", path, "--suppressions", wrong)
    tap.check(result.status == 2 and not result.out and wrong in result.err and
              "line 4" in result.err and "no-such-code" in result.err,
              "a bad line is told with file and line", result)
    result = run("check", path, "--suppressions", trees.path("no-list"))
    tap.check(result.status == 2 and not result.out and "no-list" in result.err,
              "a file of suppressions that is not there", result)


def check_explain(tap):
    for code in CODES:
        result = run("check", "--explain", code)
        tap.check(result.status == 0 and result.out.startswith("# " + code + "\n"),
                  "--explain " + code, result)
        with open(os.path.join(ROOT, "docs", "check", code + ".md"), encoding="utf-8") as file:
            page = file.read()
        if page != result.out:
            tap.equal(result.out, page, "--explain %s is its page" % code)
    listed = run("check", "--explain", "all")
    tap.equal({line.split()[0]: line.split()[1] for line in listed.out.splitlines()}, CODES,
              "--explain all lists codes and severities")
    for wrong in ("nothing", "", "All"):
        result = run("check", "--explain", wrong)
        tap.check(result.status == 2 and not result.out and "--explain all" in result.err,
                  "--explain %r" % wrong, result)


def check_jobs(tap, trees):
    names = []
    for number in range(600):
        name = trees.path("many", "%03d.dtb" % number)
        os.makedirs(os.path.dirname(name), exist_ok=True)
        shutil.copy(trees.path("error-copy.dtb") if number % 7 == 0 else trees.path("clean.dtb"),
                    name)
        names.append(name)
    tap.equal(sources(*names), names, "600 files on the command line")
    for form in ("text", "json", "sarif"):
        one = run("check", trees.path("many"), "--format", form, "--jobs", "1")
        tap.check(one.status == 1 and one.out, "600 files in a folder, %s" % form, one)
        for jobs in ("2", "8", "1000"):
            more = run("check", trees.path("many"), "--format", form, "--jobs", jobs)
            tap.check((more.status, more.out, more.err) == (one.status, one.out, one.err),
                      "%s: --jobs %s gives the same bytes" % (form, jobs))
    result = run("check", trees.path("many"))
    tap.check("\n600 files: 86 errors, 0 warnings, 0 notes\n" in result.out and not result.err,
              "the summary; no progress where nobody watches", result.out[-200:])
    for wrong in ("0", "-1", "many", ""):
        result = run("check", trees.clean, "--jobs", wrong)
        tap.check(result.status == 2 and "--jobs" in result.err, "--jobs %r" % wrong, result)


def check_text(tap, trees):
    quiet = run("check", "-q", trees.clean)
    tap.check(quiet.status == 0 and quiet.out == "", "-q: nothing found, nothing said", quiet)
    tap.equal(run("check", trees.clean).out, "1 file: 0 errors, 0 warnings, 0 notes\n",
              "nothing found: the summary only")
    found = document(trees.warning)[1]["files"][0]["findings"]
    noted = [f["code"] for f in found if f["severity"] == "note"]
    plain, verbose = run("check", trees.warning), run("check", "-v", trees.warning)
    tap.check(noted and "[%s]" % noted[0] not in plain.out and "(-v shows them)" in plain.out,
              "notes are counted", plain)
    tap.check("note: [%s]" % noted[0] in verbose.out and "-v" not in verbose.out,
              "-v shows them", verbose)
    tap.check("note: [%s]" % noted[0] in run("check", "--fail-on=note", trees.warning).out,
              "so does --fail-on note")
    tap.check("file" not in run("check", "-q", trees.warning).out.rsplit("\n", 2)[-2],
              "-q leaves out the summary")
    tap.check("\033[" in run("check", "--color=always", trees.warning).out and
              "\033[" not in plain.out, "colours on request")
    odd = trees.write("odd\033[31m.dts", WITH_ERROR)
    tap.check("\033" not in run("check", odd).out, "no control character of a name in text")


def check_writing(tap, trees):
    if not os.path.exists("/dev/full"):
        tap.skip("findings to a full disk", "there is no /dev/full")
        return
    for arguments in ((trees.clean,), (trees.error,), (trees.error, "--format", "json"),
                      (trees.clean, "--format", "sarif"), ("--explain", "all"),
                      ("--explain", ERROR)):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([BUSWAY, "check", *arguments], stdout=full, timeout=TIMEOUT,
                                  stderr=subprocess.PIPE, check=False)
        tap.check(done.returncode == 2 and done.stderr.startswith(b"busway: "),
                  "check %s to a full disk" % " ".join(arguments), done)


# ---- SARIF ----

def sarif(*arguments, cwd=None):
    done = subprocess.run([BUSWAY, "check", *arguments, "--format", "sarif"], cwd=cwd, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=TIMEOUT)
    return json.loads(done.stdout)["runs"][0]


def place(result):
    physical = result["locations"][0]["physicalLocation"]
    return physical["artifactLocation"]["uri"], physical["region"]["startLine"]


def check_sarif_schema(tap, trees):
    try:
        import jsonschema  # nothing else of the tests needs it
    except ImportError:
        tap.skip("SARIF against its schema", "python3-jsonschema is not installed")
        return
    with open(os.path.join(ROOT, "tests", "cli", "sarif.schema.json"), encoding="utf-8") as file:
        validator = jsonschema.Draft4Validator(json.load(file))
    for what, arguments in (
            ("nothing found", (trees.clean,)), ("an error", (trees.error,)),
            ("all boards", (os.path.join(ROOT, "boards"),)),
            ("mistakes of history", (os.path.join(ROOT, "tests", "check", "history"),)),
            ("something suppressed", (trees.error, "--suppress", ERROR)),
            ("something unreadable", (trees.error, trees.path("missing.dtb")))):
        result = run("check", *arguments, "--format", "sarif")
        wrong = ["%s: %s" % (list(e.path), e.message[:200])
                 for e in validator.iter_errors(result.json())]
        tap.equal(wrong, [], "SARIF fits its schema: " + what)


def check_sarif(tap, trees):
    found = sarif(trees.error, trees.clean)
    tap.equal({rule["id"]: rule["defaultConfiguration"]["level"]
               for rule in found["tool"]["driver"]["rules"]}, CODES, "every code is a rule")
    one = found["results"][0]
    rules = found["tool"]["driver"]["rules"]
    tap.equal(rules[one["ruleIndex"]]["id"], one["ruleId"], "the index is that of the rule")
    tap.equal((len(found["results"]), one["ruleId"], one["level"]), (1, ERROR, "error"),
              "a result for the finding, none for the clean file")
    tap.equal(place(one), ("file://" + trees.error, 5), "an absolute name is a URI with scheme; "
              "the line is that of the property")
    tap.equal(one["properties"]["node"], "/bus/dev@ffffff00", "the node")

    here = sarif("./error.dts", "with space/my board's.dts", cwd=trees.folder)["results"]
    tap.equal([place(r) for r in here],
              [("error.dts", 5), ("with%20space/my%20board%27s.dts", 5)],
              "relative names: no ./ in front, spaces in hex")
    trees.write("lines/part.dtsi", '/ { #address-cells = <1>; #size-cells = <1>;\n'
                'memory@0 { device_type = "memory"; reg = <0 0x40000000>; };\n'
                'one: two: bus { compatible = "simple-bus"; ranges;\n'
                '#address-cells = <1>; #size-cells = <1>;\n'
                'dev@1 { model = "x { /* y */"; reg = <0xffffff00 0x200>; };\n'
                'dev@2 {\nreg = <0 0>; }; }; };\n')
    trees.write("lines/b.dts", '/dts-v1/;\n/include/ "part.dtsi"\n&two { dev@2 {\n'
                '\n reg = <0xffffff00 0x200>; };\n\ndev@3 { reg = <0xffffff00 0x200>; }; };\n')
    found = {r["properties"]["node"]: place(r)
             for r in sarif("lines", cwd=trees.folder)["results"] if r["ruleId"] == ERROR}
    tap.equal(found, {"/bus/dev@1": ("lines/part.dtsi", 5), "/bus/dev@2": ("lines/b.dts", 5),
                      "/bus/dev@3": ("lines/b.dts", 7)},
              "includes, labels, overridden properties: the file and line that say it")
    trees.write("alike.dts", '/dts-v1/; / { #address-cells = <1>; #size-cells = <1>;\n'
                'memory@0 { device_type = "memory"; reg = <0 0x40000000>; };\n'
                'memory@40000000 { reg = <0x40000000 0x1000>;\n'
                'child { device_type = "child"; }; };\n'
                'other { device_type = "other"; };\n'
                'bus { compatible = "simple-bus"; #address-cells = <1>; #size-cells = <1>; ranges;\n'
                'inner { dev@1 {\nx; }; };\n'
                'dev@1x { };\n'
                'dev@1 {\nreg-names = "r";\nreg = <0xffffff00 0x200>; }; }; };\n')
    found = {r["properties"]["property"]: place(r)[1]
             for r in sarif("alike.dts", cwd=trees.folder)["results"]
             if r["ruleId"] in (ERROR, "bank-ignored")}
    tap.equal(found, {"device_type": 3, "reg": 12},
              "no line of a child, of a sibling, or of what is named alike further down")
    tap.equal([place(r) for r in sarif("error-copy.dtb", cwd=trees.folder)["results"]],
              [("error-copy.dtb", 1)], "a compiled tree has one line")

    def prints(run_of):
        return [r["partialFingerprints"]["primaryLocationLineHash"] for r in run_of["results"]]

    before = prints(sarif(trees.error))
    moved = trees.write("moved.dts", WITH_ERROR.replace("0x200", "0x300").replace(
        "\tdev@", "\n\n\tearlier { };\n\tdev@"))
    tap.equal(prints(sarif(moved)), before, "a fingerprint stays when lines and numbers change")
    every = sarif(os.path.join(ROOT, "boards"))
    apart = [(r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
              r["partialFingerprints"]["busway/v1"]) for r in every["results"]]
    tap.equal(len(set(apart)), len(apart), "fingerprints of one file differ")
    tap.check(len(apart) > 10, "of more than ten findings")

    hidden = sarif(trees.error, "--suppress", ERROR)["results"]
    tap.equal([r.get("suppressions") for r in hidden], [[{"kind": "external"}]],
              "what is suppressed is told as such")
    tap.check("suppressions" not in one, "and nothing else is")
    broken = sarif(trees.error, trees.path("missing.dtb"))
    call = broken["invocations"][0]
    tap.equal((call["executionSuccessful"], call["exitCode"],
               len(call["toolExecutionNotifications"]), len(broken["results"])), (False, 2, 1, 1),
              "a file that cannot be read is a notification")
    tap.equal(sarif(trees.error)["invocations"],
              [{"executionSuccessful": True, "exitCode": 1, "toolExecutionNotifications": []}],
              "findings are no failure of the tool")
    refused = run("show", trees.clean, "--format", "sarif")
    tap.check(refused.status == 2 and not refused.out, "--format sarif is for check only", refused)


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        trees = Trees(folder)
        compile_tree(trees.error, trees.path("error-copy.dtb"))
        compile_tree(trees.clean, trees.path("clean.dtb"))
        check_premises(tap, trees)
        check_contract(tap, trees)
        check_files(tap, trees)
        check_folders(tap, trees)
        check_unreadable(tap, trees)
        check_fail_on(tap, trees)
        check_suppressions(tap, trees)
        check_explain(tap)
        check_jobs(tap, trees)
        check_text(tap, trees)
        check_writing(tap, trees)
        check_sarif_schema(tap, trees)
        check_sarif(tap, trees)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
