/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * system_offset.c - the bus addresses of what the CPU reaches through a host bridge.
 *
 * proc/iomem and the files "resource" have addresses of the CPU; registers have those of the bus.
 * A BAR has both, and what lies between the two holds for the whole window around it.
 */
#include "system_platform.h"

#include <inttypes.h>
#include <stdio.h>

struct measure {
	bool seen, disagree;
	uint64_t offset; /* CPU - bus, modulo 2^64 */
	const char *first, *other;
};

static void measure_bar(const struct busway_pci_bar *bar, const char *name,
			struct busway_range window, struct measure *m)
{
	const uint64_t offset = bar->cpu.raw - bar->bus.first;

	if (!busway_bar_is_memory(bar) || !bar->has_cpu || !busway_range_has(window, bar->cpu.raw))
		return;
	if (!m->seen) {
		m->seen = true;
		m->offset = offset;
		m->first = name;
	} else if (m->offset != offset && !m->disagree) {
		m->disagree = true;
		m->other = name;
	}
}

static struct measure measure_window(const struct building *b, uint32_t host,
				     struct busway_range window)
{
	const struct busway_pci *pci = pci_of(b);
	struct measure m = {0};

	for (uint32_t i = 0; i < busway_pci_count(pci); i++) {
		const busway_pci_id id = {i};
		const struct busway_pci_function *f = busway_pci_function(pci, id);

		/* what registers were read of; those of virtual functions are not */
		if (f->is_virtual || !f->config_size || busway_pci_host_of(pci, id).index != host)
			continue;
		for (size_t bar = 0; bar < BUSWAY_PCI_BARS; bar++)
			measure_bar(&f->bars[bar], busway_pci_name(pci, id), window, &m);
	}
	return m;
}

static int say_unknown(struct building *b, struct busway_range window, const struct measure *m)
{
	char text[256];

	if (m->disagree)
		snprintf(text, sizeof(text),
			 "0x%" PRIx64 "-0x%" PRIx64 ": the BARs of %s and %s lie at different "
			 "distances from their bus addresses: those of the window are unknown",
			 window.first, window.last, m->first, m->other);
	else
		snprintf(text, sizeof(text),
			 "0x%" PRIx64 "-0x%" PRIx64
			 ": no BAR tells the bus addresses of the window",
			 window.first, window.last);
	return note_gap(b->machine, IOMEM_FILE, text);
}

bool bus_of_window(struct building *b, uint32_t host, struct busway_range cpu,
		   struct busway_range *bus, int *status)
{
	const struct measure m = measure_window(b, host, cpu);
	/* the two sides of an x86 machine have one map */
	const bool known = !m.disagree && (m.seen || b->x86);

	*bus = (struct busway_range){cpu.first - m.offset, cpu.last - m.offset};
	if (known && bus->first <= bus->last)
		return true;
	*status = say_unknown(b, cpu, &m);
	return false;
}
