#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""kernel_answers_test.py - Busway beside what a running Linux 6.12 answered.

tests/data/kernel-answers holds trees that a kernel booted, and its answers to a test module that
asked the DMA API (see the README there). A kernel is a witness, not a law:

  the same      Where the kernel mapped memory directly (not bounced, and the address that it
                handed out leads to the memory that was asked for), `busway map` with the same mask
                gives the same address.

  bounced       Where a restricted pool makes the kernel bounce, Busway gives an address of the pool.
                (The kernel does not serve more than 256 KiB; Busway does.)

  refused       Where the kernel bounced, or had to and could not, because of the mask or a window,
                Busway refuses, and names that reason: a tree states no pool for that, and `map`
                knows of no other.

  on purpose    What the kernel grants and Busway refuses:
                - dma_map_resource hands out the CPU address of a BAR, whatever the windows make of
                  it ("leads to" is then nowhere, or elsewhere): a BAR is not memory, and its
                  address goes through the windows like any other;
                - dma_alloc_coherent from a pool outside the windows returns success with the
                  address ~0: memory that no window reaches has no address (variant 21);
                - a second allocation from that pool returns 0xfff, which leads nowhere;
                - masks are accepted with which nothing can be mapped: each single range is refused.

  not in force  The kernel bounces buffers of less than a cache line of a device that is not
                coherent, even where the device reaches them (16 bytes at offset 0x123). That is
                no matter of addresses; Busway maps them, and the kernel's own answer for the whole
                page shows that the address would do.

                Behind the SMMU (31) PCI functions get addresses that the SMMU translates: Busway
                refuses as "behind-iommu" until it has domains.
"""

import gzip
import json
import os
import sys

from support import ROOT, Tap, ask

FOLDER = os.path.join(ROOT, "tests", "data", "kernel-answers")
DEVICES = {"busway-bus:busway-dev": "/busway-bus/busway-dev",
           "0000:01:00.0": "/pcie@10000000:01:00.0"}
BEHIND_SMMU = {("31-smmu-holes", "0000:01:00.0")}
RESTRICTED = "12-restricted-host"
POOL = (0x58000000, 0x587fffff)
PER_CALL = 200  # ranges in one call of the command

# Why a kernel bounces: what Busway may then say.
NO_DIRECT_WAY = {"beyond-mask", "no-window", "aperture", "no-memory"}


def number(text):
    return int(text, 16)


def variants():
    for name in sorted(os.listdir(FOLDER)):
        if name.endswith(".json.gz"):
            with gzip.open(os.path.join(FOLDER, name), "rt", encoding="utf-8") as file:
                yield name[:-len(".json.gz")], json.load(file)["answers"]


def spelled(first, size):
    return "%s+%s" % (hex(first), hex(size))


class Asked:
    """What Busway answers for (device, mask, first, size): many ranges a call."""

    def __init__(self, variant, questions):
        self.answers = {}
        tree = os.path.join(FOLDER, variant + ".dts")
        groups = {}
        for device, mask, first, size in questions:
            groups.setdefault((device, mask), set()).add((first, size))
        for (device, mask), ranges in groups.items():
            ranges = sorted(ranges)
            for at in range(0, len(ranges), PER_CALL):
                some = ranges[at:at + PER_CALL]
                _status, document = ask("map", tree, DEVICES[device], "--mask", str(mask),
                                        *[spelled(*one) for one in some])
                for one, result in zip(some, document["results"]):
                    self.answers[(device, mask) + one] = result

    def __getitem__(self, question):
        return self.answers[question]

    def address(self, question):
        """The only address, or None."""
        result = self[question]
        if not result["ok"] or result["how"] != "direct" or len(result["segments"]) != 1:
            return None
        return number(result["segments"][0]["dma"])

    def reason(self, question):
        return self[question].get("refusal", {}).get("code")


def memory_questions(answers):
    """(question, the kernel's answer) for each map of ordinary memory."""
    for answer in answers:
        if answer.get("q") == "map_page" and answer["dev"] in DEVICES:
            first = number(answer["phys"]) + number(answer["off"])
            yield (answer["dev"], answer["mask_bits"], first, number(answer["len"])), answer


def is_direct(answer):
    """Mapped where it is, and the address leads there."""
    return (answer["ret"] == "OK" and not answer["bounced"] and
            number(answer["leads_to"]) == number(answer["phys"]) + number(answer["off"]))


def other_questions(answers):
    """(question, answer) for what the kernel granted although its address leads elsewhere."""
    for answer in answers:
        if answer.get("dev") not in DEVICES or answer.get("ret") != "OK":
            continue
        if answer["q"] == "map_resource":
            yield (answer["dev"], answer["mask_bits"], number(answer["bar_cpu"]), 0x1000), answer


def coherent_outside(answers):
    """Pool memory for which the kernel returned the address ~0 (variant 21)."""
    pool = (0x80000000, 0x400000)
    for answer in answers:
        if (answer.get("q") == "alloc_coherent" and answer.get("ret") == "OK"
                and number(answer["dma"]) >= (1 << 64) - 0x1000):
            yield (answer["dev"], answer["mask_bits"], pool[0], number(answer["len"])), answer


def check_pairs(tap, variant, answers):
    """The second of two live allocations wraps round: it is no address of the device's."""
    for answer in answers:
        if answer.get("q") != "coherent_pair" or answer["dev"] not in DEVICES \
                or (variant, answer["dev"]) in BEHIND_SMMU:
            continue
        first, second = number(answer["dma_first"]), number(answer["dma_second"])
        if second >= first:
            continue
        tree = os.path.join(FOLDER, variant + ".dts")
        for address in (first, second):
            status, document = ask("why", tree, DEVICES[answer["dev"]], hex(address))
            tap.equal((status, document["refusal"] and document["refusal"]["code"]),
                      (1, "no-window"), "%s %s: the coherent address %s leads nowhere" % (
                          variant, answer["dev"], hex(address)))


def check_variant(tap, variant, answers):
    memory = list(memory_questions(answers))
    resources = list(other_questions(answers))
    outside = list(coherent_outside(answers))
    asked = Asked(variant, [question for question, _ in memory + resources + outside])

    for (device, mask, first, size), answer in memory:
        question = (device, mask, first, size)
        what = "%s %s, mask %d, %s (%s): " % (variant, device, mask, spelled(first, size),
                                              answer["case"])
        address, reason = asked.address(question), asked.reason(question)
        if (variant, device) in BEHIND_SMMU:
            tap.equal(reason, "behind-iommu", what + "translated by the SMMU")
        elif is_direct(answer):
            tap.equal(hex(address) if address is not None else reason,
                      hex(number(answer["dma"])), what + "the kernel's address")
        elif variant == RESTRICTED and reason is None:
            segment = asked[question]["segments"][0]
            tap.check(asked[question]["how"] == "bounce" and
                      POOL[0] <= number(segment["dma"]) <= POOL[1] - size + 1,
                      what + "through the pool", asked[question])
        elif reason is None:
            # the kernel bounced, or failed to, though the device reaches the memory
            tap.check(small_and_noncoherent(device, first, size) and address is not None,
                      what + "mapped, though the kernel did not", asked[question])
        else:
            expected = {"empty-reach"} if variant == RESTRICTED else NO_DIRECT_WAY
            tap.check(reason in expected and asked[question]["refusal"]["detail"],
                      what + "refused, with the reason", asked[question])

    for question, answer in resources:
        what = "%s %s, mask %d: dma_map_resource of CPU %s: " % (
            variant, question[0], question[1], hex(question[2]))
        tap.check(asked.reason(question) is not None, what + "a BAR is not memory",
                  asked[question])
    for question, answer in outside:
        what = "%s %s, mask %d: coherent memory of the pool outside the window: " % (
            variant, question[0], question[1])
        tap.check(asked.reason(question) is not None, what + "refused", asked[question])
    if variant != RESTRICTED:  # there every mask that reaches the pool is served by it
        check_empty_masks(tap, variant, memory, asked, answers)
    check_pairs(tap, variant, answers)
    return len(memory)


def small_and_noncoherent(device, first, size):
    """The platform device is not coherent; a part of a cache line of it is bounced."""
    return device.startswith("busway-bus") and (first % 64 or size % 64)


def check_empty_masks(tap, variant, memory, asked, answers):
    """Masks that the kernel accepted though it could then map nothing directly."""
    for answer in answers:
        if answer.get("q") != "set_mask" or answer["set_mask"] != "OK":
            continue
        device, bits = answer["dev"], answer["bits"]
        under = [(q, a) for q, a in memory if q[:2] == (device, bits)]
        if under and not any(is_direct(a) for _q, a in under) and device in DEVICES:
            open_ones = [q for q, _a in under if asked.reason(q) is None
                         and not small_and_noncoherent(device, q[2], q[3])]
            tap.check(not open_ones, "%s %s: a mask of %d is accepted and reaches nothing: refused"
                      % (variant, device, bits), open_ones)


def check_limits(tap, variant, answers):
    """What the kernel itself holds to be the device's windows and limit."""
    tree = os.path.join(FOLDER, variant + ".dts")
    for answer in answers:
        if answer.get("q") != "info" or answer.get("when") != "at probe" \
                or answer["dev"] not in DEVICES:
            continue
        _status, document = ask("show", tree, DEVICES[answer["dev"]])
        dma = document["devices"][0]["dma"]
        what = "%s %s: " % (variant, answer["dev"])
        tap.equal([(w["bus"], w["cpu"], w["size"]) for w in dma["windows"]],
                  [tuple(hex(number(one[key])) for key in ("dma", "cpu", "size"))
                   for one in answer.get("range_map") or []], what + "the kernel's range map")
        limit = number(answer["bus_dma_limit"])
        tap.equal(dma["bus_limit"], hex(limit) if limit else None, what + "the kernel's bus limit")


def main():
    tap = Tap()
    total = 0
    for variant, answers in variants():
        total += check_variant(tap, variant, answers)
        check_limits(tap, variant, answers)
    tap.check(total > 1500, "answers of the kernel were compared", total)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
