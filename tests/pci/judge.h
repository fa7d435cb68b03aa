/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * judge.h - is a verdict about peer-to-peer right? The fabric executes it.
 */
#ifndef BUSWAY_TEST_JUDGE_H
#define BUSWAY_TEST_JUDGE_H

#include "tree.h"

/* How often what was decided. */
struct score {
	unsigned long verdicts[BUSWAY_P2P_IOMMU + 1];
	unsigned long uncertain, carried;
	uint64_t seed; /* of the round, for who has to look at it again */
};

/*
 * Decides about every pair of functions that are no bridges, from what is @seen, and executes
 * every verdict on the @truth:
 *   - where it is certain, each of the bytes tried arrives and can be read back;
 *   - where everything is seen and the fabric delivers whatever is not said by registers, there
 *     is a verdict;
 *   - what has to be turned on is said;
 *   - distance and common bridge do not depend on the direction.
 * Fails the test otherwise.
 */
void judge_tree(const struct tree *truth, const struct tree *seen, bool all_seen,
		const struct busway_p2p_policy *policy, struct score *score);

#endif
