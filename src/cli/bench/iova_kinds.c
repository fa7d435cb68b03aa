/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iova_kinds.c - allocators of IOVAs: the library, and two plain ones to set it against.
 *
 *   tree     free extents in two red-black trees of the C library (tsearch), by address and by
 *            length: the shortest extent that serves, always
 *   stacks   for up to 32 pages a stack for each thread and size before that, under a lock: what a
 *            kernel's cache of IOVAs does, without its bookkeeping
 */
#include "iova.h"

#include <search.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

enum { THREADS = 2, CACHED = 32, PAGE_SHIFT = 12 };

/* ---- the library ---- */

struct own {
	struct busway_iova_space *space;
	struct busway_iova_cache *cache[THREADS];
};

static void *from_heap(void *ctx, size_t size, size_t align)
{
	(void)ctx;
	return align <= _Alignof(max_align_t)
		       ? malloc(size)
		       : aligned_alloc(align, (size + align - 1) & ~(align - 1));
}

static void to_heap(void *ctx, void *mem, size_t size, size_t align)
{
	(void)ctx;
	(void)size;
	(void)align;
	free(mem);
}

static void *own_create(void)
{
	static const struct busway_allocator heap = {from_heap, to_heap, NULL};
	static const struct busway_iova_options options = {.depot_batches = 4096};
	struct busway_range all = {1 << PAGE_SHIFT, ((IOVA_LAST_48 + 1) << PAGE_SHIFT) - 1};
	const struct busway_intervals allowed = {.runs = &all, .count = 1};
	struct own *own = calloc(1, sizeof(*own));

	if (own && busway_iova_space_create(&allowed, NULL, &options, &heap, &own->space) == 0 &&
	    busway_iova_cache_create(own->space, &own->cache[0]) == 0 &&
	    busway_iova_cache_create(own->space, &own->cache[1]) == 0)
		return own;
	return NULL;
}

static bool own_take(void *allocator, unsigned thread, uint64_t pages, uint64_t last,
		     uint64_t align, uint64_t *first)
{
	const struct own *own = allocator;
	const struct busway_iova_request request = {
		.size = pages << PAGE_SHIFT,
		.align = align << PAGE_SHIFT,
		.last = ((last + 1) << PAGE_SHIFT) - 1,
	};
	busway_dma_t dma;

	if (busway_iova_cache_take(own->cache[thread], &request, &dma, NULL))
		return false;
	*first = dma.raw >> PAGE_SHIFT;
	return true;
}

static void own_give(void *allocator, unsigned thread, uint64_t first, uint64_t pages)
{
	const struct own *own = allocator;
	const struct busway_dma_range range = {
		{first << PAGE_SHIFT}, {(first << PAGE_SHIFT) + ((pages << PAGE_SHIFT) - 1)}};

	if (busway_iova_cache_give(own->cache[thread], range, NULL))
		abort();
}

static bool own_reserve(void *allocator, uint64_t first, uint64_t pages)
{
	const struct own *own = allocator;
	const struct busway_range range = {first << PAGE_SHIFT,
					   ((first + pages) << PAGE_SHIFT) - 1};

	return busway_iova_reserve(own->space, range, "bench", NULL) == 0;
}

static void own_destroy(void *allocator, bool whatever_is_out)
{
	struct own *own = allocator;

	if (whatever_is_out)
		return;
	for (unsigned i = 0; i < THREADS; i++)
		busway_iova_cache_destroy(own->cache[i]);
	busway_iova_space_destroy(own->space);
	free(own);
}

const struct iova_kind iova_busway = {
	"", "IOVAs by a thread's cache", own_create, own_take, own_give, own_reserve, own_destroy};

/* ---- two trees ---- */

struct extent {
	uint64_t first, last;
};

struct two_trees {
	void *by_address, *by_length;
	atomic_flag lock;
};

static void lock(struct two_trees *trees)
{
	while (atomic_flag_test_and_set_explicit(&trees->lock, memory_order_acquire))
		;
}

static void unlock(struct two_trees *trees)
{
	atomic_flag_clear_explicit(&trees->lock, memory_order_release);
}

/* What a search passes: the nearest above and below. */
static _Thread_local const struct extent *above, *below;

static int sign(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int by_address(const void *a, const void *b)
{
	const struct extent *key = a, *entry = b;
	const int order = sign(key->first, entry->first);

	if (order < 0)
		above = entry;
	else if (order > 0)
		below = entry;
	return order;
}

static int by_length(const void *a, const void *b)
{
	const struct extent *key = a, *entry = b;
	const int lengths = sign(key->last - key->first, entry->last - entry->first);
	const int order = lengths ? lengths : sign(key->first, entry->first);

	if (order <= 0)
		above = entry;
	return order;
}

static void put(struct two_trees *trees, uint64_t first, uint64_t last)
{
	struct extent *extent = malloc(sizeof(*extent));

	if (!extent)
		abort();
	*extent = (struct extent){first, last};
	if (!tsearch(extent, &trees->by_address, by_address) ||
	    !tsearch(extent, &trees->by_length, by_length))
		abort();
}

static void drop(struct two_trees *trees, const struct extent *extent)
{
	tdelete(extent, &trees->by_address, by_address);
	tdelete(extent, &trees->by_length, by_length);
	free((void *)(uintptr_t)extent);
}

static void *tree_create(void)
{
	struct two_trees *trees = calloc(1, sizeof(*trees));

	if (trees)
		put(trees, 1, IOVA_LAST_48);
	return trees;
}

/* The first page of a run inside @extent; false: it does not serve. */
static bool fits(const struct extent *extent, uint64_t pages, uint64_t last, uint64_t align,
		 uint64_t *first)
{
	const uint64_t low = align ? align - 1 : 0;

	*first = (extent->first + low) & ~low;
	return *first <= extent->last && extent->last - *first >= pages - 1 &&
	       *first + (pages - 1) <= last;
}

static bool take_from_trees(struct two_trees *trees, uint64_t pages, uint64_t last, uint64_t align,
			    uint64_t *first)
{
	struct extent key = {0, pages - 1}, found;

	for (;;) {
		above = NULL;
		tfind(&key, &trees->by_length, by_length);
		if (!above)
			return false;
		found = *above;
		if (fits(&found, pages, last, align, first))
			break;
		key = (struct extent){found.first + 1, found.last + 1}; /* the next one */
	}
	drop(trees, above);
	if (*first > found.first)
		put(trees, found.first, *first - 1);
	if (*first + (pages - 1) < found.last)
		put(trees, *first + pages, found.last);
	return true;
}

static bool tree_take(void *allocator, unsigned thread, uint64_t pages, uint64_t last,
		      uint64_t align, uint64_t *first)
{
	struct two_trees *trees = allocator;
	bool taken;

	(void)thread;
	lock(trees);
	taken = take_from_trees(trees, pages, last, align, first);
	unlock(trees);
	return taken;
}

static void give_to_trees(struct two_trees *trees, uint64_t first, uint64_t last)
{
	const struct extent key = {first, last};
	const struct extent *before, *behind;

	above = below = NULL;
	tfind(&key, &trees->by_address, by_address);
	before = below && below->last + 1 == first ? below : NULL;
	behind = above && last + 1 == above->first ? above : NULL;
	if (before) {
		first = before->first;
		drop(trees, before);
	}
	if (behind) {
		last = behind->last;
		drop(trees, behind);
	}
	put(trees, first, last);
}

static void tree_give(void *allocator, unsigned thread, uint64_t first, uint64_t pages)
{
	struct two_trees *trees = allocator;

	(void)thread;
	lock(trees);
	give_to_trees(trees, first, first + (pages - 1));
	unlock(trees);
}

/* The extent around it is the nearest below. */
static bool tree_reserve(void *allocator, uint64_t first, uint64_t pages)
{
	struct two_trees *trees = allocator;
	const struct extent key = {first, first};
	struct extent found;

	above = below = NULL;
	tfind(&key, &trees->by_address, by_address);
	if (!below || below->last < first + pages)
		return false;
	found = *below;
	drop(trees, below);
	put(trees, found.first, first - 1);
	put(trees, first + pages, found.last);
	return true;
}

static void tree_discard(void *allocator, bool whatever_is_out)
{
	struct two_trees *trees = allocator;

	(void)whatever_is_out;
	while (trees->by_address)
		drop(trees, *(struct extent *const *)trees->by_address);
	free(trees);
}

const struct iova_kind iova_tree = {"tree",      "shortest extent of two red-black trees",
				    tree_create, tree_take,
				    tree_give,   tree_reserve,
				    tree_discard};

/* ---- stacks before them ---- */

enum { STACK = 1 << 18 };

struct stacks {
	struct two_trees *trees;
	struct stack {
		atomic_flag lock;
		uint32_t count;
		uint64_t *first;
	} stack[THREADS][CACHED];
};

static void stacks_discard(void *allocator, bool whatever_is_out)
{
	struct stacks *stacks = allocator;

	for (unsigned i = 0; i < THREADS * CACHED; i++)
		free(stacks->stack[i / CACHED][i % CACHED].first);
	if (stacks->trees)
		tree_discard(stacks->trees, whatever_is_out);
	free(stacks);
}

static void *stacks_create(void)
{
	struct stacks *stacks = calloc(1, sizeof(*stacks));
	bool complete;

	if (!stacks)
		return NULL;
	stacks->trees = tree_create();
	complete = stacks->trees != NULL;
	for (unsigned i = 0; i < THREADS * CACHED && complete; i++) {
		struct stack *stack = &stacks->stack[i / CACHED][i % CACHED];

		stack->first = malloc(STACK * sizeof(*stack->first)); /* touched as far as needed */
		complete = stack->first != NULL;
	}
	if (complete)
		return stacks;
	stacks_discard(stacks, true);
	return NULL;
}

static bool stacks_take(void *allocator, unsigned thread, uint64_t pages, uint64_t last,
			uint64_t align, uint64_t *first)
{
	struct stacks *stacks = allocator;
	struct stack *stack = &stacks->stack[thread][(pages - 1) % CACHED];
	bool taken = false;

	if (pages <= CACHED) {
		while (atomic_flag_test_and_set_explicit(&stack->lock, memory_order_acquire))
			;
		taken = stack->count && stack->first[stack->count - 1] + (pages - 1) <= last;
		if (taken)
			*first = stack->first[--stack->count];
		atomic_flag_clear_explicit(&stack->lock, memory_order_release);
	}
	return taken || tree_take(stacks->trees, thread, pages, last, align, first);
}

static void stacks_give(void *allocator, unsigned thread, uint64_t first, uint64_t pages)
{
	struct stacks *stacks = allocator;
	struct stack *stack = &stacks->stack[thread][(pages - 1) % CACHED];
	bool given = false;

	if (pages <= CACHED) {
		while (atomic_flag_test_and_set_explicit(&stack->lock, memory_order_acquire))
			;
		given = stack->count < STACK;
		if (given)
			stack->first[stack->count++] = first;
		atomic_flag_clear_explicit(&stack->lock, memory_order_release);
	}
	if (!given)
		tree_give(stacks->trees, thread, first, pages);
}

const struct iova_kind iova_stacks = {
	"stacks", "a locked stack for each size", stacks_create, stacks_take, stacks_give, NULL,
	NULL};
