/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scene.c - the simulated machine of a platform, with the DMA API on it and devices attached.
 *
 * A bounce pool is put where each device reaches it: one pool serves all that reach it, and there
 * are as many as it takes. What an IOMMU translates for goes through the domain of its group.
 */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

/* ---- which devices ---- */

/* A host bridge stands for any function below it; of a machine they are all there themselves. */
static bool stands_for_others(const struct scene *scene, const struct busway_device *d)
{
	return scene->loaded.machine &&
	       (d->kind == BUSWAY_DEVICE_PCIE_HOST || d->kind == BUSWAY_DEVICE_PCI_HOST);
}

static bool takes_part(const struct scene *scene, const struct busway_device *d)
{
	return d->enabled && d->likely_master && !d->is_bridge_itself &&
	       !stands_for_others(scene, d) && d->kind != BUSWAY_DEVICE_IOMMU &&
	       d->kind != BUSWAY_DEVICE_PCIE_ENDPOINT;
}

static bool add_actor(struct scene *scene, busway_device_id id)
{
	struct actor *grown = realloc(scene->actors, (scene->count + 1) * sizeof(*grown));

	if (!grown)
		return complain("out of memory") == EXIT_YES;
	scene->actors = grown;
	grown[scene->count++] = (struct actor){
		.id = id,
		.name = busway_platform_device(scene->loaded.platform, id)->name,
	};
	return true;
}

static bool is_there(const struct scene *scene, busway_device_id id)
{
	for (size_t i = 0; i < scene->count; i++)
		if (scene->actors[i].id.index == id.index)
			return true;
	return false;
}

/* Those that are named, or all that are likely to do DMA. */
static bool choose(struct scene *scene)
{
	const struct options *o = scene->options;
	const size_t all = busway_platform_device_count(scene->loaded.platform);
	busway_device_id id;

	for (int i = 1; i < o->argument_count; i++) {
		if (!find_device(&scene->loaded, o->arguments[i], o, &id))
			return false;
		limit_segments(&scene->loaded, id, o);
		if (!is_there(scene, id) && !add_actor(scene, id))
			return false;
	}
	for (uint32_t i = 0; o->argument_count == 1 && i < all; i++) {
		id = (busway_device_id){i};
		if ((o->all ||
		     takes_part(scene, busway_platform_device(scene->loaded.platform, id))) &&
		    !add_actor(scene, id))
			return false;
	}
	return scene->count || complain("%s: no device of it is likely to do DMA; name one, or "
					"say --all",
					scene->loaded.source) == EXIT_YES;
}

/* ---- pools ---- */

static bool is_reached(const struct busway_reach *reach, struct busway_range range)
{
	size_t count;
	const struct busway_piece *pieces = busway_reach_pieces(reach, &count);

	for (size_t i = 0; i < count; i++) {
		const struct busway_range dma = busway_dma_raw(pieces[i].dma);
		const struct busway_range phys = {pieces[i].phys.raw,
						  pieces[i].phys.raw + busway_range_span(dma)};

		if (busway_range_within(range, phys) && pieces[i].access == BUSWAY_READ_WRITE)
			return true;
	}
	return false;
}

/* Is there a pool for all that the device reaches? @reach NULL: it reaches any. */
static bool has_pool(const struct scene *scene, const struct busway_reach *reach)
{
	struct busway_pool_census census;

	for (size_t i = 0; busway_dma_pool(scene->dma, i, &census); i++)
		if (!census.name && (!reach || is_reached(reach, busway_phys_raw(census.range))))
			return true;
	return false;
}

/* What the device reaches, as memory of the CPU; free() it. */
static struct busway_phys_range *reached(const struct busway_reach *reach, size_t *count)
{
	const struct busway_piece *pieces = busway_reach_pieces(reach, count);
	struct busway_phys_range *ranges = malloc((*count + 1) * sizeof(*ranges));

	for (size_t i = 0; ranges && i < *count; i++) {
		const uint64_t span = busway_range_span(busway_dma_raw(pieces[i].dma));

		ranges[i] = (struct busway_phys_range){pieces[i].phys, {pieces[i].phys.raw + span}};
	}
	return ranges;
}

/* As much of --pool as can be had; none is no fault: then what does not go directly is refused. */
static void make_pool(struct scene *scene, const struct busway_phys_range *within, size_t count)
{
	busway_phys_t phys;

	for (uint64_t size = scene->options->pool; size >= 0x1000; size /= 2) {
		if (busway_machine_take(scene->machine, size, 0x1000, within, count, &phys))
			continue;
		busway_dma_add_pool(scene->dma,
				    (struct busway_phys_range){phys, {phys.raw + (size - 1)}},
				    BUSWAY_USE_BOTH, 2);
		break;
	}
}

/* Where the device reaches it by itself. */
static void make_reached_pool(struct scene *scene, const struct busway_reach *reach)
{
	size_t count;
	struct busway_phys_range *within = reached(reach, &count);

	if (within && count)
		make_pool(scene, within, count);
	free(within);
}

/* A pool for a device that has none of its own and reaches none of those that there are. Through a
 * domain all are reached. */
static bool give_pool(struct scene *scene, const struct actor *actor)
{
	struct busway_reach *reach = NULL;

	if (!actor->group) {
		reach = make_reach(&scene->loaded, actor->id, scene->options->mask);
		if (!reach)
			return false;
	}
	if (!has_pool(scene, reach) && reach)
		make_reached_pool(scene, reach);
	else if (!has_pool(scene, reach))
		make_pool(scene, NULL, 0);
	busway_reach_destroy(reach);
	return true;
}

/* The pool that the device must use; NULL. */
static const char *own_pool(const struct scene *scene, busway_device_id id)
{
	const struct busway_device *d = busway_platform_device(scene->loaded.platform, id);
	size_t count;
	const struct busway_pool *pools = busway_platform_pools(scene->loaded.platform, &count);

	return d->restricted_pool < count ? pools[d->restricted_pool].name : NULL;
}

/* ---- attaching ---- */

bool scene_attach(struct scene *scene, struct actor *actor)
{
	const struct options *o = scene->options;
	const struct busway_dma_options options = {
		.default_coherent = o->coherent_default,
		.bypass_iommu = o->bypass_iommu,
		.min_align_mask = o->min_align ? o->min_align - 1 : 0,
		.domain = group_domain(actor),
	};
	int status =
		busway_dma_attach(scene->dma, actor->id, &options, &actor->device, &actor->why);

	if (status == -BUSWAY_ERANGE)
		return true;
	actor->pool = own_pool(scene, actor->id);
	if (status == 0)
		status = busway_dma_set_mask(actor->device, o->mask, &actor->mask, &actor->why);
	if (status == 0)
		status = busway_dma_set_coherent_mask(actor->device, o->coherent_mask, NULL,
						      &actor->why);
	if (status == 0 && !actor->engine)
		status = busway_engine_create(scene->machine, actor->id, NULL, &actor->engine);
	if (status == -BUSWAY_ERANGE) {
		busway_dma_detach(actor->device);
		actor->device = NULL;
		return true;
	}
	if (status)
		return complain("%s: out of memory", actor->name) == EXIT_YES;
	actor->takes_part = true;
	return !o->pool || actor->pool || give_pool(scene, actor);
}

/* ---- all of it ---- */

/* What the tree states, or else the command line. */
static bool find_memory(struct scene *scene)
{
	const struct options *o = scene->options;
	size_t count;
	const struct busway_memory_bank *banks =
		busway_platform_banks(scene->loaded.platform, &count);

	scene->memory_stated = count != 0;
	if (count && o->memory_count)
		return complain("--memory: %s states its memory itself", scene->loaded.source) ==
		       EXIT_YES;
	if (!count && !o->memory_count)
		return complain("%s: the tree does not state its memory; say where there is some, "
				"as in --memory 0x4000_0000+1G",
				scene->loaded.source) == EXIT_YES;
	if (!count)
		count = (size_t)o->memory_count;
	scene->memory = calloc(count, sizeof(*scene->memory));
	if (!scene->memory)
		return complain("out of memory") == EXIT_YES;
	scene->memory_count = count;
	for (size_t i = 0; i < count; i++)
		scene->memory[i] =
			scene->memory_stated ? busway_phys_range(banks[i].range) : o->memory[i];
	return true;
}

static bool make_machine(struct scene *scene)
{
	const struct busway_machine_options options = {
		.seed = scene->options->seed,
		.default_coherent = scene->options->coherent_default,
		.posted = true,
		.walks_past_caches = true, /* where IOMMUs snoop, this does no harm */
		.memory = scene->memory,
		.memory_count = scene->memory_stated ? 0 : scene->memory_count,
	};
	struct busway_dma_environment environment;

	if (busway_machine_create(scene->loaded.platform, &options, &cli_memory, &scene->machine))
		return complain("%s: there is not enough memory for its memory",
				scene->loaded.source) == EXIT_YES;
	environment = busway_machine_environment(scene->machine);
	if (busway_dma_create(scene->loaded.platform, &environment, &cli_memory, &scene->dma))
		return complain("out of memory") == EXIT_YES;
	return true;
}

bool scene_open(struct scene *scene, const struct options *options)
{
	*scene = (struct scene){.options = options};
	if (!load(options->arguments[0], BUSWAY_FDT_ALL_NODES, &scene->loaded))
		return false;
	if (!find_memory(scene)) {
		unload(&scene->loaded);
		return false;
	}
	if (choose(scene) && make_machine(scene) && groups_open(scene)) {
		size_t i = 0;

		while (i < scene->count && scene_attach(scene, &scene->actors[i]))
			i++;
		if (i == scene->count)
			return true;
	}
	scene_close(scene);
	return false;
}

void scene_close(struct scene *scene)
{
	for (size_t i = 0; i < scene->count; i++) {
		if (scene->actors[i].engine)
			busway_engine_destroy(scene->actors[i].engine);
		if (scene->actors[i].device)
			busway_dma_abandon(scene->actors[i].device);
	}
	if (scene->dma)
		busway_dma_destroy(scene->dma);
	groups_close(scene);
	busway_machine_destroy(scene->machine);
	json_decref(scene->told);
	free(scene->actors);
	free(scene->memory);
	unload(&scene->loaded);
}

struct actor *scene_actor(struct scene *scene, const char *name)
{
	busway_device_id id;

	if (!find_device(&scene->loaded, name, scene->options, &id))
		return NULL;
	for (size_t i = 0; i < scene->count; i++)
		if (scene->actors[i].id.index == id.index && scene->actors[i].takes_part)
			return &scene->actors[i];
	for (size_t i = 0; i < scene->count; i++)
		if (scene->actors[i].id.index == id.index) {
			char text[512];

			busway_refusal_detail(&scene->actors[i].why, text, sizeof(text));
			complain("%s takes no part: %s: %s", name,
				 busway_reason_code(scene->actors[i].why.reason), text);
			return NULL;
		}
	complain("%s takes no part: name it on the command line, too", name);
	return NULL;
}

uint64_t sim_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

int sim_status(const struct scene *scene)
{
	uint64_t wrong = busway_machine_violations(scene->machine) + scene->mistakes;
	bool any = false;

	for (size_t i = 0; i < scene->count; i++) {
		wrong += scene->actors[i].wrong;
		any |= scene->actors[i].takes_part;
	}
	return wrong || !any ? EXIT_NO : EXIT_YES;
}
