/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * msi_test.c - the MSI and MSI-X capabilities of a configuration space (PCI Local Bus 3.0, 6.8).
 */
#include "support/test.h"

#include <busway/pci.h>

#include <string.h>

enum { STATUS_LIST = 1 << 4, MSI = 0x05, MSIX = 0x11 };

static void put32(uint8_t *config, unsigned at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		config[at + i] = (uint8_t)(value >> (8 * i));
}

/* An endpoint with one capability at 0x50: its first bytes, an address, and what follows that. */
static struct busway_pci_msi read_with(uint8_t id, uint16_t control, uint32_t low, uint32_t high,
				       size_t size)
{
	struct busway_pci_function f = {0};
	uint8_t config[256] = {0x34, 0x12, 0x78, 0x56};

	config[6] = STATUS_LIST;
	config[0x34] = 0x50;
	put32(config, 0x50, (uint32_t)id | (uint32_t)control << 16);
	put32(config, 0x54, low);
	put32(config, 0x58, high);
	assert_int_equal(busway_pci_read_config(config, size, &f), 0);
	return f.msi;
}

static void address_of_32_bits_ends_with_them(void **state)
{
	const struct busway_pci_msi msi = read_with(MSI, 0x0001, 0xfee01004, 0x4041, 256);

	(void)state;
	assert_int_equal(msi.known, BUSWAY_PRESENT);
	assert_true(msi.enabled);
	assert_false(msi.wide);
	assert_true(msi.address == 0xfee01004); /* what follows are data */
	assert_int_equal(msi.msix, BUSWAY_ABSENT);
}

static void address_of_64_bits_has_an_upper_half(void **state)
{
	const struct busway_pci_msi msi = read_with(MSI, 0x0080, 0xfffff040, 0x1, 256);

	(void)state;
	assert_true(msi.wide);
	assert_false(msi.enabled);
	assert_true(msi.address == 0x1fffff040);
}

static void message_table_in_memory_has_no_address_here(void **state)
{
	const struct busway_pci_msi on = read_with(MSIX, 0x8003, 0x2000, 0x3000, 256);
	const struct busway_pci_msi off = read_with(MSIX, 0x0003, 0x2000, 0x3000, 256);

	(void)state;
	assert_int_equal(on.known, BUSWAY_ABSENT);
	assert_int_equal(on.msix, BUSWAY_PRESENT);
	assert_true(on.msix_enabled);
	assert_false(off.msix_enabled);
	assert_true(on.address == 0);
}

static void what_could_not_be_read_is_unknown(void **state)
{
	const struct busway_pci_msi header = read_with(MSI, 0x0001, 0xfee01004, 0, 64);
	const struct busway_pci_msi cut = read_with(MSI, 0x0001, 0xfee01004, 0, 0x5a);

	(void)state;
	assert_int_equal(header.known, BUSWAY_UNKNOWN);
	assert_int_equal(header.msix, BUSWAY_UNKNOWN);
	assert_int_equal(cut.known, BUSWAY_UNKNOWN);
	assert_false(cut.enabled);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(address_of_32_bits_ends_with_them),
		cmocka_unit_test(address_of_64_bits_has_an_upper_half),
		cmocka_unit_test(message_table_in_memory_has_no_address_here),
		cmocka_unit_test(what_could_not_be_read_is_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
