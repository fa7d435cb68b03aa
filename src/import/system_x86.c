/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * system_x86.c - is it an x86 machine, and which file says so?
 *
 * Nothing in sysfs tells what a host bridge makes of the addresses that come from below. Those of
 * x86 machines pass them to the CPU's space as they are (the PC's architecture: memory and PCI
 * share one map); of others that is not said here. So it matters, and any of these will do: the
 * vendor of the processor; an "IOAPIC" in proc/iomem; the tables of Intel's and AMD's IOMMUs; a
 * host bridge of Intel's.
 */
#include <busway/p2p.h>

#include "system_platform.h"

#include <string.h>

const struct busway_range system_x86_interrupts = {0xfee00000, 0xfeefffff};

static bool says_vendor(const char *cpuinfo)
{
	static const char *const vendors[] = {"GenuineIntel", "AuthenticAMD", "HygonGenuine",
					      "CentaurHauls", "Shanghai"};
	const char *line = strstr(cpuinfo, "vendor_id");
	const char *end = line ? strchr(line, '\n') : NULL;

	for (size_t i = 0; end && i < sizeof(vendors) / sizeof(vendors[0]); i++) {
		const char *hit = strstr(line, vendors[i]);

		if (hit && hit < end)
			return true;
	}
	return false;
}

/* The names are there for readers without privileges, too. */
static bool has_ioapic(const struct iomem *iomem)
{
	for (size_t i = 0; i < iomem->count; i++)
		if (strncmp(iomem->entries[i].name, "IOAPIC ", 7) == 0)
			return true;
	return false;
}

struct tables {
	bool any, x86, other;
};

#define TABLES "sys/firmware/acpi/tables"

static int see_table(void *ctx, const char *name)
{
	struct tables *tables = ctx;

	tables->any = true;
	if (strcmp(name, "DMAR") == 0 || strcmp(name, "IVRS") == 0)
		tables->x86 = true;
	if (strcmp(name, "IORT") == 0 || strcmp(name, "VIOT") == 0 || strcmp(name, "RIMT") == 0)
		tables->other = true;
	return 0;
}

/* A host bridge of Intel's, or a root port of one of the root complexes that are known. */
static bool is_intel_root(const struct busway_pci_function *f)
{
	size_t count;
	const struct busway_p2p_host *known = busway_p2p_hosts(&count);

	if (f->vendor != 0x8086)
		return false;
	if (f->class_code >> 8 == 0x0600)
		return true;
	for (size_t i = 0; i < count; i++)
		if (known[i].vendor == f->vendor && known[i].device == f->device)
			return true;
	return false;
}

static const char *intel_root(const struct busway_pci *pci)
{
	for (uint32_t i = 0; i < busway_pci_count(pci); i++) {
		const busway_pci_id id = {i};

		if (!busway_pci_some(busway_pci_above(pci, id)) &&
		    is_intel_root(busway_pci_function(pci, id)))
			return busway_pci_name(pci, id);
	}
	return NULL;
}

static int see_nothing(void *ctx, const char *name)
{
	(void)ctx, (void)name;
	return 1;
}

/* A paravirtual guest of Xen: what it takes for CPU addresses are none. */
static bool is_paravirtual(struct building *b)
{
	char type[8] = "";
	const long got = file_read(b->files, "sys/hypervisor/guest_type", type, sizeof(type) - 1);

	return got >= 2 && strncmp(type, "PV", 2) == 0 && type[2] != 'H';
}

int find_x86(struct building *b)
{
	struct tables tables = {0};
	size_t size;
	const char *cpuinfo = read_whole(b, &b->work, "proc/cpuinfo", &size);

	if (b->work.failed)
		return -BUSWAY_ENOMEM;
	(void)file_list(b->files, TABLES, see_table, &tables);
	/* where there are groups, all of an IOMMU are there; where there are tables, all are, too
	 */
	b->iommus_told = file_list(b->files, "sys/kernel/iommu_groups", see_nothing, NULL) >= 0 ||
			 (tables.any && !tables.x86 && !tables.other);
	if (cpuinfo && says_vendor(cpuinfo))
		b->x86 = "proc/cpuinfo";
	else if (has_ioapic(&b->iomem))
		b->x86 = IOMEM_FILE;
	else if (tables.x86)
		b->x86 = TABLES;
	else
		b->x86 = intel_root(pci_of(b));
	if (!b->x86 || !is_paravirtual(b))
		return 0;
	b->x86 = NULL;
	return note_gap(
		b->machine, "sys/hypervisor/guest_type",
		"a paravirtual guest: its addresses of memory are not those of the machine");
}
