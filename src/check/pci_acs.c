/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci_acs.c - ACS settings that contradict each other (PCI Express Base 6.12 and 7.7.11).
 */
#include "pci_check.h"

static const char REGISTER[] = "ACS control";

/* What contradicts what, and whether it does. */
struct contradiction {
	enum busway_severity severity;
	bool (*holds)(const struct busway_pci_function *f);
	const char *message, *advice;
};

static bool on(const struct busway_pci_function *f, unsigned bits)
{
	return (f->acs.control & bits) == bits;
}

static bool has_more_than_it_can(const struct busway_pci_function *f)
{
	return (f->acs.control & ~f->acs.capability & 0x7f) != 0;
}

static bool blocks_and_passes_translated(const struct busway_pci_function *f)
{
	return on(f, BUSWAY_ACS_TB | BUSWAY_ACS_DT);
}

static bool redirects_completions_only(const struct busway_pci_function *f)
{
	return on(f, BUSWAY_ACS_CR) && !on(f, BUSWAY_ACS_RR) && !on(f, BUSWAY_ACS_EC) &&
	       (f->acs.capability & BUSWAY_ACS_RR);
}

static bool passes_translated_without_redirect(const struct busway_pci_function *f)
{
	return on(f, BUSWAY_ACS_DT) && !on(f, BUSWAY_ACS_RR) && !on(f, BUSWAY_ACS_EC);
}

/* Source validation is of ports only. */
static bool redirects_what_may_be_forged(const struct busway_pci_function *f)
{
	return on(f, BUSWAY_ACS_RR) && !on(f, BUSWAY_ACS_SV) &&
	       (f->acs.capability & BUSWAY_ACS_SV) &&
	       (f->type == BUSWAY_PCI_ROOT_PORT || f->type == BUSWAY_PCI_DOWNSTREAM_PORT);
}

static bool allows_all_by_name(const struct busway_pci_function *f)
{
	if (!on(f, BUSWAY_ACS_EC | BUSWAY_ACS_RR) || !f->acs.egress_count)
		return false;
	for (unsigned i = 0; i < f->acs.egress_count; i++)
		if (f->acs.egress[i / 8] >> (i % 8) & 1)
			return false;
	return true;
}

static const struct contradiction contradictions[] = {
	{BUSWAY_SEVERITY_WARNING, has_more_than_it_can,
	 "bits are set that its capability register does not have",
	 "clear them: they do nothing, and nobody can rely on them"},
	{BUSWAY_SEVERITY_WARNING, blocks_and_passes_translated,
	 "TB blocks the translated requests that DT lets pass",
	 "clear DT where devices may not emit translated requests, TB where they may"},
	{BUSWAY_SEVERITY_WARNING, redirects_completions_only,
	 "CR redirects the completions of requests that pass directly, as RR is clear",
	 "set both or neither: with CR alone reads go one way and their data another"},
	{BUSWAY_SEVERITY_WARNING, allows_all_by_name,
	 "the egress control vector allows every target, so that RR redirects nothing",
	 "clear EC, or set the bits of those that are to be kept apart"},
	{BUSWAY_SEVERITY_NOTE, passes_translated_without_redirect,
	 "DT exempts translated requests from a redirect that is off",
	 "set RR as well, or clear DT"},
	{BUSWAY_SEVERITY_NOTE, redirects_what_may_be_forged,
	 "requests are redirected to an IOMMU, but SV does not check whose requester ID they bear",
	 "set SV: a forged ID gets the mappings of another function"},
};

static void check_function(struct pci_check *c, uint32_t index)
{
	const struct busway_pci_function *f = function_at(c, index);
	char bits[64], able[64];

	for (uint32_t i = 0; i < sizeof(contradictions) / sizeof(contradictions[0]); i++) {
		if (!contradictions[i].holds(f))
			continue;
		report_function(c, BUSWAY_FINDING_ACS_CONTRADICTION, contradictions[i].severity,
				(busway_pci_id){index}, REGISTER, i,
				"control 0x%x (%s), capability 0x%x (%s): %s",
				(unsigned)f->acs.control,
				busway_acs_text(f->acs.control, bits, sizeof(bits)),
				(unsigned)f->acs.capability,
				busway_acs_text(f->acs.capability, able, sizeof(able)),
				contradictions[i].message);
		advise(c->check, "%s", contradictions[i].advice);
	}
}

/* ---- ports of one switch that differ ---- */

static bool redirects(const struct busway_pci_function *f)
{
	return f->acs.known == BUSWAY_PRESENT && on(f, BUSWAY_ACS_RR);
}

/* Of a switch: the first port that redirects and the first that does not. */
struct ports {
	uint32_t redirecting, passing;
};

static void note_port(const struct pci_check *c, uint32_t index, struct ports *by_bridge)
{
	const busway_pci_id id = {index}, up = busway_pci_above(c->pci, id);
	const struct busway_pci_function *f = function_at(c, index);
	uint32_t *first;

	if (f->type != BUSWAY_PCI_DOWNSTREAM_PORT || f->acs.known == BUSWAY_UNKNOWN ||
	    !busway_pci_some(up) || busway_pci_is_odd(c->pci, id))
		return;
	/* a vector says it for each pair of ports: no port is as the other */
	if (f->acs.control & BUSWAY_ACS_EC)
		return;
	first = redirects(f) ? &by_bridge[up.index].redirecting : &by_bridge[up.index].passing;
	if (*first == UINT32_MAX)
		*first = index;
}

static void check_switches(struct pci_check *c)
{
	const size_t count = busway_pci_count(c->pci);
	struct ports *ports = take_work(c, (count + 1) * sizeof(*ports), _Alignof(struct ports));

	for (size_t i = 0; ports && i < count; i++)
		ports[i] = (struct ports){UINT32_MAX, UINT32_MAX};
	for (uint32_t i = 0; ports && i < count; i++)
		note_port(c, i, ports);
	for (size_t i = 0; ports && i < count; i++) {
		if (ports[i].redirecting == UINT32_MAX || ports[i].passing == UINT32_MAX)
			continue;
		report_function(
			c, BUSWAY_FINDING_ACS_CONTRADICTION, BUSWAY_SEVERITY_WARNING,
			(busway_pci_id){ports[i].passing}, REGISTER, 0x100,
			"control 0x%x: this port of the switch does not redirect, %s beside "
			"it does (0x%x): functions below this one reach those below that one",
			(unsigned)function_at(c, ports[i].passing)->acs.control,
			name_at(c, ports[i].redirecting),
			(unsigned)function_at(c, ports[i].redirecting)->acs.control);
		advise(c->check, "set RR on all downstream ports of the switch, or on none");
	}
}

void pci_rule_acs(struct pci_check *c)
{
	for (uint32_t i = 0; i < busway_pci_count(c->pci); i++)
		if (function_at(c, i)->acs.known == BUSWAY_PRESENT)
			check_function(c, i);
	check_switches(c);
}
