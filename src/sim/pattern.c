/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pattern.c - bytes that can be told from all others: by the number of their pattern, and by their
 * place in it.
 */
#include "sim_internal.h"

static uint64_t word_of(uint64_t pattern, uint64_t index)
{
	return sim_mix(sim_mix(pattern) + (index + 1) * 0x9e3779b97f4a7c15);
}

static unsigned char byte_of(uint64_t word, uint64_t offset)
{
	return (unsigned char)(word >> 8 * (offset % 8));
}

void busway_pattern_fill(uint64_t pattern, uint64_t offset, void *bytes, size_t size)
{
	unsigned char *at = bytes;
	uint64_t word = word_of(pattern, offset / 8);

	for (size_t i = 0; i < size; i++, offset++) {
		if (offset % 8 == 0)
			word = word_of(pattern, offset / 8);
		at[i] = byte_of(word, offset);
	}
}

size_t busway_pattern_check(uint64_t pattern, uint64_t offset, const void *bytes, size_t size)
{
	const unsigned char *at = bytes;
	uint64_t word = word_of(pattern, offset / 8);

	for (size_t i = 0; i < size; i++, offset++) {
		if (offset % 8 == 0)
			word = word_of(pattern, offset / 8);
		if (at[i] != byte_of(word, offset))
			return i;
	}
	return size;
}
