/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * system_groups.c - sys/kernel/iommu_groups: the groups that the kernel has made, and the IOVAs
 * that each keeps free.
 *
 *   reserved_regions: 0x00000000fee00000 0x00000000feefffff msi
 *
 * What is kept free in the kernel's own allocator only (the windows of host bridges, holes between
 * inbound windows) does not stand there.
 */
#include "system_platform.h"

#include "../base/sort.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GROUPS "sys/kernel/iommu_groups"

enum { PATH_SIZE = 96 };

/* Where a driver asks for a software window of doorbells on Arm (Linux: MSI_IOVA_BASE). */
static const struct busway_range software_msi = {0x08000000, 0x080fffff};

static const struct {
	const char *name;
	enum busway_reserved_type type;
} types[] = {
	{"direct", BUSWAY_RESERVED_DIRECT},
	{"direct-relaxable", BUSWAY_RESERVED_DIRECT_RELAXABLE},
	{"reserved", BUSWAY_RESERVED_NEVER},
	{"msi", BUSWAY_RESERVED_MSI},
	{"msi", BUSWAY_RESERVED_SOFTWARE_MSI},
};

const char *reserved_type_name(enum busway_reserved_type type)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].type == type)
			return types[i].name;
	return "";
}

/* A type that nobody knows is never mapped. */
static enum busway_reserved_type type_of(const char *word, struct busway_range range, bool x86)
{
	enum busway_reserved_type type = BUSWAY_RESERVED_NEVER;

	for (size_t i = sizeof(types) / sizeof(types[0]); i-- > 0;)
		if (strcmp(types[i].name, word) == 0)
			type = types[i].type;
	if (type == BUSWAY_RESERVED_MSI && !x86 && range.first == software_msi.first &&
	    range.last == software_msi.last)
		type = BUSWAY_RESERVED_SOFTWARE_MSI;
	return type;
}

static bool parse_region(const char *line, bool x86, struct busway_reserved_region *region)
{
	char word[32];

	if (!parse_u64(&line, &region->range.first) || !parse_u64(&line, &region->range.last) ||
	    region->range.first > region->range.last || sscanf(line, " %31s", word) != 1)
		return false;
	region->type = type_of(word, region->range, x86);
	return true;
}

static int read_reserved(struct building *b, struct busway_system_group *group)
{
	char path[PATH_SIZE], *text, *line;
	struct vector regions = {0};
	size_t size;

	snprintf(path, sizeof(path), GROUPS "/%u/reserved_regions", (unsigned)group->number);
	text = read_whole(b, &b->work, path, &size);
	if (!text)
		return b->work.failed ? -BUSWAY_ENOMEM
				      : note_gap(b->machine, path,
						 "cannot be read: the IOVAs that the group keeps "
						 "free are unknown");
	group->reserved_known = true;
	while ((line = next_line(&text))) {
		struct busway_reserved_region *region =
			vector_next(&b->machine->arena, &regions, sizeof(*region),
				    _Alignof(struct busway_reserved_region));

		if (!region)
			return -BUSWAY_ENOMEM;
		if (parse_region(line, b->x86 != NULL, region)) {
			regions.count++;
			region->source = keep_text(b->machine, path);
			if (!region->source)
				return -BUSWAY_ENOMEM;
			continue;
		}
		group->reserved_known = false;
		if (note_gap(b->machine, path,
			     "has a line that is no \"FIRST LAST TYPE\": the IOVAs that the group "
			     "keeps free are not all known"))
			return -BUSWAY_ENOMEM;
	}
	group->reserved = regions.items;
	group->reserved_count = regions.count;
	return 0;
}

static int read_type(struct building *b, struct busway_system_group *group)
{
	char path[PATH_SIZE], text[32];
	long got;

	snprintf(path, sizeof(path), GROUPS "/%u/type", (unsigned)group->number);
	got = file_read(b->files, path, text, sizeof(text) - 1);
	if (got <= 0)
		return note_gap(b->machine, path,
				"cannot be read: whether the IOMMU translates is unknown; it is "
				"taken to");
	text[got] = 0;
	text[strcspn(text, "\n")] = 0;
	group->type = keep_text(b->machine, text);
	return group->type ? 0 : -BUSWAY_ENOMEM;
}

static int add_group(void *ctx, const char *name)
{
	struct building *b = ctx;
	struct busway_system_group *group;
	unsigned long number;
	char *end;

	errno = 0;
	number = strtoul(name, &end, 10);
	if (*end || end == name || errno || number > UINT32_MAX)
		return note_gap(b->machine, GROUPS, "holds a name that is no number");
	group = vector_next(&b->machine->arena, &b->machine->groups, sizeof(*group),
			    _Alignof(struct busway_system_group));
	if (!group)
		return -BUSWAY_ENOMEM;
	*group = (struct busway_system_group){.number = (uint32_t)number};
	b->machine->groups.count++;
	return 0;
}

static bool group_before(const void *x, const void *y)
{
	const struct busway_system_group *a = x, *b = y;

	return a->number < b->number;
}

/* A function may name a group whose folder is not there: then nothing more is known of it. */
static int add_named_groups(struct building *b)
{
	int status = 0;

	for (uint32_t i = 0; i < busway_pci_count(pci_of(b)) && !status; i++) {
		const struct busway_pci_function *f =
			busway_pci_function(pci_of(b), (busway_pci_id){i});
		char name[16];

		if (!f->has_group || group_of(b->machine, f))
			continue;
		snprintf(name, sizeof(name), "%u", (unsigned)f->group);
		status = add_group(b, name);
		sort(b->machine->groups.items, b->machine->groups.count,
		     sizeof(struct busway_system_group), group_before);
	}
	return status;
}

int read_groups(struct building *b)
{
	struct busway_system_group *groups;
	int status = file_list(b->files, GROUPS, add_group, b);

	if (status == -BUSWAY_ENOMEM || b->machine->arena.failed)
		return -BUSWAY_ENOMEM;
	sort(b->machine->groups.items, b->machine->groups.count, sizeof(struct busway_system_group),
	     group_before);
	status = add_named_groups(b);
	groups = b->machine->groups.items;
	for (size_t i = 0; i < b->machine->groups.count && !status; i++) {
		status = read_type(b, &groups[i]);
		if (!status)
			status = read_reserved(b, &groups[i]);
	}
	return status;
}

const struct busway_system_group *group_of(const struct busway_system *machine,
					   const struct busway_pci_function *f)
{
	const struct busway_system_group *groups = machine->groups.items;
	size_t low = 0, high = machine->groups.count;

	while (f->has_group && low < high) {
		const size_t middle = low + (high - low) / 2;

		if (groups[middle].number == f->group)
			return &groups[middle];
		if (groups[middle].number < f->group)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}
