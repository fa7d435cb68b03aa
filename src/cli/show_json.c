/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * show_json.c - `busway show --format json`: schema busway-show/1.
 */
#include "cli.h"

static json_t *text_or_null(const char *text)
{
	return text ? json_text(text) : json_null();
}

static json_t *u32_or_null(uint32_t value)
{
	return value == UINT32_MAX ? json_null() : json_integer(value);
}

/* ---- notes ---- */

static void add_notes(json_t *list, const struct busway_note *notes)
{
	for (; notes; notes = notes->next) {
		json_t *note =
			json_pack("{s:s, s:o, s:s, s:s}", "code", busway_note_code(notes->code),
				  "node", json_text(notes->node), "property", notes->property,
				  "message", busway_note_text(notes->code));

		if (notes->entry != UINT32_MAX)
			json_object_set_new(note, "entry", json_integer(notes->entry));
		json_array_append_new(list, note);
	}
}

/* ---- the platform ---- */

static json_t *memory_json(const struct busway_platform *platform)
{
	size_t count;
	const struct busway_memory_bank *banks = busway_platform_banks(platform, &count);
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		uint64_t usable = 0;

		busway_platform_usable(platform, i, &cli_memory, &usable);
		json_array_append_new(
			list, json_pack("{s:o, s:o, s:o, s:o}", "node", json_text(banks[i].name),
					"base", json_hex(banks[i].range.first), "size",
					json_size(banks[i].range), "usable", json_hex(usable)));
	}
	return list;
}

static json_t *pool_json(const struct busway_pool *pool)
{
	json_t *users = json_array(), *ranges = json_array();
	json_t *object;

	for (size_t i = 0; i < pool->user_count; i++)
		json_array_append_new(users, json_text(pool->users[i]));
	for (size_t i = 0; i < pool->alloc_range_count; i++)
		json_array_append_new(ranges, json_pack("{s:o, s:o}", "base",
							json_hex(pool->alloc_ranges[i].first),
							"size", json_size(pool->alloc_ranges[i])));
	object = json_pack("{s:o, s:s, s:o, s:o, s:b, s:b, s:b, s:b, s:o}", "node",
			   json_text(pool->name), "type", pool_type_name(pool->type), "base",
			   pool->dynamic ? json_null() : json_hex(pool->range.first), "size",
			   pool->dynamic ? json_hex(pool->size)
			   : pool->empty ? json_hex(0)
					 : json_size(pool->range),
			   "no_map", pool->no_map, "reusable", pool->reusable, "enabled",
			   pool->enabled, "valid", pool->valid, "users", users);
	if (pool->dynamic) {
		json_object_set_new(object, "alignment",
				    pool->alignment ? json_hex(pool->alignment) : json_null());
		json_object_set_new(object, "alloc_ranges", ranges);
	} else {
		json_decref(ranges);
	}
	return object;
}

static json_t *platform_json(const struct loaded *loaded)
{
	size_t count;
	const char *const *names = busway_platform_compatible(loaded->platform, &count);
	const char *model = busway_platform_model(loaded->platform); /* "": not stated */
	json_t *compatible = json_array(), *list = json_array(), *notes = json_array(), *object;
	const struct busway_pool *pools;

	for (size_t i = 0; i < count; i++)
		json_array_append_new(compatible, json_text(names[i]));
	pools = busway_platform_pools(loaded->platform, &count);
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, pool_json(&pools[i]));
	add_notes(notes, busway_platform_notes(loaded->platform));
	object = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "source", json_text(loaded->source),
			   "model", model[0] ? json_text(model) : json_null(), "compatible",
			   compatible, "memory", memory_json(loaded->platform), "pools", list,
			   "notes", notes);
	if (loaded->machine) {
		json_object_set_new(object, "iommus", machine_iommus_json(loaded));
		json_object_set_new(object, "reserved", machine_reserved_json(loaded));
		json_object_set_new(object, "gaps", machine_gaps_json(loaded));
	}
	return object;
}

/* ---- a device ---- */

static struct busway_range cpu_side(const struct busway_piece *piece)
{
	return (struct busway_range){
		piece->phys.raw, piece->phys.raw + (piece->dma.last.raw - piece->dma.first.raw)};
}

static json_t *dma_json(const struct answer *answer)
{
	const struct busway_dma_view *view = &answer->device->dma;
	json_t *windows = json_array(), *object;
	uint64_t limit = 0;

	for (size_t i = 0; view->restricted && i < answer->window_count; i++) {
		const struct busway_piece *w = &answer->windows[i];

		if (cpu_side(w).last > limit)
			limit = cpu_side(w).last;
		json_array_append_new(windows, json_pack("{s:o, s:o, s:o}", "bus",
							 json_hex(w->dma.first.raw), "cpu",
							 json_hex(w->phys.raw), "size",
							 json_size(busway_dma_raw(w->dma))));
	}
	object = json_pack("{s:b, s:o, s:o, s:o, s:o}", "restricted", view->restricted, "source",
			   text_or_null(view->source), "windows", windows, "limit",
			   view->restricted && answer->window_count ? json_hex(limit) : json_null(),
			   "bus_limit",
			   view->has_bus_limit ? json_hex(view->bus_limit) : json_null());
	if (answer_error(answer))
		json_object_set_new(object, "error", json_string(answer_error(answer)));
	return object;
}

static json_t *reach_json(const struct loaded *loaded, const struct busway_reach *reach)
{
	size_t count;
	const struct busway_piece *pieces = busway_reach_pieces(reach, &count);
	json_t *list;

	if (!busway_platform_memory_known(loaded->platform))
		return json_null();
	list = json_array();
	for (size_t i = 0; i < count; i++) {
		const struct busway_region *target =
			busway_platform_region(loaded->platform, pieces[i].target);

		json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:o}", "dma",
						      json_hex(pieces[i].dma.first.raw), "cpu",
						      json_hex(pieces[i].phys.raw), "size",
						      json_size(busway_dma_raw(pieces[i].dma)),
						      "target", json_text(target->name)));
	}
	return list;
}

static json_t *map_json(const struct busway_id_map *map, const char *controller)
{
	json_t *object = json_pack(
		"{s:o, s:o, s:o, s:o, s:b}", controller, json_text(map->controller), "id_base",
		map->is_range ? json_hex(map->id_base) : json_null(), "id_count",
		map->is_range ? json_hex(map->id_count) : json_null(), "out_base",
		map->is_range || map->cell_count ? json_hex(map->out_base) : json_null(), "enabled",
		map->enabled);
	json_t *cells;

	if (map->is_range) {
		json_object_set_new(object, "id_mask", json_hex(map->id_mask));
	} else {
		cells = json_array();
		for (size_t i = 0; i < map->cell_count; i++)
			json_array_append_new(cells, json_hex(map->cells[i]));
		json_object_set_new(object, "cells", cells);
	}
	if (map->has_doorbell)
		json_object_set_new(object, "doorbell", json_hex(map->doorbell.raw));
	return object;
}

static json_t *maps_json(const struct busway_id_map *maps, size_t count, const char *controller)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, map_json(&maps[i], controller));
	return list;
}

static json_t *outbound_json(const struct busway_device *device)
{
	json_t *list = json_array();

	for (size_t i = 0; i < device->outbound_count; i++) {
		const struct busway_outbound *o = &device->outbound[i];

		json_array_append_new(
			list, json_pack("{s:s, s:o, s:o, s:o, s:b}", "kind", outbound_name(o->kind),
					"bus", json_hex(o->bus.first), "cpu",
					o->has_cpu ? json_hex(o->cpu.raw) : json_null(), "size",
					json_size(o->bus), "prefetchable", o->prefetchable));
	}
	return list;
}

static json_t *pools_of_json(const struct loaded *loaded, const struct busway_device *device)
{
	size_t count;
	const struct busway_pool *pools = busway_platform_pools(loaded->platform, &count);
	json_t *list = json_array();

	for (size_t i = 0; i < device->memory_region_count; i++)
		json_array_append_new(list, json_text(device->memory_regions[i]));
	for (size_t i = 0; !device->memory_region_count && i < device->pool_count; i++)
		json_array_append_new(list, json_text(pools[device->pools[i]].name));
	return list;
}

static json_t *endpoint_json(const struct busway_endpoint *e)
{
	json_t *outbound;

	if (!e)
		return json_null();
	outbound = e->has_outbound
			   ? json_pack("{s:o, s:o}", "base", json_hex(e->outbound.first.raw),
				       "size", json_size(busway_phys_raw(e->outbound)))
			   : json_null();
	return json_pack("{s:o, s:o, s:o, s:o}", "outbound", outbound, "ob_windows",
			 u32_or_null(e->ob_windows), "ib_windows", u32_or_null(e->ib_windows),
			 "max_functions", u32_or_null(e->max_functions));
}

static json_t *notes_json(const struct busway_device *device)
{
	json_t *list = json_array();

	add_notes(list, device->dma.notes);
	add_notes(list, device->notes);
	return list;
}

/* Where an IOMMU translates: the IOVAs that can be used, and who took the others. */
json_t *iova_json(const struct busway_iova *iova)
{
	json_t *allowed = json_array(), *removed = json_array();

	for (size_t i = 0; i < iova->allowed.count; i++) {
		const struct busway_range run = iova->allowed.runs[i];

		json_array_append_new(allowed, json_pack("{s:o, s:o}", "first", json_hex(run.first),
							 "last", json_hex(run.last)));
	}
	for (size_t i = 0; i < iova->removed_count; i++) {
		const struct busway_iova_removed *r = &iova->removed[i];

		json_array_append_new(removed,
				      json_pack("{s:o, s:o, s:s, s:o}", "first",
						json_hex(r->range.first), "last",
						json_hex(r->range.last), "cause",
						iova_cause_name(r->cause), "by", json_text(r->by)));
	}
	return json_pack("{s:o, s:o}", "allowed", allowed, "removed", removed);
}

static json_t *own_json(const struct loaded *loaded, const struct options *options,
			const struct busway_device *device)
{
	struct answer own;
	json_t *object;

	if (answer_make(loaded, device->own, options, &own))
		return NULL;
	object = json_pack("{s:o, s:o, s:o}", "dma", dma_json(&own), "reach",
			   reach_json(loaded, own.reach), "iommu",
			   maps_json(own.device->iommu, own.device->iommu_count, "node"));
	answer_free(&own);
	return object;
}

static json_t *device_json(const struct loaded *loaded, const struct options *options,
			   busway_device_id id)
{
	struct answer answer;
	const struct busway_device *d;
	json_t *object;

	if (answer_make(loaded, id, options, &answer))
		return NULL;
	d = answer.device;
	object = json_pack("{s:o, s:s, s:b, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "path",
			   json_text(d->name), "kind", kind_name(d->kind), "enabled", d->enabled,
			   "coherence", coherence_name(d->coherence), "dma", dma_json(&answer),
			   "reach", reach_json(loaded, answer.reach), "iommu",
			   maps_json(d->iommu, d->iommu_count, "node"), "msi",
			   maps_json(d->msi, d->msi_count, "controller"), "outbound",
			   outbound_json(d), "pools", pools_of_json(loaded, d), "endpoint",
			   endpoint_json(d->endpoint));
	if (d->behind_iommu)
		json_object_set_new(object, "iova", iova_json(&answer.iova));
	if (answer.coherent_reach)
		json_object_set_new(object, "coherent_reach",
				    reach_json(loaded, answer.coherent_reach));
	if (d->own.index != BUSWAY_NO_DEVICE.index) {
		json_t *own = own_json(loaded, options, d);

		if (!own) {
			json_decref(object);
			object = NULL;
		}
		json_object_set_new(object, "own", own);
	}
	add_function_json(loaded, id, object);
	json_object_set_new(object, "notes", notes_json(d));
	answer_free(&answer);
	return object;
}

json_t *show_document(const struct loaded *loaded, const struct options *options,
		      const busway_device_id *devices, size_t count)
{
	json_t *list = json_array();
	json_t *root = json_pack("{s:s, s:o, s:o}", "schema", "busway-show/1", "platform",
				 platform_json(loaded), "devices", list);

	for (size_t i = 0; i < count; i++) {
		json_t *device = device_json(loaded, options, devices[i]);

		if (!device) {
			json_decref(root);
			return NULL;
		}
		json_array_append_new(list, device);
	}
	return root;
}

int show_json(const struct loaded *loaded, const struct options *options,
	      const busway_device_id *devices, size_t count)
{
	json_t *root = show_document(loaded, options, devices, count);

	return root ? json_print(root, EXIT_YES) : EXIT_BAD;
}
