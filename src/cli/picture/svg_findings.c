/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * svg_findings.c - what `busway check` finds, as marks for a picture.
 *
 * Warnings and errors, not notes. In the picture of one device: those about it, about what is
 * above it, and about memory.
 */
#include "svg.h"

#include <busway/check.h>

#include <stdlib.h>
#include <string.h>

/* Is @node the node at @path or one above it? */
static bool is_above(const char *node, const char *path)
{
	const size_t length = strlen(node);

	return strncmp(path, node, length) == 0 &&
	       (path[length] == '\0' || path[length] == '/' || length == 1);
}

static bool matters(const struct busway_finding *f, const struct busway_device *device)
{
	if (f->severity == BUSWAY_SEVERITY_NOTE)
		return false;
	return !device || is_above(f->node, device->name) || strncmp(f->node, "/memory", 7) == 0 ||
	       is_above("/reserved-memory", f->node) ||
	       (device->dma.source && strcmp(f->node, device->dma.source) == 0);
}

static struct svg_mark mark_of(const struct busway_finding *f)
{
	return (struct svg_mark){
		.node = f->node,
		.property = f->property[0] ? f->property : NULL,
		.severity = f->severity == BUSWAY_SEVERITY_ERROR ? SVG_ERROR : SVG_WARNING,
		.code = busway_finding_code(f->code),
		.message = f->message,
		.has_cpu = f->has_range,
		.cpu = f->range,
	};
}

bool svg_findings_make(const struct loaded *loaded, const struct busway_device *device,
		       struct svg_findings *findings)
{
	const struct busway_finding *found;
	struct svg_mark *marks;
	size_t count;

	*findings = (struct svg_findings){.check = NULL};
	if (!loaded->blob)
		return true; /* a machine without a tree: findings have no place in the picture */
	if (busway_fdt_check(loaded->blob, loaded->size, &cli_memory, &findings->check, NULL)) {
		complain("%s: out of memory", loaded->source);
		return false;
	}
	found = busway_check_findings(findings->check, &count);
	marks = calloc(count + 1, sizeof(*marks));
	if (!marks) {
		complain("%s: out of memory", loaded->source);
		svg_findings_free(findings);
		return false;
	}
	findings->marks.list = marks;
	for (size_t i = 0; i < count; i++)
		if (matters(&found[i], device))
			marks[findings->marks.count++] = mark_of(&found[i]);
	return true;
}

void svg_findings_free(struct svg_findings *findings)
{
	busway_check_destroy(findings->check);
	free((void *)(uintptr_t)findings->marks.list);
}
