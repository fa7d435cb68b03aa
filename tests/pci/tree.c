/* SPDX-License-Identifier: BSD-2-Clause */
#include "tree.h"

#include "../support/test.h"

#include <stdlib.h>
#include <string.h>

static void *take(void *ctx, size_t size, size_t align)
{
	(void)ctx;
	return align <= 16 ? malloc(size) : aligned_alloc(align, (size + align - 1) & ~(align - 1));
}

static void give(void *ctx, void *mem, size_t size, size_t align)
{
	(void)ctx;
	(void)size;
	(void)align;
	free(mem);
}

const struct busway_allocator tree_memory = {.alloc = take, .free = give};

/* ---- by hand ---- */

struct busway_pci_function *tree_add(struct tree *tree, enum busway_pci_type type, uint8_t bus,
				     uint8_t devfn)
{
	struct busway_pci_function *f = &tree->functions[tree->count++];

	assert_true(tree->count <= TREE_FUNCTIONS);
	*f = (struct busway_pci_function){
		.at = {0, bus, devfn},
		.vendor = 0x1af4,
		.device = 0x1000,
		.type = type,
		.config_size = 4096,
		.has_command = true,
		.memory_decode = true,
		.bus_master = true,
		.acs = {.known = BUSWAY_ABSENT},
		.ats = BUSWAY_ABSENT,
	};
	return f;
}

struct busway_pci_function *tree_bridge(struct tree *tree, enum busway_pci_type type, uint8_t bus,
					uint8_t devfn, uint8_t secondary, uint8_t subordinate,
					uint64_t base, uint64_t size)
{
	struct busway_pci_function *f = tree_add(tree, type, bus, devfn);

	f->bridge.primary = bus;
	f->bridge.secondary = secondary;
	f->bridge.subordinate = subordinate;
	f->bridge.memory_open = size != 0;
	f->bridge.memory = (struct busway_range){base, base + size - 1};
	f->has_port_number = true;
	f->port_number = devfn >> 3;
	return f;
}

void tree_bar(struct busway_pci_function *f, unsigned index, uint64_t base, uint64_t size)
{
	f->bars[index] = (struct busway_pci_bar){
		.kind = base >> 32 ? BUSWAY_BAR_MEM64 : BUSWAY_BAR_MEM32,
		.assigned = true,
		.sized = true,
		.has_cpu = true,
		.bus = {base, base + size - 1},
		.cpu = {base},
	};
}

void tree_acs(struct busway_pci_function *f, uint16_t capability, uint16_t control)
{
	f->acs = (struct busway_pci_acs){
		.known = BUSWAY_PRESENT, .capability = capability, .control = control};
	if (capability & BUSWAY_ACS_EC)
		f->acs.egress_count = 32;
}

/* ---- by chance ---- */

#define MIB ((uint64_t)1 << 20)

struct grower {
	struct tree *tree;
	struct rng *rng;
	uint64_t offset;
	uint64_t memory, prefetch; /* where the next thing goes, on the bus */
	unsigned bus;              /* the next number */
	uint8_t root;
	unsigned depth;
	bool translated, ats, acs;
};

static bool chance(struct grower *g, unsigned percent)
{
	return rng_chance(g->rng, percent);
}

static void random_acs(struct grower *g, struct busway_pci_function *f, unsigned percent)
{
	static const uint16_t usual[] = {0, 0x1d, 0x5f, 0x04, 0x08, 0x0c, 0x10, 0x14, 0x30, 0x34};
	struct busway_pci_acs *acs = &f->acs;

	acs->known = BUSWAY_ABSENT;
	if (!g->acs || !chance(g, percent))
		return;
	acs->known = BUSWAY_PRESENT;
	acs->capability = chance(g, 60) ? 0x7f : (uint16_t)rng_below(g->rng, 128);
	acs->control = acs->capability & (chance(g, 50) ? usual[rng_below(g->rng, 10)]
							: (uint16_t)rng_below(g->rng, 128));
	if (chance(g, 70))
		acs->control &= (uint16_t)~BUSWAY_ACS_TB;
	if (!(acs->capability & BUSWAY_ACS_EC))
		return;
	acs->egress_count = chance(g, 90) ? 32 : 2;
	for (unsigned i = 0; i < 4; i++)
		acs->egress[i] = (uint8_t)rng_next(g->rng);
}

static void random_bar(struct grower *g, struct busway_pci_function *f, unsigned index)
{
	const bool prefetch = chance(g, 30);
	uint64_t *next = prefetch ? &g->prefetch : &g->memory;
	const uint64_t size = (uint64_t)64 << rng_below(g->rng, 9);
	struct busway_pci_bar *bar = &f->bars[index];

	*next = (*next + size - 1) & ~(size - 1);
	*bar = (struct busway_pci_bar){
		.kind = prefetch ? BUSWAY_BAR_MEM64 : BUSWAY_BAR_MEM32,
		.prefetchable = prefetch,
		.assigned = true,
		.sized = true,
		.has_cpu = true,
		.bus = {*next, *next + size - 1},
		.cpu = {*next + g->offset},
	};
	*next += size;
}

static struct busway_pci_function *add(struct grower *g, enum busway_pci_type type, unsigned bus,
				       unsigned devfn)
{
	struct busway_pci_function *f = tree_add(g->tree, type, (uint8_t)bus, (uint8_t)devfn);

	f->has_root_bus = true;
	f->root_bus = g->root;
	if (chance(g, 2))
		f->bus_master = false;
	if (chance(g, 2))
		f->memory_decode = false;
	return f;
}

static struct busway_pci_function *endpoint(struct grower *g, enum busway_pci_type type,
					    unsigned bus, unsigned devfn, bool several)
{
	struct busway_pci_function *f = add(g, type, bus, devfn);

	random_bar(g, f, 0);
	if (chance(g, 20))
		random_bar(g, f, 2);
	f->multifunction = several;
	f->translated = g->translated && chance(g, 80);
	if (several && type != BUSWAY_PCI_CONVENTIONAL)
		random_acs(g, f, 60);
	if (g->ats && type == BUSWAY_PCI_ENDPOINT) {
		f->ats = BUSWAY_PRESENT;
		f->ats_enabled = chance(g, 60);
	}
	return f;
}

static void populate(struct grower *g, enum busway_pci_type above, unsigned bus);

static bool has_room(const struct grower *g)
{
	return g->tree->count < TREE_FUNCTIONS - 40 && g->bus < 240;
}

/* A bridge and all that is below it. */
static void bridge(struct grower *g, enum busway_pci_type type, unsigned bus, unsigned devfn)
{
	const size_t index = g->tree->count;
	struct busway_pci_function *f = add(g, type, bus, devfn);
	struct busway_pci_bridge *b = &f->bridge;
	uint64_t memory, prefetch;

	f->has_port_number = type <= BUSWAY_PCI_DOWNSTREAM_PORT && chance(g, 97);
	f->port_number = (uint8_t)(devfn >> 3);
	if (type == BUSWAY_PCI_ROOT_PORT || type == BUSWAY_PCI_DOWNSTREAM_PORT)
		random_acs(g, f, 75);
	b->primary = (uint8_t)bus;
	b->secondary = (uint8_t)g->bus++;
	memory = g->memory = (g->memory + MIB - 1) & ~(MIB - 1);
	prefetch = g->prefetch = (g->prefetch + MIB - 1) & ~(MIB - 1);
	g->depth++;
	populate(g, type, b->secondary);
	g->depth--;
	g->memory = (g->memory + MIB - 1) & ~(MIB - 1);
	g->prefetch = (g->prefetch + MIB - 1) & ~(MIB - 1);
	b = &g->tree->functions[index].bridge;
	b->subordinate = (uint8_t)(g->bus - 1);
	b->memory_open = g->memory > memory;
	b->memory = (struct busway_range){memory, g->memory - 1};
	b->prefetch_open = g->prefetch > prefetch;
	b->prefetch = (struct busway_range){prefetch, g->prefetch - 1};
}

static void virtual_functions(struct grower *g, size_t physical, unsigned bus)
{
	const unsigned count = 1 + (unsigned)rng_below(g->rng, 3);
	const bool far = chance(g, 40); /* on a bus number of their own */

	if (far)
		bus = g->bus++;
	for (unsigned i = 0; i < count; i++) {
		struct busway_pci_function *f =
			endpoint(g, BUSWAY_PCI_ENDPOINT, bus, far ? i : 8 + i, true);

		f->is_virtual = true;
		f->physical = g->tree->functions[physical].at;
		f->memory_decode = false;
		f->bus_master = true;
	}
}

static void device_on_link(struct grower *g, unsigned bus)
{
	const unsigned kind = (unsigned)rng_below(g->rng, 10);

	if (kind < 4 && g->depth < 5 && has_room(g)) { /* a switch */
		const bool several = chance(g, 20);

		bridge(g, BUSWAY_PCI_UPSTREAM_PORT, bus, 0);
		if (several) {
			for (size_t i = 0; i < g->tree->count; i++)
				if (g->tree->functions[i].at.bus == bus)
					random_acs(g, &g->tree->functions[i], 60);
			endpoint(g, BUSWAY_PCI_ENDPOINT, bus, 1, true);
		}
	} else if (kind == 4 && g->depth < 5 && has_room(g)) {
		bridge(g, BUSWAY_PCI_PCIE_TO_PCI, bus, 0);
	} else {
		const size_t first = g->tree->count;
		const unsigned count = chance(g, 40) ? 2 + (unsigned)rng_below(g->rng, 2) : 1;
		const bool sriov = chance(g, 15);

		for (unsigned i = 0; i < count; i++)
			endpoint(g, BUSWAY_PCI_ENDPOINT, bus, i, count > 1 || sriov);
		if (sriov)
			virtual_functions(g, first, bus);
	}
}

static void populate(struct grower *g, enum busway_pci_type above, unsigned bus)
{
	const unsigned many = 1 + (unsigned)rng_below(g->rng, 3);

	switch (above) {
	case BUSWAY_PCI_UPSTREAM_PORT:
		for (unsigned i = 0; i < many; i++)
			bridge(g, BUSWAY_PCI_DOWNSTREAM_PORT, bus, i << 3);
		break;
	case BUSWAY_PCI_PCIE_TO_PCI:
	case BUSWAY_PCI_CONVENTIONAL_BRIDGE:
		for (unsigned i = 0; i < many; i++)
			endpoint(g, BUSWAY_PCI_CONVENTIONAL, bus, i << 3, false);
		if (chance(g, 30) && g->depth < 5 && has_room(g))
			bridge(g, BUSWAY_PCI_CONVENTIONAL_BRIDGE, bus, 6 << 3);
		if (chance(g, 30) && g->depth < 5 && has_room(g))
			bridge(g, BUSWAY_PCI_PCI_TO_PCIE, bus, 7 << 3);
		break;
	default:
		device_on_link(g, bus);
	}
}

static void populate_root(struct grower *g, unsigned bus)
{
	static const uint16_t known[] = {0x2030, 0x3c00, 0x29c0, 0x29c0};
	const unsigned ports = 1 + (unsigned)rng_below(g->rng, 3);
	struct busway_pci_function *f = endpoint(g, BUSWAY_PCI_ROOT_ENDPOINT, bus, 0, false);

	f->vendor = 0x8086;
	f->device = known[rng_below(g->rng, 4)];
	for (unsigned i = 0; i < ports; i++)
		bridge(g, BUSWAY_PCI_ROOT_PORT, bus, (1 + i) << 3);
	if (chance(g, 30)) {
		endpoint(g, BUSWAY_PCI_ROOT_ENDPOINT, bus, 8 << 3, true);
		endpoint(g, BUSWAY_PCI_ROOT_ENDPOINT, bus, 8 << 3 | 1, true);
	}
	if (chance(g, 30))
		endpoint(g, BUSWAY_PCI_CONVENTIONAL, bus, 9 << 3, false);
	if (chance(g, 20))
		bridge(g, BUSWAY_PCI_CONVENTIONAL_BRIDGE, bus, 10 << 3);
}

static void add_host(struct grower *g, unsigned index)
{
	struct tree *tree = g->tree;
	struct busway_pci_host *host = &tree->hosts[tree->host_count];
	struct busway_outbound *w = tree->windows[tree->host_count];
	static const char *const names[] = {"pciA", "pciB", "pciC", "pciD"};
	/* on the bus at the same place, for the CPU elsewhere; or 1:1 */
	const uint64_t cpu = (uint64_t)(index + 1) << 36;

	g->offset = chance(g, 40) ? cpu - ((uint64_t)1 << 30) : 0;
	g->memory = cpu - g->offset;
	g->prefetch = g->memory + ((uint64_t)1 << 32);
	for (unsigned i = 0; i < 2; i++)
		w[i] = (struct busway_outbound){
			.kind = BUSWAY_OUTBOUND_MEM64,
			.has_cpu = true,
			.bus = {g->memory + ((uint64_t)i << 32),
				g->memory + ((uint64_t)i << 32) + ((uint64_t)1 << 32) - 1},
			.cpu = {cpu + ((uint64_t)i << 32)},
		};
	*host = (struct busway_pci_host){
		.name = names[index],
		.root_bus = (uint8_t)g->bus,
		.windows = w,
		.window_count = 2,
		.windows_known = true,
	};
	tree->offsets[tree->host_count++] = g->offset;
	g->root = (uint8_t)g->bus++;
	populate_root(g, g->root);
}

/* ---- things that are wrong ---- */

static struct busway_range *some_window(struct busway_pci_function *f, struct rng *rng)
{
	return rng_chance(rng, 60) ? &f->bridge.memory : &f->bridge.prefetch;
}

static void damage(struct tree *tree, struct rng *rng)
{
	struct busway_pci_function *f = &tree->functions[rng_below(rng, tree->count)];
	const struct busway_pci_function *other = &tree->functions[rng_below(rng, tree->count)];
	struct busway_range *w = some_window(f, rng);

	if (!busway_pci_is_bridge(f->type)) {
		/* where another one has a BAR already, or just beside it */
		const struct busway_pci_bar *theirs = &other->bars[0];
		struct busway_pci_bar *bar = &f->bars[0];

		if (bar->kind == BUSWAY_BAR_NONE || theirs->kind == BUSWAY_BAR_NONE)
			return;
		bar->cpu.raw += theirs->bus.first - bar->bus.first;
		bar->bus = rng_chance(rng, 50) ? theirs->bus
					       : (struct busway_range){theirs->bus.first,
								       theirs->bus.first + 63};
		return;
	}
	switch (rng_below(rng, 5)) {
	case 0:
		f->bridge.memory_open = false;
		break;
	case 1:
		f->bridge.prefetch_open = false;
		break;
	case 2: /* longer than it should be */
		w->last += MIB << rng_below(rng, 6);
		break;
	case 3: /* from further down */
		w->first -= MIB;
		break;
	case 4:
		if (other->bars[0].kind != BUSWAY_BAR_NONE)
			tree_bar(f, 0, other->bars[0].bus.first, 64);
		break;
	}
}

/* ---- what no register says ---- */

/* As the facts about chips have it; of others chance decides. */
static void decide_forwarding(struct tree *tree, struct rng *rng)
{
	for (size_t a = 0; a < tree->host_count; a++)
		for (size_t b = 0; b < tree->host_count; b++)
			tree->forwards[a][b] = rng_chance(rng, 50);
}

void tree_random(struct tree *tree, struct rng *rng)
{
	struct grower g = {.tree = tree,
			   .rng = rng,
			   .translated = rng_chance(rng, 40),
			   .ats = rng_chance(rng, 30),
			   .acs = rng_chance(rng, 85)};
	const unsigned hosts = 1 + (unsigned)rng_below(rng, 3);

	*tree = (struct tree){0};
	for (unsigned i = 0; i < hosts && has_room(&g); i++)
		add_host(&g, i);
	if (rng_chance(rng, 40))
		for (uint64_t i = rng_below(rng, 4); i > 0; i--)
			damage(tree, rng);
	decide_forwarding(tree, rng);
	for (size_t i = 0; i < TREE_FUNCTIONS; i++)
		tree->carries[i] = rng_chance(rng, 50);
}

/* ---- what is seen ---- */

static void hide_capabilities(struct busway_pci_function *f, uint16_t size)
{
	f->config_size = size;
	f->acs = (struct busway_pci_acs){.known = BUSWAY_UNKNOWN};
	f->ats = BUSWAY_UNKNOWN;
	f->ats_enabled = false;
	if (size > 64)
		return;
	f->has_port_number = false;
	f->type = busway_pci_is_bridge(f->type) ? BUSWAY_PCI_UNKNOWN_BRIDGE : BUSWAY_PCI_UNKNOWN;
}

void tree_hide(struct tree *tree, struct rng *rng)
{
	const unsigned percent = rng_chance(rng, 50) ? 100 : 15;

	for (size_t i = 0; i < tree->count; i++) {
		struct busway_pci_function *f = &tree->functions[i];

		if (rng_chance(rng, percent))
			hide_capabilities(f, rng_chance(rng, 50) ? 64 : 256);
		for (unsigned k = 0; k < BUSWAY_PCI_BARS; k++)
			if (rng_chance(rng, 10))
				f->bars[k].has_cpu = false;
	}
	for (size_t i = 0; i < tree->host_count; i++)
		if (rng_chance(rng, 30)) {
			tree->hosts[i].windows_known = false;
			tree->hosts[i].window_count = 0;
		}
}

void tree_enable(struct tree *tree)
{
	for (size_t i = 0; i < tree->count; i++)
		tree->functions[i].memory_decode = tree->functions[i].bus_master = true;
}

struct busway_pci *tree_seal(const struct tree *tree)
{
	struct busway_pci *pci;

	assert_int_equal(busway_pci_create(&tree_memory, &pci), 0);
	for (size_t i = 0; i < tree->host_count; i++) {
		struct busway_pci_host host = tree->hosts[i];

		host.windows = host.window_count ? tree->windows[i] : NULL;
		assert_int_equal(busway_pci_add_host(pci, &host), 0);
	}
	for (size_t i = 0; i < tree->count; i++)
		assert_int_equal(busway_pci_add_function(pci, &tree->functions[i]), 0);
	assert_int_equal(busway_pci_seal(pci), 0);
	return pci;
}
