/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench.h - workloads of `busway bench`, and what they have in common.
 *
 *   bench.c            chooses, runs in rounds, prints
 *   list.c             the list of workloads
 *   import.c           G: load, validate, index and answer whole trees
 *   lookup.c           reach, resolve and D: look up one address
 *   map.c              map, list and owner: the DMA API where nothing bounces
 *   bounce.c           E1, E4: the same where everything bounces
 *   slots.c            E3: slots of a pool that is partly taken
 *   iova.c             A1 to A10: allocating IOVAs
 *   iova_kinds.c       by what
 *   pagetable.c        B1 to B7: page tables of an IOMMU
 *   pagetable_fill.c   B8, B9: whole page tables, and look-ups in them
 *   plain_table.c      what those are measured against
 *   domain.c           domain: IOVAs and page tables, and the DMA API through them
 *   translate.c        C1 to C4: device addresses of buffers
 *   translate_kinds.c  by what
 *   p2p.c              p2p: verdicts for pairs of PCI functions
 *   tree.c             trees of a size
 *   windows.c          a device behind windows
 *   pool.c             a device that bounces
 *   tables.c           memory for page tables
 */
#ifndef BUSWAY_BENCH_H
#define BUSWAY_BENCH_H

#include "../cli.h"

#include <busway/mapping.h>
#include <busway/pagetable.h>

struct workload {
	char name[48];
	const char *what;
	const char *reference; /* name of the workload that it is compared with; NULL: none */
	unsigned long batch;   /* operations in one call of .run */
	void (*run)(void *state, unsigned long operations);
	void *state;
	/* may be NULL: once, if the workload is chosen (false: out of memory); and off the clock,
	 * before each call of .run */
	bool (*prepare)(void *state);
	void (*before)(void *state);
};

enum { WORKLOADS_MAX = 1024 };

struct workloads {
	struct workload list[WORKLOADS_MAX];
	unsigned count;
};

struct workload *add_workload(struct workloads *workloads, const char *name, const char *what,
			      const char *reference, void (*run)(void *, unsigned long),
			      void *state, unsigned long batch);

/* So that the compiler cannot leave out what is measured. */
extern volatile uint64_t bench_sink;

/* Add the workloads of a file. False: out of memory, or trees that cannot be read (complains). */
bool add_import_workloads(struct workloads *workloads, char *const *files, size_t file_count);
bool add_lookup_workloads(struct workloads *workloads);
bool add_map_workloads(struct workloads *workloads);
bool add_bounce_workloads(struct workloads *workloads);
bool add_slot_workloads(struct workloads *workloads);
bool add_domain_workloads(struct workloads *workloads);
bool add_pagetable_workloads(struct workloads *workloads);
bool add_translate_workloads(struct workloads *workloads);
bool add_iova_workloads(struct workloads *workloads);
bool add_pagetable_fill_workloads(struct workloads *workloads);
bool add_p2p_workloads(struct workloads *workloads);

/* A tree of about 120 bytes a block, from malloc; NULL: out of memory. */
void *bench_tree(unsigned blocks, size_t *size);

/* ---- a device behind windows (windows.c) ---- */

enum { BENCH_PAGES = 4096, BENCH_WINDOWS = 64 };

/* An entry of the table that kernels walk. */
struct table_entry {
	uint64_t cpu, dma, size;
};

struct bench_windows {
	struct busway_platform *platform;
	busway_device_id device;
	struct table_entry table[BENCH_WINDOWS];
	unsigned table_count;
	uint64_t phys[BENCH_PAGES], dma[BENCH_PAGES]; /* first bytes of pages, two by two */
};

/* Behind @windows of them; 0: on the CPU's own bus. False: out of memory. */
bool bench_windows_make(struct bench_windows *bench, unsigned windows);

/* ---- a device that bounces (pool.c) ---- */

#define BENCH_POOL_SIZE ((uint64_t)64 << 20)
#define BENCH_OWN_SIZE  ((uint64_t)256 << 20) /* the driver's memory, */
#define BENCH_OWN_PHYS  ((uint64_t)4 << 30)   /* and where it begins */

enum { BENCH_LANES = 2 };

struct bench_pool {
	struct busway_dma *dma;
	struct busway_lane *lane[BENCH_LANES];
};

/* A device and a pool of its own. False: out of memory. */
bool bench_pool_make(uint32_t areas, uint32_t lanes, struct bench_pool *pool);

/* Memory for page tables, each as large as it is aligned; physical addresses are pointers. */
extern const struct busway_table_memory bench_tables;
void *bench_take_table(size_t size);

/* The bytes of every pool, and of the driver's memory. */
unsigned char *bench_slot_bytes(void);
unsigned char *bench_own_bytes(void);

/* The reference where nothing is copied: a lock that nobody else wants. */
void bench_run_lock(void *state, unsigned long operations);

/* splitmix64, as in the published workloads. */
static inline uint64_t bench_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

#endif
