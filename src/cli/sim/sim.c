/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim.c - busway sim: run a workload on the simulated machine of a platform.
 */
#include "sim.h"

static int run(const struct options *options)
{
	struct scene scene;
	int status = EXIT_BAD;
	bool done;

	if (!scene_open(&scene, options))
		return EXIT_BAD;
	done = options->script ? sim_script(&scene, options->script) : sim_workload(&scene);
	if (done)
		status = options->format == FORMAT_JSON ? sim_json(&scene) : sim_text(&scene);
	scene_close(&scene);
	return status;
}

const struct command command_sim = {
	.name = "sim",
	.arguments = "PLATFORM [DEVICE...]",
	.summary = "run a workload on the simulated machine",
	.help = "\n"
		"The machine has the memory, the windows, the pools and the caches of PLATFORM. "
		"Random\n"
		"drivers of the devices (default: all that are likely to do DMA) map, sync and "
		"unmap\n"
		"memory through the DMA API, while the devices read and write it, each access "
		"followed\n"
		"hop by hop. Every byte is checked; what a driver or a device does wrong is a "
		"violation.\n"
		"\n"
		"  busway sim board.dtb --count 100000 --seed 7\n"
		"  busway sim board.dtb pcie@7d500000 --mask 32 --pool 1M\n"
		"  busway sim board.dtb --script steps.txt\n"
		"\n"
		"A script has one step a line (busway-sim(1) says what each does):\n"
		"\n"
		"  map         NAME DEVICE to|from|both SIZE|RANGE [ATTRIBUTE...]\n"
		"  map-list    NAME DEVICE to|from|both SIZE|RANGE... [ATTRIBUTE...]\n"
		"  map-peer    NAME DEVICE to|from|both RANGE\n"
		"  map-or-wait NAME DEVICE to|from|both SIZE|RANGE [ATTRIBUTE...]\n"
		"  cancel NAME            unmap NAME             unmap-list NAME [ENTRIES]\n"
		"  sync NAME cpu|device [OFFSET+SIZE]\n"
		"  fill NAME PATTERN      check NAME PATTERN\n"
		"  device NAME read|write|fill|verify [PATTERN]\n"
		"  access DEVICE read|write|fill|verify RANGE\n"
		"  alloc NAME DEVICE SIZE [atomic]               free NAME\n"
		"  blocks NAME DEVICE SIZE                       take NAME BLOCKS [atomic]\n"
		"  give NAME              mask DEVICE BITS       coherent-mask DEVICE BITS\n"
		"  detach DEVICE          abandon DEVICE         quiet DEVICE\n"
		"  attach DEVICE          tables DEVICE          flush DEVICE\n"
		"\n"
		"Attributes: no-bounce, skip-sync, overwrites, owns-lines.\n",
	.statuses = "0 all went well, 1 a violation, other bytes, a mistake of the script or "
		    "nobody to\n"
		    "take part",
	.min_arguments = 1,
	.max_arguments = -1,
	.run = run,
};
