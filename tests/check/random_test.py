#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""random_test.py - sound platforms are clean; one defect put into a sound one is found, where it is.

BUSWAY_SEED=N BUSWAY_ROUNDS=0 repeats one round; BUSWAY_ROUNDS is a percentage of the usual number.
"""

import os
import random
import sys
import tempfile

from defects import DEFECTS
from fdt import flatten
from found import LEVELS, Tap, check_all, level, numbers, words
from platforms import plan, render

SEED = int(os.environ.get("BUSWAY_SEED", "0xb05a12"), 0)
PERCENT = int(os.environ.get("BUSWAY_ROUNDS", "100"))
SOUND, DEFECTIVE = 600, 60  # trees; of defective ones, for each kind


def rounds(usual):
    return max(1, usual * PERCENT // 100)


def answers(blobs):
    """The findings of each tree, by one run of the command."""
    with tempfile.TemporaryDirectory() as folder:
        names = []
        for i, blob in enumerate(blobs):
            names.append(os.path.join(folder, "%06d.dtb" % i))
            with open(names[-1], "wb") as file:
                file.write(blob)
        return check_all(*names)


def test_sound(tap):
    seeds = range(SEED, SEED + rounds(SOUND))
    blobs = [flatten(render(plan(random.Random(seed)))) for seed in seeds]
    wrong = []
    for seed, findings in zip(seeds, answers(blobs)):
        left = [f for f in findings if level(f) >= LEVELS["warning"]]
        if left:
            wrong.append("BUSWAY_SEED=%#x\n%s" % (seed, words(left)))
    tap.check(not wrong, "%d sound platforms are clean" % len(blobs), "\n".join(wrong[:3]))


def is_found(findings, expected):
    return any(f["code"] == expected.code and f["node"] in expected.nodes and
               level(f) >= LEVELS[expected.least] and
               (not expected.numbers or
                expected.numbers & numbers(f["message"] + " " + f["advice"])) for f in findings)


def test_defect(tap, defect):
    made, seed = [], SEED
    while len(made) < rounds(DEFECTIVE) and seed < SEED + 100 * rounds(DEFECTIVE):
        rng = random.Random(seed)
        p = plan(rng)
        expected = defect(rng, p)
        if expected:  # not every platform has a place for every defect
            root = render(p)
            if expected.patch:
                expected.patch(root)
            made.append((seed, expected, flatten(root)))
        seed += 1
    missed, others = [], []
    for (seed, expected, _), findings in zip(made, answers([m[2] for m in made])):
        if not is_found(findings, expected):
            missed.append("BUSWAY_SEED=%#x %s\n%s" % (seed, expected, words(findings)))
        stray = [f for f in findings if f["severity"] == "error" and
                 f["code"] not in expected.also | {expected.code}]
        if stray:
            others.append("BUSWAY_SEED=%#x %s\n%s" % (seed, expected, words(stray)))
    name = defect.__name__.replace("_", " ")
    tap.check(made and not missed, "%s: found in %d platforms" % (name, len(made)),
              "\n".join(missed[:3]))
    tap.check(not others, "%s: no other error" % name, "\n".join(others[:3]))


def main():
    tap = Tap()
    test_sound(tap)
    for defect in DEFECTS:
        test_defect(tap, defect)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
