/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * extents_test.c - the tree of free extents, from inside: every node is as tree.h says.
 *
 * The twin is an array of flags. What the summaries claim is counted anew from the leaves.
 */
#include "../../src/iova/extents.h"
#include "../support/random.h"
#include "../support/test.h"
#include "../support/test_memory.h"

#include <string.h>

enum { GRANULES = 20000 };

struct walk {
	const struct tree *tree;
	size_t entries, leaves, inners;
	struct tree_summary summary;
};

static struct tree_summary check_node(struct walk *w, struct tree_node *node, uint32_t level)
{
	struct tree_summary summary = {0, 0};

	assert_true(node->count <= TREE_ORDER);
	if (node != w->tree->root)
		assert_true(node->count >= TREE_MIN);
	for (uint32_t i = 1; i < node->count; i++)
		assert_true(node->first[i - 1] < node->first[i]);
	for (uint32_t i = node->count; i < TREE_ORDER; i++)
		assert_true(node->first[i] == UINT64_MAX);
	for (unsigned class = 0; class < TREE_CLASSES && level; class ++)
		assert_true(inner_of(node)->having[class] >> node->count == 0);
	for (unsigned class = 0; class < TREE_CLASSES && !level; class ++)
		for (uint32_t i = 0; i < TREE_ORDER; i++)
			assert_true((leaf_with_class(leaf_of(node), class) >> i & 1) ==
				    (i < node->count &&
				     class_of(leaf_of(node)->value[i] - node->first[i]) == class));
	w->leaves += level == 0;
	w->inners += level != 0;
	for (uint32_t i = 0; i < node->count; i++) {
		struct tree_summary below;

		if (level) {
			struct tree_node *child = inner_of(node)->child[i];

			below = check_node(w, child, level - 1);
			assert_true(child->first[0] == node->first[i]);
			assert_true(below.longest == inner_of(node)->longest[i]);
			for (unsigned class = 0; class < TREE_CLASSES; class ++)
				assert_true((inner_of(node)->having[class] >> i & 1) ==
					    (below.classes >> class & 1));
		} else {
			const uint64_t span = leaf_of(node)->value[i] - node->first[i];

			assert_true(leaf_of(node)->value[i] >= node->first[i]);
			below = (struct tree_summary){span, (uint64_t)1 << class_of(span)};
			w->entries++;
		}
		summary.longest = below.longest > summary.longest ? below.longest : summary.longest;
		summary.classes |= below.classes;
	}
	return summary;
}

static void check_tree(const struct tree *tree)
{
	struct walk w = {.tree = tree};
	const struct tree_summary summary = check_node(&w, tree->root, tree->height);

	assert_int_equal(w.entries, tree->count);
	assert_true(!tree->height || summary.longest == tree->summary.longest);
	assert_true(!tree->height || summary.classes == tree->summary.classes);
	assert_int_equal(w.leaves + tree->leaves.count, tree->leaves.total);
	assert_int_equal(w.inners + tree->inners.count, tree->inners.total);
}

static bool flags_free(const bool *flags, struct busway_range range)
{
	for (uint64_t i = range.first; i <= range.last; i++)
		if (!flags[i])
			return false;
	return true;
}

static void flip(struct tree *tree, bool *flags, struct busway_range range)
{
	struct busway_range overlap;
	struct tree_path path;
	bool none = true;

	for (uint64_t i = range.first; i <= range.last; i++)
		none = none && !flags[i];
	if (flags_free(flags, range)) {
		assert_true(extents_hold(tree, range));
		assert_true(tree_find(tree, range.first, &path));
		extents_take(tree, &path, range);
		memset(flags + range.first, false, range.last - range.first + 1);
	} else {
		assert_false(extents_hold(tree, range));
		assert_int_equal(extents_give(tree, range, &overlap), none ? 0 : -BUSWAY_ERANGE);
		if (none)
			memset(flags + range.first, true, range.last - range.first + 1);
		else
			assert_true(flags_free(flags, overlap) &&
				    busway_range_within(overlap, range));
	}
}

static void every_node_is_sound_after_any_sequence(void **state)
{
	static bool flags[GRANULES];

	(void)state;
	for (unsigned round = 0; round < random_rounds(20); round++) {
		struct rng rng = rng_of(random_seed() + round);
		const uint64_t longest = rng_between(&rng, 1, 20);
		struct test_memory memory;
		struct tree tree;

		memset(flags, 0, sizeof(flags));
		test_memory_open(&memory);
		assert_int_equal(tree_create(&tree, false, &memory.allocator), 0);
		assert_int_equal(tree_prepare(&tree, GRANULES / 2 + 1), 0);
		for (unsigned i = 0; i < 30000; i++) {
			const uint64_t first = rng_below(&rng, GRANULES - longest);
			const struct busway_range range = {first, first + rng_below(&rng, longest)};

			flip(&tree, flags, range);
			if (i % 500 == 0)
				check_tree(&tree);
		}
		assert_true(tree.height >= 2);
		for (uint64_t i = 0; i < GRANULES; i++)
			if (flags[i])
				flip(&tree, flags, (struct busway_range){i, i});
		check_tree(&tree);
		assert_int_equal(tree.count, 0);
		assert_int_equal(tree.height, 0);
		tree_destroy(&tree);
		test_memory_close(&memory);
	}
}

/* A few extents are much longer than most: what is the longest of a node changes often. */
static void long_extents_are_told_as_they_shrink_and_grow(void **state)
{
	enum { EXTENTS = 600, APART = 5000, TAKEN = 300 };
	static struct busway_range taken[TAKEN];

	(void)state;
	for (unsigned round = 0; round < random_rounds(20); round++) {
		struct rng rng = rng_of(random_seed() + round);
		struct busway_range overlap, extent;
		struct test_memory memory;
		struct tree_path path;
		struct tree tree;
		size_t count = 0;

		test_memory_open(&memory);
		assert_int_equal(tree_create(&tree, false, &memory.allocator), 0);
		assert_int_equal(tree_prepare(&tree, EXTENTS + 2 * TAKEN), 0);
		for (uint64_t i = 0; i < EXTENTS; i++) {
			const uint64_t first = i * APART;
			const uint64_t more = rng_chance(&rng, 5) ? APART - 2 : 30;

			assert_int_equal(extents_give(&tree,
						      (struct busway_range){
							      first, first + rng_below(&rng, more)},
						      &overlap),
					 0);
		}
		for (unsigned i = 0; i < 4000; i++) {
			const size_t one = (size_t)rng_below(&rng, TAKEN);

			if (one < count) {
				assert_int_equal(extents_give(&tree, taken[one], &overlap), 0);
				taken[one] = taken[--count];
			} else if (extents_at(&tree, rng_below(&rng, (uint64_t)EXTENTS * APART),
					      &extent)) {
				extent.first += rng_below(&rng, extent.last - extent.first + 1);
				extent.last -= rng_below(&rng, extent.last - extent.first + 1);
				assert_true(tree_find(&tree, extent.first, &path));
				extents_take(&tree, &path, extent);
				taken[count++] = extent;
			}
			if (i % 20 == 0)
				check_tree(&tree);
		}
		assert_true(tree.height >= 1);
		tree_destroy(&tree);
		test_memory_close(&memory);
	}
}

static void higher_classes_are_longer(void **state)
{
	unsigned class = 0;

	(void)state;
	for (uint64_t span = 0; span < 100000; span++) {
		assert_true(class_of(span) == class || class_of(span) == class + 1);
		class = class_of(span);
	}
	for (unsigned bit = 16; bit < 64; bit++) {
		assert_true(class_of((uint64_t)1 << bit) >= class);
		assert_true(class_of(((uint64_t)1 << bit) - 1) <= class_of((uint64_t)1 << bit));
		class = class_of((uint64_t)1 << bit);
	}
	assert_true(class_of(UINT64_MAX) < TREE_CLASSES);
}

/* Prepared for n, a tree takes any n, however they come. */
static void nodes_for_so_many_entries_are_enough(void **state)
{
	(void)state;
	for (unsigned round = 0; round < random_rounds(60); round++) {
		struct rng rng = rng_of(random_seed() + round);
		const size_t entries = (size_t)rng_between(&rng, 1, 4000);
		const unsigned order = round % 3;
		struct test_memory memory;
		struct busway_range overlap;
		struct tree tree;

		test_memory_open(&memory);
		assert_int_equal(tree_create(&tree, false, &memory.allocator), 0);
		assert_int_equal(tree_prepare(&tree, entries), 0);
		test_memory_fail_at(&memory, 1, true);
		while (tree.count < entries) {
			const uint64_t i = order == 0   ? tree.count
					   : order == 1 ? entries - tree.count
							: rng_next(&rng) >> 2;

			/* and some go in between */
			if (order == 2 && tree.count && rng_chance(&rng, 30)) {
				struct tree_path path;

				tree_find(&tree, rng_next(&rng) >> 1, &path);
				tree_remove(&tree, &path);
				continue;
			}
			assert_int_not_equal(
				extents_give(&tree, (struct busway_range){2 * i, 2 * i}, &overlap),
				-BUSWAY_ENOMEM);
		}
		check_tree(&tree);
		tree_destroy(&tree);
		test_memory_close(&memory);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_node_is_sound_after_any_sequence),
		cmocka_unit_test(long_extents_are_told_as_they_shrink_and_grow),
		cmocka_unit_test(higher_classes_are_longer),
		cmocka_unit_test(nodes_for_so_many_entries_are_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
