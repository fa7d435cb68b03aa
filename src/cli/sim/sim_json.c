/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_json.c - what came of a run, for scripts.
 */
#include "sim.h"

static json_t *number(uint64_t value)
{
	return json_integer((json_int_t)value);
}

static json_t *by_reason(const uint64_t counts[BUSWAY_REASON_COUNT])
{
	json_t *object = json_object();

	for (int r = 1; r < BUSWAY_REASON_COUNT; r++)
		if (counts[r])
			json_object_set_new(object, busway_reason_code((enum busway_reason)r),
					    number(counts[r]));
	return object;
}

static json_t *actor(const struct actor *a)
{
	json_t *object =
		json_pack("{s:o, s:b}", "path", json_text(a->name), "attached", a->takes_part);

	if (!a->takes_part) {
		json_object_set_new(object, "refusal", json_refusal(&a->why));
		return object;
	}
	json_object_set_new(object, "direct", number(a->ways[BUSWAY_WAY_DIRECT]));
	json_object_set_new(object, "bounce", number(a->ways[BUSWAY_WAY_BOUNCE]));
	json_object_set_new(object, "iommu", number(a->ways[BUSWAY_WAY_IOMMU]));
	json_object_set_new(object, "mixed", number(a->ways[BUSWAY_WAY_MIXED]));
	json_object_set_new(object, "peer", number(a->ways[BUSWAY_WAY_PEER]));
	json_object_set_new(object, "bytes", number(a->bytes));
	json_object_set_new(object, "bounced_bytes", number(a->bounced_bytes));
	json_object_set_new(object, "coherent", number(a->coherent));
	json_object_set_new(object, "bounced_for", by_reason(a->bounced_for));
	json_object_set_new(object, "refused", by_reason(a->refused));
	json_object_set_new(object, "wrong_bytes", number(a->wrong));
	json_object_set_new(object, "limited", json_boolean(a->mask.limited));
	json_object_set_new(object, "required_bits", number(a->mask.required_bits));
	json_object_set_new(object, "domain", a->group ? number(a->group->tag) : json_null());
	return object;
}

static const char *const format_codes[BUSWAY_FORMAT_COUNT] = {
	[BUSWAY_ARM_STAGE1] = "arm-stage1", [BUSWAY_ARM_STAGE2] = "arm-stage2",
	[BUSWAY_VTD_SECOND] = "vtd-second", [BUSWAY_AMD_V1] = "amd-v1",
	[BUSWAY_RISCV_SV] = "riscv-sv48",
};

static json_t *allowed(const struct group *group)
{
	struct busway_range range = {0, 0};
	json_t *array = json_array();
	uint64_t from = 0;

	while (busway_iova_next_allowed(busway_domain_space(group->domain), from, &range)) {
		json_array_append_new(array, json_pack("{s:o, s:o}", "first", json_hex(range.first),
						       "last", json_hex(range.last)));
		if (range.last == UINT64_MAX)
			break;
		from = range.last + 1;
	}
	return array;
}

static json_t *domains(const struct scene *scene)
{
	json_t *array = json_array();

	for (size_t i = 0; i < scene->group_count; i++) {
		const struct group *group = &scene->groups[i];

		json_array_append_new(
			array, json_pack("{s:o, s:o, s:s, s:b, s:o, s:o, s:o, s:o}", "domain",
					 number(group->tag), "iommu", json_text(group->iommu),
					 "format", format_codes[group->format], "format_known",
					 !group->assumed, "allowed", allowed(group),
					 "allowed_bytes", json_hex(group_allowed(group)),
					 "high_water", json_hex(group->high_water), "invalidations",
					 number(group->invalidations)));
	}
	return array;
}

static json_t *pools(const struct scene *scene)
{
	json_t *array = json_array();
	struct busway_pool_census c;

	for (size_t i = 0; busway_dma_pool(scene->dma, i, &c); i++)
		json_array_append_new(array, json_pack("{s:o, s:o, s:o, s:o}", "node",
						       c.name ? json_text(c.name) : json_null(),
						       "base", json_hex(c.range.first.raw), "size",
						       json_hex(c.size), "high_water",
						       json_hex(c.high_water)));
	return array;
}

static json_t *violations(const struct scene *scene)
{
	json_t *array = json_array();
	const struct busway_violation *v;

	for (size_t i = 0; (v = busway_machine_violation(scene->machine, i)); i++) {
		char text[1024];

		busway_violation_text(v, text, sizeof(text));
		json_array_append_new(array, json_pack("{s:s, s:o, s:o, s:o, s:o}", "code",
						       v->kind == BUSWAY_VIOLATION_MISUSE
							       ? busway_misuse_code(v->misuse)
							       : busway_violation_code(v->kind),
						       "device", json_text(v->name), "first",
						       json_hex(v->asked.first), "last",
						       json_hex(v->asked.last), "detail",
						       json_text(text)));
	}
	return array;
}

int sim_json(const struct scene *scene)
{
	json_t *devices = json_array(), *root;

	for (size_t i = 0; i < scene->count; i++)
		json_array_append_new(devices, actor(&scene->actors[i]));
	root = json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "schema", "busway-sim/1", "seed",
			 json_hex(scene->options->seed), "steps", number(scene->steps), "devices",
			 devices, "pools", pools(scene), "violation_count",
			 number(busway_machine_violations(scene->machine)), "violations",
			 violations(scene));
	if (scene->group_count)
		json_object_set_new(root, "iommu",
				    json_pack("{s:s, s:o, s:o}", "mode",
					      scene->options->deferred ? "deferred" : "strict",
					      "faults", number(iommu_faults(scene)), "domains",
					      domains(scene)));
	if (scene->options->script) {
		json_object_set_new(root, "mistakes", number(scene->mistakes));
		json_object_set_new(root, "script",
				    scene->told ? json_incref(scene->told) : json_array());
	}
	return json_print(root, sim_status(scene));
}
