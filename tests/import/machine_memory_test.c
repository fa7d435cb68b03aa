/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * machine_memory_test.c - machines when memory runs out: the 1st, 2nd, 3rd... allocation fails.
 *
 * Each failure gives -BUSWAY_ENOMEM, hands nothing out, and gives all memory back. What libarchive
 * and libpci take themselves is not among it.
 */
#include "recording.h"

#include <stdlib.h>
#include <string.h>

/* Where a pointer that must not be touched points. */
static max_align_t nothing;

struct source {
	const char *directory;
	const void *data;
	size_t size;
	bool is_lspci;
};

static int read_source(const struct source *s, struct test_memory *memory,
		       struct busway_system **machine)
{
	struct busway_system_error error;

	if (s->directory)
		return busway_system_read_directory(s->directory, &memory->allocator, machine,
						     &error);
	if (s->is_lspci)
		return busway_system_read_lspci(s->data, s->size, &memory->allocator, machine,
						 &error);
	return busway_system_read_archive(s->data, s->size, &memory->allocator, machine, &error);
}

/* How many allocations it takes. */
static unsigned long sweep(const struct source *s, bool all_later)
{
	for (unsigned long fail_at = 1;; fail_at++) {
		struct busway_system *const untouched = (void *)&nothing;
		struct busway_system *machine = untouched;
		struct test_memory memory;
		int status;

		test_memory_open(&memory);
		test_memory_fail_at(&memory, fail_at, all_later);
		status = read_source(s, &memory, &machine);
		if (status == 0) {
			busway_system_free(machine);
			assert_true(memory.calls < fail_at);
			test_memory_close(&memory);
			return fail_at - 1;
		}
		if (status != -BUSWAY_ENOMEM || machine != untouched)
			fail_msg("allocation %lu fails: status %d", fail_at, status);
		test_memory_close(&memory);
	}
}

static void check(const struct source *s, unsigned long least)
{
	const unsigned long all = sweep(s, true);

	print_message("# %lu allocations\n", all);
	assert_true(all >= least);
	assert_int_equal(sweep(s, false), all);
}

/* With a bridge that only paths name, a name that is none, and a function without a link. */
static void record_all(struct recording *r)
{
	record_switch(r);
	record_without(r, "sys/bus/pci/devices/0000:02:01.0");
	record_without(r, "sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0/0000:02:01.0/config");
	record_text(r, "sys/bus/pci/devices/nothing", "");
	record_text(r, "sys/bus/pci/devices/0000:05:01.0/vendor", "0x1234");
	record_text(r, "proc/cpuinfo", "vendor_id\t: AuthenticAMD\ncpu family\t: 25\n");
}

static void archives_without_memory(void **state)
{
	struct recording r = {0};
	struct source s = {0};
	uint8_t *archive;

	(void)state;
	record_all(&r);
	archive = recording_archive(&r, "xz", &s.size);
	s.data = archive;
	check(&s, 100);
	free(archive);
	recording_free(&r);
}

static void directories_without_memory(void **state)
{
	struct recording r = {0};
	struct source s = {0};
	char path[64];

	(void)state;
	record_all(&r);
	recording_directory(&r, path);
	s.directory = path;
	check(&s, 40);
	directory_remove(path);
	recording_free(&r);
}

static void dumps_without_memory(void **state)
{
	static const char dump[] = "00:01.0 one\n00: 86 80 01 00\n\n"
				   "00:02.0 two\n00: 86 80 01 00\n\n";
	const struct source s = {.data = dump, .size = sizeof(dump) - 1, .is_lspci = true};

	(void)state;
	check(&s, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(archives_without_memory),
		cmocka_unit_test(directories_without_memory),
		cmocka_unit_test(dumps_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
