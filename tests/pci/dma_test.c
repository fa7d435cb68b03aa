/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma_test.c - BARs of peers through the DMA API: what is mapped arrives in the fabric, and what
 * cannot arrive is refused.
 */
#include "tree.h"

#include "../support/test.h"

#include <busway/mapping.h>

#include <stdlib.h>
#include <string.h>

/* ---- a machine: a tree as a platform ---- */

struct scene {
	struct tree truth, seen;
	struct busway_pci *pci, *truth_pci;
	struct busway_pci_fabric *fabric;
	struct busway_platform *platform;
	struct busway_dma *dma;
	struct busway_p2p_policy policy;
	uint64_t inbound; /* what windows into the machine add */
	bool untrusted; /* all functions */
	busway_device_id devices[TREE_FUNCTIONS]; /* by the index of ->pci */
	struct busway_outbound outbound[TREE_HOSTS][2];
	struct busway_iova iova;
	struct busway_domain *domain;
	unsigned long told; /* times that the IOMMU was told to forget */
	struct busway_dma_device *device;
	struct busway_mapping mapping;
	struct busway_refusal why;
};

static void *no_pointer(void *ctx, struct busway_phys_range range)
{
	(void)ctx;
	(void)range;
	return NULL;
}

static bool forwards(void *ctx, busway_pci_host_id from, busway_pci_host_id to)
{
	(void)ctx;
	(void)from;
	(void)to;
	return true;
}

static bool carries(void *ctx, busway_pci_id function)
{
	const struct scene *s = ctx;

	return s->truth.carries[function.index];
}

static bool translate(void *ctx, busway_pci_id initiator, uint64_t address,
		      enum busway_access access, uint64_t *phys)
{
	const struct scene *s = ctx;
	struct busway_translation found;

	(void)initiator;
	if (!s->domain ||
	    !busway_pagetable_lookup(busway_domain_table(s->domain), (busway_dma_t){address},
				     &found) ||
	    !(found.prot & access))
		return false;
	*phys = found.phys.raw;
	return true;
}

static void add_window(struct scene *s, busway_space_id bus, const char *name,
		       struct busway_range in, uint64_t out)
{
	const struct busway_window window = {
		.from = bus,
		.to = BUSWAY_CPU_SPACE,
		.in = in,
		.out = {out},
		.access = BUSWAY_READ_WRITE,
		.name = name,
		.entry = UINT32_MAX,
	};

	assert_int_equal(busway_platform_add_window(s->platform, &window), 0);
}

static busway_space_id add_bus(struct scene *s, size_t host)
{
	const struct busway_pci_host *h = &s->truth.hosts[host];
	busway_space_id bus;
	busway_device_id id;

	assert_int_equal(busway_platform_add_space(
				 s->platform,
				 &(struct busway_space){.name = h->name, .kind = BUSWAY_SPACE_PCI},
				 &bus),
			 0);
	for (size_t i = 0; i < 2; i++) {
		s->outbound[host][i] = s->truth.windows[host][i];
		assert_int_equal(
			busway_platform_add_region(
				s->platform, &(struct busway_region){bus, s->outbound[host][i].bus,
								     BUSWAY_REGION_APERTURE,
								     BUSWAY_READ_WRITE, h->name}),
			0);
	}
	/* memory as it is; what lies above it moved */
	add_window(s, bus, h->name, (struct busway_range){0, 0x1fffffff}, 0);
	add_window(s, bus, h->name, (struct busway_range){0x20000000, ((uint64_t)1 << 48) - 1},
		   0x20000000 + s->inbound);
	assert_int_equal(busway_platform_add_device(s->platform,
						    &(struct busway_device){
							    .name = h->name,
							    .kind = BUSWAY_DEVICE_PCIE_HOST,
							    .enabled = true,
							    .dma = {.enters = bus},
							    .emission = busway_emission_mask(64),
							    .outbound = s->outbound[host],
							    .outbound_count = 2,
							    .restricted_pool = UINT32_MAX,
						    },
						    &id),
			 0);
	return bus;
}

static void add_devices(struct scene *s, const busway_space_id *buses)
{
	for (uint32_t i = 0; i < busway_pci_count(s->pci); i++) {
		const busway_pci_id function = {i};
		const struct busway_pci_function *f = busway_pci_function(s->pci, function);

		assert_int_equal(
			busway_platform_add_device(
				s->platform,
				&(struct busway_device){
					.name = busway_pci_name(s->pci, function),
					.kind = BUSWAY_DEVICE_PCI_FUNCTION,
					.enabled = true,
					.dma = {.enters = buses[busway_pci_host_of(s->pci, function)
									.index]},
					.emission = busway_emission_mask(64),
					.has_requester = true,
					.requester = (uint16_t)(f->at.bus << 8 | f->at.devfn),
					.behind_iommu = f->translated,
					.restricted_pool = UINT32_MAX,
					.untrusted = s->untrusted,
				},
				&s->devices[i]),
			0);
	}
}

static void make_platform(struct scene *s)
{
	const struct busway_range ram = {0x1000000, 0x1ffffff};
	busway_space_id buses[TREE_HOSTS];

	assert_int_equal(busway_platform_create(&tree_memory, &s->platform), 0);
	assert_int_equal(busway_platform_add_region(
				 s->platform,
				 &(struct busway_region){BUSWAY_CPU_SPACE, ram, BUSWAY_REGION_RAM,
							 BUSWAY_READ_WRITE, "ram"}),
			 0);
	assert_int_equal(
		busway_platform_add_bank(s->platform, &(struct busway_memory_bank){"ram", ram}), 0);
	for (size_t i = 0; i < s->truth.host_count; i++)
		buses[i] = add_bus(s, i);
	add_devices(s, buses);
	assert_int_equal(busway_platform_seal(s->platform), 0);
}

/* .truth and .seen are there. */
static void open(struct scene *s)
{
	const struct busway_pci_fabric_options options = {
		.ctx = s, .forwards = forwards, .carries = carries, .translate = translate};
	const struct busway_dma_environment environment = {.pointer = no_pointer};

	s->pci = tree_seal(&s->seen);
	tree_enable(&s->truth);
	s->truth_pci = tree_seal(&s->truth);
	assert_int_equal(busway_pci_fabric_create(s->truth_pci, &options, &tree_memory, &s->fabric),
			 0);
	make_platform(s);
	assert_int_equal(busway_dma_create(s->platform, &environment, &tree_memory, &s->dma), 0);
}

static void close(struct scene *s)
{
	assert_int_equal(busway_dma_destroy(s->dma), 0);
	busway_platform_destroy(s->platform);
	busway_pci_fabric_destroy(s->fabric);
	busway_pci_destroy(s->pci);
	busway_pci_destroy(s->truth_pci);
}

/* ---- an IOMMU ---- */

static void *table_alloc(void *ctx, size_t size, busway_phys_t *phys)
{
	void *table = aligned_alloc(size, size);

	(void)ctx;
	*phys = busway_phys((uint64_t)(uintptr_t)table);
	return table;
}

static void table_free(void *ctx, void *table, busway_phys_t phys, size_t size)
{
	(void)ctx;
	(void)phys;
	(void)size;
	free(table);
}

static void forget(void *ctx, const struct busway_invalidation *what)
{
	((struct scene *)ctx)->told++;
	(void)what;
}

static void make_domain(struct scene *s, uint32_t initiator)
{
	const struct busway_iova_member member = {s->devices[initiator], NULL};
	const struct busway_domain_options options = {
		.table = {.name = "/iommu",
			  .format = BUSWAY_VTD_SECOND,
			  .granule_lg2 = 12,
			  .input_bits = 39,
			  .output_bits = 52},
		.tables = {.alloc = table_alloc, .free = table_free},
		.allowed = &s->iova,
		.invalidate = forget,
		.ctx = s,
	};

	assert_int_equal(
		busway_iova_build_group(s->platform, &member, 1, NULL, 0, &tree_memory, &s->iova),
		0);
	assert_int_equal(busway_domain_create(&options, &tree_memory, &s->domain), 0);
}

static struct busway_lane *attach(struct scene *s, uint32_t initiator)
{
	struct busway_dma_options options = {.pci = s->pci, .peer_policy = &s->policy};

	if (busway_pci_function(s->pci, (busway_pci_id){initiator})->translated)
		make_domain(s, initiator);
	options.domain = s->domain;
	assert_int_equal(
		busway_dma_attach(s->dma, s->devices[initiator], &options, &s->device, &s->why), 0);
	assert_int_equal(busway_dma_set_mask(s->device, 64, NULL, &s->why), 0);
	return busway_dma_lane(s->device, 0);
}

static void detach(struct scene *s)
{
	assert_int_equal(busway_dma_detach(s->device), 0);
	if (!s->domain)
		return;
	assert_int_equal(busway_domain_destroy(s->domain), 0);
	busway_iova_free(&s->iova);
	s->domain = NULL;
}

/* ---- bytes ---- */

static const struct busway_pci_bar *bar_of(const struct scene *s, uint32_t target, unsigned bar)
{
	return &busway_pci_function(s->truth_pci, (busway_pci_id){target})->bars[bar];
}

static int map(struct scene *s, struct busway_lane *lane, uint32_t target, unsigned bar)
{
	const struct busway_pci_bar *b = bar_of(s, target, bar);
	const uint64_t first = b->cpu.raw + 16; /* some registers in the middle of it */

	return busway_map_peer(lane, (struct busway_phys_range){{first}, {first + 31}},
			       BUSWAY_BIDIRECTIONAL, &s->mapping, &s->why);
}

/* The bytes that the device writes are where they should be, and are what it reads. */
static void carry(struct scene *s, uint32_t initiator, uint32_t target, unsigned bar)
{
	struct busway_pci_outcome out;
	uint8_t sent[32], got[32], back[32];

	for (unsigned i = 0; i < 32; i++)
		sent[i] = (uint8_t)(i * 7 + initiator + target);
	if (busway_pci_fabric_write(s->fabric, (busway_pci_id){initiator}, s->mapping.dma.raw, sent,
				    32, &out) ||
	    busway_pci_fabric_read(s->fabric, (busway_pci_id){initiator}, s->mapping.dma.raw, back,
				   32, &out))
		fail_msg("%s -> %s: %s at %s",
			 busway_pci_name(s->truth_pci, (busway_pci_id){initiator}),
			 busway_pci_name(s->truth_pci, (busway_pci_id){target}),
			 busway_pci_end_code(out.end), busway_pci_name(s->truth_pci, out.function));
	busway_pci_fabric_look(s->fabric, (busway_pci_id){target}, bar, 16, got, 32);
	assert_memory_equal(got, sent, 32);
	assert_memory_equal(back, sent, 32);
}

/* ---- by hand ----
 *
 *   00:01.0 root port -- 01:00.0 switch -- 02:00.0 -- 03:00.0
 *                                       \- 02:01.0 -- 04:00.0 and 04:00.1
 *   00:02.0 root port -- 05:00.0
 */
enum { RP1, RP2, UP, DP0, DP1, A, B, B1, C };

#define MIB ((uint64_t)1 << 20)

static void draw(struct scene *s, uint64_t offset)
{
	struct tree *t = &s->truth;
	const uint64_t bus = 0x80000000;

	*s = (struct scene){0};
	tree_bridge(t, BUSWAY_PCI_ROOT_PORT, 0, 1 << 3, 1, 4, bus, 2 * MIB);
	tree_bridge(t, BUSWAY_PCI_ROOT_PORT, 0, 2 << 3, 5, 5, bus + 2 * MIB, MIB);
	tree_bridge(t, BUSWAY_PCI_UPSTREAM_PORT, 1, 0, 2, 4, bus, 2 * MIB);
	tree_bridge(t, BUSWAY_PCI_DOWNSTREAM_PORT, 2, 0, 3, 3, bus, MIB);
	tree_bridge(t, BUSWAY_PCI_DOWNSTREAM_PORT, 2, 1 << 3, 4, 4, bus + MIB, MIB);
	tree_bar(tree_add(t, BUSWAY_PCI_ENDPOINT, 3, 0), 0, bus, 4096);
	tree_bar(tree_add(t, BUSWAY_PCI_ENDPOINT, 4, 0), 0, bus + MIB, 4096);
	tree_bar(tree_add(t, BUSWAY_PCI_ENDPOINT, 4, 1), 0, bus + MIB + 4096, 4096);
	tree_bar(tree_add(t, BUSWAY_PCI_ENDPOINT, 5, 0), 0, bus + 2 * MIB, 4096);
	for (size_t i = 0; i < t->count; i++)
		t->functions[i].bars[0].cpu.raw += offset;
	for (size_t i = 0; i < 2; i++)
		t->windows[0][i] = (struct busway_outbound){
			.kind = BUSWAY_OUTBOUND_MEM32,
			.has_cpu = true,
			.bus = {bus + i * 16 * MIB, bus + (i + 1) * 16 * MIB - 1},
			.cpu = {bus + i * 16 * MIB + offset},
		};
	t->hosts[t->host_count++] = (struct busway_pci_host){.name = "pci0000:00",
							     .windows = t->windows[0],
							     .window_count = 2,
							     .windows_known = true};
}

/* What is drawn is seen, too. */
static struct busway_lane *begin(struct scene *s, uint32_t initiator)
{
	s->seen = s->truth;
	open(s);
	return attach(s, initiator);
}

static void end(struct scene *s)
{
	if (busway_dma_owner(s->device, s->mapping.dma) == &s->mapping)
		assert_int_equal(busway_unmap(&s->mapping), 0);
	detach(s);
	close(s);
}

static void below_one_switch_it_is_the_address_on_the_bus(void **state)
{
	static struct scene s;
	struct busway_lane *lane;

	(void)state;
	draw(&s, 0x4000000000); /* which is not the CPU's */
	lane = begin(&s, A);
	assert_int_equal(map(&s, lane, B, 0), 0);
	assert_int_equal(s.mapping.dma.raw, 0x80000000 + MIB + 16);
	assert_int_equal(s.mapping.way, BUSWAY_WAY_PEER);
	carry(&s, A, B, 0);
	end(&s);
}

static void below_one_switch_it_goes_past_the_iommu(void **state)
{
	static struct scene s;
	struct busway_lane *lane;

	(void)state;
	draw(&s, 0);
	s.truth.functions[A].translated = true;
	lane = begin(&s, A);
	assert_int_equal(map(&s, lane, B, 0), 0);
	assert_int_equal(s.mapping.way, BUSWAY_WAY_PEER);
	carry(&s, A, B, 0);
	assert_int_equal(busway_unmap(&s.mapping), 0);
	assert_int_equal(s.told, 0); /* nothing of the domain is touched */
	assert_int_equal(map(&s, lane, B, 0), 0);
	assert_int_equal(busway_dma_abandon(s.device), 1);
	assert_int_equal(s.told, 0);
	assert_int_equal(busway_domain_destroy(s.domain), 0);
	busway_iova_free(&s.iova);
	close(&s);
}

static void a_root_complex_that_is_not_known_is_not_used(void **state)
{
	static struct scene s;
	struct busway_lane *lane;

	(void)state;
	draw(&s, 0);
	lane = begin(&s, A);
	assert_int_equal(map(&s, lane, C, 0), -BUSWAY_ERANGE);
	assert_int_equal(s.why.reason, BUSWAY_PEER_ROUTE);
	end(&s);
}

static void through_the_root_complex_it_is_what_leads_to_the_cpus_address(void **state)
{
	static struct scene s;
	struct busway_lane *lane;

	(void)state;
	for (unsigned moved = 0; moved < 2; moved++) {
		draw(&s, moved ? 0x4000000000 : 0);
		s.policy.trust_unknown = true;
		lane = begin(&s, A);
		assert_int_equal(map(&s, lane, C, 0), 0);
		assert_int_equal(s.mapping.dma.raw, bar_of(&s, C, 0)->cpu.raw + 16);
		assert_int_equal(s.mapping.way, BUSWAY_WAY_PEER);
		carry(&s, A, C, 0);
		end(&s);
	}
}

static void behind_an_iommu_it_is_an_iova(void **state)
{
	static struct scene s;
	struct busway_pci_outcome out;
	struct busway_lane *lane;
	uint64_t iova;

	(void)state;
	draw(&s, 0x4000000000);
	s.policy.cpu_zen = true;
	s.truth.functions[A].translated = true;
	lane = begin(&s, A);
	assert_int_equal(map(&s, lane, C, 0), 0);
	assert_int_equal(s.mapping.way, BUSWAY_WAY_IOMMU);
	carry(&s, A, C, 0);
	iova = s.mapping.dma.raw;
	assert_int_equal(busway_unmap(&s.mapping), 0);
	assert_int_equal(busway_pci_fabric_write(s.fabric, (busway_pci_id){A}, iova, "x", 1, &out),
			 -BUSWAY_ERANGE);
	assert_int_equal(out.end, BUSWAY_PCI_IOMMU_FAULT);
	end(&s);
}

static void an_abandoned_device_has_no_way_to_registers_by_iova(void **state)
{
	static struct scene s;
	struct busway_pci_outcome out;
	struct busway_lane *lane;

	(void)state;
	draw(&s, 0);
	s.policy.cpu_zen = true;
	s.truth.functions[A].translated = true;
	lane = begin(&s, A);
	assert_int_equal(map(&s, lane, C, 0), 0);
	assert_int_equal(busway_dma_abandon(s.device), 1);
	assert_int_equal(busway_pci_fabric_write(s.fabric, (busway_pci_id){A}, s.mapping.dma.raw,
						 "x", 1, &out),
			 -BUSWAY_ERANGE);
	assert_int_equal(busway_domain_destroy(s.domain), 0);
	busway_iova_free(&s.iova);
	close(&s);
}

/* The port above has a window where the platform says that there are none. */
static void an_iova_that_a_peer_answers_to_is_not_handed_out(void **state)
{
	static struct scene s;
	struct busway_pci_bridge *b;
	struct busway_lane *lane;

	(void)state;
	draw(&s, 0);
	s.policy.cpu_zen = true;
	s.truth.functions[A].translated = true;
	b = &s.truth.functions[RP1].bridge;
	b->prefetch_open = true;
	b->prefetch = (struct busway_range){0, 0x7fffffff};
	lane = begin(&s, A);
	assert_int_equal(map(&s, lane, C, 0), -BUSWAY_ERANGE);
	assert_int_equal(s.why.reason, BUSWAY_ACS_NO_UPSTREAM);
	end(&s);
}

/* Windows into the machine that move addresses: what is emitted is none of the CPU's. */
static void an_address_that_a_port_takes_for_its_own_is_not_handed_out(void **state)
{
	static struct scene s;
	struct busway_pci_bridge *b;
	struct busway_lane *lane;

	(void)state;
	for (unsigned taken = 0; taken < 2; taken++) {
		draw(&s, 0x4000000000);
		s.inbound = 0x4040000000;
		s.policy.trust_unknown = true;
		b = &s.truth.functions[RP1].bridge;
		b->prefetch_open = taken;
		b->prefetch = (struct busway_range){0, 0x7fffffff};
		lane = begin(&s, A);
		assert_int_equal(map(&s, lane, C, 0), taken ? -BUSWAY_ERANGE : 0);
		if (taken)
			assert_int_equal(s.why.reason, BUSWAY_ACS_NO_UPSTREAM);
		else
			assert_int_equal(s.mapping.dma.raw, 0x40000000 + 2 * MIB + 16);
		end(&s);
	}
}

/* What may be done about A -> B, or A -> B's neighbour, and what comes of it. */
struct refusal_case {
	const char *because;
	void (*change)(struct scene *s);
	uint32_t from, to;
	enum busway_reason reason;
};

static void redirect(struct scene *s)
{
	tree_acs(&s->truth.functions[DP0], 0x1f, BUSWAY_ACS_RR);
}

static void redirect_and_trust(struct scene *s)
{
	redirect(s);
	s->policy.trust_unknown = true;
}

static void forbid(struct scene *s)
{
	tree_acs(&s->truth.functions[DP0], 0x7f, BUSWAY_ACS_EC);
	s->truth.functions[DP0].acs.egress[0] = 2;
}

static void close_window(struct scene *s)
{
	s->truth.functions[DP1].bridge.memory_open = false;
}

static void hide_acs(struct scene *s)
{
	s->truth.functions[DP0].acs.known = BUSWAY_UNKNOWN;
}

static void answer_by_port(struct scene *s)
{
	tree_bar(&s->truth.functions[DP0], 0, s->truth.functions[B].bars[0].bus.first, 4096);
	s->truth.functions[DP0].bars[0].has_cpu = false; /* else two have the memory */
}

static void contradict_window(struct scene *s)
{
	s->truth.functions[C].bars[0].cpu.raw += 4096;
	s->policy.trust_unknown = true;
}

static void distrust(struct scene *s)
{
	s->untrusted = true;
}

static void distrust_behind_iommu(struct scene *s)
{
	s->untrusted = true;
	s->truth.functions[A].translated = true;
}

static void leave(struct scene *s)
{
	(void)s;
}

static const struct refusal_case refusals[] = {
	{"RR and an unknown root complex", redirect, A, B, BUSWAY_ACS_REDIRECT},
	{"RR, and the root port has no UF", redirect_and_trust, A, B, BUSWAY_ACS_NO_UPSTREAM},
	{"egress control", forbid, A, B, BUSWAY_ACS_BLOCKED},
	{"the window above is closed", close_window, A, B, BUSWAY_BRIDGE_WINDOW},
	{"the port on the way up has it as its own BAR", answer_by_port, A, B, BUSWAY_BUS_CLAIMED},
	{"the CPU finds the BAR elsewhere than the window", contradict_window, A, C,
	 BUSWAY_BRIDGE_WINDOW},
	{"ACS cannot be read", hide_acs, A, B, BUSWAY_ACS_UNKNOWN},
	{"nothing confines an untrusted device to what is mapped", distrust, A, B,
	 BUSWAY_UNCONFINED},
	{"past the IOMMU nothing does, either", distrust_behind_iommu, A, B, BUSWAY_UNCONFINED},
	{"no register says what one device does inside", leave, B, B1, BUSWAY_PEER_UNCERTAIN},
	{"nor what it does with its own address", leave, B, B, BUSWAY_PEER_UNCERTAIN},
};

static void what_does_not_arrive_for_certain_is_refused(void **state)
{
	static struct scene s;

	(void)state;
	for (size_t i = 0; i < COUNT(refusals); i++) {
		struct busway_lane *lane;

		draw(&s, 0);
		refusals[i].change(&s);
		lane = begin(&s, refusals[i].from);
		if (map(&s, lane, refusals[i].to, 0) != -BUSWAY_ERANGE ||
		    s.why.reason != refusals[i].reason)
			fail_msg("%s: %s", refusals[i].because, busway_reason_code(s.why.reason));
		end(&s);
	}
}

static void all_of_it_must_be_in_one_bar(void **state)
{
	static struct scene s;
	struct busway_lane *lane;

	(void)state;
	draw(&s, 0);
	lane = begin(&s, A);
	assert_int_equal(busway_map_peer(lane,
					 (struct busway_phys_range){{0x80000000 + MIB + 4000},
								    {0x80000000 + MIB + 5000}},
					 BUSWAY_TO_DEVICE, &s.mapping, &s.why),
			 -BUSWAY_ERANGE);
	assert_int_equal(s.why.reason, BUSWAY_STRADDLES);
	/* and where no BAR is, it is as without the wiring */
	assert_int_equal(busway_map_peer(lane,
					 (struct busway_phys_range){{0x80000000 + 9 * MIB},
								    {0x80000000 + 9 * MIB + 15}},
					 BUSWAY_TO_DEVICE, &s.mapping, &s.why),
			 -BUSWAY_ERANGE);
	assert_int_equal(s.why.reason, BUSWAY_PEER_ROUTE);
	end(&s);
}

static void a_mask_that_is_too_narrow_is_told(void **state)
{
	static struct scene s;
	struct busway_lane *lane;

	(void)state;
	draw(&s, 0);
	lane = begin(&s, A);
	assert_int_equal(busway_dma_set_mask(s.device, 31, NULL, &s.why), 0);
	assert_int_equal(map(&s, lane, B, 0), -BUSWAY_ERANGE);
	assert_int_equal(s.why.reason, BUSWAY_BEYOND_MASK);
	end(&s);
}

static void without_the_wiring_nothing_behind_a_host_bridge_is_handed_out(void **state)
{
	static struct scene s;

	(void)state;
	draw(&s, 0);
	s.seen = s.truth;
	open(&s);
	assert_int_equal(busway_dma_attach(s.dma, s.devices[A], NULL, &s.device, &s.why), 0);
	assert_int_equal(map(&s, busway_dma_lane(s.device, 0), B, 0), -BUSWAY_ERANGE);
	assert_int_equal(s.why.reason, BUSWAY_PEER_ROUTE);
	end(&s);
}

/* Two domains have a function with that requester ID, and nobody says which it is. */
static void a_device_that_could_be_two_functions_gets_nothing(void **state)
{
	static struct scene s;
	struct busway_lane *lane;

	(void)state;
	draw(&s, 0);
	tree_add(&s.truth, BUSWAY_PCI_ENDPOINT, 3, 0)->at.domain = 1;
	lane = begin(&s, A);
	assert_int_equal(map(&s, lane, B, 0), -BUSWAY_ERANGE);
	assert_int_equal(s.why.reason, BUSWAY_WIRING_UNKNOWN);
	end(&s);
}

/* ---- by chance ---- */

static void map_each_pair(struct scene *s, unsigned long *mapped, unsigned long *refused)
{
	for (uint32_t a = 0; a < busway_pci_count(s->pci); a++) {
		struct busway_lane *lane;

		if (busway_pci_is_bridge(
			    busway_pci_function(s->truth_pci, (busway_pci_id){a})->type))
			continue;
		lane = attach(s, a);
		for (uint32_t b = 0; b < busway_pci_count(s->pci); b++) {
			if (bar_of(s, b, 0)->kind == BUSWAY_BAR_NONE)
				continue;
			if (map(s, lane, b, 0)) {
				++*refused;
				continue;
			}
			++*mapped;
			carry(s, a, b, 0);
			assert_int_equal(busway_unmap(&s->mapping), 0);
		}
		detach(s);
	}
}

static void what_is_handed_out_arrives(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));
	unsigned long mapped = 0, refused = 0;

	(void)state;
	assert_non_null(s);
	for (unsigned round = 0; round < random_rounds(100); round++) {
		struct rng rng = rng_of(random_seed() + round);

		*s = (struct scene){0};
		tree_random(&s->truth, &rng);
		s->seen = s->truth;
		if (round % 3 == 0)
			tree_hide(&s->seen, &rng);
		s->policy.trust_unknown = rng_chance(&rng, 50);
		s->policy.cpu_zen = rng_chance(&rng, 20);
		open(s);
		map_each_pair(s, &mapped, &refused);
		close(s);
	}
	print_message("# mapped %lu, refused %lu\n", mapped, refused);
	assert_true(mapped != 0);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(below_one_switch_it_is_the_address_on_the_bus),
		cmocka_unit_test(below_one_switch_it_goes_past_the_iommu),
		cmocka_unit_test(a_root_complex_that_is_not_known_is_not_used),
		cmocka_unit_test(through_the_root_complex_it_is_what_leads_to_the_cpus_address),
		cmocka_unit_test(behind_an_iommu_it_is_an_iova),
		cmocka_unit_test(an_abandoned_device_has_no_way_to_registers_by_iova),
		cmocka_unit_test(an_iova_that_a_peer_answers_to_is_not_handed_out),
		cmocka_unit_test(an_address_that_a_port_takes_for_its_own_is_not_handed_out),
		cmocka_unit_test(what_does_not_arrive_for_certain_is_refused),
		cmocka_unit_test(all_of_it_must_be_in_one_bar),
		cmocka_unit_test(a_mask_that_is_too_narrow_is_told),
		cmocka_unit_test(without_the_wiring_nothing_behind_a_host_bridge_is_handed_out),
		cmocka_unit_test(a_device_that_could_be_two_functions_gets_nothing),
		cmocka_unit_test(what_is_handed_out_arrives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
