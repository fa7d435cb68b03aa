/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * system_fdt.c - host bridges that a device tree describes: its windows limit their functions.
 *
 * Which node is which host bridge? The one that sysfs links; else the one that states the domain
 * and has the root bus; else the only one; else the one whose outbound windows hold the BARs.
 */
#include "system_platform.h"

#include <busway/fdt.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FDT_FILE "sys/firmware/fdt"

static const struct busway_device *device_at(const struct building *b, uint32_t index)
{
	return busway_platform_device(b->machine->platform, (busway_device_id){index});
}

static bool is_host(const struct busway_device *d)
{
	return (d->kind == BUSWAY_DEVICE_PCIE_HOST || d->kind == BUSWAY_DEVICE_PCI_HOST) &&
	       !d->is_bridge_itself && d->enabled;
}

/* Some BAR of the host bridge @host, or all of them, in the outbound windows of @d? */
struct fit {
	size_t inside, outside;
};

static bool holds(const struct busway_device *d, const struct busway_pci_bar *bar)
{
	for (size_t i = 0; i < d->outbound_count; i++) {
		const struct busway_outbound *o = &d->outbound[i];

		if (o->kind != BUSWAY_OUTBOUND_IO && busway_range_within(bar->bus, o->bus) &&
		    (!o->has_cpu || !bar->has_cpu ||
		     bar->cpu.raw - bar->bus.first == o->cpu.raw - o->bus.first))
			return true;
	}
	return false;
}

static struct fit fit_of(const struct building *b, uint32_t host, const struct busway_device *d)
{
	const struct busway_pci *pci = pci_of(b);
	struct fit fit = {0};

	for (uint32_t i = 0; i < busway_pci_count(pci); i++) {
		const busway_pci_id id = {i};
		const struct busway_pci_function *f = busway_pci_function(pci, id);

		if (f->is_virtual || !f->config_size || busway_pci_host_of(pci, id).index != host)
			continue;
		for (size_t bar = 0; bar < BUSWAY_PCI_BARS; bar++) {
			if ((f->bars[bar].kind != BUSWAY_BAR_MEM32 &&
			     f->bars[bar].kind != BUSWAY_BAR_MEM64) ||
			    !f->bars[bar].assigned)
				continue;
			*(holds(d, &f->bars[bar]) ? &fit.inside : &fit.outside) += 1;
		}
	}
	return fit;
}

enum rule { BY_NODE, BY_DOMAIN, BY_BEING_THE_ONLY_ONE, BY_WINDOWS, RULES };

static bool matches(const struct building *b, uint32_t host, const struct busway_device *d,
		    enum rule rule)
{
	const struct busway_pci_host *h = busway_pci_host(pci_of(b), (busway_pci_host_id){host});
	struct fit fit;

	switch (rule) {
	case BY_NODE:
		return b->hosts[host].node && strcmp(b->hosts[host].node, d->name) == 0;
	case BY_DOMAIN:
		return d->has_domain && d->domain == h->domain &&
		       (!d->has_bus_range ||
			(d->first_bus <= h->root_bus && h->root_bus <= d->last_bus));
	case BY_BEING_THE_ONLY_ONE:
		fit = fit_of(b, host, d);
		return busway_pci_host_count(pci_of(b)) == 1 && !d->has_domain &&
		       (fit.inside || !fit.outside);
	case BY_WINDOWS:
	case RULES:
		break;
	}
	fit = fit_of(b, host, d);
	return fit.inside && !fit.outside;
}

/* The only device that a rule fits; false: none, or more than one. */
static bool match(const struct building *b, uint32_t host, enum rule rule, busway_device_id *out)
{
	const size_t count = busway_platform_device_count(b->machine->platform);
	size_t hits = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (!is_host(device_at(b, i)) || !matches(b, host, device_at(b, i), rule))
			continue;
		*out = (busway_device_id){i};
		hits++;
	}
	return hits == 1;
}

/* BARs outside the windows of the node: it is that of the host bridge, but does not tell all. */
static int check_fit(struct building *b, uint32_t host, const struct busway_device *d)
{
	const struct fit fit = fit_of(b, host, d);
	char text[256];

	if (!fit.outside)
		return 0;
	snprintf(text, sizeof(text),
		 "%.120s: %zu of %zu BARs do not lie in its windows as ranges has them", d->name,
		 fit.outside, fit.inside + fit.outside);
	return note_gap(b->machine, FDT_FILE, text);
}

static int join_host(struct building *b, uint32_t host)
{
	struct host_facts *facts = &b->hosts[host];
	const struct busway_device *d;

	for (int rule = BY_NODE; rule < RULES && !facts->has_device; rule++)
		facts->has_device = match(b, host, (enum rule)rule, &facts->device);
	if (!facts->has_device)
		return 0;
	d = busway_platform_device(b->machine->platform, facts->device);
	if (busway_pci_join_windows(b->machine->pci, (busway_pci_host_id){host}, d->outbound,
				    d->outbound_count))
		return -BUSWAY_EINVAL;
	return check_fit(b, host, d);
}

/* ACPI machines have an almost empty tree, too: that is none of theirs. */
static bool has_hosts(const struct building *b)
{
	for (uint32_t i = 0; i < busway_platform_device_count(b->machine->platform); i++)
		if (is_host(device_at(b, i)))
			return true;
	return false;
}

static int complain_of_strangers(struct building *b)
{
	const size_t count = has_hosts(b) ? busway_pci_host_count(pci_of(b)) : 0;
	char text[256];
	int status = 0;

	for (uint32_t i = 0; i < count && !status; i++) {
		if (b->hosts[i].has_device)
			continue;
		snprintf(text, sizeof(text),
			 "no host bridge in the device tree is %.40s: what its functions reach is "
			 "unknown",
			 busway_pci_host(pci_of(b), (busway_pci_host_id){i})->name);
		status = note_gap(b->machine, FDT_FILE, text);
	}
	return status;
}

static int join_hosts(struct building *b)
{
	const size_t count = busway_pci_host_count(pci_of(b));
	size_t joined = 0;
	int status = 0;

	for (uint32_t i = 0; i < count && !status; i++) {
		status = join_host(b, i);
		joined += b->hosts[i].has_device;
	}
	if (!status)
		status = complain_of_strangers(b);
	if (joined || status)
		return status;
	b->machine->tree = NULL;
	b->machine->tree_size = 0;
	busway_platform_destroy(b->machine->platform);
	b->machine->platform = NULL;
	return 0;
}

int import_tree(struct building *b)
{
	struct busway_fdt_error error;
	char probe, text[600];
	size_t size = 0;
	const long there = file_read(b->files, FDT_FILE, &probe, 1);
	const char *blob;
	int status;

	if (there == -ENOENT || there == -ENOTDIR)
		return 0;
	blob = there > 0 ? read_whole(b, &b->machine->arena, FDT_FILE, &size) : NULL;
	if (b->machine->arena.failed)
		return -BUSWAY_ENOMEM;
	if (!blob)
		return note_gap(b->machine, FDT_FILE,
				"cannot be read: what the device tree says of host bridges is "
				"unknown");
	status = busway_fdt_import(blob, size, BUSWAY_FDT_ALL_NODES, b->machine->arena.memory,
				   &b->machine->platform, &error);
	b->machine->tree = status ? NULL : blob;
	b->machine->tree_size = status ? 0 : size;
	if (!status)
		return join_hosts(b);
	b->machine->platform = NULL;
	if (status == -BUSWAY_ENOMEM)
		return status;
	snprintf(text, sizeof(text), "%s%s%s%s%s", error.node, error.node[0] ? ": " : "",
		 error.property, error.property[0] ? ": " : "", error.message);
	return note_gap(b->machine, FDT_FILE, text);
}
