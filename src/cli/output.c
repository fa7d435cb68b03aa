/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * output.c - complaints, text, colours and JSON.
 */
#include "cli.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* ---- memory and complaints ---- */

static void *take(void *ctx, size_t size, size_t align)
{
	(void)ctx;
	(void)align; /* malloc's is enough for every type of the library */
	return malloc(size);
}

static void give_back(void *ctx, void *mem, size_t size, size_t align)
{
	(void)ctx;
	(void)size;
	(void)align;
	free(mem);
}

const struct busway_allocator cli_memory = {take, give_back, NULL};

int complain(const char *format, ...)
{
	va_list arguments;

	flockfile(stderr); /* threads complain in whole lines */
	fputs("busway: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	funlockfile(stderr);
	return EXIT_BAD;
}

/* ---- names ---- */

const char *kind_name(enum busway_device_kind kind)
{
	static const char *const names[] = {
		[BUSWAY_DEVICE_PLATFORM] = "platform",
		[BUSWAY_DEVICE_PCIE_HOST] = "pcie-host",
		[BUSWAY_DEVICE_PCI_HOST] = "pci-host",
		[BUSWAY_DEVICE_PCIE_ENDPOINT] = "pcie-endpoint",
		[BUSWAY_DEVICE_PCI_FUNCTION] = "pci-function",
		[BUSWAY_DEVICE_IOMMU] = "iommu",
	};

	return names[kind];
}

const char *coherence_name(enum busway_coherence coherence)
{
	static const char *const names[] = {
		[BUSWAY_COHERENCE_DEFAULT] = "arch-default",
		[BUSWAY_COHERENT] = "coherent",
		[BUSWAY_NONCOHERENT] = "noncoherent",
	};

	return names[coherence];
}

const char *pool_type_name(enum busway_pool_type type)
{
	static const char *const names[] = {
		[BUSWAY_POOL_RESTRICTED] = "restricted",
		[BUSWAY_POOL_SHARED] = "shared",
		[BUSWAY_POOL_RESERVED] = "reserved",
	};

	return names[type];
}

const char *outbound_name(enum busway_outbound_kind kind)
{
	static const char *const names[] = {
		[BUSWAY_OUTBOUND_IO] = "io",
		[BUSWAY_OUTBOUND_MEM32] = "mem32",
		[BUSWAY_OUTBOUND_MEM64] = "mem64",
	};

	return names[kind];
}

const char *region_name(enum busway_region_kind kind)
{
	static const char *const names[] = {
		[BUSWAY_REGION_DOORBELL] = "doorbell", [BUSWAY_REGION_CARVEOUT] = "carve-out",
		[BUSWAY_REGION_APERTURE] = "aperture", [BUSWAY_REGION_RAM] = "ram",
		[BUSWAY_REGION_UNKNOWN] = "unknown",
	};

	return names[kind];
}

const char *iova_cause_name(enum busway_iova_cause cause)
{
	static const char *const names[] = {
		[BUSWAY_IOVA_NO_WINDOW] = "no-window",      [BUSWAY_IOVA_APERTURE] = "aperture",
		[BUSWAY_IOVA_RESERVED] = "iommu-addresses", [BUSWAY_IOVA_EMISSION] = "mask",
		[BUSWAY_IOVA_DOORBELL] = "doorbell",        [BUSWAY_IOVA_REPORTED] = "reported",
		[BUSWAY_IOVA_SYSTEM] = "reserved",
	};

	return names[cause];
}

const char *iommu_name(const struct busway_device *device)
{
	const struct busway_id_map *map = busway_device_iommu(device);

	return map ? map->controller : "an IOMMU";
}

/* ---- text ---- */

bool page_open(struct page *page, const struct options *options)
{
	*page = (struct page){.color = options->color};
	page->out = open_memstream(&page->text, &page->size);
	if (!page->out)
		complain("out of memory");
	return page->out;
}

int finish_output(int status)
{
	if (fflush(stdout) || ferror(stdout))
		return complain("standard output does not take the answer: %s", strerror(errno));
	return status;
}

static int print(const char *text, size_t size, int status)
{
	fwrite(text, 1, size, stdout);
	return finish_output(status);
}

int page_print(struct page *page, int status)
{
	if (fclose(page->out))
		status = complain("out of memory");
	else
		status = print(page->text, page->size, status);
	free(page->text);
	return status;
}

void put_safe(struct page *page, const char *text)
{
	for (; *text; text++)
		fputc((unsigned char)*text < 0x20 || (unsigned char)*text > 0x7e ? '?' : *text,
		      page->out);
}

void put_styled(struct page *page, enum style style, const char *format, ...)
{
	static const char *const codes[] = {
		[STYLE_PLAIN] = "",       [STYLE_BOLD] = "\033[1m", [STYLE_GOOD] = "\033[32m",
		[STYLE_BAD] = "\033[31m", [STYLE_DIM] = "\033[2m",
	};
	va_list arguments;

	if (page->color)
		fputs(codes[style], page->out);
	va_start(arguments, format);
	vfprintf(page->out, format, arguments);
	va_end(arguments);
	if (page->color && style != STYLE_PLAIN)
		fputs("\033[0m", page->out);
}

void size_text(char *text, size_t capacity, struct busway_range range)
{
	static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	const uint64_t bytes = busway_range_span(range) + 1;
	double value = bytes ? (double)bytes : 18446744073709551616.0;
	unsigned unit = 0;

	while (value >= 1024 && unit < 6) {
		value /= 1024;
		unit++;
	}
	/* never rounded up: what is not all of a GiB is not shown as one */
	if (value == (double)(uint64_t)value)
		snprintf(text, capacity, "%.0f %s", value, units[unit]);
	else
		snprintf(text, capacity, "%.2f %s", (double)(uint64_t)(value * 100) / 100,
			 units[unit]);
}

void put_size(struct page *page, struct busway_range range)
{
	char text[32];

	size_text(text, sizeof(text), range);
	fputs(text, page->out);
}

void put_range(struct page *page, struct busway_range range, int digits)
{
	fprintf(page->out, "0x%0*" PRIx64 "..0x%0*" PRIx64, digits, range.first, digits,
		range.last);
}

int digits_for(uint64_t address)
{
	int digits = 8;

	while (digits < 16 && address >> (digits * 4))
		digits++;
	return digits;
}

void put_refusal(struct page *page, const struct busway_refusal *refusal)
{
	char text[1024];

	busway_refusal_detail(refusal, text, sizeof(text));
	fprintf(page->out, "  %s: %s\n", busway_reason_code(refusal->reason), text);
	if (busway_refusal_advice(refusal, text, sizeof(text)))
		fprintf(page->out, "  would help: %s\n", text);
}

/* ---- JSON ---- */

json_t *json_hex(uint64_t value)
{
	return json_sprintf("0x%" PRIx64, value);
}

json_t *json_size(struct busway_range range)
{
	const uint64_t span = busway_range_span(range);

	return span == UINT64_MAX ? json_string("0x10000000000000000") : json_hex(span + 1);
}

/* Trees may hold any bytes: what is not UTF-8 is shown as '?'. */
json_t *json_text(const char *text)
{
	json_t *string = json_string(text);
	char *copy;

	if (string)
		return string;
	copy = strdup(text);
	if (!copy)
		return NULL;
	for (char *c = copy; *c; c++)
		if (*c & 0x80)
			*c = '?';
	string = json_string(copy);
	free(copy);
	return string;
}

json_t *json_refusal(const struct busway_refusal *refusal)
{
	char detail[1024], advice[1024];

	busway_refusal_detail(refusal, detail, sizeof(detail));
	busway_refusal_advice(refusal, advice, sizeof(advice));
	return json_pack("{s:s, s:o, s:o, s:o}", "code", busway_reason_code(refusal->reason), "hop",
			 refusal->hop ? json_text(refusal->hop) : json_null(), "detail",
			 json_text(detail), "advice", advice[0] ? json_text(advice) : json_null());
}

int json_print(json_t *root, int status)
{
	char *text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;

	json_decref(root);
	if (!text)
		return complain("out of memory");
	status = print(text, strlen(text), status);
	free(text);
	if (status != EXIT_BAD)
		status = print("\n", 1, status);
	return status;
}
