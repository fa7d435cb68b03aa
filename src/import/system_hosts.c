/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * system_hosts.c - host bridges: their space, their apertures, and what comes up through them.
 */
#include "system_platform.h"

#include <stdio.h>
#include <string.h>

enum { PATH_SIZE = 512 };

#define DEVICES "sys/bus/pci/devices/"

static const struct busway_pci_host *host_at(const struct building *b, uint32_t index)
{
	return busway_pci_host(pci_of(b), (busway_pci_host_id){index});
}

/* ---- where sysfs has it ---- */

/* Cut "../../../devices/platform/x/pci0000:00/0000:00:01.0" behind the host bridge, in front of
 * the function: "devices/platform/x/pci0000:00". */
static char *cut_host(char *link)
{
	char *at = strstr(link, "devices/"), *end = strrchr(link, '/');
	const char *last;

	if (!at || !end || end < at)
		return NULL;
	*end = 0;
	last = strrchr(at, '/');
	return last && strncmp(last, "/pci", 4) == 0 ? at : NULL;
}

/* Where of_node leads: the path of a node, or NULL. */
static const char *node_of(struct building *b, const char *folder)
{
	static const char base[] = "/devicetree/base";
	char path[PATH_SIZE], link[PATH_SIZE];
	const char *hit;

	snprintf(path, sizeof(path), "%s/of_node", folder);
	if (file_link(b->files, path, link, sizeof(link)) < 0)
		return NULL;
	hit = strstr(link, base);
	return hit ? keep_text(b->machine, hit + sizeof(base) - 1) : NULL;
}

static int find_path(struct building *b, busway_pci_id function)
{
	struct host_facts *host = &b->hosts[busway_pci_host_of(pci_of(b), function).index];
	char path[PATH_SIZE], link[PATH_SIZE], *cut, *slash;

	if (host->path || busway_pci_some(busway_pci_above(pci_of(b), function)))
		return 0;
	snprintf(path, sizeof(path), DEVICES "%s", busway_pci_name(pci_of(b), function));
	if (file_link(b->files, path, link, sizeof(link)) < 0 || !(cut = cut_host(link)))
		return 0;
	snprintf(path, sizeof(path), "sys/%.500s", cut);
	host->path = keep_text(b->machine, path);
	host->node = node_of(b, path);
	slash = strrchr(path, '/');
	if (!host->node && slash) {
		*slash = 0;
		host->node = node_of(b, path);
	}
	return b->machine->arena.failed ? -BUSWAY_ENOMEM : 0;
}

int find_host_paths(struct building *b)
{
	const size_t count = busway_pci_host_count(pci_of(b));
	int status = 0;

	b->hosts =
		arena_take(&b->work, (count + 1) * sizeof(*b->hosts), _Alignof(struct host_facts));
	if (!b->hosts)
		return -BUSWAY_ENOMEM;
	memset(b->hosts, 0, (count + 1) * sizeof(*b->hosts));
	for (uint32_t i = 0; i < busway_pci_count(pci_of(b)) && !status; i++)
		status = find_path(b, (busway_pci_id){i});
	return status;
}

/* ---- its windows, as proc/iomem has them ---- */

/* Is @name the last part of @path? */
static bool ends_in(const char *path, const char *name)
{
	const char *last = path ? strrchr(path, '/') : NULL;

	return last && strcmp(last + 1, name) == 0;
}

/* The folder that holds pci0000:00 is that of a platform device, if it is one. */
static bool is_platform_device(const char *path, const char *name)
{
	const char *at = path ? strrchr(path, '/') : NULL;
	const size_t length = strlen(name);

	return at && (size_t)(at - path) > length && at[-(ptrdiff_t)length - 1] == '/' &&
	       strncmp(at - length, name, length) == 0;
}

static bool is_window_of(const struct building *b, uint32_t host, const struct iomem_entry *entry)
{
	const struct busway_pci_host *h = host_at(b, host);
	const struct host_facts *facts = &b->hosts[host];
	char name[32];

	snprintf(name, sizeof(name), "PCI Bus %04x:%02x", (unsigned)h->domain,
		 (unsigned)h->root_bus);
	return strcmp(entry->name, name) == 0 || ends_in(facts->node, entry->name) ||
	       is_platform_device(facts->path, entry->name);
}

static struct busway_outbound outbound(struct busway_range bus, uint64_t cpu)
{
	return (struct busway_outbound){
		.kind = bus.last >> 32 ? BUSWAY_OUTBOUND_MEM64 : BUSWAY_OUTBOUND_MEM32,
		.has_cpu = true,
		.bus = bus,
		.cpu = busway_phys(cpu),
	};
}

static int find_windows_of(struct building *b, uint32_t host)
{
	struct host_facts *facts = &b->hosts[host];
	bool all = true;
	int status = 0;

	facts->windows =
		arena_take(&b->machine->arena, (b->iomem.count + 1) * sizeof(*facts->windows),
			   _Alignof(struct busway_outbound));
	if (!facts->windows)
		return -BUSWAY_ENOMEM;
	for (size_t i = 0; i < b->iomem.count && !status; i++) {
		const struct iomem_entry *entry = &b->iomem.entries[i];
		struct busway_range bus;

		if (!is_window_of(b, host, entry))
			continue;
		if (bus_of_window(b, host, entry->range, &bus, &status))
			facts->windows[facts->window_count++] = outbound(bus, entry->range.first);
		else
			all = false;
	}
	if (status || !all || !facts->window_count)
		return status;
	return busway_pci_join_windows(b->machine->pci, (busway_pci_host_id){host}, facts->windows,
				       facts->window_count);
}

int find_host_windows(struct building *b)
{
	int status = 0;

	for (uint32_t i = 0; b->iomem.known && i < busway_pci_host_count(pci_of(b)) && !status; i++)
		status = find_windows_of(b, i);
	return status;
}

/* ---- its space ---- */

static int add_aperture(struct building *b, busway_space_id space, const char *name,
			struct busway_range bus, const busway_phys_t *cpu)
{
	const struct busway_region region = {
		.space = space,
		.range = bus,
		.kind = BUSWAY_REGION_APERTURE,
		.access = BUSWAY_READ_WRITE,
		.name = name,
	};
	struct busway_window window = {
		.from = BUSWAY_CPU_SPACE,
		.to = space,
		.out = {bus.first},
		.access = BUSWAY_READ_WRITE,
		.name = name,
		.entry = UINT32_MAX,
	};
	int status = busway_platform_add_region(b->machine->platform, &region);

	if (status || !cpu || busway_range_span(bus) > UINT64_MAX - cpu->raw)
		return status;
	window.in = (struct busway_range){cpu->raw, cpu->raw + busway_range_span(bus)};
	return busway_platform_add_window(b->machine->platform, &window);
}

static bool is_covered(const struct host_facts *host, struct busway_range bus)
{
	for (size_t i = 0; i < host->window_count; i++)
		if (busway_range_within(bus, host->windows[i].bus))
			return true;
	return false;
}

/* All that a BAR may answer to: one of unknown size is as large as its base is aligned, at most
 * (PCI Local Bus 3.0, 6.2.5.1). */
static struct busway_range most_of(const struct busway_pci_bar *bar)
{
	struct busway_range range = bar->bus;

	if (!bar->sized)
		range.last |= (range.first & (~range.first + 1)) - 1;
	return range;
}

/* A BAR that lies in no window that is known: it answers nevertheless. */
static int add_stray_bars(struct building *b, busway_space_id space, uint32_t host,
			  busway_pci_id id)
{
	const struct busway_pci_function *f = busway_pci_function(pci_of(b), id);
	int status = 0;

	/* of a virtual function only the CPU's side is told */
	for (size_t i = 0; (f->config_size || b->x86) && i < BUSWAY_PCI_BARS && !status; i++) {
		const struct busway_pci_bar *bar = &f->bars[i];

		if (busway_bar_is_memory(bar) && !is_covered(&b->hosts[host], bar->bus))
			status = add_aperture(b, space, busway_pci_name(pci_of(b), id),
					      most_of(bar), bar->has_cpu ? &bar->cpu : NULL);
	}
	return status;
}

/* And what a bridge on the root bus passes down. */
static int add_stray_bridge(struct building *b, busway_space_id space, uint32_t host,
			    busway_pci_id id)
{
	const struct busway_pci_function *f = busway_pci_function(pci_of(b), id);
	const struct busway_pci_bridge *bridge = &f->bridge;
	const char *name = busway_pci_name(pci_of(b), id);
	int status = 0;

	if (!busway_pci_is_bridge(f->type) || busway_pci_some(busway_pci_above(pci_of(b), id)))
		return 0;
	if (bridge->memory_open && !is_covered(&b->hosts[host], bridge->memory))
		status = add_aperture(b, space, name, bridge->memory, NULL);
	if (!status && bridge->prefetch_open && !is_covered(&b->hosts[host], bridge->prefetch))
		status = add_aperture(b, space, name, bridge->prefetch, NULL);
	return status;
}

static int add_apertures(struct building *b, uint32_t host, busway_space_id space)
{
	const struct host_facts *facts = &b->hosts[host];
	int status = 0;

	for (size_t i = 0; i < facts->window_count && !status; i++)
		status = add_aperture(b, space, host_at(b, host)->name, facts->windows[i].bus,
				      &facts->windows[i].cpu);
	for (uint32_t i = 0; i < busway_pci_count(pci_of(b)) && !status; i++) {
		const busway_pci_id id = {i};

		if (busway_pci_host_of(pci_of(b), id).index != host)
			continue;
		status = add_stray_bars(b, space, host, id);
		if (!status)
			status = add_stray_bridge(b, space, host, id);
	}
	return status;
}

/* Of an x86 machine, addresses from below are the CPU's; of others nothing is said. */
static int add_space(struct building *b, uint32_t host, struct busway_dma_view *view)
{
	const char *name = host_at(b, host)->name;
	const struct busway_space space = {
		.name = name, .kind = BUSWAY_SPACE_PCI, .untranslatable = !b->x86};
	struct busway_window window = {
		.to = BUSWAY_CPU_SPACE,
		.in = BUSWAY_RANGE_ALL,
		.access = BUSWAY_READ_WRITE,
		.name = name,
		.entry = UINT32_MAX,
	};
	int status = busway_platform_add_space(b->machine->platform, &space, &window.from);

	if (status)
		return status;
	*view = (struct busway_dma_view){
		.enters = window.from,
		.restricted = !b->x86,
		.source = b->x86 ? NULL : name,
		.notes = b->x86 ? system_note(b, BUSWAY_NOTE_ROOT_COMPLEX, name, b->x86, NULL)
				: system_note(b, BUSWAY_NOTE_INBOUND_UNKNOWN, name, "-", NULL),
	};
	if (!view->notes)
		return -BUSWAY_ENOMEM;
	return b->x86 ? busway_platform_add_window(b->machine->platform, &window) : 0;
}

/* ---- the device ---- */

static bool is_express(enum busway_pci_type type)
{
	return type == BUSWAY_PCI_ROOT_PORT || type == BUSWAY_PCI_ROOT_ENDPOINT ||
	       type == BUSWAY_PCI_ENDPOINT || type == BUSWAY_PCI_EVENT_COLLECTOR;
}

/* Its buses, and whether it is PCI Express, as its functions show. */
static void look_below(const struct building *b, uint32_t host, struct busway_device *device)
{
	for (uint32_t i = 0; i < busway_pci_count(pci_of(b)); i++) {
		const busway_pci_id id = {i};
		const struct busway_pci_function *f = busway_pci_function(pci_of(b), id);

		if (busway_pci_host_of(pci_of(b), id).index != host)
			continue;
		if (f->at.bus > device->last_bus)
			device->last_bus = f->at.bus;
		if (busway_pci_is_bridge(f->type) && f->bridge.subordinate > device->last_bus)
			device->last_bus = f->bridge.subordinate;
		if (is_express(f->type))
			device->kind = BUSWAY_DEVICE_PCIE_HOST;
		device->behind_iommu |= system_translated(b, id, false) != BUSWAY_ABSENT;
	}
	device->translated_always = device->behind_iommu;
}

static int add_host(struct building *b, uint32_t host)
{
	const struct busway_pci_host *h = host_at(b, host);
	struct host_facts *facts = &b->hosts[host];
	struct busway_device device = {
		.name = h->name,
		.kind = BUSWAY_DEVICE_PCI_HOST,
		.enabled = true,
		.likely_master = true,
		.coherence = b->x86 ? BUSWAY_COHERENT : BUSWAY_COHERENCE_DEFAULT,
		.emission = busway_emission_mask(64),
		.has_domain = true,
		.domain = h->domain,
		.has_bus_range = true,
		.first_bus = h->root_bus,
		.last_bus = h->root_bus,
		.own = BUSWAY_NO_DEVICE,
		.outbound = facts->windows,
		.outbound_count = facts->window_count,
		.restricted_pool = UINT32_MAX,
	};
	int status = add_space(b, host, &device.dma);

	look_below(b, host, &device);
	if (!status && device.behind_iommu)
		status = take_host_reservations(b, host, &device);
	if (!status)
		status = add_apertures(b, host, device.dma.enters);
	if (!status)
		status = busway_platform_add_device(b->machine->platform, &device, &facts->device);
	facts->has_device = !status;
	return status;
}

int add_hosts(struct building *b)
{
	int status = 0;

	for (uint32_t i = 0; i < busway_pci_host_count(pci_of(b)) && !status; i++)
		status = add_host(b, i);
	return status;
}
