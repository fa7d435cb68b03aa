/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci_windows.c - BARs and windows against the windows of what is above them.
 *
 * A bridge passes down only what is in one of its windows (PCI-to-PCI Bridge 1.2, 3.2.5 and 4);
 * a host bridge what is in one of its apertures, where these are known.
 */
#include "pci_check.h"

/* What is above a function: the windows of a bridge, or of a host bridge. */
struct above {
	const char *name;
	struct busway_range ranges[2]; /* of a bridge */
	size_t count;
	const struct busway_pci_host *host; /* or of a host bridge */
};

/* False: all is passed, or nothing is known. */
static bool find_above(const struct pci_check *c, uint32_t index, struct above *above)
{
	const busway_pci_id up = busway_pci_above(c->pci, (busway_pci_id){index});
	const struct busway_pci_function *f;

	*above = (struct above){0};
	if (!busway_pci_some(up)) {
		above->host =
			busway_pci_host(c->pci, busway_pci_host_of(c->pci, (busway_pci_id){index}));
		above->name = above->host->name;
		return above->host->windows_known;
	}
	f = busway_pci_function(c->pci, up);
	if (!f->config_size || decodes_subtractively(f) || !busway_pci_is_bridge(f->type))
		return false;
	above->name = busway_pci_name(c->pci, up);
	if (f->bridge.memory_open)
		above->ranges[above->count++] = f->bridge.memory;
	if (f->bridge.prefetch_open)
		above->ranges[above->count++] = f->bridge.prefetch;
	return true;
}

static bool passes(const struct above *above, struct busway_range range)
{
	for (size_t i = 0; i < above->count; i++)
		if (busway_range_within(range, above->ranges[i]))
			return true;
	for (size_t i = 0; above->host && i < above->host->window_count; i++)
		if (above->host->windows[i].kind != BUSWAY_OUTBOUND_IO &&
		    busway_range_within(range, above->host->windows[i].bus))
			return true;
	return false;
}

/* "0x1000..0x1fff, 0x2000..0x2fff", or "no window" */
static struct words windows_words(const struct above *above)
{
	struct words words;
	struct text text = text_open(words.text, sizeof(words.text));

	for (size_t i = 0; i < above->count; i++) {
		text_put(&text, text.length ? ", " : "");
		text_put_range(&text, above->ranges[i]);
	}
	for (size_t i = 0; above->host && i < above->host->window_count; i++) {
		if (above->host->windows[i].kind == BUSWAY_OUTBOUND_IO)
			continue;
		text_put(&text, text.length ? ", " : "");
		text_put_range(&text, above->host->windows[i].bus);
	}
	if (!text.length)
		text_put(&text, "no open window");
	text_close(&text);
	return words;
}

static void check_bars(struct pci_check *c, uint32_t index, const struct above *above)
{
	const struct busway_pci_function *f = function_at(c, index);

	for (unsigned i = 0; i < BUSWAY_PCI_BARS; i++) {
		const struct busway_pci_bar *bar = &f->bars[i];

		if (!busway_bar_is_memory(bar) || passes(above, bar->bus))
			continue;
		report_function(c, BUSWAY_FINDING_BAR_OUTSIDE_WINDOW,
				f->memory_decode ? BUSWAY_SEVERITY_ERROR : BUSWAY_SEVERITY_NOTE,
				(busway_pci_id){index}, bar_register(i), i,
				"bus addresses " RANGE_FORMAT "%s are not in what %s passes: %s%s",
				RANGE(bar->bus), bar->sized ? "" : " (size unknown)", above->name,
				windows_words(above).text,
				f->memory_decode ? "" : "; memory decode is off");
		advise(c->check,
		       "move it into a window of %s, or let the system assign addresses "
		       "anew (Linux: pci=realloc)",
		       above->name);
	}
}

static void check_window(struct pci_check *c, uint32_t index, const struct above *above,
			 const char *property, struct busway_range window, uint32_t entry)
{
	const struct busway_pci_function *f = function_at(c, index);

	if (passes(above, window))
		return;
	report_function(c, BUSWAY_FINDING_BRIDGE_WINDOW_OUTSIDE,
			f->memory_decode ? BUSWAY_SEVERITY_ERROR : BUSWAY_SEVERITY_NOTE,
			(busway_pci_id){index}, property, entry,
			"its window " RANGE_FORMAT " is not in what %s passes: %s%s", RANGE(window),
			above->name, windows_words(above).text,
			f->memory_decode ? "" : "; memory decode is off");
	advise(c->check, "make it a part of a window of %s, or widen that", above->name);
}

void pci_rule_windows(struct pci_check *c)
{
	for (uint32_t i = 0; i < busway_pci_count(c->pci); i++) {
		const struct busway_pci_bridge *b = &function_at(c, i)->bridge;
		struct above above;

		if (!has_bus_addresses(c, i) || !find_above(c, i, &above))
			continue;
		check_bars(c, i, &above);
		if (!busway_pci_is_bridge(function_at(c, i)->type))
			continue;
		if (b->memory_open)
			check_window(c, i, &above, "memory window", b->memory, 0);
		if (b->prefetch_open)
			check_window(c, i, &above, "prefetchable window", b->prefetch, 1);
	}
}
