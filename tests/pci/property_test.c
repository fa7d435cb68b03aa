/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random trees, every pair: each verdict is executed on the fabric, which shares no code with what
 * decides.
 */
#include "../support/test.h"

#include "judge.h"

#include <stdlib.h>

static void run(unsigned usual, bool hidden)
{
	struct tree *truth = malloc(sizeof(*truth)), *seen = malloc(sizeof(*seen));
	struct score score = {0};

	assert_non_null(truth);
	assert_non_null(seen);
	for (unsigned round = 0; round < random_rounds(usual); round++) {
		struct rng rng = rng_of(random_seed() + round);
		struct busway_p2p_policy policy = {.view = BUSWAY_P2P_ROUTE};

		score.seed = random_seed() + round;
		tree_random(truth, &rng);
		policy.cpu_zen = rng_chance(&rng, 30);
		policy.trust_unknown = rng_chance(&rng, 20);
		*seen = *truth;
		if (hidden)
			tree_hide(seen, &rng);
		judge_tree(truth, seen, !hidden, &policy, &score);
	}
	print_message("# refused %lu, switch %lu, host bridge %lu, IOMMU %lu; uncertain %lu; "
		      "carried %lu\n",
		      score.verdicts[0], score.verdicts[1], score.verdicts[2], score.verdicts[3],
		      score.uncertain, score.carried);
	/* by chance there is some of everything */
	assert_true(random_rounds(usual) < 50 || hidden ||
		    (score.verdicts[1] && score.verdicts[2] && score.verdicts[3]));
	free(truth);
	free(seen);
}

static void each_verdict_is_what_the_fabric_does(void **state)
{
	(void)state;
	run(400, false);
}

static void what_could_not_be_read_is_never_taken_for_certain(void **state)
{
	(void)state;
	run(400, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_verdict_is_what_the_fabric_does),
		cmocka_unit_test(what_could_not_be_read_is_never_taken_for_certain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
