/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * isolation_linux.c - who is together as Linux 6.12 has it (pci_device_group()).
 *
 * It takes functions one after the other, those further up first, and gives each the group of
 *
 *   1. a bridge above it that hides its requester ID; else
 *   2. the lowest bridge above it that still lacks ACS on itself or on its way to the root; else
 *   3. a function on its bus with which it shares a requester ID; else
 *   4. a function of its slot that, like itself, lacks ACS; else
 *   5. itself.
 *
 * So two ports of a switch that lack ACS are kept apart as long as what is above the switch has it,
 * although nothing in the switch does.
 */
#include "isolation_internal.h"

enum { REQUIRED = BUSWAY_ACS_SV | BUSWAY_ACS_RR | BUSWAY_ACS_CR | BUSWAY_ACS_UF };

/* A function that gets its group, and where it stands. */
struct subject {
	struct joining *j;
	uint32_t index;   /* itself */
	uint64_t seen[4]; /* on its bus, by device and function */
	bool unsure;
};

/* What a function lacks of the bits that Linux wants; *@unsure where that could not be read. */
static uint16_t lacks_bits(const struct busway_pci_acs *acs, bool *unsure)
{
	/* a capability that is not there is taken for one that cannot be turned off */
	const uint16_t wanted =
		acs->known == BUSWAY_PRESENT ? REQUIRED & acs->capability : REQUIRED;

	if (acs->known == BUSWAY_UNKNOWN)
		*unsure = true;
	return acs->known == BUSWAY_PRESENT ? wanted & (uint16_t)~acs->control : wanted;
}

/* What is known of a device goes before its registers: does that decide? */
static bool quirk_decides(const struct busway_pci *pci, uint32_t index, bool *unsure)
{
	const struct node *n = node_at(pci, index);
	const struct busway_pci_quirk *quirk = find_quirk(&n->function);
	const bool port = n->function.type == BUSWAY_PCI_ROOT_PORT;

	if (!quirk)
		return false;
	switch (quirk->kind) {
	case BUSWAY_QUIRK_APART:
		return true;
	case BUSWAY_QUIRK_PORT_APART:
		return port;
	case BUSWAY_QUIRK_PORT_MAYBE:
		*unsure |= port;
		return port;
	case BUSWAY_QUIRK_AMD_APART:
		*unsure |= !n->function.translated;
		return n->function.multifunction && n->above == NONE;
	default:
		return false;
	}
}

/* The bits that @index lacks (pci_acs_enabled()); 0: it is isolated. */
static uint16_t lacks(const struct busway_pci *pci, uint32_t index, bool *unsure)
{
	const struct busway_pci_function *f = &node_at(pci, index)->function;

	/* Linux takes a virtual function for a device of one function */
	if (f->is_virtual || quirk_decides(pci, index, unsure))
		return 0;
	switch (f->type) {
	case BUSWAY_PCI_ROOT_PORT:
	case BUSWAY_PCI_DOWNSTREAM_PORT:
		return lacks_bits(&f->acs, unsure);
	case BUSWAY_PCI_ENDPOINT:
	case BUSWAY_PCI_ROOT_ENDPOINT:
	case BUSWAY_PCI_UPSTREAM_PORT:
		return f->multifunction ? lacks_bits(&f->acs, unsure) : 0;
	case BUSWAY_PCI_UNKNOWN:
	case BUSWAY_PCI_UNKNOWN_BRIDGE:
		*unsure = true;
		return REQUIRED;
	default: /* conventional, bridges to it, event collectors */
		return REQUIRED;
	}
}

/* The first function from @index up to the root that lacks something, or NONE. */
static uint32_t first_lacking(struct subject *s, uint32_t index, uint16_t *missing)
{
	const struct busway_pci *pci = s->j->pci;

	for (uint32_t n = index; n != NONE; n = node_at(pci, n)->above) {
		*missing = lacks(pci, n, &s->unsure);
		if (*missing)
			return n;
	}
	return NONE;
}

static void join_subject(struct subject *s, uint32_t other, enum busway_isolation_cause cause,
			 uint32_t decider, uint16_t missing)
{
	join(s->j, s->index, other, (struct why){cause, decider, missing, !s->unsure});
}

/* ---- the steps ---- */

static bool join_hiding_bridge(struct subject *s)
{
	const struct busway_pci *pci = s->j->pci;

	for (uint32_t n = node_at(pci, s->index)->above; n != NONE; n = node_at(pci, n)->above) {
		const enum busway_pci_type type = node_at(pci, n)->function.type;

		if (has_iommu(&node_at(pci, n)->function))
			return false;
		if (type == BUSWAY_PCI_UNKNOWN_BRIDGE)
			s->unsure = true;
		if (hides_requesters(type)) {
			/* what is above has its group already */
			join_subject(s, n, BUSWAY_TOGETHER_BRIDGE, n, 0);
			return true;
		}
	}
	return false;
}

static bool join_path(struct subject *s)
{
	const uint32_t above = node_at(s->j->pci, s->index)->above;
	uint16_t missing = 0;
	uint32_t lacking;

	if (above == NONE)
		return false;
	lacking = first_lacking(s, above, &missing);
	if (lacking == NONE)
		return false;
	join_subject(s, above, BUSWAY_TOGETHER_PATH, lacking, missing);
	return true;
}

static bool first_seen(struct subject *s, uint32_t index)
{
	const uint8_t devfn = node_at(s->j->pci, index)->function.at.devfn;
	const uint64_t bit = (uint64_t)1 << (devfn % 64);
	const bool first = !(s->seen[devfn / 64] & bit);

	s->seen[devfn / 64] |= bit;
	return first;
}

/* Has @index got its group before this one? Functions are taken in the order of depth, then of
 * address. */
static bool has_group(const struct subject *s, uint32_t index)
{
	return index < s->index;
}

static bool join_function(struct subject *s, uint32_t index);

/* Those that share a requester ID with @index, and those that these share a slot with. */
static bool join_alias(struct subject *s, uint32_t index)
{
	const struct busway_pci *pci = s->j->pci;
	const struct busway_pci_function *f = &node_at(pci, index)->function;

	if (!first_seen(s, index))
		return false;
	if (index != s->index && has_group(s, index)) {
		join_subject(s, index, BUSWAY_TOGETHER_ALIAS, index, 0);
		return true;
	}
	for (uint32_t i = first_beside(pci, index); i != NONE; i = node_at(pci, i)->beside) {
		const struct busway_pci_function *other = &node_at(pci, i)->function;

		if (i != index && (uses_id_of(f, other) || uses_id_of(other, f)) &&
		    (join_alias(s, i) || join_function(s, i)))
			return true;
	}
	return false;
}

/* Functions of the slot of @index that lack ACS as it does itself. */
static bool join_function(struct subject *s, uint32_t index)
{
	const struct busway_pci *pci = s->j->pci;
	const struct busway_pci_function *f = &node_at(pci, index)->function;
	const uint16_t missing = f->multifunction ? lacks(pci, index, &s->unsure) : 0;

	if (!missing)
		return false;
	for (uint32_t i = first_beside(pci, index); i != NONE; i = node_at(pci, i)->beside) {
		const struct busway_pci_function *other = &node_at(pci, i)->function;

		if (i == index || !same_slot(f->at, other->at) || !lacks(pci, i, &s->unsure))
			continue;
		if (has_group(s, i)) {
			join_subject(s, i, BUSWAY_TOGETHER_DEVICE, i, missing);
			return true;
		}
		if (join_alias(s, i))
			return true;
	}
	return false;
}

static void place(struct joining *j, uint32_t index)
{
	struct subject s = {.j = j, .index = index};

	if (!join_hiding_bridge(&s) && !join_path(&s) && !join_alias(&s, index))
		join_function(&s, index);
	if (s.unsure)
		j->uncertain[index] = true;
}

void join_linux(struct joining *j)
{
	unsigned deepest = 0;

	for (size_t i = 0; i < j->pci->count; i++)
		if (node_at(j->pci, (uint32_t)i)->depth > deepest)
			deepest = node_at(j->pci, (uint32_t)i)->depth;
	for (unsigned depth = 0; depth <= deepest; depth++)
		for (uint32_t i = 0; i < j->pci->count; i++)
			if (node_at(j->pci, i)->depth == depth)
				place(j, i);
}
