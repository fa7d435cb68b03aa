/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi_fuzz.c - any bytes as an ACPI table: no crash, no leak, nothing read beyond its end.
 *
 * Where it is read, entries lie inside it one behind the other, scopes have sound ranges, and the
 * functions of a small machine are asked for their unit: that is one of the table's IOMMUs.
 *
 * Inputs are tables as they are. The first byte chooses the signature, so that mutations do not
 * have to find it.
 */
#include <busway/acpi.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds, const char *what)
{
	if (!holds) {
		fprintf(stderr, "acpi_fuzz: %s\n", what);
		abort();
	}
}

static void *take_memory(void *ctx, size_t size, size_t align)
{
	(void)ctx;
	(void)align;
	return malloc(size);
}

static void give_memory(void *ctx, void *mem, size_t size, size_t align)
{
	(void)ctx;
	(void)size;
	(void)align;
	free(mem);
}

static const struct busway_allocator memory = {take_memory, give_memory, NULL};

/* 00:01.0 with buses 1 and 2 below it, and something on each bus. */
static struct busway_pci *machine(void)
{
	static const uint8_t at[][4] = {{0, 8, 1, 2}, {0, 16, 0, 0}, {1, 0, 2, 2}, {2, 24, 0, 0}};
	struct busway_pci *pci;

	must(busway_pci_create(&memory, &pci) == 0, "no memory");
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		const struct busway_pci_function f = {
			.at = {0, at[i][0], at[i][1]},
			.type = at[i][2] ? BUSWAY_PCI_ROOT_PORT : BUSWAY_PCI_ENDPOINT,
			.bridge = {.secondary = at[i][2], .subordinate = at[i][3]},
		};

		must(busway_pci_add_function(pci, &f) == 0, "no memory");
	}
	must(busway_pci_seal(pci) == 0, "no memory");
	return pci;
}

static void check_entries(const struct busway_acpi *acpi, size_t size)
{
	for (size_t i = 0; i < acpi->entry_count; i++) {
		const struct busway_acpi_entry *e = &acpi->entries[i];

		must(e->offset < size && e->length <= size - e->offset, "an entry leads out");
		must(!i || acpi->entries[i - 1].offset <= e->offset, "entries are out of order");
		must(!e->has_memory || e->memory.first <= e->memory.last, "an empty range");
		for (size_t k = 0; k < e->scope_count; k++)
			must(e->scopes[k].first_id <= e->scopes[k].last_id, "a range of IDs");
		for (size_t k = 0; k < e->mapping_count; k++)
			must(e->mappings[k].first <= e->mappings[k].last, "a range of a mapping");
	}
}

static void ask(const struct busway_acpi *acpi)
{
	struct busway_pci *pci = machine();

	for (uint32_t i = 0; i < busway_pci_count(pci); i++) {
		const struct busway_acpi_entry *unit =
			busway_acpi_unit_of(acpi, pci, (busway_pci_id){i});

		must(!unit || (unit >= acpi->entries && unit < acpi->entries + acpi->entry_count),
		     "a unit that is none of the table's");
		must(!unit || unit->kind == BUSWAY_ACPI_DRHD || unit->kind == BUSWAY_ACPI_IVHD ||
			     unit->kind == BUSWAY_ACPI_SMMU || unit->kind == BUSWAY_ACPI_SMMU_V3,
		     "a unit that is no IOMMU");
		for (size_t k = 0; k < acpi->entry_count; k++)
			busway_acpi_reserves_for(acpi, &acpi->entries[k], pci, (busway_pci_id){i});
	}
	busway_pci_destroy(pci);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char signatures[3][4] = {
		{'D', 'M', 'A', 'R'}, {'I', 'V', 'R', 'S'}, {'I', 'O', 'R', 'T'}};
	struct busway_acpi_error error;
	struct busway_acpi *acpi = NULL;
	uint8_t *copy = malloc(size + 1);

	must(copy != NULL, "no memory");
	memcpy(copy, data, size);
	if (size >= 8 && !busway_acpi_is_table(copy, size)) {
		memcpy(copy, signatures[copy[0] % 3], 4);
		copy[4] = (uint8_t)size;
		copy[5] = (uint8_t)(size >> 8);
		copy[6] = copy[7] = 0;
	}
	if (busway_acpi_read(copy, size, &memory, &acpi, &error) == 0) {
		check_entries(acpi, size);
		ask(acpi);
	} else {
		must(error.message[0] != 0, "refused without a word");
	}
	busway_acpi_free(acpi);
	free(copy);
	return 0;
}
