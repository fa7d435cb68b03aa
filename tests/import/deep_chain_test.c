/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * deep_chain_test.c - tables above tables above tables.
 *
 * "dma-mem" makes DMA parents out of any nodes, so that a chain of tables may be as long as the
 * file. The import must not need a stack of that length: callers have threads with small ones.
 * A program of its own, because too little stack ends it.
 */
#include "blob.h"
#include "support.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct job {
	const void *blob;
	size_t size;
	struct test_memory memory;
	struct busway_fdt_error error;
	int status;
};

static void *run(void *argument)
{
	struct job *job = argument;
	struct busway_platform *platform;

	job->status = busway_fdt_import(job->blob, job->size, BUSWAY_FDT_ALL_NODES,
					&job->memory.allocator, &platform, &job->error);
	if (job->status == 0)
		busway_platform_destroy(platform);
	return NULL;
}

/* Import on a thread with 2 MiB of stack: what some systems give every thread. */
static void import_with_little_stack(struct job *job)
{
	pthread_attr_t attributes;
	pthread_t thread;

	test_memory_open(&job->memory);
	assert_int_equal(pthread_attr_init(&attributes), 0);
	assert_int_equal(pthread_attr_setstacksize(&attributes, 2048 * 1024), 0);
	assert_int_equal(pthread_create(&thread, &attributes, run, job), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	pthread_attr_destroy(&attributes);
	test_memory_close(&job->memory);
}

/* Each node has a table, and the next node as its DMA parent. */
static void *chain_of_tables(uint32_t length, size_t *size)
{
	struct blob b;
	char name[32];

	blob_open(&b);
	blob_begin(&b, "");
	blob_cell(&b, "#address-cells", 1);
	blob_cell(&b, "#size-cells", 1);
	for (uint32_t i = 1; i <= length; i++) {
		snprintf(name, sizeof(name), "bus@%x", (unsigned)i);
		blob_begin(&b, name);
		blob_cell(&b, "phandle", i);
		blob_cell(&b, "#interconnect-cells", 0);
		if (i < length) {
			blob_cell(&b, "interconnects", i + 1);
			blob_string(&b, "interconnect-names", "dma-mem");
		}
		blob_cells(&b, "dma-ranges", 3, (uint32_t[]){0x0, 0x10, 0x10000000});
		blob_end(&b);
	}
	blob_end(&b);
	return blob_close(&b, size);
}

static void a_long_chain_of_tables_does_not_use_up_the_stack(void **state)
{
	struct job job = {0};
	void *blob = chain_of_tables(15000, &job.size);

	job.blob = blob;
	import_with_little_stack(&job);
	/* an answer, or a word why there is none */
	if (job.status != 0) {
		assert_int_equal(job.status, -BUSWAY_EINVAL);
		assert_true(job.error.message[0] != '\0');
	}
	free(blob);
	(void)state;
}

/* As deep as nodes may be nested, each with a table: an ordinary tree, if an odd one. */
static void tables_as_deep_as_nodes_may_be_are_followed(void **state)
{
	enum { DEPTH = 62 };
	struct tree tree;
	struct blob b;
	char path[DEPTH * 2 + 8];
	size_t size, used = 0;
	void *blob;

	blob_open(&b);
	blob_begin(&b, "");
	blob_cell(&b, "#address-cells", 1);
	blob_cell(&b, "#size-cells", 1);
	for (int i = 0; i < DEPTH; i++) {
		blob_begin(&b, "b");
		blob_cells(&b, "dma-ranges", 3, (uint32_t[]){0x0, 0x10, 0x10000000});
		used += (size_t)snprintf(path + used, sizeof(path) - used, "/b");
	}
	blob_begin(&b, "dev");
	for (int i = 0; i < DEPTH + 2; i++)
		blob_end(&b);
	snprintf(path + used, sizeof(path) - used, "/dev");
	blob = blob_close(&b, &size);
	tree_take(&tree, blob, size);
	/* each level moves addresses up by 0x10, and lets so much less through */
	assert_string_equal(windows_of(&tree, tree_device(&tree, path)), "0x0->0x3e0+0xffffc30");
	tree_close(&tree);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_as_deep_as_nodes_may_be_are_followed),
		cmocka_unit_test(a_long_chain_of_tables_does_not_use_up_the_stack),
	};

	return cmocka_run_group_tests_name("deep-chain", tests, NULL, NULL);
}
