/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * files_test.c - trees of files in memory, in archives and in directories.
 *
 * The judge of trees in memory is the kernel: random trees with links of all kinds are put on a
 * disk as well, and each path is asked of both (openat2() with RESOLVE_IN_ROOT).
 */
#include "../support/random.h"
#include "recording.h"

#include "../../src/import/files_archive.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- by hand ---- */

static void expect_read(struct file_tree *tree, const char *path, const char *content)
{
	char text[64] = "";
	const long got = file_read(tree, path, text, sizeof(text) - 1);

	if (got < 0)
		fail_msg("%s: %s", path, strerror((int)-got));
	assert_string_equal(text, content);
}

static void expect_error(struct file_tree *tree, const char *path, int error)
{
	char text[64];
	const long got = file_read(tree, path, text, sizeof(text));

	if (got != -error)
		fail_msg("%s: %ld, and not %s", path, got, strerror(error));
}

static void record_links(struct recording *r)
{
	record_text(r, "a/b/file", "there");
	record_text(r, "etc/passwd", "inside");
	record_text(r, "a-b", "between");
	record(r, "empty", FILE_IS_DIRECTORY, NULL, 0);
	record_link(r, "a/near", "b/file");
	record_link(r, "a/b/up", "../../a-b");
	record_link(r, "a/b/far-up", "../../../../../../etc/passwd");
	record_link(r, "from-root", "/etc/passwd");
	record_link(r, "folder", "a/b");
	record_link(r, "circle", "circle");
	record_link(r, "one", "two");
	record_link(r, "two", "/one");
	record_link(r, "nowhere", "not/there");
	record_link(r, "through-file", "a/b/file/more");
	record(r, "again", FILE_IS_SAME, "a/b/file", 8);
}

static void expect_links(struct file_tree *tree)
{
	char text[64];

	expect_read(tree, "a/b/file", "there");
	expect_read(tree, "./a//b/./file", "there");
	expect_read(tree, "a/near", "there");
	expect_read(tree, "folder/file", "there");
	expect_read(tree, "folder/../near", "there");
	expect_read(tree, "a/b/up", "between");
	expect_read(tree, "a/b/far-up", "inside");
	expect_read(tree, "from-root", "inside");
	expect_read(tree, "again", "there");
	expect_error(tree, "circle", ELOOP);
	expect_error(tree, "one", ELOOP);
	expect_error(tree, "nowhere", ENOENT);
	expect_error(tree, "through-file", ENOTDIR);
	expect_error(tree, "a/b/file/more", ENOTDIR);
	expect_error(tree, "not", ENOENT);
	expect_error(tree, "a/b", EISDIR);
	assert_int_equal(file_link(tree, "one", text, sizeof(text)), 3);
	assert_string_equal(text, "two");
	assert_int_equal(file_link(tree, "folder/up", text, sizeof(text)), 9);
	assert_int_equal(file_link(tree, "a-b", text, sizeof(text)), -EINVAL);
	assert_int_equal(file_link(tree, "not", text, sizeof(text)), -ENOENT);
}

/* Names, one after the other, as they come; ',' in front of each. */
static int join(void *ctx, const char *name)
{
	strcat(strcat(ctx, ","), name);
	return 0;
}

static void links_lead_nowhere_but_inside(void **state)
{
	struct recording r = {0};
	struct test_memory memory;
	struct file_tree *tree;
	char path[64], names[512] = "";

	(void)state;
	record_links(&r);
	test_memory_open(&memory);
	tree = recording_tree(&r, &memory.allocator);
	expect_links(tree);
	assert_int_equal(file_list(tree, ".", join, names), 0);
	assert_string_equal(names, ",a,a-b,again,circle,empty,etc,folder,from-root,nowhere,one,"
				   "through-file,two");
	names[0] = 0;
	assert_int_equal(file_list(tree, "folder", join, names), 0);
	assert_string_equal(names, ",far-up,file,up");
	names[0] = 0;
	assert_int_equal(file_list(tree, "empty", join, names), 0);
	assert_string_equal(names, "");
	assert_int_equal(file_list(tree, "a-b", join, names), -ENOTDIR);
	assert_int_equal(file_list(tree, "not", join, names), -ENOENT);
	file_tree_close(tree);
	recording_directory(&r, path);
	assert_int_equal(file_tree_of_directory(path, &memory.allocator, &tree), 0);
	expect_links(tree);
	file_tree_close(tree);
	directory_remove(path);
	test_memory_close(&memory);
	recording_free(&r);
}

static void archives_of_all_kinds_are_the_same_tree(void **state)
{
	static const char *const filters[] = {"none", "gzip", "xz"};
	struct recording r = {0};

	(void)state;
	record_links(&r);
	for (size_t i = 0; i < COUNT(filters); i++) {
		struct busway_system_error error;
		struct test_memory memory;
		struct file_tree *tree = NULL;
		size_t size;
		uint8_t *archive = recording_archive(&r, filters[i], &size);

		assert_true(looks_like_archive(archive, size));
		test_memory_open(&memory);
		if (file_tree_of_archive(archive, size, &memory.allocator, &tree, &error))
			fail_msg("%s: %s: %s", filters[i], error.file, error.message);
		free(archive);
		expect_links(tree);
		file_tree_close(tree);
		test_memory_close(&memory);
	}
	recording_free(&r);
}

static void a_folder_becomes_the_root(void **state)
{
	struct recording r = {0};
	struct test_memory memory;
	struct file_tree *tree;

	(void)state;
	record_text(&r, "box/etc/passwd", "inside");
	record_text(&r, "etc/passwd", "outside");
	record_text(&r, "boxes", "beside");
	record_link(&r, "box/up", "../../etc/passwd");
	record_link(&r, "box/from-root", "/etc/passwd");
	test_memory_open(&memory);
	tree = recording_tree(&r, &memory.allocator);
	assert_int_equal(file_tree_enter(tree, "not"), -ENOENT);
	assert_int_equal(file_tree_enter(tree, "boxes"), -ENOTDIR);
	assert_int_equal(file_tree_enter(tree, "box"), 0);
	expect_read(tree, "up", "inside");
	expect_read(tree, "from-root", "inside");
	expect_read(tree, "../etc/passwd", "inside");
	expect_error(tree, "box/up", ENOENT);
	file_tree_close(tree);
	test_memory_close(&memory);
	recording_free(&r);
}

static void what_comes_later_counts(void **state)
{
	struct recording r = {0};
	struct test_memory memory;
	struct file_tree *tree;

	(void)state;
	record_text(&r, "./a/file", "first");
	record_text(&r, "b", "else");
	record_text(&r, "/a//x/../file", "second");
	test_memory_open(&memory);
	tree = recording_tree(&r, &memory.allocator);
	expect_read(tree, "a/file", "second");
	file_tree_close(tree);
	test_memory_close(&memory);
	recording_free(&r);
}

static void paths_that_are_too_long_are_refused(void **state)
{
	static char deep[FILE_PATH_SIZE + 16];
	struct test_memory memory;
	struct file_tree *tree = NULL;
	char text[8];

	(void)state;
	test_memory_open(&memory);
	assert_int_equal(file_tree_in_memory(&memory.allocator, &tree), 0);
	for (size_t i = 0; i < sizeof(deep) - 1; i++)
		deep[i] = i % 2 ? '/' : 'd';
	assert_int_equal(file_tree_add(tree, deep, FILE_IS_REGULAR, "x", 1), -ENAMETOOLONG);
	deep[FILE_PATH_SIZE - 3] = 0;
	assert_int_equal(file_tree_add(tree, deep, FILE_IS_REGULAR, "x", 1), 0);
	assert_int_equal(file_tree_add(tree, "down", FILE_IS_LINK, deep, strlen(deep)), 0);
	assert_int_equal(file_tree_add(tree, "d/long", FILE_IS_LINK, deep, strlen(deep)), 0);
	file_tree_seal(tree);
	expect_read(tree, "down", "x");
	expect_read(tree, deep, "x");
	/* one folder deeper than the file is */
	assert_int_equal(file_read(tree, "d/long", text, sizeof(text)), -ENOTDIR);
	assert_int_equal(file_read(tree, "down/more", text, sizeof(text)), -ENAMETOOLONG);
	file_tree_close(tree);
	test_memory_close(&memory);
}

/* ---- beside the kernel ---- */

static const char *const names[] = {"a", "b", "c", "a-", "a.b"};

/* Some names with slashes between; "." and ".." among them. */
static void random_path(struct rng *rng, char *path, bool dots, unsigned most)
{
	const unsigned count = (unsigned)rng_between(rng, 1, most);

	path[0] = 0;
	for (unsigned i = 0; i < count; i++) {
		if (i)
			strcat(path, "/");
		strcat(path, dots && rng_chance(rng, 35) ? (rng_chance(rng, 70) ? ".." : ".")
							 : names[rng_below(rng, COUNT(names))]);
	}
}

/* Is @path, or something in front of it or behind it, taken as another kind of file? */
static bool collides(const struct recording *r, const char *path)
{
	for (size_t i = 0; i < r->count; i++) {
		const char *other = r->files[i].path;
		const size_t length = strlen(other), own = strlen(path);

		if (strncmp(other, path, length < own ? length : own) == 0 &&
		    (length == own || (length < own ? path[length] : other[own]) == '/'))
			return true;
	}
	return false;
}

static void random_tree(struct rng *rng, struct recording *r)
{
	for (unsigned i = 0; i < 14; i++) {
		char path[64], target[66];
		bool absolute;

		random_path(rng, path, false, 3);
		if (collides(r, path))
			continue;
		absolute = rng_chance(rng, 25);
		target[0] = '/';
		random_path(rng, target + 1, true, 4);
		if (rng_chance(rng, 55))
			record_link(r, path, target + !absolute);
		else if (rng_chance(rng, 20))
			record(r, path, FILE_IS_DIRECTORY, NULL, 0);
		else
			record_text(r, path, path);
	}
}

/* Both say the same of @path: its content, where it leads. */
static void compare(struct file_tree *a, struct file_tree *b, const char *path, uint64_t seed)
{
	char x[64] = "", y[64] = "";
	const long read = file_read(a, path, x, sizeof(x) - 1);
	const long expected = file_read(b, path, y, sizeof(y) - 1);

	if (read != expected || strcmp(x, y) != 0)
		fail_msg("seed %llu: %s: %ld '%s', the kernel has %ld '%s'",
			 (unsigned long long)seed, path, read, x, expected, y);
	memset(x, 0, sizeof(x));
	memset(y, 0, sizeof(y));
	const long leads = file_link(a, path, x, sizeof(x));
	const long expected_leads = file_link(b, path, y, sizeof(y));

	if (leads != expected_leads || strcmp(x, y) != 0)
		fail_msg("seed %llu: %s leads to %ld '%s', for the kernel to %ld '%s'",
			 (unsigned long long)seed, path, leads, x, expected_leads, y);
}

static int count_name(void *ctx, const char *name)
{
	(void)name;
	++*(unsigned *)ctx;
	return 0;
}

static void compare_lists(struct file_tree *a, struct file_tree *b, const char *path, uint64_t seed)
{
	unsigned found = 0, expected = 0;
	const int x = file_list(a, path, count_name, &found);
	const int y = file_list(b, path, count_name, &expected);

	if (x != y || found != expected)
		fail_msg("seed %llu: %s: %d, %u names, the kernel has %d, %u",
			 (unsigned long long)seed, path, x, found, y, expected);
}

static void one_random_tree(uint64_t seed)
{
	struct rng rng = rng_of(seed);
	struct recording r = {0};
	struct test_memory memory;
	struct file_tree *tree, *disk;
	char folder[64];

	random_tree(&rng, &r);
	recording_directory(&r, folder);
	test_memory_open(&memory);
	tree = recording_tree(&r, &memory.allocator);
	assert_int_equal(file_tree_of_directory(folder, &memory.allocator, &disk), 0);
	for (unsigned i = 0; i < 200; i++) {
		char path[64];

		random_path(&rng, path, true, 5);
		compare(tree, disk, path, seed);
		compare_lists(tree, disk, path, seed);
	}
	file_tree_close(tree);
	file_tree_close(disk);
	test_memory_close(&memory);
	directory_remove(folder);
	recording_free(&r);
}

static void memory_answers_as_the_kernel_does(void **state)
{
	const unsigned rounds = random_rounds(150);

	(void)state;
	for (unsigned i = 0; i < rounds; i++)
		one_random_tree(random_seed() + i);
}

/* ---- archives that are not whole ---- */

/* The first @cut bytes are refused, or all that is missing is what comes behind the last file. */
static void cut_archive(const uint8_t *archive, size_t cut, const char *filter)
{
	struct busway_system_error error = {0};
	struct busway_system *machine = NULL;
	struct test_memory memory;
	uint8_t *part = malloc(cut);
	size_t gaps = 0; /* one is about memory, of which the machine tells nothing */
	int status;

	memcpy(part, archive, cut);
	test_memory_open(&memory);
	status = busway_system_read_archive(part, cut, &memory.allocator, &machine, &error);
	if (status == 0) {
		busway_system_gaps(machine, &gaps);
		if (gaps != 1 || busway_pci_count(busway_system_pci(machine)) != 8)
			fail_msg("%s: the first %zu bytes are taken for all", filter, cut);
		busway_system_free(machine);
	} else {
		assert_int_equal(status, -BUSWAY_EINVAL);
		assert_true(error.file[0] && error.message[0]);
	}
	test_memory_close(&memory);
	free(part);
}

static void a_cut_archive_is_refused(void **state)
{
	static const char *const filters[] = {"none", "gzip", "xz"};
	struct recording r = {0};

	(void)state;
	record_switch(&r);
	/* the last function of all, so that no cut leaves out nothing but what nobody misses */
	record_without(&r, "sys/bus/pci/devices/0000:05:00.0");
	record_link(&r, "sys/bus/pci/devices/0000:05:00.0",
		    "../../../devices/pci0000:00/0000:00:02.0/0000:05:00.0");
	for (size_t i = 0; i < COUNT(filters); i++) {
		size_t size;
		uint8_t *archive = recording_archive(&r, filters[i], &size);

		/* plain ones right between two files as well */
		for (size_t cut = 1; cut < size; cut += i || cut % 256 ? 1 : 255)
			cut_archive(archive, cut, filters[i]);
		free(archive);
	}
	recording_free(&r);
}

static void what_does_not_fit_into_memory_is_refused(void **state)
{
	/* one file of 8 GiB, as its header says */
	uint8_t *archive;
	struct recording r = {0};
	struct busway_system_error error = {0};
	struct busway_system *machine = NULL;
	struct test_memory memory;
	unsigned sum = 0;
	size_t size;

	(void)state;
	record_text(&r, "sys/x", "y");
	archive = recording_archive(&r, "none", &size);
	memcpy(archive + 124, "77777777777", 11);
	memset(archive + 148, ' ', 8);
	for (unsigned i = 0; i < 512; i++)
		sum += archive[i];
	snprintf((char *)archive + 148, 8, "%06o", sum);
	test_memory_open(&memory);
	assert_int_equal(
		busway_system_read_archive(archive, size, &memory.allocator, &machine, &error),
		-BUSWAY_EINVAL);
	assert_string_equal(error.file, "sys/x");
	assert_non_null(strstr(error.message, "256 MiB"));
	test_memory_close(&memory);
	free(archive);
	recording_free(&r);
}

static void other_files_are_no_archives(void **state)
{
	static const uint8_t tree[600] = {0xd0, 0x0d, 0xfe, 0xed};
	static const uint8_t zeros[1024];

	(void)state;
	assert_false(looks_like_archive(tree, sizeof(tree)));
	assert_false(looks_like_archive(zeros, sizeof(zeros)));
	assert_false(looks_like_archive("", 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links_lead_nowhere_but_inside),
		cmocka_unit_test(archives_of_all_kinds_are_the_same_tree),
		cmocka_unit_test(a_folder_becomes_the_root),
		cmocka_unit_test(what_comes_later_counts),
		cmocka_unit_test(paths_that_are_too_long_are_refused),
		cmocka_unit_test(memory_answers_as_the_kernel_does),
		cmocka_unit_test(a_cut_archive_is_refused),
		cmocka_unit_test(what_does_not_fit_into_memory_is_refused),
		cmocka_unit_test(other_files_are_no_archives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
