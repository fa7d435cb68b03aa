/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iova_internal.h - taking IOVAs away, for one device and for groups. All may be -BUSWAY_ENOMEM.
 */
#ifndef BUSWAY_IOVA_INTERNAL_H
#define BUSWAY_IOVA_INTERNAL_H

#include <busway/iova.h>

/* Room for @more that are removed. */
int iova_make_room(struct busway_iova *iova, size_t more);

int iova_take_away(struct busway_iova *iova, struct busway_range range,
		   enum busway_iova_cause cause, const char *by);

/* What lies before, between and behind @ranges, which are sorted and disjoint. */
int iova_take_outside(struct busway_iova *iova, const struct busway_range *ranges, size_t count,
		      enum busway_iova_cause cause, const char *by);

#endif
