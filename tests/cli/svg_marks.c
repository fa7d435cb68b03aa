/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * svg_marks.c - a picture with findings in it, for svg_test.py.
 *
 *   svg_marks PLATFORM DEVICE|- [NODE PROPERTY error|warning|note FIRST LAST cpu|bus|none]...
 *
 * Draws what `busway show --format svg` draws, with these findings.
 */
#include "../../src/cli/picture/svg.h"

#include <stdlib.h>
#include <string.h>

enum { WORDS = 6, MARKS_MAX = 64 };

static struct svg_mark mark_of(char **words)
{
	const struct busway_range range = {strtoull(words[3], NULL, 0),
					   strtoull(words[4], NULL, 0)};

	return (struct svg_mark){
		.node = words[0],
		.property = words[1][0] ? words[1] : NULL,
		.severity = words[2][0] == 'e'   ? SVG_ERROR
			    : words[2][0] == 'w' ? SVG_WARNING
						 : SVG_NOTE,
		.code = "some-code",
		.message =
			"what is <wrong> & why, in a sentence that is so long that it takes more "
			"than one line of the list below the picture, and a word without any "
			"end 0123456789012345678901234567890123456789012345678901234567890123",
		.has_cpu = words[5][0] == 'c',
		.has_bus = words[5][0] == 'b',
		.cpu = range,
		.bus = range,
	};
}

int main(int argc, char **argv)
{
	static struct svg_mark marks[MARKS_MAX];
	const struct options options = {.format = FORMAT_SVG, .mask = 64, .coherent_mask = 64};
	busway_device_id devices[256], found;
	struct svg_marks list = {marks, 0};
	struct loaded loaded;
	size_t count = 0;
	int status;

	if (argc < 3 || !load(argv[1], 0, &loaded))
		return EXIT_BAD;
	for (int i = 3; i + WORDS <= argc && list.count < MARKS_MAX; i += WORDS)
		marks[list.count++] = mark_of(&argv[i]);
	for (uint32_t i = 0; i < busway_platform_device_count(loaded.platform) && count < 256; i++)
		if (!busway_platform_device(loaded.platform, (busway_device_id){i})
			     ->is_bridge_itself)
			devices[count++] = (busway_device_id){i};
	if (strcmp(argv[2], "-") == 0)
		status = show_svg(&loaded, &options, devices, count, false, list);
	else if (find_device(&loaded, argv[2], &options, &found))
		status = show_svg(&loaded, &options, &found, 1, true, list);
	else
		status = EXIT_BAD;
	unload(&loaded);
	return status;
}
