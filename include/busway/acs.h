/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acs.h - Access Control Services of PCI Express: what a port does with what goes between peers.
 */
#ifndef BUSWAY_ACS_H
#define BUSWAY_ACS_H

#include <stddef.h>
#include <stdint.h>

/* Bits of the ACS capability and control registers (PCIe 7.7.11). */
enum busway_acs_bit {
	BUSWAY_ACS_SV = 0x01, /* source validation */
	BUSWAY_ACS_TB = 0x02, /* translation blocking */
	BUSWAY_ACS_RR = 0x04, /* peer-to-peer request redirect */
	BUSWAY_ACS_CR = 0x08, /* peer-to-peer completion redirect */
	BUSWAY_ACS_UF = 0x10, /* upstream forwarding */
	BUSWAY_ACS_EC = 0x20, /* peer-to-peer egress control */
	BUSWAY_ACS_DT = 0x40, /* direct translated peer-to-peer */
};

/* "RR, CR" for control bits; "-" for none. Returns @buf; cut where @size bytes do not hold it. */
const char *busway_acs_text(uint16_t bits, char *buf, size_t size);

#endif
