/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text.h - write a sentence into a buffer that may be too small; no stdio, no allocation.
 */
#ifndef BUSWAY_TEXT_H
#define BUSWAY_TEXT_H

#include <busway/addr.h>

struct text {
	char *buf;
	size_t size;   /* of buf; may be 0 */
	size_t length; /* of the whole text, whether it fits or not */
};

/* An empty text in @buf; ends with a NUL from here on, where @size > 0. */
struct text text_open(char *buf, size_t size);

/* Nothing more comes: what was cut inside a UTF-8 character is cut before it. */
void text_close(struct text *text);

void text_put(struct text *text, const char *s);
void text_put_hex(struct text *text, uint64_t value);
void text_put_decimal(struct text *text, uint64_t value);

/* "0x1000..0x1fff" */
void text_put_range(struct text *text, struct busway_range range);

/* "64 KiB", "3 GiB", or hex where no unit fits evenly */
void text_put_size(struct text *text, uint64_t bytes);

#endif
