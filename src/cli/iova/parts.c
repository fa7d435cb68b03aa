/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parts.c - the whole space of IOVAs, cut where something begins or ends.
 */
#include "iova.h"

#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Where a part begins, in order; some more than once. Room for 2 * removed_count + 1. */
static size_t cut(const struct busway_iova *iova, uint64_t *cuts)
{
	size_t count = 0;

	cuts[count++] = 0;
	for (size_t i = 0; i < iova->removed_count; i++) {
		cuts[count++] = iova->removed[i].range.first;
		if (iova->removed[i].range.last != UINT64_MAX)
			cuts[count++] = iova->removed[i].range.last + 1;
	}
	qsort(cuts, count, sizeof(*cuts), compare);
	return count;
}

static unsigned causes_at(const struct busway_iova *iova, uint64_t address)
{
	unsigned causes = 0;

	for (size_t i = 0; i < iova->removed_count && iova->removed[i].range.first <= address; i++)
		if (busway_range_has(iova->removed[i].range, address))
			causes |= 1u << iova->removed[i].cause;
	return causes;
}

struct iova_part *make_parts(const struct busway_iova *iova, size_t *count)
{
	uint64_t *cuts = malloc((2 * iova->removed_count + 1) * sizeof(*cuts));
	struct iova_part *parts = malloc((2 * iova->removed_count + 1) * sizeof(*parts));
	size_t cut_count;

	*count = 0;
	if (!cuts || !parts) {
		complain("out of memory");
		free(cuts);
		free(parts);
		return NULL;
	}
	cut_count = cut(iova, cuts);
	for (size_t i = 0; i < cut_count; i++) {
		const unsigned causes = causes_at(iova, cuts[i]);
		const uint64_t last = i + 1 < cut_count ? cuts[i + 1] - 1 : UINT64_MAX;

		if (i + 1 < cut_count && cuts[i + 1] == cuts[i])
			continue;
		if (*count && parts[*count - 1].causes == causes)
			parts[*count - 1].range.last = last;
		else
			parts[(*count)++] = (struct iova_part){{cuts[i], last}, causes};
	}
	free(cuts);
	return parts;
}

void causes_text(unsigned causes, char *text, size_t capacity)
{
	size_t used = 0;

	*text = '\0';
	for (int i = 0; i <= BUSWAY_IOVA_SYSTEM; i++)
		if (causes >> i & 1 && used < capacity)
			used += (size_t)snprintf(text + used, capacity - used, "%s%s",
						 used ? ", " : "",
						 iova_cause_name((enum busway_iova_cause)i));
}

void removed_text(const struct busway_iova_removed *removed, char *text, size_t capacity)
{
	static const struct {
		const char *before, *after;
	} words[] = {
		[BUSWAY_IOVA_NO_WINDOW] = {"no inbound window of ", " forwards it"},
		[BUSWAY_IOVA_APERTURE] = {"an outbound window of ", " answers there"},
		[BUSWAY_IOVA_RESERVED] = {"kept free by iommu-addresses of ", ""},
		[BUSWAY_IOVA_EMISSION] = {"", " cannot drive these addresses"},
		[BUSWAY_IOVA_DOORBELL] = {"the MSI doorbell of ", " answers there"},
		[BUSWAY_IOVA_REPORTED] = {"", " does not allow it"},
		[BUSWAY_IOVA_SYSTEM] = {"kept free by ", ""},
	};

	snprintf(text, capacity, "%s%s%s", words[removed->cause].before, removed->by,
		 words[removed->cause].after);
}

bool usable_size(const struct busway_iova *iova, struct busway_range *size)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < iova->allowed.count; i++)
		bytes += busway_range_span(iova->allowed.runs[i]) + 1;
	*size = (struct busway_range){0, bytes - 1}; /* 2^64 bytes count as 0 */
	return iova->allowed.count;
}
