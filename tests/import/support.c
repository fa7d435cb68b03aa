/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * support.c - see support.h.
 */
#include "support.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- trees ---- */

void *tree_read(const char *name, size_t *size)
{
	const char *folder = getenv("BUSWAY_TEST_TREES");
	char path[1024];
	FILE *file;
	char *blob;
	long length;

	if (!folder)
		fail_msg("BUSWAY_TEST_TREES must name the folder of the compiled trees");
	snprintf(path, sizeof(path), "%s/%s.dtb", folder, name);
	file = fopen(path, "rb");
	if (!file)
		fail_msg("cannot open %s", path);
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	length = ftell(file);
	assert_true(length > 0);
	rewind(file);
	*size = (size_t)length;
	blob = malloc(*size);
	assert_non_null(blob);
	assert_int_equal(fread(blob, 1, *size, file), *size);
	fclose(file);
	return blob;
}

void tree_take(struct tree *tree, void *blob, size_t size)
{
	struct busway_fdt_error error = {0};
	int status;

	memset(tree, 0, sizeof(*tree));
	test_memory_open(&tree->memory);
	tree->blob = blob;
	tree->size = size;
	status = busway_fdt_import(blob, size, BUSWAY_FDT_ALL_NODES, &tree->memory.allocator,
				   &tree->platform, &error);
	if (status)
		fail_msg("import: %d: %s: %s: %s", status, error.node, error.property,
			 error.message);
}

void tree_open(struct tree *tree, const char *name)
{
	size_t size;
	void *blob = tree_read(name, &size);

	tree_take(tree, blob, size);
}

void tree_close(struct tree *tree)
{
	busway_platform_destroy(tree->platform);
	test_memory_close(&tree->memory);
	free(tree->blob);
}

busway_device_id tree_device(const struct tree *tree, const char *path)
{
	busway_device_id id = BUSWAY_NO_DEVICE;

	if (busway_platform_find_device(tree->platform, path, &id, 1) != 1)
		fail_msg("there is no device '%s'", path);
	return id;
}

/* ---- answers as text ---- */

__attribute__((format(printf, 2, 3))) static void put(struct tree *tree, const char *format, ...)
{
	const size_t used = strlen(tree->text), room = sizeof(tree->text) - used;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(tree->text + used, room, format, arguments);
	va_end(arguments);
	assert_true(length >= 0 && (size_t)length < room);
}

static void put_separator(struct tree *tree)
{
	if (tree->text[0])
		put(tree, "; ");
}

static void put_span(struct tree *tree, uint64_t span)
{
	if (span == UINT64_MAX)
		put(tree, "+2^64");
	else
		put(tree, "+0x%" PRIx64, span + 1);
}

static void put_piece(struct tree *tree, const struct busway_piece *piece)
{
	put_separator(tree);
	put(tree, "0x%" PRIx64 "->0x%" PRIx64, piece->dma.first.raw, piece->phys.raw);
	put_span(tree, piece->dma.last.raw - piece->dma.first.raw);
}

const char *windows_of(struct tree *tree, busway_device_id id)
{
	const struct busway_device *device = busway_platform_device(tree->platform, id);
	const struct busway_allocator *memory = &tree->memory.allocator;
	struct busway_piece *pieces = NULL;
	size_t count = 0;

	tree->text[0] = '\0';
	if (!device->dma.restricted)
		return "none";
	assert_int_equal(busway_windows_build(tree->platform, id, memory, &pieces, &count), 0);
	for (size_t i = 0; i < count; i++)
		put_piece(tree, &pieces[i]);
	if (count)
		memory->free(memory->ctx, pieces, count * sizeof(*pieces),
			     _Alignof(struct busway_piece));
	if (!count)
		return device->dma.empty_table ? "empty-table" : "untranslatable";
	return tree->text;
}

const char *reach_of(struct tree *tree, busway_device_id id)
{
	const struct busway_piece *pieces;
	struct busway_reach *reach;
	size_t count;

	tree->text[0] = '\0';
	assert_int_equal(
		busway_reach_build(tree->platform, id, NULL, &tree->memory.allocator, &reach), 0);
	pieces = busway_reach_pieces(reach, &count);
	for (size_t i = 0; i < count; i++) {
		put_piece(tree, &pieces[i]);
		put(tree, " %s", busway_platform_region(tree->platform, pieces[i].target)->name);
	}
	busway_reach_destroy(reach);
	return tree->text;
}

static bool has_note(const struct busway_note *note, enum busway_note_code code)
{
	for (; note; note = note->next)
		if (note->code == code)
			return true;
	return false;
}

const char *notes_of(struct tree *tree, busway_device_id id)
{
	const struct busway_device *device = busway_platform_device(tree->platform, id);

	tree->text[0] = '\0';
	for (unsigned code = 0; code < BUSWAY_NOTE_COUNT; code++) {
		const enum busway_note_code c = (enum busway_note_code)code;

		if (has_note(device->dma.notes, c) || has_note(device->notes, c))
			put(tree, "%s%s", tree->text[0] ? " " : "", busway_note_code(c));
	}
	return tree->text;
}

const char *banks_of(struct tree *tree)
{
	size_t count;
	const struct busway_memory_bank *banks = busway_platform_banks(tree->platform, &count);

	tree->text[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		put_separator(tree);
		put(tree, "0x%" PRIx64, banks[i].range.first);
		put_span(tree, busway_range_span(banks[i].range));
		put(tree, " %s", banks[i].name);
	}
	return tree->text;
}

const char *outbound_of(struct tree *tree, busway_device_id id)
{
	static const char *const kinds[] = {
		[BUSWAY_OUTBOUND_IO] = "io",
		[BUSWAY_OUTBOUND_MEM32] = "mem32",
		[BUSWAY_OUTBOUND_MEM64] = "mem64",
	};
	const struct busway_device *device = busway_platform_device(tree->platform, id);

	tree->text[0] = '\0';
	for (size_t i = 0; i < device->outbound_count; i++) {
		const struct busway_outbound *o = &device->outbound[i];

		put_separator(tree);
		put(tree, "%s%s 0x%" PRIx64 "<-", kinds[o->kind], o->prefetchable ? "p" : "",
		    o->bus.first);
		if (o->has_cpu)
			put(tree, "0x%" PRIx64, o->cpu.raw);
		else
			put(tree, "null");
		put_span(tree, busway_range_span(o->bus));
	}
	return tree->text;
}

const char *pools_of(struct tree *tree, busway_device_id id)
{
	const struct busway_device *device = busway_platform_device(tree->platform, id);
	size_t count;
	const struct busway_pool *pools = busway_platform_pools(tree->platform, &count);

	tree->text[0] = '\0';
	for (size_t i = 0; i < device->pool_count; i++) {
		const char *name = strrchr(pools[device->pools[i]].name, '/') + 1;

		put_separator(tree);
		put(tree, "%s%s", name,
		    device->pools[i] == device->restricted_pool ? " (restricted)" : "");
	}
	return tree->text;
}

const char *maps_of(struct tree *tree, const struct busway_id_map *maps, size_t count)
{
	tree->text[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		const struct busway_id_map *m = &maps[i];

		put_separator(tree);
		if (m->is_range) {
			put(tree, "0x%" PRIx32 "+0x%" PRIx32 "->0x%" PRIx32, m->id_base,
			    m->id_count, m->out_base);
			if (m->id_mask != UINT32_MAX)
				put(tree, " mask 0x%" PRIx32, m->id_mask);
		} else {
			put(tree, "<");
			for (size_t cell = 0; cell < m->cell_count; cell++)
				put(tree, "%s0x%" PRIx32, cell ? " " : "", m->cells[cell]);
			put(tree, ">");
		}
		put(tree, " %s%s", m->controller, m->enabled ? "" : " (disabled)");
		if (m->has_doorbell)
			put(tree, " at 0x%" PRIx64, m->doorbell.raw);
	}
	return tree->text;
}

/* ---- tables of cases ---- */

static void check(struct tree *tree, answer_fn *answer, const struct device_case *cases,
		  size_t count, bool own)
{
	unsigned failed = 0;

	for (size_t i = 0; i < count; i++) {
		busway_device_id id = tree_device(tree, cases[i].path);
		const char *found;

		if (own)
			id = busway_platform_device(tree->platform, id)->own;
		assert_int_not_equal(id.index, BUSWAY_NO_DEVICE.index);
		found = answer(tree, id);
		if (strcmp(found, cases[i].expected) == 0)
			continue;
		print_error("case %zu: %s\n  %s\n  expected: %s\n  found:    %s\n", i,
			    cases[i].because, cases[i].path, cases[i].expected, found);
		failed++;
	}
	if (failed)
		fail_msg("%u of %zu cases failed", failed, count);
}

void check_devices(struct tree *tree, answer_fn *answer, const struct device_case *cases,
		   size_t count)
{
	check(tree, answer, cases, count, false);
}

void check_bridges(struct tree *tree, answer_fn *answer, const struct device_case *cases,
		   size_t count)
{
	check(tree, answer, cases, count, true);
}

int open_named(void **state, const char *name)
{
	struct tree *tree = malloc(sizeof(*tree));

	assert_non_null(tree);
	tree_open(tree, name);
	*state = tree;
	return 0;
}

int close_tree(void **state)
{
	struct tree *tree = *state;

	tree_close(tree);
	free(tree);
	return 0;
}
