/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reasons_test.c - every reason for which the DMA API refuses, provoked once and told in words.
 *
 * Goes on where tests/refusal_test.c ends: from BUSWAY_EMPTY_REACH on, up to those of IOVAs
 * (tests/iova/refusal_test.c), and so do the kinds of advice from BUSWAY_ADVISE_UNMAP_FIRST on.
 */
#include "rig.h"

#include <string.h>

enum { POOL_AT = 0x40000, POOL_SIZE = 0x8000 };

struct scene {
	struct rig rig;
	struct busway_dma_device *device;
	struct busway_lane *lane;
	struct busway_mapping mapping[2];
	struct busway_refusal why;
};

static void open(struct scene *s, bool pool, unsigned bits)
{
	rig_open(&s->rig);
	if (pool)
		assert_int_equal(busway_dma_add_pool(s->rig.dma, rig_phys(POOL_AT, POOL_SIZE),
						     BUSWAY_USE_BOUNCE, 1),
				 0);
	s->device = rig_attach(&s->rig, 0, NULL);
	s->lane = busway_dma_lane(s->device, 0);
	assert_int_equal(busway_dma_set_mask(s->device, bits, NULL, NULL), 0);
}

static int map(struct scene *s, unsigned which, uint64_t at, uint64_t size)
{
	return busway_map(s->lane, rig_phys(at, size), BUSWAY_FROM_DEVICE, 0, &s->mapping[which],
			  &s->why);
}

/* ---- what provokes them ---- */

static int a_mask_below_all_memory(struct scene *s)
{
	s->rig.plan.windows[0].in = (struct busway_range){0x8000000000, 0x80000fffff};
	open(s, false, 40);
	return busway_dma_set_mask(s->device, 32, NULL, &s->why);
}

static int a_mask_below_the_pool(struct scene *s)
{
	s->rig.plan.devices[0].restricted_pool = plan_pool(
		&s->rig.plan, busway_phys_raw(rig_phys(0x80000, POOL_SIZE)));
	open(s, false, 40);
	return busway_dma_set_mask(s->device, 19, NULL, &s->why);
}

static int a_mask_below_a_live_mapping(struct scene *s)
{
	open(s, false, 64);
	assert_int_equal(map(s, 0, 0x80000, 0x1000), 0);
	return busway_dma_set_mask(s->device, 19, NULL, &s->why);
}

static int coherent_memory_without_a_pool(struct scene *s)
{
	struct busway_coherent coherent = {0};

	open(s, true, 64);
	return busway_coherent_alloc(s->lane, 0x1000, 1, BUSWAY_COHERENT_ATOMIC, &coherent,
				     &s->why);
}

static int one_more_than_the_pool_holds(struct scene *s)
{
	open(s, true, 19);
	assert_int_equal(map(s, 0, 0x80000, POOL_SIZE - 0x800), 0);
	return map(s, 1, 0x90000, 0x801);
}

static int no_run_as_long(struct scene *s)
{
	struct busway_mapping slots[16];
	int status;

	open(s, true, 19);
	memset(slots, 0, sizeof(slots));
	for (size_t i = 0; i < COUNT(slots); i++)
		assert_int_equal(busway_map(s->lane, rig_phys(0x80000, 0x800), BUSWAY_TO_DEVICE, 0,
					    &slots[i], NULL),
				 0);
	for (size_t i = 0; i < COUNT(slots); i += 2)
		assert_int_equal(busway_unmap(&slots[i]), 0);
	status = map(s, 0, 0x90000, 0x1000);
	for (size_t i = 1; i < COUNT(slots); i += 2)
		assert_int_equal(busway_unmap(&slots[i]), 0);
	return status;
}

static int more_than_the_pool_is(struct scene *s)
{
	open(s, true, 19);
	return map(s, 0, 0x80000, POOL_SIZE + 1);
}

static int a_pool_without_a_place(struct scene *s)
{
	s->rig.plan.devices[0].restricted_pool =
		plan_pool(&s->rig.plan, busway_phys_raw(rig_phys(POOL_AT, POOL_SIZE)));
	s->rig.plan.pools[0].dynamic = true;
	rig_open(&s->rig);
	return busway_dma_attach(s->rig.dma, (busway_device_id){0}, NULL, &s->device, &s->why);
}

static int memory_that_the_cpu_does_not_see(struct scene *s)
{
	open(s, true, 19);
	s->rig.blind[0x80] = true;
	return map(s, 0, 0x80000, 16);
}

static int a_part_of_a_cache_line(struct scene *s)
{
	s->rig.plan.devices[0].coherence = BUSWAY_NONCOHERENT;
	open(s, false, 64);
	return map(s, 0, 0x1010, 16);
}

static int an_address_without_its_low_bits(struct scene *s)
{
	const struct busway_dma_options options = {.min_align_mask = 0xfff};

	s->rig.plan.windows[0].in = (struct busway_range){0x100, RIG_SIZE + 0xff};
	rig_open(&s->rig);
	s->device = rig_attach(&s->rig, 0, &options);
	s->lane = busway_dma_lane(s->device, 0);
	return map(s, 0, 0x1000, 0x1000);
}

static int an_untrusted_device_with_the_run_of_memory(struct scene *s)
{
	s->rig.plan.devices[0].untrusted = true;
	open(s, true, 64);
	return map(s, 0, 0x1000, 0x1000);
}

static const struct busway_outbound bar = {
	.kind = BUSWAY_OUTBOUND_MEM32,
	.has_cpu = true,
	.bus = {0xc0000000, 0xc00fffff},
	.cpu = {0x10000000},
};

static int a_peers_registers(struct scene *s)
{
	plan_device(&s->rig.plan, 1);
	s->rig.plan.devices[1].outbound = &bar;
	s->rig.plan.devices[1].outbound_count = 1;
	open(s, true, 64);
	return busway_map_peer(s->lane,
			       (struct busway_phys_range){{0x10001000}, {0x10001fff}},
			       BUSWAY_TO_DEVICE, &s->mapping[0], &s->why);
}

/* ---- what is told ---- */

static const struct {
	enum busway_reason reason;
	int (*act)(struct scene *s);
	const char *detail, *advice;
} cases[] = {
	{BUSWAY_EMPTY_REACH, a_mask_below_all_memory,
	 "/device0: bus 0x0..0xffffffff: nothing that the device must reach has such an address",
	 "a 40-bit mask would do"},
	{BUSWAY_EMPTY_REACH, a_mask_below_the_pool,
	 "/device0: bus 0x0..0x7ffff: nothing that the device must reach has such an address (/pool0)",
	 "a 20-bit mask would do"},
	{BUSWAY_LIVE_MAPPING, a_mask_below_a_live_mapping,
	 "/device0: bus 0x80000..0x80fff: the mask would no longer cover a live mapping (it drives "
	 "0x0..0x7ffff)",
	 "unmap what is live at bus 0x80000..0x80fff first"},
	{BUSWAY_NO_POOL, coherent_memory_without_a_pool,
	 "/device0: 4 KiB wanted: the device reaches no pool that serves this", ""},
	{BUSWAY_POOL_FULL, one_more_than_the_pool_holds,
	 "/device0: CPU 0x80090000..0x80090800: less than the wanted bytes are free in the pool "
	 "(which is 0x80040000..0x80047fff); 2049 bytes wanted, 30 KiB of 32 KiB used, the longest "
	 "free run is 2 KiB",
	 "wait until something is unmapped, or add a pool for 2049 bytes more"},
	{BUSWAY_POOL_FRAGMENTED, no_run_as_long,
	 "/device0: CPU 0x80090000..0x80090fff: enough is free in the pool, but not in one run that "
	 "suits alignment and boundaries (which is 0x80040000..0x80047fff); 4 KiB wanted, 16 KiB of "
	 "32 KiB used, the longest free run is 2 KiB",
	 "wait until something is unmapped, or add a pool for 4 KiB more"},
	{BUSWAY_POOL_TOO_SMALL, more_than_the_pool_is,
	 "/device0: CPU 0x80080000..0x80088000: the pool would not serve this if it were empty (which "
	 "is 0x80040000..0x80047fff); 32769 bytes wanted, 0 bytes of 32 KiB used, the longest free "
	 "run is 32 KiB",
	 "ask for 32 KiB at most"},
	{BUSWAY_POOL_UNPLACED, a_pool_without_a_place,
	 "/pool0: CPU 0x80040000..0x80047fff: nobody has said where the pool was put",
	 "say where /pool0 was put"},
	{BUSWAY_NO_POINTER, memory_that_the_cpu_does_not_see,
	 "/device0: CPU 0x80080000..0x8008000f: the CPU cannot touch this memory in the way it has to",
	 ""},
	{BUSWAY_CACHE_LINE, a_part_of_a_cache_line,
	 "/device0: CPU 0x80001010..0x8000101f: memory of others may share its first or last cache "
	 "line, and the device sees no caches (the lines are 0x80001000..0x8000103f)",
	 "align it to cache lines of 64 bytes, or promise that nobody else writes to its lines; or a "
	 "bounce pool of 16 bytes inside CPU 0x80000000..0x800fffff"},
	{BUSWAY_LOW_BITS, an_address_without_its_low_bits,
	 "/device0: CPU 0x80001000..0x80001fff: its address does not have the low bits that the "
	 "device's alignment asks for (it is 0x1100..0x20ff)",
	 "a bounce pool of 4 KiB inside CPU 0x80000000..0x800fffff"},
	{BUSWAY_UNCONFINED, an_untrusted_device_with_the_run_of_memory,
	 "/device0: CPU 0x80001000..0x80001fff: nothing confines this untrusted device: it would reach "
	 "more than is mapped",
	 ""},
	{BUSWAY_PEER_ROUTE, a_peers_registers,
	 "/device0: CPU 0x10001000..0x10001fff: this is behind a PCI host bridge, and it is not known "
	 "to forward from one device to another (/device1, which is 0x10000000..0x100fffff)",
	 ""},
};

static bool advised[BUSWAY_ADVISE_PLACE + 1];

static unsigned check(size_t i)
{
	char detail[512], advice[512];
	struct scene s = {0};

	rig_draw(&s.rig);
	assert_int_equal(cases[i].act(&s), -BUSWAY_ERANGE);
	busway_refusal_detail(&s.why, detail, sizeof(detail));
	busway_refusal_advice(&s.why, advice, sizeof(advice));
	for (unsigned a = 0; a < s.why.advice_count; a++)
		advised[s.why.advice[a].kind] = true;
	for (size_t m = 0; m < COUNT(s.mapping); m++)
		if (s.device && busway_dma_owner(s.device, s.mapping[m].dma) == &s.mapping[m])
			assert_int_equal(busway_unmap(&s.mapping[m]), 0);
	if (s.device)
		assert_int_equal(busway_dma_detach(s.device), 0);
	rig_close(&s.rig);
	if (s.why.reason == cases[i].reason && strcmp(detail, cases[i].detail) == 0 &&
	    strcmp(advice, cases[i].advice) == 0)
		return 0;
	print_error("# case %zu: %s\n#   %s\n#   %s\n", i, busway_reason_code(s.why.reason), detail,
		    advice);
	return 1;
}

static void every_reason_is_provoked_and_told_in_words(void **state)
{
	bool provoked[BUSWAY_REASON_COUNT] = {false};
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		wrong += check(i);
		provoked[cases[i].reason] = true;
	}
	/* those behind are of page tables: iommu/refusal_test.c */
	for (int r = BUSWAY_EMPTY_REACH; r <= BUSWAY_PEER_ROUTE; r++)
		if (!provoked[r])
			fail_msg("nothing provokes %s", busway_reason_code((enum busway_reason)r));
	for (int a = BUSWAY_ADVISE_UNMAP_FIRST; a <= BUSWAY_ADVISE_PLACE; a++)
		if (!advised[a])
			fail_msg("nothing provokes advice %d", a);
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_reason_is_provoked_and_told_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
