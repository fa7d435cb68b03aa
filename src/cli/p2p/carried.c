/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * carried.c - a pair carried out on the simulated fabric, hop by hop: where a request really goes.
 *
 * The fabric shares no code with what decides, and knows no verdicts. It shows one write and one
 * read of the first byte of the target's memory, with the bus address of that, or with the CPU's
 * where the way is through the root complex. Only a root complex that is known to forwards there,
 * and devices whose ACS does not say so carry nothing inside.
 */
#include "p2p.h"

#include <busway/sim_pci.h>

#include <inttypes.h>

/* What the fabric asks about, and what the IOMMU would have been told to map. */
struct carrier {
	const struct question *q;
	uint64_t phys;
};

static bool forwards(void *ctx, busway_pci_host_id from, busway_pci_host_id to)
{
	const struct carrier *c = ctx;

	(void)from;
	(void)to;
	return busway_p2p_forwards(c->q->pci, c->q->a[0], c->q->b[0], &c->q->policy);
}

/* An IOVA that is mapped to the target's memory: nothing else is. */
static bool translate(void *ctx, busway_pci_id initiator, uint64_t address,
		      enum busway_access access, uint64_t *phys)
{
	const struct carrier *c = ctx;

	(void)address;
	(void)access;
	*phys = c->phys;
	return initiator.index == c->q->a[0].index;
}

static void put_hops(struct page *page, const struct question *q,
		     const struct busway_pci_outcome *out)
{
	for (size_t i = 0; i < out->hop_count && i < BUSWAY_PCI_HOPS; i++)
		fprintf(page->out, "    %-30s  %s\n", busway_pci_step_text(out->hops[i].step),
			busway_pci_name(q->pci, out->hops[i].function));
}

static void put_end(struct page *page, const struct question *q, bool read,
		    const struct busway_pci_outcome *out)
{
	fputs(read ? "  a read" : "  a write", page->out);
	if (out->end != BUSWAY_PCI_ARRIVED) {
		put_styled(page, STYLE_BAD, read ? " does not come back" : " does not arrive");
		fprintf(page->out, ": %s: %s\n", busway_pci_name(q->pci, out->function),
			busway_pci_end_text(out->end));
		return;
	}
	put_styled(page, STYLE_GOOD, read ? " comes back" : " arrives");
	fprintf(page->out, " %s BAR %u of %s + 0x%" PRIx64 "\n", read ? "from" : "at", out->bar,
		busway_pci_name(q->pci, out->function), out->offset);
}

static void carry(struct page *page, const struct question *q, struct busway_pci_fabric *fabric,
		  uint64_t address)
{
	struct busway_pci_request request = {
		.initiator = q->a[0], .address = address, .access = BUSWAY_WRITE};
	struct busway_pci_outcome out;

	fprintf(page->out, "  on the simulated fabric, with address 0x%" PRIx64 "\n", address);
	busway_pci_fabric_route(fabric, &request, &out);
	put_hops(page, q, &out);
	put_end(page, q, false, &out);
	request.access = BUSWAY_READ;
	busway_pci_fabric_route(fabric, &request, &out);
	put_end(page, q, true, &out);
}

void put_carried(struct page *page, const struct question *q, const struct busway_p2p *p)
{
	const struct busway_pci_bar *bar;
	const bool by_root = p->verdict == BUSWAY_P2P_HOST_BRIDGE || p->verdict == BUSWAY_P2P_IOMMU;
	struct carrier c = {.q = q};
	const struct busway_pci_fabric_options options = {
		.ctx = &c,
		.forwards = forwards,
		.translate = p->verdict == BUSWAY_P2P_IOMMU ? translate : NULL,
	};
	struct busway_pci_fabric *fabric;

	if (p->bar == BUSWAY_P2P_ANY_BAR)
		return;
	bar = &busway_pci_function(q->pci, q->b[0])->bars[p->bar];
	if (by_root && !bar->has_cpu)
		return;
	c.phys = bar->cpu.raw;
	if (busway_pci_fabric_create(q->pci, &options, &cli_memory, &fabric))
		return;
	carry(page, q, fabric, by_root ? bar->cpu.raw : bar->bus.first);
	busway_pci_fabric_destroy(fabric);
}
