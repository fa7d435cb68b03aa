/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * system_iommu.c - IOMMUs: which unit a function is behind, and what tables keep free for it.
 *
 * Linux links each function with the IOMMU that it asked for: iommu -> ../../virtual/iommu/dmar0.
 * Tables (DMAR, IVRS, IORT) know more; their importers add it here, behind read_units() and before
 * the functions become devices.
 */
#include "system_platform.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_SIZE = 512, NO_UNIT = -1 };

static uint32_t *units_of(const struct busway_system *machine)
{
	return machine->unit_of.items;
}

static const struct system_unit *unit_at(const struct busway_system *machine, size_t index)
{
	return (const struct system_unit *)machine->units.items + index;
}

int system_add_unit(struct busway_system *machine, const struct system_unit *unit, uint32_t *index)
{
	struct system_unit *place;

	for (size_t i = 0; i < machine->units.count; i++) {
		if (strcmp(unit_at(machine, i)->name, unit->name) != 0)
			continue;
		*index = (uint32_t)i;
		return 0;
	}
	place = vector_next(&machine->arena, &machine->units, sizeof(*place),
			    _Alignof(struct system_unit));
	if (!place)
		return -BUSWAY_ENOMEM;
	*place = *unit;
	*index = (uint32_t)machine->units.count++;
	return 0;
}

int system_set_unit(struct busway_system *machine, busway_pci_id function, uint32_t unit)
{
	if (function.index >= machine->unit_of.count || unit >= machine->units.count)
		return -BUSWAY_EINVAL;
	if (units_of(machine)[function.index] == (uint32_t)NO_UNIT)
		units_of(machine)[function.index] = unit;
	return 0;
}

void system_limit_unit(struct busway_system *machine, busway_pci_id function, uint64_t last,
		       const char *source)
{
	struct system_unit *units = machine->units.items;
	const uint32_t unit = function.index < machine->unit_of.count
				      ? units_of(machine)[function.index]
				      : (uint32_t)NO_UNIT;

	if (unit == (uint32_t)NO_UNIT || units[unit].has_last)
		return;
	units[unit].has_last = true;
	units[unit].last = last;
	units[unit].last_source = source;
}

const struct system_unit *system_unit_of(const struct busway_system *machine,
					 busway_pci_id function)
{
	const uint32_t unit = function.index < machine->unit_of.count
				      ? units_of(machine)[function.index]
				      : (uint32_t)NO_UNIT;

	return unit == (uint32_t)NO_UNIT ? NULL : unit_at(machine, unit);
}

int system_reserve(struct busway_system *machine, busway_pci_id function,
		   const struct busway_reserved_region *region)
{
	struct busway_system_reservation *place;

	if (function.index >= busway_pci_count(machine->pci) ||
	    region->range.first > region->range.last || !region->source)
		return -BUSWAY_EINVAL;
	place = vector_next(&machine->arena, &machine->reserved, sizeof(*place),
			    _Alignof(struct busway_system_reservation));
	if (!place)
		return -BUSWAY_ENOMEM;
	*place = (struct busway_system_reservation){function, *region};
	machine->reserved.count++;
	return 0;
}

enum busway_known system_translated(const struct building *b, busway_pci_id id, bool by_tree)
{
	const struct busway_pci_function *f = busway_pci_function(pci_of(b), id);

	if (f->has_group && !f->translation_unknown)
		return f->translated ? BUSWAY_PRESENT : BUSWAY_ABSENT;
	if (f->has_group)
		return BUSWAY_UNKNOWN;
	if (by_tree)
		return BUSWAY_PRESENT;
	if (system_unit_of(b->machine, id))
		return BUSWAY_UNKNOWN; /* linked with a unit, and nothing more is told */
	if (b->from_tree)
		return BUSWAY_ABSENT;
	return b->iommus_told && !b->machine->groups.count ? BUSWAY_ABSENT : BUSWAY_UNKNOWN;
}

/*
 * The width of the IOVAs that an IOMMU of Intel's takes: MGAW, bits 21..16 of its capability
 * register, is that number of bits less one (VT-d 4.1, 11.4.2).
 */
static int read_width(struct building *b, struct system_unit *unit)
{
	char path[PATH_SIZE], text[32];
	unsigned long long cap;
	unsigned bits;
	long got;

	snprintf(path, sizeof(path), "sys/class/iommu/%s/intel-iommu/cap", unit->name);
	got = file_read(b->files, path, text, sizeof(text) - 1);
	if (got <= 0)
		return 0;
	text[got] = 0;
	cap = strtoull(text, NULL, 16);
	bits = (unsigned)(cap >> 16 & 0x3f) + 1;
	unit->has_last = cap != 0;
	unit->last = bits == 64 ? UINT64_MAX : ((uint64_t)1 << bits) - 1;
	unit->last_source = keep_text(b->machine, path);
	return unit->last_source ? 0 : -BUSWAY_ENOMEM;
}

static int read_unit(struct building *b, busway_pci_id id)
{
	char path[PATH_SIZE], link[PATH_SIZE];
	const char *name;
	struct system_unit unit = {0};
	uint32_t index;
	int status;

	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/iommu",
		 busway_pci_name(pci_of(b), id));
	if (file_link(b->files, path, link, sizeof(link)) < 0)
		return 0;
	name = strrchr(link, '/');
	unit.name = keep_text(b->machine, name ? name + 1 : link);
	if (!unit.name)
		return -BUSWAY_ENOMEM;
	index = (uint32_t)b->machine->units.count;
	for (size_t i = 0; i < b->machine->units.count; i++)
		if (strcmp(unit_at(b->machine, i)->name, unit.name) == 0)
			return system_set_unit(b->machine, id, (uint32_t)i);
	status = read_width(b, &unit);
	if (!status)
		status = system_add_unit(b->machine, &unit, &index);
	return status ? status : system_set_unit(b->machine, id, index);
}

/* Which IOVAs an IOMMU takes at all is told by its unit only. Where nothing is told of IOMMUs that
 * goes without saying. Behind add_functions(). */
int say_unknown_widths(struct building *b)
{
	const bool groups = b->machine->groups.count != 0;

	for (uint32_t i = 0; i < busway_pci_count(pci_of(b)); i++) {
		const busway_pci_id id = {i};
		const struct system_unit *unit = system_unit_of(b->machine, id);
		const struct busway_pci_function *f = busway_pci_function(pci_of(b), id);
		const bool translated = f->translated || (f->translation_unknown && groups);

		if (translated && (!unit || !unit->has_last))
			return note_gap(b->machine, "sys/class/iommu",
					"does not tell how many address bits the IOMMUs take: the "
					"highest IOVAs may not be usable");
	}
	return 0;
}

int read_units(struct building *b)
{
	const size_t count = busway_pci_count(pci_of(b));
	uint32_t *units =
		arena_take(&b->machine->arena, (count + 1) * sizeof(*units), _Alignof(uint32_t));
	int status = 0;

	if (!units)
		return -BUSWAY_ENOMEM;
	memset(units, 0xff, (count + 1) * sizeof(*units));
	b->machine->unit_of = (struct vector){units, count, count};
	for (uint32_t i = 0; i < count && !status; i++)
		status = read_unit(b, (busway_pci_id){i});
	return status;
}
