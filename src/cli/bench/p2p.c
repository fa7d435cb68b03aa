/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * p2p.c - p2p: peer-to-peer verdicts for all pairs of a large machine, and what it costs to
 * build one.
 *
 * Switches with 16 ports, and an endpoint of two functions below each; every third port redirects
 * requests. Or all of them on root buses, as in the processors of servers. The reference of a
 * verdict walks both ways up, each step of the one compared with all of the other, as p2pdma of
 * Linux does, and looks for redirecting bits; it looks at no windows.
 */
#include "bench.h"

#include <busway/p2p.h>

#include <stdlib.h>

enum {
	PORTS = 16,
	SWITCHES = 12, /* of a domain */
	BUSES = PORTS + 2,
	ROOT_BUS = 250, /* functions of one */
	NOBODY = -1,
	ISOLATION = BUSWAY_ACS_SV | BUSWAY_ACS_RR | BUSWAY_ACS_CR | BUSWAY_ACS_UF,
	REDIRECT = BUSWAY_ACS_RR | BUSWAY_ACS_CR | BUSWAY_ACS_EC,
};

/* What the reference walks. */
struct plain {
	int above;
	uint16_t control;
};

struct bench_p2p {
	unsigned wanted; /* endpoints */
	bool flat;       /* all on root buses */
	struct busway_pci_function *functions;
	size_t count, room;
	struct busway_pci *pci;
	busway_pci_id *ends;
	size_t end_count;
	struct plain *plain;
	size_t bytes; /* that are allocated at the moment */
	char what[128];
	struct busway_p2p_policy policy;
};

/* ---- the machine ---- */

static struct busway_pci_function *add(struct bench_p2p *b, unsigned domain, unsigned bus,
				       unsigned devfn, enum busway_pci_type type)
{
	struct busway_pci_function *f = &b->functions[b->count++];

	*f = (struct busway_pci_function){
		.at = {domain, (uint8_t)bus, (uint8_t)devfn},
		.type = type,
		.config_size = 4096,
		.has_command = true,
		.memory_decode = true,
		.bus_master = true,
		.acs.known = BUSWAY_ABSENT,
		.has_root_bus = bus == 0,
	};
	return f;
}

/* Addresses of switch @i begin here; each port has 1 MiB. */
static uint64_t base_of(unsigned i)
{
	return 0x80000000U + (uint64_t)i * PORTS * 0x100000;
}

static void set_bridge(struct busway_pci_function *f, unsigned first, unsigned last, uint64_t base,
		       uint64_t size)
{
	f->bridge = (struct busway_pci_bridge){
		.primary = f->at.bus,
		.secondary = (uint8_t)first,
		.subordinate = (uint8_t)last,
		.memory_open = true,
		.memory = {base, base + size - 1},
	};
}

static void set_acs(struct busway_pci_function *f, uint16_t control)
{
	f->acs = (struct busway_pci_acs){
		.known = BUSWAY_PRESENT, .capability = 0x5f, .control = control};
}

static void set_bar(struct busway_pci_function *f, uint64_t first, uint64_t size)
{
	f->bars[0] = (struct busway_pci_bar){
		.kind = BUSWAY_BAR_MEM32,
		.assigned = true,
		.sized = true,
		.has_cpu = true,
		.bus = {first, first + size - 1},
		.cpu = busway_phys(first),
	};
}

/* An endpoint of two functions. */
static void add_end(struct bench_p2p *b, unsigned domain, unsigned bus, uint64_t base)
{
	for (unsigned i = 0; i < 2; i++) {
		struct busway_pci_function *f = add(b, domain, bus, i, BUSWAY_PCI_ENDPOINT);

		f->multifunction = true;
		set_bar(f, base + i * 0x80000, 0x80000);
	}
}

static void add_switch(struct bench_p2p *b, unsigned domain, unsigned i)
{
	const unsigned bus = 1 + i * BUSES, last = bus + BUSES - 1;
	const uint64_t base = base_of(i), size = PORTS * 0x100000;
	struct busway_pci_function *f;

	f = add(b, domain, 0, (i + 1) << 3, BUSWAY_PCI_ROOT_PORT);
	set_bridge(f, bus, last, base, size);
	set_acs(f, 0);
	set_bridge(add(b, domain, bus, 0, BUSWAY_PCI_UPSTREAM_PORT), bus + 1, last, base, size);
	for (unsigned k = 0; k < PORTS; k++) {
		const uint64_t own = base + k * 0x100000;

		f = add(b, domain, bus + 1, k << 3, BUSWAY_PCI_DOWNSTREAM_PORT);
		set_bridge(f, bus + 2 + k, bus + 2 + k, own, 0x100000);
		set_acs(f, k % 3 ? 0 : ISOLATION);
		add_end(b, domain, bus + 2 + k, own);
	}
}

/* As many as fit on a root bus of its own. */
static void add_root_bus(struct bench_p2p *b, unsigned bus)
{
	for (unsigned i = 0; i < ROOT_BUS; i++) {
		struct busway_pci_function *f = add(b, 0, bus, i, BUSWAY_PCI_ROOT_ENDPOINT);

		set_bar(f, 0x80000000U + ((uint64_t)bus * ROOT_BUS + i) * 0x10000, 0x10000);
		f->has_root_bus = true;
		f->root_bus = (uint8_t)bus;
	}
}

static void *take(void *ctx, size_t size, size_t align)
{
	struct bench_p2p *b = ctx;

	(void)align; /* malloc's is enough for every type of the library */
	b->bytes += size;
	return malloc(size);
}

static void give_back(void *ctx, void *mem, size_t size, size_t align)
{
	struct bench_p2p *b = ctx;

	(void)align;
	if (mem)
		b->bytes -= size;
	free(mem);
}

/* @memory must outlive it. NULL: out of memory. */
static struct busway_pci *build(const struct bench_p2p *b, const struct busway_allocator *memory)
{
	struct busway_pci *pci;
	int status = busway_pci_create(memory, &pci);

	if (status)
		return NULL;
	for (size_t i = 0; i < b->count && !status; i++)
		status = busway_pci_add_function(pci, &b->functions[i]);
	if (!status)
		status = busway_pci_seal(pci);
	if (!status)
		return pci;
	busway_pci_destroy(pci);
	return NULL;
}

/* ---- the reference ---- */

static bool redirects(const struct plain *plain, int at, int end)
{
	for (; at != end; at = plain[at].above)
		if (plain[at].control & REDIRECT)
			return true;
	return false;
}

__attribute__((noinline)) static bool walk_chains(const struct plain *plain, int a, int b)
{
	for (int x = a; x != NOBODY; x = plain[x].above)
		for (int y = b; y != NOBODY; y = plain[y].above)
			if (x == y)
				return !redirects(plain, a, x) && !redirects(plain, b, x);
	return false;
}

static void run_walk(void *state, unsigned long operations)
{
	const struct bench_p2p *b = state;
	const unsigned long n = b->end_count;
	uint64_t sum = 0;

	for (unsigned long i = 0; i < operations; i++)
		sum += walk_chains(b->plain, (int)b->ends[i / n % n].index,
				   (int)b->ends[i % n].index);
	bench_sink += sum;
}

/* ---- what is measured ---- */

static void run_decide(void *state, unsigned long operations)
{
	const struct bench_p2p *b = state;
	const unsigned long n = b->end_count;
	uint64_t sum = 0;
	struct busway_p2p p;

	for (unsigned long i = 0; i < operations; i++) {
		busway_p2p_decide(b->pci, b->ends[i / n % n], b->ends[i % n], BUSWAY_P2P_ANY_BAR,
				  &b->policy, &p);
		sum += p.verdict;
	}
	bench_sink += sum;
}

static void run_build(void *state, unsigned long operations)
{
	const struct bench_p2p *b = state;

	for (unsigned long done = 0; done < operations; done += b->count) {
		struct busway_pci *pci = build(b, &cli_memory);

		bench_sink += pci ? busway_pci_host_count(pci) : 0;
		busway_pci_destroy(pci);
	}
}

static int compare(const void *a, const void *b)
{
	return busway_pci_address_compare(((const struct busway_pci_function *)a)->at,
					  ((const struct busway_pci_function *)b)->at);
}

/* The reference of building: the same functions, copied and sorted. */
static void run_sort(void *state, unsigned long operations)
{
	const struct bench_p2p *b = state;

	for (unsigned long done = 0; done < operations; done += b->count) {
		struct busway_pci_function *copy = malloc(b->count * sizeof(*copy));

		for (size_t i = 0; copy && i < b->count; i++)
			copy[i] = b->functions[i];
		if (copy)
			qsort(copy, b->count, sizeof(*copy), compare);
		bench_sink += copy ? copy[0].at.bus : 1;
		free(copy);
	}
}

/* ---- making it ---- */

static bool index_functions(struct bench_p2p *b)
{
	b->ends = calloc(b->count, sizeof(*b->ends));
	b->plain = calloc(b->count, sizeof(*b->plain));
	for (uint32_t i = 0; b->ends && b->plain && i < b->count; i++) {
		const busway_pci_id id = {i}, above = busway_pci_above(b->pci, id);
		const struct busway_pci_function *f = busway_pci_function(b->pci, id);

		b->plain[i] = (struct plain){busway_pci_some(above) ? (int)above.index : NOBODY,
					     f->acs.control};
		if (!busway_pci_is_bridge(f->type) && b->end_count < b->wanted)
			b->ends[b->end_count++] = id;
	}
	return b->ends && b->plain;
}

/* Not before it is chosen. */
static bool prepare(void *state)
{
	struct bench_p2p *b = state;
	const struct busway_allocator memory = {take, give_back, b};
	const unsigned switches = (b->wanted + 2 * PORTS - 1) / (2 * PORTS);
	const unsigned most = switches * (2 + 3 * PORTS) + b->wanted;

	b->functions = calloc(most, sizeof(*b->functions));
	for (unsigned i = 0; b->functions && b->flat && i < b->wanted / ROOT_BUS; i++)
		add_root_bus(b, i * 0x40);
	for (unsigned i = 0; b->functions && !b->flat && i < switches; i++)
		add_switch(b, i / SWITCHES, i % SWITCHES);
	b->pci = b->functions ? build(b, &memory) : NULL;
	if (!b->pci)
		return false;
	snprintf(b->what, sizeof(b->what),
		 "a function of %zu: add, seal, throw away; %zu bytes each while it lives",
		 b->count, b->bytes / b->count);
	busway_pci_destroy(b->pci);
	b->pci = build(b, &cli_memory);
	return b->pci && index_functions(b);
}

static bool add_one(struct workloads *workloads, struct bench_p2p *b, const char *name,
		    const char *what, void (*run)(void *, unsigned long),
		    void (*reference)(void *, unsigned long), const char *reference_what,
		    unsigned long batch)
{
	char reference_name[64];
	struct workload *w;

	snprintf(reference_name, sizeof(reference_name), "%s/%s", name,
		 reference == run_sort ? "sort" : "walk");
	w = add_workload(workloads, reference_name, reference_what, NULL, reference, b, batch);
	if (!w)
		return false;
	w = add_workload(workloads, name, what, w->name, run, b, batch);
	if (w)
		w->prepare = prepare;
	return w;
}

static const char walk_what[] = "walk up from both, compare each with each, look for redirects";

/* All pairs of so many under another policy. */
static bool add_policy(struct workloads *workloads, unsigned ends, const char *name,
		       const char *what, struct busway_p2p_policy policy, bool flat)
{
	struct bench_p2p *b = calloc(1, sizeof(*b));

	if (!b)
		return false;
	b->wanted = ends;
	b->policy = policy;
	b->flat = flat;
	return add_one(workloads, b, name, what, run_decide, run_walk, walk_what,
		       (unsigned long)ends * ends);
}

static bool add_size(struct workloads *workloads, unsigned ends)
{
	struct bench_p2p *pairs = calloc(2, sizeof(*pairs)), *seal = pairs + 1;
	char name[48];

	if (!pairs)
		return false;
	pairs->wanted = seal->wanted = ends;
	snprintf(name, sizeof(name), "p2p-%u", ends);
	if (!add_one(workloads, pairs, name, "a pair of all pairs of so many", run_decide, run_walk,
		     walk_what, (unsigned long)ends * ends))
		return false;
	snprintf(name, sizeof(name), "p2p-seal-%u", ends);
	return add_one(workloads, seal, name, seal->what, run_build, run_sort,
		       "copy and sort the same functions", 10UL * ends);
}

bool add_p2p_workloads(struct workloads *workloads)
{
	return add_size(workloads, 250) && add_size(workloads, 500) && add_size(workloads, 1000) &&
	       add_policy(workloads, 1000, "p2p-linux-1000", "the same, as Linux decides",
			  (struct busway_p2p_policy){.view = BUSWAY_P2P_LINUX}, false) &&
	       add_policy(workloads, 1000, "p2p-root-1000",
			  "the same, with a root complex that forwards",
			  (struct busway_p2p_policy){.cpu_zen = true}, false) &&
	       add_policy(workloads, 1000, "p2p-flat-1000",
			  "the same, all of them on four root buses",
			  (struct busway_p2p_policy){.cpu_zen = true}, true);
}
