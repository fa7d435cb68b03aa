/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sysfs.c - the PCI functions that the sysfs of a Linux machine lists.
 *
 * sys/bus/pci/devices has one link a function; where it leads to tells the bridges above:
 * ../../../devices/pci0000:00/0000:00:02.0/0000:01:00.0. What the function is stands in its
 * configuration space, but for virtual functions, whose registers read as all ones.
 */
#include "machine_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEVICES "sys/bus/pci/devices"

enum { PATH_SIZE = 512, TEXT_SIZE = 2048, CONFIG_SIZE = 4096 };

/* A function while it is being read. */
struct subject {
	struct reading *reading;
	const char *name;
	struct busway_pci_function function;
};

static void path_of(const struct subject *s, const char *file, char path[PATH_SIZE])
{
	snprintf(path, PATH_SIZE, DEVICES "/%s%s%s", s->name, *file ? "/" : "", file);
}

static int gap_of(const struct subject *s, const char *file, const char *message)
{
	char path[PATH_SIZE];

	path_of(s, file, path);
	return note_gap(s->reading->machine, path, message);
}

/* The text of a file without its newline, or false: it is not there or cannot be read. */
static bool text_of(const struct subject *s, const char *file, char *text, size_t size)
{
	char path[PATH_SIZE];
	long got;

	path_of(s, file, path);
	got = file_read(s->reading->files, path, text, size - 1);
	if (got <= 0)
		return false;
	text[got] = 0;
	text[strcspn(text, "\n")] = 0;
	return true;
}

static bool number_of(const struct subject *s, const char *file, uint64_t *value)
{
	char text[64];
	const char *at = text;

	return text_of(s, file, text, sizeof(text)) && parse_u64(&at, value);
}

/* ---- where it sits ---- */

/* The link's last parts: the bridge above, or pciDDDD:BB. */
static int read_place(struct subject *s)
{
	struct busway_pci_function *f = &s->function;
	char path[PATH_SIZE], link[PATH_SIZE], *end, *above;
	unsigned domain, bus;

	path_of(s, "", path);
	if (file_link(s->reading->files, path, link, sizeof(link)) < 0)
		return gap_of(s, "", "no link: bus numbers tell what is above it");
	end = strrchr(link, '/');
	if (!end)
		return gap_of(s, "", "the link leads nowhere: bus numbers tell what is above it");
	*end = 0;
	above = strrchr(link, '/');
	above = above ? above + 1 : link;
	if (parse_pci_address(above, &f->above)) {
		f->has_above = true;
	} else if (sscanf(above, "pci%x:%2x", &domain, &bus) == 2) {
		f->has_root_bus = true;
		f->root_bus = (uint8_t)bus;
	}
	return 0;
}

static void read_physical(struct subject *s)
{
	char path[PATH_SIZE], link[PATH_SIZE];
	const char *name;

	path_of(s, "physfn", path);
	if (file_link(s->reading->files, path, link, sizeof(link)) < 0)
		return;
	name = strrchr(link, '/');
	s->function.is_virtual = true;
	if (!parse_pci_address(name ? name + 1 : link, &s->function.physical))
		s->function.physical = s->function.at; /* nobody: the wiring says so */
}

/* ---- what it is ---- */

static int read_config(struct subject *s)
{
	uint8_t config[CONFIG_SIZE];
	char path[PATH_SIZE];
	long got;

	path_of(s, "config", path);
	got = file_read(s->reading->files, path, config, sizeof(config));
	if (got < 0)
		return gap_of(s, "config", strerror((int)-got));
	if (busway_pci_read_config(config, (size_t)got, &s->function))
		return s->function.is_virtual
			       ? 0
			       : gap_of(s, "config",
					got < 64 ? "less than 64 bytes" : "nothing answered");
	if (got < 256)
		return gap_of(s, "config",
			      "only the first 64 bytes can be read without privileges: ACS and "
			      "other capabilities are unknown");
	return 0;
}

static void read_ids(struct subject *s)
{
	uint64_t value;

	if (number_of(s, "vendor", &value))
		s->function.vendor = (uint16_t)value;
	if (number_of(s, "device", &value))
		s->function.device = (uint16_t)value;
	if (number_of(s, "class", &value))
		s->function.class_code = (uint32_t)value & 0xffffff;
	if (number_of(s, "dma_mask_bits", &value) && value <= 64)
		s->function.dma_mask = (unsigned)value;
	if (number_of(s, "consistent_dma_mask_bits", &value) && value <= 64)
		s->function.coherent_mask = (unsigned)value;
}

/* ---- BARs: one line each, with addresses of the CPU ---- */

enum {
	RESOURCE_MEMORY = 0x200,
	RESOURCE_IO = 0x100,
	RESOURCE_PREFETCH = 0x2000,
	RESOURCE_MEM64 = 0x100000,
	RESOURCE_UNSET = 0x20000000
};

static void read_resource(struct busway_pci_bar *bar, uint64_t first, uint64_t last, uint64_t flags,
			  bool config_known)
{
	if (!(flags & (RESOURCE_MEMORY | RESOURCE_IO)) || (flags & RESOURCE_UNSET) || first > last)
		return;
	if (!config_known) { /* of a virtual function: only the CPU's side is told */
		bar->kind = flags & RESOURCE_IO      ? BUSWAY_BAR_IO
			    : flags & RESOURCE_MEM64 ? BUSWAY_BAR_MEM64
						     : BUSWAY_BAR_MEM32;
		bar->prefetchable = (flags & RESOURCE_PREFETCH) != 0;
		bar->bus = (struct busway_range){first, first};
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
	char text[TEXT_SIZE], path[PATH_SIZE];
	const char *at = text;
	long got;

	path_of(s, "resource", path);
	got = file_read(s->reading->files, path, text, sizeof(text) - 1);
	if (got < 0)
		return gap_of(s, "resource", "cannot be read: sizes of BARs are unknown");
	text[got] = 0;
	for (unsigned i = 0; i < BUSWAY_PCI_BARS; i++) {
		uint64_t first, last, flags;

		if (!parse_u64(&at, &first) || !parse_u64(&at, &last) || !parse_u64(&at, &flags))
			return gap_of(s, "resource", "ends too early: sizes of BARs are unknown");
		if (first || last)
			read_resource(&s->function.bars[i], first, last, flags,
				      s->function.config_size != 0);
	}
	return 0;
}

/* ---- its IOMMU group ---- */

static void read_group(struct subject *s)
{
	char path[PATH_SIZE], link[PATH_SIZE], type[32];
	const char *name;
	long got;

	path_of(s, "iommu_group", path);
	if (file_link(s->reading->files, path, link, sizeof(link)) < 0)
		return;
	name = strrchr(link, '/');
	s->function.has_group = true;
	s->function.group = (uint32_t)strtoul(name ? name + 1 : link, NULL, 10);
	snprintf(path, sizeof(path), "sys/kernel/iommu_groups/%u/type",
		 (unsigned)s->function.group);
	got = file_read(s->reading->files, path, type, sizeof(type) - 1);
	type[got > 0 ? got : 0] = 0;
	s->function.translated = strncmp(type, "identity", 8) != 0;
}

static int add_function(void *ctx, const char *name)
{
	struct subject s = {.reading = ctx, .name = name};
	int status;

	if (!parse_pci_address(name, &s.function.at))
		return note_gap(s.reading->machine, DEVICES, "holds a name that is no address");
	read_physical(&s);
	status = read_place(&s);
	if (!status)
		status = read_config(&s);
	if (status)
		return status;
	read_ids(&s);
	status = read_resources(&s);
	read_group(&s);
	return status ? status : busway_pci_add_function(s.reading->machine->pci, &s.function);
}

int read_sysfs(struct reading *reading)
{
	const int status = file_list(reading->files, DEVICES, add_function, reading);

	if (status == -ENOENT || status == -ENOTDIR)
		return machine_error(reading->error, DEVICES,
				     "not there: no machine with PCI was recorded here");
	if (status < 0 && status != -BUSWAY_ENOMEM)
		return machine_error(reading->error, DEVICES, strerror(-status));
	return status;
}
