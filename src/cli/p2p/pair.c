/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pair.c - one pair for people: the verdict, the address, the way, what decides, what would help.
 */
#include "p2p.h"

#include <inttypes.h>

/* ---- the verdict ---- */

/* Functions of one device, unless a switch or a shared bus is between them. */
static bool is_one_device(const struct question *q)
{
	const struct busway_pci_address a = busway_pci_function(q->pci, q->a[0])->at;
	const struct busway_pci_address b = busway_pci_function(q->pci, q->b[0])->at;

	return a.domain == b.domain && a.bus == b.bus;
}

/* Where it turns round. */
static const char *turn_words(const struct question *q, const struct busway_p2p *p)
{
	if (q->a[0].index == q->b[0].index)
		return "within the function";
	switch (busway_pci_function(q->pci, p->common)->type) {
	case BUSWAY_PCI_UPSTREAM_PORT:
		return "inside a switch";
	case BUSWAY_PCI_PCIE_TO_PCI:
	case BUSWAY_PCI_CONVENTIONAL_BRIDGE:
		return "on a shared bus";
	default:
		return is_one_device(q) ? "inside the device" : "below a bridge of both";
	}
}

static const char *verdict_words(const struct question *q, const struct busway_p2p *p)
{
	static const char *const words[] = {
		[BUSWAY_P2P_REFUSED] = "refused",
		[BUSWAY_P2P_HOST_BRIDGE] = "through the host bridge",
		[BUSWAY_P2P_IOMMU] = "through the host bridge and the IOMMU",
	};

	return p->verdict == BUSWAY_P2P_SWITCH ? turn_words(q, p) : words[p->verdict];
}

static const char *doubt_words(const struct busway_p2p *p)
{
	if (p->certain)
		return "";
	return p->verdict == BUSWAY_P2P_REFUSED ? ", for lack of knowledge" : ", as it seems";
}

static void put_verdict(struct page *page, const struct question *q, const struct busway_p2p *p)
{
	fprintf(page->out, "%s -> %s: ", busway_pci_name(q->pci, q->a[0]),
		busway_pci_name(q->pci, q->b[0]));
	put_styled(page, p->verdict == BUSWAY_P2P_REFUSED ? STYLE_BAD : STYLE_GOOD, "%s%s",
		   verdict_words(q, p), doubt_words(p));
	fprintf(page->out, "; distance %u\n", p->distance);
}

/* ---- the addresses ---- */

static void put_bar_address(struct page *page, enum busway_p2p_verdict verdict,
			    const struct busway_pci_bar *bar)
{
	switch (verdict) {
	case BUSWAY_P2P_REFUSED:
		fprintf(page->out, "bus 0x%" PRIx64, bar->bus.first);
		break;
	case BUSWAY_P2P_SWITCH:
		fprintf(page->out, "emit bus 0x%" PRIx64, bar->bus.first);
		break;
	case BUSWAY_P2P_HOST_BRIDGE:
		fputs("emit what leads to ", page->out);
		break;
	case BUSWAY_P2P_IOMMU:
		fputs("emit an IOVA that is mapped to ", page->out);
		break;
	}
	if (verdict == BUSWAY_P2P_HOST_BRIDGE || verdict == BUSWAY_P2P_IOMMU) {
		if (bar->has_cpu)
			fprintf(page->out, "CPU 0x%" PRIx64, bar->cpu.raw);
		else
			fprintf(page->out, "the CPU address of bus 0x%" PRIx64, bar->bus.first);
	} else if (bar->has_cpu && bar->cpu.raw != bar->bus.first) {
		fprintf(page->out, " (CPU 0x%" PRIx64 ")", bar->cpu.raw);
	}
}

/* Each BAR has an answer of its own: windows may pass one and not another. */
static void put_bars(struct page *page, const struct question *q, const struct busway_p2p *p)
{
	const struct busway_pci_function *f = busway_pci_function(q->pci, q->b[0]);
	const char *head = "  memory   ";

	for (uint32_t i = 0; i < BUSWAY_PCI_BARS; i++) {
		const struct busway_pci_bar *bar = &f->bars[i];
		struct busway_p2p own;

		if (!busway_bar_is_memory(bar))
			continue;
		busway_p2p_decide(q->pci, q->a[0], q->b[0], i, &q->policy, &own);
		fprintf(page->out, "%sBAR %u: ", head, i);
		put_bar_address(page, own.verdict, bar);
		if (bar->sized) {
			fputs(", ", page->out);
			put_size(page, bar->bus);
		} else {
			fputs(", of unknown size", page->out);
		}
		fputs(bar->prefetchable ? ", prefetchable" : "", page->out);
		if (own.verdict != p->verdict || own.refusal.reason != p->refusal.reason)
			fprintf(page->out, ": %s %s", verdict_name(own.verdict),
				busway_reason_code(own.refusal.reason));
		fputc('\n', page->out);
		head = "           ";
	}
}

/* ---- the way ---- */

static void put_host(struct page *page, const struct question *q, busway_pci_host_id host)
{
	char text[HOST_TEXT];

	host_text(q, host, text, sizeof(text));
	fputs("    |- ", page->out);
	put_safe(page, busway_pci_host(q->pci, host)->name);
	fprintf(page->out, "  %s\n", text);
}

static void put_step(struct page *page, const struct question *q, const struct step *step,
		     const struct busway_p2p *p)
{
	static const char marks[] = {'o', '^', '*', '-', 'v', 'x'};
	const struct busway_pci_function *f;
	char acs[48], bits[32];

	if (step->leg == LEG_HOST) {
		put_host(page, q, step->host);
		return;
	}
	f = busway_pci_function(q->pci, step->id);
	acs_state(f, acs, sizeof(acs));
	fprintf(page->out, "    %c  %-12s  %s", marks[step->leg], busway_pci_name(q->pci, step->id),
		function_type_name(f->type));
	fprintf(page->out, " %04x:%04x", f->vendor, f->device);
	if (acs[0])
		fprintf(page->out, ", %s", acs);
	if (step->leg == LEG_TURN)
		fputs("; it turns below this bridge", page->out);
	if (p->decider.index == step->id.index) {
		put_styled(page, STYLE_BOLD, " <- decides");
		if (p->acs)
			fprintf(page->out, ": %s", busway_acs_text(p->acs, bits, sizeof(bits)));
	}
	fputc('\n', page->out);
}

static void put_path(struct page *page, const struct question *q, const struct path *path,
		     const struct busway_p2p *p)
{
	fputs(p->verdict == BUSWAY_P2P_REFUSED ? "  way that it would have to go\n" : "  way\n",
	      page->out);
	for (size_t i = 0; i < path->count; i++)
		put_step(page, q, &path->steps[i], p);
}

static void put_needs(struct page *page, const struct question *q, const struct path *path)
{
	const char *head = "  needs    ";

	for (size_t i = 0; i < path->count; i++) {
		const unsigned needs = step_needs(q->pci, &path->steps[i]);

		if (!needs)
			continue;
		fprintf(page->out, "%s%s on at %s (%s)\n", head,
			needs & BUSWAY_P2P_NEEDS_BUS_MASTER ? "bus mastering" : "memory decoding",
			busway_pci_name(q->pci, path->steps[i].id),
			needs & BUSWAY_P2P_NEEDS_BUS_MASTER ? "command register, bit 2"
							    : "command register, bit 1");
		head = "           ";
	}
}

/* ---- why, and what would change it ---- */

/* Where it is carried, and the ACS of all could be read: what else is not known? */
static const char *other_doubt(const struct question *q, const struct busway_p2p *p)
{
	const struct busway_pci_function *target = busway_pci_function(q->pci, q->b[0]);

	if (q->a[0].index == q->b[0].index)
		return "nothing says that the function answers itself";
	for (unsigned i = 0; i < BUSWAY_PCI_BARS; i++) {
		const struct busway_pci_bar *bar = &target->bars[i];

		if (busway_bar_is_memory(bar) && !bar->sized)
			return "the size of the memory is unknown";
		if (busway_bar_is_memory(bar) && bar->bus_guessed)
			return "no register tells where the memory is on the bus";
	}
	if (p->verdict == BUSWAY_P2P_IOMMU &&
	    busway_pci_function(q->pci, q->a[0])->translation_unknown)
		return "whether an IOMMU translates its requests is unknown";
	if (p->verdict == BUSWAY_P2P_SWITCH && is_one_device(q))
		return "nothing says that the device carries requests between its functions";
	return NULL;
}

/* Nothing says whether an IOMMU translates: then the address may have to be another one. Linux
 * decides without knowing. */
static bool put_iommu_doubt(struct page *page, const struct question *q, const struct busway_p2p *p)
{
	if (p->verdict != BUSWAY_P2P_HOST_BRIDGE ||
	    !busway_pci_function(q->pci, q->a[0])->translation_unknown)
		return false;
	fprintf(page->out,
		"  %s: nothing says whether an IOMMU translates what %s emits; if one does, emit "
		"an IOVA that is mapped to that\n",
		p->certain ? "note" : "not certain", busway_pci_name(q->pci, q->a[0]));
	return true;
}

static bool put_acs_doubt(struct page *page, const struct question *q, const struct path *path)
{
	bool unknown = false;

	for (size_t i = 0; i < path->count; i++) {
		const busway_pci_id id = path->steps[i].id;

		if (!busway_pci_some(id) ||
		    busway_pci_function(q->pci, id)->acs.known != BUSWAY_UNKNOWN)
			continue;
		fprintf(page->out, "%s%s", unknown ? ", " : "  not certain: the ACS is unknown of ",
			busway_pci_name(q->pci, id));
		unknown = true;
	}
	if (unknown)
		fputc('\n', page->out);
	return unknown;
}

/* What could not be read, where it is carried all the same. */
static void put_doubt(struct page *page, const struct question *q, const struct path *path,
		      const struct busway_p2p *p)
{
	const bool iommu = put_iommu_doubt(page, q, p);
	const char *other;

	if (p->certain || p->verdict == BUSWAY_P2P_REFUSED)
		return;
	/* ACS decides below a bridge of both; beyond, it is the IOMMU that is not known */
	if ((!iommu || busway_pci_some(p->common)) && put_acs_doubt(page, q, path))
		return;
	other = other_doubt(q, p);
	if (other || !iommu)
		fprintf(page->out, "  not certain: %s\n",
			other ? other : "something that decides could not be read");
}

static void put_reason(struct page *page, const struct question *q, const struct busway_p2p *p)
{
	struct busway_p2p_policy zen = q->policy;
	struct busway_p2p other;
	char bits[32];

	if (p->refusal.reason)
		put_refusal(page, &p->refusal);
	else if (p->verdict != BUSWAY_P2P_SWITCH && busway_pci_some(p->decider))
		fprintf(page->out, "  without ACS %s of %s it would turn earlier\n",
			busway_acs_text(p->acs, bits, sizeof(bits)),
			busway_pci_name(q->pci, p->decider));
	if (p->verdict != BUSWAY_P2P_REFUSED || !q->cpu_unknown)
		return;
	zen.cpu_zen = true;
	busway_p2p_decide(q->pci, q->a[0], q->b[0], BUSWAY_P2P_ANY_BAR, &zen, &other);
	if (other.verdict != BUSWAY_P2P_REFUSED)
		fprintf(page->out,
			"  the processor is not known: with one of AMD from family 17h on it goes "
			"%s "
			"(--cpu zen)\n",
			verdict_words(q, &other));
}

static void put_other_view(struct page *page, const struct question *q, const struct views *v)
{
	const enum busway_p2p_view other = other_view(q->policy.view);
	char detail[1024];

	fputs(other == BUSWAY_P2P_LINUX ? "  as Linux decides: " : "  as the route carries it: ",
	      page->out);
	if (!v->differ) {
		fputs("the same\n", page->out);
		return;
	}
	if (v->p.verdict == v->other.verdict && v->p.refusal.reason == v->other.refusal.reason) {
		fputs(v->other.certain ? "the same, and certain\n" : "the same, but not certain\n",
		      page->out);
		return;
	}
	put_styled(page, STYLE_BOLD, "%s%s", verdict_words(q, &v->other), doubt_words(&v->other));
	if (v->other.refusal.reason) {
		busway_refusal_detail(&v->other.refusal, detail, sizeof(detail));
		fprintf(page->out, ": %s: %s", busway_reason_code(v->other.refusal.reason), detail);
	}
	fputc('\n', page->out);
}

int p2p_pair(const struct question *q, const struct options *options)
{
	struct path path;
	struct page page;
	struct views v;

	if (!page_open(&page, options))
		return EXIT_BAD;
	decide_both(q, q->a[0], q->b[0], &v);
	path_make(q->pci, q->a[0], q->b[0], &v.p, &path);
	put_verdict(&page, q, &v.p);
	put_bars(&page, q, &v.p);
	if (!options->quiet) {
		put_path(&page, q, &path, &v.p);
		put_needs(&page, q, &path);
	}
	put_doubt(&page, q, &path, &v.p);
	put_reason(&page, q, &v.p);
	put_other_view(&page, q, &v);
	if (options->verbose)
		put_carried(&page, q, &v.p);
	if (options->verbose)
		put_gaps(&page, q, options);
	return page_print(&page, v.p.verdict == BUSWAY_P2P_REFUSED ? EXIT_NO : EXIT_YES);
}
