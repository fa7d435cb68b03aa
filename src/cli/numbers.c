/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * numbers.c - addresses, sizes and ranges as people write them.
 *
 * Decimal or 0x and hex, with underscores between digits, and K, M, G, T behind. A leading 0 that
 * is not 0x is refused: octal to C, decimal to others, and never what an address looks like.
 */
#include "cli.h"

#include <ctype.h>
#include <string.h>

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static unsigned suffix_shift(char c)
{
	switch (toupper((unsigned char)c)) {
	case 'K':
		return 10;
	case 'M':
		return 20;
	case 'G':
		return 30;
	case 'T':
		return 40;
	default:
		return 0;
	}
}

static bool has_leading_zero(const char *text)
{
	return text[0] == '0' && (isdigit((unsigned char)text[1]) || text[1] == '_');
}

/* @is_2_64: the number is 2^64 exactly, which only a size can be. */
static bool parse_until(const char *text, const char *end, uint64_t *value, bool *is_2_64)
{
	unsigned base = 10, shift = 0;
	bool digits = false, carry = false, was_digit = false;
	uint64_t v = 0;

	*is_2_64 = false;
	if (end - text > 2 && text[0] == '0' && tolower((unsigned char)text[1]) == 'x') {
		base = 16;
		text += 2;
	} else if (end - text > 1 && has_leading_zero(text)) {
		return false;
	}
	if (end > text && suffix_shift(end[-1]))
		shift = suffix_shift(*--end);
	for (; text < end; text++) {
		const int d = digit_value(*text);

		if (*text == '_' && was_digit && text + 1 < end) {
			was_digit = false;
			continue;
		}
		if (d < 0 || (unsigned)d >= base || carry)
			return false;
		if (v > (UINT64_MAX - (unsigned)d) / base) {
			/* the one number beyond 64 bits that is allowed, by its last digit */
			carry = v == UINT64_MAX / base + 1 -
						(UINT64_MAX % base == base - 1 ? 0 : 1) &&
				v * base + (unsigned)d == 0;
			if (!carry)
				return false;
		}
		v = v * base + (unsigned)d;
		digits = was_digit = true;
	}
	if (!digits || !was_digit)
		return false;
	if (carry || (shift && v == (uint64_t)1 << (64 - shift))) {
		*is_2_64 = !(carry && shift);
		return *is_2_64;
	}
	if (shift && v > UINT64_MAX >> shift)
		return false;
	*value = v << shift;
	return true;
}

const char *number_hint(const char *text)
{
	for (; text; text = strpbrk(text, "+-")) {
		text += strspn(text, "+-");
		if (has_leading_zero(text))
			return " (octal is not taken: write decimal without a 0 in front, or 0x "
			       "and hex)";
	}
	return "";
}

bool parse_number(const char *text, uint64_t *value)
{
	bool is_2_64;

	return parse_until(text, text + strlen(text), value, &is_2_64) && !is_2_64;
}

/* 80000000, as node names have it, is a decimal number here: nobody writes addresses so. */
static void doubt_decimal(const char *text, const char *end)
{
	enum { LOOKS_LIKE_AN_ADDRESS = 8 };
	const size_t digits = strspn(text, "0123456789");

	if (digits >= LOOKS_LIKE_AN_ADDRESS && text + digits == end)
		fprintf(stderr, "busway: note: %.*s is decimal; 0x%.*s would be hex\n", (int)digits,
			text, (int)digits, text);
}

bool parse_range(const char *text, bool single, struct busway_range *range)
{
	const char *mark = strpbrk(text, "+-");
	const char *end = text + strlen(text);
	uint64_t first, second = 0;
	bool is_2_64;

	doubt_decimal(text, mark ? mark : end);

	if (!parse_until(text, mark ? mark : end, &first, &is_2_64) || is_2_64)
		return false;
	if (!mark)
		return single && busway_range_make(first, 1, range);
	if (!parse_until(mark + 1, end, &second, &is_2_64))
		return false;
	if (is_2_64) {
		*range = BUSWAY_RANGE_ALL;
		return *mark == '+' && first == 0;
	}
	if (*mark == '+')
		return busway_range_make(first, second, range);
	*range = (struct busway_range){first, second};
	return first <= second;
}
