#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""runner_test.py - does conformance/run.py notice wrong answers?

Adapters that lie in one way each are asked all vectors. A runner that lets one of them pass would
let everything pass.
"""

import json
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RUN = os.path.join(ROOT, "conformance", "run.py")

# An adapter that knows the expected answers, and then does something to them.
ADAPTER = """
import glob, json, sys
answers = {}
for path in glob.glob(sys.argv[1] + "/conformance/trees/*.json"):
    for vector in json.load(open(path))["vectors"]:
        answers[vector["id"]] = vector
for line in sys.stdin:
    asked = json.loads(line)
    vector = answers[asked["id"]]
    reply = {"id": asked["id"], "answer": vector["expected"]}
    %s
    print(json.dumps(reply), flush=True)
"""

ADDRESS = "'cpu' in reply['answer'] or 'dma' in reply['answer']"

count = failed = 0


def check(ok, what, why=""):
    global count, failed
    count += 1
    print("%s %d - %s" % ("ok" if ok else "not ok", count, what))
    if not ok:
        failed += 1
        print("# " + str(why)[:500])


def run(change, *options):
    """(exit status, passed, failed, skipped) of an adapter with that change."""
    with tempfile.NamedTemporaryFile("w", suffix=".py") as adapter:
        adapter.write(ADAPTER % change)
        adapter.flush()
        done = subprocess.run(
            [sys.executable, RUN, "--adapter", "%s %s %s" % (sys.executable, adapter.name, ROOT),
             *options], capture_output=True, text=True, timeout=100)
    lines = done.stdout.splitlines()
    skipped = sum(" # SKIP" in line for line in lines)
    return (done.returncode, sum(line.startswith("ok") for line in lines) - skipped,
            sum(line.startswith("not ok") for line in lines), skipped)


def total():
    found = 0
    for name in os.listdir(os.path.join(ROOT, "conformance", "trees")):
        if name.endswith(".json"):
            with open(os.path.join(ROOT, "conformance", "trees", name), encoding="utf-8") as file:
                found += len(json.load(file)["vectors"])
    return found


def main():
    everything = total()
    check(everything > 300, "there are vectors", everything)
    found = run("pass")
    check(found == (0, everything, 0, 0), "right answers pass", found)
    found = run("reply['answer'] = {k.replace('cpu', 'CPU'): v for k, v in reply['answer'].items()}")
    check(found[0] == 1 and found[2] > 30, "a key that is missing is noticed", found)
    found = run("if %s: reply['answer'] = {k: hex(int(v, 16) ^ 1) for k, v in "
                "reply['answer'].items()}" % ADDRESS)
    check(found[0] == 1 and found[2] > 60, "an address that is off by one is noticed", found)
    found = run("if 'refused' in reply['answer']: reply['answer'] = {'cpu': '0x0', 'dma': '0x0'}")
    check(found[0] == 1 and found[2] > 50, "an address where there is none is noticed", found)
    found = run("reply['answer'] = {'refused': 'other'}")
    check(found[0] == 1 and found[1] == 0, "no class of refusal is a wildcard", found)
    found = run("if 'refused' in reply['answer']: reply['answer'] = {'refused': 'other'}")
    check(found[0] == 1 and found[2] > 50, "a wrong class is noticed", found)
    found = run("if 'refused' in reply['answer']: reply['answer'] = {'refused': 'other'}",
                "--lenient")
    check(found[0] == 0, "unless the runner is told to be lenient", found)
    found = run("if 'windows' in reply['answer']: reply['answer']['windows'] = "
                "reply['answer']['windows'][:-1]")
    check(found[0] == 1 and found[2] > 40, "a window that is missing is noticed", found)
    found = run("reply = {'id': 'another', 'answer': reply['answer']}")
    check(found[:2] == (1, 0), "an answer to another question is none", found)
    found = run("reply = {'id': asked['id'], 'unsupported': 'no'}")
    check(found == (0, 0, 0, everything), "what is not supported is skipped", found)
    found = run("print('no JSON', flush=True); continue")
    check(found[:2] == (1, 0), "an answer that is no JSON fails", found)
    found = run("sys.exit(0)")
    check(found[0] == 1, "an adapter that ends fails", found)
    found = run("reply['answer'] = ([o['expected'] for o in vector.get('variants', []) "
                "if 'linux-6.12' in o['consumers']] or [reply['answer']])[0]",
                "--variant", "linux-6.12")
    check(found == (0, everything, 0, 0), "a consumer's own answers pass as its variant", found)
    found = run("pass", "--variant", "linux-6.12")
    check(found[0] == 1 and found[2] > 20, "and the right ones do not", found)
    done = subprocess.run([sys.executable, RUN], capture_output=True, text=True, timeout=20)
    check(done.returncode == 2 and re.search("usage", done.stderr), "nothing to do is bad usage",
          done)
    print("1..%d" % count)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
