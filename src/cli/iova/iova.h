/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iova.h - what the parts of "busway show --iova" share.
 *
 *   show_iova.c   the command
 *   groups.c      which devices share a domain, and which IOVAs all of them can use
 *   reports.c     what somebody else allows: --reported
 *   parts.c       the whole space, cut where something begins or ends
 *   iova_text.c, iova_json.c   the answer; ../picture/svg_iova.c draws it
 */
#ifndef BUSWAY_CLI_IOVA_H
#define BUSWAY_CLI_IOVA_H

#include "../cli.h"

/* ---- reports.c ---- */

/* Is it [NAME=]RANGE[,RANGE...], in ascending order? Complains where not. */
bool is_report(const char *text);

/* All reports of the command line, to be given back by free_reports(). False after a complaint. */
struct reports {
	struct busway_iova_report *list;
	size_t count;
};

bool read_reports(const struct options *options, struct reports *reports);
void free_reports(struct reports *reports);

/* ---- groups.c ---- */

/* Devices that share a domain. */
struct iova_group {
	busway_device_id *devices;
	size_t count;
	size_t named; /* the first so many were asked for; the others share a stream with them */
	struct busway_iova iova;
};

struct iova_groups {
	struct iova_group *list;
	size_t count;
	struct reports reports; /* which what is removed may name */
};

/* The devices that @list names, and those that share a stream with one of them. NULL: all devices
 * behind IOMMUs, by the streams that they share. False after a complaint. */
bool make_groups(const struct loaded *loaded, const struct options *options, const char *list,
		 struct iova_groups *groups);
void free_groups(struct iova_groups *groups);

/* ---- parts.c ---- */

/* Addresses that are usable, or that the same causes take away. */
struct iova_part {
	struct busway_range range;
	unsigned causes; /* bit n: enum busway_iova_cause n; 0: they can be used */
};

/* From 0 to 2^64-1, without gaps; free() it. NULL after a complaint. */
struct iova_part *make_parts(const struct busway_iova *iova, size_t *count);

/* "no-window, aperture", or "". */
void causes_text(unsigned causes, char *text, size_t capacity);

/* "no window of /pcie forwards it": a sentence about who took a range away. */
void removed_text(const struct busway_iova_removed *removed, char *text, size_t capacity);

/* How much can be used, as the range 0..bytes-1. False: nothing. */
bool usable_size(const struct busway_iova *iova, struct busway_range *size);

/* ---- iova_text.c, iova_json.c ---- */

int iova_text(const struct loaded *loaded, const struct options *options,
	      const struct iova_groups *groups);

/* A list of groups, for the key "groups" of busway-show/1. */
json_t *iova_groups_json(const struct loaded *loaded, const struct iova_groups *groups);

/* ---- ../picture/svg_iova.c ---- */

int show_iova_svg(const struct loaded *loaded, const struct iova_groups *groups);

/* ---- show_iova.c ---- */

int show_iova(const struct options *options);

#endif
