/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci_check.c - mistakes in the PCI functions of a machine: the rules in turn; bus numbers and
 * masks.
 */
#include "pci_check.h"

void report_function(struct pci_check *c, enum busway_finding_code code,
		     enum busway_severity severity, busway_pci_id id, const char *property,
		     uint32_t entry, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	report_at(c->check, code, severity, id.index, busway_pci_name(c->pci, id), property, entry,
		  format, arguments);
	va_end(arguments);
}

const char *bar_register(unsigned index)
{
	static const char *const names[BUSWAY_PCI_BARS] = {"BAR 0", "BAR 1", "BAR 2",
							   "BAR 3", "BAR 4", "BAR 5"};

	return names[index];
}

void *take_work(struct pci_check *c, size_t size, size_t align)
{
	void *room = arena_take(&c->work, size, align);

	if (!room)
		give_up(c->check);
	return room;
}

/* ---- bus numbers ---- */

static const char *odd_property(enum busway_pci_oddity_code code)
{
	switch (code) {
	case BUSWAY_PCI_BUS_TWICE:
	case BUSWAY_PCI_NOT_BELOW:
		return "bus numbers";
	case BUSWAY_PCI_PHYSICAL_MISSING:
		return "physfn";
	default:
		return "";
	}
}

/* "bus 0x2, below it 0x3..0x5" */
static struct words bus_words(const struct busway_pci_function *f)
{
	struct words words;
	struct text text = text_open(words.text, sizeof(words.text));

	text_put(&text, "bus ");
	text_put_hex(&text, f->at.bus);
	if (busway_pci_is_bridge(f->type)) {
		text_put(&text, ", below it ");
		text_put_range(&text,
			       (struct busway_range){f->bridge.secondary, f->bridge.subordinate});
	}
	text_close(&text);
	return words;
}

static void rule_numbers(struct pci_check *c)
{
	size_t count;
	const struct busway_pci_oddity *odd = busway_pci_oddities(c->pci, &count);

	for (size_t i = 0; i < count; i++) {
		const struct busway_pci_function *f = busway_pci_function(c->pci, odd[i].function);
		const bool has_other = busway_pci_some(odd[i].other);

		report_function(
			c, BUSWAY_FINDING_BUS_NUMBERS_ODD, BUSWAY_SEVERITY_WARNING, odd[i].function,
			odd_property(odd[i].code), (uint32_t)i, "%s%s%s (%s): its way is not known",
			busway_pci_oddity_text(odd[i].code), has_other ? ": this one and " : "",
			has_other ? busway_pci_name(c->pci, odd[i].other) : "", bus_words(f).text);
		advise(c->check, "%s",
		       busway_pci_is_bridge(f->type)
			       ? "let the system assign bus numbers anew (Linux: "
				 "pci=assign-busses), or update the firmware"
			       : "record the machine anew: something is missing");
	}
}

/* ---- masks ---- */

static void rule_masks(struct pci_check *c)
{
	uint64_t last = 0;

	for (size_t i = 0; i < c->memory_count; i++)
		if (c->memory[i].last.raw > last)
			last = c->memory[i].last.raw;
	for (uint32_t i = 0; i < busway_pci_count(c->pci); i++) {
		const struct busway_pci_function *f = function_at(c, i);
		uint64_t limit;

		/* one that masters nothing may have the mask that every function begins with */
		if (!f->dma_mask || f->dma_mask >= 64 || f->translated || f->translation_unknown ||
		    !f->bus_master || busway_pci_is_bridge(f->type))
			continue;
		limit = ((uint64_t)1 << f->dma_mask) - 1;
		if (limit >= last)
			continue;
		report_function(c, BUSWAY_FINDING_MASK_BELOW_MEMORY, BUSWAY_SEVERITY_WARNING,
				(busway_pci_id){i}, "dma_mask_bits", NO_ENTRY,
				"a mask of %u bits ends at 0x%" PRIx64 ", memory at 0x%" PRIx64
				", and no IOMMU translates: what lies above is copied",
				f->dma_mask, limit, last);
		advise(c->check, "let the driver set a mask of the bits that the device really "
				 "has, or put the device behind an IOMMU");
	}
}

/* ---- the check ---- */

int busway_pci_check(const struct busway_pci *pci, const struct busway_phys_range *memory,
		     size_t memory_count, const struct busway_allocator *allocator,
		     struct busway_check **out)
{
	static void (*const rules[])(struct pci_check * c) = {
		pci_rule_groups, pci_rule_windows, pci_rule_bars, pci_rule_messages,
		pci_rule_acs,    rule_numbers,     rule_masks,
	};
	struct pci_check c = {
		.check = check_create(allocator),
		.pci = pci,
		.memory = memory,
		.memory_count = memory ? memory_count : 0,
		.work = {.memory = allocator},
	};

	if (!c.check)
		return -BUSWAY_ENOMEM;
	c.check->importer.work.memory = allocator; /* for sweep_spots() */
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]) && !c.check->status; i++)
		rules[i](&c);
	arena_release(&c.work);
	return check_finish(c.check, out);
}
