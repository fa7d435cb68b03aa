/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sysfs_list.c - which PCI functions there are, and who is above whom.
 *
 * sys/bus/pci/devices has one link a function; where it leads tells the bridges above it:
 *
 *	../../../devices/pci0000:00/0000:00:02.0/0000:01:00.0
 *
 * What is left of the last pciDDDD:BB is another matter: "platform/40000000.pcie", or the function
 * behind which a root bus of its own hangs ("0000:00:0e.0/pci10000:00/10000:00:00.0").
 * A recording may have left out the link of a bridge that such a path names: it is there.
 */
#include "system_internal.h"

#include "../base/sort.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { LISTED_MOST = 1 << 20, UNLISTED_MOST = 1 << 20 };

struct listing {
	struct reading *reading;
	struct vector entries;  /* struct sysfs_entry, sorted once all names are in */
	struct vector unlisted; /* the same: of paths only */
	bool bad_name;          /* has been noted */
};

static struct sysfs_entry *entry_at(const struct vector *entries, size_t index)
{
	return (struct sysfs_entry *)entries->items + index;
}

static int append(struct listing *l, struct vector *to, const struct sysfs_entry *entry,
		  size_t most)
{
	struct sysfs_entry *place;

	if (to->count >= most)
		return system_error(l->reading->error, SYSFS_DEVICES,
				    "more than 1048576 functions");
	place = vector_next(&l->reading->machine->arena, to, sizeof(*place),
			    _Alignof(struct sysfs_entry));
	if (!place)
		return -BUSWAY_ENOMEM;
	*place = *entry;
	to->count++;
	return 0;
}

static bool entry_before(const void *a, const void *b)
{
	return busway_pci_address_compare(((const struct sysfs_entry *)a)->at,
					  ((const struct sysfs_entry *)b)->at) < 0;
}

/* Sort, and leave one of each address. */
static void arrange(struct vector *entries)
{
	size_t kept = 0;

	sort(entries->items, entries->count, sizeof(struct sysfs_entry), entry_before);
	for (size_t i = 0; i < entries->count; i++)
		if (!kept || entry_before(entry_at(entries, kept - 1), entry_at(entries, i)))
			*entry_at(entries, kept++) = *entry_at(entries, i);
	entries->count = kept;
}

static struct sysfs_entry *find(const struct vector *entries, size_t count,
				struct busway_pci_address at)
{
	size_t low = 0, high = count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const int order = busway_pci_address_compare(entry_at(entries, middle)->at, at);

		if (order == 0)
			return entry_at(entries, middle);
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* ---- names ---- */

static int take_name(void *ctx, const char *name)
{
	struct listing *l = ctx;
	struct sysfs_entry entry = {.listed = true};
	char path[FILE_PATH_SIZE];

	if (parse_pci_address(name, &entry.at)) {
		const int length = snprintf(path, sizeof(path), SYSFS_DEVICES "/%s", name);

		entry.folder = keep_text(l->reading->machine, path);
		entry.folder_length = (size_t)length;
		return entry.folder ? append(l, &l->entries, &entry, LISTED_MOST) : -BUSWAY_ENOMEM;
	}
	if (l->bad_name)
		return 0;
	l->bad_name = true;
	return note_gap(l->reading->machine, SYSFS_DEVICES,
			"holds names that are no addresses of functions");
}

static int take_names(struct listing *l)
{
	const int status = file_list(l->reading->files, SYSFS_DEVICES, take_name, l);

	if (status == -ENOENT || status == -ENOTDIR)
		return system_error(l->reading->error, SYSFS_DEVICES,
				    "not there: no machine with PCI was recorded here");
	if (status == -BUSWAY_ENOMEM || status == -BUSWAY_EINVAL)
		return status;
	if (status < 0)
		return system_error(l->reading->error, SYSFS_DEVICES, strerror(-status));
	arrange(&l->entries);
	return 0;
}

/* ---- paths ---- */

/* "pci0000:00", the name of a root bus. */
static bool parse_root(const char *name, uint8_t *bus)
{
	struct busway_pci_address at;
	char text[BUSWAY_PCI_NAME_SIZE + 8];

	if (strncmp(name, "pci", 3) != 0 || strlen(name) >= BUSWAY_PCI_NAME_SIZE)
		return false;
	snprintf(text, sizeof(text), "%s:00.0", name + 3);
	if (!parse_pci_address(text, &at))
		return false;
	*bus = at.bus;
	return true;
}

/* The link's way from sys on: "../../../devices/..." becomes "sys/devices/...". */
static bool absolute(const char *link, char path[FILE_PATH_SIZE])
{
	const char *devices = strstr(link, "devices/");

	return devices && snprintf(path, FILE_PATH_SIZE, "sys/%s", devices) < FILE_PATH_SIZE;
}

/* A bridge that a path names: the listed one learns that it is one, another is noted. */
static int take_bridge(struct listing *l, const struct sysfs_entry *bridge)
{
	struct sysfs_entry *listed = find(&l->entries, l->entries.count, bridge->at);

	if (!listed)
		return append(l, &l->unlisted, bridge, UNLISTED_MOST);
	listed->above_others = true;
	return 0;
}

/*
 * Follow @path, that of @entry, from its root bus down. @entry learns what is above it, and the
 * bridges on the way are taken down.
 */
static int take_path(struct listing *l, struct sysfs_entry *entry, const char *path)
{
	struct sysfs_entry on_way = {.has_link = true, .above_others = true, .folder = path};
	size_t end;
	int status = 0;

	for (const char *name = path; !status; name += end + 1) {
		char text[BUSWAY_PCI_NAME_SIZE];
		struct busway_pci_address at;

		end = strcspn(name, "/");
		if (name[end] == 0)
			break; /* its own name */
		if (end >= sizeof(text))
			continue;
		memcpy(text, name, end);
		text[end] = 0;
		if (parse_root(text, &on_way.root_bus)) {
			on_way.has_root_bus = true;
			on_way.has_above = false;
		} else if (on_way.has_root_bus && parse_pci_address(text, &at)) {
			on_way.at = at;
			on_way.folder_length = (size_t)(name - path) + end;
			status = take_bridge(l, &on_way);
			on_way.has_above = true;
			on_way.above = at;
		}
	}
	entry->has_link = true;
	entry->has_above = on_way.has_above;
	entry->above = on_way.above;
	entry->has_root_bus = on_way.has_root_bus;
	entry->root_bus = on_way.root_bus;
	return status;
}

/* Where the link of each function leads. */
static int take_paths(struct listing *l)
{
	int status = 0;

	for (size_t i = 0; i < l->entries.count && !status; i++) {
		struct sysfs_entry *entry = entry_at(&l->entries, i);
		char link[FILE_PATH_SIZE], path[FILE_PATH_SIZE];
		const char *kept;

		if (file_link(l->reading->files, entry->folder, link, sizeof(link)) < 0 ||
		    !absolute(link, path))
			continue;
		kept = keep_text(l->reading->machine, path);
		status = kept ? take_path(l, entry, kept) : -BUSWAY_ENOMEM;
	}
	return status;
}

int list_functions(struct reading *reading, struct vector *entries)
{
	struct listing l = {.reading = reading};
	int status = take_names(&l);

	if (!status)
		status = take_paths(&l);
	arrange(&l.unlisted);
	for (size_t i = 0; i < l.unlisted.count && !status; i++)
		status = append(&l, &l.entries, entry_at(&l.unlisted, i),
				LISTED_MOST + UNLISTED_MOST);
	arrange(&l.entries);
	*entries = l.entries;
	return status;
}
