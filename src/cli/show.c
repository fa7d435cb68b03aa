/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * show.c - what each DMA-capable device can reach, and through what.
 */
#include "acpi/acpi.h"
#include "iova/iova.h"
#include "picture/svg.h"

#include <stdlib.h>

/* The devices to show: one that is named, all, or the likely masters. */
static busway_device_id *choose(const struct loaded *loaded, const struct options *options,
				size_t *count)
{
	const size_t all = busway_platform_device_count(loaded->platform);
	busway_device_id *devices = malloc((all + 1) * sizeof(*devices));

	*count = 0;
	for (uint32_t i = 0; devices && i < all; i++) {
		const struct busway_device *d =
			busway_platform_device(loaded->platform, (busway_device_id){i});

		if (!d->is_bridge_itself && (d->likely_master || options->all))
			devices[(*count)++] = (busway_device_id){i};
	}
	if (!devices)
		complain("out of memory");
	return devices;
}

static int picture(const struct loaded *loaded, const struct options *options,
		   const busway_device_id *devices, size_t count, bool one)
{
	struct svg_findings findings;
	int status;

	if (!svg_findings_make(loaded,
			       one ? busway_platform_device(loaded->platform, devices[0]) : NULL,
			       &findings))
		return EXIT_BAD;
	status = show_svg(loaded, options, devices, count, one, findings.marks);
	svg_findings_free(&findings);
	return status;
}

static int show_table(const struct options *options, struct loaded *loaded)
{
	int status;

	if (options->argument_count > 1)
		status = complain("%s: an ACPI table lists no devices: say the PLATFORM alone",
				  loaded->source);
	else if (options->format == FORMAT_SVG)
		status = complain("%s: there is no picture of an ACPI table", loaded->source);
	else
		status = options->format == FORMAT_JSON ? show_acpi_json(loaded)
							: show_acpi_text(loaded, options);
	unload(loaded);
	return status;
}

static int run(const struct options *options)
{
	const bool one = options->argument_count > 1;
	busway_device_id named, *devices = NULL;
	struct loaded loaded;
	size_t count = 1;
	int status = EXIT_BAD;

	if (options->iova)
		return show_iova(options);
	if (options->own && !one)
		return complain("show: --own wants a DEVICE, which is a host bridge");
	if (!load_any(options->arguments[0], one || options->all ? BUSWAY_FDT_ALL_NODES : 0,
		      &loaded))
		return EXIT_BAD;
	if (loaded.acpi)
		return show_table(options, &loaded);
	if (one ? find_device(&loaded, options->arguments[1], options, &named)
		: (devices = choose(&loaded, options, &count)) != NULL)
		status = options->format == FORMAT_JSON
				 ? show_json(&loaded, options, one ? &named : devices, count)
			 : options->format == FORMAT_SVG
				 ? picture(&loaded, options, one ? &named : devices, count, one)
				 : show_text(&loaded, options, one ? &named : devices, count, one);
	free(devices);
	unload(&loaded);
	return status;
}

const struct command command_show = {
	.name = "show",
	.arguments = "PLATFORM [DEVICE[,DEVICE...]]",
	.summary = "what each DMA-capable device can reach, and through what",
	.help = "\n"
		"Tells, for each likely DMA master (or each node, with --all), the windows that "
		"its\n"
		"accesses pass, the memory that it reaches and under which address, and the "
		"memory\n"
		"that it does not reach. Devices that share all of that are shown together.\n"
		"Several devices are for --iova, which tells what they can share.\n"
		"Of a machine (live, a recorded sys/ tree, the output of lspci -xxxx) devices are "
		"its\n"
		"PCI functions; an ACPI table (DMAR, IVRS, IORT) by itself is listed.\n"
		"\n"
		"  busway show board.dtb\n"
		"  busway show board.dtb pcie@7d500000 --mask 32 -v\n"
		"  busway show board.dtb --format svg > board.svg\n"
		"  busway show live 0000:03:00.0\n"
		"  busway show board.dtb pcie@40000000,usb@7ffc0000 --iova\n"
		"  busway show board.dtb --format json | jq '.devices[] | select(.reach == [])'\n",
	.statuses = "0 the platform was shown, whatever devices reach",
	.min_arguments = 1,
	.max_arguments = 2,
	.run = run,
};
