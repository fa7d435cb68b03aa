/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * describe.c - numbers in words, and entries as they stand in a device-tree source.
 */
#include "check_internal.h"

#include "../base/text.h"

#include <stdio.h>

struct words size_words(uint64_t bytes)
{
	struct words words;
	struct text text = text_open(words.text, sizeof(words.text));

	text_put_size(&text, bytes);
	text_close(&text);
	return words;
}

struct words span_words(struct busway_range range)
{
	struct words all = {"all 2^64 bytes"};

	return busway_range_span(range) == UINT64_MAX ? all
						      : size_words(busway_range_span(range) + 1);
}

struct words set_words(const struct busway_intervals *set)
{
	enum { TOLD = 4 };
	struct words words;
	struct text text = text_open(words.text, sizeof(words.text));

	for (size_t i = 0; i < set->count && i < TOLD; i++) {
		if (i)
			text_put(&text, ", ");
		text_put_range(&text, set->runs[i]);
	}
	if (set->count > TOLD) {
		text_put(&text, " and ");
		text_put_decimal(&text, set->count - TOLD);
		text_put(&text, " more");
	}
	text_close(&text);
	return words;
}

static void put_cells(struct text *text, uint64_t value, uint32_t cells)
{
	for (uint32_t i = cells; i-- > 0;) {
		text_put_hex(text, i >= 2 ? 0 : (uint32_t)(value >> (i * 32)));
		if (i)
			text_put(text, " ");
	}
}

struct words cell_words(uint64_t value, uint32_t cells)
{
	struct words words;
	struct text text = text_open(words.text, sizeof(words.text));

	put_cells(&text, value, cells);
	text_close(&text);
	return words;
}

struct words entry_words(const struct busway_check *check, uint32_t node,
			 const struct fdt_entry *entry)
{
	const struct fdt_node *nodes = check->importer.tree.nodes;
	const struct fdt_node *n = &nodes[node], *parent = &nodes[n->parent];
	const uint32_t flags = fdt_flag_cells(n->bus), parent_flags = fdt_flag_cells(parent->bus);
	struct words words;
	struct text text = text_open(words.text, sizeof(words.text));

	text_put(&text, "<");
	if (flags) {
		text_put_hex(&text, entry->code);
		text_put(&text, " ");
	}
	put_cells(&text, entry->child, n->address_cells - flags);
	text_put(&text, " ");
	if (parent_flags)
		text_put(&text, "0x2000000 ");
	put_cells(&text, entry->parent, parent->address_cells - parent_flags);
	text_put(&text, " ");
	put_cells(&text, entry->size, n->size_cells);
	text_put(&text, ">");
	text_close(&text);
	return words;
}

struct words entry_for(const struct busway_check *check, const struct fdt_table *table,
		       struct busway_range parent)
{
	const struct words none = {""};
	const struct fdt_node *nodes = check->importer.tree.nodes;
	const struct fdt_node *n = table ? &nodes[table->node] : nodes, *above = &nodes[n->parent];
	struct fdt_entry entry;

	if (!table || !table->count || busway_range_span(parent) == UINT64_MAX)
		return none;
	entry = table->entries[table->count - 1];
	entry.child = parent.first - (entry.parent - entry.child);
	entry.parent = parent.first;
	entry.size = busway_range_span(parent) + 1;
	if (passes_end(0, entry.size, n->size_cells) ||
	    passes_end(entry.child, entry.size, n->address_cells - fdt_flag_cells(n->bus)) ||
	    passes_end(entry.parent, entry.size, above->address_cells - fdt_flag_cells(above->bus)))
		return none; /* it cannot be written in these cells */
	return entry_words(check, table->node, &entry);
}
