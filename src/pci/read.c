/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * read.c - ask a sealed struct busway_pci; names of things.
 */
#include "pci_internal.h"

bool busway_pci_is_bridge(enum busway_pci_type type)
{
	return type >= BUSWAY_PCI_ROOT_PORT;
}

int busway_pci_address_compare(struct busway_pci_address a, struct busway_pci_address b)
{
	const uint64_t x = (uint64_t)a.domain << 16 | (uint64_t)a.bus << 8 | a.devfn;
	const uint64_t y = (uint64_t)b.domain << 16 | (uint64_t)b.bus << 8 | b.devfn;

	return x < y ? -1 : x > y;
}

static char *put_digits(char *at, uint32_t value, unsigned digits)
{
	while (digits < 8 && value >> (4 * digits))
		digits++;
	for (unsigned i = digits; i-- > 0;)
		*at++ = "0123456789abcdef"[value >> (4 * i) & 15];
	return at;
}

void busway_pci_address_text(struct busway_pci_address at, char text[BUSWAY_PCI_NAME_SIZE])
{
	char *end = put_digits(text, at.domain, 4);

	*end++ = ':';
	end = put_digits(end, at.bus, 2);
	*end++ = ':';
	end = put_digits(end, at.devfn >> 3, 2);
	*end++ = '.';
	end = put_digits(end, at.devfn & 7, 1);
	*end = 0;
}

size_t busway_pci_count(const struct busway_pci *pci)
{
	return pci->count;
}

const struct busway_pci_function *busway_pci_function(const struct busway_pci *pci,
						      busway_pci_id id)
{
	return &node_at(pci, id.index)->function;
}

busway_pci_id busway_pci_find(const struct busway_pci *pci, struct busway_pci_address at)
{
	return (busway_pci_id){find_node(pci, at)};
}

busway_pci_id busway_pci_above(const struct busway_pci *pci, busway_pci_id id)
{
	return (busway_pci_id){node_at(pci, id.index)->above};
}

const char *busway_pci_name(const struct busway_pci *pci, busway_pci_id id)
{
	return node_at(pci, id.index)->name;
}

unsigned busway_pci_depth(const struct busway_pci *pci, busway_pci_id id)
{
	return node_at(pci, id.index)->depth;
}

bool busway_pci_is_odd(const struct busway_pci *pci, busway_pci_id id)
{
	return node_at(pci, id.index)->odd;
}

size_t busway_pci_host_count(const struct busway_pci *pci)
{
	return pci->added_hosts.count;
}

const struct busway_pci_host *busway_pci_host(const struct busway_pci *pci, busway_pci_host_id id)
{
	return &host_at(pci, id.index)->host;
}

busway_pci_host_id busway_pci_host_of(const struct busway_pci *pci, busway_pci_id id)
{
	return (busway_pci_host_id){node_at(pci, id.index)->host};
}

const struct busway_pci_oddity *busway_pci_oddities(const struct busway_pci *pci, size_t *count)
{
	*count = pci->oddities.count;
	return pci->oddities.items;
}

const char *busway_pci_oddity_code(enum busway_pci_oddity_code code)
{
	static const char *const codes[] = {
#define X(id, code, text) code,
		BUSWAY_PCI_ODDITIES(X)
#undef X
	};

	return codes[code];
}

const char *busway_pci_oddity_text(enum busway_pci_oddity_code code)
{
	static const char *const texts[] = {
#define X(id, code, text) text,
		BUSWAY_PCI_ODDITIES(X)
#undef X
	};

	return texts[code];
}
