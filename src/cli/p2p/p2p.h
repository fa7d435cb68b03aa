/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * p2p.h - what the parts of busway p2p share.
 *
 *   p2p.c        the command: which functions, which question
 *   p2p_json.c   the answer for machines
 *   p2p_text.c   the matrix and the pair for people
 */
#ifndef BUSWAY_CLI_P2P_H
#define BUSWAY_CLI_P2P_H

#include "../cli.h"

#include <busway/machine.h>
#include <busway/p2p.h>

/* What is asked: each of @a with each of @b, in this order. */
struct question {
	const struct loaded *loaded;
	const struct busway_machine *machine;
	const struct busway_pci *pci;
	struct busway_p2p_policy policy;
	const busway_pci_id *a, *b;
	size_t a_count, b_count;
};

const char *verdict_name(enum busway_p2p_verdict verdict);

/* "bus", "cpu" or "iova"; NULL where it is refused. */
const char *address_form(enum busway_p2p_verdict verdict);

int p2p_json(const struct question *question);
int p2p_matrix(const struct question *question, const struct options *options);
int p2p_pair(const struct question *question, const struct options *options);

#endif
