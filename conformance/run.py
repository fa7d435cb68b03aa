#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""run.py - ask an implementation all vectors, and compare its answers. Prints TAP.

    run.py --adapter CMD [--variant CONSUMER] [--lenient] [--only TEXT]
    run.py --check

CMD is started once (its words are split as a shell does). It reads one question as a line of JSON
and answers with a line of JSON: README.md has the protocol. Trees are compiled with dtc. --variant
expects what that consumer is known to answer where it deviates (rules.json lists them); --lenient
takes any class of refusal for any other; --only takes the vectors whose id contains the text.

--check runs no adapter: it checks the files themselves (also against schema.json, where Python's
jsonschema is installed).

Exit status: 0 all as expected, 1 not, 2 bad usage. Only the standard library is needed.
"""

import argparse
import glob
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
SECONDS = 60  # for one answer


# ---- TAP ----

class Tap:
    def __init__(self):
        self.count = self.failed = 0

    def line(self, ok, what, directive="", why=()):
        self.count += 1
        print("%s %d - %s%s" % ("ok" if ok else "not ok", self.count, what.replace("#", "\\#"),
                                directive))
        for line in why:
            print("#   " + line)
        if not ok:
            self.failed += 1

    def done(self):
        print("1..%d" % self.count)
        return 1 if self.failed else 0


# ---- the files ----

def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def vector_files():
    return sorted(glob.glob(os.path.join(HERE, "trees", "*.json")))


def compile_tree(source, folder):
    """The path of the tree as a .dtb. Its bytes depend on the version of dtc, its meaning does not."""
    out = os.path.join(folder, os.path.basename(source)[:-4] + ".dtb")
    subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", out, source], check=True)
    return out


# ---- comparing ----

def plain(value):
    """Numbers as integers, so that "0x10" and "0x010" are equal."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if isinstance(value, str) and re.fullmatch(r"0x[0-9a-fA-F]+", value):
        return int(value, 16)
    return value


def same(expected, found):
    """Keys that the answer has beyond the expected ones do not count."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return all(key in found and same(expected[key], found[key]) for key in expected)
    if isinstance(expected, list) and isinstance(found, list):
        return len(expected) == len(found) and all(map(same, expected, found))
    return type(expected) is type(found) and expected == found


def agrees(expected, found, lenient):
    if lenient and isinstance(found, dict) and "refused" in expected and "refused" in found:
        return True
    return same(plain(expected), plain(found))


def expected_of(vector, variant):
    for one in vector.get("variants", []):
        if variant in one["consumers"]:
            return one["expected"]
    return vector["expected"]


# ---- the adapter ----

class AdapterDied(Exception):
    pass


class Adapter:
    def __init__(self, command):
        words = shlex.split(command)
        if words and os.path.isfile(words[0]):  # one in this folder is not in the search path
            words[0] = os.path.abspath(words[0])
        try:
            self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            text=True, encoding="utf-8")
        except (OSError, IndexError) as error:
            sys.exit("run.py: the adapter %r cannot be run: %s" % (command, error))

    def ask(self, question):
        timer = threading.Timer(SECONDS, self.process.kill)
        timer.start()
        try:
            self.process.stdin.write(json.dumps(question) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            timer.cancel()
        if not line:
            raise AdapterDied("the adapter ended, or took more than %d seconds" % SECONDS)
        try:
            answer = json.loads(line)
        except ValueError:
            return {"error": "no JSON: " + line.strip()[:200]}
        return answer if isinstance(answer, dict) else {"error": "no object"}

    def close(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        try:
            self.process.wait(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()


def judge(tap, vector, reply, options):
    what = "%s: %s" % (vector["id"], vector["because"])
    expected = expected_of(vector, options.variant)
    if reply.get("id") == vector["id"] and "unsupported" in reply:
        tap.line(True, what, " # SKIP %s" % reply["unsupported"])
        return
    if reply.get("id") != vector["id"] or "answer" not in reply:
        tap.line(False, what, why=["no answer to this question: " + json.dumps(reply)])
        return
    ok = agrees(expected, reply["answer"], options.lenient)
    tap.line(ok, what, why=() if ok else (
        "rule:     " + vector["rule"],
        "device:   " + vector["device"],
        "question: " + json.dumps(vector["question"]),
        "expected: " + json.dumps(expected),
        "found:    " + json.dumps(reply["answer"])))


def run(options):
    tap = Tap()
    adapter = Adapter(options.adapter)
    folder = tempfile.mkdtemp(prefix="dma-ranges-vectors-")
    try:
        for path in vector_files():
            document = read(path)
            source = os.path.join(HERE, "trees", document["tree"])
            dtb = compile_tree(source, folder)
            for vector in document["vectors"]:
                if options.only in vector["id"]:
                    reply = adapter.ask({"id": vector["id"], "tree": source, "dtb": dtb,
                                         "device": vector["device"],
                                         "question": vector["question"]})
                    judge(tap, vector, reply, options)
    except AdapterDied as error:
        tap.line(False, "the adapter answers", why=[str(error)])
    finally:
        adapter.close()
        shutil.rmtree(folder)
    if not tap.count:
        tap.line(False, "there are vectors to run")
    return tap.done()


# ---- the files themselves ----

def complaints(rules, documents):
    """What schema.json cannot say."""
    known = [rule["id"] for rule in rules["rules"]]
    consumers = {one["id"] for one in rules["consumers"]}
    ids, used = [], set()
    for name, document in documents:
        if document["tree"] != os.path.basename(name)[:-5] + ".dts":
            yield "%s: the tree is called otherwise" % name
        if not os.path.exists(os.path.join(HERE, "trees", document["tree"])):
            yield "%s: there is no %s" % (name, document["tree"])
        for vector in document["vectors"]:
            ids.append(vector["id"])
            used.add(vector["rule"])
            if not vector["id"].startswith(document["tree"][:-4] + "/"):
                yield "%s: the id does not begin with the name of the tree" % vector["id"]
            if vector["rule"] not in known:
                yield "%s: there is no rule %s" % (vector["id"], vector["rule"])
            named = [who for one in vector.get("variants", []) for who in one["consumers"]]
            for who in named:
                if who not in consumers:
                    yield "%s: there is no consumer %s" % (vector["id"], who)
                if named.count(who) > 1:
                    yield "%s: %s has two variants" % (vector["id"], who)
            for one in vector.get("variants", []):
                if plain(one["expected"]) == plain(vector["expected"]):
                    yield "%s: a variant that does not vary" % vector["id"]
    for what, names in (("vector", ids), ("rule", known)):
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield "the %s %s is there twice" % (what, name)
    for rule in known:
        if rule not in used:
            yield "no vector shows the rule %s" % rule


def schema_complaints(documents):
    from jsonschema import Draft7Validator

    schema = read(os.path.join(HERE, "schema.json"))
    Draft7Validator.check_schema(schema)
    validator = Draft7Validator(schema)
    for name, document in documents:
        for error in validator.iter_errors(document):
            yield "%s: %s: %s" % (name, "/".join(map(str, error.path)), error.message[:300])


def check():
    tap = Tap()
    rules = read(os.path.join(HERE, "rules.json"))
    documents = [(os.path.basename(path), read(path)) for path in vector_files()]
    found = list(complaints(rules, documents))
    tap.line(not found, "ids, rules, consumers and trees fit together", why=found)
    trees = {document["tree"] for _, document in documents}
    lonely = sorted(set(os.path.basename(path) for path in
                        glob.glob(os.path.join(HERE, "trees", "*.dts"))) - trees)
    tap.line(not lonely, "every tree has vectors", why=lonely)
    try:
        found = list(schema_complaints(documents + [("rules.json", rules)]))
        tap.line(not found, "the files are as schema.json says", why=found)
    except ImportError:
        tap.line(True, "the files are as schema.json says", " # SKIP Python has no jsonschema")
    print("# %d vectors, %d trees, %d rules" % (
        sum(len(document["vectors"]) for _, document in documents), len(documents),
        len(rules["rules"])))
    return tap.done()


def main():
    parser = argparse.ArgumentParser(description="run the dma-ranges vectors; prints TAP")
    parser.add_argument("--adapter", metavar="CMD", help="the command that answers questions")
    parser.add_argument("--variant", metavar="CONSUMER",
                        help="expect what this consumer answers where it deviates")
    parser.add_argument("--lenient", action="store_true",
                        help="any class of refusal will do for any other")
    parser.add_argument("--only", metavar="TEXT", default="", help="vectors whose id contains it")
    parser.add_argument("--check", action="store_true", help="check the files, ask nobody")
    options = parser.parse_args()
    if options.check == bool(options.adapter):
        parser.error("either --adapter or --check")
    if options.variant:
        consumers = [one["id"] for one in read(os.path.join(HERE, "rules.json"))["consumers"]]
        if options.variant not in consumers:
            parser.error("consumers are: " + ", ".join(consumers))
    return check() if options.check else run(options)


if __name__ == "__main__":
    sys.exit(main())
