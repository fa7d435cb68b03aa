/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table_memory_test.c - page tables are kept from all but who walks and who made them.
 */
#include "iommu_bench.h"

enum { TABLE = 0x1000, MANY = 64 };

/* A bench, and its memory for tables; no device is translated. */
static struct busway_table_memory open(struct bench *b)
{
	bench_usual(b, &(struct busway_machine_options){.lenient = true});
	return busway_machine_table_memory(b->machine);
}

static void *table_at(const struct busway_table_memory *tables, busway_phys_t *phys)
{
	void *table = tables->alloc(tables->ctx, TABLE, phys);

	assert_non_null(table);
	memset(table, 0x11, TABLE);
	return table;
}

/* Each byte of three pages: the middle one is the table. */
static void only_the_table_is_kept(struct bench *b, uint64_t middle, unsigned char written)
{
	for (uint64_t i = 0; i < 3 * TABLE; i++) {
		const uint64_t phys = middle - TABLE + i;
		const bool is_table = i >= TABLE && i < 2 * TABLE;

		if (*cpu_at(b, phys) != (is_table ? 0x11 : written))
			fail_msg("0x%" PRIx64 " is 0x%x", phys, *cpu_at(b, phys));
	}
}

static void a_device_writes_beside_a_table_but_not_to_it(void **state)
{
	static unsigned char bytes[3 * TABLE];
	static struct bench b;
	struct busway_table_memory tables = open(&b);
	busway_phys_t before, phys;
	void *table;

	(void)state;
	/* a page that is given, before the table */
	assert_int_equal(busway_machine_take(b.machine, TABLE, TABLE, NULL, 0, &before), 0);
	table = table_at(&tables, &phys);
	assert_int_equal(phys.raw, before.raw + TABLE);
	memset(bytes, 0x22, sizeof(bytes));
	assert_int_equal(bench_write(&b, COHERENT, TO_BUS(before.raw), bytes, sizeof(bytes)),
			 -BUSWAY_ERANGE);
	only_the_table_is_kept(&b, phys.raw, 0x22);
	assert_int_equal(bench_first(&b)->at.first, phys.raw);
	assert_int_equal(bench_first(&b)->at.last, phys.raw + TABLE - 1);
	assert_int_equal(bench_first(&b)->asked.first, TO_BUS(phys.raw));
	assert_string_equal(bench_first(&b)->by, "a page table");
	bench_told(&b, BUSWAY_VIOLATION_CARVEOUT, 1);
	/* behind the caches neither */
	assert_int_equal(bench_write(&b, NONCOHERENT, TO_BUS(phys.raw) + 8, bytes, 8),
			 -BUSWAY_ERANGE);
	bench_told(&b, BUSWAY_VIOLATION_CARVEOUT, 1);
	assert_int_equal(bench_read(&b, COHERENT, TO_BUS(phys.raw), bytes, 1), 0);
	assert_int_equal(bytes[0], 0x11);
	tables.free(tables.ctx, table, phys, TABLE);
	bytes[0] = 0x33;
	assert_int_equal(bench_write(&b, COHERENT, TO_BUS(phys.raw), bytes, 1), 0);
	assert_int_equal(*cpu_at(&b, phys.raw), 0x33);
	bench_told_nothing(&b);
	bench_close(&b);
}

static void a_write_that_arrives_late_does_not_hit_a_table(void **state)
{
	static struct bench b;
	struct busway_table_memory tables;
	busway_phys_t phys;
	void *table;

	(void)state;
	bench_usual(&b, &(struct busway_machine_options){.lenient = true, .posted = true});
	tables = busway_machine_table_memory(b.machine);
	assert_int_equal(busway_machine_take(b.machine, TABLE, TABLE, NULL, 0, &phys), 0);
	assert_int_equal(bench_write(&b, COHERENT, TO_BUS(phys.raw), "12345678", 8), 0);
	busway_machine_give(b.machine, phys_range(phys.raw, TABLE));
	table = table_at(&tables, &phys);
	busway_machine_settle(b.machine);
	assert_int_equal(*cpu_at(&b, phys.raw), 0x11);
	bench_told(&b, BUSWAY_VIOLATION_CARVEOUT, 1);
	tables.free(tables.ctx, table, phys, TABLE);
	bench_close(&b);
}

static void the_cpu_is_kept_from_it_as_well(void **state)
{
	static unsigned char bytes[TABLE + 2];
	static struct bench b;
	struct busway_table_memory tables = open(&b);
	busway_phys_t phys;
	void *table;

	(void)state;
	assert_int_equal(busway_machine_take(b.machine, TABLE, TABLE, NULL, 0, &phys), 0);
	table = table_at(&tables, &phys);
	assert_int_equal(
		busway_machine_cpu_write(b.machine, busway_phys(phys.raw - 1), bytes, TABLE + 2),
		-BUSWAY_EBUSY);
	assert_int_equal(
		busway_machine_cpu_write(b.machine, busway_phys(phys.raw + TABLE - 1), bytes, 2),
		-BUSWAY_EBUSY);
	only_the_table_is_kept(&b, phys.raw, 0);
	assert_int_equal(busway_machine_cpu_write(b.machine, busway_phys(phys.raw - 1), "x", 1), 0);
	assert_int_equal(busway_machine_cpu_write(b.machine, busway_phys(phys.raw + TABLE), "x", 1),
			 0);
	assert_int_equal(busway_machine_cpu_read(b.machine, phys, bytes, 1), 0);
	assert_int_equal(bytes[0], 0x11);
	tables.free(tables.ctx, table, phys, TABLE);
	assert_int_equal(busway_machine_cpu_write(b.machine, phys, "x", 1), 0);
	bench_close(&b);
}

static void where_a_table_lies_nobody_claims(void **state)
{
	static struct bench b;
	struct busway_table_memory tables = open(&b);
	const struct busway_phys_range low = phys_range(RAM, 0x100000);
	busway_phys_t phys, other;
	void *table, *second;

	(void)state;
	table = table_at(&tables, &phys);
	assert_int_equal(busway_machine_claim(b.machine, low), -BUSWAY_EBUSY);
	assert_int_equal(busway_machine_claim(b.machine, phys_range(phys.raw + TABLE - 1, 2)),
			 -BUSWAY_EBUSY);
	/* right behind it; and no table comes to lie there */
	assert_int_equal(busway_machine_claim(b.machine, phys_range(phys.raw + TABLE, 0x10000)), 0);
	second = table_at(&tables, &other);
	assert_int_equal(other.raw, phys.raw + TABLE + 0x10000);
	tables.free(tables.ctx, second, other, TABLE);
	tables.free(tables.ctx, table, phys, TABLE);
	assert_int_equal(busway_machine_claim(b.machine, low), 0);
	busway_machine_unclaim(b.machine, low);
	busway_machine_unclaim(b.machine, phys_range(phys.raw + TABLE, 0x10000));
	second = table_at(&tables, &other);
	assert_int_equal(other.raw, phys.raw);
	tables.free(tables.ctx, second, other, TABLE);
	bench_close(&b);
}

/* Without memory there is no table where one would be, and the place is there for the next. */
static void a_table_that_cannot_be_had_keeps_nothing(void **state)
{
	static struct bench b;
	struct busway_table_memory tables = open(&b);
	busway_phys_t pages[MANY], between, at;
	void *table[MANY];
	unsigned failed = 0;

	(void)state;
	/* all of it was a table once: each one that there is again parts that as well */
	for (unsigned i = 0; i < MANY; i++)
		table[i] = table_at(&tables, &pages[i]);
	for (unsigned i = 0; i < MANY; i++)
		tables.free(tables.ctx, table[i], pages[i], TABLE);
	for (unsigned i = 0; i < MANY; i++) {
		assert_int_equal(busway_machine_take(b.machine, TABLE, TABLE, NULL, 0, &between),
				 0);
		test_memory_fail_at(&b.memory, 1, false);
		table[i] = tables.alloc(tables.ctx, TABLE, &pages[i]);
		test_memory_fail_at(&b.memory, 0, false);
		if (!table[i]) {
			failed++;
			assert_int_equal(
				bench_write(&b, COHERENT, TO_BUS(between.raw + TABLE), "x", 1), 0);
			table[i] = table_at(&tables, &pages[i]);
		}
		assert_int_equal(pages[i].raw, between.raw + TABLE);
		assert_int_equal(bench_write(&b, COHERENT, TO_BUS(pages[i].raw), "x", 1),
				 -BUSWAY_ERANGE);
	}
	assert_true(failed > 0);
	for (unsigned i = 0; i < MANY; i++)
		tables.free(tables.ctx, table[i], pages[i], TABLE);
	assert_int_equal(busway_machine_take(b.machine, TABLE, TABLE, NULL, 0, &at), 0);
	assert_int_equal(at.raw, pages[0].raw);
	bench_close(&b);
}

/* No memory to forget one in the middle of others: it stays one, and is given to nobody. */
static void what_stays_a_table_is_given_to_nobody(void **state)
{
	static struct bench b;
	struct busway_table_memory tables = open(&b);
	busway_phys_t pages[MANY], at;
	void *table[MANY];
	unsigned given = 0;

	(void)state;
	for (unsigned i = 0; i < MANY; i++)
		table[i] = table_at(&tables, &pages[i]);
	for (unsigned i = 1; i < MANY; i += 2) {
		test_memory_fail_at(&b.memory, 1, false);
		tables.free(tables.ctx, table[i], pages[i], TABLE);
		test_memory_fail_at(&b.memory, 0, false);
	}
	assert_true(busway_machine_count(b.machine, BUSWAY_VIOLATION_BLIND) > 0);
	busway_machine_clear(b.machine);
	for (; busway_machine_take(b.machine, TABLE, TABLE, NULL, 0, &at) == 0 &&
	       at.raw <= pages[MANY - 1].raw;
	     given++)
		if (bench_write(&b, COHERENT, TO_BUS(at.raw), "x", 1))
			fail_msg("0x%" PRIx64 " is given, and is a table", at.raw);
	assert_in_range(given, 1, MANY / 2 - 1);
	bench_close(&b);
}

/* The whole way: a device that is let at all memory cannot change where another one is led. */
static void tables_that_translate_stay_as_they_are(void **state)
{
	static struct iommu_bench b;
	const struct busway_phys_range all = phys_range(RAM, 0x100000);
	unsigned char byte;

	(void)state;
	for (size_t i = 0; i < iommu_case_count; i++) {
		unsigned refused = 0;

		iommu_open(&b, &iommu_cases[i], NULL);
		iommu_attach(&b, COHERENT);
		iommu_map(&b, IOVA, CARVED - 0x100000, 0x10000, (unsigned)BUSWAY_READ_WRITE);
		for (uint64_t at = all.first.raw; at < all.last.raw; at += 64)
			refused += bench_write(&b.bench, NONCOHERENT, TO_BUS(at), &i, 1) != 0;
		assert_true(refused > 0);
		bench_told(&b.bench, BUSWAY_VIOLATION_CARVEOUT, refused);
		assert_int_equal(iommu_put(&b, COHERENT, IOVA + 5, 0x77), 0);
		assert_int_equal(iommu_get(&b, COHERENT, IOVA + 5, &byte), 0);
		assert_int_equal(byte, 0x77);
		assert_int_equal(*cpu_at(&b.bench, CARVED - 0x100000 + 5), 0x77);
		iommu_unmap(&b, IOVA, 0x10000);
		assert_int_equal(iommu_put(&b, COHERENT, IOVA, 1), -BUSWAY_ERANGE);
		iommu_close(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_writes_beside_a_table_but_not_to_it),
		cmocka_unit_test(a_write_that_arrives_late_does_not_hit_a_table),
		cmocka_unit_test(the_cpu_is_kept_from_it_as_well),
		cmocka_unit_test(where_a_table_lies_nobody_claims),
		cmocka_unit_test(a_table_that_cannot_be_had_keeps_nothing),
		cmocka_unit_test(what_stays_a_table_is_given_to_nobody),
		cmocka_unit_test(tables_that_translate_stay_as_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
