/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * device.c - the device that the user means.
 *
 * A path, an alias, the unique end of a path; HOST:BUS:DEV.FN for a function below a host bridge;
 * DOMAIN:BUS:DEV.FN below the bridge whose linux,pci-domain that is; BUS:DEV.FN where there is one
 * host bridge only. Of a machine: the functions that it has (function.c).
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

/* Devices whose name has @name in it: what was meant may be among them. */
static void list_similar(const struct loaded *loaded, const char *name)
{
	const size_t all = busway_platform_device_count(loaded->platform);
	busway_device_id found[CANDIDATES];
	size_t count = 0;

	for (uint32_t i = 0; *name && i < all; i++) {
		const struct busway_device *d = device_at(loaded, (busway_device_id){i});
		const char *last = strrchr(d->name, '/');

		if (d->is_bridge_itself || !strstr(last ? last : d->name, name))
			continue;
		if (count < CANDIDATES)
			found[count] = (busway_device_id){i};
		count++;
	}
	list_candidates(loaded, found, count);
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
		complain("%s: there is no device '%s'; busway show lists them", loaded->source,
			 name);
		list_similar(loaded, name);
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

/* "BB:DD.F", and what stands before it and its ':': nothing, a domain or a host bridge. */
struct function_name {
	const char *whole;
	size_t host_length;
	bool has_domain; /* it can be read as one */
	unsigned domain;
	uint16_t requester;
};

static bool parse_function(const char *name, struct function_name *out)
{
	static const size_t length = 7, domain_length = 4;
	const size_t all = strlen(name);
	const char *at = name + all - length;
	unsigned bus, device, function;

	if (all < length || at[2] != ':' || at[5] != '.' || !hex(at, 2, &bus) ||
	    !hex(at + 3, 2, &device) || !hex(at + 6, 1, &function) || device > 31 || function > 7)
		return false;
	if (all > length && at[-1] != ':')
		return false;
	*out = (struct function_name){
		.whole = name,
		.host_length = all > length ? all - length - 1 : 0,
		.requester = (uint16_t)(bus << 8 | device << 3 | function),
	};
	out->has_domain =
		out->host_length == domain_length && hex(name, domain_length, &out->domain);
	return true;
}

/* ---- host bridges ---- */

struct hosts {
	busway_device_id ids[CANDIDATES];
	size_t count; /* may be more than there is room for */
};

static void add_host(struct hosts *hosts, busway_device_id id)
{
	if (hosts->count < CANDIDATES)
		hosts->ids[hosts->count] = id;
	hosts->count++;
}

static bool has_bus(const struct busway_device *host, unsigned bus)
{
	return !host->has_bus_range || (bus >= host->first_bus && bus <= host->last_bus);
}

/* The host bridges that a name may mean. */
struct choice {
	struct hosts enabled;
	struct hosts of_domain; /* of these, those that state the domain */
	struct hosts of_bus;    /* and of these those that have the bus */
	bool any_domain;        /* some bridge states one, if only a disabled one */
};

static struct choice find_hosts(const struct loaded *loaded, const struct function_name *name)
{
	const size_t count = busway_platform_device_count(loaded->platform);
	struct choice choice = {0};

	for (uint32_t i = 0; i < count; i++) {
		const busway_device_id id = {i};
		const struct busway_device *d = device_at(loaded, id);

		if (!is_host(d) || d->is_bridge_itself)
			continue;
		choice.any_domain |= d->has_domain;
		if (!d->enabled)
			continue;
		add_host(&choice.enabled, id);
		if (!d->has_domain || d->domain != name->domain)
			continue;
		add_host(&choice.of_domain, id);
		if (has_bus(d, name->requester >> 8))
			add_host(&choice.of_bus, id);
	}
	return choice;
}

static void list_hosts(const struct loaded *loaded, const struct hosts *hosts)
{
	for (size_t i = 0; i < hosts->count && i < CANDIDATES; i++) {
		const struct busway_device *d = device_at(loaded, hosts->ids[i]);

		fprintf(stderr, "  %s", d->name);
		if (d->has_domain)
			fprintf(stderr, "  domain %04x", (unsigned)d->domain);
		if (d->has_bus_range)
			fprintf(stderr, "  buses %02x..%02x", (unsigned)d->first_bus,
				(unsigned)d->last_bus);
		fputc('\n', stderr);
	}
	if (hosts->count > CANDIDATES)
		fprintf(stderr, "  and %zu more\n", hosts->count - CANDIDATES);
}

/*
 * Which bridge has the domain? Linux numbers those that state none itself, around the stated ones
 * and in the order in which it finds them: that is known only where there is nothing but one.
 */
static bool host_of_domain(const struct loaded *loaded, const struct function_name *name,
			   busway_device_id *host)
{
	const struct choice choice = find_hosts(loaded, name);
	const bool is_first = choice.enabled.count == 1 && !choice.any_domain;

	if (choice.of_domain.count == 1 || choice.of_bus.count == 1) {
		*host = choice.of_domain.count == 1 ? choice.of_domain.ids[0]
						    : choice.of_bus.ids[0];
	} else if (choice.of_domain.count) {
		complain("%s: '%s': which host bridge of the domain? Say HOST:BUS:DEV.FN, with one "
			 "of",
			 loaded->source, name->whole);
		list_hosts(loaded, &choice.of_domain);
		return false;
	} else if (is_first && name->domain == 0) {
		*host = choice.enabled.ids[0];
	} else if (is_first) {
		complain("%s: '%s': %s states no linux,pci-domain and is the only host bridge: its "
			 "domain is 0000",
			 loaded->source, name->whole,
			 device_at(loaded, choice.enabled.ids[0])->name);
		return false;
	} else if (!choice.enabled.count) {
		complain("%s: '%s': there is no host bridge", loaded->source, name->whole);
		return false;
	} else {
		complain("%s: '%s': no host bridge states the domain %04x (linux,pci-domain). Say "
			 "HOST:BUS:DEV.FN, with one of",
			 loaded->source, name->whole, name->domain);
		list_hosts(loaded, &choice.enabled);
		return false;
	}
	return true;
}

/* The only enabled host bridge; complains where there is none or more than one. */
static bool only_host(const struct loaded *loaded, const struct function_name *name,
		      busway_device_id *host)
{
	const struct hosts hosts = find_hosts(loaded, name).enabled;

	if (hosts.count == 1) {
		*host = hosts.ids[0];
		return true;
	}
	complain("%s: '%s': %s", loaded->source, name->whole,
		 hosts.count ? "which host bridge? Say HOST:BUS:DEV.FN, with one of"
			     : "there is no host bridge");
	list_hosts(loaded, &hosts);
	return false;
}

/* Names of devices go before domains: "face" may well be an alias. */
static bool find_host(const struct loaded *loaded, const struct function_name *name,
		      busway_device_id *host)
{
	char *host_name = strndup(name->whole, name->host_length);
	const bool by_domain =
		name->has_domain && host_name &&
		busway_platform_find_device(loaded->platform, host_name, NULL, 0) == 0;
	bool found = false;

	if (!host_name)
		complain("out of memory");
	else if (!name->host_length)
		found = only_host(loaded, name, host);
	else if (by_domain)
		found = host_of_domain(loaded, name, host);
	else
		found = find_node(loaded, host_name, false, host);
	free(host_name);
	return found;
}

static bool find_function(const struct loaded *loaded, const struct function_name *name,
			  busway_device_id *device)
{
	const unsigned requester = name->requester, bus = requester >> 8;
	const struct busway_device *d;
	busway_device_id host;
	size_t size;
	char *kept;

	if (!find_host(loaded, name, &host))
		return false;
	d = device_at(loaded, host);
	if (!is_host(d)) {
		complain("%s: %s is no host bridge", loaded->source, d->name);
		return false;
	}
	if (!has_bus(d, bus)) {
		complain("%s: '%s': %s: bus-range: bus %02x is none of %02x..%02x", loaded->source,
			 name->whole, d->name, bus, (unsigned)d->first_bus, (unsigned)d->last_bus);
		return false;
	}
	size = strlen(d->name) + 9;
	kept = busway_platform_keep(loaded->platform, size, 1);
	if (kept)
		snprintf(kept, size, "%s:%02x:%02x.%x", d->name, bus, requester >> 3 & 31u,
			 requester & 7u);
	if (!kept ||
	    busway_platform_add_function(loaded->platform, host, name->requester, kept, device)) {
		complain("out of memory");
		return false;
	}
	return true;
}

/* A function of a machine, where @name is that of one: else false, without a complaint. */
static bool is_machine_function(const struct loaded *loaded, const char *name)
{
	return loaded->machine && pci_function_hits(loaded, name);
}

static bool find_machine_function(const struct loaded *loaded, const char *name,
				  busway_device_id *device)
{
	const struct busway_pci_function *f;
	busway_pci_id id;

	if (!find_pci_function(loaded, name, &id))
		return false;
	f = busway_pci_function(busway_system_pci(loaded->machine), id);
	if (!f->has_device) {
		complain("%s: %s: the device tree does not describe its host bridge",
			 loaded->source, name);
		return false;
	}
	*device = f->platform_device;
	return true;
}

bool find_device(const struct loaded *loaded, const char *name, const struct options *options,
		 busway_device_id *device)
{
	struct function_name function;

	if (is_machine_function(loaded, name)) {
		if (!find_machine_function(loaded, name, device))
			return false;
	} else if (!find_node(loaded, name, true, device)) {
		if (!parse_function(name, &function))
			return find_node(loaded, name, false, device);
		/* a machine has the functions that it has */
		if (loaded->machine && (!function.host_length || function.has_domain))
			return find_machine_function(loaded, name, device);
		if (!find_function(loaded, &function, device))
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

/* Does a function's name have a bridge, a domain or nothing in front? */
static bool is_below_host(const struct loaded *loaded, const struct function_name *name)
{
	char *host_name = strndup(name->whole, name->host_length);
	busway_device_id host;
	const bool is_host_name = host_name && find_node(loaded, host_name, true, &host) &&
				  is_host(device_at(loaded, host));

	free(host_name);
	return !name->host_length || name->has_domain || is_host_name;
}

static bool is_device(const struct loaded *loaded, const char *name)
{
	struct function_name function;
	busway_device_id probe;

	return is_machine_function(loaded, name) || find_node(loaded, name, true, &probe) ||
	       (parse_function(name, &function) && is_below_host(loaded, &function));
}

int find_devices(const struct loaded *loaded, const char *list, const struct options *options,
		 busway_device_id *devices, int capacity)
{
	char *rest = strdup(list), *at = rest;
	int count = 0;

	if (!rest) {
		complain("out of memory");
		return -1;
	}
	for (;;) {
		char *end = at + strlen(at);

		/* names have commas: take the longest beginning that is a device */
		while (!is_device(loaded, at)) {
			char *comma = strrchr(at, ',');

			if (!comma)
				break;
			*comma = '\0';
		}
		if (!*at) {
			complain("'%s': no device is named%s", list,
				 *list ? " next to a comma" : "");
			count = -1;
			break;
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
