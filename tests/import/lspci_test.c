/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lspci_test.c - dumps of `lspci -xxxx`, as printed and as broken.
 */
#define _GNU_SOURCE
#include "../support/random.h"
#include "recording.h"

#include "../../src/import/lspci.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { DUMP_MOST = 1 << 20 };

struct dump {
	char *text;
	size_t size;
};

static void put(struct dump *d, const char *text)
{
	if (!d->text)
		d->text = calloc(1, DUMP_MOST);
	assert_true(d->size + strlen(text) < DUMP_MOST);
	strcpy(d->text + d->size, text);
	d->size += strlen(text);
}

/* Rows as lspci prints them: 16 registers each, two digits at least for the first. */
static void put_rows(struct dump *d, const uint8_t *config, size_t size)
{
	char text[32];

	for (size_t i = 0; i < size; i++) {
		snprintf(text, sizeof(text), "%02zx:", i);
		if (i % 16 == 0)
			put(d, text);
		snprintf(text, sizeof(text), " %02x%s", config[i], i % 16 == 15 ? "\n" : "");
		put(d, text);
	}
}

static int read_dump(const char *text, size_t size, struct busway_system **machine,
		     struct busway_system_error *error, struct test_memory *memory)
{
	test_memory_open(memory);
	*machine = NULL;
	return busway_system_read_lspci(text, size, &memory->allocator, machine, error);
}

/* A dump that is read, and thrown away with its machine. */
static struct busway_system *read_good(const struct dump *d, struct test_memory *memory)
{
	struct busway_system_error error;
	struct busway_system *machine;

	if (read_dump(d->text, d->size, &machine, &error, memory))
		fail_msg("%s: %s", error.file, error.message);
	return machine;
}

static void end(struct busway_system *machine, struct test_memory *memory, struct dump *d)
{
	busway_system_free(machine);
	test_memory_close(memory);
	free(d->text);
}

static void expect_refused(const char *text, const char *place, const char *words)
{
	struct busway_system_error error;
	struct busway_system *machine;
	struct test_memory memory;

	assert_int_equal(read_dump(text, strlen(text), &machine, &error, &memory), -BUSWAY_EINVAL);
	if (strcmp(error.file, place) != 0 || !strstr(error.message, words))
		fail_msg("%s: %s: %s", text, error.file, error.message);
	test_memory_close(&memory);
}

static void of_all_lengths_what_is_there_is_read(void **state)
{
	static const struct {
		const char *name, *at;
		size_t size;
	} cases[] = {
		{"00:01.0", "0000:00:01.0", 64},       {"0000:00:01.1", "0000:00:01.1", 256},
		{"0001:02:1f.7", "0001:02:1f.7", 256}, {"10000:e1:00.0", "10000:e1:00.0", 4096},
		{"ff:00.0", "0000:ff:00.0", 128},
	};
	struct dump d = {0};
	uint8_t config[CONFIG_ALL];
	struct busway_system *machine;
	struct test_memory memory;

	(void)state;
	make_endpoint(config, 0xc0000000);
	for (size_t i = 0; i < COUNT(cases); i++) {
		put(&d, cases[i].name);
		put(&d, " Ethernet controller: Some Company Some Device (rev 02)\n");
		put(&d, "\tCapabilities: [40] Express Endpoint\n\tKernel driver in use: none\n");
		put_rows(&d, config, cases[i].size);
		put(&d, "\n");
	}
	assert_true(looks_like_lspci(d.text, d.size));
	machine = read_good(&d, &memory);
	assert_int_equal(busway_pci_count(busway_system_pci(machine)), COUNT(cases));
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct busway_pci_function *f = function_at(machine, cases[i].at);

		assert_int_equal(f->config_size, cases[i].size);
		assert_int_equal(f->acs.known,
				 cases[i].size == 4096 ? BUSWAY_ABSENT : BUSWAY_UNKNOWN);
		assert_false(f->bars[0].sized || f->bars[0].has_cpu || f->has_group);
		assert_int_equal(f->dma_mask, 0);
		assert_int_equal(has_gap(machine, cases[i].at, "unknown"), cases[i].size < 256);
	}
	end(machine, &memory, &d);
}

/* Each register arrives: random ones say the same as when they are read as they are. */
static void every_register_arrives(void **state)
{
	const unsigned rounds = random_rounds(40);

	(void)state;
	for (unsigned i = 0; i < rounds; i++) {
		static const size_t sizes[] = {64, 256, 4096};
		struct rng rng = rng_of(random_seed() + i);
		const size_t size = sizes[rng_below(&rng, 3)];
		struct busway_pci_function direct = {.at = {0, 3, 8}};
		const struct busway_pci_function *read;
		struct busway_system *machine;
		struct test_memory memory;
		uint8_t config[CONFIG_ALL];
		struct dump d = {0};

		make_port(config, 6, 3, 4, 4);
		for (unsigned k = 0; k < 60; k++)
			config[rng_below(&rng, size - 4) + 4] = (uint8_t)rng_next(&rng);
		put(&d, "03:01.0 A device\n");
		put_rows(&d, config, size);
		assert_int_equal(busway_pci_read_config(config, size, &direct), 0);
		machine = read_good(&d, &memory);
		read = function_at(machine, "0000:03:01.0");
		assert_int_equal(read->vendor, direct.vendor);
		assert_int_equal(read->class_code, direct.class_code);
		assert_int_equal(read->type, direct.type);
		assert_int_equal(read->config_size, direct.config_size);
		assert_memory_equal(read->bars, direct.bars, sizeof(direct.bars));
		assert_int_equal(read->bridge.secondary, direct.bridge.secondary);
		assert_int_equal(read->acs.known, direct.acs.known);
		end(machine, &memory, &d);
	}
}

static void ends_of_lines_do_not_matter(void **state)
{
	static const char text[] =
		"\r\n00:01.0 x\r\n00: 86 80\r\n\r\n00:02.0 y\r\n00: 86 80 01 00  ";
	struct busway_system_error error;
	struct busway_system *machine;
	struct test_memory memory;

	(void)state;
	assert_true(looks_like_lspci(text, sizeof(text) - 1));
	if (read_dump(text, sizeof(text) - 1, &machine, &error, &memory))
		fail_msg("%s: %s", error.file, error.message);
	assert_int_equal(busway_pci_count(busway_system_pci(machine)), 2);
	assert_true(has_gap(machine, "0000:00:02.0", "less than 64"));
	busway_system_free(machine);
	test_memory_close(&memory);
}

static void a_cut_function_is_a_gap(void **state)
{
	static const struct {
		size_t size;
		bool cut;
	} cases[] = {{64, false}, {80, true},   {128, false}, {256, false},
		     {272, true}, {4080, true}, {4096, false}};
	uint8_t config[CONFIG_ALL];

	(void)state;
	make_endpoint(config, 0xc0000000);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct busway_system *machine;
		struct test_memory memory;
		struct dump d = {0};

		put(&d, "01:00.0 A device\n");
		put_rows(&d, config, cases[i].size);
		machine = read_good(&d, &memory);
		assert_int_equal(has_gap(machine, "0000:01:00.0", "was cut"), cases[i].cut);
		end(machine, &memory, &d);
	}
}

static void of_two_with_one_address_the_first_counts(void **state)
{
	struct dump d = {0};
	uint8_t config[CONFIG_ALL];
	struct busway_system *machine;
	struct test_memory memory;

	(void)state;
	make_endpoint(config, 0xc0000000);
	put(&d, "01:00.0 first\n");
	put_rows(&d, config, 256);
	config[0] = 0x77;
	put(&d, "\n01:00.0 second\n");
	put_rows(&d, config, 256);
	machine = read_good(&d, &memory);
	assert_int_equal(busway_pci_count(busway_system_pci(machine)), 1);
	assert_int_equal(function_at(machine, "0000:01:00.0")->vendor, 0x1234);
	end(machine, &memory, &d);
}

static void long_words_of_v_do_not_matter(void **state)
{
	struct dump d = {0};
	uint8_t config[CONFIG_ALL];
	struct busway_system *machine;
	struct test_memory memory;

	(void)state;
	make_endpoint(config, 0xc0000000);
	put(&d, "01:00.0 ");
	for (unsigned i = 0; i < 1000; i++)
		put(&d, "long name ");
	put(&d, "\n\t");
	for (unsigned i = 0; i < 1000; i++)
		put(&d, "00: 00 ");
	put(&d, "\n");
	put_rows(&d, config, 4096);
	machine = read_good(&d, &memory);
	assert_int_equal(function_at(machine, "0000:01:00.0")->config_size, 4096);
	end(machine, &memory, &d);
}

static void what_is_wrong_is_said_with_its_line(void **state)
{
	(void)state;
	expect_refused("", "dump", "PCI address");
	expect_refused("words\n", "dump", "PCI address");
	expect_refused("00:01.0 x\n00:02.0 y\n", "dump", "no registers");
	expect_refused("00:01.8 x\n", "line 1", "no PCI address");
	expect_refused("00:20.0 x\n", "line 1", "no PCI address");
	expect_refused("00:01.a x\n", "line 1", "no PCI address");
	expect_refused("123456:00:01.0 x\n", "line 1", "five digits");
	expect_refused("00: 86 80\n", "line 1", "no function");
	expect_refused("00:01.0 x\n\n00: 86 80\n", "line 3", "no function");
	expect_refused("00:01.0 x\n00: 86 8\n", "line 2", "two hexadecimal digits");
	expect_refused("00:01.0 x\n00: 86 80g\n", "line 2", "two hexadecimal digits");
	expect_refused("00:01.0 x\n00: 86  80\n", "line 2", "two hexadecimal digits");
	expect_refused("00:01.0 x\n00: 86 80\n10: 00\n", "line 3", "missing");
	expect_refused("00:01.0 x\n00: 86 80\n00: 86 80\n", "line 3", "missing");
	/* registers that libpci would write in front of its memory */
	expect_refused("00:01.0 x\n80000000: 00\n", "line 2", "missing");
	expect_refused("00:01.0 x\nffffffff: 00\n", "line 2", "missing");
	expect_refused("00:01.0 x\n00: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
		       "00 00 00 00 00 00 00 00 00\n",
		       "line 2", "too long");
}

static void more_than_4096_bytes_are_refused(void **state)
{
	static const uint8_t zeros[CONFIG_ALL];
	struct dump d = {0};

	(void)state;
	put(&d, "00:01.0 x\n");
	put_rows(&d, zeros, sizeof(zeros));
	put(&d, "1000: 00\n");
	expect_refused(d.text, "line 258", "4096");
	free(d.text);
}

/* libpci ends the program when it fails, unless it is caught. */
static void a_failure_of_libpci_is_an_error(void **state)
{
	static const char text[] = "00:01.0 x\n00: 86 80\n";
	struct rlimit before, tight;
	struct busway_system_error error;
	struct busway_system *machine;
	struct test_memory memory;
	const int next = open("/dev/null", O_RDONLY);
	int status;

	(void)state;
	assert_true(next >= 0);
	close(next);
	/* one file more may be opened, and that is ours */
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	tight = (struct rlimit){(rlim_t)next + 1, before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
	status = read_dump(text, sizeof(text) - 1, &machine, &error, &memory);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(status, -BUSWAY_EINVAL);
	assert_string_equal(error.file, "libpci");
	assert_non_null(strstr(error.message, "Too many open files"));
	test_memory_close(&memory);
	/* and the next one is read again */
	assert_int_equal(read_dump(text, sizeof(text) - 1, &machine, &error, &memory), 0);
	busway_system_free(machine);
	test_memory_close(&memory);
}

static void other_texts_are_no_dumps(void **state)
{
	static const char *const texts[] = {"",        "/dts-v1/;\n", "{\"a\": 1}",
					    "00:01.0", "00:01.0x",    "0:01.0 x",
					    "00:01 x", "g0:01.0 x",   "words\n00:01.0 x\n"};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		assert_int_equal(looks_like_lspci(texts[i], strlen(texts[i])), i == 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_all_lengths_what_is_there_is_read),
		cmocka_unit_test(every_register_arrives),
		cmocka_unit_test(ends_of_lines_do_not_matter),
		cmocka_unit_test(a_cut_function_is_a_gap),
		cmocka_unit_test(of_two_with_one_address_the_first_counts),
		cmocka_unit_test(long_words_of_v_do_not_matter),
		cmocka_unit_test(what_is_wrong_is_said_with_its_line),
		cmocka_unit_test(more_than_4096_bytes_are_refused),
		cmocka_unit_test(a_failure_of_libpci_is_an_error),
		cmocka_unit_test(other_texts_are_no_dumps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
