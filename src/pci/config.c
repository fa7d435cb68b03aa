/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config.c - the header of a configuration space: what a function is, its BARs, its windows.
 *
 * Offsets: PCI Local Bus 3.0, 6.1 (type 0), PCI-to-PCI Bridge 1.2, 3.2 (type 1).
 */
#include "pci_internal.h"

#include "../base/bytes.h"
#include "config_bytes.h"

enum {
	VENDOR = 0x00,
	DEVICE = 0x02,
	COMMAND = 0x04,
	CLASS = 0x09,
	HEADER_TYPE = 0x0e,
	BAR_FIRST = 0x10,
	PRIMARY_BUS = 0x18,
	IO_BASE = 0x1c,
	MEMORY_BASE = 0x20,
	PREFETCH_BASE = 0x24,
	PREFETCH_BASE_HIGH = 0x28,
	PREFETCH_LIMIT_HIGH = 0x2c,
	IO_BASE_HIGH = 0x30,
	HEADER_END = 0x40,

	COMMAND_MEMORY = 1 << 1,
	COMMAND_MASTER = 1 << 2,
	HEADER_LAYOUT = 0x7f,
	HEADER_MULTIFUNCTION = 0x80,
	LAYOUT_BRIDGE = 1,
	LAYOUT_CARDBUS = 2,
};

static bool read_bar(const uint8_t *config, unsigned count, unsigned index,
		     struct busway_pci_bar *bar)
{
	const uint32_t low = config_u32(config, BAR_FIRST + 4 * index);
	const bool wide = !(low & 1) && (low & 6) == 4;
	uint64_t base;

	*bar = (struct busway_pci_bar){.kind = BUSWAY_BAR_NONE};
	if (low & 1) {
		bar->kind = BUSWAY_BAR_IO;
		base = low & ~(uint32_t)3;
	} else {
		base = low & ~(uint32_t)15;
		if (wide && index + 1 < count)
			base |= (uint64_t)config_u32(config, BAR_FIRST + 4 * index + 4) << 32;
		if (low == 0 && base == 0)
			return false; /* not there, or nobody has given it an address */
		bar->kind = wide ? BUSWAY_BAR_MEM64 : BUSWAY_BAR_MEM32;
		bar->prefetchable = (low & 8) != 0;
	}
	bar->assigned = base != 0;
	bar->bus = (struct busway_range){base, base};
	return wide;
}

static void read_bars(const uint8_t *config, unsigned count, struct busway_pci_function *f)
{
	for (unsigned i = 0; i < BUSWAY_PCI_BARS; i++)
		f->bars[i] = (struct busway_pci_bar){.kind = BUSWAY_BAR_NONE};
	for (unsigned i = 0; i < count; i++)
		i += read_bar(config, count, i, &f->bars[i]); /* 64 bits take two registers */
}

static bool window(uint64_t base, uint64_t limit, uint64_t low_bits, struct busway_range *range)
{
	if (base > limit)
		return false; /* closed */
	*range = (struct busway_range){base, limit | low_bits};
	return true;
}

static void read_windows(const uint8_t *config, struct busway_pci_bridge *b)
{
	uint64_t base = config_u16(config, PREFETCH_BASE);
	uint64_t limit = config_u16(config, PREFETCH_BASE + 2);
	const bool wide = (base & 15) == 1;
	uint64_t io = config[IO_BASE], io_limit = config[IO_BASE + 1];

	b->memory_open = window((uint64_t)(config_u16(config, MEMORY_BASE) & 0xfff0) << 16,
				(uint64_t)(config_u16(config, MEMORY_BASE + 2) & 0xfff0) << 16,
				0xfffff, &b->memory);
	base = (base & 0xfff0) << 16;
	limit = (limit & 0xfff0) << 16;
	if (wide) {
		base |= (uint64_t)config_u32(config, PREFETCH_BASE_HIGH) << 32;
		limit |= (uint64_t)config_u32(config, PREFETCH_LIMIT_HIGH) << 32;
	}
	b->prefetch_open = window(base, limit, 0xfffff, &b->prefetch);
	if ((io & 15) == 1) {
		io |= (uint64_t)config_u16(config, IO_BASE_HIGH) << 8;
		io_limit |= (uint64_t)config_u16(config, IO_BASE_HIGH + 2) << 8;
	}
	b->io_open =
		window((io & ~(uint64_t)15) << 8, (io_limit & ~(uint64_t)15) << 8, 0xfff, &b->io);
}

static void read_bridge(const uint8_t *config, struct busway_pci_function *f)
{
	f->bridge = (struct busway_pci_bridge){
		.primary = config[PRIMARY_BUS],
		.secondary = config[PRIMARY_BUS + 1],
		.subordinate = config[PRIMARY_BUS + 2],
	};
	read_windows(config, &f->bridge);
	/* A window that was never set up reads as 0..1 MiB: nobody puts memory there. */
	if (f->bridge.memory_open && f->bridge.memory.last < 0x100000)
		f->bridge.memory_open = false;
	if (f->bridge.prefetch_open && f->bridge.prefetch.last < 0x100000)
		f->bridge.prefetch_open = false;
}

int busway_pci_read_config(const uint8_t *config, size_t size, struct busway_pci_function *function)
{
	struct busway_pci_function f = *function;
	unsigned layout;
	uint16_t command;

	if (size < HEADER_END || config_u16(config, VENDOR) == 0xffff)
		return -BUSWAY_EINVAL;
	layout = config[HEADER_TYPE] & HEADER_LAYOUT;
	command = config_u16(config, COMMAND);
	f.vendor = config_u16(config, VENDOR);
	f.device = config_u16(config, DEVICE);
	f.class_code = config_u32(config, CLASS - 1) >> 8;
	f.multifunction = (config[HEADER_TYPE] & HEADER_MULTIFUNCTION) != 0;
	f.config_size = (uint16_t)(size > 4096 ? 4096 : size);
	f.has_command = true;
	f.memory_decode = (command & COMMAND_MEMORY) != 0;
	f.bus_master = (command & COMMAND_MASTER) != 0;
	f.bridge = (struct busway_pci_bridge){0};
	if (layout == LAYOUT_BRIDGE)
		read_bridge(config, &f);
	read_bars(config, layout == LAYOUT_BRIDGE ? 2 : layout == LAYOUT_CARDBUS ? 1 : 6, &f);
	f.type = layout == LAYOUT_BRIDGE ? BUSWAY_PCI_UNKNOWN_BRIDGE : BUSWAY_PCI_UNKNOWN;
	read_capabilities(config, f.config_size, &f);
	*function = f;
	return 0;
}
