/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * refusal_test.c - every reason for which a directory refuses, provoked once and told in words.
 *
 *   0x1000..0x2fff   reached for all, but at 0x4000..0x4fff for reading only
 *   0x8000..0x8fff   out of reach
 */
#include "model.h"

#include <string.h>

static int translate(struct busway_buffers *buffers, uint64_t va, uint64_t length,
		     struct busway_refusal *why)
{
	busway_dma_t dma;

	return busway_buffers_translate(buffers, va, length, BUSWAY_WRITE, &dma, why);
}

static int what_overlaps(struct busway_buffers *buffers, struct busway_refusal *why)
{
	const struct busway_buffer b = {.va = {0, 0xffff}, .access = BUSWAY_READ};

	return busway_buffers_register(buffers, &b, why);
}

static int what_is_nowhere(struct busway_buffers *buffers, struct busway_refusal *why)
{
	return translate(buffers, 0x3000, 16, why);
}

static int what_is_behind_all(struct busway_buffers *buffers, struct busway_refusal *why)
{
	return translate(buffers, 0x9000, 16, why);
}

static int what_is_not_there(struct busway_buffers *buffers, struct busway_refusal *why)
{
	return busway_buffers_unregister(buffers, (struct busway_range){0x3000, 0x3fff}, why);
}

static int a_part(struct busway_buffers *buffers, struct busway_refusal *why)
{
	return busway_buffers_unregister(buffers, (struct busway_range){0x1000, 0x1fff}, why);
}

static int what_goes_too_far(struct busway_buffers *buffers, struct busway_refusal *why)
{
	return translate(buffers, 0x2ff0, 32, why);
}

static int what_is_out_of_reach(struct busway_buffers *buffers, struct busway_refusal *why)
{
	return translate(buffers, 0x8010, 16, why);
}

static int what_is_to_be_read_only(struct busway_buffers *buffers, struct busway_refusal *why)
{
	return translate(buffers, 0x4010, 16, why);
}

static const struct {
	enum busway_reason reason;
	int (*provoke)(struct busway_buffers *buffers, struct busway_refusal *why);
	const char *detail, *advice;
} cases[] = {
	{BUSWAY_BUFFER_OVERLAP, what_overlaps,
	 "NIC: virtual 0x0..0xffff: a buffer is registered there already (which is 0x1000..0x2fff)",
	 ""},
	{BUSWAY_BUFFER_UNKNOWN, what_is_nowhere,
	 "NIC: virtual 0x3000..0x300f: no buffer is registered there (the next one is "
	 "0x4000..0x4fff)",
	 ""},
	{BUSWAY_BUFFER_UNKNOWN, what_is_behind_all,
	 "NIC: virtual 0x9000..0x900f: no buffer is registered there", ""},
	{BUSWAY_BUFFER_UNKNOWN, what_is_not_there,
	 "NIC: virtual 0x3000..0x3fff: no buffer is registered there", ""},
	{BUSWAY_BUFFER_PART, a_part,
	 "NIC: virtual 0x1000..0x1fff: buffers are unregistered as a whole, as they were registered "
	 "(which is 0x1000..0x2fff)",
	 ""},
	{BUSWAY_BUFFER_END, what_goes_too_far,
	 "NIC: virtual 0x2ff0..0x300f: this goes on behind the end of the buffer (in one buffer is "
	 "0x2ff0..0x2fff)",
	 "split it behind 0x2fff"},
	{BUSWAY_BUFFER_UNREACHED, what_is_out_of_reach,
	 "NIC: virtual 0x8010..0x801f: the device does not reach this buffer (which is "
	 "0x8000..0x8fff)",
	 ""},
	{BUSWAY_BUFFER_ACCESS, what_is_to_be_read_only,
	 "NIC: virtual 0x4010..0x401f: the device may not do that with this buffer (which is "
	 "0x4000..0x4fff)",
	 ""},
};

static void every_reason_is_provoked_and_told_in_words(void **state)
{
	static const struct busway_buffer there[] = {
		{{0x1000, 0x2fff}, {0x70001000}, BUSWAY_READ_WRITE, NULL},
		{{0x4000, 0x4fff}, {0x70004000}, BUSWAY_READ, NULL},
		{{0x8000, 0x8fff}, {0}, 0, NULL},
	};
	const struct busway_buffers_options options = {.name = "NIC"};
	bool provoked[BUSWAY_REASON_COUNT] = {false};
	struct busway_buffers *buffers;
	struct test_memory memory;

	(void)state;
	test_memory_open(&memory);
	assert_int_equal(busway_buffers_create(&options, &memory.allocator, &buffers), 0);
	for (size_t i = 0; i < COUNT(there); i++)
		assert_int_equal(busway_buffers_register(buffers, &there[i], NULL), 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct busway_refusal why = {0};
		char text[400];

		assert_int_equal(cases[i].provoke(buffers, NULL), -BUSWAY_ERANGE);
		assert_int_equal(cases[i].provoke(buffers, &why), -BUSWAY_ERANGE);
		assert_int_equal(why.reason, cases[i].reason);
		busway_refusal_detail(&why, text, sizeof(text));
		assert_string_equal(text, cases[i].detail);
		busway_refusal_advice(&why, text, sizeof(text));
		assert_string_equal(text, cases[i].advice);
		provoked[why.reason] = true;
	}
	for (int r = BUSWAY_BUFFER_OVERLAP; r <= BUSWAY_BUFFER_ACCESS; r++)
		if (!provoked[r])
			fail_msg("nothing provokes %s", busway_reason_code((enum busway_reason)r));
	busway_buffers_destroy(buffers);
	test_memory_close(&memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_reason_is_provoked_and_told_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
