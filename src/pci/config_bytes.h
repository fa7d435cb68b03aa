/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_bytes.h - registers of a configuration space: little-endian, at any offset.
 */
#ifndef BUSWAY_CONFIG_BYTES_H
#define BUSWAY_CONFIG_BYTES_H

#include <stdint.h>

static inline uint16_t config_u16(const uint8_t *config, unsigned at)
{
	return (uint16_t)(config[at] | config[at + 1] << 8);
}

static inline uint32_t config_u32(const uint8_t *config, unsigned at)
{
	return config_u16(config, at) | (uint32_t)config_u16(config, at + 2) << 16;
}

#endif
