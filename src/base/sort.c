/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sort.c - heapsort: n log n on any input, no memory, not stable. A freestanding C has no qsort.
 */
#include "sort.h"

static void swap(unsigned char *a, unsigned char *b, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		unsigned char c = a[i];

		a[i] = b[i];
		b[i] = c;
	}
}

static void sift_down(unsigned char *items, size_t root, size_t count, size_t size,
		      bool (*before)(const void *a, const void *b))
{
	for (size_t child; (child = 2 * root + 1) < count; root = child) {
		if (child + 1 < count && before(items + child * size, items + (child + 1) * size))
			child++;
		if (!before(items + root * size, items + child * size))
			return;
		swap(items + root * size, items + child * size, size);
	}
}

void sort(void *items, size_t count, size_t size, bool (*before)(const void *a, const void *b))
{
	unsigned char *bytes = items;
	size_t i = 1;

	/* what is in order already, as most tables are, costs one pass */
	while (i < count && !before(bytes + i * size, bytes + (i - 1) * size))
		i++;
	if (i >= count)
		return;
	for (i = count / 2; i-- > 0;)
		sift_down(bytes, i, count, size, before);
	for (i = count; i-- > 1;) {
		swap(bytes, bytes + i * size, size);
		sift_down(bytes, 0, i, size, before);
	}
}
