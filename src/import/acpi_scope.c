/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi_scope.c - which function an entry is about.
 */
#include "acpi_internal.h"

/* The function at the end of the path, or none: a bridge on the way is not there. */
static busway_pci_id follow(const struct busway_acpi_scope *scope, uint32_t segment,
			    const struct busway_pci *pci)
{
	struct busway_pci_address at = {.domain = segment, .bus = scope->bus};
	busway_pci_id id = BUSWAY_NO_FUNCTION;

	for (size_t i = 0; i < scope->path_length; i++) {
		if (i) {
			const struct busway_pci_function *f = busway_pci_function(pci, id);

			/* 0: one that was not read, or never numbered */
			if (!busway_pci_is_bridge(f->type) || !f->bridge.secondary)
				return BUSWAY_NO_FUNCTION;
			at.bus = f->bridge.secondary;
		}
		at.devfn = scope->path[i];
		id = busway_pci_find(pci, at);
		if (!busway_pci_some(id))
			return id;
	}
	return id;
}

static uint16_t requester_of(struct busway_pci_address at)
{
	return (uint16_t)(at.bus << 8 | at.devfn);
}

bool busway_acpi_scope_has(const struct busway_acpi_scope *scope, uint32_t segment,
			   const struct busway_pci *pci, busway_pci_id id)
{
	const struct busway_pci_function *f = busway_pci_function(pci, id);
	busway_pci_id named;

	if (f->at.domain != segment)
		return false;
	if (scope->kind == BUSWAY_SCOPE_IDS) {
		const uint16_t requester = requester_of(f->at);

		return scope->first_id <= requester && requester <= scope->last_id;
	}
	if (scope->kind != BUSWAY_SCOPE_FUNCTION && scope->kind != BUSWAY_SCOPE_BRIDGE)
		return false;
	named = follow(scope, segment, pci);
	/* a virtual function goes with its physical one */
	if (f->is_virtual)
		id = busway_pci_find(pci, f->physical);
	for (; busway_pci_some(id); id = busway_pci_above(pci, id)) {
		if (id.index == named.index)
			return true;
		if (scope->kind == BUSWAY_SCOPE_FUNCTION)
			return false;
	}
	return false;
}

static bool some_scope_has(const struct busway_acpi_entry *e, const struct busway_pci *pci,
			   busway_pci_id id)
{
	for (size_t i = 0; i < e->scope_count; i++)
		if (busway_acpi_scope_has(&e->scopes[i], e->segment, pci, id))
			return true;
	return false;
}

/* VT-d 8.3: whoever is named, else the unit for all others of the segment. */
static const struct busway_acpi_entry *drhd_of(const struct busway_acpi *acpi,
					       const struct busway_pci *pci, busway_pci_id id)
{
	const uint32_t segment = busway_pci_function(pci, id)->at.domain;
	const struct busway_acpi_entry *rest = NULL;

	for (size_t i = 0; i < acpi->entry_count; i++) {
		const struct busway_acpi_entry *e = &acpi->entries[i];

		if (e->kind != BUSWAY_ACPI_DRHD || e->segment != segment)
			continue;
		if (some_scope_has(e, pci, id))
			return e;
		if (e->all && !rest)
			rest = e;
	}
	return rest;
}

/* AMD: of the blocks about one unit the newest type counts (48882, 5.2.2). */
static const struct busway_acpi_entry *ivhd_of(const struct busway_acpi *acpi,
					       const struct busway_pci *pci, busway_pci_id id)
{
	const struct busway_acpi_entry *best = NULL;

	for (size_t i = 0; i < acpi->entry_count; i++) {
		const struct busway_acpi_entry *e = &acpi->entries[i];

		if (e->kind == BUSWAY_ACPI_IVHD && some_scope_has(e, pci, id) &&
		    (!best || e->type > best->type))
			best = e;
	}
	return best;
}

const struct busway_acpi_entry *busway_acpi_at(const struct busway_acpi *acpi, uint32_t offset)
{
	for (size_t i = 0; i < acpi->entry_count; i++)
		if (acpi->entries[i].offset == offset)
			return &acpi->entries[i];
	return NULL;
}

static bool is_smmu(const struct busway_acpi_entry *e)
{
	return e && (e->kind == BUSWAY_ACPI_SMMU || e->kind == BUSWAY_ACPI_SMMU_V3);
}

/* The mapping of @e that takes @id; NULL: none. */
static const struct busway_acpi_mapping *mapping_of(const struct busway_acpi_entry *e, uint32_t id)
{
	for (size_t i = 0; i < e->mapping_count; i++)
		if (!e->mappings[i].single && e->mappings[i].first <= id &&
		    id <= e->mappings[i].last)
			return &e->mappings[i];
	return NULL;
}

static const struct busway_acpi_entry *smmu_of(const struct busway_acpi *acpi,
					       const struct busway_pci *pci, busway_pci_id id)
{
	const struct busway_pci_function *f = busway_pci_function(pci, id);

	for (size_t i = 0; i < acpi->entry_count; i++) {
		const struct busway_acpi_entry *e = &acpi->entries[i];
		const struct busway_acpi_mapping *m;

		if (e->kind != BUSWAY_ACPI_ROOT_COMPLEX || e->segment != f->at.domain)
			continue;
		m = mapping_of(e, requester_of(f->at));
		if (m && is_smmu(busway_acpi_at(acpi, m->target)))
			return busway_acpi_at(acpi, m->target);
	}
	return NULL;
}

const struct busway_acpi_entry *busway_acpi_unit_of(const struct busway_acpi *acpi,
						    const struct busway_pci *pci, busway_pci_id id)
{
	if (acpi->signature[0] == 'D')
		return drhd_of(acpi, pci, id);
	if (acpi->signature[1] == 'V')
		return ivhd_of(acpi, pci, id);
	return smmu_of(acpi, pci, id);
}

/* RMR: the stream IDs that come in are those that the root complex sends out to the SMMU. */
static bool rmr_is_for(const struct busway_acpi *acpi, const struct busway_acpi_entry *rmr,
		       const struct busway_pci *pci, busway_pci_id id)
{
	const struct busway_pci_function *f = busway_pci_function(pci, id);
	const uint16_t requester = requester_of(f->at);

	for (size_t i = 0; i < acpi->entry_count; i++) {
		const struct busway_acpi_entry *e = &acpi->entries[i];
		const struct busway_acpi_mapping *m;

		if (e->kind != BUSWAY_ACPI_ROOT_COMPLEX || e->segment != f->at.domain)
			continue;
		m = mapping_of(e, requester);
		for (size_t k = 0; m && k < rmr->mapping_count; k++) {
			const struct busway_acpi_mapping *out = &rmr->mappings[k];
			const uint32_t stream = m->out + (requester - m->first);

			if (out->target == m->target && stream >= out->out &&
			    stream - out->out <= (out->single ? 0 : out->last - out->first))
				return true;
		}
	}
	return false;
}

bool busway_acpi_reserves_for(const struct busway_acpi *acpi, const struct busway_acpi_entry *entry,
			      const struct busway_pci *pci, busway_pci_id id)
{
	const struct busway_pci_address at = busway_pci_function(pci, id)->at;

	if (!entry->has_memory)
		return false;
	if (entry->kind == BUSWAY_ACPI_RMRR)
		return some_scope_has(entry, pci, id);
	if (entry->kind == BUSWAY_ACPI_IVMD)
		return entry->segment == at.domain &&
		       (entry->all || (entry->device <= requester_of(at) &&
				       requester_of(at) <= entry->last_device));
	return entry->kind == BUSWAY_ACPI_RMR && rmr_is_for(acpi, entry, pci, id);
}
