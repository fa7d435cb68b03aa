/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bytes.h - the four functions on bytes that every environment has, hosted or not.
 */
#ifndef BUSWAY_BYTES_H
#define BUSWAY_BYTES_H

#if __STDC_HOSTED__
#include <string.h>
#else
#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *at, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);
#endif

#endif
