/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clean_test.c - an IOMMU that does not snoop sees what was cleaned, and nothing else.
 *
 * The hook copies what is cleaned to where the walker reads. Another call comes in the middle of a
 * mapping, at each place where something is cleaned, as another thread would: what it has mapped
 * must be seen when it returns, also through tables that the first one has just put in place.
 */
#include "rig.h"

#include <stdlib.h>
#include <string.h>

enum { RW = BUSWAY_READ_WRITE, BYTES = RIG_PAGES * RIG_PAGE };

static struct rig rig;
static unsigned char *seen;  /* by the IOMMU */
static size_t until;         /* calls of the hook before the other mapping comes; 0: it does not */
static uint64_t other, page; /* its IOVA, and the size of all pages */

static uint64_t read_seen(void *ctx, uint64_t phys)
{
	uint64_t entry;

	(void)rig_read(ctx, phys); /* is it a table? */
	memcpy(&entry, seen + (phys - rig.what->tables_at), sizeof(entry));
	return entry;
}

static void copy(struct rig *r, const void *entries, size_t size)
{
	const size_t at = (size_t)((const unsigned char *)entries - r->arena);

	if (until && --until == 0) {
		assert_int_equal(rig_map(r, other, 7 * page, page, RW), 0);
		assert_int_equal(rig_walk(r, other).phys, 7 * page);
	}
	memcpy(seen + at, entries, size);
}

/* @count pages are mapped at @iova while another one comes in. False: it came too late. */
static bool map_interrupted(size_t which, size_t when, uint64_t iova, size_t count)
{
	bool came;

	rig_make(&rig, &table_cases[which]);
	rig.cleans = true;
	rig.on_clean = copy;
	memset(seen, 0, BYTES);
	until = 0;
	rig_open(&rig);
	rig.walker.read = read_seen;
	until = when;
	assert_int_equal(rig_map(&rig, iova, page, count * page, RW), 0);
	came = until == 0;
	until = 0;
	assert_int_equal(rig_walk(&rig, other).mapped, came);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(rig_walk(&rig, iova + i * page).phys, (1 + i) * page);
	rig_close(&rig);
	return came;
}

static void what_was_mapped_is_seen_through_tables_of_others(void **state)
{
	(void)state;
	seen = malloc(BYTES);
	assert_non_null(seen);
	for (size_t i = 0; i < table_case_count; i++) {
		const uint64_t table = (uint64_t)1 << (2 * table_cases[i].granule_lg2 - 3);
		size_t when = 1;

		page = (uint64_t)1 << table_cases[i].granule_lg2;
		other = table + 2 * page; /* behind the last of four */
		while (map_interrupted(i, when, table - 2 * page, 4))
			when++;
		assert_true(when > 2);
	}
	free(seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_mapped_is_seen_through_tables_of_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
