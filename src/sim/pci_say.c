/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci_say.c - names of what happens in a PCI fabric.
 */
#include "pci_fabric.h"

static const struct {
	const char *code, *text;
} ends[] = {
#define X(id, code, text) {code, text},
	BUSWAY_PCI_ENDS(X)
#undef X
};

const char *busway_pci_end_code(enum busway_pci_end end)
{
	return (unsigned)end < BUSWAY_PCI_END_COUNT ? ends[end].code : "";
}

const char *busway_pci_end_text(enum busway_pci_end end)
{
	return (unsigned)end < BUSWAY_PCI_END_COUNT ? ends[end].text : "";
}

const char *busway_pci_step_text(enum busway_pci_step step)
{
	static const char *const texts[] = {
		"emitted by",
		"up through",
		"sent up by the ACS of",
		"turns from below",
		"through the root complex above",
		"down through",
		"arrives at",
		"what was read goes up through",
		"what was read is sent up by the ACS of",
	};

	return (unsigned)step < sizeof(texts) / sizeof(texts[0]) ? texts[step] : "";
}
