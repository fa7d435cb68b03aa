/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim.h - what the parts of "busway sim" share.
 *
 *   sim.c        the command
 *   scene.c      platform, machine, DMA API, the devices and their pools
 *   groups.c     devices behind IOMMUs, and their domains; ../streams.c: who shares one
 *   served.c     which way mappings went
 *   workload.c   random drivers and devices; buffer.c: their memory
 *   script*.c    a scripted one: see script.h
 *   sim_text.c, sim_json.c   the answer
 */
#ifndef BUSWAY_CLI_SIM_H
#define BUSWAY_CLI_SIM_H

#include "../cli.h"

#include <busway/sim.h>

/* Devices that an IOMMU cannot tell apart, or one that it can: an address space. */
struct group {
	struct scene *scene;
	const char *iommu; /* node of it, or of the first one of several */
	enum busway_pagetable_format format;
	bool assumed; /* which format the IOMMU reads is not known */
	uint32_t tag; /* 1...: its number */
	struct busway_iova allowed;
	struct busway_domain *domain;
	uint64_t high_water; /* bytes of IOVAs in use at once */
	uint64_t invalidations;
};

/* What was done with one device, and how it was served. */
struct actor {
	busway_device_id id;
	const char *name;
	struct group *group; /* NULL: nothing translates for it */
	bool takes_part;
	struct busway_refusal why;        /* else: for this reason */
	struct busway_dma_device *device; /* NULL: no driver has it */
	const char *pool;                 /* that it must bounce through; NULL */
	struct busway_engine *engine;
	struct busway_mask_report mask;
	uint64_t ways[BUSWAY_WAY_MIXED + 1]; /* mappings, by enum busway_way */
	uint64_t bytes, bounced_bytes;
	uint64_t coherent; /* allocations */
	uint64_t refused[BUSWAY_REASON_COUNT];
	uint64_t bounced_for[BUSWAY_REASON_COUNT]; /* why it was not direct */
	uint64_t wrong; /* times that other bytes were found than were put there */
};

struct scene {
	const struct options *options;
	struct loaded loaded;
	struct busway_machine *machine;
	struct busway_dma *dma;
	struct busway_phys_range *memory; /* banks */
	size_t memory_count;
	bool memory_stated; /* by the tree */
	struct actor *actors;
	size_t count; /* of actors */
	struct group *groups;
	size_t group_count;
	uint64_t steps;    /* done */
	uint64_t mistakes; /* of a script, that the machine is not told of */
	json_t *told;      /* the steps of a script and what became of them; NULL: none */
};

/* Complain and return false where that fails. */
bool scene_open(struct scene *scene, const struct options *options);
void scene_close(struct scene *scene);

/* A driver takes the device; where it is refused, .device stays NULL, and .why says why. */
bool scene_attach(struct scene *scene, struct actor *actor);

/* The actor that is called so; complains and returns NULL where it takes no part. */
struct actor *scene_actor(struct scene *scene, const char *name);

/* A domain for each group, whose tables the IOMMU walks from now on. Complains, false. */
bool groups_open(struct scene *scene);
void groups_close(struct scene *scene);

/* NULL: none. */
struct busway_domain *group_domain(const struct actor *actor);

/* Something was mapped. @group may be NULL. */
void group_note_use(struct group *group);

/* Bytes of IOVAs. */
uint64_t group_allowed(const struct group *group);

/* Accesses that an IOMMU has refused. */
uint64_t iommu_faults(const struct scene *scene);

/* Everything random comes from here: splitmix64. */
uint64_t sim_random(uint64_t *state);

/* --count steps of random work; false after a complaint. */
bool sim_workload(struct scene *scene);

/* The steps of a file; false after a complaint, nothing done. What it prints comes at once. */
bool sim_script(struct scene *scene, const char *path);

int sim_text(const struct scene *scene);
int sim_json(const struct scene *scene);

/* Count a mapping, how much of it bounced, and why. */
void count_served(struct actor *actor, const struct busway_mapping *mapping, uint64_t bounced_bytes,
		  enum busway_reason reason);

/* The same of one run of memory, where it is asked. Returns why it bounced, if it did. */
enum busway_reason count_mapping(struct actor *actor, const struct busway_mapping *mapping,
				 struct busway_phys_range memory);

/* Why some of a list bounces; BUSWAY_NOT_REFUSED: none of it does. */
enum busway_reason list_reason(const struct actor *actor, const struct busway_phys_range *memory,
			       size_t count, enum busway_direction direction, unsigned attributes);

/* EXIT_NO where there was a violation, or wrong bytes, or nobody to take part. */
int sim_status(const struct scene *scene);

#endif
