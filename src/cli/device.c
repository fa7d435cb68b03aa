/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * device.c - the device that the user means.
 *
 * A path, an alias, the unique end of a path; HOST:BUS:DEV.FN for a function below a host bridge;
 * DOMAIN:BUS:DEV.FN or BUS:DEV.FN where there is one host bridge only.
 */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

enum { CANDIDATES = 16 };

static const struct busway_device *device_at(const struct loaded *loaded, busway_device_id id)
{
	return busway_platform_device(loaded->platform, id);
}

static bool is_host(const struct busway_device *device)
{
	return device->kind == BUSWAY_DEVICE_PCIE_HOST || device->kind == BUSWAY_DEVICE_PCI_HOST;
}

static void list_candidates(const struct loaded *loaded, const busway_device_id *found,
			    size_t count)
{
	for (size_t i = 0; i < count && i < CANDIDATES; i++)
		fprintf(stderr, "  %s\n", device_at(loaded, found[i])->name);
	if (count > CANDIDATES)
		fprintf(stderr, "  and %zu more\n", count - CANDIDATES);
}

static bool find_node(const struct loaded *loaded, const char *name, bool quiet,
		      busway_device_id *device)
{
	busway_device_id found[CANDIDATES];
	const size_t count = busway_platform_find_device(loaded->platform, name, found, CANDIDATES);

	if (count == 1) {
		*device = found[0];
		return true;
	}
	if (quiet)
		return false;
	if (!count) {
		complain("%s: there is no device '%s'", loaded->source, name);
	} else {
		complain("%s: '%s' could be any of", loaded->source, name);
		list_candidates(loaded, found, count);
	}
	return false;
}

static bool hex(const char *text, size_t digits, unsigned *value)
{
	*value = 0;
	for (size_t i = 0; i < digits; i++) {
		const char *at = text[i] ? strchr("0123456789abcdef", text[i] | 0x20) : NULL;

		if (!at)
			return false;
		*value = *value * 16 + (unsigned)(at - "0123456789abcdef");
	}
	return true;
}

/* "BB:DD.F" at the end of @name; @rest is the length of what stands before it and its ':'. */
static bool parse_function(const char *name, size_t *rest, uint16_t *requester)
{
	static const size_t length = 7;
	const size_t all = strlen(name);
	const char *at = name + all - length;
	unsigned bus, device, function;

	if (all < length || at[2] != ':' || at[5] != '.' || !hex(at, 2, &bus) ||
	    !hex(at + 3, 2, &device) || !hex(at + 6, 1, &function) || device > 31 || function > 7)
		return false;
	if (all > length && at[-1] != ':')
		return false;
	*rest = all > length ? all - length - 1 : 0;
	*requester = (uint16_t)(bus << 8 | device << 3 | function);
	return true;
}

/* The only enabled host bridge; complains where there is none or more than one. */
static bool only_host(const struct loaded *loaded, const char *name, busway_device_id *host)
{
	const size_t count = busway_platform_device_count(loaded->platform);
	busway_device_id found[CANDIDATES];
	size_t hosts = 0;

	for (uint32_t i = 0; i < count; i++) {
		const struct busway_device *d = device_at(loaded, (busway_device_id){i});

		if (!is_host(d) || d->is_bridge_itself || !d->enabled)
			continue;
		if (hosts < CANDIDATES)
			found[hosts] = (busway_device_id){i};
		hosts++;
	}
	if (hosts == 1) {
		*host = found[0];
		return true;
	}
	complain("%s: '%s': %s", loaded->source, name,
		 hosts ? "which host bridge? Say HOST:BUS:DEV.FN, with one of"
		       : "there is no host bridge");
	list_candidates(loaded, found, hosts);
	return false;
}

static bool find_function(const struct loaded *loaded, const char *name, size_t rest,
			  uint16_t requester, busway_device_id *device)
{
	char *host_name = strndup(name, rest);
	char *kept = NULL;
	busway_device_id host;
	unsigned domain;
	bool found = false;

	if (!host_name)
		return false;
	if (rest == 0 || (rest == 4 && hex(host_name, 4, &domain)))
		found = only_host(loaded, name, &host);
	else
		found = find_node(loaded, host_name, false, &host);
	if (found && !is_host(device_at(loaded, host))) {
		complain("%s: %s is no host bridge", loaded->source, device_at(loaded, host)->name);
		found = false;
	}
	if (found) {
		const char *path = device_at(loaded, host)->name;
		const size_t size = strlen(path) + 9;

		kept = busway_platform_keep(loaded->platform, size, 1);
		if (kept)
			snprintf(kept, size, "%s:%02x:%02x.%x", path, (unsigned)requester >> 8,
				 requester >> 3 & 31u, requester & 7u);
		found = kept && busway_platform_add_function(loaded->platform, host, requester,
							     kept, device) == 0;
	}
	free(host_name);
	return found;
}

bool find_device(const struct loaded *loaded, const char *name, const struct options *options,
		 busway_device_id *device)
{
	uint16_t requester;
	size_t rest;

	if (!find_node(loaded, name, true, device)) {
		if (!parse_function(name, &rest, &requester))
			return find_node(loaded, name, false, device);
		if (!find_function(loaded, name, rest, requester, device))
			return false;
	}
	if (options->own) {
		const struct busway_device *d = device_at(loaded, *device);

		if (d->own.index == BUSWAY_NO_DEVICE.index) {
			complain("%s: --own: %s is no host bridge", loaded->source, d->name);
			return false;
		}
		*device = d->own;
	}
	return true;
}

/* Does a function's name have a bridge, a domain or nothing in front? @rest as parse_function(). */
static bool is_below_host(const struct loaded *loaded, const char *name, size_t rest)
{
	char *host_name = strndup(name, rest);
	busway_device_id host;
	unsigned domain;
	const bool is_host_name = host_name && find_node(loaded, host_name, true, &host) &&
				  is_host(device_at(loaded, host));
	const bool is_domain = host_name && rest == 4 && hex(host_name, 4, &domain);

	free(host_name);
	return rest == 0 || is_host_name || is_domain;
}

static bool is_device(const struct loaded *loaded, const char *name)
{
	busway_device_id probe;
	uint16_t requester;
	size_t rest;

	return find_node(loaded, name, true, &probe) ||
	       (parse_function(name, &rest, &requester) && is_below_host(loaded, name, rest));
}

int find_devices(const struct loaded *loaded, const char *list, const struct options *options,
		 busway_device_id *devices, int capacity)
{
	char *rest = strdup(list), *at = rest;
	int count = 0;

	while (at && *at) {
		char *end = at + strlen(at);

		/* names have commas: take the longest beginning that is a device */
		while (!is_device(loaded, at)) {
			char *comma = strrchr(at, ',');

			if (!comma)
				break;
			*comma = '\0';
		}
		if (count == capacity) {
			complain("more than %d devices", capacity);
			count = -1;
			break;
		}
		if (!find_device(loaded, at, options, &devices[count])) {
			count = -1;
			break;
		}
		count++;
		at += strlen(at);
		if (at == end)
			break;
		at++; /* behind the comma that was cut */
		/* commas further on were cut, too: put them back */
		for (char *c = at; c < end; c++)
			*c = list[c - rest];
	}
	free(rest);
	return count;
}

struct busway_emission emission_for(const struct loaded *loaded, busway_device_id device,
				    unsigned mask_bits)
{
	struct busway_emission emission = device_at(loaded, device)->emission;

	emission.zero |= busway_emission_mask(mask_bits).zero;
	return emission;
}

void limit_segments(const struct loaded *loaded, busway_device_id device,
		    const struct options *options)
{
	const struct busway_segment_limits limits = {options->max_segment, options->boundary,
						     options->max_segments};

	busway_platform_set_segments(loaded->platform, device, &limits);
}
