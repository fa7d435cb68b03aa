/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wait_test.c - those who wait for slots, in their order: busway_map_or_wait().
 */
#include "rig.h"

#include <string.h>

enum { POOL_AT = 0x40000, POOL_SIZE = 0x8000, WAITERS = 5 };

struct scene {
	struct rig rig;
	struct busway_dma_device *device;
	struct busway_lane *lane;
	struct busway_mapping big, waiter[WAITERS];
	unsigned turns[WAITERS], turn_count;
};

static void turn(struct busway_mapping *mapping, void *ctx)
{
	struct scene *s = ctx;

	s->turns[s->turn_count++] = (unsigned)(mapping - s->waiter);
}

static int map_or_wait(struct scene *s, unsigned i, uint64_t size)
{
	struct busway_refusal why;

	return busway_map_or_wait(s->lane, rig_phys(0x90000 + i * 0x8000, size), BUSWAY_FROM_DEVICE,
				  0, &s->waiter[i], turn, s, &why);
}

static void open(struct scene *s)
{
	memset(s, 0, sizeof(*s));
	rig_draw(&s->rig);
	rig_open(&s->rig);
	assert_int_equal(
		busway_dma_add_pool(s->rig.dma, rig_phys(POOL_AT, POOL_SIZE), BUSWAY_USE_BOUNCE, 2),
		0);
	s->device = rig_attach(&s->rig, 0, NULL);
	s->lane = busway_dma_lane(s->device, 0);
	assert_int_equal(busway_dma_set_mask(s->device, 19, NULL, NULL), 0);
	assert_int_equal(busway_map(s->lane, rig_phys(0x80000, POOL_SIZE), BUSWAY_TO_DEVICE, 0,
				    &s->big, NULL),
			 0);
}

static void close_all(struct scene *s)
{
	struct busway_pool_census census;

	assert_int_equal(busway_dma_detach(s->device), 0);
	assert_true(busway_dma_pool(s->rig.dma, 0, &census));
	assert_int_equal(census.used, 0);
	assert_int_equal(rig_misuse_count(&s->rig), 0);
	rig_close(&s->rig);
}

static void turns_come_in_the_order_of_the_calls(void **state)
{
	struct scene s;

	(void)state;
	open(&s);
	for (unsigned i = 0; i < WAITERS; i++)
		assert_int_equal(map_or_wait(&s, i, 0x2000), -BUSWAY_EAGAIN);
	assert_int_equal(s.turn_count, 0);
	assert_int_equal(busway_unmap(&s.big), 0);
	/* four fit; the fifth waits on */
	assert_int_equal(s.turn_count, 4);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(s.turns[i], i);
		assert_int_equal(map_or_wait(&s, i, 0x2000), 0);
	}
	assert_int_equal(map_or_wait(&s, 4, 0x2000), -BUSWAY_EAGAIN);
	assert_int_equal(busway_unmap(&s.waiter[2]), 0);
	assert_int_equal(s.turns[4], 4);
	assert_int_equal(map_or_wait(&s, 4, 0x2000), 0);
	for (unsigned i = 0; i < WAITERS; i++)
		if (i != 2)
			assert_int_equal(busway_unmap(&s.waiter[i]), 0);
	close_all(&s);
}

static void nobody_overtakes_who_waits_for_more(void **state)
{
	struct busway_mapping small = {0};
	struct scene s;

	(void)state;
	open(&s);
	assert_int_equal(busway_unmap(&s.big), 0);
	assert_int_equal(
		busway_map(s.lane, rig_phys(0x80000, 0x4000), BUSWAY_TO_DEVICE, 0, &s.big, NULL),
		0);
	assert_int_equal(map_or_wait(&s, 0, 0x8000), -BUSWAY_EAGAIN);
	/* there is room for it, but somebody waits */
	assert_int_equal(map_or_wait(&s, 1, 0x800), -BUSWAY_EAGAIN);
	/* who does not wait does not stand in line */
	assert_int_equal(
		busway_map(s.lane, rig_phys(0xf0000, 16), BUSWAY_TO_DEVICE, 0, &small, NULL), 0);
	assert_int_equal(busway_unmap(&small), 0);
	assert_int_equal(s.turn_count, 0);
	assert_int_equal(busway_unmap(&s.big), 0);
	assert_int_equal(s.turn_count, 1);
	assert_int_equal(s.turns[0], 0);
	assert_int_equal(map_or_wait(&s, 0, 0x8000), 0);
	assert_int_equal(busway_unmap(&s.waiter[0]), 0);
	assert_int_equal(s.turns[1], 1);
	assert_int_equal(map_or_wait(&s, 1, 0x800), 0);
	assert_int_equal(busway_unmap(&s.waiter[1]), 0);
	close_all(&s);
}

static void leaving_the_line_lets_others_on(void **state)
{
	struct scene s;

	(void)state;
	open(&s);
	assert_int_equal(busway_unmap(&s.big), 0);
	assert_int_equal(
		busway_map(s.lane, rig_phys(0x80000, 0x4000), BUSWAY_TO_DEVICE, 0, &s.big, NULL),
		0);
	assert_int_equal(map_or_wait(&s, 0, 0x8000), -BUSWAY_EAGAIN);
	assert_int_equal(map_or_wait(&s, 1, 0x800), -BUSWAY_EAGAIN);
	assert_true(busway_map_cancel(&s.waiter[0]));
	assert_false(busway_map_cancel(&s.waiter[0]));
	assert_int_equal(s.turns[0], 1);
	/* with its slots set aside, too */
	assert_true(busway_map_cancel(&s.waiter[1]));
	assert_int_equal(busway_unmap(&s.big), 0);
	assert_int_equal(map_or_wait(&s, 2, 0x8000), 0);
	assert_int_equal(busway_unmap(&s.waiter[2]), 0);
	close_all(&s);
}

static void what_no_unmapping_mends_does_not_wait(void **state)
{
	struct scene s;

	(void)state;
	open(&s);
	assert_int_equal(map_or_wait(&s, 0, POOL_SIZE), -BUSWAY_EAGAIN);
	assert_int_equal(busway_map_or_wait(s.lane, rig_phys(0x80000, POOL_SIZE + 1),
					    BUSWAY_TO_DEVICE, 0, &s.waiter[1], turn, &s, NULL),
			 -BUSWAY_ERANGE);
	/* what is reached directly has nothing to wait for */
	assert_int_equal(busway_map_or_wait(s.lane, rig_phys(0x1000, 16), BUSWAY_TO_DEVICE, 0,
					    &s.waiter[2], turn, &s, NULL),
			 0);
	assert_int_equal(busway_unmap(&s.waiter[2]), 0);
	assert_true(busway_map_cancel(&s.waiter[0]));
	assert_int_equal(busway_unmap(&s.big), 0);
	close_all(&s);
}

static void a_new_pool_serves_who_waits(void **state)
{
	struct scene s;

	(void)state;
	open(&s);
	assert_int_equal(map_or_wait(&s, 0, 0x800), -BUSWAY_EAGAIN);
	assert_int_equal(
		busway_dma_add_pool(s.rig.dma, rig_phys(0x60000, 0x1000), BUSWAY_USE_BOUNCE, 1), 0);
	assert_int_equal(s.turn_count, 1);
	assert_int_equal(map_or_wait(&s, 0, 0x800), 0);
	assert_int_equal(busway_unmap(&s.waiter[0]), 0);
	assert_int_equal(busway_unmap(&s.big), 0);
	close_all(&s);
}

static void a_mask_stays_while_somebody_waits(void **state)
{
	struct scene s;

	(void)state;
	open(&s);
	assert_int_equal(map_or_wait(&s, 0, 0x800), -BUSWAY_EAGAIN);
	assert_int_equal(busway_dma_set_mask(s.device, 64, NULL, NULL), -BUSWAY_EBUSY);
	assert_int_equal(busway_dma_mask(s.device), 19);
	assert_true(busway_map_cancel(&s.waiter[0]));
	assert_int_equal(busway_dma_set_mask(s.device, 64, NULL, NULL), 0);
	assert_int_equal(busway_unmap(&s.big), 0);
	close_all(&s);
}

static void a_record_that_waits_serves_for_nothing_else(void **state)
{
	const struct busway_phys_range entry = rig_phys(0x1000, 16);
	struct busway_mapped segments[2];
	struct busway_refusal why;
	struct scene s;

	(void)state;
	open(&s);
	assert_int_equal(map_or_wait(&s, 0, 0x800), -BUSWAY_EAGAIN);
	assert_int_equal(busway_map(s.lane, entry, BUSWAY_TO_DEVICE, 0, &s.waiter[0], &why),
			 -BUSWAY_EINVAL);
	assert_int_equal(busway_map_list(s.lane, &entry, 1, BUSWAY_TO_DEVICE, 0, segments, 2,
					 &s.waiter[0], NULL, &why),
			 -BUSWAY_EINVAL);
	assert_int_equal(busway_map_peer(s.lane, (struct busway_phys_range){{0x1000}, {0x1fff}},
					 BUSWAY_TO_DEVICE, &s.waiter[0], &why),
			 -BUSWAY_EINVAL);
	assert_int_equal(s.rig.misuses[BUSWAY_MISUSE_MAPPED_TWICE], 3);
	s.rig.misuses[BUSWAY_MISUSE_MAPPED_TWICE] = 0;
	assert_int_equal(busway_unmap(&s.big), 0);
	assert_int_equal(map_or_wait(&s, 0, 0x800), 0);
	assert_int_equal(busway_unmap(&s.waiter[0]), 0);
	close_all(&s);
}

static void map_again(struct busway_mapping *mapping, void *ctx)
{
	struct scene *s = ctx;
	const unsigned i = (unsigned)(mapping - s->waiter);

	assert_int_equal(busway_map_or_wait(s->lane, rig_phys(0x90000 + i * 0x8000, 0x2000),
					    BUSWAY_FROM_DEVICE, 0, mapping, map_again, s, NULL),
			 0);
	s->turns[s->turn_count++] = i;
	/* room for the next one, while this one is being told */
	assert_int_equal(busway_unmap(mapping), 0);
}

static void a_turn_may_map_and_unmap(void **state)
{
	struct scene s;

	(void)state;
	open(&s);
	for (unsigned i = 0; i < WAITERS; i++)
		assert_int_equal(busway_map_or_wait(s.lane, rig_phys(0x90000 + i * 0x8000, 0x2000),
						    BUSWAY_FROM_DEVICE, 0, &s.waiter[i], map_again,
						    &s, NULL),
				 -BUSWAY_EAGAIN);
	assert_int_equal(busway_unmap(&s.big), 0);
	assert_int_equal(s.turn_count, WAITERS);
	for (unsigned i = 0; i < WAITERS; i++)
		assert_int_equal(s.turns[i], i);
	close_all(&s);
}

static void an_abandoned_device_waits_no_more(void **state)
{
	struct scene s;

	(void)state;
	open(&s);
	assert_int_equal(map_or_wait(&s, 0, 0x800), -BUSWAY_EAGAIN);
	assert_int_equal(busway_dma_detach(s.device), -BUSWAY_EBUSY);
	s.rig.misuses[BUSWAY_MISUSE_LEAK] = 0;
	/* what is mapped; who waits leaves nothing behind */
	assert_int_equal(busway_dma_abandon(s.device), 1);
	busway_dma_quiet(s.rig.dma, (busway_device_id){0});
	assert_int_equal(s.turn_count, 0);
	s.device = rig_attach(&s.rig, 0, NULL);
	close_all(&s);
}

static void a_pool_that_nobody_waits_for_serves_who_comes_later(void **state)
{
	struct scene s;

	(void)state;
	open(&s);
	assert_int_equal(
		busway_dma_add_pool(s.rig.dma, rig_phys(0x60000, 0x1000), BUSWAY_USE_BOUNCE, 1), 0);
	/* more than the second pool has: it waits for the first, */
	assert_int_equal(map_or_wait(&s, 0, 0x2000), -BUSWAY_EAGAIN);
	/* and who could do with either is served by the second, as long as that lasts */
	assert_int_equal(map_or_wait(&s, 1, 0x1000), 0);
	assert_int_equal(map_or_wait(&s, 2, 0x1000), -BUSWAY_EAGAIN);
	assert_int_equal(busway_unmap(&s.waiter[1]), 0);
	assert_int_equal(s.turn_count, 1);
	assert_int_equal(s.turns[0], 2);
	assert_int_equal(busway_unmap(&s.big), 0);
	assert_int_equal(s.turns[1], 0);
	assert_int_equal(map_or_wait(&s, 2, 0x1000), 0);
	assert_int_equal(map_or_wait(&s, 0, 0x2000), 0);
	assert_int_equal(busway_unmap(&s.waiter[2]), 0);
	assert_int_equal(busway_unmap(&s.waiter[0]), 0);
	close_all(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pool_that_nobody_waits_for_serves_who_comes_later),
		cmocka_unit_test(turns_come_in_the_order_of_the_calls),
		cmocka_unit_test(nobody_overtakes_who_waits_for_more),
		cmocka_unit_test(leaving_the_line_lets_others_on),
		cmocka_unit_test(what_no_unmapping_mends_does_not_wait),
		cmocka_unit_test(a_new_pool_serves_who_waits),
		cmocka_unit_test(a_mask_stays_while_somebody_waits),
		cmocka_unit_test(a_record_that_waits_serves_for_nothing_else),
		cmocka_unit_test(a_turn_may_map_and_unmap),
		cmocka_unit_test(an_abandoned_device_waits_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
