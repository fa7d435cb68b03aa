/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci_bytes.c - the bytes of BARs, and accesses to them.
 *
 * Only bytes that were written are kept, each in a cell of a table that is never more than half
 * full.
 */
#include "pci_fabric.h"

static size_t cell_place(const struct cell *cells, size_t room, uint32_t function, uint32_t bar,
			 uint64_t offset)
{
	uint64_t x = (offset << 24 | offset >> 40) ^ (uint64_t)function << 3 ^ bar;
	size_t at;

	x = (x ^ x >> 31) * 0x9e3779b97f4a7c15;
	for (at = (size_t)(x ^ x >> 29) & (room - 1); cells[at].function != NOWHERE;
	     at = (at + 1) & (room - 1))
		if (cells[at].function == function && cells[at].bar == bar &&
		    cells[at].offset == offset)
			break;
	return at;
}

static int grow(struct busway_pci_fabric *fabric)
{
	const struct busway_allocator *m = fabric->memory;
	const size_t room = fabric->cell_room ? fabric->cell_room * 2 : 64;
	struct cell *cells;

	if (fabric->cell_count * 2 < fabric->cell_room)
		return 0;
	cells = m->alloc(m->ctx, room * sizeof(*cells), _Alignof(struct cell));
	if (!cells)
		return -BUSWAY_ENOMEM;
	for (size_t i = 0; i < room; i++)
		cells[i].function = NOWHERE;
	for (size_t i = 0; i < fabric->cell_room; i++) {
		const struct cell *old = &fabric->cells[i];

		if (old->function != NOWHERE)
			cells[cell_place(cells, room, old->function, old->bar, old->offset)] = *old;
	}
	if (fabric->cells)
		m->free(m->ctx, fabric->cells, fabric->cell_room * sizeof(*cells),
			_Alignof(struct cell));
	fabric->cells = cells;
	fabric->cell_room = room;
	return 0;
}

static int put_byte(struct busway_pci_fabric *fabric, const struct busway_pci_outcome *at,
		    uint8_t byte)
{
	struct cell *cell;
	const int status = grow(fabric);

	if (status)
		return status;
	cell = &fabric->cells[cell_place(fabric->cells, fabric->cell_room, at->function.index,
					 at->bar, at->offset)];
	if (cell->function == NOWHERE)
		fabric->cell_count++;
	*cell = (struct cell){at->offset, at->function.index, at->bar, byte};
	return 0;
}

void busway_pci_fabric_look(const struct busway_pci_fabric *fabric, busway_pci_id function,
			    unsigned bar, uint64_t offset, void *to, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		uint8_t byte = 0;

		if (fabric->cell_room) {
			const struct cell *cell = &fabric->cells[cell_place(
				fabric->cells, fabric->cell_room, function.index, bar, offset + i)];

			if (cell->function != NOWHERE)
				byte = cell->byte;
		}
		((uint8_t *)to)[i] = byte;
	}
}

static bool makes_sense(uint64_t address, size_t size)
{
	return size && size - 1 <= UINT64_MAX - address;
}

int busway_pci_fabric_write(struct busway_pci_fabric *fabric, busway_pci_id initiator,
			    uint64_t address, const void *from, size_t size,
			    struct busway_pci_outcome *out)
{
	bool failed = false;

	if (!makes_sense(address, size))
		return -BUSWAY_EINVAL;
	for (size_t i = 0; i < size; i++) {
		struct busway_pci_outcome here;

		busway_pci_fabric_route(fabric,
					&(struct busway_pci_request){.initiator = initiator,
								     .address = address + i,
								     .access = BUSWAY_WRITE},
					&here);
		if (!failed)
			*out = here;
		if (here.end != BUSWAY_PCI_ARRIVED)
			failed = true;
		else if (put_byte(fabric, &here, ((const uint8_t *)from)[i]))
			return -BUSWAY_ENOMEM;
	}
	return failed ? -BUSWAY_ERANGE : 0;
}

int busway_pci_fabric_read(struct busway_pci_fabric *fabric, busway_pci_id initiator,
			   uint64_t address, void *to, size_t size, struct busway_pci_outcome *out)
{
	bool failed = false;

	if (!makes_sense(address, size))
		return -BUSWAY_EINVAL;
	for (size_t i = 0; i < size; i++) {
		struct busway_pci_outcome here;

		busway_pci_fabric_route(fabric,
					&(struct busway_pci_request){.initiator = initiator,
								     .address = address + i,
								     .access = BUSWAY_READ},
					&here);
		if (!failed)
			*out = here;
		if (here.end == BUSWAY_PCI_ARRIVED) {
			busway_pci_fabric_look(fabric, here.function, here.bar, here.offset,
					       (uint8_t *)to + i, 1);
			continue;
		}
		failed = true;
		((uint8_t *)to)[i] = 0xff;
	}
	return failed ? -BUSWAY_ERANGE : 0;
}
