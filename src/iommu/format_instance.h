/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * format_instance.h - the three calls of every day, made for one format.
 *
 *   FORMAT_DECLARE(vtd);
 *   const struct format format_vtd = {...  .map = vtd_map, .unmap = vtd_unmap, .lookup =
 * vtd_lookup}; FORMAT_INSTANCE(vtd)
 *
 * The facts stand in front of the instances, so that compilers fold them in.
 */
#ifndef BUSWAY_IOMMU_INSTANCE_H
#define BUSWAY_IOMMU_INSTANCE_H

#include "lookup_body.h"
#include "map_body.h"
#include "unmap_body.h"

#define FORMAT_DECLARE(name)                                                                       \
	static map_call name##_map;                                                                \
	static unmap_call name##_unmap;                                                            \
	static lookup_call name##_lookup

#define FORMAT_INSTANCE(name)                                                                      \
	static __attribute__((noinline)) int name##_map_more(                                      \
		struct busway_pagetable *pt, uint64_t iova, const struct busway_phys_range *runs,  \
		size_t count, unsigned prot, struct busway_refusal *why)                           \
	{                                                                                          \
		return map_more_body(&format_##name, pt, iova, runs, count, prot, why);            \
	}                                                                                          \
	static int name##_map(struct busway_pagetable *pt, uint64_t iova,                          \
			      const struct busway_phys_range *runs, size_t count, unsigned prot,   \
			      struct busway_refusal *why)                                          \
	{                                                                                          \
		return map_body(&format_##name, pt, iova, runs, count, prot, why,                  \
				name##_map_more);                                                  \
	}                                                                                          \
	static __attribute__((noinline)) int name##_unmap_more(                                    \
		struct busway_pagetable *pt, struct busway_range range, unsigned flags,            \
		struct busway_freed_tables *freed, uint64_t *unmapped, struct busway_refusal *why) \
	{                                                                                          \
		return unmap_more_body(&format_##name, pt, range, flags, freed, unmapped, why);    \
	}                                                                                          \
	static int name##_unmap(struct busway_pagetable *pt, struct busway_range range,            \
				unsigned flags, struct busway_freed_tables *freed,                 \
				uint64_t *unmapped, struct busway_refusal *why)                    \
	{                                                                                          \
		return unmap_body(&format_##name, pt, range, flags, freed, unmapped, why,          \
				  name##_unmap_more);                                              \
	}                                                                                          \
	static __attribute__((noinline)) bool name##_lookup_more(                                  \
		const struct busway_pagetable *pt, uint64_t iova, struct busway_translation *out)  \
	{                                                                                          \
		return lookup_more_body(&format_##name, pt, iova, out);                            \
	}                                                                                          \
	static bool name##_lookup(const struct busway_pagetable *pt, uint64_t iova,                \
				  struct busway_translation *out)                                  \
	{                                                                                          \
		return lookup_body(&format_##name, pt, iova, out, name##_lookup_more);             \
	}

#endif
