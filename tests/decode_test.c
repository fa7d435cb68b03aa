/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * decode_test.c - who takes an address of a space, where claims overlap.
 *
 * Asked through the platform: a device enters the space, and what its access meets there tells.
 * The rules: regions before windows, regions by kind, of a kind and of windows the first one
 * added; unknown memory only where nothing else is.
 */
#include "support/plan.h"
#include "support/random.h"
#include "support/test.h"
#include "support/twin.h"

/* What the byte at @address meets in the device's first space, as a letter. */
static char taker(struct plan *plan, uint64_t address)
{
	struct busway_path path;
	struct busway_refusal why = {0};
	const int status = plan_resolve(plan, 0, (struct busway_range){address, address},
					BUSWAY_READ_WRITE, &path, &why);

	assert_true(path.hop_count > 0);
	if (path.hops[0].window)
		return (char)('0' + path.hops[0].window->entry);
	if (status)
		return why.reason == BUSWAY_RESERVED   ? 'c'
		       : why.reason == BUSWAY_APERTURE ? 'a'
						       : '.';
	assert_int_equal(path.target_count, 1);
	switch (busway_platform_region(plan->platform, path.targets[0])->kind) {
	case BUSWAY_REGION_DOORBELL:
		return 'd';
	case BUSWAY_REGION_RAM:
		return 'r';
	default:
		return 'u';
	}
}

/* ---- pictures ---- */

struct claim_case {
	const char *because;
	const char *claims[6]; /* in the order in which they are added */
	const char *expected;
};

/* Addresses from @base on must be taken as the picture says. */
static void check_picture(struct plan *plan, uint64_t base, const struct claim_case *c)
{
	for (size_t i = 0; c->expected[i]; i++)
		if (taker(plan, base + i) != c->expected[i]) {
			plan_print(plan);
			fail_msg("%s: address %zu of %s is taken by %c", c->because, i, c->expected,
				 taker(plan, base + i));
		}
}

/* Add what a row like "..00.." or "....cc" shows: digits are windows, letters regions. */
static void add_claim(struct plan *plan, uint32_t space, uint64_t base, const char *row)
{
	size_t first = 0, last;

	while (row[first] == '.')
		first++;
	last = first;
	while (row[last + 1] == row[first])
		last++;
	const struct busway_range range = {base + first, base + last};

	switch (row[first]) {
	case 'd':
		plan_region(plan, space, BUSWAY_REGION_DOORBELL, range);
		break;
	case 'c':
		plan_region(plan, space, BUSWAY_REGION_CARVEOUT, range);
		break;
	case 'a':
		plan_region(plan, space, BUSWAY_REGION_APERTURE, range);
		break;
	case 'r':
		plan_region(plan, space, BUSWAY_REGION_RAM, range);
		break;
	case 'u':
		plan_region(plan, space, BUSWAY_REGION_UNKNOWN, range);
		break;
	default: {
		const uint32_t made = plan_window(plan, space, 0, range, first);

		plan->windows[made].entry = (uint32_t)(row[first] - '0');
		break;
	}
	}
}

static const struct claim_case claim_cases[] = {
	{"alone", {"..0000.."}, "..0000.."},
	{"nothing between", {"00......", "......11"}, "00....11"},
	{"they adjoin", {"0000....", "....1111"}, "00001111"},
	{"the first one wins its whole range", {"..0000..", "11111111"}, "11000011"},
	{"inside an earlier one: never seen", {"00000000", "..1111.."}, "00000000"},
	{"the same range: the first one", {"..0000..", "..1111.."}, "..0000.."},
	{"overlap on the right", {"0000....", "..1111.."}, "000011.."},
	{"overlap on the left", {"..0000..", "1111...."}, "110000.."},
	{"one address short of the whole", {".0000000", "11111111"}, "10000000"},
	{"one address of the earlier", {"...0....", "11111111"}, "11101111"},
	{"the later shows through a hole", {"00......", ".....000", "11111111"}, "00111000"},
	{"the second hides the third", {"..0.....", ".1111...", "22222222"}, "21011222"},
	{"the third where both end", {"00......", "0000....", "22222222"}, "00002222"},
	{"regions before windows", {"00000000", "..aaaa.."}, "00aaaa00"},
	{"regions before earlier windows", {"..aaaa..", "00000000"}, "00aaaa00"},
	{"a doorbell wins of all", {"rrrrrrrr", "..cccc..", ".aaaa...", "...d...."}, "racdccrr"},
	{"a carve-out wins of an aperture", {"aaaaaaaa", "..cccc.."}, "aaccccaa"},
	{"an aperture wins of memory", {"rrrrrrrr", "..aaaa.."}, "rraaaarr"},
	{"memory wins of what is unknown", {"uuuuuuuu", "..rrrr.."}, "uurrrruu"},
	{"windows win of what is unknown", {"uuuuuuuu", "..0000.."}, "uu0000uu"},
	{"a window and memory leave the rest", {"uuuuuuuu", "00......", "......rr"}, "00uuuurr"},
};

static void overlapping_claims_are_settled_by_precedence(void **state)
{
	static const uint64_t bases[] = {0, 0x100000000 - 4, UINT64_MAX - 7};

	(void)state;
	for (size_t i = 0; i < COUNT(claim_cases); i++) {
		for (size_t b = 0; b < COUNT(bases); b++) {
			struct plan plan;
			uint32_t space;

			plan_init(&plan);
			space = plan_space(&plan, BUSWAY_SPACE_PCI);
			plan_device(&plan, space);
			for (size_t c = 0; c < COUNT(claim_cases[i].claims); c++)
				if (claim_cases[i].claims[c])
					add_claim(&plan, space, bases[b], claim_cases[i].claims[c]);
			plan_open(&plan);
			check_picture(&plan, bases[b], &claim_cases[i]);
			plan_close(&plan);
		}
	}
}

/* ---- chance ---- */

/* 40 windows and regions over 256 addresses, small and large, in one space. */
static void random_claims(struct plan *plan, struct rng *rng, uint64_t base)
{
	static const enum busway_region_kind kinds[] = {
		BUSWAY_REGION_DOORBELL, BUSWAY_REGION_CARVEOUT, BUSWAY_REGION_APERTURE,
		BUSWAY_REGION_RAM,      BUSWAY_REGION_UNKNOWN,
	};
	const uint64_t count = rng_below(rng, 40);
	const uint32_t space = plan_space(plan, BUSWAY_SPACE_BUS);

	plan_device(plan, space);
	for (uint64_t i = 0; i < count; i++) {
		const uint64_t first = rng_below(rng, 256);
		const uint64_t room = 256 - first;
		const uint64_t length =
			rng_below(rng, rng_chance(rng, 50) && room > 20 ? 20 : room);
		const struct busway_range range = {base + first, base + first + length};

		if (rng_chance(rng, 60))
			plan_window(plan, space, 0, range, rng_below(rng, 256));
		else
			plan_region(plan, space, kinds[rng_below(rng, COUNT(kinds))], range);
	}
}

/* One byte: the library's first hop against a scan of everything that was declared. */
static void check_byte(struct plan *plan, uint64_t address)
{
	const struct twin_end end = twin_follow(plan, 0, address, BUSWAY_READ_WRITE);
	struct busway_path path;
	struct busway_refusal why = {0};
	const int status = plan_resolve(plan, 0, (struct busway_range){address, address},
					BUSWAY_READ_WRITE, &path, &why);
	const uint32_t window = path.hops[0].window ? path.hops[0].window->entry : UINT32_MAX;

	if ((status == 0) != (end.reason == BUSWAY_NOT_REFUSED) || window != end.window ||
	    (status && why.reason != end.reason) ||
	    (!status && path.targets[0].index != end.region)) {
		plan_print(plan);
		fail_msg("address 0x%" PRIx64 ": window %" PRIu32 ", not %" PRIu32, address, window,
			 end.window);
	}
}

static void random_overlaps_are_settled_as_by_looking_at_each(void **state)
{
	static const uint64_t bases[] = {0, 0x1234500, 0 - (uint64_t)256};
	const unsigned rounds = random_rounds(250);

	(void)state;
	for (unsigned round = 0; round < rounds; round++) {
		struct rng rng = rng_of(random_seed() + round);
		const uint64_t base = bases[round % COUNT(bases)];
		struct plan plan;

		plan_init(&plan);
		plan.seed = random_seed() + round;
		random_claims(&plan, &rng, base);
		plan_open(&plan);
		for (uint64_t i = 0; i < 256; i++)
			check_byte(&plan, base + i);
		check_byte(&plan, base - 1);
		check_byte(&plan, base + 256);
		check_byte(&plan, 0);
		check_byte(&plan, UINT64_MAX);
		plan_close(&plan);
	}
}

/* Windows in any order of their addresses come out sorted: the sort of the core, on many. */
static void many_windows_are_found_in_any_order(void **state)
{
	enum { WINDOWS = 3000 };
	struct test_memory memory;
	struct busway_platform *platform;
	const struct busway_space bus = {.name = "/bus", .kind = BUSWAY_SPACE_BUS};
	const struct busway_region ram = {
		.range = BUSWAY_RANGE_ALL,
		.kind = BUSWAY_REGION_RAM,
		.access = BUSWAY_READ_WRITE,
		.name = "/ram",
	};
	struct busway_device device = {.name = "/dev", .restricted_pool = UINT32_MAX};
	busway_device_id id;

	(void)state;
	test_memory_open(&memory);
	assert_int_equal(busway_platform_create(&memory.allocator, &platform), 0);
	assert_int_equal(busway_platform_add_space(platform, &bus, &device.dma.enters), 0);
	assert_int_equal(busway_platform_add_region(platform, &ram), 0);
	for (uint64_t i = 0; i < WINDOWS; i++) {
		const uint64_t at = i * 1009 % WINDOWS * 0x1000; /* 1009 is prime: all of them */
		const struct busway_window window = {
			.from = device.dma.enters,
			.to = BUSWAY_CPU_SPACE,
			.in = {at, at + 0x7ff},
			.out = {at * 2},
			.access = BUSWAY_READ_WRITE,
			.name = "/bus",
		};

		assert_int_equal(busway_platform_add_window(platform, &window), 0);
	}
	assert_int_equal(busway_platform_add_device(platform, &device, &id), 0);
	assert_int_equal(busway_platform_seal(platform), 0);
	for (uint64_t i = 0; i < WINDOWS; i++) {
		const uint64_t at = i * 0x1000 + 0x7ff;
		const struct busway_dma_range inside = {{at}, {at}}, between = {{at + 1}, {at + 1}};
		struct busway_path path;

		assert_int_equal(
			busway_resolve(platform, id, inside, NULL, BUSWAY_READ, &path, NULL), 0);
		assert_int_equal(path.hops[1].range.first, i * 0x2000 + 0x7ff);
		assert_int_equal(
			busway_resolve(platform, id, between, NULL, BUSWAY_READ, NULL, NULL),
			-BUSWAY_ERANGE);
	}
	busway_platform_destroy(platform);
	test_memory_close(&memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(overlapping_claims_are_settled_by_precedence),
		cmocka_unit_test(random_overlaps_are_settled_as_by_looking_at_each),
		cmocka_unit_test(many_windows_are_found_in_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
