/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_memory.c - see test_memory.h.
 */
#define _POSIX_C_SOURCE 200112L

#include "test_memory.h"

#include "test.h"

#include <stdlib.h>
#include <string.h>

struct test_memory_block {
	struct test_memory_block *next;
	void *mem;
	size_t size, align;
};

static void complain(struct test_memory *memory, const char *misuse)
{
	if (!memory->misuse)
		memory->misuse = misuse;
}

static void *take(void *ctx, size_t size, size_t align)
{
	struct test_memory *memory = ctx;
	struct test_memory_block *block;

	memory->calls++;
	if (size == 0)
		complain(memory, "0 bytes were asked for");
	if (!align || (align & (align - 1)))
		complain(memory, "an alignment is no power of two");
	if (memory->fail_at &&
	    (memory->fail_on ? memory->calls >= memory->fail_at : memory->calls == memory->fail_at))
		return NULL;
	if (size > SIZE_MAX / 4)
		return NULL;
	block = malloc(sizeof(*block));
	if (!block)
		return NULL;
	*block = (struct test_memory_block){memory->list, NULL, size, align};
	if (posix_memalign(&block->mem, align < sizeof(void *) ? sizeof(void *) : align, size)) {
		free(block);
		return NULL;
	}
	memset(block->mem, 0xa5, size);
	memory->list = block;
	memory->blocks++;
	return block->mem;
}

static void give_back(void *ctx, void *mem, size_t size, size_t align)
{
	struct test_memory *memory = ctx;

	for (struct test_memory_block **at = &memory->list; *at; at = &(*at)->next) {
		struct test_memory_block *block = *at;

		if (block->mem != mem)
			continue;
		if (block->size != size)
			complain(memory, "a block was given back with another size");
		if (block->align != align)
			complain(memory, "a block was given back with another alignment");
		*at = block->next;
		memset(mem, 0xdd, block->size);
		free(mem);
		free(block);
		memory->blocks--;
		return;
	}
	complain(memory, "what was given back had not been taken");
}

void test_memory_open(struct test_memory *memory)
{
	*memory = (struct test_memory){.allocator = {take, give_back, memory}};
}

void test_memory_fail_at(struct test_memory *memory, unsigned long call, bool and_all_later)
{
	memory->calls = 0;
	memory->fail_at = call;
	memory->fail_on = and_all_later;
}

void test_memory_close(struct test_memory *memory)
{
	const size_t leaked = memory->blocks;

	while (memory->list) {
		struct test_memory_block *block = memory->list;

		memory->list = block->next;
		free(block->mem);
		free(block);
	}
	memory->blocks = 0;
	if (memory->misuse)
		fail_msg("allocator: %s", memory->misuse);
	if (leaked)
		fail_msg("allocator: %zu blocks were not given back", leaked);
}
