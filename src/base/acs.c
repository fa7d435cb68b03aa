/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acs.c - the bits of ACS in words.
 */
#include "text.h"

#include <busway/acs.h>

const char *busway_acs_text(uint16_t bits, char *buf, size_t size)
{
	static const char *const names[] = {"SV", "TB", "RR", "CR", "UF", "EC", "DT"};
	struct text text = text_open(buf, size);

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!(bits & 1U << i))
			continue;
		if (text.length)
			text_put(&text, ", ");
		text_put(&text, names[i]);
	}
	if (!text.length)
		text_put(&text, "-");
	text_close(&text);
	return buf;
}
