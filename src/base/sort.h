/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BUSWAY_SORT_H
#define BUSWAY_SORT_H

#include <stdbool.h>
#include <stddef.h>

/* Heapsort: a freestanding C has no qsort. Not stable. */
void sort(void *items, size_t count, size_t size, bool (*before)(const void *a, const void *b));

#endif
