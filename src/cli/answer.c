/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * answer.c - what is asked of the library about one device; all that `show` tells, at once.
 */
#include "cli.h"

/* Usable memory less what the device reaches. */
static int find_missed(const struct busway_platform *platform, struct answer *answer)
{
	size_t count;
	const struct busway_memory_bank *banks = busway_platform_banks(platform, &count);
	const struct busway_piece *pieces;
	const struct busway_region *regions;
	int status = 0;

	busway_intervals_init(&answer->missed, &cli_memory);
	for (size_t i = 0; i < count && !status; i++)
		status = busway_intervals_add(&answer->missed, banks[i].range);
	regions = busway_platform_regions(platform, &count);
	for (size_t i = 0; i < count && !status; i++)
		if (regions[i].kind == BUSWAY_REGION_CARVEOUT)
			status = busway_intervals_remove(&answer->missed, regions[i].range);
	pieces = busway_reach_pieces(answer->reach, &count);
	for (size_t i = 0; i < count && !status; i++) {
		const struct busway_range phys = {
			pieces[i].phys.raw,
			pieces[i].phys.raw + (pieces[i].dma.last.raw - pieces[i].dma.first.raw)};

		status = busway_intervals_remove(&answer->missed, phys);
	}
	return status;
}

/* What the library could not work out about a device, in words. */
static void complain_of_status(const struct loaded *loaded, busway_device_id id, int status)
{
	complain("%s: %s: %s", loaded->source, busway_platform_device(loaded->platform, id)->name,
		 status == -BUSWAY_E2BIG ? "its windows multiply to more pieces than are kept"
					 : "out of memory");
}

struct busway_reach *make_reach(const struct loaded *loaded, busway_device_id id,
				unsigned mask_bits)
{
	const struct busway_emission emission = emission_for(loaded, id, mask_bits);
	struct busway_reach *reach;
	const int status = busway_reach_build(loaded->platform, id, &emission, &cli_memory, &reach);

	if (!status)
		return reach;
	complain_of_status(loaded, id, status);
	return NULL;
}

int answer_make(const struct loaded *loaded, busway_device_id id, const struct options *options,
		struct answer *answer)
{
	const struct busway_emission emission = emission_for(loaded, id, options->mask);
	const struct busway_emission coherent = emission_for(loaded, id, options->coherent_mask);
	static const struct busway_emission everything = {0};
	struct busway_iova_member members[2] = {{id, &emission}, {id, &everything}};
	const size_t member_count = 1 + function_in_front(loaded, id, &members[1].device);
	int status;

	*answer = (struct answer){.id = id, .device = busway_platform_device(loaded->platform, id)};
	busway_intervals_init(&answer->missed, &cli_memory);
	answer->iova.memory_ = &cli_memory;
	busway_intervals_init(&answer->iova.allowed, &cli_memory);
	status = busway_windows_build(loaded->platform, id, &cli_memory, &answer->windows,
				      &answer->window_count);
	if (!status)
		status = busway_reach_build(loaded->platform, id, &emission, &cli_memory,
					    &answer->reach);
	if (!status && options->has_coherent_mask)
		status = busway_reach_build(loaded->platform, id, &coherent, &cli_memory,
					    &answer->coherent_reach);
	if (!status && answer->device->behind_iommu)
		status = busway_iova_build_group(loaded->platform, members, member_count, NULL, 0,
						 &cli_memory, &answer->iova);
	if (!status)
		status = find_missed(loaded->platform, answer);
	if (status) {
		answer_free(answer);
		complain_of_status(loaded, id, status);
	}
	return status;
}

void answer_free(struct answer *answer)
{
	if (answer->windows)
		cli_memory.free(NULL, answer->windows,
				answer->window_count * sizeof(*answer->windows),
				_Alignof(struct busway_piece));
	busway_reach_destroy(answer->reach);
	busway_reach_destroy(answer->coherent_reach);
	busway_intervals_clear(&answer->missed);
	busway_iova_free(&answer->iova);
	answer->windows = NULL;
	answer->reach = answer->coherent_reach = NULL;
}

const char *answer_error(const struct answer *answer)
{
	if (!answer->device->dma.restricted || answer->window_count)
		return NULL;
	return answer->device->dma.empty_table ? "empty-table" : "untranslatable";
}
