/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi.h - the ACPI tables that say which IOMMU translates which device: DMAR (Intel VT-d 8),
 * IVRS (AMD I/O Virtualization 5.2), IORT (Arm DEN0049).
 *
 * A table becomes a list of entries in the order in which they stand there. Entries of a type that
 * is not known are kept as such and are stepped over by their length, as the specifications ask.
 * A table that was read never changes: any number of threads may ask it.
 */
#ifndef BUSWAY_ACPI_H
#define BUSWAY_ACPI_H

#include <busway/pci.h>

enum busway_acpi_kind {
	BUSWAY_ACPI_UNKNOWN,      /* a type that this does not know */
	BUSWAY_ACPI_DRHD,         /* VT-d: a remapping unit */
	BUSWAY_ACPI_RMRR,         /* VT-d: memory that stays mapped 1:1 */
	BUSWAY_ACPI_ATSR,         /* VT-d: root ports that carry ATS */
	BUSWAY_ACPI_RHSA,         /* VT-d: proximity of a unit */
	BUSWAY_ACPI_ANDD,         /* VT-d: a device of the ACPI namespace */
	BUSWAY_ACPI_SATC,         /* VT-d: integrated devices that use ATS */
	BUSWAY_ACPI_SIDP,         /* VT-d: integrated devices with properties */
	BUSWAY_ACPI_IVHD,         /* AMD: a remapping unit */
	BUSWAY_ACPI_IVMD,         /* AMD: memory that is mapped 1:1, or excluded */
	BUSWAY_ACPI_ITS,          /* Arm: a group of interrupt translation services */
	BUSWAY_ACPI_NAMED,        /* Arm: a device of the ACPI namespace */
	BUSWAY_ACPI_ROOT_COMPLEX, /* Arm: a PCI root complex */
	BUSWAY_ACPI_SMMU,         /* Arm: SMMU version 1 or 2 */
	BUSWAY_ACPI_SMMU_V3,
	BUSWAY_ACPI_PMCG, /* Arm: performance counters of an SMMU */
	BUSWAY_ACPI_RMR,  /* Arm: memory that stays mapped 1:1 */
};

/* "DRHD", "SMMUv3": as the specifications call them. */
const char *busway_acpi_kind_name(enum busway_acpi_kind kind);

enum busway_acpi_scope_kind {
	BUSWAY_SCOPE_FUNCTION, /* one PCI function, by its path */
	BUSWAY_SCOPE_BRIDGE,   /* a bridge, by its path, and all below it */
	BUSWAY_SCOPE_IOAPIC,
	BUSWAY_SCOPE_HPET,
	BUSWAY_SCOPE_NAMESPACE, /* a device of the ACPI namespace */
	BUSWAY_SCOPE_IDS,       /* requester IDs .first_id to .last_id */
	BUSWAY_SCOPE_OTHER,
};

/* One or several devices that an entry is about. */
struct busway_acpi_scope {
	enum busway_acpi_scope_kind kind;
	uint8_t type; /* as it stands in the table */
	uint8_t id;   /* of an interrupt controller or timer, or of the namespace */
	/* A path: device and function on @bus, then below the bridge that this is, and so on. */
	uint8_t bus;
	const uint8_t *path; /* one device/function byte a step */
	size_t path_length;
	uint16_t first_id, last_id;
	bool has_alias; /* its accesses carry .alias instead */
	uint16_t alias;
};

/* Arm: IDs that come in, and what goes out to which entry. */
struct busway_acpi_mapping {
	uint32_t first, last, out; /* inclusive; .single: only .out means something */
	bool single;
	uint32_t target; /* where the entry stands: busway_acpi_at() */
};

struct busway_acpi_entry {
	enum busway_acpi_kind kind;
	uint8_t type;            /* as it stands in the table */
	uint32_t offset, length; /* where it stands, in bytes */
	uint32_t flags;
	uint32_t segment;
	bool all;      /* DRHD: all that no other unit names; ATSR: all root ports; IVMD: all */
	uint64_t base; /* of registers */
	bool has_memory;
	struct busway_range memory; /* RMRR, IVMD, RMR */
	bool unity;                 /* IVMD: mapped 1:1 (else it is excluded from translation) */
	uint16_t device;      /* IVHD: the unit's own requester ID; IVMD: the device or the first */
	uint16_t last_device; /* IVMD: the last one of a range */
	uint32_t number;      /* ANDD: device number; RHSA: proximity domain; IORT: identifier */
	unsigned address_bits; /* Arm: of a root complex or a device; 0: not said */
	const char *name;      /* ANDD, NAMED; or NULL */
	const struct busway_acpi_scope *scopes;
	size_t scope_count;
	const struct busway_acpi_mapping *mappings;
	size_t mapping_count;
};

struct busway_acpi {
	char signature[5]; /* "DMAR", "IVRS", "IORT" */
	uint8_t revision;
	bool checksum_good;
	uint32_t flags;        /* DMAR: flags; IVRS: IVinfo */
	unsigned address_bits; /* that the platform has; 0: not said */
	const struct busway_acpi_entry *entries;
	size_t entry_count;
};

/* Why a table could not be read. */
struct busway_acpi_error {
	uint32_t offset; /* of the entry, in bytes */
	char message[128];
};

/* Does it begin as one of the tables that are read here? */
bool busway_acpi_is_table(const void *data, size_t size);

/*
 * busway_acpi_read() - read a table
 * @data: not needed any more afterwards
 * @out: to be given back with busway_acpi_free()
 * A checksum that is wrong is told in .checksum_good and is no error. Errors: -BUSWAY_EINVAL with
 * @error: it is no such table, shorter than it says, or an entry does not fit; -BUSWAY_ENOMEM.
 */
int busway_acpi_read(const void *data, size_t size, const struct busway_allocator *memory,
		     struct busway_acpi **out, struct busway_acpi_error *error);

void busway_acpi_free(struct busway_acpi *acpi); /* may be NULL */

/* The entry that stands at @offset; NULL: none does. */
const struct busway_acpi_entry *busway_acpi_at(const struct busway_acpi *acpi, uint32_t offset);

/* Is the function @id one of those that @scope of an entry about @segment names? Paths are followed
 * through the bridges of @pci. */
bool busway_acpi_scope_has(const struct busway_acpi_scope *scope, uint32_t segment,
			   const struct busway_pci *pci, busway_pci_id id);

/* The unit that translates @id: an entry of kind DRHD, IVHD, SMMU or SMMU_V3; NULL: none does. */
const struct busway_acpi_entry *busway_acpi_unit_of(const struct busway_acpi *acpi,
						    const struct busway_pci *pci, busway_pci_id id);

/* Is the memory of @entry (RMRR, IVMD, RMR) reserved for @id? */
bool busway_acpi_reserves_for(const struct busway_acpi *acpi, const struct busway_acpi_entry *entry,
			      const struct busway_pci *pci, busway_pci_id id);

#endif
