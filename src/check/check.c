/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check.c - the check as a whole: import, survey, rules in turn, findings in order.
 */
#include "check_internal.h"

#include "../base/sort.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *code, *summary;
	enum busway_severity severity;
} kinds[] = {
#define X(id, code, severity, summary)                                                             \
	[BUSWAY_FINDING_##id] = {code, summary, BUSWAY_SEVERITY_##severity},
	BUSWAY_FINDINGS(X)
#undef X
};

const char *busway_finding_code(enum busway_finding_code code)
{
	return (unsigned)code < BUSWAY_FINDING_COUNT ? kinds[code].code : "";
}

const char *busway_finding_summary(enum busway_finding_code code)
{
	return (unsigned)code < BUSWAY_FINDING_COUNT ? kinds[code].summary : "";
}

enum busway_severity busway_finding_usual_severity(enum busway_finding_code code)
{
	return (unsigned)code < BUSWAY_FINDING_COUNT ? kinds[code].severity : BUSWAY_SEVERITY_NOTE;
}

const char *busway_severity_name(enum busway_severity severity)
{
	static const char *const names[] = {"note", "warning", "error"};

	return (unsigned)severity < 3 ? names[severity] : "";
}

/* ---- findings ---- */

void give_up(struct busway_check *check)
{
	check->status = -BUSWAY_ENOMEM;
}

/* A text that lives as long as the findings; NULL when there is no memory. */
__attribute__((format(printf, 2, 0))) static const char *keep_text(struct busway_check *check,
								   const char *format,
								   va_list arguments)
{
	va_list again;
	char *text;
	int length;

	va_copy(again, arguments);
	length = vsnprintf(NULL, 0, format, again);
	va_end(again);
	text = length < 0 ? NULL : arena_take(&check->texts, (size_t)length + 1, 1);
	if (text)
		vsnprintf(text, (size_t)length + 1, format, arguments);
	else
		give_up(check);
	return text;
}

void report_at(struct busway_check *check, enum busway_finding_code code,
	       enum busway_severity severity, uint32_t node, const char *name, const char *property,
	       uint32_t entry, const char *format, va_list arguments)
{
	struct check_found *found;

	if (check->status)
		return;
	found = vector_next(&check->texts, &check->found, sizeof(*found),
			    _Alignof(struct check_found));
	if (!found) {
		give_up(check);
		return;
	}
	*found = (struct check_found){
		.node = node,
		.finding =
			{
				.code = code,
				.severity = severity,
				.node = name,
				.property = property,
				.entry = entry,
				.advice = "",
			},
	};
	found->finding.message = keep_text(check, format, arguments);
	if (!check->status)
		check->found.count++;
}

void report(struct busway_check *check, enum busway_finding_code code,
	    enum busway_severity severity, uint32_t node, const char *property, uint32_t entry,
	    const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	report_at(check, code, severity, node, path_of(check, node), property, entry, format,
		  arguments);
	va_end(arguments);
}

static struct busway_finding *last_finding(struct busway_check *check)
{
	struct check_found *found = check->found.items;

	return check->status || !check->found.count ? NULL : &found[check->found.count - 1].finding;
}

void advise(struct busway_check *check, const char *format, ...)
{
	struct busway_finding *finding = last_finding(check);
	va_list arguments;

	if (!finding)
		return;
	va_start(arguments, format);
	finding->advice = keep_text(check, format, arguments);
	va_end(arguments);
	if (!finding->advice)
		finding->advice = "";
}

void about(struct busway_check *check, struct busway_range range)
{
	struct busway_finding *finding = last_finding(check);

	if (!finding)
		return;
	finding->has_range = true;
	finding->range = range;
}

enum busway_severity if_enabled(const struct busway_check *check, uint32_t node,
				enum busway_severity severity)
{
	return check->importer.tree.nodes[node].enabled ? severity : BUSWAY_SEVERITY_NOTE;
}

const char *path_of(struct busway_check *check, uint32_t node)
{
	const char *path = fdt_path(&check->importer.tree, node);

	if (!path)
		give_up(check);
	return path ? path : "";
}

/* ---- order ---- */

static bool before(const void *left, const void *right)
{
	const struct check_found *a = left, *b = right;

	if (a->node != b->node)
		return a->node < b->node;
	if (a->finding.severity != b->finding.severity)
		return a->finding.severity > b->finding.severity;
	if (a->finding.code != b->finding.code)
		return a->finding.code < b->finding.code;
	if (a->finding.entry != b->finding.entry)
		return a->finding.entry < b->finding.entry;
	return strcmp(a->finding.message, b->finding.message) < 0;
}

/* What two rules, or one rule from two sides, say in the same words is said once. */
static bool same(const struct busway_finding *a, const struct busway_finding *b)
{
	return a->code == b->code && a->node == b->node && a->entry == b->entry &&
	       strcmp(a->property, b->property) == 0 && strcmp(a->message, b->message) == 0;
}

static void put_in_order(struct busway_check *check)
{
	struct check_found *found = check->found.items;
	const size_t count = check->found.count;

	if (check->status)
		return;
	check->findings = arena_take(&check->texts, (count + 1) * sizeof(*check->findings),
				     _Alignof(struct busway_finding));
	if (!check->findings) {
		give_up(check);
		return;
	}
	sort(found, count, sizeof(*found), before);
	for (size_t i = 0; i < count; i++)
		if (!check->finding_count ||
		    !same(&check->findings[check->finding_count - 1], &found[i].finding))
			check->findings[check->finding_count++] = found[i].finding;
}

/* ---- the check ---- */

static void run_rules(struct busway_check *check)
{
	static void (*const rules[])(struct busway_check * check) = {
		survey,       rule_cells,     rule_registers, rule_overlap,
		rule_windows, rule_apertures, rule_pci,       rule_controllers,
		rule_memory,  rule_pools,     rule_maps,      rule_dmas,
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]) && !check->status; i++)
		rules[i](check);
}

static void give_back(const struct busway_allocator *memory, void *mem, size_t size, size_t align)
{
	if (mem)
		memory->free(memory->ctx, mem, size, align);
}

static void free_views(struct busway_check *check)
{
	for (size_t i = 0; check->views && i < busway_platform_space_count(check->platform); i++) {
		if (!check->views[i])
			continue;
		busway_intervals_clear(&check->views[i]->cpu);
		give_back(check->memory, check->views[i]->windows,
			  check->views[i]->window_count * sizeof(*check->views[i]->windows),
			  _Alignof(struct busway_piece));
	}
	check->views = NULL;
	busway_intervals_clear(&check->register_bytes);
}

struct busway_check *check_create(const struct busway_allocator *memory)
{
	struct busway_check *check =
		memory->alloc(memory->ctx, sizeof(*check), _Alignof(struct busway_check));

	if (!check)
		return NULL;
	*check = (struct busway_check){.memory = memory, .texts = {.memory = memory}};
	busway_intervals_init(&check->banks, memory);
	busway_intervals_init(&check->ram, memory);
	busway_intervals_init(&check->reserved, memory);
	busway_intervals_init(&check->register_bytes, memory);
	return check;
}

int check_finish(struct busway_check *check, struct busway_check **out)
{
	int status;

	put_in_order(check);
	free_views(check);
	arena_release(&check->importer.work);
	/* what found no memory on the way may have been taken for "not there" */
	status =
		check->importer.work.failed || check->texts.failed ? -BUSWAY_ENOMEM : check->status;
	if (status)
		busway_check_destroy(check);
	else
		*out = check;
	return status;
}

int busway_fdt_check(const void *blob, size_t size, const struct busway_allocator *memory,
		     struct busway_check **out, struct busway_fdt_error *error)
{
	struct busway_check *check = check_create(memory);
	int status;

	if (!check)
		return -BUSWAY_ENOMEM;
	status =
		fdt_importer_run(&check->importer, blob, size, BUSWAY_FDT_ALL_NODES, memory, error);
	if (status) {
		give_back(memory, check, sizeof(*check), _Alignof(struct busway_check));
		return status;
	}
	check->platform = check->importer.platform;
	run_rules(check);
	return check_finish(check, out);
}

void busway_check_destroy(struct busway_check *check)
{
	if (!check)
		return;
	busway_intervals_clear(&check->banks);
	busway_intervals_clear(&check->ram);
	busway_intervals_clear(&check->reserved);
	arena_release(&check->texts);
	busway_platform_destroy(check->platform);
	give_back(check->memory, check, sizeof(*check), _Alignof(struct busway_check));
}

const struct busway_finding *busway_check_findings(const struct busway_check *check, size_t *count)
{
	*count = check->finding_count;
	return check->findings;
}

const struct busway_platform *busway_check_platform(const struct busway_check *check)
{
	return check->platform;
}
