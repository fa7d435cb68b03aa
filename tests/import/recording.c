/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recording.c - see recording.h.
 */
#define _GNU_SOURCE
#include "recording.h"

#include <archive.h>
#include <archive_entry.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- files ---- */

void record(struct recording *r, const char *path, enum file_kind kind, const void *content,
	    size_t size)
{
	struct recorded *file;

	r->files = realloc(r->files, (r->count + 1) * sizeof(*r->files));
	assert_non_null(r->files);
	file = &r->files[r->count++];
	*file = (struct recorded){strdup(path), calloc(1, size + 1), size, kind};
	assert_non_null(file->path);
	assert_non_null(file->content);
	if (size)
		memcpy(file->content, content, size);
}

void record_text(struct recording *r, const char *path, const char *text)
{
	record(r, path, FILE_IS_REGULAR, text, strlen(text));
}

void record_link(struct recording *r, const char *path, const char *target)
{
	record(r, path, FILE_IS_LINK, target, strlen(target));
}

size_t record_without(struct recording *r, const char *path)
{
	size_t kept = 0, all = r->count;

	for (size_t i = 0; i < all; i++) {
		if (strncmp(r->files[i].path, path, strlen(path)) != 0) {
			r->files[kept++] = r->files[i];
			continue;
		}
		free(r->files[i].path);
		free(r->files[i].content);
	}
	r->count = kept;
	return all - kept;
}

void recording_free(struct recording *r)
{
	record_without(r, "");
	free(r->files);
	*r = (struct recording){0};
}

/* ---- functions ---- */

static void put16(uint8_t *config, unsigned at, unsigned value)
{
	config[at] = (uint8_t)value;
	config[at + 1] = (uint8_t)(value >> 8);
}

/* What both kinds begin with, and a PCI Express capability at 0x40 (PCIe 7.5.3). */
static void make_header(uint8_t *config, unsigned device, unsigned layout, unsigned pcie_type)
{
	memset(config, 0, CONFIG_ALL);
	put16(config, 0x00, 0x1234);
	put16(config, 0x02, device);
	put16(config, 0x04, 0x0006); /* memory, bus master */
	put16(config, 0x06, 0x0010); /* a list of capabilities */
	config[0x0e] = (uint8_t)layout;
	config[0x34] = 0x40;
	config[0x40] = 0x10;
	put16(config, 0x42, 0x0002 | pcie_type << 4);
}

void make_endpoint(uint8_t *config, uint32_t bar)
{
	make_header(config, 0x1111, 0, 0);
	config[0x0b] = 0x01;
	put16(config, 0x10, bar & 0xffff);
	put16(config, 0x12, bar >> 16);
}

void make_port(uint8_t *config, unsigned type, unsigned bus, unsigned secondary,
	       unsigned subordinate)
{
	make_header(config, 0x2222, 1, type);
	config[0x0b] = 0x06;
	config[0x0a] = 0x04;
	config[0x18] = (uint8_t)bus;
	config[0x19] = (uint8_t)secondary;
	config[0x1a] = (uint8_t)subordinate;
	put16(config, 0x20, 0xc000); /* 0xc0000000.. */
	put16(config, 0x22, 0xcff0);
	put16(config, 0x24, 0xfff0); /* closed */
}

void record_function(struct recording *r, const char *path, const uint8_t *config, size_t size)
{
	const char *name = strrchr(path, '/') + 1;
	const unsigned bar =
		config[0x0e] & 1 ? 0 : (unsigned)(config[0x12] << 16 | config[0x13] << 24);
	char file[2048], text[2048];

	snprintf(file, sizeof(file), "sys/bus/pci/devices/%s", name);
	snprintf(text, sizeof(text), "../../../devices/%s", path);
	record_link(r, file, text);
	snprintf(file, sizeof(file), "sys/devices/%s/config", path);
	record(r, file, FILE_IS_REGULAR, config, size);
	snprintf(file, sizeof(file), "sys/devices/%s/vendor", path);
	snprintf(text, sizeof(text), "0x%02x%02x\n", config[1], config[0]);
	record_text(r, file, text);
	snprintf(file, sizeof(file), "sys/devices/%s/dma_mask_bits", path);
	record_text(r, file, "48\n");
	snprintf(file, sizeof(file), "sys/devices/%s/resource", path);
	snprintf(text, sizeof(text), "0x%016x 0x%016x 0x%016x\n", bar, bar ? bar + 0xfff : 0,
		 bar ? 0x40200 : 0);
	for (unsigned i = 1; i < 13; i++)
		strcat(text, "0x0000000000000000 0x0000000000000000 0x0000000000000000\n");
	record_text(r, file, text);
}

void record_switch(struct recording *r)
{
	static const struct {
		const char *path;
		unsigned type, bus, secondary, subordinate; /* of a port */
		uint32_t bar;                               /* of an endpoint */
	} all[] = {
		{"pci0000:00/0000:00:01.0", 4, 0, 1, 4, 0},
		{"pci0000:00/0000:00:01.0/0000:01:00.0", 5, 1, 2, 4, 0},
		{"pci0000:00/0000:00:01.0/0000:01:00.0/0000:02:00.0", 6, 2, 3, 3, 0},
		{"pci0000:00/0000:00:01.0/0000:01:00.0/0000:02:00.0/0000:03:00.0", 0, 0, 0, 0,
		 0xc0000000},
		{"pci0000:00/0000:00:01.0/0000:01:00.0/0000:02:01.0", 6, 2, 4, 4, 0},
		{"pci0000:00/0000:00:01.0/0000:01:00.0/0000:02:01.0/0000:04:00.0", 0, 0, 0, 0,
		 0xc0100000},
		{"pci0000:00/0000:00:02.0", 4, 0, 5, 5, 0},
		{"pci0000:00/0000:00:02.0/0000:05:00.0", 0, 0, 0, 0, 0xc0200000},
	};
	uint8_t config[CONFIG_ALL];

	for (size_t i = 0; i < COUNT(all); i++) {
		if (all[i].type)
			make_port(config, all[i].type, all[i].bus, all[i].secondary,
				  all[i].subordinate);
		else
			make_endpoint(config, all[i].bar);
		record_function(r, all[i].path, config, sizeof(config));
	}
}

/* ---- forms ---- */

struct file_tree *recording_tree(const struct recording *r, const struct busway_allocator *memory)
{
	struct file_tree *tree = NULL;

	if (file_tree_in_memory(memory, &tree))
		return NULL;
	for (size_t i = 0; i < r->count; i++) {
		const struct recorded *file = &r->files[i];

		if (file_tree_add(tree, file->path, file->kind, file->content, file->size)) {
			file_tree_close(tree);
			return NULL;
		}
	}
	file_tree_seal(tree);
	return tree;
}

uint8_t *recording_archive(const struct recording *r, const char *filter, size_t *size)
{
	const size_t room = (size_t)64 << 20;
	uint8_t *bytes = malloc(room);
	struct archive *a = archive_write_new();

	assert_non_null(bytes);
	archive_write_set_format_pax_restricted(a);
	assert_int_equal(strcmp(filter, "none") == 0 ? archive_write_add_filter_none(a)
						     : archive_write_add_filter_by_name(a, filter),
			 ARCHIVE_OK);
	archive_write_set_bytes_in_last_block(a, 1);
	assert_int_equal(archive_write_open_memory(a, bytes, room, size), ARCHIVE_OK);
	for (size_t i = 0; i < r->count; i++) {
		const struct recorded *file = &r->files[i];
		struct archive_entry *entry = archive_entry_new();

		archive_entry_set_pathname(entry, file->path);
		archive_entry_set_perm(entry, 0644);
		archive_entry_set_filetype(entry, file->kind == FILE_IS_LINK        ? AE_IFLNK
						  : file->kind == FILE_IS_DIRECTORY ? AE_IFDIR
										    : AE_IFREG);
		if (file->kind == FILE_IS_LINK)
			archive_entry_set_symlink(entry, file->content);
		if (file->kind == FILE_IS_SAME)
			archive_entry_set_hardlink(entry, file->content);
		archive_entry_set_size(entry,
				       file->kind == FILE_IS_REGULAR ? (la_int64_t)file->size : 0);
		assert_int_equal(archive_write_header(a, entry), ARCHIVE_OK);
		if (file->kind == FILE_IS_REGULAR)
			assert_int_equal(archive_write_data(a, file->content, file->size),
					 file->size);
		archive_entry_free(entry);
	}
	assert_int_equal(archive_write_close(a), ARCHIVE_OK);
	archive_write_free(a);
	return realloc(bytes, *size);
}

static void make_folders(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		(void)mkdir(path, 0755);
		*slash = '/';
	}
}

void recording_directory(const struct recording *r, char path[64])
{
	strcpy(path, "/tmp/busway-test-XXXXXX");
	assert_non_null(mkdtemp(path));
	for (size_t i = 0; i < r->count; i++) {
		const struct recorded *file = &r->files[i];
		char whole[8192], target[8192];
		FILE *out;

		snprintf(whole, sizeof(whole), "%s/%s", path, file->path);
		make_folders(whole);
		switch (file->kind) {
		case FILE_IS_DIRECTORY:
			(void)mkdir(whole, 0755);
			break;
		case FILE_IS_LINK:
			assert_int_equal(symlink(file->content, whole), 0);
			break;
		case FILE_IS_SAME:
			snprintf(target, sizeof(target), "%s/%s", path, file->content);
			assert_int_equal(link(target, whole), 0);
			break;
		case FILE_IS_REGULAR:
			out = fopen(whole, "wb");
			assert_non_null(out);
			assert_int_equal(fwrite(file->content, 1, file->size, out), file->size);
			assert_int_equal(fclose(out), 0);
			break;
		}
	}
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

void directory_remove(const char *path)
{
	assert_int_equal(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* ---- machines ---- */

int read_recording(const struct recording *r, struct test_memory *memory,
		   struct busway_system **machine, struct busway_system_error *error)
{
	struct file_tree *tree = recording_tree(r, &memory->allocator);

	*error = (struct busway_system_error){0};
	return tree ? read_machine(tree, &memory->allocator, machine, error) : -BUSWAY_ENOMEM;
}

static busway_pci_id id_at(const struct busway_system *machine, const char *name)
{
	struct busway_pci_address at;
	busway_pci_id id;

	assert_true(parse_pci_address(name, &at));
	id = busway_pci_find(busway_system_pci(machine), at);
	if (!busway_pci_some(id))
		fail_msg("there is no %s", name);
	return id;
}

const struct busway_pci_function *function_at(const struct busway_system *machine,
					      const char *name)
{
	return busway_pci_function(busway_system_pci(machine), id_at(machine, name));
}

const char *above_of(const struct busway_system *machine, const char *name)
{
	const struct busway_pci *pci = busway_system_pci(machine);
	const busway_pci_id above = busway_pci_above(pci, id_at(machine, name));

	return busway_pci_some(above) ? busway_pci_name(pci, above) : "";
}

bool has_gap(const struct busway_system *machine, const char *file, const char *words)
{
	size_t count;
	const struct busway_system_gap *gaps = busway_system_gaps(machine, &count);

	for (size_t i = 0; i < count; i++) {
		const size_t length = strlen(gaps[i].file);

		if (length >= strlen(file) &&
		    strcmp(gaps[i].file + length - strlen(file), file) == 0 &&
		    strstr(gaps[i].message, words))
			return true;
	}
	return false;
}
