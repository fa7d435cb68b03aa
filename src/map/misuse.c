/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * misuse.c - what a driver did wrong, told to the program around it.
 */
#include "map_internal.h"

static const struct {
	const char *code, *text;
} misuses[BUSWAY_MISUSE_COUNT] = {{"", ""},
#define X(id, code, text) {code, text},
				  BUSWAY_MISUSES(X)
#undef X
};

const char *busway_misuse_code(enum busway_misuse misuse)
{
	return (unsigned)misuse < BUSWAY_MISUSE_COUNT ? misuses[misuse].code : "";
}

const char *busway_misuse_text(enum busway_misuse misuse)
{
	return (unsigned)misuse < BUSWAY_MISUSE_COUNT ? misuses[misuse].text : "";
}

void report_of(const struct busway_dma *dma, busway_device_id device, enum busway_misuse misuse,
	       const struct busway_mapping *mapping, struct busway_dma_range asked,
	       struct busway_difference difference)
{
	const struct busway_misuse_report what = {
		.misuse = misuse,
		.device = device,
		.mapping = mapping,
		.asked = asked,
		.difference = difference,
	};
	const struct busway_dma_environment *e = &dma->environment;

	if (e->misuse)
		e->misuse(e->ctx, &what);
}

int not_live(const struct busway_mapping *mapping, bool unmapping)
{
	static const enum busway_misuse unmap[] = {
		[STATE_NONE] = BUSWAY_MISUSE_NOT_MAPPED,
		[STATE_GONE] = BUSWAY_MISUSE_UNMAPPED_TWICE,
		[STATE_REFUSED] = BUSWAY_MISUSE_UNMAP_REFUSED,
		[STATE_WAITS] = BUSWAY_MISUSE_UNMAP_REFUSED,
	};
	const struct busway_dma *dma =
		mapping->state_ == STATE_WAITS ? mapping->lane_->device->dma : mapping->api_;

	const busway_device_id device = mapping->state_ == STATE_WAITS
						? mapping->lane_->device->id
						: (busway_device_id){mapping->device_};

	if (dma) /* else nobody knows whose it is: it was never mapped */
		report_of(dma, device,
			  unmapping ? unmap[mapping->state_] : BUSWAY_MISUSE_SYNC_NOT_MAPPED,
			  mapping, (struct busway_dma_range){mapping->dma, mapping->dma},
			  (struct busway_difference){0, 0});
	return -BUSWAY_EINVAL;
}
