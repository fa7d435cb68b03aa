/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_test.c - configuration spaces made by hand, byte by byte.
 *
 * Offsets: PCI Local Bus 3.0, 6.1 and 6.7; PCI-to-PCI Bridge 1.2, 3.2; PCI Express Base 5.0, 7.5.3,
 * 7.6.3 and 7.7.11.
 */
#include "../support/test.h"

#include "../support/random.h"

#include <busway/pci.h>

#include <string.h>

static uint8_t config[4096];

static void put16(unsigned at, unsigned value)
{
	config[at] = (uint8_t)value;
	config[at + 1] = (uint8_t)(value >> 8);
}

static void put32(unsigned at, uint32_t value)
{
	put16(at, value & 0xffff);
	put16(at + 2, value >> 16);
}

/* A function without capabilities. */
static void begin(uint8_t header_type)
{
	memset(config, 0, sizeof(config));
	put16(0x00, 0x1b36);
	put16(0x02, 0x000c);
	config[0x0e] = header_type;
}

/* A PCI Express capability at 0x40, with nothing behind it. */
static void add_express(unsigned port_type)
{
	put16(0x06, 0x0010); /* status: there is a list */
	config[0x34] = 0x40;
	config[0x40] = 0x10;
	config[0x41] = 0;
	put16(0x42, 2 | port_type << 4);
}

static struct busway_pci_function read_as(size_t size)
{
	struct busway_pci_function f = {.at = {0, 1, 2}};

	assert_int_equal(busway_pci_read_config(config, size, &f), 0);
	assert_int_equal(f.at.bus, 1); /* left alone */
	return f;
}

/* ---- headers ---- */

static void the_header_says_what_it_is(void **state)
{
	struct busway_pci_function f;

	(void)state;
	begin(0x80);
	put32(0x08, 0x01080200 | 3); /* class 01 08 02, revision 3 */
	put16(0x04, 0x0004);
	f = read_as(256);
	assert_int_equal(f.vendor, 0x1b36);
	assert_int_equal(f.device, 0x000c);
	assert_int_equal(f.class_code, 0x010802);
	assert_true(f.multifunction);
	assert_true(f.has_command && f.bus_master && !f.memory_decode);
	assert_int_equal(f.config_size, 256);
	put16(0x04, 0x0002);
	assert_true(read_as(256).memory_decode);
	assert_false(read_as(256).bus_master);
}

static void what_does_not_answer_is_no_function(void **state)
{
	struct busway_pci_function f = {.vendor = 7};

	(void)state;
	memset(config, 0xff, sizeof(config));
	assert_int_equal(busway_pci_read_config(config, 4096, &f), -BUSWAY_EINVAL);
	begin(0);
	assert_int_equal(busway_pci_read_config(config, 63, &f), -BUSWAY_EINVAL);
	assert_int_equal(f.vendor, 7);
	assert_int_equal(busway_pci_read_config(config, 64, &f), 0);
}

static void bars_are_read(void **state)
{
	struct busway_pci_function f;

	(void)state;
	begin(0);
	put32(0x10, 0xfebf0000); /* 32 bits */
	put32(0x14, 0x0000c041); /* I/O */
	put32(0x18, 0xe000000c); /* 64 bits, prefetchable */
	put32(0x1c, 0x00000039);
	put32(0x24, 0xfebf8004); /* 64 bits, and no register behind it */
	f = read_as(64);
	assert_int_equal(f.bars[0].kind, BUSWAY_BAR_MEM32);
	assert_true(f.bars[0].assigned && !f.bars[0].prefetchable && !f.bars[0].sized);
	assert_int_equal(f.bars[0].bus.first, 0xfebf0000);
	assert_int_equal(f.bars[1].kind, BUSWAY_BAR_IO);
	assert_int_equal(f.bars[1].bus.first, 0xc040);
	assert_int_equal(f.bars[2].kind, BUSWAY_BAR_MEM64);
	assert_true(f.bars[2].prefetchable);
	assert_int_equal(f.bars[2].bus.first, 0x39e0000000);
	assert_int_equal(f.bars[3].kind, BUSWAY_BAR_NONE);
	assert_int_equal(f.bars[4].kind, BUSWAY_BAR_NONE);
	assert_int_equal(f.bars[5].bus.first, 0xfebf8000);
}

static void a_bridge_has_two_bars_and_its_windows(void **state)
{
	struct busway_pci_function f;

	(void)state;
	begin(1);
	put32(0x10, 0xfe000000);
	config[0x18] = 1;
	config[0x19] = 2;
	config[0x1a] = 5;
	config[0x1c] = 0xc1; /* I/O 0x1c000 to 0x1dfff, 32 bits */
	config[0x1d] = 0xd1;
	put16(0x30, 1);
	put16(0x32, 1);
	put16(0x20, 0xfe00); /* 0xfe000000 to 0xfe2fffff */
	put16(0x22, 0xfe20);
	put16(0x24, 0x0001); /* 0x3800000000 to 0x38001fffff, 64 bits */
	put16(0x26, 0x0011);
	put32(0x28, 0x38);
	put32(0x2c, 0x38);
	f = read_as(64);
	assert_int_equal(f.bridge.primary, 1);
	assert_int_equal(f.bridge.secondary, 2);
	assert_int_equal(f.bridge.subordinate, 5);
	assert_true(f.bridge.io_open && f.bridge.memory_open && f.bridge.prefetch_open);
	assert_int_equal(f.bridge.io.first, 0x1c000);
	assert_int_equal(f.bridge.io.last, 0x1dfff);
	assert_int_equal(f.bridge.memory.first, 0xfe000000);
	assert_int_equal(f.bridge.memory.last, 0xfe2fffff);
	assert_int_equal(f.bridge.prefetch.first, 0x3800000000);
	assert_int_equal(f.bridge.prefetch.last, 0x38001fffff);
	assert_int_equal(f.bars[0].bus.first, 0xfe000000);
	assert_int_equal(f.bars[2].kind, BUSWAY_BAR_NONE); /* bus numbers are there */
}

static void upper_halves_count_in_windows_of_64_bits_only(void **state)
{
	(void)state;
	begin(1);
	put16(0x24, 0x8000);
	put16(0x26, 0x8010);
	put32(0x28, 0x38);
	put32(0x2c, 0x38);
	assert_int_equal(read_as(64).bridge.prefetch.first, 0x80000000);
	assert_int_equal(read_as(64).bridge.prefetch.last, 0x801fffff);
}

static void a_window_whose_base_is_behind_its_limit_is_closed(void **state)
{
	(void)state;
	begin(1);
	put16(0x20, 0xfff0);
	put16(0x24, 0x0011);
	put16(0x26, 0x0001);
	put32(0x2c, 0);
	config[0x1c] = 0xf0;
	assert_false(read_as(64).bridge.memory_open);
	assert_false(read_as(64).bridge.prefetch_open);
	assert_false(read_as(64).bridge.io_open);
	put32(0x2c, 1); /* whose limit is further up, after all */
	assert_true(read_as(64).bridge.prefetch_open);
}

/* ---- capabilities ---- */

static void the_first_64_bytes_tell_nothing_of_capabilities(void **state)
{
	struct busway_pci_function f;

	(void)state;
	begin(0);
	add_express(0);
	f = read_as(64);
	assert_int_equal(f.type, BUSWAY_PCI_UNKNOWN);
	assert_int_equal(f.acs.known, BUSWAY_UNKNOWN);
	assert_int_equal(f.ats, BUSWAY_UNKNOWN);
	begin(1);
	add_express(4);
	assert_int_equal(read_as(64).type, BUSWAY_PCI_UNKNOWN_BRIDGE);
	/* nor do 256 of the second list */
	assert_int_equal(read_as(256).type, BUSWAY_PCI_ROOT_PORT);
	assert_int_equal(read_as(256).acs.known, BUSWAY_UNKNOWN);
	assert_int_equal(read_as(256).ats, BUSWAY_UNKNOWN);
	/* which is empty here */
	assert_int_equal(read_as(4096).acs.known, BUSWAY_ABSENT);
	assert_int_equal(read_as(4096).ats, BUSWAY_ABSENT);
	put32(0x100, 0xffffffff); /* nothing answered there */
	assert_int_equal(read_as(4096).acs.known, BUSWAY_UNKNOWN);
	assert_int_equal(read_as(4096).ats, BUSWAY_UNKNOWN);
}

static void without_pci_express_it_is_conventional(void **state)
{
	(void)state;
	begin(0);
	assert_int_equal(read_as(64).type, BUSWAY_PCI_CONVENTIONAL);
	assert_int_equal(read_as(64).acs.known, BUSWAY_ABSENT);
	begin(1);
	put16(0x06, 0x0010);
	config[0x34] = 0x50; /* power management, and no more */
	config[0x50] = 0x01;
	assert_int_equal(read_as(256).type, BUSWAY_PCI_CONVENTIONAL_BRIDGE);
	assert_int_equal(read_as(256).ats, BUSWAY_ABSENT);
}

static void ports_are_told_from_endpoints(void **state)
{
	static const struct {
		uint8_t header, code;
		enum busway_pci_type type;
	} cases[] = {
		{0, 0, BUSWAY_PCI_ENDPOINT},         {0, 1, BUSWAY_PCI_ENDPOINT},
		{1, 4, BUSWAY_PCI_ROOT_PORT},        {1, 5, BUSWAY_PCI_UPSTREAM_PORT},
		{1, 6, BUSWAY_PCI_DOWNSTREAM_PORT},  {1, 7, BUSWAY_PCI_PCIE_TO_PCI},
		{1, 8, BUSWAY_PCI_PCI_TO_PCIE},      {0, 9, BUSWAY_PCI_ROOT_ENDPOINT},
		{0, 10, BUSWAY_PCI_EVENT_COLLECTOR}, {0, 4, BUSWAY_PCI_UNKNOWN},
		{1, 0, BUSWAY_PCI_UNKNOWN_BRIDGE},   {0, 15, BUSWAY_PCI_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		begin(cases[i].header);
		add_express(cases[i].code);
		assert_int_equal(read_as(256).type, cases[i].type);
	}
}

static void a_port_has_a_number(void **state)
{
	(void)state;
	begin(1);
	add_express(6);
	put32(0x4c, 0x12000000); /* link capabilities: bits 31..24 */
	assert_true(read_as(256).has_port_number);
	assert_int_equal(read_as(256).port_number, 0x12);
	begin(0);
	add_express(9); /* integrated: it has no link, nor a number */
	assert_false(read_as(256).has_port_number);
	begin(1);
	add_express(6);
	config[0x34] = 0xf4; /* too near to the end for link capabilities */
	config[0xf4] = 0x10;
	put16(0xf6, 0x62);
	assert_int_equal(read_as(256).type, BUSWAY_PCI_DOWNSTREAM_PORT);
	assert_false(read_as(256).has_port_number);
}

static void acs_is_found_behind_others(void **state)
{
	struct busway_pci_function f;

	(void)state;
	begin(1);
	add_express(6);
	put32(0x100, 0x14010001); /* AER, then 0x140 */
	put32(0x140, 0x1501000d); /* ACS, then 0x150 */
	put16(0x144, 0x0c7f);     /* all of it; a vector of 12 bits */
	put16(0x146, 0x007d);
	put32(0x148, 0xffff0812); /* bits 1, 4, 11; what is behind is not its own */
	put32(0x150, 0x0001000f); /* ATS, the last one */
	put16(0x156, 0x8000);
	f = read_as(4096);
	assert_int_equal(f.acs.known, BUSWAY_PRESENT);
	assert_int_equal(f.acs.capability, 0x7f);
	assert_int_equal(f.acs.control, 0x7d);
	assert_int_equal(f.acs.egress_count, 12);
	assert_int_equal(f.acs.egress[0], 0x12);
	assert_int_equal(f.acs.egress[1] & 0x0f, 0x08);
	assert_int_equal(f.ats, BUSWAY_PRESENT);
	assert_true(f.ats_enabled);
	put16(0x156, 0x0000);
	assert_false(read_as(4096).ats_enabled);
	put16(0x144, 0x007f); /* a size of 0 stands for 256 */
	assert_int_equal(read_as(4096).acs.egress_count, 256);
	put16(0x144, 0x085f); /* no egress control: no vector */
	assert_int_equal(read_as(4096).acs.egress_count, 0);
}

static void what_is_cut_off_is_unknown(void **state)
{
	(void)state;
	begin(1);
	add_express(6);
	put32(0x100, 0x1401000d);
	put16(0x104, 0x0c7f);
	put16(0x106, 0x007d);
	assert_int_equal(read_as(0x106).acs.known, BUSWAY_UNKNOWN);
	assert_int_equal(read_as(0x108).acs.known, BUSWAY_PRESENT);
	assert_int_equal(read_as(0x108).acs.egress_count, 0); /* no bit of it is known */
	assert_int_equal(read_as(0x10a).acs.egress_count, 12);
	assert_int_equal(read_as(0x10a).ats, BUSWAY_UNKNOWN); /* the list goes on */
}

static void lists_in_circles_end(void **state)
{
	(void)state;
	begin(0);
	put16(0x06, 0x0010);
	config[0x34] = 0x50;
	config[0x50] = 0x05;
	config[0x51] = 0x60;
	config[0x60] = 0x11;
	config[0x61] = 0x50;
	assert_int_equal(read_as(256).type, BUSWAY_PCI_UNKNOWN);
	assert_int_equal(read_as(4096).acs.known, BUSWAY_UNKNOWN);
	begin(0);
	add_express(0);
	put32(0x100, 0x20010001);
	put32(0x200, 0x10010002);
	assert_int_equal(read_as(4096).acs.known, BUSWAY_UNKNOWN);
	assert_int_equal(read_as(4096).ats, BUSWAY_UNKNOWN);
}

static void a_list_that_leads_into_the_header_is_unknown(void **state)
{
	(void)state;
	begin(0);
	put16(0x06, 0x0010);
	config[0x34] = 0x20;
	assert_int_equal(read_as(256).type, BUSWAY_PCI_UNKNOWN);
	begin(0);
	add_express(0);
	put32(0x100, 0x08010001);
	assert_int_equal(read_as(4096).acs.known, BUSWAY_UNKNOWN);
}

static void any_content_is_read(void **state)
{
	(void)state;
	for (unsigned round = 0; round < random_rounds(20000); round++) {
		struct rng rng = rng_of(random_seed() + round);
		struct busway_pci_function f = {0};
		const size_t size = (size_t)rng_between(&rng, 64, 4096);

		for (size_t i = 0; i < sizeof(config); i += 8) {
			uint64_t word = rng_next(&rng);

			word &= rng_next(&rng); /* fewer bits than zeroes */

			memcpy(config + i, &word, 8);
		}
		/* with lists that may be found */
		config[0x0e] &= 0x81;
		if (rng_chance(&rng, 50))
			add_express((unsigned)rng_below(&rng, 12));
		if (busway_pci_read_config(config, size, &f))
			continue;
		assert_true(f.acs.egress_count <= 256);
		assert_true(busway_pci_is_bridge(f.type) == (config[0x0e] & 1));
		for (unsigned i = 0; i < BUSWAY_PCI_BARS; i++)
			assert_true(f.bars[i].bus.first <= f.bars[i].bus.last);
		if (f.bridge.memory_open)
			assert_true(f.bridge.memory.first < f.bridge.memory.last);
		if (size <= 256 && f.type != BUSWAY_PCI_CONVENTIONAL &&
		    f.type != BUSWAY_PCI_CONVENTIONAL_BRIDGE)
			assert_int_equal(f.acs.known, BUSWAY_UNKNOWN);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_header_says_what_it_is),
		cmocka_unit_test(what_does_not_answer_is_no_function),
		cmocka_unit_test(bars_are_read),
		cmocka_unit_test(a_bridge_has_two_bars_and_its_windows),
		cmocka_unit_test(upper_halves_count_in_windows_of_64_bits_only),
		cmocka_unit_test(a_window_whose_base_is_behind_its_limit_is_closed),
		cmocka_unit_test(the_first_64_bytes_tell_nothing_of_capabilities),
		cmocka_unit_test(without_pci_express_it_is_conventional),
		cmocka_unit_test(ports_are_told_from_endpoints),
		cmocka_unit_test(a_port_has_a_number),
		cmocka_unit_test(acs_is_found_behind_others),
		cmocka_unit_test(what_is_cut_off_is_unknown),
		cmocka_unit_test(lists_in_circles_end),
		cmocka_unit_test(a_list_that_leads_into_the_header_is_unknown),
		cmocka_unit_test(any_content_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
