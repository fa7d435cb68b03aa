#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Can the tests fail? Break the code on purpose, one place at a time, and see which test notices.

Each mutation is applied to a copy of the tree in a temporary folder, built there, and the tests of
its layer are run until one fails.

    mutate.py                 a table of all mutations and what killed them
    mutate.py WORD...         only those whose file or description has one of the words
    mutate.py --check         also exits 1 if one survives, or no longer fits the code
    mutate.py --list          only say what there is
    mutate.py --jobs N        side by side (2)

To add one, add a row to MUTATIONS: the file, the exact text, which stands there once, what it
becomes, what that breaks, and the test program that is likely to notice (it is run first).
"""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
TEST_TIMEOUT = 40  # seconds; most take one or two, and some ten on a busy machine
Mutation = collections.namedtuple("Mutation", "file old new breaks likely")

ADDR = "include/busway/addr.h"
INTERVALS = "src/addr/intervals.c"
INTERNAL = "src/platform/platform_internal.h"


def core(name):
    return f"src/platform/{name}.c"


MUTATIONS = [Mutation(*row) for row in [
    # ---- addr: ranges ----
    (ADDR, "	if (size == 0 || size - 1 > UINT64_MAX - first)\n",
     "	if (size == 0 || size > UINT64_MAX - first)\n",
     "a range cannot end at the last address", "range"),
    (ADDR, "		size = UINT64_MAX - first + 1;", "		size = UINT64_MAX - first;",
     "clipping takes the last address as well", "range"),
    (ADDR, "	return out.first <= in.first && in.last <= out.last;",
     "	return out.first <= in.first && in.last < out.last;",
     "a range is not within itself", "range"),
    (ADDR, "	return a.first <= b.last && b.first <= a.last;",
     "	return a.first < b.last && b.first < a.last;",
     "ranges that share one address do not overlap", "range"),
    (ADDR, "		a.last < b.last ? a.last : b.last,",
     "		a.last < b.last ? b.last : a.last,",
     "the common part is not clipped at its end", "range"),
    (ADDR, "	return a.last != UINT64_MAX && b.first == a.last + 1;",
     "	return b.first == a.last + 1;",
     "address 0 adjoins the last one", "range"),
    (ADDR, "	return size != 0 && busway_range_span(r) >= size - 1;",
     "	return size != 0 && busway_range_span(r) > size - 1;",
     "what fits exactly does not fit", "range"),
    (ADDR, "	if (x > UINT64_MAX - (align - 1))", "	if (x > UINT64_MAX - align)",
     "aligning refuses the last multiple", "range"),

    # ---- addr: sets ----
    (INTERVALS, "busway_intervals_find(set, range.first ? range.first - 1 : 0)",
     "busway_intervals_find(set, range.first)",
     "a run is not joined with the one that it adjoins", "intervals"),
    (INTERVALS, "		if (set->runs[middle].last < address)",
     "		if (set->runs[middle].last <= address)",
     "the last address of a run is not found", "intervals"),
    (INTERVALS, "{set->runs[i].first, range.first - 1}", "{set->runs[i].first, range.first}",
     "removing leaves the first address", "intervals"),
    (INTERVALS, "	if (set->runs[j - 1].last > range.last)",
     "	if (set->runs[j - 1].last >= range.last)",
     "removing up to the end of a run leaves an empty run", "intervals"),
    (INTERVALS, "		if (set->runs[i].last < other->runs[j].last)",
     "		if (set->runs[i].last > other->runs[j].last)",
     "intersecting goes on in the wrong set", "intervals"),
    (INTERVALS, "	*set = *made;\n	busway_intervals_clear(&old);",
     "	*set = *made;\n	(void)old;",
     "the old runs of a set are never given back", "intervals"),

    # ---- base ----
    ("src/base/arena.c", "sizeof(struct arena_chunk) + align;", "sizeof(struct arena_chunk);",
     "no room is left for aligning", "platform"),
    ("src/base/arena.c", "			memcpy(items, vector->items, vector->count * item_size);",
     "			memcpy(items, vector->items, (vector->count - 1) * item_size);",
     "a growing array forgets its last item", "platform"),
    ("src/base/sort.c", "		if (child + 1 < count && before(",
     "		if (child + 2 < count && before(",
     "the last child of the heap is not looked at", "decode"),
    ("src/base/text.c", "	if (text->length + 1 < text->size) {",
     "	if (text->length + 1 <= text->size) {",
     "a text ends one byte behind its buffer", "refusal"),

    # ---- platform: who takes an address ----
    (core("decode"), "claims[item].rank < claims[heap[(i - 1) / 2]].rank",
     "claims[item].rank > claims[heap[(i - 1) / 2]].rank",
     "of two windows the later one wins", "decode"),
    (core("decode"), "			run.last = claims[next].range.first - 1;",
     "			run.last = claims[next].range.first;",
     "a claim keeps one address of what cuts it off", "decode"),
    (core("decode"), "claims[heap[0]].range.last < position)",
     "claims[heap[0]].range.last <= position)",
     "a claim loses its last address", "decode"),
    (core("decode"), "		{&space->regions, CLAIM_REGION},\n		{&space->windows, CLAIM_WINDOW},",
     "		{&space->windows, CLAIM_WINDOW},\n		{&space->regions, CLAIM_REGION},",
     "windows go before regions", "decode"),
    (core("decode"),
     "		{&space->windows, CLAIM_WINDOW},\n		{&space->background, CLAIM_REGION},",
     "		{&space->background, CLAIM_REGION},\n		{&space->windows, CLAIM_WINDOW},",
     "unknown memory goes before windows", "decode"),
    (core("decode"), "		if (run->range.first - 1 < last)\n			last = run->range.first - 1;",
     "		if (run->range.first < last)\n			last = run->range.first;",
     "a hole goes on into what is behind it", "property"),
    (INTERNAL, "		if (decoder->runs[middle].range.last < address)",
     "		if (decoder->runs[middle].range.last <= address)",
     "the last address of a window is not found", "decode"),

    # ---- platform: building ----
    (core("build"), "	if (platform->sealed)\n		return -BUSWAY_EBUSY;\n	if (vector->count",
     "	if (vector->count", "a sealed platform can still be changed", "platform"),
    (core("build"), "busway_range_span(window->in) > UINT64_MAX - window->out.raw",
     "busway_range_span(window->in) >= UINT64_MAX - window->out.raw",
     "no window comes out at the last address", "platform"),
    (core("build"), "(kind == BUSWAY_REGION_UNKNOWN) != background", "false",
     "unknown memory claims like any region", "decode"),
    (core("build"), "	if (!place)\n		return -BUSWAY_ENOMEM;\n	memcpy(place, item, size);",
     "	vector->count++;\n	if (!place)\n		return -BUSWAY_ENOMEM;\n"
     "	vector->count--;\n	memcpy(place, item, size);",
     "what there was no memory for is counted", "oom"),
    (core("build"), "	memory->free(memory->ctx, shop.claims, bytes, ",
     "	if (status == 0)\n		memory->free(memory->ctx, shop.claims, bytes, ",
     "failing to seal leaks", "oom"),

    (core("build"),
     "for (int kind = BUSWAY_REGION_DOORBELL; kind <= BUSWAY_REGION_UNKNOWN; kind++)",
     "for (int kind = BUSWAY_REGION_UNKNOWN; kind >= BUSWAY_REGION_DOORBELL; kind--)",
     "memory goes before carve-outs", "decode"),
    (INTERNAL, "return window->out.raw + (address - window->in.first);",
     "return window->out.raw + address;", "a window forgets where it begins", "decode"),

    # ---- platform: what a device emits ----
    (core("emission"), "{.zero = ~busway_bits_last(bits)}", "{.zero = ~busway_bits_last(bits + 1)}",
     "a mask has one bit too many", "emission"),
    (core("emission"), "		} while ((care | from) >> bit & 1);",
     "		} while (from >> bit & 1);",
     "a carry goes into a bit that is fixed", "emission"),
    (core("emission"), "	run->last = run->first + busway_bits_last(free_bits);",
     "	run->last = run->first + busway_bits_last(free_bits + 1);",
     "runs between fixed bits are too long", "emission"),
    (core("emission"), "		if (run.last >= range.last)\n			return true;",
     "		if (run.last > range.last)\n			return true;",
     "the last address of a run cannot be emitted", "emission"),

    # ---- platform: hop by hop ----
    (core("resolve"), "		if (claim.last < range.last)\n			range.last = claim.last;\n", "",
     "an access is not cut where its window ends", "resolve"),
    (core("resolve"), "		if ((window->access & walk->access) != walk->access)",
     "		if ((window->access & walk->access) == 0)",
     "a read-write access passes a window for reads", "resolve"),
    (core("resolve"), "hops < BUSWAY_HOPS_MAX; hops++)", "hops <= BUSWAY_HOPS_MAX; hops++)",
     "one hop too many is followed", "resolve"),
    (core("resolve"), "busway_range_adjoins(part->range, next->range) &&", "true &&",
     "parts that land apart are one access", "resolve"),
    (core("resolve"),
     "(is_memory(platform, part->region) && is_memory(platform, next->region))", "true",
     "a doorbell and the memory beside it are one place", "resolve"),
    (core("resolve"), "refuse_straddle(walk, space, range, first - 1)",
     "refuse_straddle(walk, space, range, first)",
     "the part that goes one way is one byte too long", "resolve"),
    (core("resolve"), "region->kind == BUSWAY_REGION_CARVEOUT || region->kind", "region->kind",
     "carve-outs are memory for everybody", "resolve"),

    (core("resolve"), "first += span + 1;", "first += span + 2;",
     "a byte between two parts is never followed", "resolve"),

    # ---- platform: all ways at once ----
    (core("flatten"), "rest.first = here.last + 1;", "rest.first = here.last + 2;",
     "each piece but the first loses a byte", "reach"),
    (core("flatten"), "claim.last < rest.last ? claim.last : rest.last", "rest.last",
     "the view is not cut where a window ends", "reach"),
    (core("flatten"), "		.access = (enum busway_access)(s->access & window->access),",
     "		.access = s->access,",
     "what a window forbids is forgotten", "reach"),
    (core("flatten"), "return next.depth < BUSWAY_HOPS_MAX &&",
     "return next.depth <= BUSWAY_HOPS_MAX &&",
     "the view goes one hop further than an access", "resolve"),
    (core("flatten"), "		.dma = s->dma + (range.first - s->range.first),\n		.access",
     "		.dma = s->dma,\n		.access",
     "the offset inside an outer window is dropped", "reach"),
    (core("reach"), "busway_phys(piece->piece.phys.raw + (common.first - dma.first))",
     "busway_phys(piece->piece.phys.raw)",
     "the offset of a part that can be emitted is dropped", "reach"),
    (core("reach"), "base[half].dma.first.raw <= dma.raw ? half : 0",
     "base[half].dma.first.raw < dma.raw ? half : 0",
     "the first address of a piece is not found", "reach"),
    (core("reach"), "dma.raw <= base->dma.last.raw ? base", "dma.raw < base->dma.last.raw ? base",
     "the last address of a piece is not found", "reach"),
    (core("reach"), "base[half].phys_first <= phys ? half : 0",
     "base[half].phys_first < phys ? half : 0",
     "the first byte of memory has no address", "reach"),
    (core("reach"), "		if (i && runs[i].phys_first <= before)",
     "		if (i && runs[i].phys_first < before)",
     "ways that share one byte are not known to overlap", "property"),
    (core("reach"),
     "reach->highest[i] = i && before > runs[i].phys_last ? before : runs[i].phys_last;",
     "reach->highest[i] = runs[i].phys_last;",
     "a long way is not found behind short ones", "reach"),

    (core("reach"), "taken[i] ? &many_runs : run", "run",
     "of several ways in one part of memory the last one is taken", "reach"),
    (core("reach"), "		if (!best || rank < best_rank) {",
     "		if (!best || rank > best_rank) {",
     "of several addresses that of the last window is taken", "reach"),
    ("src/platform/reach_internal.h", "phys.last <= run->phys_last &&",
     "phys.first <= run->phys_last &&",
     "of memory the first byte only is looked for", "reach"),

    # ---- platform: addresses of memory ----
    (core("address"), "busway_range_span(dma) > limits->max_size - 1",
     "busway_range_span(dma) > limits->max_size",
     "a segment is one byte longer than allowed", "address"),
    (core("address"), "dma.first | (limits->boundary - 1)", "dma.first | limits->boundary",
     "segments cross the boundary", "address"),
    (core("address"), "> device->segments.max_count)", ">= device->segments.max_count)",
     "a full list is refused", "address"),
    (core("address"), "device->behind_iommu && !(flags & BUSWAY_ADDRESS_BYPASS_IOMMU)",
     "device->behind_iommu && !flags && false",
     "a translated device gets CPU-physical addresses", "address"),
    (core("address"), "	if (device->restricted_pool != UINT32_MAX) {",
     "	if (device->restricted_pool == UINT32_MAX - 1) {",
     "a restricted device gets memory anywhere", "address"),
    (core("explain"), "busway_range_span(run) >= size_less_one",
     "busway_range_span(run) + 1 >= size_less_one",
     "bouncing is advised where there is no room for it", "property"),
    (core("explain"), "		if (hop->window != s->chain[depth - 1 - i])\n			break;",
     "		if (hop->window == s->chain[depth - 1 - i])\n			break;",
     "the wrong window is said to take the addresses", "refusal"),

    # ---- platform: several devices ----
    (core("joint"), "{r.first, r.last - (j->size - 1)}", "{r.first, r.last - j->size}",
     "memory at the end of a run is not handed out", "joint"),
    (core("joint"), "avoid.first > j->size - 1 ? avoid.first - (j->size - 1) : 0",
     "avoid.first > j->size ? avoid.first - j->size : 0",
     "memory right before what is avoided is not handed out", "joint"),
    (core("joint"), "		if (end - at >= j->size - 1) {", "		if (end - at >= j->size - 2) {",
     "shared memory crosses a boundary", "joint"),
    (core("joint"), "!busway_align_up(at, j->align, &at)", "!busway_align_up(at, 1, &at)",
     "shared memory is not aligned", "joint"),
    (core("joint"), "		if (!in_a_pool(j, avoid[i]))\n			status = avoid_range(",
     "		status = avoid_range(",
     "a pool is avoided by the device that must use it", "joint"),

    # ---- platform: the rest ----
    (core("ids"), "id - map->id_base < map->id_count", "id - map->id_base <= map->id_count",
     "a requester range is one too long", "ids"),
    (core("ids"), "	platform->sealed = sealed;", "",
     "adding a function opens the platform", "resolve"),
    (core("usable"), "region->kind == BUSWAY_REGION_CARVEOUT &&", "",
     "memory is taken away by itself", "usable"),
    (core("iova"), "		next = windows[i].last + 1;", "		next = windows[i].last;",
     "the last IOVA of a window is taken away", "iova"),
    (core("iova"), "status = remove_apertures(iova, platform, device);", ";",
     "an IOVA inside an aperture is allowed", "iova"),
    # ---- platform: who may be handed what ----
    (core("reach"), "	return !device->behind_iommu && device->restricted_pool",
     "	return device->restricted_pool",
     "the fast path hands out addresses that an IOMMU would translate", "reach"),
    (core("reach"), "!device->segments.max_size && !device->segments.boundary", "true",
     "the fast path ignores the device's segment limits", "reach"),
    (core("address"), "		if (reach->aliased) {\n			const", "		if (false) {\n			const",
     "of aliased ways the longest is taken, whatever the segments", "address"),
    (core("address"), "add_up(pieces_of(head, limits->max_size), blocks * each)",
     "add_up(pieces_of(head, limits->max_size), blocks)",
     "segments between two boundaries are not counted", "address"),
    (core("address"), "		if (!pool->valid) {", "		if (false) {",
     "a pool that the kernel rejects is advised", "refusal"),
    (core("resolve"), "		    !lands_anyway(platform, device, dma, access))", "		    false)",
     "a mask is advised that would not help", "refusal"),
    (core("resolve"), "		walk->part_start = walk->path->hop_count;", "		walk->part_start = 0;",
     "a long path loses the part that is refused", "resolve"),
    (core("explain"), "	if (leaves_way(s, depth, &path)) {", "	if (false) {",
     "a window that leads nowhere is not named as what shadows", "refusal"),
    (core("ids"), "		map = hit(device->iommu, device->iommu_count, false, device->requester);",
     "		map = hit(device->iommu, device->iommu_count, true, 0);",
     "the first IOMMU is named, whichever translates", "refusal"),
    (core("iova"), "	const bool through = limited && leads_to_pci(platform, space);",
     "	const bool through = false;",
     "IOVAs of a device behind PCI ignore the bridge's windows", "iova"),
    (core("flatten"), "s->space.index != BUSWAY_CPU_SPACE.index ||", "",
     "memory of a bus is taken for the CPU's", "reach"),
    (core("address"), "device->behind_iommu && !(flags & BUSWAY_ADDRESS_BYPASS_IOMMU)", "0",
     "a translated device is handed a bus address", "address"),
    (core("address"), "if (device->restricted_pool != UINT32_MAX) {", "if (0) {",
     "a restricted device is mapped directly", "address"),
    (core("read"), "path[path_length - name_length - 1] == '/' &&", "",
     "a device is found by the end of a word", "platform"),
    (core("refusal"), "		text_put_range(text, refusal->limit);",
     "		text_put_range(text, refusal->asked);",
     "a sentence tells what was asked as the limit", "refusal"),
    (core("flatten"), "region->kind == BUSWAY_REGION_APERTURE\n", "false\n",
     "apertures of bridges further up are IOVAs", "iova"),
    (core("joint"), "busway_platform_memory_known(j->sharers[0].reach->platform) ||", "true ||",
     "memory that is not stated is shared", "joint"),
    (core("explain"), "		why->limit = window->in;", "		why->limit = region_at(p, 0)->range;",
     "an aperture is told with another range", "refusal"),
    (core("ids"), "h->translated_always ||\n", "\n",
     "a function goes around an IOMMU that translates everybody", "resolve"),
    (core("ids"), "	if (h->is_bridge_itself ||\n", "	if (\n",
     "a function gets the view of the bridge itself", "resolve"),
    (core("ids"), "UINT32_MAX || function->behind_iommu)", "UINT32_MAX)",
     "a function behind an IOMMU has the host's pool", "resolve"),
    # ---- import: device trees ----
    ("src/import/fdt_dma.c", "if (past_first && !fdt_has(tree, node, FDT_DMA_RANGES))",
     "if (!fdt_has(tree, node, FDT_DMA_RANGES))",
     "a missing table at the first level ends the search", "windows"),
    ("src/import/fdt_dma.c", "direct && i < table->direct_count", "direct && i < table->count",
     "entries behind one of size zero count", "windows"),
    ("src/import/fdt_dma.c", "window.in.last = window.in.first + busway_range_span(out);", ";",
     "a window that wraps on its CPU side is not clipped", "windows"),
    ("src/import/fdt_linux.c", "a->flags == b->flags && ", "",
     "entries of different space codes are joined", "windows"),
    ("src/import/fdt_table.c", "(flags >> 24 & 3) >= 2 ? FDT_CLASS_MEMORY : flags >> 24 & 3",
     "flags >> 24 & 3", "32-bit and 64-bit memory space do not match each other", "windows"),
    ("src/import/fdt_host.c", "if (space == 0 || e->size == 0)", "if (e->size == 0)",
     "configuration space is an outbound window", "hosts"),
    ("src/import/fdt_memory.c", "if (!reg)\n\t\treg = fdt_get(tree, node, FDT_REG);",
     "reg = fdt_get(tree, node, FDT_REG);", "linux,usable-memory is not looked at", "memory"),
    ("src/import/fdt_memory.c", "pool->no_map && pool->enabled", "pool->no_map",
     "disabled carve-outs are carved out", "memory"),
    ("src/import/fdt_maps.c", "out->unreadable = prop && at * 4 != prop->length;",
     "out->unreadable = prop && !count;", "IOMMUs that could not be read are forgotten", "maps"),
    ("src/import/fdt_owner.c", "s->first <= address)", "s->first < address)",
     "the first address of an entry is not its own", "windows"),
    ("src/import/fdt_owner.c", "		*overlaps |= i != expected;\n", "",
     "an entry around another one is not told to overlap", "windows"),
    ("src/import/fdt_owner.c", "	*overlaps |= expected != end;\n", "",
     "an entry whose end is taken is not told to overlap", "windows"),
    ("src/import/fdt_table.c", " &&\n				 e->child + e->size > e->child;", ";",
     "an entry that reaches 2^64 is translated, which Linux does not", "windows"),
    ("src/import/fdt_linux.c", "fdt_flag_cells(from) ? fdt_class_up(from, to, class) : 0",
     "fdt_class_up(from, to, class)", "Linux is said to take a missing code for memory", "hosts"),
    ("src/import/fdt_linux.c", "ended && table->linux_count == 1;", "ended;",
     "a table with a window before its end is empty", "windows"),
    ("src/import/fdt_memory.c", "type != BUSWAY_POOL_SHARED || ", "",
     "a plain region is rejected for its flags", "memory"),
    ("src/import/fdt_iommu.c", "		device->behind_iommu = true;\n", "",
     "a bridge's IOMMU does not translate what is behind a function", "maps"),
    ("src/import/fdt_iommu.c", "		device->translated_always = true;\n", "",
     "an ID on another bus is looked up in the map", "maps"),
    ("src/import/fdt_device.c", "|| fdt_has(&importer->tree, node, FDT_MEMORY_REGION))", ")",
     "a function with regions of its own falls back to the host's pool", "memory"),
    # ---- iova: free extents, caches, the map ----
    ("src/iova/tree.c", "	if (tree->height && leaf->node.count < TREE_MIN)",
     "	if (tree->height && leaf->node.count < 1)",
     "nodes get emptier than nodes are kept for", "iova_extents"),
    ("src/iova/tree_shape.c", "		path->node[level] = right;\n		path->at[level] -= HALF;",
     "		path->node[level] = right;",
     "an entry goes to the wrong place after a split", "iova_extents"),
    ("src/iova/tree_shape.c", "	tree_describe(tree, parent, i, level);\n	if (level + 1",
     "	if (level + 1",
     "after joining, what is below is not told above", "iova_extents"),
    ("src/iova/tree_shape.c", "(inner->having[class] & low) | (inner->having[class] >> 1 & ~low);",
     "inner->having[class] & low;",
     "a child that moves loses its classes", "iova_extents"),
    ("src/iova/tree_summary.c", "		*having &= ~bit;\n",
     "",
     "a class that is gone is still told above", "iova_extents"),
    ("src/iova/tree_summary.c", "		if (*having)\n			change->gained &= ~(rest & -rest);\n",
     "		change->gained &= ~(rest & -rest);\n",
     "a new class is not told further up", "iova_extents"),
    ("src/iova/tree_summary.c", "	else if (change->was == longest)\n",
     "	else if (false)\n",
     "the longest extent is gone and still told above", "iova_extents"),
    ("src/iova/tree_summary.c", "		if (inner->having[class] & ~((uint32_t)1 << i))\n			return false;\n",
     "",
     "a child's longest is taken for that of all", "iova_extents"),
    ("src/iova/hunt.c", "	       (hunt->shortest != UINT64_MAX && !hunt->thorough);",
     "	       hunt->shortest != UINT64_MAX;",
     "a crowded space breaks up the first extent that serves", "iova_quality"),
    ("src/iova/hunt.c", "	hunt->tries--;\n",
     "",
     "any number of leaves is looked at", "iova_bound"),
    ("src/iova/extents.c", "path_value(&path) >= range.first)",
     "path_value(&path) > range.first)",
     "what ends where it begins is given back twice", "iova_space"),
    ("src/iova/extents.c", "path_first(behind) <= range.last)",
     "path_first(behind) < range.last)",
     "what begins where it ends is given back twice", "iova_space"),
    ("src/iova/hunt.c", "	if (at > extent.last || extent.last - at < w->span || at > w->start_last)",
     "	if (at > extent.last || extent.last - at < w->span)",
     "the limit is not asked of an aligned place", "iova_space"),
    ("src/iova/hunt.c", "	if ((at & w->boundary) > w->boundary - w->span) {",
     "	if ((at & w->boundary) > w->boundary - w->span + 1) {",
     "a range crosses a boundary by one granule", "iova_space"),
    ("src/iova/take.c", "	if (last_byte_of(space, granule) > last && granule-- == 0)",
     "	if (last_byte_of(space, granule) > last && granule == 0)",
     "a limit inside a granule allows all of it", "iova_space"),
    ("src/iova/take.c", "	space->free_count += busway_range_span(granules) + 1;\n	space->out -= space->out != 0;",
     "	space->free_count += busway_range_span(granules);\n	space->out -= space->out != 0;",
     "the census loses a granule", "iova_space"),
    ("src/iova/take.c", "	       (call_back_locked(space, last) && search(space, w, last, path, start, all));",
     "	       false;",
     "somebody is refused what caches hold", "iova_cache"),
    ("src/iova/take.c", "	if (prefers_low(request) && take_low_locked(space, w, first))\n		return 0;\n",
     "",
     "who prefers low addresses gets just any", "iova_cache"),
    ("src/iova/take.c", "	if (request->boundary && request->size > request->boundary)\n",
     "	if (request->boundary && request->size > 2 * request->boundary)\n",
     "a range crosses a boundary inside a granule", "iova_space"),
    ("src/iova/take.c", "		       2 +\n	       1;",
     "		       4 +\n	       1;",
     "nodes for half of what may come back are missing", "iova_memory"),
    ("src/iova/reserve.c", "		if (!extents_hold(&space->extents, *piece))\n			return false;",
     "",
     "a live range is reserved", "iova_space"),
    ("src/iova/space.c", "	if (!status && !use_ends)\n		status = busway_intervals_remove(own, (struct busway_range){end, end});",
     "",
     "the last page of a 64-bit space is handed out", "iova_space"),
    ("src/iova/cache.c", "		if (give_locked(space, (struct busway_range){first, first + span}, NULL))\n			space->double_frees++;",
     "		give_locked(space, (struct busway_range){first, first + span}, NULL);",
     "a range given back twice is not counted", "iova_cache"),
    ("src/iova/cache.c", "		if (first == SLOT_EMPTY || first > last)", "		if (first == SLOT_EMPTY)",
     "what lies beyond the limit is called back, too", "iova_cache"),
    ("src/iova/cache.c", "	if (last <= LOW_LAST && !space->depot_has_low)\n",
     "	if (last <= LOW_LAST)\n",
     "low ranges in the depot are not called back", "iova_cache"),
    ("src/iova/cache.c", "		.sizes = UINT64_MAX >> space->shift >= SIZES ? SIZES : 0,",
     "		.sizes = SIZES,",
     "a size of 0 is taken for one that is cached", "iova_cache"),
    ("src/iova/cache_use.c", "	if (first <= LOW_LAST)\n",
     "	if (first < 1)\n",
     "a cache forgets that it has low ranges", "iova_cache"),
    ("src/iova/cache_use.c", "	if (found + bin->reach - 1 > request->last - 1 ||\n",
     "	if (\n",
     "a cached range lies beyond the limit", "iova_cache"),
    ("src/iova/cache_use.c", "	if (top == bin->end || slot_peek(top - 1, &cache->lock) == first)\n",
     "	if (top == bin->end)\n",
     "giving back twice in a row is not seen", "iova_cache"),
    ("src/iova/slot.h", "	return atomic_exchange_explicit(&slot->granule, SLOT_EMPTY, memory_order_acquire);",
     "	const uint64_t was = atomic_load_explicit(&slot->granule, memory_order_acquire);\n\n	atomic_store_explicit(&slot->granule, SLOT_EMPTY, memory_order_relaxed);\n	return was;",
     "two threads empty one slot", "iova_threads"),
    ("src/iova/group.c", "	return busway_intervals_intersect(&iova->allowed, &other->allowed);",
     "	return 0;",
     "a group may use what one of it cannot", "iova_group"),
    ("src/iova/group.c", "	drop_repeated(&iova);\n",
     "",
     "who took a range away is told twice", "iova_group"),
    ("src/iova/map.c", "	if (other && other->iova.first.raw <= iovas.last)",
     "	if (other && other->iova.first.raw < iovas.last)",
     "a mapping overlaps another by a byte", "iova_map"),
    ("src/iova/map_remove.c", "	rest.memory += rest.iova.first.raw - entry->iova.first.raw;",
     "	rest.memory += range.last - range.first + 1;",
     "what is left behind a hole leads elsewhere", "iova_map"),
    ("src/iova/map_remove.c", "!map->options.may_split)",
     "!map->options.may_have_gaps)",
     "a mapping that goes as a whole is cut", "iova_map"),

    # ---- buffers: a trie that readers look at without locks ----
    ("src/buffers/translate.c", "	return length - 1 <= behind && access &&", "	return access &&",
     "an access goes on in a slot that may be anybody's", "buffers_edges"),
    ("src/buffers/translate.c", "length - 1 <= last - offset", "length <= last - offset + 2",
     "one byte behind the end of a small buffer is translated", "buffers_edges"),
    ("src/buffers/translate.c", "	return offset <= last && length", "	return length",
     "what lies between small buffers is translated", "buffers_edges"),
    ("src/buffers/translate.c", "is_access(access) &&\n	       !(access & ~bound)", "is_access(access)",
     "a device writes to a small buffer that it may only read", "buffers_property"),
    ("src/buffers/translate.c", "access & ~(w >> DIRECT_ACCESS & BUSWAY_READ_WRITE)",
     "access & ~(w >> DIRECT_ACCESS)",
     "bits of an access that mean nothing are granted by an address", "buffers_edges"),
    ("src/buffers/translate.c", "		*length = record->buffer.va.last - va + 1;",
     "		*length = record->buffer.va.last - va;", "a run leaves out the last byte", "buffers_edges"),
    ("src/buffers/trie.c", "	if (add % DIRECT_ALIGN == 0 &&", "	if (add % 8 == 0 &&",
     "distances lose the bits in which the access is kept", "buffers_property"),
    ("src/buffers/trie.c", "		if (!done && its.first > part.first) {",
     "		if (!done && its.first < part.first) {", "pieces of a cell are out of order", "buffers_property"),
    ("src/buffers/trie.c", "	word_discard(buffers, (word)node | NODE);\n	return 0;", "	return 0;",
     "a node that could not be filled is lost", "buffers_memory"),
    ("src/buffers/trie.c", "!(cell && cell->live == PIECES)", "!(cell && cell->live == PIECES + 1)",
     "an eighth piece is put into a cell", "buffers_edges"),
    ("src/buffers/register.c", "		if (!root)\n			return false;", "		if (!root)\n			return true;",
     "a root that there is no memory for is not missed", "buffers_memory"),
    ("src/buffers/register.c", "		word_discard(buffers, plan.edits[i].w);", "		;",
     "the first end is lost when there is no memory for the second", "buffers_memory"),
    ("src/buffers/register.c", "	if (was_empty)\n		retire_node(buffers, old);", "",
     "an empty root that was replaced is lost", "buffers_memory"),
    ("src/buffers/unregister.c", "	atomic_store_explicit(&cell->bound[at], 0, memory_order_release);\n", "",
     "the hot path goes on to find a piece that died", "buffers_property"),
    ("src/buffers/unregister.c", "		if (node_from(w)->used)\n			return;\n", "		return;\n",
     "nodes that became empty stay", "buffers_memory"),
    ("src/buffers/unregister.c", "	if (its.first != va.first || its.last != va.last)",
     "	if (its.first != va.first)", "a part is unregistered as if it were all", "buffers_property"),
    ("src/buffers/memory.c", "	if (buffers->exclusive) {", "	if (true) {",
     "memory is used again while readers look at it", "buffers_memory"),
    ("src/buffers/memory.c", "buffers->reclaimed < ticket", "buffers->reclaimed <= ticket",
     "a ticket reclaims what is younger", "buffers_memory"),
    ("src/buffers/look.c", "busway_range_has(record->buffer.va, va) ? record : NULL", "true ? record : NULL",
     "behind a small buffer is still that buffer", "buffers_property"),
    # ---- check ----
    ("src/check/views.c", "	return size && (base > last || size - 1 > last - base);",
     "	return size && (base > last || size > last - base);",
     "a range that ends at the last address overflows", "check_random_test"),
    ("src/check/views.c", "		if (pools[i].no_map && busway_intervals_remove(&check->ram, pools[i].range))",
     "		if (false)", "carve-outs count as memory", "check_cases"),
    ("src/check/check.c", "	return check->importer.tree.nodes[node].enabled ? severity : BUSWAY_SEVERITY_NOTE;",
     "	return severity;", "mistakes in disabled nodes are errors", "check_random_test"),
    ("src/check/check.c", "		return a->finding.severity > b->finding.severity;",
     "		return a->finding.severity < b->finding.severity;",
     "of one node the least is told first", "goldens"),
    ("src/check/rule_cells.c", "prop->length % (width * 4) == 0)\n		return;\n	report_length(check, node, id",
     "true)\n		return;\n	report_length(check, node, id",
     "tables of a wrong length are not told", "check_cases"),
    ("src/check/rule_cells.c", "	return (size & 0xfff) == 0xfff && size < most;",
     "	return (size & 0xfff) == 0xfff;",
     "the largest size that can be written is called odd", "check_cases"),
    ("src/check/rule_registers.c", "	for (last = entry->child + (entry->size - 1); last < climb->range.last;) {",
     "	for (last = entry->child + entry->size; last < climb->range.last;) {",
     "registers one byte too long are not told", "check_random_test"),
    ("src/check/rule_registers.c", "		if (from != owner && below && step == STEP_LOST) {",
     "		if (false) {", "the bus above is blamed for a window that leads elsewhere",
     "check_cases"),
    ("src/check/rule_apertures.c",
     "		part = (struct busway_range){part.first + offset, part.last + offset};", "",
     "offsets of inbound windows are ignored", "check_random_test"),
    ("src/check/rule_apertures.c",
     "	       host->behind_iommu ? BUSWAY_SEVERITY_NOTE : BUSWAY_SEVERITY_ERROR,",
     "	       BUSWAY_SEVERITY_ERROR,",
     "behind an IOMMU an aperture on memory is an error", "check_cases"),
    ("src/check/rule_windows.c", "	return d->enabled && d->likely_master && !d->behind_iommu &&\n	       d->kind != BUSWAY_DEVICE_PCI_FUNCTION && ",
     "	return d->enabled && d->likely_master &&\n	       d->kind != BUSWAY_DEVICE_PCI_FUNCTION && ",
     "windows in front of an IOMMU must lead to memory", "check_cases"),
    ("src/check/rule_windows.c", "			if (!first)\n				gap->lost = true;",
     "			gap->lost = true;", "one level without a table loses it", "check_cases"),
    ("src/check/rule_windows.c", "			  memory ? BUSWAY_SEVERITY_ERROR : BUSWAY_SEVERITY_WARNING),\n	       table->node",
     "			  BUSWAY_SEVERITY_WARNING),\n	       table->node",
     "memory hidden by an entry of size zero is a warning", "check_cases"),
    ("src/check/rule_pci.c", "	if (space == 2 && passes_end(e->child, e->size, 1))",
     "	if (space == 2 && e->child > UINT32_MAX)",
     "a window of 32 bits may end above them", "check_cases"),
    ("src/check/rule_pci.c", ".group = domain,", ".group = 0,",
     "bridges of different domains share buses", "check_random_test"),
    ("src/check/rule_pools.c", "	if (!fits_somewhere(&place, pool)) {",
     "	if (false) {", "a pool that fits nowhere is not told", "check_random_test"),
    ("src/check/rule_pools.c", "		status = busway_intervals_subtract(place, &check->reserved);",
     "		status = 0;", "a pool is placed over static reservations", "check_cases"),
    ("src/check/rule_pools.c", "	       partly || is_used ? BUSWAY_SEVERITY_WARNING : BUSWAY_SEVERITY_NOTE,",
     "	       BUSWAY_SEVERITY_WARNING,", "SRAM outside the memory is a warning", "check_cases"),
    ("src/check/rule_pools.c", "const uint64_t least = restricted ? LARGEST_MAPPING : PAGE;",
     "const uint64_t least = PAGE;", "a restricted pool of a page is large enough", "check_cases"),
    ("src/check/rule_maps.c", "		if (!e->is_range || !(e->id_base & ~e->id_mask))",
     "		if (true)", "entries outside their mask are not told", "check_cases"),
    ("src/check/rule_maps.c", "compatible_has(check, node, steers))", "false)",
     "bridges that steer messages need a window for them", "check_cases"),
    ("src/check/rule_dmas.c", "	    passes_unchanged(check, engine, source, reg))", "	    false)",
     "registers that the bus has at that number are told", "check_cases"),
    ("src/check/rule_memory.c", "!fdt_name_is(tree, node, \"memory\") || fdt_has(tree, node, FDT_DEVICE_TYPE)",
     "fdt_has(tree, node, FDT_DEVICE_TYPE)", "every node without a type is ignored memory",
     "check_random_test"),
    ("src/check/rule_controllers.c", "	if (e->child == e->parent || !e->size)",
     "	if (true)", "windows that cannot be programmed are not told", "check_cases"),
    ("src/check/rule_overlap.c",
     "offset_of(&table->entries[a->owner]) == offset_of(&table->entries[b->owner])", "true",
     "a dead entry is a note", "check_cases"),
    ("src/cli/check/suppress.c", "fnmatch(s->node, finding->node, 0) == 0", "true",
     "a suppression of one node is one of all", "check"),
    ("src/check/rule_dmas.c", "		bus = fdt_dma_parent(&check->importer, bus);",
     "		return false;", "only the engine's own bus answers its clients", "check_cases"),
    ("src/check/rule_controllers.c", "		joined->size = size;", "		break;",
     "entries that continue each other are counted one by one", "check_cases"),
    ("src/check/rule_controllers.c", "		address += size;",
     "		address += size, size = left;", "a piece may be larger than the one before", "check_cases"),
    ("src/check/views.c",
     "		if (depth == SWEEP_PREVIOUS_TOO && furthest != i - 1 && contend(&spots[i - 1], b))",
     "		if (false)", "a wide bus hides two others from each other", "check_cases"),
    ("src/check/views.c", "		if (a->group != b->group || b->range.last > a->range.last)",
     "		if (true)", "ranges are compared with the one before only", "check_cases"),
    ("src/check/views.c", "	return a->group == b->group && a->owner != b->owner &&",
     "	return a->owner != b->owner &&", "ranges of different spaces overlap", "check_cases"),
    ("src/check/views.c", "	return a->group == b->group && a->owner != b->owner &&",
     "	return a->group == b->group &&", "two windows of one bus fight", "check_cases"),
    ("src/check/rule_cells.c", "	severity = top + 1 < n->end ?", "	severity = true ?",
     "empty reserved memory is an error", "check_cases"),
    ("src/check/rule_pools.c", "		run.first += -run.first & mask;", "",
     "a pool is placed without its alignment", "check_cases"),
    ("src/check/rule_pools.c", "if (fits_in(place, pool->alloc_ranges[i], pool))",
     "if (fits_in(place, BUSWAY_RANGE_ALL, pool))", "ranges that adjoin hold a pool together",
     "check_cases"),
    ("src/check/rule_memory.c", "if (common.last < banks[i].range.last)", "if (false)",
     "a bank that is there already in part is to be removed", "check_cases"),
    ("src/pool/slots.c", "	return list_of(length - 1) + 1;", "	return list_of(length);",
     "a list promises runs that may be too short", "slots"),
    ("src/pool/slots.c", "	return search(s, wish);\n}\n\nuint32_t slots_take", "	return SLOT_NONE;\n}\n\nuint32_t slots_take",
     "a run that no list promises is not found", "slots"),
    ("src/pool/slots.c", "	return first + ((wish->phase - first) & (wish->align - 1));", "	return first;",
     "the phase of slots is forgotten", "slots"),
    ("src/pool/slots.c", "	if (first > 0 && !(s->slot[first - 1].run & SLOT_TAKEN)) {",
     "	if (false) {", "slots given back do not join the run before", "slots"),
    ("src/pool/slots.c", "	return b->boundary && end - at < b->size - 1 ? end + 1 : 0;", "	return 0;",
     "a run of slots may cross a boundary", "slots"),
    ("src/pool/slots.c", "	if (b && b->high < last)\n		last = b->high;", "",
     "a run of slots may leave the part that is seen", "slots"),
    ("src/pool/slot_pool.c", "		if (slot->previous == who) {", "		if (true) {",
     "quarantine ends for all when one device is quiet", "slot_pool"),
    ("src/map/way.c", "	return keeps_low_bits(w->lane, w->phys.first, dma) &&\n	       within", "	return within",
     "a direct mapping need not keep its low bits", "map_single"),
    ("src/map/way.c", "	return !limits->boundary || (dma | (limits->boundary - 1)) - dma >= span;",
     "	return true;", "a direct segment may cross the device's boundary", "map_single"),
    ("src/map/way.c", "	       (lines.first != phys.first || lines.last != phys.last);",
     "	       lines.first != phys.first;", "the last cache line of a buffer may be shared",
     "map_property"),
    ("src/map/way.c", "	if (device->bounce || device->untrusted || device->domain ||\n",
     "	if (device->untrusted || device->domain ||\n",
     "a restricted device is handed memory outside its pool", "map_single"),
    ("src/map/single.c", "	if (device->caches && (mapping->direction & BUSWAY_WRITE) &&",
     "	if (false && (mapping->direction & BUSWAY_WRITE) &&",
     "unmapping leaves stale lines in the caches", "map_single"),
    ("src/map/bounce.c", "	const uint64_t ahead = (want->residue - span->base) & (want->modulus - 1);",
     "	const uint64_t ahead = want->residue & (want->modulus - 1);",
     "low bits are kept as the CPU counts, not as the device does", "map_single"),
    ("src/map/bounce.c", "	if (device->untrusted)\n		slots_wipe(device, segment);", "",
     "an untrusted device reads what others left in its slots", "map_single"),
    ("src/map/bounce.c", "	if (copies_in(mapping))",
     "	if (mapping->direction != BUSWAY_FROM_DEVICE)",
     "what the device leaves alone does not keep its old bytes", "map_single"),
    ("src/map/bounce.c", "	caches_to_device(device, bytes, size);\n}", "}",
     "slots are not cleaned before the device looks", "map_property"),
    ("src/map/route.c", "	low = slots_for(common.first - pool->range.first);",
     "	low = (common.first - pool->range.first) / BUSWAY_SLOT_SIZE;",
     "a slot that is reached in part is used", "map_property"),
    ("src/map/route.c", "	if (coherent && device->shared)\n		return pool == device->shared;", "",
     "a device's own coherent pool is not used", "map_device"),
    ("src/map/mask.c", "	if (live)\n		return refuse_live(device, live, bits, why);", "",
     "a mask is narrowed under a live mapping", "map_device"),
    ("src/map/live.c", "	return address >> class >> 1;", "	return address;",
     "only the first address of a mapping finds it", "map_single"),
    ("src/map/single.c", "(enum busway_access)direction, &dma) &&\n		    keeps_low_bits(lane, r.first, dma)))",
     "(enum busway_access)direction, &dma)))",
     "at a glance, low bits need not be kept", "map_glance"),
    ("src/map/single.c", "!may_map(mapping, phys, direction) || (attributes & BUSWAY_MAP_NO_BOUNCE) ||",
     "!may_map(mapping, phys, direction) ||",
     "through slots used last, what must not bounce bounces", "map_replay"),
    ("src/map/single.c", "	    (lane->plain && !reach_misses(lane->reach, phys.first)))", "	    false)",
     "through slots used last, what is reached by a closer look bounces", "map_replay"),
    ("src/map/single.c", "	if (copies_out(mapping))\n		memcpy(own_bytes(lane, segment, 0, (size_t)",
     "	if (false)\n		memcpy(own_bytes(lane, segment, 0, (size_t)",
     "through slots used last, what the device wrote is lost", "map_threads"),
    ("src/map/single.c", "	mapping->one_.round_lg2_ = 0;\n	if (copies_in(mapping))",
     "	mapping->one_.round_lg2_ = 0;\n	if (direction == BUSWAY_TO_DEVICE)",
     "through slots used last, what the device leaves alone is lost", "map_replay"),
    ("src/map/single.c", "	run->offset = ahead % BUSWAY_SLOT_SIZE;", "	run->offset = 0;",
     "through slots used last, low bits are not kept", "map_property"),
    ("src/map/glance.c", "		if (phys.first != behind) {",
     "		if (next == segments || phys.first + view.ahead != next[-1].dma.last.raw + 1) {",
     "at a glance, entries are joined that lie apart in memory", "map_glance"),
    ("src/map/glance.c", "		if (phys.first != behind) {",
     "		if (phys.first != behind && next == segments) {",
     "at a glance, all is one segment", "map_glance"),
    ("src/map/glance.c", "	return dma != 0 && dma - 1 == segment->dma.last.raw;", "	return true;",
     "at a glance, entries of two windows are joined that lie apart on the bus", "map_glance"),
    ("src/map/glance.c", "	if (!filled || (most && filled > most))\n", "	if (!filled)\n",
     "at a glance, a list may have any number of segments", "map_glance"),
    ("src/map/glance.c", "	return dma != 0 && ", "	return ",
     "at a glance, address 0 adjoins the last one", "map_glance"),
    ("src/map/glance.c", "	    !keeps_low_bits(lane, run->phys_first, run->dma_first))", "	    false)",
     "at a glance, a list need not keep its low bits", "map_glance"),
    ("src/map/list.c", " || last->dma.last.raw != dma - 1 ||\n	    phys.first - last->phys.raw != dma - both.first)",
     " || last->dma.last.raw != dma - 1)",
     "list entries are joined that lie apart in memory", "map_list"),
    ("src/map/list.c", "		const uint64_t room = limits->boundary - (kept & (limits->boundary - 1));",
     "		const uint64_t room = limits->boundary;",
     "bounced pieces with low bits are as long as the boundary is wide", "map_list"),
    ("src/map/list.c", "	return !list->whole_entries && !device->caches &&", "	return !list->whole_entries &&",
     "a list is cut inside a cache line", "map_list"),
    ("src/iommu/domain.c", "	domain->invalidate(domain->ctx, &these);\n", "",
     "the IOMMU is not told to forget", "iommu_domain"),
    ("src/iommu/domain.c", "	what.iova = pages;\n", "",
     "what is split is only forgotten in part", "iommu_domain"),
    ("src/sim/iotlb.c", "	return page->whole ? busway_range_within(page->iova, iova)", "	return page->whole ? busway_range_overlaps(page->iova, iova)",
     "VT-d forgets a large page by a part of it", "sim_iommu"),
    ("src/iommu/defer.c", "	if (count)\n		domain->invalidate(domain->ctx, &everything);\n", "",
     "what waits is given back before the IOMMU has forgotten it", "iommu_domain"),
    ("src/iommu/domain.c", "	if (status == -BUSWAY_ERANGE && domain->queue.most) {\n		queue_empty(domain, cache);",
     "	if (false) {",
     "IOVAs that wait to be forgotten are refused", "iommu_domain"),
    ("src/iommu/domain.c", "	if (status == 0)\n		status = busway_intervals_intersect(&domain->allowed, &input);\n", "",
     "a domain hands out IOVAs that its page table does not take", "iommu_domain"),
    ("src/iommu/domain.c", "	if (!where->align && busway_range_span(run) >= domain->granule &&", "	if (false &&",
     "a large page is mapped in small ones", "iommu_domain"),
    ("src/map/translated.c", "	if (device->untrusted && has_partial_pages(device, phys))", "	if (false)",
     "an untrusted device sees what is beside its buffer", "map_translated"),
    ("src/map/translated.c", "	now = now || device->untrusted;", "	(void)device;",
     "an untrusted device keeps its way for a while", "map_translated"),
    ("src/map/translated.c", "		now = mapping->segments[i].pool_ != NULL;", "		(void)i;",
     "slots are used again while a device has a way to them", "map_translated"),
    ("src/map/translated.c", "	if (lane->min_align_mask >= granule)\n		where.align = lane->min_align_mask + 1;\n", "",
     "low bits above the page are not kept by an IOVA", "map_translated"),
    ("src/map/list.c", "	at->inside_ = run->last.raw != all.last;", "	at->inside_ = false;",
     "a run that was cut is the last of its segments", "map_translated"),
    ("src/map/list.c", "	if (!list->runs || !busway_range_adjoins(run, dma)) {", "	if (true) {",
     "segments that adjoin for the device count as many", "map_translated"),
    ("src/map/route.c", "	if (device->domain && count < SPANS_MAX)", "	if (false)",
     "a device behind an IOMMU has no pools", "map_translated"),
    ("src/map/translated.c", "mapping->kind == BUSWAY_KIND_COHERENT ? inside", "false ? inside",
     "coherent memory takes the IOVAs before it along when it goes", "map_translated"),
    ("src/map/translated.c", "	if (piece->bounces && !within_limits(limits, piece->at, busway_range_span(piece->phys))) {",
     "	if (false) {", "a bounced piece of a list crosses a boundary above a page", "map_translated"),
    ("src/map/translated.c", "		iova.raw = base.raw + ahead;", "		iova.raw = base.raw;",
     "who waited is mapped without its low bits", "map_translated"),
    ("src/map/device.c", "		if (!busway_intervals_holds(&iova.allowed, range)) {", "		if (false) {",
     "a device gets a domain that it cannot use", "map_translated"),
    ("src/map/device.c", "	if (status == 0 && !domain_join(device->domain, device->untrusted)) {",
     "	(void)domain_join(device->domain, device->untrusted);\n	if (false) {",
     "a device that is not trusted shares a domain", "map_translated"),
    ("src/map/leave.c", "			slots_wipe(lane->device, segment);\n", "",
     "what an abandoned device behind an IOMMU had stays in its pool", "map_translated"),
    ("src/map/plan.c", "		let_go(spans, list.held);\n	} while", "	} while",
     "a plan keeps what it tried", "map_list"),
    ("src/map/live.c", "	live_settle(lane);\n	for (size_t class = 0; class < LIVE_CLASSES; class ++) {\n		const uint64_t key",
     "	for (size_t class = 0; class < LIVE_CLASSES; class ++) {\n		const uint64_t key",
     "what was mapped last is not found", "map_single"),
    ("src/map/live.c", "		live_unlink(&mapping->segments[i]);\n", "",
     "what was unmapped is found", "map_single"),
    ("src/pool/area.c", "				slots_give(row, first - 1);", "				(void)row;",
     "what areas keep is lost", "slot_pool"),
    ("src/pool/area.c", "	atomic_store_explicit(&area->robbed, keeps, memory_order_relaxed);",
     "	atomic_store_explicit(&area->robbed, keeps + 1, memory_order_relaxed);",
     "an area that was robbed is not robbed again", "slot_pool"),
    ("src/pool/area.h", "		if (first && wish && !slot_suits(wish, first - 1))\n			break;", "",
     "an area answers with slots that lie elsewhere", "map_property"),
    ("src/map/list.c", "	if (status && !list->plan)\n		list_give_back(list);", "",
     "a list that is refused keeps its slots", "map_list"),
    ("src/map/sync.c", "	if (!(mapping->direction & BUSWAY_WRITE))\n		return;", "",
     "a sync for the CPU copies back what the device only read", "map_property"),
    ("src/map/sync.c", "			offset -= span + 1;\n", "",
     "a sync of a later segment hits another place", "map_property"),
    ("src/map/wait.c", "			return m;\n		}\n		mark_pools(m, true);", "			return m;\n		}",
     "who waits for little overtakes who waits for much", "map_wait"),
    ("src/map/wait.c", "		if (!passed_by || span_could(&spans->span[i], &want))", "		if (true)",
     "who waits for one pool keeps others from all pools", "map_wait"),
    ("src/map/coherent.c", "	e->invalidate(e->ctx, pool->cached + at, (size_t)pool_offset(run->count));\n", "",
     "dirty lines come back over coherent memory", "map_coherent"),
    ("src/map/coherent.c", "	memset(slots, 0, (size_t)pool_offset(run->count));", "",
     "coherent memory is handed out as others left it", "map_coherent"),
    ("src/map/coherent.c", "!device->shared && !device->bounce &&\n			   !(flags", "!(flags",
     "a restricted device gets coherent memory outside its pool", "map_device"),
    ("src/map/blocks.c", "	if (!chunk || !(chunk->used[block / 64] & bit)) {", "	if (!chunk) {",
     "a block is taken back twice", "map_coherent"),
    ("src/map/leave.c", "		if (segment->pool_ && lane->device->domain)", "		if (segment->pool_)", "what an abandoned device may write to is used again",
     "map_device"),
    ("src/map/peer.c", " &&\n	       end->range.last == phys + busway_range_span(dma);", ";",
     "only the beginning of a peer's registers must be reached", "map_edges"),
    ("src/map/wait.c", "	return mapping->lane_ == lane && mapping", "	return mapping",
     "a turn is taken by the lane of another device", "map_edges"),
    ("src/map/grow.c", "	if (!offsets_are_aligned(reach, *align))", "	if (false)",
     "a pool grows by less than its alignment on the bus needs", "map_edges"),
    ("src/map/sync.c", "			caches_to_cpu(lane->device, bytes, part.size);\n			memcpy(bytes", "			memcpy(bytes",
     "a sync undoes what the device wrote beside the part", "map_edges"),
    ("src/map/peer.c", "	bridge = bridge_at(platform, r, &aperture);", "	bridge = NULL;\n	(void)bridge_at;\n	aperture = r;",
     "a BAR behind a host bridge is mapped by whatever window there is", "map_reasons"),
    ("src/map/by_address.c", "	       (length_of(mapping, said) == said->length ? 2u : 0) +\n", "",
     "of two mappings at one address, one of another size is unmapped", "map_by_address"),
    ("src/map/by_address.c", "				 asked, said->length, length_of(mapping, said));",
     "				 asked, 0, 0);", "unmapping by address takes any size", "map_misuse"),
    ("src/map/by_address.c", "		if (segment + 1 == end || segment[1].dma.first.raw != segment->dma.last.raw + 1)",
     "		if (segment + 1 == end)", "a sync by address goes on in a segment elsewhere", "map_by_address"),
    ("src/map/leave.c", "	memset(bytes, 0, size);\n	if (e->clean)", "	if (e->clean)",
     "what an abandoned device left stays in its pool", "map_edges"),
    ("src/map/route.c", "	if (coherent && device->caches && !pool->uncached)\n		return false;\n", "",
     "coherent memory is looked for where no way leads past the caches", "map_coherent"),
    # ---- show --iova ----
    ("src/cli/iova/groups.c", "			if (taken[j] ||", "			if (true ||",
     "who shares a stream is left out of the group", "show_iova"),
    ("src/cli/iova/groups.c", "	return streams->one_of && !device->is_bridge_itself &&",
     "	return !device->is_bridge_itself &&", "all functions of a bridge are one to the IOMMU, and told apart",
     "sim_iommu"),
    ("src/cli/iova/groups.c", "	return a->seen_as == b->seen_as ||\n	       (", "	return (",
     "a chip and the function in front of it, which iommu-map leaves out, are told apart", "sim_iommu"),
    ("src/cli/iova/groups.c", "		return device->has_requester && !device->translated_always &&",
     "		return false && !device->translated_always &&",
     "what iommu-map leaves out shares a stream with what it has", "sim_iommu"),
    ("src/cli/front.c", "strlen(above->name) <= nearest)", "nearest)",
     "of two functions in front, the one further up counts", "sim_iommu"),
    ("src/cli/front.c", "	    is_within(device->dma.source, busway_platform_device(loaded->platform, above)->name))",
     "	    false)", "a chip with a table of its own has the bridge's addresses", "show_iova"),
    ("src/cli/iova/groups.c", "			members[count++].emission = &everything;", "			(void)everything;",
     "a chip behind a function has no apertures", "show_iova"),
    ("src/cli/answer.c", "1 + function_in_front(loaded, id, &members[1].device)", "1", "by itself, a chip behind a function has no apertures",
     "show_iova"),
    ("src/cli/iova/groups.c", "{group->devices[i], &emissions[i]}", "{group->devices[i], NULL}",
     "a group has no mask", "show_iova"),
    ("src/cli/iova/groups.c", "						 reports->count, &cli_memory,", "						 0, &cli_memory,",
     "what the kernel reports does not count", "iova_kernel"),
    ("src/cli/iova/reports.c", "(before && out->first <= before->last)", "(before && out->first < before->last)",
     "ranges of a report may overlap", "show_iova"),
    ("src/cli/iova/parts.c", "		if (busway_range_has(iova->removed[i].range, address))\n			causes |=",
     "		if (busway_range_has(iova->removed[i].range, address))\n			causes =",
     "of several causes one is shown", "show_iova"),
    ("src/cli/picture/svg_iova.c", "			column.pieces[i].kind = look_of(parts[i].causes);",
     "			column.pieces[i].kind = look_of(0);", "all IOVAs look usable", "svg"),
    ("src/cli/domain_text.c", "	if (list->count++ >= list->lines)", "	if (list->count++ > list->lines)",
     "a run more is shown than asked for", "domain_text"),
    ("src/cli/domain_text.c", "	level->leaves += info->leaves;", "	level->leaves = info->leaves;",
     "pages of the last table are counted only", "domain_text"),

    # ---- cli: domains of busway sim ----
    ("src/cli/streams.c", "	return !((a->id ^ b->id) & ~(a->ignored | b->ignored)) &&",
     "	return a->id == b->id &&",
     "bits of a stream ID that do not count keep devices apart", "sim_iommu"),
    ("src/cli/streams.c", " && strcmp(a->iommu, b->iommu) == 0;", ";",
     "IDs of two IOMMUs are one stream", "show_iova"),
    ("src/cli/streams.c", "	const uint32_t id = device->requester & map->id_mask;\n	uint64_t first",
     "	const uint32_t id = device->requester;\n	uint64_t first",
     "iommu-map-mask does not make one stream of functions", "show_iova"),
    ("src/cli/streams.c", "		first = last = first + (id - map->id_base);", "		last = first;",
     "all functions of a bridge are one stream", "show_iova"),
    ("src/cli/streams.c", "		last += last_masked(map) - map->id_base;", "		last += map->id_count - 1;",
     "a bridge has IDs that its mask makes of no function", "sim_iommu"),
    ("src/cli/streams.c", "		if ((first & more) || (first | more) > last)", "		if ((first | more) > last)",
     "a range of IDs begins before its first", "sim_iommu"),
    ("src/cli/streams.c", "		if ((first & more) || (first | more) > last)", "		if (first & more)",
     "a range of IDs goes on behind its last", "sim_iommu"),
    ("src/cli/streams.c", "		if ((bits & ~ignored) || (out->count && !is_same(&out->ids[0], &one)))",
     "		if (out->count && !is_same(&out->ids[0], &one))",
     "a bridge has all IDs of a range, rather than one of them", "sim_iommu"),
    ("src/cli/streams.c", "	       (!function || add_device(loaded, function, out));", "	       true;",
     "a chip behind a function is told apart from others with its ID", "sim_iommu"),
    ("src/cli/streams.c", "!(map->cell_count == 2 && is_arm(loaded, map))", "!true",
     "what several cells of an unknown IOMMU mean is guessed", "sim_iommu"),
    ("src/cli/streams.c", "		    !is_map_of(loaded, n->node, device->iommu))",
     "		    false)", "a device behind two IOMMUs gets a domain of one", "sim_iommu"),
    ("src/cli/streams.c", "has_note(device, BUSWAY_NOTE_IOMMU_UNREADABLE) ||", "",
     "a device gets a domain of the IOMMUs that could be read", "sim_iommu"),
    ("src/cli/streams.c", "		     other != format))", "		     false))",
     "a device gets one table for two formats", "sim_iommu"),
    ("src/cli/sim/groups.c", "				if (first[k] == from)",
     "				if (k == i)", "of two groups that meet only one member moves", "sim_iommu"),
    ("src/cli/sim/groups.c",
     "	busway_machine_invalidate(group->scene->machine, group->tag, what->iova, what->tables);", "",
     "the IOMMU never forgets", "sim_iommu"),
    ("src/cli/sim/groups.c", "		.allowed = &group->allowed,", "",
     "a domain hands out what no window takes", "sim_iommu"),
    ("src/cli/sim/served.c", "	       found.phys.raw != memory.first.raw;", "	       false;",
     "what bounces behind an IOMMU is not counted", "sim_iommu"),
    ("src/cli/sim/buffer.c", "		at += size;\n	}\n	return status == 0 &&",
     "	}\n	return status == 0 &&", "every segment of a list gets the same bytes", "sim"),

    # ---- sim: the judge ----
    ("src/sim/fabric.c", "(!best || r->kind < best->kind))", "!best)",
     "the region that was added first wins, of whatever kind", "sim_fabric"),
    ("src/sim/fabric.c", "		return range.first - 1 < last ? range.first - 1 : last;",
     "		return range.first < last ? range.first : last;",
     "a piece takes the first byte of what begins behind it", "sim_fabric"),
    ("src/sim/fabric.c", "		if (!owns(machine, device, region))", "		if (false)",
     "carve-outs are open to everybody", "sim_fabric"),
    ("src/sim/fabric.c", "	at->last = before_edge(place->range, at->first, at->last);", "",
     "the checker looks at the first byte only", "sim_fabric"),
    ("src/sim/posted.c", "	return post->relaxed || p == post;", "	return true;",
     "writes of one device overtake each other", "sim_posted"),
    ("src/sim/access.c", "	busway_machine_flush(machine, device);", "",
     "reads overtake writes of their device", "sim_posted"),
    ("src/sim/cache.c", "	else if (act == CLEAN && is_dirty(line))", "	else if (act == CLEAN)",
     "clean lines are written back over what devices wrote", "sim_cache"),
    ("src/sim/judge.c", "run->access == BUSWAY_WRITE ? sim_lines(at) : at, &where",
     "at, &where", "a dirty byte beside what is written is not told", "sim_violation"),
    ("src/sim/judge.c", "(struct busway_range){segment->offset + first, segment->offset + first + span}))",
     "(struct busway_range){UINT64_MAX, UINT64_MAX}))",
     "the device writes and the CPU keeps the bytes", "sim_violation"),
    ("src/sim/lookup.c", "	if (best && best->dma.last < dma->last)\n		dma->last = best->dma.last;", "",
     "an access that begins in a mapping is inside it", "sim_violation"),
    ("src/sim/table.c", "	if (segment->lands && sim_sees_caches(machine, segment->mapping->device))\n		sim_not_fresh",
     "	if (segment->lands)\n		sim_not_fresh",
     "that the library did not invalidate is not told", "sim_violation"),
    ("src/sim/shelf.c", "	if (busway_range_span(item.range) > shelf->longest)", "	if (shelf->count == 1)",
     "a mapping that begins far before the address is not found", "sim_violation"),
    ("src/sim/inspect.c", "	return segment->lands && !busway_range_adjoins(segment->landed, l->at)",
     "	return false", "an address that leads to two places is none the worse", "sim_violation"),
    ("src/sim/take.c", "		status = busway_intervals_remove(unused, reserved[i]);", "		;",
     "reserved memory is given away", "sim_memory"),

    # ---- iommu: page tables ----
    ("src/iommu/entry.h", "	if (count >= 8) {\n		entry_pair a = {0, 0}, b = a, c = a, d = a;",
     "	if (count >= 8) {\n		i = 8;\n		entry_pair a = {0, 0}, b = a, c = a, d = a;",
     "the first entries of a long run are not looked at", "iommu_property"),
    ("src/iommu/map_body.h", "	if (!LIKELY(reached == level && !entry_read(at)))",
     "	if (!LIKELY(reached == level))",
     "a single page is mapped over another", "iommu_property"),
    ("src/iommu/map_body.h", "return pt->wide && (phys >> 48) != ((phys + (size - 1)) >> 48);",
     "return false;", "a run across 2^48 goes astray where addresses have 52 bits", "iommu_property"),
    ("src/iommu/map_body.h", "		high |= first | last;", "		high |= first;",
     "the end of a run is not held against the width", "iommu_refusal"),
    ("src/iommu/map_body.h", " && (first | span) <= pt->output_last", "",
     "a single page beyond the width is truncated", "iommu_refusal"),
    ("src/iommu/map_body.h", " &&\n		    (iova | span) <= pt->input_last", "",
     "an IOVA beyond the width is truncated", "iommu_refusal"),
    ("src/iommu/map.c", "		if (!p->has_counted[from] || p->counted[from] != which)", "		if (true)",
     "more tables are taken than are missing", "iommu_oom"),
    ("src/iommu/map.c", "	if (!tables_take(pt, &spare, plan.missing))\n		return -BUSWAY_ENOMEM;",
     "	(void)tables_take(pt, &spare, plan.missing);",
     "without memory it goes on half-way", "iommu_oom"),
    ("src/iommu/map.c", "while (left < wanted && run[1].first.raw == run->last.raw + 1) {",
     "while (false) {", "runs that adjoin do not share a large page", "iommu_view"),
    ("src/iommu/map_body.h", "				if (pt->runs[level] >> larger & 1) {", "				if (false) {",
     "a larger page that could begin is missed", "iommu_view"),
    ("src/iommu/unmap_body.h", "	if (!pt->runs[level])\n		return true;", "	return true;",
     "a part of a page of several entries is unmapped", "iommu_property"),
    ("src/iommu/unmap_body.h", " ||\n				  count > low_bits(pt->index_bits))", ")",
     "a table that is emptied as a whole stays", "iommu_view"),
    ("src/iommu/unmap.c", "if (!freed || !fills_table(f, pt, entry, level, range)) {", "if (!freed) {",
     "a table goes that maps something else as well", "iommu_property"),
    ("src/iommu/unmap.c", "	if (s.has_hole && !(flags & BUSWAY_UNMAP_HOLES))", "	if (false)",
     "unmapping what is not mapped goes unnoticed", "iommu_refusal"),
    ("src/iommu/unmap.c", "		if (is_table(f, below, level))\n			give_up_tree(pt, below, level_below(f, below, level), freed);",
     "		(void)below;", "tables below one that goes are lost", "iommu_property"),
    ("src/iommu/split.c", "	for (; level && (cut & low_bits(level_shift(pt, level))); level--) {",
     "	for (; level > 1 && (cut & low_bits(level_shift(pt, level))); level--) {",
     "a split takes too few tables", "iommu_oom"),
    ("src/iommu/split.c", "	if (pt->track_dirty && (dirty || is_dirty(f, entry)))", "	if (pt->track_dirty && dirty)",
     "a split forgets what was written", "iommu_view"),
    ("src/iommu/tables.c", "phys->raw > pt->output_last ||", "", "a table lies where the IOMMU cannot be sent to",
     "iommu_refusal"),
    ("src/iommu/tables.c", "	if (!fills_table(f, pt, entry, level, range) ||", "	if (",
     "trimming takes a table that others use", "iommu_view"),
    ("src/iommu/dirty.c", "		if (!r->clear || entry_replace(at, &entry, made_clean(f, entry)))",
     "		if (!r->clear || entry_read(at))", "what was written is told for ever", "iommu_view"),
    ("src/iommu/runs.c", "a->prot == b->prot &&", "", "runs with other rights are merged", "iommu_view"),
    ("src/iommu/arm.c", "(phys >> 50 & 3) << 8", "(phys >> 50 & 1) << 8",
     "LPA2 loses the highest bit of an address", "iommu_golden"),
    ("src/iommu/arm.c", "(pt->granule_lg2 == 12) && root_bits <= CONCATENATED_BITS) {", "(pt->granule_lg2 == 12) && root_bits < CONCATENATED_BITS) {",
     "stage 2 begins a level too high", "iommu_golden"),
    ("src/iommu/arm.c", "stage2 && pt->input_bits > pt->output_bits &&", "false &&",
     "a stage 2 that no SMMU takes is made", "iommu_refusal"),
    ("src/iommu/arm.c", "top > (pt->granule_lg2 == 12) &&", "top &&",
     "a stage 2 of 25 bits needs FEAT_TTST", "iommu_golden"),
    ("src/iommu/arm.c", "	if (pt->wide && (pt->granule_lg2 != 16 || pt->output_bits > 48))", "	if (pt->wide)",
     "blocks of 4 TiB where FEAT_LPA may not be", "iommu_view"),
    ("src/iommu/amd.c", "	pt->leaf_levels = 7;", "	pt->leaf_levels = 15;",
     "AMD gets pages of 512 GiB", "iommu_view"),
    ("src/iommu/amd.c", "(low_bits(lg2 - 1) & ADDRESS)", "(low_bits(lg2 - 2) & ADDRESS)",
     "AMD's sizes are half of what they should be", "iommu_golden"),
    ("src/iommu/riscv.c", "bits |= WRITE | (pt->track_dirty ? 0 : DIRTY);", "bits |= WRITE;",
     "the first write of a device faults", "iommu_golden"),
    ("src/iommu/vtd.c", "	return phys | bits | (level ? LARGE : 0);", "	return phys | bits;",
     "a large page is taken for a table", "iommu_golden"),
    ("src/iommu/skip.h", "	if (highest_index(pt, range->first, level, below) != below)\n		return false;\n", "",
     "what an entry leaves out is taken for what it leads to", "iommu_skip"),
    ("src/iommu/skip.h", "	range->last = range->last < last ? range->last : last;\n", "",
     "a skipped range is unmapped beyond its table", "iommu_skip"),
    ("src/iommu/skip.c", "below < target || highest_index(pt, iova, at_level, below) != below", "below < target",
     "an entry that skips levels is followed wherever the IOVA lies", "iommu_skip"),
    ("src/iommu/pagetable.c", "		map_settle(pt, iova.raw, runs, count);", "		;",
     "an IOMMU that does not snoop misses a table of another thread", "iommu_clean"),
    ("src/iommu/map.c", "		if (is_table(f, entry, level) && table_part(f, pt, entry, level, &inside)) {\n			clean(pt, table + i, 1);", "		if (is_table(f, entry, level) && table_part(f, pt, entry, level, &inside)) {",
     "the way to what was mapped is not cleaned", "iommu_clean"),
    ("src/iommu/map.c", "		entry_write(table, entry);\n", "",
     "a table that comes in between loses what was mapped", "iommu_skip"),
    ("src/iommu/map.c", "		pt->replaced = true;\n", "",
     "nobody is told that a cached entry was replaced", "iommu_skip"),
    ("src/iommu/map.c", "return pt->skip_levels ? highest_index(pt, p->pos, from, level) : from - 1;",
     "return from - 1;", "no level is ever left out", "iommu_skip"),
    ("src/iommu/pagetable.c", "(!pt->format->next_lg2 || !pt->exclusive)", "!pt->format->next_lg2",
     "levels are skipped while other calls run", "iommu_skip"),
    ("src/iommu/walk.h", "is_present(f, entry) && !(f->next_lg2 && is_table(f, entry, level));",
     "is_present(f, entry);", "an entry that skips levels is taken for a page", "iommu_skip"),
    ("src/iommu/walk.h", "(iova >> (shift - 3) & 0xff8)", "(iova >> (shift - 3) & 0x7f8)",
     "the usual way uses half of a table", "iommu_property"),
    ("src/iommu/pagetable.c", "			 (pt->top == 2 || pt->top == 3) && !pt->skip_levels;",
     "			 (pt->top == 2 || pt->top == 3);", "the usual way does not see that levels are skipped",
     "iommu_skip"),
    ("src/iommu/pagetable.c", " && !tables->clean;", ";", "an IOMMU that does not snoop misses single pages",
     "iommu_view"),
    ("src/iommu/pagetable.c", "pt->walks_fast && !pt->exclusive", "pt->walks_fast",
     "a table stays although its last page went", "iommu_view"),
    ("src/iommu/lookup_body.h", "~(f->address_bits | f->accessed)", "~(f->address_bits | f->accessed | f->dirty)",
     "look-ups do not see what was written", "iommu_property"),
    ("src/iommu/lookup_body.h", "~(f->address_bits | f->accessed)", "~f->address_bits & 0xff",
     "look-ups take all pages for the usual ones", "iommu_property"),
    ("src/iommu/lookup_body.h", "pt->walks_fast && iova <= pt->input_last", "pt->walks_fast",
     "look-ups ignore the width", "iommu_view"),
    # ---- sim: the IOMMU ----
    ("src/sim/iotlb.c", "	for (size_t i = 0; tables && i < tlb->table_count; i++)",
     "	for (size_t i = 0; false && i < tlb->table_count; i++)",
     "tables on the way are never forgotten", "sim_iommu"),
    ("src/sim/iotlb.c", "is_told(&tlb->pages[i], iova))",
     "busway_range_within(tlb->pages[i].iova, iova))",
     "pages of which a part is invalidated are not forgotten", "sim_iommu"),
    ("src/sim/iotlb.c", "		if (p->valid && p->tag == tag && busway_range_has(p->iova, iova))",
     "		if (p->valid && busway_range_has(p->iova, iova))",
     "what is remembered for one domain is used for another", "sim_iommu"),
    ("src/sim/iotlb.c", "			tlb->pages[i].valid = false;\n	while", "			break;\n	while",
     "a page that was marked dirty meanwhile is remembered as it was", "sim_iommu"),
    ("src/sim/iommu.c", "	} else if (!same(&t, &meant) && !machine->draining) {", "	} else if (false) {",
     "what the tables do not say any more is not told", "sim_iommu"),
    ("src/sim/iommu.c", "	} else if (!same(&t, &meant) && !machine->draining) {",
     "	} else if (!same(&t, &meant)) {",
     "writes for which an invalidation waits are told", "sim_iommu"),
    ("src/sim/iommu.c", "	return a->kind == b->kind && (!a->passes || a->phys == b->phys);",
     "	return a->kind == b->kind;", "stale is only what is not mapped any more", "sim_iommu"),
    ("src/sim/iommu.c", "(access & BUSWAY_WRITE) && !page->dirty))", "(access & BUSWAY_WRITE) && false))",
     "a page that was read first is not marked when it is written", "sim_iommu"),
    ("src/sim/iommu.c", "			       .write = r->write,", "			       .write = true,",
     "rights are not remembered", "sim_iommu"),
    ("src/sim/iommu.c", "	landing->at = sim_leading(landing->at, (left < span ? left : span) + 1);",
     "	landing->at = sim_leading(landing->at, (left < span ? span : span) + 1);",
     "an access goes on in memory where its page ends", "sim_iommu"),
    ("src/sim/iommu.c", "	if (meant.last < t.last)", "	if (false)",
     "of a large page that is remembered one answer holds for all", "sim_iommu"),
    ("src/sim/iommu.c", "		.view = machine->options.walks_past_caches ? VIEW_MEMORY : VIEW_CACHED,",
     "		.view = VIEW_CACHED,", "an IOMMU that does not snoop sees what is in the caches", "sim_iommu"),
    ("src/sim/table_memory.c", "	if (busway_intervals_add(&machine->former_tables, bytes))",
     "	if (false)", "a table that was given back is a table all the same", "sim_iommu"),
    ("src/sim/table_memory.c", "	if (busway_intervals_remove(&machine->former_tables, bytes_of(*phys, size))) {",
     "	if (false) {", "memory that was a table once is none ever after", "sim_iommu"),
    ("src/sim/attach.c", "			busway_machine_flush(machine, (busway_device_id){i});", "			;",
     "an invalidation waits for nobody", "sim_iommu"),
    ("src/sim/upstream.c", "	landing->at = sim_leading(landing->dma, busway_range_span(landing->at) + 1);", "",
     "the IOMMU gets what windows have made of an address", "sim_iommu_place"),
    ("src/sim/upstream.c", "	return !passes_all(&machine->ways[from.index]) &&", "	return",
     "what passes everything counts as a window", "sim_iommu_place"),
    ("src/sim/upstream.c", "	       busway_platform_space(machine->platform, at)->kind != BUSWAY_SPACE_PCI;",
     "	       at.index != from.index;", "the IOMMU sits before the bridges above", "sim_iommu_place"),
    ("src/sim/access.c", "	return t.kind == BUSWAY_NO_VIOLATION;", "	return true;",
     "a stale access is told as another one as well", "sim_iommu_place"),
    ("src/sim/walk_vtd.c", "	t->write = t->write && walk_bits(e, 1, 1);", "	t->write = true;",
     "every page may be written", "sim_iommu"),
    ("src/sim/walk.c", "	if (!written || (arm && !walk_bits(entry, 51, 51)))", "	if (false)",
     "pages that are read are marked as written", "sim_iommu"),
]]


def suite_of(file):
    for folder in ("buffers", "import", "check", "cli", "iommu", "iova", "map", "sim"):
        if file.startswith("src/" + folder):
            return folder
    return "core"


class Workplace:
    """A copy of the tree with a build of its own."""

    def __init__(self, folder):
        self.tree = folder / "tree"
        self.build = folder / "build"
        shutil.copytree(TOP, self.tree, ignore=shutil.ignore_patterns(".git", "build", "build-*"))
        self.run(["meson", "setup", "-Doptimization=0", "-Ddebug=false", self.build, self.tree])
        self.tests = self.read_tests()

    def run(self, command, **options):
        result = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                errors="replace", check=False, **options)
        if result.returncode and not options:
            sys.exit(f"mutate: {' '.join(map(str, command))}:\n{result.stdout[-4000:]}")
        return result

    def introspect(self, what):
        return json.loads(self.run(["meson", "introspect", f"--{what}", self.build]).stdout)

    def read_tests(self):
        files = {target["id"]: target["filename"] for target in self.introspect("targets")}
        tests = collections.defaultdict(list)
        for test in self.introspect("tests"):
            needs = [name for id in test["depends"] for name in files.get(id, [])]
            needs = [os.path.relpath(name, self.build) for name in needs + test["cmd"][:1]
                     if name.startswith(str(self.build))]  # a script is run by what is there
            for suite in test["suite"]:
                tests[suite.split(":")[-1]].append({**test, "needs": needs})
        return tests

    def compile(self, tests):
        needs = sorted({need for test in tests for need in test["needs"]})
        return self.run(["ninja", "-C", self.build, "-j1", *needs], timeout=600)

    def first_failure(self, tests):
        """The name of the first test that fails, or None."""
        for test in tests:
            try:
                result = self.run(test["cmd"], timeout=TEST_TIMEOUT, cwd=self.build, env={
                    **os.environ, "BUSWAY_ROUNDS": "30", **test["env"]})
            except subprocess.TimeoutExpired:
                return f"{test['name']}: does not end"
            if result.returncode:
                name = re.search(r"^not ok \d+ - (\w+)", result.stdout, re.M)
                return f"{test['name']}: {name[1] if name else 'dies'}"
        return None

    def try_mutation(self, mutation):
        """What killed it; None if nothing did. Raises ValueError where it does not fit."""
        path = self.tree / mutation.file
        text = path.read_text()
        if text.count(mutation.old) != 1:
            raise ValueError(f"the text stands there {text.count(mutation.old)} times")
        tests = sorted(self.tests[suite_of(mutation.file)],
                       key=lambda test: (test["name"] != mutation.likely, test["name"]))
        path.write_text(text.replace(mutation.old, mutation.new))
        try:
            compiled = self.compile(tests)
            if compiled.returncode:
                raise ValueError("it does not compile:\n" + compiled.stdout[-2000:])
            return self.first_failure(tests)
        finally:
            path.write_text(text)

    def check_unchanged(self, suites):
        """All tests must pass before anything is changed: else a kill would mean nothing."""
        for suite in suites:
            if not self.tests[suite]:
                sys.exit(f"mutate: there are no tests of the suite {suite}")
            compiled = self.compile(self.tests[suite])
            if compiled.returncode:
                sys.exit(f"mutate: the tree does not build:\n{compiled.stdout[-4000:]}")
            failure = self.first_failure(self.tests[suite])
            if failure:
                sys.exit(f"mutate: the tree is not sound, without any mutation: {failure}")


def line_of(mutation):
    text = (TOP / mutation.file).read_text()
    at = text.find(mutation.old)
    return text.count("\n", 0, at) + 1 if at >= 0 else 0


def show(mutation, verdict, seconds):
    place = f"{mutation.file}:{line_of(mutation)}"
    print(f"{place:34} {mutation.breaks:56} {verdict} ({seconds:.0f} s)", flush=True)


def run_all(mutations, jobs):
    """Return: how many survived, how many did not fit."""
    survivors = misfits = 0
    with tempfile.TemporaryDirectory(prefix="busway-mutate-") as folder:
        places = queue.Queue()
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            folders = [pathlib.Path(folder, str(i)) for i in range(jobs)]
            for place in pool.map(Workplace, folders):
                places.put(place)
            first = places.get()
            first.check_unchanged(sorted({suite_of(m.file) for m in mutations}))
            places.put(first)

            def attempt(mutation):
                place = places.get()
                start = time.monotonic()
                try:
                    return mutation, place.try_mutation(mutation), time.monotonic() - start
                except ValueError as error:
                    return mutation, error, time.monotonic() - start
                finally:
                    places.put(place)

            for mutation, killer, seconds in pool.map(attempt, mutations):
                if isinstance(killer, ValueError):
                    misfits += 1
                    show(mutation, f"DOES NOT FIT: {killer}", seconds)
                elif killer is None:
                    survivors += 1
                    show(mutation, "SURVIVES", seconds)
                else:
                    show(mutation, killer, seconds)
    return survivors, misfits


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", help=argparse.SUPPRESS)
    parser.add_argument("--check", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--list", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--jobs", type=int, default=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    mutations = [m for m in MUTATIONS if not options.words or
                 any(word in m.file or word in m.breaks for word in options.words)]
    if options.list:
        for mutation in mutations:
            print(f"{mutation.file}:{line_of(mutation)}  {mutation.breaks}")
        return 0
    if not mutations:
        sys.exit("mutate: no mutation has these words")
    survivors, misfits = run_all(mutations, options.jobs)
    killed = len(mutations) - survivors - misfits
    print(f"{len(mutations)} mutations: {killed} killed, {survivors} survived, "
          f"{misfits} did not fit")
    return 1 if options.check and (survivors or misfits) else 0


if __name__ == "__main__":
    sys.exit(main())
