/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bounce.c - E1: map, copy and unmap where the device does not reach the memory; E4: two
 * threads at that.
 *
 * The reference copies the same bytes by memcpy(), with nothing around it; for slots alone, of
 * which nothing is copied, it takes and gives back a lock. "hot" is a source of 64 KiB or one
 * buffer, "cold" one block after the other of 256 MiB in an order that no prefetcher knows.
 */
#include "bench.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { HOT_SIZE = 64 << 10, STEP = 7919, BATCH_BYTES = 8 << 20, BATCH_MAX = 1 << 15 };

/* Nothing is copied. */
#define SLOTS_ONLY (BUSWAY_MAP_SKIP_SYNC | BUSWAY_MAP_OVERWRITES)

struct bounce {
	uint64_t size;
	enum busway_direction direction;
	unsigned attributes;
	bool cold;
	uint32_t areas, threads;
	struct bench_pool pool;
};

/* ---- buffers ---- */

/* Where in the driver's memory the buffer of turn @i lies. */
static uint64_t own_at(const struct bounce *b, unsigned long i)
{
	const uint64_t hot = b->size < HOT_SIZE ? HOT_SIZE : b->size;

	return b->cold ? i * STEP % (BENCH_OWN_SIZE / b->size) * b->size : i * b->size % hot;
}

static struct busway_phys_range buffer(const struct bounce *b, unsigned long i)
{
	const uint64_t first = BENCH_OWN_PHYS + own_at(b, i);

	return (struct busway_phys_range){{first}, {first + (b->size - 1)}};
}

/* ---- running ---- */

static void bounce(const struct bounce *b, struct busway_lane *lane, unsigned long operations)
{
	struct busway_mapping mapping = {0};

	for (unsigned long i = 0; i < operations; i++) {
		if (busway_map(lane, buffer(b, i), b->direction, b->attributes, &mapping, NULL))
			abort();
		busway_unmap(&mapping);
	}
}

static void run_bounce(void *state, unsigned long operations)
{
	const struct bounce *b = state;

	bounce(b, b->pool.lane[0], operations);
}

static void run_memcpy(void *state, unsigned long operations)
{
	const struct bounce *b = state;

	for (unsigned long i = 0; i < operations; i++) {
		unsigned char *own = bench_own_bytes() + own_at(b, i);
		unsigned char *slots =
			bench_slot_bytes() + (b->cold ? i * b->size % BENCH_POOL_SIZE : 0);

		if (b->direction == BUSWAY_TO_DEVICE)
			memcpy(slots, own, b->size);
		else
			memcpy(own, slots, b->size);
		atomic_signal_fence(memory_order_seq_cst);
	}
}

void bench_run_lock(void *state, unsigned long operations)
{
	static atomic_flag lock = ATOMIC_FLAG_INIT;

	(void)state;
	for (unsigned long i = 0; i < operations; i++) {
		while (atomic_flag_test_and_set_explicit(&lock, memory_order_acquire))
			;
		atomic_flag_clear_explicit(&lock, memory_order_release);
	}
}

/* ---- two threads ---- */

struct thread {
	pthread_t id;
	const struct bounce *bounce;
	struct busway_lane *lane;
	unsigned long operations;
};

static void *thread_main(void *arg)
{
	const struct thread *t = arg;

	bounce(t->bounce, t->lane, t->operations);
	return NULL;
}

/* So many operations by each thread. */
static void run_threads(void *state, unsigned long operations)
{
	const struct bounce *b = state;
	struct thread threads[BENCH_LANES];

	for (uint32_t i = 0; i < b->threads; i++) {
		threads[i] = (struct thread){
			.bounce = b, .lane = b->pool.lane[i], .operations = operations};
		if (pthread_create(&threads[i].id, NULL, thread_main, &threads[i]))
			abort();
	}
	for (uint32_t i = 0; i < b->threads; i++)
		pthread_join(threads[i].id, NULL);
}

/* ---- making ---- */

static bool prepare(void *state)
{
	struct bounce *b = state;

	if (b->pool.dma)
		return true;
	if (!bench_pool_make(b->areas, b->threads, &b->pool))
		return false;
	/* pages that were never written are all the same one, and always hot */
	if (!(b->attributes & BUSWAY_MAP_SKIP_SYNC))
		memset(bench_slot_bytes(), 1, BENCH_POOL_SIZE + (b->cold ? BENCH_OWN_SIZE : 0));
	return true;
}

static struct bounce *make_bounce(uint64_t size, enum busway_direction direction,
				  unsigned attributes)
{
	struct bounce *b = calloc(1, sizeof(*b));

	if (b)
		*b = (struct bounce){
			.size = size,
			.direction = direction,
			.attributes = attributes,
			.areas = 2,
			.threads = 1,
		};
	return b;
}

static unsigned long batch_of(uint64_t size)
{
	const uint64_t count = BATCH_BYTES / size;

	return (unsigned long)(count < BATCH_MAX ? count : BATCH_MAX);
}

static bool add(struct workloads *workloads, const char *name, const char *what, struct bounce *b,
		const char *reference_suffix, const char *reference_what,
		void (*reference_run)(void *, unsigned long), void (*run)(void *, unsigned long),
		unsigned long batch)
{
	struct workload *reference, *w;
	char reference_name[48];

	if (!b)
		return false;
	snprintf(reference_name, sizeof(reference_name), "%s/%s", name, reference_suffix);
	reference = add_workload(workloads, reference_name, reference_what, NULL, reference_run, b,
				 batch);
	w = reference ? add_workload(workloads, name, what, reference->name, run, b, batch) : NULL;
	if (!w)
		return false;
	reference->prepare = w->prepare = prepare;
	return true;
}

static const struct {
	uint64_t bytes;
	char name[8];
} sizes[] = {
	{64, "64"},     {512, "512"},   {2048, "2K"},     {4096, "4K"},
	{16384, "16K"}, {65536, "64K"}, {262144, "256K"},
};

enum { SIZES = sizeof(sizes) / sizeof(sizes[0]) };

static bool add_copies(struct workloads *workloads, bool cold)
{
	static const struct {
		char name[8];
		const char *what;
		enum busway_direction direction;
		unsigned attributes;
	} kinds[] = {
		{"to", "bounce TO_DEVICE: copied in", BUSWAY_TO_DEVICE, 0},
		{"from", "bounce FROM_DEVICE, OVERWRITES: copied back", BUSWAY_FROM_DEVICE,
		 BUSWAY_MAP_OVERWRITES},
		{"keep", "bounce FROM_DEVICE: copied in, and back", BUSWAY_FROM_DEVICE, 0},
	};

	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
		for (size_t i = 0; i < SIZES; i++) {
			struct bounce *b = make_bounce(sizes[i].bytes, kinds[k].direction,
						       kinds[k].attributes);
			char name[32];

			if (b)
				b->cold = cold;
			snprintf(name, sizeof(name), "E1-%s-%.4s-%.4s", cold ? "cold" : "hot",
				 kinds[k].name, sizes[i].name);
			if (!add(workloads, name, kinds[k].what, b, "memcpy",
				 "memcpy of the same bytes", run_memcpy, run_bounce,
				 batch_of(sizes[i].bytes)))
				return false;
		}
	return true;
}

static bool add_slots(struct workloads *workloads)
{
	for (size_t i = 0; i < SIZES; i++) {
		char name[32];

		snprintf(name, sizeof(name), "E1-slots-%.4s", sizes[i].name);
		if (!add(workloads, name, "slots taken and given back, nothing copied",
			 make_bounce(sizes[i].bytes, BUSWAY_FROM_DEVICE, SLOTS_ONLY), "lock",
			 "take a lock and give it back", bench_run_lock, run_bounce, BATCH_MAX))
			return false;
	}
	return true;
}

/* Against one thread at the same. */
static bool add_two_threads(struct workloads *workloads, const char *name, uint32_t areas,
			    uint64_t size, unsigned attributes)
{
	struct bounce *b =
		make_bounce(size, attributes ? BUSWAY_FROM_DEVICE : BUSWAY_TO_DEVICE, attributes);

	if (b) {
		b->areas = areas;
		b->threads = 2;
	}
	return add(workloads, name, "two threads, an operation of each", b, "one", "one thread",
		   run_bounce, run_threads, attributes ? 1 << 17 : 4 * batch_of(size));
}

bool add_bounce_workloads(struct workloads *workloads)
{
	return add_copies(workloads, false) && add_copies(workloads, true) &&
	       add_slots(workloads) &&
	       add_two_threads(workloads, "E4-slots-a1", 1, 2048, SLOTS_ONLY) &&
	       add_two_threads(workloads, "E4-slots-a2", 2, 2048, SLOTS_ONLY) &&
	       add_two_threads(workloads, "E4-4K-a1", 1, 4096, 0) &&
	       add_two_threads(workloads, "E4-4K-a2", 2, 4096, 0) &&
	       add_two_threads(workloads, "E4-64K-a1", 1, 65536, 0) &&
	       add_two_threads(workloads, "E4-64K-a2", 2, 65536, 0);
}
