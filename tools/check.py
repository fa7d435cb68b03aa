#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""All checks, as CI runs them: `make check`.

Steps run one after the other; each test program's cases are counted from Meson's result files,
and each other step counts as one test. The last line is "N passed, N failed, N skipped".

    check.py            everything
    check.py STEP...    only these (see --list)
"""

import os
import pathlib
import subprocess
import sys
import time
import xml.etree.ElementTree as xml

TOP = pathlib.Path(__file__).resolve().parent.parent
FUZZ_SECONDS = os.environ.get("BUSWAY_FUZZ_SECONDS", "60")

GCC = {"CC": "gcc"}
CLANG = {"CC": "clang"}
SANITIZERS = ["-Db_sanitize=address,undefined", "-Db_lundef=false"]


class Totals:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.failures = []  # what failed, for the end of a long log

    def add_results(self, path):
        """Count the cases in one of Meson's JUnit files."""
        for case in xml.parse(path).getroot().iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                self.failed += 1
                self.failures.append(f"{case.get('classname', '')} {case.get('name', '')}")
                print(f"  failed: {self.failures[-1]}")
            elif case.find("skipped") is not None:
                self.skipped += 1
            else:
                self.passed += 1

    def add(self, ok):
        if ok:
            self.passed += 1
        else:
            self.failed += 1


def run(command, env=None, quiet=True):
    """Run a command at the top of the tree; its output is shown where it fails."""
    result = subprocess.run(
        [str(word) for word in command], cwd=TOP, env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL, text=True, errors="replace",
        stdout=subprocess.PIPE if quiet else None, stderr=subprocess.STDOUT if quiet else None)
    if result.returncode and quiet:
        print("  $ " + " ".join(str(word) for word in command))
        print("\n".join(result.stdout.splitlines()[-60:]))
    return result.returncode == 0


def build(folder, env, *options):
    """A build of its own, warnings as errors."""
    where = TOP / folder
    if not (where / "build.ninja").exists():
        if not run(["meson", "setup", "--werror", where, *options], env):
            return False
    return run(["ninja", "-C", where])


def meson_tests(totals, folder, *which):
    results = TOP / folder / "meson-logs" / "testlog.junit.xml"
    results.unlink(missing_ok=True)
    ok = run(["meson", "test", "-C", TOP / folder, "--no-rebuild", "--print-errorlogs", *which])
    if not results.exists():
        totals.add(False)
        return
    before = totals.failed
    totals.add_results(results)
    if not ok and totals.failed == before:
        totals.add(False)  # a program that died between its cases


def step_gcc(totals):
    """build and tests with gcc"""
    ok = build("build-check-gcc", GCC)
    totals.add(ok)
    if ok:
        meson_tests(totals, "build-check-gcc")


def step_sanitized(totals):
    """build and tests with clang, address and undefined-behaviour sanitizers"""
    ok = build("build-check-clang", CLANG, *SANITIZERS)
    totals.add(ok)
    if ok:
        meson_tests(totals, "build-check-clang")


def step_threads(totals):
    """what threads share, with clang and the thread sanitizer"""
    ok = build("build-check-threads", CLANG, "-Db_sanitize=thread", "-Db_lundef=false")
    totals.add(ok)
    if ok:
        meson_tests(totals, "build-check-threads", "--suite", "threads")


def step_freestanding(totals):
    """the core for bare metal: Arm and RISC-V"""
    totals.add(run(["tools/freestanding.sh", TOP / "build-check-freestanding"], quiet=False))


def step_install(totals):
    """what `meson install` gives: library, headers, pkg-config, manual, completion"""
    totals.add(run(["tools/check-install.sh", "build-check-gcc"]))


def step_format(totals):
    """clang-format (tests lay out their tables by hand)"""
    files = subprocess.run(["git", "ls-files", "src/*.[ch]", "include/*.h", "fuzz/*.c", "examples/*.c"], cwd=TOP, text=True,
                           stdout=subprocess.PIPE, check=True).stdout.split()
    totals.add(run(["clang-format", "--dry-run", "--Werror", *files]))


def step_tidy(totals):
    """clang-tidy"""
    files = subprocess.run(["git", "ls-files", "src/*.c"], cwd=TOP, text=True,
                           stdout=subprocess.PIPE, check=True).stdout.split()
    halves = [files[0::2], files[1::2]]
    workers = [subprocess.Popen(["clang-tidy", "--quiet", "--warnings-as-errors=*", "-p",
                                 "build-check-clang", *half], cwd=TOP, text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL) for half in halves]
    ok = True
    for worker in workers:
        output, _ = worker.communicate()
        if worker.returncode:
            print("\n".join(output.splitlines()[-60:]))
            ok = False
    totals.add(ok)


def step_mutations(totals):
    """every deliberate mutation is killed by a test"""
    totals.add(run(["tools/mutate.py", "--check"], quiet=False))


def step_fuzz(totals):
    """the fuzz targets, for a while"""
    totals.add(run(["tools/fuzz.sh", FUZZ_SECONDS]))


STEPS = {name[5:]: step for name, step in list(globals().items()) if name.startswith("step_")}


def main(arguments):
    if "--list" in arguments:
        for name, step in STEPS.items():
            print(f"{name:14} {step.__doc__}")
        return 0
    unknown = [name for name in arguments if name not in STEPS]
    if unknown:
        sys.exit(f"check: there is no step {', '.join(unknown)}; see check.py --list")
    totals = Totals()
    for name, step in STEPS.items():
        if arguments and name not in arguments:
            continue
        print(f"== {name}: {step.__doc__}", flush=True)
        start = time.monotonic()
        failed = totals.failed
        step(totals)
        totals.failures += [f"step {name}"] if totals.failed > failed else []
        print(f"   {time.monotonic() - start:.0f} s", flush=True)
    for failure in totals.failures:
        print(f"failed: {failure}")
    print(f"{totals.passed} passed, {totals.failed} failed, {totals.skipped} skipped")
    return 1 if totals.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
