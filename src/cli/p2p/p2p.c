/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * p2p.c - who can talk to whom directly.
 */
#include "p2p.h"
#include "groups.h"

#include <stdlib.h>

/* All functions that are no bridges. */
static busway_pci_id *all_of(const struct busway_pci *pci, size_t *count)
{
	const size_t most = busway_pci_count(pci);
	busway_pci_id *ids = malloc((most + 1) * sizeof(*ids));

	*count = 0;
	for (uint32_t i = 0; ids && i < most; i++)
		if (!busway_pci_is_bridge(busway_pci_function(pci, (busway_pci_id){i})->type))
			ids[(*count)++] = (busway_pci_id){i};
	return ids;
}

static int answer(struct question *q, busway_pci_id devices[2], const struct options *options)
{
	const int named = options->argument_count - 1;

	for (int i = 0; i < named; i++)
		if (!find_pci_function(q->loaded, options->arguments[1 + i], &devices[i]))
			return EXIT_BAD;
	if (named > 0) {
		q->a = &devices[0];
		q->a_count = 1;
	}
	if (named > 1) {
		q->b = &devices[1];
		q->b_count = 1;
	}
	switch (options->format) {
	case FORMAT_JSON:
		return p2p_json(q, named > 1);
	case FORMAT_DOT:
		return p2p_dot(q, options);
	case FORMAT_SVG:
		return p2p_svg(q, options);
	default:
		return named > 1 ? p2p_pair(q, options) : p2p_matrix(q, options);
	}
}

static bool is_zen(const struct options *options, const struct busway_system *machine)
{
	if (options->cpu == CPU_UNSAID)
		return busway_system_cpu_zen(machine) == BUSWAY_PRESENT;
	return options->cpu == CPU_ZEN;
}

/* Machines that a device tree describes have other processors. */
static bool may_be_zen(const struct busway_system *machine)
{
	size_t size;

	return busway_system_cpu_zen(machine) == BUSWAY_UNKNOWN &&
	       !busway_system_tree(machine, &size);
}

/* A drawing may be of what one device reaches. */
static bool draws(const struct options *options)
{
	return options->format == FORMAT_SVG || options->format == FORMAT_DOT;
}

/* The lists are of a machine, or of none: can they be given as they are asked for? */
static bool lists(const struct options *options)
{
	const char *name = options->hosts ? "--hosts" : "--groups";

	if (options->hosts && options->groups)
		complain("p2p: --hosts and --groups are two lists: ask for one");
	else if (options->hosts && options->format != FORMAT_TEXT)
		complain("p2p: --hosts is told as text only");
	else if (draws(options))
		complain("p2p: --groups is told as text or as json, not drawn");
	else if (options->argument_count > 1)
		complain("p2p: %s is about no pair: '%s' is too much", name, options->arguments[1]);
	else
		return true;
	return false;
}

static int run(const struct options *options)
{
	struct loaded loaded;
	struct question q = {0};
	busway_pci_id *all, devices[2];
	int status;

	if ((options->hosts || options->groups) && !lists(options))
		return EXIT_BAD;
	if (options->hosts)
		return list_hosts(options);
	if (!options->argument_count)
		return complain("p2p: PLATFORM is missing; usage: busway p2p [OPTIONS] %s",
				command_p2p.arguments);
	if (options->argument_count == 2 && !draws(options))
		return complain(
			"p2p: one DEVICE is missing: say two, or none for all pairs; what one "
			"reaches is drawn (--format svg)");
	if (!load(options->arguments[0], 0, &loaded))
		return EXIT_BAD;
	q.loaded = &loaded;
	q.machine = loaded.machine;
	if (!q.machine) {
		complain("%s: a device tree lists no PCI functions: p2p needs a machine (live, a "
			 "recorded sys/ tree or lspci -xxxx)",
			 loaded.source);
		unload(&loaded);
		return EXIT_BAD;
	}
	q.pci = busway_system_pci(q.machine);
	if (options->groups) {
		status = list_groups(&loaded, options);
		unload(&loaded);
		return status;
	}
	q.policy = (struct busway_p2p_policy){
		.view = options->linux_view ? BUSWAY_P2P_LINUX : BUSWAY_P2P_ROUTE,
		.trust_unknown = options->trust_unknown,
		.cpu_zen = is_zen(options, q.machine),
	};
	q.cpu_unknown = options->cpu == CPU_UNSAID && may_be_zen(q.machine);
	all = all_of(q.pci, &q.a_count);
	q.a = q.b = all;
	q.b_count = q.a_count;
	status = all ? answer(&q, devices, options) : complain("%s: out of memory", loaded.source);
	free(all);
	unload(&loaded);
	return status;
}

const struct command command_p2p = {
	.name = "p2p",
	.arguments = "PLATFORM [DEVICE DEVICE]",
	.summary = "who can talk to whom directly, by which route, or why not",
	.help = "\n"
		"PLATFORM is a machine: live, a recorded sys/ tree, or the output of lspci -xxxx.\n"
		"Without devices all pairs of functions are shown; with two, the way from the "
		"first\n"
		"(which emits the request) to the memory of the second. Drawings are of the tree "
		"of\n"
		"buses: with the way of two devices, or with what one of them reaches.\n"
		"\n"
		"  busway p2p live\n"
		"  busway p2p server/ 03:00.0 04:00.0\n"
		"  busway p2p live 03:00.0 --format svg >reach.svg\n",
	.statuses = "0 yes (a matrix: always), 1 the pair is refused",
	.min_arguments = 0,
	.max_arguments = 3,
	.run = run,
};
