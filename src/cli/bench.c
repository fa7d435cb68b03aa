#include "cli.h"
static int run(const struct options *o)
{
	(void)o;
	return EXIT_YES;
}
const struct command command_bench = {.name = "bench",
				      .arguments = "[NAME...]",
				      .summary = "the library's hot paths, measured",
				      .help = "",
				      .min_arguments = 0,
				      .max_arguments = -1,
				      .run = run};
