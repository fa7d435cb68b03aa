/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cli.h - what the parts of the command share.
 *
 *   main.c      the list of commands
 *   options*.c  command lines: see options.h
 *   numbers.c   addresses, sizes and ranges as people write them
 *   load.c      a platform from a file
 *   device.c    a device by name
 *   function.c  a PCI function by name
 *   output.c    text, colours and JSON
 *   answer.c    what is asked about one device
 *   bounce.c    the address in a restricted pool
 *   domain_text.c   what is mapped in a domain
 *   show*.c, why.c, map.c, alloc.c, bench.c   one command each
 *   acpi/       show of an ACPI table: see acpi/acpi.h
 *   check/      busway check: see check/check.h
 *   iova/       show --iova: see iova/iova.h
 *   p2p/        busway p2p: see p2p/p2p.h
 *   sim/        busway sim: see sim/sim.h
 *   picture/    show --format svg: see picture/svg.h
 *
 * A command builds its whole answer before it prints any of it: bad input leaves standard output
 * empty.
 */
#ifndef BUSWAY_CLI_H
#define BUSWAY_CLI_H

#include <busway/acpi.h>
#include <busway/busway.h>
#include <busway/fdt.h>
#include <busway/system.h>

#include <jansson.h>
#include <stdio.h>

enum exit_status { EXIT_YES = 0, EXIT_NO = 1, EXIT_BAD = 2 };

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_SARIF, FORMAT_SVG, FORMAT_DOT };

enum cpu { CPU_UNSAID, CPU_ZEN, CPU_OTHER };

enum fail_on { FAIL_ON_NOTE, FAIL_ON_WARNING, FAIL_ON_ERROR, FAIL_ON_NEVER };

struct options {
	enum format format;
	unsigned mask, coherent_mask; /* bits */
	bool has_coherent_mask;
	bool all, quiet, bypass_iommu, own, iova;
	bool groups; /* p2p */
	int verbose;
	bool color;
	enum busway_access access;
	uint64_t align, max_segment, boundary;
	uint32_t max_segments;
	unsigned long count;                 /* bench, sim; 0: not given */
	uint64_t seed, pool, min_align;      /* sim */
	const char *script;                  /* sim; NULL: random */
	struct busway_phys_range memory[16]; /* sim */
	int memory_count;
	bool coherent_default; /* sim */
	bool deferred;         /* sim: invalidations */
	bool linux_view;       /* p2p */
	bool trust_unknown;    /* p2p: root complexes */
	bool hosts;            /* p2p: list known ones */
	enum cpu cpu;          /* p2p */
	enum fail_on fail_on;  /* check */
	const char *explain;
	unsigned jobs;            /* 0: as many as processors */
	const char *suppress[64]; /* CODE or CODE:NODE */
	int suppress_count;
	const char *suppressions; /* a file of such, or NULL */
	const char *reports[8];   /* show --iova: [NAME=]RANGES */
	char **arguments;         /* what is not an option: PLATFORM first */
	int argument_count, report_count;
};

struct command {
	const char *name;
	const char *arguments, *summary, *help;
	const char *statuses;             /* what its exit status means; NULL: the usual */
	int min_arguments, max_arguments; /* max -1: any number */
	int (*run)(const struct options *options);
};

extern const struct command command_show, command_why, command_map, command_alloc, command_check,
	command_p2p, command_sim, command_bench;

/* The memory that the command hands to the library: malloc. */
extern const struct busway_allocator cli_memory;

/* Complain on standard error, as "busway: ..." in one line. Returns EXIT_BAD. */
int complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- options.c ---- */

/* Parse what follows the command's name; options of other commands are refused. Returns false after
 * a complaint or --help: see *status. */
bool parse_options(const struct command *command, int argc, char **argv, struct options *options,
		   int *status);

int print_help(const struct command *command);
int print_version(void);

/* ---- suppress.c ---- */

/* Is it CODE or CODE:NODE, where NODE is a path with *, ? and [...]? */
bool is_suppression(const char *text);

/* ---- numbers.c ---- */

bool parse_number(const char *text, uint64_t *value);

/* What to add to a complaint about a number or a range: a remark on a leading 0, or "". */
const char *number_hint(const char *text);

/* ADDR+LEN or FIRST-LAST; and, where @single, ADDR alone as one byte. */
bool parse_range(const char *text, bool single, struct busway_range *range);

/* ---- load.c ---- */

struct loaded {
	struct busway_platform *platform; /* of a machine: the machine's */
	struct busway_system *machine;    /* NULL: a device tree */
	struct busway_acpi *acpi;         /* an ACPI table by itself; nothing else is set then */
	const void *blob;   /* the device tree, or NULL; of a machine: the machine's */
	size_t size;        /* of the blob */
	const char *source; /* as the user wrote it; "standard input" for "-" */
};

/* A device tree is not imported: .blob only. */
#define LOAD_TREE_AS_IT_IS 0x80000000U

/* Load @source; complains and returns false where that fails. @flags as busway_fdt_import(). */
bool load(const char *source, unsigned flags, struct loaded *loaded);

/* The same, and an ACPI table by itself is taken as well: see .acpi. */
bool load_any(const char *source, unsigned flags, struct loaded *loaded);
void unload(struct loaded *loaded);

/* The flattened tree that @source is or compiles to; free() it. Complains and returns NULL where
 * that fails. Threads: any number. */
void *read_tree(const char *source, size_t *size);

/* Where @source is a device-tree source: the same tree as a text of dtc's, one node or property a
 * line, with the file and the line that it comes from behind it. free() it. NULL where there is no
 * such text. Threads: any number.
 */
char *read_places(const char *source);

void complain_of_tree(const char *source, const struct busway_fdt_error *e);

/* Read all of @path ("-" is standard input); complains and returns NULL where that fails. */
void *read_file(const char *path, size_t *size);

/* ---- device.c ---- */

/* Find the device that the user means; complains and returns false if it is not one device. */
bool find_device(const struct loaded *loaded, const char *name, const struct options *options,
		 busway_device_id *device);

/* Split DEVICE[,DEVICE...] where names may have commas in them; -1 after a complaint. */
int find_devices(const struct loaded *loaded, const char *list, const struct options *options,
		 busway_device_id *devices, int capacity);

/* What @device can emit under the mask of the command line. */
struct busway_emission emission_for(const struct loaded *loaded, busway_device_id device,
				    unsigned mask_bits);

/* Give @device the segment limits of its driver, as the command line states them. */
void limit_segments(const struct loaded *loaded, busway_device_id device,
		    const struct options *options);

/* ---- function.c ---- */

/* Find the PCI function of a machine that the user means; complains and returns false if it is not
 * one. */
bool find_pci_function(const struct loaded *loaded, const char *name, busway_pci_id *id);

/* The function of a machine that the device @id is; NULL: it is none. */
const struct busway_pci_function *function_of_device(const struct loaded *loaded,
						     busway_device_id id);

/* Has the machine's kernel put both into one IOMMU group? That shares a domain. */
bool share_iommu_group(const struct loaded *loaded, busway_device_id a, busway_device_id b);

/* How many functions of a machine @name fits: an address, or its end behind a ':'. */
size_t pci_function_hits(const struct loaded *loaded, const char *name);

/* ---- output.c ---- */

const char *kind_name(enum busway_device_kind kind);
const char *coherence_name(enum busway_coherence coherence);
const char *pool_type_name(enum busway_pool_type type);
const char *outbound_name(enum busway_outbound_kind kind);
const char *iova_cause_name(enum busway_iova_cause cause);
const char *region_name(enum busway_region_kind kind);

/* The IOMMU that translates a device, or "an IOMMU". */
const char *iommu_name(const struct busway_device *device);

/* Nothing says whether an IOMMU translates what it emits: it is taken for translated. */
bool iommu_is_unknown(const struct loaded *loaded, const struct busway_device *device);

/* Text goes into a buffer first. */
struct page {
	FILE *out;
	char *text;
	size_t size;
	bool color;
};

bool page_open(struct page *page, const struct options *options);

/* Was all that was printed taken? Returns @status, or EXIT_BAD after a complaint. */
int finish_output(int status);

/* Print what was written. Returns @status, or EXIT_BAD where standard output does not take it. */
int page_print(struct page *page, int status);

enum style { STYLE_PLAIN, STYLE_BOLD, STYLE_GOOD, STYLE_BAD, STYLE_DIM };

void put_styled(struct page *page, enum style style, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Text from a tree: what is no plain character does not reach the terminal. */
void put_safe(struct page *page, const char *text);

/* "1.5 GiB" for a range; for people only. */
void size_text(char *text, size_t capacity, struct busway_range range);
void put_size(struct page *page, struct busway_range range);

/* "0x000080000000..0x0000bfffffff" with at least @digits digits. */
void put_range(struct page *page, struct busway_range range, int digits);

/* How many hex digits the greatest address of @range needs, at least 8. */
int digits_for(uint64_t address);

json_t *json_hex(uint64_t value);
json_t *json_size(struct busway_range range);
json_t *json_text(const char *text);
json_t *json_refusal(const struct busway_refusal *refusal);

/* Print @root and give it back. Returns @status, or EXIT_BAD. */
int json_print(json_t *root, int status);

void put_refusal(struct page *page, const struct busway_refusal *refusal);

/* ---- peer.c ---- */

/* Whose memory something would have gone to. */
struct peer {
	const char *initiator, *target;
	unsigned bar; /* of the target */
};

/* Is @range memory of another function than @device, of the same machine? @by_cpu: as the CPU
 * finds it; else bus addresses. */
bool find_peer(const struct loaded *loaded, const struct busway_device *device,
	       struct busway_range range, bool by_cpu, struct peer *peer);
void put_peer(struct page *page, const struct loaded *loaded, const struct peer *peer);

/* ---- answer.c ---- */

/* What a device reaches under a mask, to be destroyed; complains and returns NULL on failure. */
struct busway_reach *make_reach(const struct loaded *loaded, busway_device_id id,
				unsigned mask_bits);

/* All that is asked of one device at once. */
struct answer {
	busway_device_id id;
	const struct busway_device *device;
	struct busway_piece *windows;
	size_t window_count;
	struct busway_reach *reach;
	struct busway_reach *coherent_reach; /* NULL: no mask of its own was given */
	struct busway_iova iova;             /* of a device behind an IOMMU */
	struct busway_intervals missed;      /* usable memory that it does not reach */
};

int answer_make(const struct loaded *loaded, busway_device_id id, const struct options *options,
		struct answer *answer);
void answer_free(struct answer *answer);

/* Why no window of a restricted device leads anywhere: a code, or NULL where some does. */
const char *answer_error(const struct answer *answer);

/* ---- front.c ---- */

/* The PCI function that a device is behind, if what the device emits comes out of the function as
 * it is: then the limits of the one are those of the other. False: there is none. */
bool function_in_front(const struct loaded *loaded, busway_device_id id,
		       busway_device_id *function);

/* ---- bounce.c ---- */

/*
 * The address in its restricted pool by which a device would be handed @phys. 0; -BUSWAY_ERANGE:
 * @why the pool does not serve; -BUSWAY_EINVAL: it has none with a place, or @phys is no memory;
 * -BUSWAY_ENOMEM.
 */
int bounce_address(const struct loaded *loaded, busway_device_id id, const struct options *options,
		   struct busway_range phys, struct busway_dma_range *out,
		   struct busway_refusal *why);

/* ---- domain_text.c ---- */

/* What is mapped in a domain (at most @lines runs), its tables level by level, and its IOVAs. No
 * other call may be at work in the domain. */
void put_domain(struct page *page, const struct busway_domain *domain, size_t lines);

/* ---- show_machine.c ---- */

/* platform.iommus, platform.reserved and platform.gaps of a machine. */
json_t *machine_iommus_json(const struct loaded *loaded);
json_t *machine_gaps_json(const struct loaded *loaded);
json_t *machine_reserved_json(const struct loaded *loaded);

/* What a machine's kernel says of the function that the device @id is, if it is one. */
void add_function_json(const struct loaded *loaded, busway_device_id id, json_t *object);

/* ---- show_json.c, show_text.c ---- */

/* The whole document, or NULL after a complaint. */
json_t *show_document(const struct loaded *loaded, const struct options *options,
		      const busway_device_id *devices, size_t count);
json_t *iova_json(const struct busway_iova *iova);
int show_json(const struct loaded *loaded, const struct options *options,
	      const busway_device_id *devices, size_t count);
int show_text(const struct loaded *loaded, const struct options *options,
	      const busway_device_id *devices, size_t count, bool one);

#endif
