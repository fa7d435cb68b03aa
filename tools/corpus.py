#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every device tree of a Debian kernel package, asked everything.

    corpus.py [--binary BUSWAY] [--arch arm64] [--package linux-image-arm64] [FOLDER...]

Downloads the package into a cache (from the system's own mirror of Debian; its apt configuration
is left alone), unpacks it, and runs `busway show --all --format json` on each tree in it. Tells how
many trees and devices, the notes by code, the slowest trees. Then `busway check` reads all of them
in one process: its findings by code, and what it cost; --findings writes them to a file. A crash, a
sanitizer's report, a time-out or an unreadable tree is a failure. --compare also holds each answer against the
independent reference in tests/reference. With folders, those are taken instead of a package.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "busway"
TIMEOUT = 60


def own_suite():
    """The suite that this machine runs."""
    text = pathlib.Path("/etc/os-release").read_text()
    found = re.search(r'^VERSION_CODENAME="?([^"\n]+)', text, re.M)
    return found.group(1) if found else "stable"


def apt_options(arch, suite, folder):
    """Options that give apt a life of its own in @folder."""
    for name in ("lists/partial", "cache/archives/partial", "etc/apt.conf.d", "etc/preferences.d"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "status").touch()
    options = {
        "APT::Architecture": arch, "APT::Architectures": arch,
        "Dir::State": folder, "Dir::State::lists": folder / "lists",
        "Dir::State::status": folder / "status", "Dir::Cache": folder / "cache",
        "APT::Install-Recommends": "false", "APT::Sandbox::User": "root",
        "Debug::NoLocking": "true",
        # nothing but Debian: other sources do not have every architecture
        "Dir::Etc::SourceList": write_sources(suite, folder), "Dir::Etc::SourceParts": "/dev/null",
    }
    return [word for key, value in options.items() for word in ("-o", f"{key}={value}")]


def write_sources(suite, folder):
    """The system's own mirror of Debian, with another suite."""
    text = ""
    for path in [pathlib.Path("/etc/apt/sources.list"),
                 *sorted(pathlib.Path("/etc/apt/sources.list.d").glob("*"))]:
        if path.is_file():
            text += path.read_text()
    addresses = re.findall(r"^(?:URIs:|deb(?:\s+\[[^]]*\])?)\s+(\S+)", text, re.M)
    mirrors = [one for one in addresses if one.rstrip("/").endswith("/debian")]
    if not mirrors:
        sys.exit("corpus: the system's apt sources name no mirror of Debian")
    keys = pathlib.Path("/usr/share/keyrings/debian-archive-keyring.gpg")
    signed = f"[signed-by={keys}] " if keys.exists() else ""
    sources = folder / "sources.list"
    sources.write_text(f"deb {signed}{mirrors[0]} {suite} main\n")
    return sources


def run(command, **more):
    result = subprocess.run([str(word) for word in command], text=True, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
    if result.returncode:
        sys.exit(f"corpus: {command[0]} failed: {result.stderr.strip().splitlines()[-1:]}")
    return result.stdout


def fetch(arch, package, suite):
    """The folder with the trees of the kernel that @package stands for."""
    apt = CACHE / f"apt-{arch}-{suite}"
    options = apt_options(arch, suite, apt)
    print(f"corpus: looking for {package} ({suite}, {arch})", flush=True)
    run(["apt-get", *options, "-o", "APT::Update::Error-Mode=any", "update"])
    # a metapackage depends on the kernel's own package
    listing = run(["apt-cache", *options, "show", "--no-all-versions", package])
    real = re.search(r"^Depends:.*?(linux-image-\d\S*)", listing, re.M)
    name = real.group(1) if real else package
    version = re.search(r"^Version: (\S+)", run(
        ["apt-cache", *options, "show", "--no-all-versions", name]), re.M).group(1)
    folder = CACHE / f"{name}_{version.replace(':', '-')}_{arch}"
    if not (folder / "complete").exists():
        folder.mkdir(parents=True, exist_ok=True)
        print(f"corpus: downloading {name} {version}", flush=True)
        run(["apt-get", *options, "download", name], cwd=folder)
        archive = next(folder.glob("*.deb"))
        print("corpus: unpacking", flush=True)
        run(["dpkg-deb", "-x", archive, folder / "root"])
        archive.unlink()
        (folder / "complete").touch()
    return folder / "root"


def ask(binary, path):
    """One tree: (path, seconds, exit status, what it said, devices, notes)."""
    start = time.monotonic()
    try:
        result = subprocess.run([binary, "show", "--all", "--format", "json", path],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        return path, TIMEOUT, None, "timed out", 0, collections.Counter()
    seconds = time.monotonic() - start
    notes = collections.Counter()
    devices = 0
    said = result.stderr.decode(errors="replace").strip()
    if result.returncode == 0:
        try:
            answer = json.loads(result.stdout)
            devices = len(answer["devices"])
            for device in answer["devices"]:
                notes.update({(note["code"], note["node"]) for note in device["notes"]})
        except (ValueError, KeyError) as wrong:
            said = f"no sound JSON: {wrong}"
    elif result.returncode == 2 and result.stdout:
        said = "exit status 2 with partial output: " + said
    return path, seconds, result.returncode, said, devices, notes


def children():
    """Processor time of all children so far, in seconds."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def check(binary, files):
    """All trees in one process: (findings by file or None, what it said, processor, elapsed)."""
    used, start = children(), time.monotonic()
    try:
        result = subprocess.run([binary, "check", "--format", "json", "--fail-on", "never",
                                 *files], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, timeout=TIMEOUT * 10)
    except subprocess.TimeoutExpired:
        return None, "timed out", 0, 0
    elapsed, used = time.monotonic() - start, children() - used
    said = result.stderr.decode(errors="replace").strip()
    try:
        answer = json.loads(result.stdout)["files"]
    except (ValueError, KeyError) as wrong:
        return None, f"exit {result.returncode}, no sound JSON ({wrong}): {said}", used, elapsed
    if result.returncode or len(answer) != len(files):
        said = f"exit {result.returncode}, {len(answer)} of {len(files)} files: {said}"
    return {one["source"]: one["findings"] for one in answer}, said, used, elapsed


def dtc_time(files):
    """Processor time of dtc reading and writing each tree; None where there is no dtc."""
    if not shutil.which("dtc"):
        return None
    used = children()
    for path in files:
        subprocess.run(["dtc", "-q", "-I", "dtb", "-O", "dtb", "-o", "/dev/null", path],
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=False)
    return children() - used


def tell_findings(found):
    """The table: code, severity, how many findings in how many files."""
    count, where, of_severity = collections.Counter(), collections.defaultdict(set), {}
    for path, findings in found.items():
        for one in findings:
            key = one["severity"], one["code"]
            count[key] += 1
            where[key].add(path)
            of_severity.setdefault(one["severity"], [0, set()])
            of_severity[one["severity"]][0] += 1
            of_severity[one["severity"]][1].add(path)
    for severity in ("error", "warning", "note"):
        total, paths = of_severity.get(severity, (0, ()))
        print(f"  {severity + 's':35} {total:6} in {len(paths):4} files")
        for key in sorted((k for k in count if k[0] == severity), key=lambda k: (-count[k], k)):
            print(f"    {key[1]:33} {count[key]:6} in {len(where[key]):4} files")


def check_all(options, files, size):
    """`busway check` over everything. Returns whether that went wrong."""
    found, said, used, elapsed = check(options.binary, files)
    if found is None:
        print(f"FAILED check: {said}")
        return True
    quiet = sum(not any(f["severity"] != "note" for f in one) for one in found.values())
    print(f"check: {len(found)} trees in one process, {used:.2f} s of processor time "
          f"({1000 * used / len(files):.2f} ms a tree, {size / 1e6 / max(used, 1e-9):.0f} MB/s), "
          f"{elapsed:.2f} s elapsed")
    dtc = dtc_time(files) if options.dtc else None
    if dtc is not None:
        print(f"  dtc, which reads and writes each in a process of its own: {dtc:.2f} s, "
              f"{dtc / max(used, 1e-9):.1f} times that")
    print(f"  {quiet} trees without error or warning")
    tell_findings(found)
    if options.findings:
        base = os.path.commonpath([path.parent for path in files])
        table = {os.path.relpath(path, base): findings for path, findings in found.items()}
        options.findings.write_text(json.dumps(table, indent=1, ensure_ascii=False) + "\n")
    if said:
        print(f"FAILED check: {said[:2000]}")
    return bool(said)


class Progress:
    def __init__(self, total):
        self.total, self.done, self.tty = total, 0, sys.stderr.isatty()

    def step(self):
        self.done += 1
        if self.tty:
            width = 40 * self.done // self.total
            print(f"\r[{'#' * width}{'.' * (40 - width)}] {self.done}/{self.total}", end="",
                  file=sys.stderr)
        elif self.done % 200 == 0:
            print(f"corpus: {self.done} of {self.total}", flush=True)

    def end(self):
        if self.tty:
            print("\r" + " " * 60 + "\r", end="", file=sys.stderr)


def show_all(options, files, size):
    """`busway show` of each tree. Returns whether one went wrong."""
    answers, progress = [], Progress(len(files))
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for answer in pool.map(lambda path: ask(options.binary, path), files):
            answers.append(answer)
            progress.step()
    progress.end()

    failed = [a for a in answers if a[2] != 0 or a[3]]
    notes = collections.Counter()
    for answer in answers:
        notes.update(code for code, node in answer[5])
    print(f"{len(files)} trees, {size / 1e6:.1f} MB, {sum(a[4] for a in answers)} nodes asked, "
          f"{len(failed)} failed")
    exits = collections.Counter("timed out" if a[2] is None else f"exit {a[2]}" for a in answers)
    print("  " + ", ".join(f"{what}: {count}" for what, count in sorted(exits.items())))
    for code, count in notes.most_common():
        print(f"  note {code:26} {count}")
    print("slowest (a process each, with its JSON):")
    for answer in sorted(answers, key=lambda a: -a[1])[:5]:
        print(f"  {answer[1] * 1000:7.1f} ms  {answer[0].name}")
    for answer in failed:
        print(f"FAILED {answer[0]}: exit {answer[2]}: {answer[3][:300]}")
    return bool(failed)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=TOP / "build" / "src" / "cli" / "busway")
    parser.add_argument("--arch", default="arm64")
    parser.add_argument("--package", help="default: linux-image-ARCH")
    parser.add_argument("--suite", default=own_suite(), help="default: the system's own")
    parser.add_argument("--compare", action="store_true",
                        help="hold each answer against the independent reference, too")
    parser.add_argument("--check-only", action="store_true", help="leave out `busway show`")
    parser.add_argument("--findings", type=pathlib.Path, metavar="FILE",
                        help="write what `busway check` finds to FILE, as JSON by tree")
    parser.add_argument("--dtc", action="store_true", help="set the time of check against dtc's")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time (default 2)")
    parser.add_argument("folders", nargs="*", type=pathlib.Path, metavar="FOLDER")
    options = parser.parse_args()

    package = options.package or f"linux-image-{options.arch}"
    folders = options.folders or [fetch(options.arch, package, options.suite)]
    files = sorted(path for folder in folders for path in folder.rglob("*.dtb"))
    if not files:
        sys.exit("corpus: there are no device trees")
    size = sum(path.stat().st_size for path in files)

    status = 0 if options.check_only else show_all(options, files, size)
    status |= check_all(options, files, size)
    if options.compare:
        compare = TOP / "tests" / "reference" / "compare.py"
        status |= subprocess.run([sys.executable, compare, options.binary, *files]).returncode != 0
    return status


if __name__ == "__main__":
    sys.exit(main())
