/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi_tables_test.c - ACPI tables, written byte by byte as the specifications lay them out.
 */
#include "../support/test_memory.h"

#include <busway/acpi.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TABLE_MOST = 1024 };

struct table {
	uint8_t bytes[TABLE_MOST];
	size_t size;
};

static void put(struct table *t, uint64_t value, unsigned bytes)
{
	assert_true(t->size + bytes <= TABLE_MOST);
	for (unsigned i = 0; i < bytes; i++)
		t->bytes[t->size++] = (uint8_t)(value >> (8 * i));
}

static void put_at(struct table *t, size_t at, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		t->bytes[at + i] = (uint8_t)(value >> (8 * i));
}

/* A header of 36 bytes, and what all three tables have behind it: 12 bytes. */
static void begin(struct table *t, const char *signature, uint64_t behind)
{
	memset(t, 0, sizeof(*t));
	memcpy(t->bytes, signature, 4);
	t->bytes[8] = 1;
	t->size = 36;
	put(t, behind, 8);
	put(t, 0, 4);
}

static void end(struct table *t)
{
	uint8_t sum = 0;

	put_at(t, 4, t->size, 4);
	t->bytes[9] = 0;
	for (size_t i = 0; i < t->size; i++)
		sum = (uint8_t)(sum + t->bytes[i]);
	t->bytes[9] = (uint8_t)-sum;
}

static struct busway_acpi *read_good(const struct table *t, struct test_memory *memory)
{
	struct busway_acpi_error error;
	struct busway_acpi *acpi = NULL;

	if (busway_acpi_read(t->bytes, t->size, &memory->allocator, &acpi, &error))
		fail_msg("at %u: %s", (unsigned)error.offset, error.message);
	return acpi;
}

/* ---- a machine: 00:01.0 a root port to bus 1, 01:00.0 a bridge to bus 2, 02:03.0; 00:02.0 ---- */

static void add(struct busway_pci *pci, unsigned bus, unsigned devfn, unsigned secondary)
{
	const struct busway_pci_function f = {
		.at = {0, (uint8_t)bus, (uint8_t)devfn},
		.type = secondary ? BUSWAY_PCI_ROOT_PORT : BUSWAY_PCI_ENDPOINT,
		.bridge = {.secondary = (uint8_t)secondary, .subordinate = 9},
	};

	assert_int_equal(busway_pci_add_function(pci, &f), 0);
}

static struct busway_pci *machine(struct test_memory *memory)
{
	struct busway_pci *pci = NULL;

	assert_int_equal(busway_pci_create(&memory->allocator, &pci), 0);
	add(pci, 0, 1 << 3, 1);
	add(pci, 0, 2 << 3, 0);
	add(pci, 1, 0, 2);
	add(pci, 2, 3 << 3, 0);
	assert_int_equal(busway_pci_seal(pci), 0);
	return pci;
}

static busway_pci_id at(const struct busway_pci *pci, unsigned bus, unsigned devfn)
{
	const busway_pci_id id =
		busway_pci_find(pci, (struct busway_pci_address){0, (uint8_t)bus, (uint8_t)devfn});

	assert_true(busway_pci_some(id));
	return id;
}

/* A table that was read, and the machine that it is about. */
struct rig {
	struct test_memory memory;
	struct table table;
	struct busway_acpi *acpi;
	struct busway_pci *pci;
};

typedef void (*maker)(struct table *t);

static void rig_open(struct rig *r, maker make)
{
	test_memory_open(&r->memory);
	make(&r->table);
	r->acpi = read_good(&r->table, &r->memory);
	r->pci = machine(&r->memory);
}

static void rig_close(struct rig *r)
{
	busway_acpi_free(r->acpi);
	busway_pci_destroy(r->pci);
	test_memory_close(&r->memory);
}

/* ---- Intel ---- */

static void put_scope(struct table *t, unsigned type, unsigned bus, const char *path)
{
	put(t, type, 1);
	put(t, 6 + strlen(path), 1); /* two characters a step: device and function */
	put(t, 0, 3);
	put(t, bus, 1);
	for (; *path; path += 2) {
		put(t, (unsigned)(path[0] - '0'), 1);
		put(t, (unsigned)(path[1] - '0'), 1);
	}
}

static void put_drhd(struct table *t, unsigned length, bool all, uint64_t base)
{
	put(t, 0, 2);
	put(t, length, 2);
	put(t, all, 1);
	put(t, 0, 1);
	put(t, 0, 2);
	put(t, base, 8);
}

static void make_dmar(struct table *t)
{
	begin(t, "DMAR", 45 | 3 << 8); /* 46 bits */
	put_drhd(t, 16 + 8, false, 0xfed90000);
	put_scope(t, 1, 0, "20"); /* 00:02.0 */
	put_drhd(t, 16 + 8, false, 0xfed91000);
	put_scope(t, 2, 0, "10"); /* all below 00:01.0 */
	put_drhd(t, 16, true, 0xfed92000);
	put(t, 1, 2); /* RMRR */
	put(t, 24 + 10, 2);
	put(t, 0, 2);
	put(t, 0, 2);
	put(t, 0x80000000, 8);
	put(t, 0x800fffff, 8);
	put_scope(t, 1, 0, "1000"); /* what is at 00.0 below 00:01.0 */
	put(t, 99, 2);              /* nobody knows this type */
	put(t, 12, 2);
	put(t, 0, 8);
	end(t);
}

static void units_of_intel_translate_whom_they_name_and_one_the_rest(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, make_dmar);
	assert_int_equal(r.acpi->address_bits, 46);
	assert_true(r.acpi->checksum_good);
	assert_int_equal(r.acpi->entry_count, 5);
	assert_int_equal(r.acpi->entries[4].kind, BUSWAY_ACPI_UNKNOWN);
	assert_int_equal(busway_acpi_unit_of(r.acpi, r.pci, at(r.pci, 0, 2 << 3))->base, 0xfed90000);
	assert_int_equal(busway_acpi_unit_of(r.acpi, r.pci, at(r.pci, 0, 1 << 3))->base, 0xfed91000);
	assert_int_equal(busway_acpi_unit_of(r.acpi, r.pci, at(r.pci, 2, 3 << 3))->base, 0xfed91000);
	busway_acpi_free(r.acpi);
	put_at(&r.table, 48 + 16, 3, 1); /* the first scope is an IOAPIC now: the rest's unit remains */
	end(&r.table);
	r.acpi = read_good(&r.table, &r.memory);
	assert_int_equal(busway_acpi_unit_of(r.acpi, r.pci, at(r.pci, 0, 2 << 3))->base, 0xfed92000);
	rig_close(&r);
}

static void memory_is_reserved_for_the_function_at_the_end_of_the_path(void **state)
{
	struct rig r;
	const struct busway_acpi_entry *rmrr;

	(void)state;
	rig_open(&r, make_dmar);
	rmrr = &r.acpi->entries[3];
	assert_int_equal(rmrr->kind, BUSWAY_ACPI_RMRR);
	assert_true(rmrr->memory.first == 0x80000000 && rmrr->memory.last == 0x800fffff);
	assert_true(busway_acpi_reserves_for(r.acpi, rmrr, r.pci, at(r.pci, 1, 0)));
	assert_false(busway_acpi_reserves_for(r.acpi, rmrr, r.pci, at(r.pci, 2, 3 << 3)));
	assert_false(busway_acpi_reserves_for(r.acpi, rmrr, r.pci, at(r.pci, 0, 1 << 3)));
	rig_close(&r);
}

/* ---- AMD ---- */

static void put_ivhd(struct table *t, unsigned type, unsigned length, uint64_t base)
{
	put(t, type, 1);
	put(t, 0, 1);
	put(t, length, 2);
	put(t, 0x0002, 2);
	put(t, 0x40, 2);
	put(t, base, 8);
	put(t, 0, 2);
	put(t, 0, 6);
	if (type != 0x10) {
		put(t, 0, 8);
		put(t, 0, 8);
	}
}

static void make_ivrs(struct table *t)
{
	begin(t, "IVRS", 48 << 8);
	put_ivhd(t, 0x10, 24 + 8, 0xfeb00000);
	put(t, 3 | 0x0000 << 8, 4); /* 00:00.0 up to */
	put(t, 4 | 0x00ff << 8, 4); /* 00:1f.7 */
	put_ivhd(t, 0x11, 40 + 8 + 8, 0xfeb80000);
	put(t, 2 | 0x0010 << 8, 4);    /* 00:02.0 */
	put(t, 0, 4);                  /* padding */
	put(t, 0x42 | 0x0218 << 8, 4); /* 02:03.0 as 01:00.0 */
	put(t, 0x0100 << 8, 4);
	put(t, 0x22, 1); /* IVMD for a range, unity */
	put(t, 1, 1);
	put(t, 32, 2);
	put(t, 0x0010, 2);
	put(t, 0x0100, 2);
	put(t, 0, 8);
	put(t, 0x9000000, 8);
	put(t, 0x20000, 8);
	put(t, 0x51, 1); /* seen in the wild */
	put(t, 0, 1);
	put(t, 8, 2);
	put(t, 0, 4);
	end(t);
}

static void units_of_amd_translate_ranges_of_ids(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, make_ivrs);
	assert_int_equal(r.acpi->entry_count, 4);
	assert_int_equal(r.acpi->entries[0].scope_count, 1);
	assert_int_equal(r.acpi->entries[1].scope_count, 2);
	/* the newer kind of block counts where both name it */
	assert_int_equal(busway_acpi_unit_of(r.acpi, r.pci, at(r.pci, 0, 2 << 3))->base, 0xfeb80000);
	assert_int_equal(busway_acpi_unit_of(r.acpi, r.pci, at(r.pci, 0, 1 << 3))->base, 0xfeb00000);
	assert_int_equal(busway_acpi_unit_of(r.acpi, r.pci, at(r.pci, 2, 3 << 3))->base, 0xfeb80000);
	assert_null(busway_acpi_unit_of(r.acpi, r.pci, at(r.pci, 1, 0)));
	assert_true(r.acpi->entries[1].scopes[1].has_alias);
	assert_int_equal(r.acpi->entries[1].scopes[1].alias, 0x0100);
	assert_true(r.acpi->entries[2].unity);
	assert_true(busway_acpi_reserves_for(r.acpi, &r.acpi->entries[2], r.pci, at(r.pci, 0, 2 << 3)));
	assert_true(busway_acpi_reserves_for(r.acpi, &r.acpi->entries[2], r.pci, at(r.pci, 1, 0)));
	assert_false(busway_acpi_reserves_for(r.acpi, &r.acpi->entries[2], r.pci, at(r.pci, 0, 1 << 3)));
	assert_true(r.acpi->entries[2].memory.last == 0x901ffff);
	rig_close(&r);
}

/* ---- Arm ---- */

static void put_mapping(struct table *t, uint32_t first, uint32_t count, uint32_t out,
			uint32_t target)
{
	put(t, first, 4);
	put(t, count - 1, 4);
	put(t, out, 4);
	put(t, target, 4);
	put(t, 0, 4);
}

static void put_node(struct table *t, unsigned type, unsigned length, unsigned mappings,
		     unsigned offset)
{
	put(t, type, 1);
	put(t, length, 2);
	put(t, 0, 1);
	put(t, type, 4);
	put(t, mappings, 4);
	put(t, offset, 4);
}

static void make_iort(struct table *t)
{
	uint32_t smmu;

	begin(t, "IORT", 4 | (uint64_t)48 << 32);
	put_node(t, 0, 24, 0, 0); /* ITS */
	put(t, 1, 4);
	put(t, 0, 4);
	smmu = (uint32_t)t->size;
	put_node(t, 4, 68, 0, 0); /* SMMUv3 */
	put(t, 0x9050000, 8);
	put(t, 0, 44);
	put_node(t, 2, 36 + 40, 2, 36); /* root complex: bus 0 to the SMMU, the rest to the ITS */
	put(t, 0, 8);
	put(t, 1, 4);
	put(t, 0, 4);
	put(t, 40, 4);
	put_mapping(t, 0, 0x100, 0x1000, smmu);
	put_mapping(t, 0x100, 0xff00, 0x100, 48);
	put_node(t, 6, 28 + 20 + 20, 1, 48); /* RMR for stream 0x1010 */
	put(t, 0, 4);
	put(t, 1, 4);
	put(t, 28, 4);
	put(t, 0xa0000000, 8);
	put(t, 0x10000, 8);
	put(t, 0, 4);
	put_mapping(t, 0, 1, 0x1010, smmu);
	end(t);
}

static void ids_of_a_root_complex_go_to_an_smmu_or_elsewhere(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, make_iort);
	assert_int_equal(r.acpi->entry_count, 4);
	assert_int_equal(r.acpi->entries[2].address_bits, 40);
	assert_int_equal(busway_acpi_unit_of(r.acpi, r.pci, at(r.pci, 0, 2 << 3))->base, 0x9050000);
	assert_null(busway_acpi_unit_of(r.acpi, r.pci, at(r.pci, 1, 0)));
	assert_true(busway_acpi_reserves_for(r.acpi, &r.acpi->entries[3], r.pci, at(r.pci, 0, 2 << 3)));
	assert_false(busway_acpi_reserves_for(r.acpi, &r.acpi->entries[3], r.pci, at(r.pci, 0, 1 << 3)));
	rig_close(&r);
}

/* ---- whatever comes ---- */

static const maker makers[] = {make_dmar, make_ivrs, make_iort};

/* @bytes in memory of just that size, so that a sanitizer sees who reads beyond. */
static int try_read(const uint8_t *bytes, size_t size, struct test_memory *memory)
{
	uint8_t *copy = malloc(size ? size : 1);
	struct busway_acpi_error error;
	struct busway_acpi *acpi = NULL;
	int status;

	memcpy(copy, bytes, size);
	status = busway_acpi_read(copy, size, &memory->allocator, &acpi, &error);
	free(copy);
	if (status == -BUSWAY_EINVAL)
		assert_true(error.message[0] != 0);
	else
		busway_acpi_free(acpi);
	return status;
}

static void a_table_that_is_cut_off_anywhere_is_refused(void **state)
{
	(void)state;
	for (size_t m = 0; m < 3; m++) {
		struct test_memory memory;
		struct table t;

		test_memory_open(&memory);
		makers[m](&t);
		for (size_t size = 0; size < t.size; size++)
			assert_int_equal(try_read(t.bytes, size, &memory), -BUSWAY_EINVAL);
		assert_int_equal(try_read(t.bytes, t.size, &memory), 0);
		test_memory_close(&memory);
	}
}

/* What the header says counts: a table that says that it is shorter. */
static void lengths_that_do_not_fit_are_told_with_their_place(void **state)
{
	(void)state;
	for (size_t m = 0; m < 3; m++) {
		for (size_t byte = 36; byte < 300; byte++) {
			for (unsigned value = 0; value < 256; value += 51) {
				struct test_memory memory;
				struct table t;

				test_memory_open(&memory);
				makers[m](&t);
				if (byte < t.size) {
					t.bytes[byte] = (uint8_t)value;
					try_read(t.bytes, t.size, &memory);
				}
				test_memory_close(&memory); /* nothing was kept */
			}
		}
	}
}

static void without_memory_nothing_is_kept(void **state)
{
	(void)state;
	for (size_t m = 0; m < 3; m++) {
		for (unsigned long fail_at = 1;; fail_at++) {
			struct test_memory memory;
			struct table t;
			int status;

			test_memory_open(&memory);
			test_memory_fail_at(&memory, fail_at, true);
			makers[m](&t);
			status = try_read(t.bytes, t.size, &memory);
			test_memory_close(&memory);
			if (!status)
				break;
			assert_int_equal(status, -BUSWAY_ENOMEM);
		}
	}
}

static void a_wrong_checksum_is_told_and_is_no_error(void **state)
{
	struct test_memory memory;
	struct table t;
	struct busway_acpi *acpi;

	(void)state;
	test_memory_open(&memory);
	make_dmar(&t);
	t.bytes[9]++;
	acpi = read_good(&t, &memory);
	assert_false(acpi->checksum_good);
	busway_acpi_free(acpi);
	test_memory_close(&memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(units_of_intel_translate_whom_they_name_and_one_the_rest),
		cmocka_unit_test(memory_is_reserved_for_the_function_at_the_end_of_the_path),
		cmocka_unit_test(units_of_amd_translate_ranges_of_ids),
		cmocka_unit_test(ids_of_a_root_complex_go_to_an_smmu_or_elsewhere),
		cmocka_unit_test(a_table_that_is_cut_off_anywhere_is_refused),
		cmocka_unit_test(lengths_that_do_not_fit_are_told_with_their_place),
		cmocka_unit_test(without_memory_nothing_is_kept),
		cmocka_unit_test(a_wrong_checksum_is_told_and_is_no_error),
	};

	return cmocka_run_group_tests_name("acpi", tests, NULL, NULL);
}
