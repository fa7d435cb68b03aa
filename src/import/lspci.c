/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lspci.c - a text dump of `lspci -xxxx`, with -v or without.
 *
 *	0000:03:00.0 PCI bridge: Texas Instruments XIO3130 ...
 *	00: 4c 10 33 82 07 01 10 00 02 00 04 06 08 00 01 00
 *	10: ...
 *
 * libpci's dump back-end reads the registers. It says no lines when something is wrong, cuts long
 * lines, takes rows that leave registers out, and writes outside of its memory where the number of
 * a row is negative as an int. So every line is looked at first, and it is only given those that
 * count, in a file without a name.
 */
#define _GNU_SOURCE
#include "lspci.h"

#include <ctype.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <pci/pci.h>

enum { CONFIG_MOST = 4096, FUNCTIONS_MOST = 1 << 17, ROW_SIZE = 80 };

struct lspci {
	struct busway_system *machine;
	struct busway_system_error *error;
	const char *at, *end; /* what has not been looked at */
	unsigned long line;
	FILE *clean; /* what libpci gets */
	size_t functions, rows;
	bool inside;   /* lines of a function; blank ones end it */
	unsigned next; /* the register that its next row begins with */
};

/* ---- lines ---- */

static int bad_line(struct lspci *l, const char *message)
{
	char place[32];

	snprintf(place, sizeof(place), "line %lu", l->line);
	return system_error(l->error, place, message);
}

/* The line at @l->at, without its end; false: there is none. */
static bool next_line(struct lspci *l, const char **line, size_t *length)
{
	const char *newline;

	if (l->at == l->end)
		return false;
	newline = memchr(l->at, '\n', (size_t)(l->end - l->at));
	*line = l->at;
	*length = (size_t)((newline ? newline : l->end) - l->at);
	l->at = newline ? newline + 1 : l->end;
	if (*length && (*line)[*length - 1] == '\r')
		--*length;
	l->line++;
	return true;
}

static bool is_hex(char c)
{
	return isxdigit((unsigned char)c) != 0;
}

static size_t hex_digits(const char *text, size_t length)
{
	size_t count = 0;

	while (count < length && is_hex(text[count]))
		count++;
	return count;
}

/* Does the line begin with an address, "03:00.0 " or "0000:03:00.0 "? How long that is, or 0. */
static size_t address_length(const char *line, size_t length)
{
	size_t digits = hex_digits(line, length), at = 0;

	if (digits > 2 && digits <= 8 && digits < length && line[digits] == ':') {
		at = digits + 1;
		digits = hex_digits(line + at, length - at);
	}
	/* BB:DD.F and a blank or the end */
	if (digits != 2 || length - at < 7 || line[at + 2] != ':' ||
	    hex_digits(line + at + 3, 2) != 2 || line[at + 5] != '.' || !is_hex(line[at + 6]) ||
	    (length - at > 7 && line[at + 7] != ' ' && line[at + 7] != '\t'))
		return 0;
	return at + 7;
}

static int take_address(struct lspci *l, const char *line, size_t length)
{
	char text[BUSWAY_PCI_NAME_SIZE + 8];
	struct busway_pci_address at;

	snprintf(text, sizeof(text), "%s%.*s", length == 7 ? "0000:" : "", (int)length, line);
	if (!parse_pci_address(text, &at))
		return bad_line(l, "is no PCI address: devices go up to 1f, functions to 7");
	if (at.domain > 0xfffff)
		return bad_line(l, "libpci reads domains of up to five digits only");
	if (l->functions++ == FUNCTIONS_MOST)
		return bad_line(l, "more than 131072 functions");
	l->inside = true;
	l->next = 0;
	busway_pci_address_text(at, text);
	fprintf(l->clean, "%s \n", text);
	return 0;
}

/* Does the line begin with the number of a register, "00: "? How many digits that has, or 0. */
static size_t row_digits(const char *line, size_t length)
{
	const size_t digits = hex_digits(line, length);

	return digits >= 2 && digits <= 8 && length > digits && line[digits] == ':' &&
			       (length == digits + 1 || line[digits + 1] == ' ')
		       ? digits
		       : 0;
}

static int take_row(struct lspci *l, const char *line, size_t length, size_t digits)
{
	char row[ROW_SIZE] = "";
	size_t at = digits + 1;

	while (length && line[length - 1] == ' ')
		length--;
	if (!l->inside)
		return bad_line(l, "registers of no function");
	if (length >= sizeof(row))
		return bad_line(l, "too long for 16 registers");
	memcpy(row, line, length);
	row[length] = 0;
	if (strtoul(row, NULL, 16) != l->next)
		return bad_line(l, "registers in front of these are missing, or come twice");
	for (; at < length; at += 3) {
		if (row[at] != ' ' || length - at < 3 || hex_digits(row + at + 1, 3) != 2)
			return bad_line(l, "ends or goes on where two hexadecimal digits belong");
		l->next++;
	}
	if (l->next > CONFIG_MOST)
		return bad_line(l, "more than 4096 bytes of configuration space");
	l->rows++;
	fprintf(l->clean, "%s\n", row);
	return 0;
}

static int take_line(struct lspci *l, const char *line, size_t length)
{
	const size_t address = address_length(line, length);
	const size_t digits = address ? 0 : row_digits(line, length);

	if (address)
		return take_address(l, line, address);
	if (digits)
		return take_row(l, line, length, digits);
	if (length == 0) {
		l->inside = false;
		fputc('\n', l->clean);
	}
	return 0; /* words of -v */
}

static int clean(struct lspci *l)
{
	const char *line;
	size_t length;
	int status = 0;

	while (!status && next_line(l, &line, &length))
		status = take_line(l, line, length);
	if (status)
		return status;
	if (!l->functions)
		return system_error(l->error, "dump", "no line of it begins with a PCI address");
	if (!l->rows)
		return system_error(l->error, "dump",
				    "no registers in it: lspci -xxxx writes them, as root all");
	return fflush(l->clean) || ferror(l->clean) ? -BUSWAY_ENOMEM : 0;
}

bool looks_like_lspci(const char *data, size_t size)
{
	struct lspci l = {.at = data, .end = data + size};
	const char *line;
	size_t length;

	/* the first line that is not blank has to be one of a function */
	while (next_line(&l, &line, &length))
		if (length)
			return address_length(line, length) != 0;
	return false;
}

/* ---- libpci ---- */

/* Where its errors go: it wants a function that does not return. */
struct landing {
	jmp_buf place;
	char message[128];
};

static _Thread_local struct landing *landing;

static void PCI_NONRET land(char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(landing->message, sizeof(landing->message), format, arguments);
	va_end(arguments);
	longjmp(landing->place, 1); /* NOLINT(cert-err52-cpp): nothing else leaves it */
}

static void ignore(char *format, ...) /* NOLINT(readability-non-const-parameter): libpci's type */
{
	(void)format;
}

/* How much of its configuration space is there. */
static size_t config_of(struct pci_dev *dev, uint8_t config[CONFIG_MOST])
{
	int low = 0, high = CONFIG_MOST;

	while (low < high) {
		const int middle = low + (high - low + 1) / 2;

		if (pci_read_block(dev, 0, config, middle))
			low = middle;
		else
			high = middle - 1;
	}
	return low && pci_read_block(dev, 0, config, low) ? (size_t)low : 0;
}

/* What there can be of a configuration space: CardBus bridges let everybody read 128 bytes. */
static bool is_whole(size_t size)
{
	return size == 64 || size == 128 || size == 256 || size == CONFIG_MOST;
}

static int add_device(struct lspci *l, struct pci_dev *dev)
{
	struct busway_pci_function f = {
		.at = {(uint32_t)dev->domain, dev->bus, (uint8_t)(dev->dev << 3 | dev->func)},
	};
	uint8_t config[CONFIG_MOST];
	const size_t size = config_of(dev, config);
	char name[BUSWAY_PCI_NAME_SIZE];
	const char *gap = NULL;
	int status;

	busway_pci_address_text(f.at, name);
	if (busway_pci_read_config(config, size, &f))
		gap = size < 64 ? "less than 64 bytes of configuration space"
				: "nothing answered: all ones";
	else if (!is_whole(size))
		gap = "its registers end too early: the dump was cut, and functions may be "
		      "missing";
	else if (size < 256)
		gap = "only the first bytes of its configuration space: ACS and other "
		      "capabilities are unknown";
	status = gap ? note_gap(l->machine, name, gap) : 0;
	return status ? status : busway_pci_add_function(l->machine->pci, &f);
}

/* libpci has the functions in the opposite order: of two with one address the first one counts. */
static int add_devices(struct lspci *l, struct pci_access *access)
{
	struct place {
		struct pci_dev *dev;
	} *order = arena_take(&l->machine->arena, (l->functions + 1) * sizeof(*order),
			      _Alignof(struct place));
	size_t count = 0;
	int status = 0;

	if (!order)
		return -BUSWAY_ENOMEM;
	for (struct pci_dev *dev = access->devices; dev && count < l->functions; dev = dev->next)
		order[count++].dev = dev;
	while (!status && count)
		status = add_device(l, order[--count].dev);
	return status;
}

/* Its errors lead back to here, once: nothing that changes in between is used afterwards. */
static int init_access(struct pci_access *access, const char *name, struct landing *here)
{
	char parameter[] = "dump.name", value[64];

	snprintf(value, sizeof(value), "%s", name);
	landing = here;
	if (setjmp(here->place)) /* NOLINT(cert-err52-cpp): it knows no other way */
		return -BUSWAY_EINVAL;
	access->method = PCI_ACCESS_DUMP;
	access->error = land;
	access->warning = ignore;
	access->debug = ignore;
	if (pci_set_param(access, parameter, value))
		return -BUSWAY_EINVAL;
	pci_init(access);
	return 0;
}

static int read_by_libpci(struct lspci *l)
{
	struct landing here = {.message = "cannot read it"};
	struct pci_access *access = pci_alloc();
	char name[64];
	int status;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fileno(l->clean));
	status = init_access(access, name, &here);
	landing = NULL;
	if (status)
		status = system_error(l->error, "libpci", here.message);
	else
		status = add_devices(l, access);
	pci_cleanup(access);
	return status;
}

static FILE *nameless_file(void)
{
	const int fd = memfd_create("busway-lspci", MFD_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w+");

	if (fd >= 0 && !file)
		close(fd);
	return file;
}

int read_lspci(struct busway_system *machine, const void *data, size_t size,
	       struct busway_system_error *error)
{
	struct lspci l = {
		.machine = machine,
		.error = error,
		.at = data,
		.end = (const char *)data + size,
		.clean = nameless_file(),
	};
	int status;

	if (!l.clean)
		return system_error(error, "memfd", strerror(errno));
	status = clean(&l);
	if (!status)
		status = read_by_libpci(&l);
	fclose(l.clean);
	return status;
}
