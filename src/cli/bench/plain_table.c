/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plain_table.c - see plain_table.h.
 */
#include "plain_table.h"

#include <string.h>

#define ADDRESS ((uint64_t)0x0000fffffffff000)

static uint64_t leaf(const struct plain_table *t, uint64_t phys, unsigned level)
{
	switch (t->format) {
	case BUSWAY_ARM_STAGE1:
		return phys | 0x0060000000000f45 | (level ? 0 : 2);
	case BUSWAY_ARM_STAGE2:
		return phys | 0x00400000000007fd | (level ? 0 : 2);
	case BUSWAY_VTD_SECOND:
		return phys | 3 | (level ? 0x80 : 0);
	default:
		return phys | 0x6000000000000001;
	}
}

static uint64_t way(const struct plain_table *t, uint64_t phys, unsigned level)
{
	if (t->format == BUSWAY_AMD_V1)
		return phys | 0x6000000000000001 | (uint64_t)level << 9;
	return phys | 3;
}

static bool leads_on(const struct plain_table *t, uint64_t entry)
{
	switch (t->format) {
	case BUSWAY_ARM_STAGE1:
	case BUSWAY_ARM_STAGE2:
		return (entry & 3) == 3;
	case BUSWAY_VTD_SECOND:
		return (entry & 3) && !(entry & 0x80);
	default:
		return (entry & 1) && (entry & 0xe00);
	}
}

static uint64_t *entry_of(const struct plain_table *t, uint64_t *table, uint64_t iova,
			  unsigned level)
{
	const uint64_t index = iova >> (12 + 9 * level);

	/* the root may be several tables in a row */
	return table + (level + 1 == t->levels ? index : index & 511);
}

__attribute__((noinline)) bool plain_map(struct plain_table *t, uint64_t iova, uint64_t phys,
					 unsigned level)
{
	uint64_t *table = t->root, *at;

	for (unsigned l = t->levels - 1; l > level; l--) {
		at = entry_of(t, table, iova, l);
		if (!*at) {
			uint64_t *below = t->alloc(4096);

			if (!below)
				return false;
			memset(below, 0, 4096);
			*at = way(t, (uintptr_t)below, l);
		}
		table = (uint64_t *)(uintptr_t)(*at & ADDRESS);
	}
	at = entry_of(t, table, iova, level);
	if (*at)
		return false;
	*(volatile uint64_t *)at = leaf(t, phys, level);
	return true;
}

__attribute__((noinline)) void plain_unmap(struct plain_table *t, uint64_t iova, unsigned level)
{
	uint64_t *table = t->root;

	for (unsigned l = t->levels - 1; l > level; l--)
		table = (uint64_t *)(uintptr_t)(*entry_of(t, table, iova, l) & ADDRESS);
	*(volatile uint64_t *)entry_of(t, table, iova, level) = 0;
}

uint64_t plain_entry(const struct plain_table *t, uint64_t iova, unsigned *level)
{
	uint64_t *table = t->root;
	uint64_t entry;

	*level = t->levels - 1;
	while ((entry = *entry_of(t, table, iova, *level)), *level && leads_on(t, entry)) {
		table = (uint64_t *)(uintptr_t)(entry & ADDRESS);
		--*level;
	}
	return entry;
}

__attribute__((noinline)) uint64_t plain_lookup(const struct plain_table *t, uint64_t iova)
{
	unsigned level;
	const uint64_t entry = plain_entry(t, iova, &level);

	return (entry & ADDRESS) | (iova & (((uint64_t)4096 << 9 * level) - 1));
}
