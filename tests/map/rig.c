/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rig.c - see rig.h.
 */
#include "rig.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE = 4096 };

static bool inside(struct busway_range r)
{
	return r.first >= RIG_BASE && r.last < RIG_BASE + RIG_SIZE;
}

static void *pointer(void *ctx, struct busway_phys_range range)
{
	struct rig *rig = ctx;
	const struct busway_range r = busway_phys_raw(range);

	if (!inside(r) || rig->blind[(r.first - RIG_BASE) / PAGE])
		return NULL;
	return rig->cached + (r.first - RIG_BASE);
}

static void *uncached(void *ctx, struct busway_phys_range range)
{
	struct rig *rig = ctx;

	return inside(busway_phys_raw(range)) ? rig->memory + (range.first.raw - RIG_BASE) : NULL;
}

/* From the first byte of the first line to the last one of the last. */
static void copy_lines(struct rig *rig, const void *at, size_t size, bool clean)
{
	const size_t first = (size_t)((const unsigned char *)at - rig->cached);
	const size_t start = first / RIG_LINE * RIG_LINE;
	const size_t end = (first + size + RIG_LINE - 1) / RIG_LINE * RIG_LINE;

	assert_true(size > 0 && end <= RIG_SIZE);
	if (clean)
		memcpy(rig->memory + start, rig->cached + start, end - start);
	else
		memcpy(rig->cached + start, rig->memory + start, end - start);
}

static void clean(void *ctx, void *at, size_t size)
{
	copy_lines(ctx, at, size, true);
}

static void invalidate(void *ctx, void *at, size_t size)
{
	copy_lines(ctx, at, size, false);
}

static int more(void *ctx, uint64_t size, uint64_t align, const struct busway_range *within,
		size_t count, busway_phys_t *phys)
{
	struct rig *rig = ctx;
	uint64_t at;

	if (size > rig->more_left || !busway_align_up(rig->more_at, align, &at))
		return -BUSWAY_ENOMEM;
	for (size_t i = 0; i < count; i++)
		if (busway_range_within((struct busway_range){at, at + (size - 1)}, within[i])) {
			rig->more_left -= (size_t)size;
			rig->more_at = at + size;
			*phys = busway_phys(at);
			return 0;
		}
	return -BUSWAY_ENOMEM;
}

static void release(void *ctx, struct busway_phys_range range)
{
	struct rig *rig = ctx;

	rig->more_left += (size_t)(range.last.raw - range.first.raw + 1);
}

static void misuse(void *ctx, const struct busway_misuse_report *report)
{
	struct rig *rig = ctx;

	rig->misuses[report->misuse]++;
	rig->last = *report;
}

static void look(void *ctx, enum busway_dma_event event, busway_device_id device,
		 const struct busway_mapping *mapping, uint64_t offset, uint64_t size)
{
	struct rig *rig = ctx;

	assert_true(device.index < rig->plan.device_count);
	assert_true(offset <= mapping->size && size <= mapping->size - offset);
	rig->events[event]++;
}

/* ---- life ---- */

void rig_declare(struct rig *rig)
{
	memset(rig, 0, sizeof(*rig));
	plan_init(&rig->plan);
	plan_ram(&rig->plan, (struct busway_range){RIG_BASE, RIG_BASE + RIG_SIZE - 1});
	rig->environment = (struct busway_dma_environment){
		.ctx = rig,
		.pointer = pointer,
		.uncached = uncached,
		.clean = clean,
		.invalidate = invalidate,
		.cache_line = RIG_LINE,
		.more = more,
		.release = release,
		.misuse = misuse,
		.one_thread = true,
		.observe = look,
	};
	rig->more_at = RIG_BASE + RIG_SIZE / 2;
}

void rig_draw(struct rig *rig)
{
	uint32_t bus;

	rig_declare(rig);
	bus = plan_space(&rig->plan, BUSWAY_SPACE_BUS);
	plan_window(&rig->plan, bus, 0, (struct busway_range){0, RIG_SIZE - 1}, RIG_BASE);
	plan_device(&rig->plan, bus);
	rig->plan.devices[0].coherence = BUSWAY_COHERENT;
}

void rig_open(struct rig *rig)
{
	plan_open(&rig->plan);
	rig->cached = malloc(RIG_SIZE);
	rig->memory = malloc(RIG_SIZE);
	rig->blind = calloc(RIG_SIZE / PAGE, sizeof(*rig->blind));
	assert_true(rig->cached && rig->memory && rig->blind);
	for (size_t i = 0; i < RIG_SIZE; i++)
		rig->cached[i] = rig->memory[i] = (unsigned char)(i * 7 + i / 251);
	assert_int_equal(busway_dma_create(rig->plan.platform, &rig->environment,
					   &rig->plan.memory.allocator, &rig->dma),
			 0);
}

void rig_close(struct rig *rig)
{
	assert_int_equal(busway_dma_destroy(rig->dma), 0);
	free(rig->cached);
	free(rig->memory);
	free(rig->blind);
	plan_close(&rig->plan);
}

struct busway_dma_device *rig_attach(struct rig *rig, uint32_t device,
				     const struct busway_dma_options *options)
{
	struct busway_dma_device *attached = NULL;
	struct busway_refusal why = {0};
	const int status = busway_dma_attach(rig->dma, (busway_device_id){device}, options,
					     &attached, &why);

	if (status)
		fail_msg("device %u: status %d, %s", device, status,
			 busway_reason_code(why.reason));
	return attached;
}

/* ---- accesses ---- */

static bool is_coherent(const struct rig *rig, uint32_t device)
{
	return rig->plan.devices[device].coherence == BUSWAY_COHERENT;
}

/* Where all of an access lands in the rig's memory as one run; SIZE_MAX: it does not. */
static size_t run_landing(struct rig *rig, uint32_t device, uint64_t dma, size_t size,
			  enum busway_access access)
{
	struct busway_path path;
	uint64_t phys;

	if (busway_resolve(rig->plan.platform, (busway_device_id){device},
			   (struct busway_dma_range){{dma}, {dma + (size - 1)}}, NULL, access, &path,
			   NULL))
		return SIZE_MAX;
	/* the last hop is that of the last part; all parts lie side by side */
	phys = path.hops[path.hop_count - 1].range.last - (size - 1);
	return phys >= RIG_BASE && phys - RIG_BASE <= RIG_SIZE - size ? (size_t)(phys - RIG_BASE)
								      : SIZE_MAX;
}

bool rig_read(struct rig *rig, uint32_t device, uint64_t dma, void *bytes, size_t size)
{
	const size_t at = run_landing(rig, device, dma, size, BUSWAY_READ);

	if (at == SIZE_MAX)
		return false;
	memcpy(bytes, (is_coherent(rig, device) ? rig->cached : rig->memory) + at, size);
	return true;
}

bool rig_write(struct rig *rig, uint32_t device, uint64_t dma, const void *bytes, size_t size)
{
	const size_t at = run_landing(rig, device, dma, size, BUSWAY_WRITE);

	if (at == SIZE_MAX)
		return false;
	memcpy(rig->memory + at, bytes, size);
	if (is_coherent(rig, device))
		memcpy(rig->cached + at, bytes, size);
	return true;
}

unsigned char *rig_cpu(struct rig *rig, uint64_t phys)
{
	return rig->cached + (phys - RIG_BASE);
}

struct busway_phys_range rig_phys(uint64_t at, uint64_t size)
{
	return busway_phys_range(
		(struct busway_range){RIG_BASE + at, RIG_BASE + at + (size - 1)});
}

unsigned rig_misuse_count(const struct rig *rig)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < BUSWAY_MISUSE_COUNT; i++)
		sum += rig->misuses[i];
	return sum;
}
