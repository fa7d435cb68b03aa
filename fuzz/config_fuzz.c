/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_fuzz.c - any bytes as the configuration spaces of functions, wired as they say.
 *
 * Input: for each function its bus, its device and function, the size of its configuration space,
 * what an operating system says of its place, and how many bytes follow: the rest is zero.
 */
#include "pci_judge.h"

enum { CONFIG_SIZE = 4096, HEADER = 6, FUNCTIONS_MOST = 64 };

enum place { SAYS_ABOVE = 1, SAYS_ROOT = 2, IS_VIRTUAL = 4, SAYS_TRANSLATED = 8 };

/* The function at *@data, of which *@size bytes are left; false: it is none. */
static bool next_function(const uint8_t **data, size_t *size, struct busway_pci_function *f)
{
	static const uint16_t sizes[] = {64, 256, CONFIG_SIZE, 65};
	const uint8_t *at = *data;
	uint8_t config[CONFIG_SIZE] = {0};
	size_t given = at[4] | (size_t)(at[5] & 15) << 8;
	const size_t whole = sizes[at[2] & 3];

	*f = (struct busway_pci_function){
		.at = {.domain = at[2] >> 7, .bus = at[0], .devfn = at[1]},
		.has_above = (at[3] & SAYS_ABOVE) != 0,
		.above = {.domain = at[2] >> 7, .bus = at[3] >> 4, .devfn = 0},
		.has_root_bus = (at[3] & SAYS_ROOT) != 0,
		.root_bus = at[3] >> 4,
		.is_virtual = (at[3] & IS_VIRTUAL) != 0,
		.physical = {.domain = at[2] >> 7, .bus = at[0], .devfn = at[3] >> 4},
		.translated = (at[3] & SAYS_TRANSLATED) != 0,
	};
	*data += HEADER;
	*size -= HEADER;
	if (given > *size)
		given = *size;
	if (given > CONFIG_SIZE)
		given = CONFIG_SIZE;
	memcpy(config, *data, given);
	*data += given;
	*size -= given;
	if (busway_pci_read_config(config, whole, f))
		return false;
	must(f->config_size == whole, "another size");
	/* a list of capabilities that begins behind what was read */
	if (whole == 64 && (config[6] & 0x10) && config[0x34] >= 64)
		must(f->acs.known == BUSWAY_UNKNOWN, "ACS was not read, and is known");
	for (unsigned i = 0; i < BUSWAY_PCI_BARS; i++) {
		must(f->bars[i].bus.first <= f->bars[i].bus.last, "a BAR ends before it begins");
		f->bars[i].sized = f->bars[i].assigned;
		if (f->bars[i].sized && f->bars[i].bus.first <= UINT64_MAX - 0xfff)
			f->bars[i].bus.last = f->bars[i].bus.first + 0xfff;
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct busway_pci *pci = NULL;
	struct busway_pci_function f;

	must(busway_pci_create(&memory, &pci) == 0, "no memory");
	for (unsigned i = 0; i < FUNCTIONS_MOST && size >= HEADER; i++)
		if (next_function(&data, &size, &f))
			must(busway_pci_add_function(pci, &f) == 0, "cannot be added");
	must(busway_pci_seal(pci) == 0, "cannot be sealed");
	judge(pci);
	busway_pci_destroy(pci);
	return 0;
}
