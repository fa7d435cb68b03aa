/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_memory.h - an allocator that counts, fails on demand and remembers misuse.
 *
 * Fresh memory is filled with garbage, so that nothing may count on zeroes. Each block is one of
 * its own, so that the address sanitizer sees a byte too far.
 */
#ifndef BUSWAY_TEST_MEMORY_H
#define BUSWAY_TEST_MEMORY_H

#include <busway/allocator.h>

#include <stdbool.h>

struct test_memory_block;

struct test_memory {
	struct busway_allocator allocator;
	unsigned long calls;   /* of alloc so far, failed ones too */
	unsigned long fail_at; /* this call fails, counted from 1; 0: none does */
	bool fail_on;          /* and so do all behind it */
	size_t blocks;         /* not given back */
	const char *misuse;    /* the first wrong call; NULL: none */
	struct test_memory_block *list;
};

void test_memory_open(struct test_memory *memory);

/* Count and fail anew, from the next call on. */
void test_memory_fail_at(struct test_memory *memory, unsigned long call, bool and_all_later);

/* Fails the test if a block was not given back or a call was wrong; frees what is left. */
void test_memory_close(struct test_memory *memory);

#endif
