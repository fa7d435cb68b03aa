/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sysfs_function.c - what one PCI function is, as its files in sysfs say.
 *
 * Most of it stands in its configuration space, but for virtual functions, whose registers read as
 * all ones. Any file may be missing: it cannot be read without privileges, was not recorded, or the
 * function went away meanwhile. That is a gap, and what it would have said is unknown.
 */
#include "system_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_SIZE = 2048, CONFIG_SIZE = 4096, HEADER_SIZE = 64 };

/* A function while it is being read. */
struct subject {
	struct reading *reading;
	const struct sysfs_entry *entry;
	struct busway_pci_function function;
	bool has_offset; /* between its BARs' addresses for the CPU and on the bus, */
	uint64_t offset; /* where its own registers do not tell */
};

static void path_of(const struct subject *s, const char *file, char path[FILE_PATH_SIZE])
{
	snprintf(path, FILE_PATH_SIZE, "%.*s%s%s", (int)s->entry->folder_length, s->entry->folder,
		 *file ? "/" : "", file);
}

static int gap_of(const struct subject *s, const char *file, const char *message)
{
	char path[FILE_PATH_SIZE];

	path_of(s, file, path);
	return note_gap(s->reading->machine, path, message);
}

static long read_of(const struct subject *s, const char *file, void *buf, size_t size)
{
	char path[FILE_PATH_SIZE];

	path_of(s, file, path);
	return file_read(s->reading->files, path, buf, size);
}

/* Where a link leads, its last name only; false: there is none. */
static bool link_of(const struct subject *s, const char *file, char name[FILE_PATH_SIZE])
{
	char path[FILE_PATH_SIZE], link[FILE_PATH_SIZE];
	const char *last;

	path_of(s, file, path);
	if (file_link(s->reading->files, path, link, sizeof(link)) < 0)
		return false;
	last = strrchr(link, '/');
	last = last ? last + 1 : link;
	memcpy(name, last, strlen(last) + 1);
	return true;
}

static bool number_of(const struct subject *s, const char *file, uint64_t *value)
{
	char text[64];
	const char *at = text;
	const long got = read_of(s, file, text, sizeof(text) - 1);

	if (got <= 0)
		return false;
	text[got] = 0;
	return parse_u64(&at, value);
}

/* ---- where it sits ---- */

static int read_place(struct subject *s)
{
	const struct sysfs_entry *e = s->entry;
	struct busway_pci_function *f = &s->function;
	char name[FILE_PATH_SIZE];

	f->at = e->at;
	f->has_above = e->has_above;
	f->above = e->above;
	f->has_root_bus = e->has_root_bus;
	f->root_bus = e->root_bus;
	if (link_of(s, "physfn", name)) {
		f->is_virtual = true;
		if (!parse_pci_address(name, &f->physical))
			f->physical = f->at; /* nobody: the wiring says so */
	}
	if (!e->listed)
		return gap_of(s, "",
			      "is above functions that are listed, and is not listed itself");
	return e->has_link ? 0 : gap_of(s, "", "no link: bus numbers tell what is above it");
}

/* ---- what it is ---- */

/*
 * Some tools that copy sysfs fill what they could not read with zeros, up to the size that the
 * file is said to have. A list of capabilities that begins with nothing is not one.
 */
static size_t without_padding(const uint8_t *config, size_t size)
{
	enum { STATUS = 0x06, HAS_LIST = 0x10 };

	if (size <= HEADER_SIZE || !(config[STATUS] & HAS_LIST))
		return size;
	for (size_t i = HEADER_SIZE; i < size; i++)
		if (config[i])
			return size;
	return HEADER_SIZE;
}

static int read_config(struct subject *s)
{
	uint8_t config[CONFIG_SIZE];
	const long got = read_of(s, "config", config, sizeof(config));
	size_t size;

	if (got < 0)
		return gap_of(s, "config", strerror((int)-got));
	size = without_padding(config, (size_t)got);
	if (busway_pci_read_config(config, size, &s->function)) {
		if (s->function.is_virtual)
			return 0;
		return gap_of(s, "config",
			      size < HEADER_SIZE ? "less than 64 bytes"
						 : "nothing answered: all ones");
	}
	if (size < 256)
		return gap_of(s, "config",
			      "only the first 64 bytes can be read without privileges: ACS and "
			      "other capabilities are unknown");
	return 0;
}

static void read_ids(struct subject *s)
{
	struct busway_pci_function *f = &s->function;
	uint64_t value;

	if (number_of(s, "vendor", &value) && value <= UINT16_MAX)
		f->vendor = (uint16_t)value;
	if (number_of(s, "device", &value) && value <= UINT16_MAX)
		f->device = (uint16_t)value;
	if (number_of(s, "class", &value))
		f->class_code = (uint32_t)value & 0xffffff;
	if (number_of(s, "dma_mask_bits", &value) && value <= 64)
		f->dma_mask = (unsigned)value;
	if (number_of(s, "consistent_dma_mask_bits", &value) && value <= 64)
		f->coherent_mask = (unsigned)value;
}

/* What others say about it where its own registers are silent: that it is a bridge. */
static void read_type(struct subject *s)
{
	struct busway_pci_function *f = &s->function;

	if (!f->config_size && !f->is_virtual &&
	    (s->entry->above_others || f->class_code >> 8 == 0x0604))
		f->type = BUSWAY_PCI_UNKNOWN_BRIDGE;
}

/* ---- BARs: one line each, with addresses of the CPU ---- */

enum {
	RESOURCE_MEMORY = 0x200,
	RESOURCE_IO = 0x100,
	RESOURCE_PREFETCH = 0x2000,
	RESOURCE_MEM64 = 0x100000,
	RESOURCE_UNSET = 0x20000000
};

static void read_resource(struct subject *s, unsigned index, uint64_t first, uint64_t last,
			  uint64_t flags)
{
	struct busway_pci_bar *bar = &s->function.bars[index];

	if (!(flags & (RESOURCE_MEMORY | RESOURCE_IO)) || (flags & RESOURCE_UNSET) || first > last)
		return;
	if (!s->function.config_size) { /* of a virtual function: only the CPU's side is told */
		bar->kind = flags & RESOURCE_IO      ? BUSWAY_BAR_IO
			    : flags & RESOURCE_MEM64 ? BUSWAY_BAR_MEM64
						     : BUSWAY_BAR_MEM32;
		bar->prefetchable = (flags & RESOURCE_PREFETCH) != 0;
		bar->bus = (struct busway_range){first - s->offset, first - s->offset};
		bar->bus_guessed = !s->has_offset;
		bar->assigned = true;
	}
	if (bar->kind == BUSWAY_BAR_NONE || last - first > UINT64_MAX - bar->bus.first)
		return;
	bar->sized = true;
	bar->bus.last = bar->bus.first + (last - first);
	bar->has_cpu = true;
	bar->cpu = busway_phys(first);
}

static int read_resources(struct subject *s)
{
	char text[TEXT_SIZE];
	const char *at = text;
	const long got = read_of(s, "resource", text, sizeof(text) - 1);

	if (got < 0)
		return gap_of(s, "resource", "cannot be read: sizes of BARs are unknown");
	text[got] = 0;
	if (s->function.is_virtual && !s->function.config_size)
		s->has_offset = measure_bus_offset(s->reading, s->function.physical, &s->offset);
	for (unsigned i = 0; i < BUSWAY_PCI_BARS; i++) {
		uint64_t first, last, flags;

		if (!parse_u64(&at, &first) || !parse_u64(&at, &last) || !parse_u64(&at, &flags))
			return gap_of(s, "resource", "ends too early: sizes of BARs are unknown");
		if (first || last)
			read_resource(s, i, first, last, flags);
	}
	return 0;
}

/* ---- its IOMMU group ---- */

static int read_group(struct subject *s)
{
	char path[FILE_PATH_SIZE], name[FILE_PATH_SIZE], type[32];
	const char *digits = name;
	uint64_t number;
	long got;

	if (!link_of(s, "iommu_group", name))
		return 0;
	if (!parse_u64(&digits, &number) || *digits || number > UINT32_MAX)
		return gap_of(s, "iommu_group", "leads to no group with a number");
	s->function.has_group = true;
	s->function.group = (uint32_t)number;
	snprintf(path, sizeof(path), "sys/kernel/iommu_groups/%u/type", (unsigned)number);
	got = file_read(s->reading->files, path, type, sizeof(type) - 1);
	type[got > 0 ? got : 0] = 0;
	s->function.translated = strncmp(type, "identity", 8) != 0;
	s->function.translation_unknown = got <= 0;
	return 0;
}

/* Was it taken away while the others were read? */
static bool is_gone(const struct subject *s)
{
	char path[FILE_PATH_SIZE], link[FILE_PATH_SIZE];

	path_of(s, "", path);
	return s->entry->listed &&
	       file_link(s->reading->files, path, link, sizeof(link)) == -ENOENT;
}

int read_function(struct reading *reading, const struct sysfs_entry *entry)
{
	struct subject s = {.reading = reading, .entry = entry};
	int status;

	if (is_gone(&s))
		return gap_of(&s, "", "went away while the machine was read");
	status = read_place(&s);
	if (!status)
		status = read_config(&s);
	if (status)
		return status;
	read_ids(&s);
	read_type(&s);
	if (entry->listed || s.function.config_size)
		status = read_resources(&s);
	if (!status)
		status = read_group(&s);
	return status ? status : busway_pci_add_function(reading->machine->pci, &s.function);
}
