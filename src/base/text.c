/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text.c - see text.h.
 */
#include "text.h"

struct text text_open(char *buf, size_t size)
{
	if (size)
		buf[0] = '\0';
	return (struct text){.buf = buf, .size = size};
}

static void put_char(struct text *text, char c)
{
	if (text->length + 1 < text->size) {
		text->buf[text->length] = c;
		text->buf[text->length + 1] = '\0';
	}
	text->length++;
}

void text_put(struct text *text, const char *s)
{
	while (*s)
		put_char(text, *s++);
}

static void put_digits(struct text *text, uint64_t value, unsigned base)
{
	char digits[20];
	unsigned count = 0;

	do {
		digits[count++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	while (count)
		put_char(text, digits[--count]);
}

void text_put_hex(struct text *text, uint64_t value)
{
	text_put(text, "0x");
	put_digits(text, value, 16);
}

void text_put_decimal(struct text *text, uint64_t value)
{
	put_digits(text, value, 10);
}

void text_put_range(struct text *text, struct busway_range range)
{
	text_put_hex(text, range.first);
	text_put(text, "..");
	text_put_hex(text, range.last);
}

void text_put_size(struct text *text, uint64_t bytes)
{
	static const char *const units[] = {" bytes", " KiB", " MiB", " GiB", " TiB"};
	unsigned unit = 0;
	uint64_t count = bytes;

	while (count && count % 1024 == 0 && unit < 4) {
		count /= 1024;
		unit++;
	}
	if (count < 100000) {
		text_put_decimal(text, count);
		text_put(text, units[unit]);
	} else {
		text_put_hex(text, bytes);
		text_put(text, units[0]);
	}
}

void text_close(struct text *text)
{
	size_t end, tail = 0;
	unsigned char lead;

	if (!text->size || text->length < text->size)
		return;
	end = text->size - 1;
	while (tail < end && tail < 3 && (text->buf[end - 1 - tail] & 0xc0) == 0x80)
		tail++;
	if (tail == end)
		return;
	lead = (unsigned char)text->buf[end - 1 - tail];
	/* 110..., 1110..., 11110... lead one, two, three more bytes */
	if ((lead >= 0xc0 && tail < 1) || (lead >= 0xe0 && tail < 2) || (lead >= 0xf0 && tail < 3))
		text->buf[end - 1 - tail] = '\0';
}
