/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fdt_fuzz.c - any bytes as a device tree: no crash, no leak, and no wrong address.
 *
 * What is imported is also asked, and the answers are held against each other:
 *
 *   pieces of a reach are sorted and disjoint, and their ends resolve, hop by hop, to where the
 *   piece says; the address that is handed out for a byte of them leads back to that byte;
 *   around them, an address resolves to memory if, and only if, some piece holds it; memory
 *   without an address is in no piece;
 *   segments keep to the device's limits, and are side by side in memory;
 *   a refusal has a reason and a text; memory found for two devices is where both say;
 *   a device is found by its path.
 *
 * Inputs are trees as they are, so that the command reads a find, too.
 */
#include <busway/busway.h>
#include <busway/check.h>
#include <busway/fdt.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEVICES_MAX = 24, PIECES_MAX = 16, SEGMENTS_MAX = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds, const char *what)
{
	if (!holds) {
		fprintf(stderr, "fdt_fuzz: %s\n", what);
		abort();
	}
}

/* ---- memory: sizes must come back as they were ---- */

enum { HEADER_SIZE = 32 };

static size_t outstanding;

static void *take(void *ctx, size_t size, size_t align)
{
	char *block;

	(void)ctx;
	must(size && align && align <= HEADER_SIZE, "an allocation of nothing");
	block = malloc(HEADER_SIZE + size);
	if (!block)
		return NULL;
	memcpy(block, &size, sizeof(size));
	outstanding += size;
	return block + HEADER_SIZE;
}

static void give_back(void *ctx, void *mem, size_t size, size_t align)
{
	char *block = (char *)mem - HEADER_SIZE;
	size_t taken;

	(void)ctx;
	(void)align;
	memcpy(&taken, block, sizeof(taken));
	must(taken == size, "memory is given back with another size");
	outstanding -= size;
	free(block);
}

static const struct busway_allocator memory = {take, give_back, NULL};

/* ---- one device ---- */

struct subject {
	const struct busway_platform *platform;
	busway_device_id id;
	const struct busway_reach *reach;
	const struct busway_emission *emission; /* NULL: the device's own */
};

static bool is_memory(const struct busway_region *region)
{
	return region->kind == BUSWAY_REGION_RAM || region->kind == BUSWAY_REGION_UNKNOWN;
}

static void check_refusal(const struct busway_refusal *why)
{
	char text[256];

	must(why->reason > BUSWAY_NOT_REFUSED && why->reason < BUSWAY_REASON_COUNT,
	     "a refusal without a reason");
	must(why->advice_count <= BUSWAY_ADVICE_MAX, "a refusal with too much advice");
	must(why->hop != NULL && busway_reason_code(why->reason)[0], "a refusal by nobody");
	must(busway_refusal_detail(why, text, sizeof(text)) > 0, "a refusal without a text");
	busway_refusal_advice(why, text, sizeof(text));
}

/* Where one byte lands: NULL where it is refused. */
static const struct busway_region *landing(const struct subject *s, uint64_t dma,
					   enum busway_access access, uint64_t *phys)
{
	const struct busway_dma_range one = {{dma}, {dma}};
	struct busway_refusal why = {0};
	struct busway_path path;
	const struct busway_hop *last;

	if (busway_resolve(s->platform, s->id, one, s->emission, access, &path, &why)) {
		check_refusal(&why);
		return NULL;
	}
	must(path.hop_count > 0 && path.target_count == 1, "a path without an end");
	last = &path.hops[path.hop_count - 1];
	must(last->window == NULL, "a path that goes on");
	must(last->range.first == last->range.last, "one byte became more");
	*phys = last->range.first;
	return busway_platform_region(s->platform, path.targets[0]);
}

/* The device's @dma leads to memory @phys of the node @name. */
static void check_landing(const struct subject *s, uint64_t dma, uint64_t phys, const char *name,
			  enum busway_access access)
{
	uint64_t lands = 0;
	const struct busway_region *region = landing(s, dma, access, &lands);

	must(region != NULL, "an address of the reach does not resolve");
	must(region->space.index == BUSWAY_CPU_SPACE.index && lands == phys,
	     "an address of the reach leads elsewhere");
	must(is_memory(region) && strcmp(region->name, name) == 0,
	     "an address of the reach leads to something else");
}

static void check_handed_out(const struct subject *s, uint64_t phys, const char *name,
			     enum busway_access access)
{
	const struct busway_device *device = busway_platform_device(s->platform, s->id);
	const struct busway_phys_range byte = {{phys}, {phys}};
	struct busway_refusal why = {0};
	struct busway_segment segment;
	busway_dma_t dma;
	size_t count;

	if (busway_address_for(s->reach, byte, access, BUSWAY_ADDRESS_BYPASS_IOMMU, &segment, 1,
			       &count, &why) == 0) {
		must(count == 1 && segment.dma.first.raw == segment.dma.last.raw,
		     "one byte has more than one address");
		check_landing(s, segment.dma.first.raw, phys, name, access);
	} else {
		must(device->restricted_pool != UINT32_MAX && (why.reason == BUSWAY_RESTRICTED ||
							       why.reason == BUSWAY_POOL_REJECTED),
		     "memory of the reach has no address");
	}
	if (busway_reach_address(s->reach, byte, &dma) == 0)
		check_landing(s, dma.raw, phys, name, BUSWAY_READ_WRITE);
	else
		must(access != BUSWAY_READ_WRITE || device->behind_iommu ||
			     device->restricted_pool != UINT32_MAX,
		     "memory of the reach has no one address");
}

/* Beside a piece: memory is reached if, and only if, a piece says so. */
static void check_beside(const struct subject *s, uint64_t dma)
{
	const struct busway_piece *piece = busway_reach_find(s->reach, busway_dma(dma));
	uint64_t phys = 0;
	const struct busway_region *region = landing(s, dma, BUSWAY_READ_WRITE, &phys);

	must((piece != NULL) == (region != NULL && is_memory(region)),
	     "the reach and the way of an access disagree");
}

static void check_piece(const struct subject *s, const struct busway_piece *piece)
{
	const char *name = busway_platform_region(s->platform, piece->target)->name;
	const uint64_t span = piece->dma.last.raw - piece->dma.first.raw;
	const uint64_t offsets[] = {0, span / 2, span};

	must(piece->dma.first.raw <= piece->dma.last.raw, "a piece is empty");
	must(span <= UINT64_MAX - piece->phys.raw, "a piece wraps");
	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		const uint64_t phys = piece->phys.raw + offsets[i];

		check_landing(s, piece->dma.first.raw + offsets[i], phys, name, piece->access);
		check_handed_out(s, phys, name, piece->access);
	}
	check_beside(s, piece->dma.first.raw - 1);
	check_beside(s, piece->dma.last.raw + 1);
}

/* Why memory has no address is searched for: not too often in one input. */

/* Memory that has no address lies in no piece. */
static void check_bank_byte(const struct subject *s, uint64_t phys)
{
	const struct busway_phys_range byte = {{phys}, {phys}};
	struct busway_refusal why = {0};
	struct busway_segment segment;
	const struct busway_piece *pieces;
	size_t count;

	if (busway_address_for(s->reach, byte, BUSWAY_READ, BUSWAY_ADDRESS_BYPASS_IOMMU, &segment,
			       1, &count, &why) == 0)
		return;
	check_refusal(&why);
	if (why.reason == BUSWAY_RESTRICTED || why.reason == BUSWAY_POOL_REJECTED)
		return;
	pieces = busway_reach_pieces(s->reach, &count);
	for (size_t i = 0; i < count; i++)
		must(phys < pieces[i].phys.raw ||
			     phys - pieces[i].phys.raw >
				     pieces[i].dma.last.raw - pieces[i].dma.first.raw,
		     "memory of the reach is refused");
}

static void check_banks(const struct subject *s)
{
	size_t count;
	const struct busway_memory_bank *banks = busway_platform_banks(s->platform, &count);

	for (size_t i = 0; i < count && i < PIECES_MAX; i++) {
		check_bank_byte(s, banks[i].range.first);
		check_bank_byte(s, banks[i].range.last);
		check_bank_byte(s, banks[i].range.last + 1);
	}
}

/* The first bytes of a piece, under limits: cut, and side by side. */
static void check_segments(struct busway_platform *platform, const struct subject *s,
			   const struct busway_piece *piece)
{
	static const struct busway_segment_limits tight = {0x1000, 0x10000, SEGMENTS_MAX};
	static const struct busway_segment_limits none = {0};
	const uint64_t span = piece->dma.last.raw - piece->dma.first.raw;
	const uint64_t last = piece->phys.raw + (span < 0x3456 ? span : 0x3456);
	const struct busway_phys_range bytes = {piece->phys, {last}};
	struct busway_segment segments[SEGMENTS_MAX];
	uint64_t at = piece->phys.raw, lands = 0;
	struct busway_refusal why = {0};
	size_t count;

	must(busway_platform_set_segments(platform, s->id, &tight) == 0, "limits are refused");
	if (busway_address_for(s->reach, bytes, piece->access, BUSWAY_ADDRESS_BYPASS_IOMMU,
			       segments, SEGMENTS_MAX, &count, &why) == 0) {
		for (size_t i = 0; i < count; i++) {
			const struct busway_range dma = busway_dma_raw(segments[i].dma);

			must(dma.first <= dma.last && busway_range_span(dma) < 0x1000,
			     "a segment is too long");
			must(dma.first >> 16 == dma.last >> 16, "a segment crosses the boundary");
			must(landing(s, dma.first, piece->access, &lands) && lands == at,
			     "a segment is not where the one before ends");
			at += busway_range_span(dma) + 1;
		}
		must(at == last + 1, "segments are not all of it");
	} else {
		check_refusal(&why);
	}
	must(busway_platform_set_segments(platform, s->id, &none) == 0, "no limits are refused");
}

static void check_reach(struct busway_platform *platform, busway_device_id id,
			const struct busway_emission *emission)
{
	struct subject s = {.platform = platform, .id = id, .emission = emission};
	const struct busway_piece *pieces;
	struct busway_reach *reach;
	size_t count;

	if (busway_reach_build(platform, id, emission, &memory, &reach))
		return;
	s.reach = reach;
	pieces = busway_reach_pieces(reach, &count);
	for (size_t i = 1; i < count; i++)
		must(pieces[i - 1].dma.last.raw < pieces[i].dma.first.raw, "pieces are not sorted");
	for (size_t i = 0; i < count && i < PIECES_MAX; i++)
		check_piece(&s, &pieces[i]);
	if (count)
		check_segments(platform, &s, &pieces[count - 1]);
	check_banks(&s);
	check_beside(&s, 0);
	check_beside(&s, UINT64_MAX);
	busway_reach_destroy(reach);
}

static void check_windows(const struct busway_platform *platform, busway_device_id id)
{
	struct busway_piece *windows;
	size_t count;

	if (busway_windows_build(platform, id, &memory, &windows, &count))
		return;
	for (size_t i = 0; i < count; i++) {
		const uint64_t span = windows[i].dma.last.raw - windows[i].dma.first.raw;

		must(windows[i].dma.first.raw <= windows[i].dma.last.raw, "a window is empty");
		must(span <= UINT64_MAX - windows[i].phys.raw, "a window wraps");
		must(i == 0 || windows[i - 1].dma.last.raw < windows[i].dma.first.raw,
		     "windows are not sorted");
	}
	if (count)
		give_back(NULL, windows, count * sizeof(*windows), _Alignof(struct busway_piece));
}

static void check_notes(const struct busway_note *note)
{
	for (; note; note = note->next) {
		must(note->code < BUSWAY_NOTE_COUNT && busway_note_text(note->code)[0],
		     "a note without a text");
		must(note->node && note->node[0] == '/' && note->property, "a note about nothing");
	}
}

static void check_name(const struct busway_platform *platform, busway_device_id id)
{
	const struct busway_device *device = busway_platform_device(platform, id);
	busway_device_id found;

	must(device->name[0] == '/', "a device without a path");
	if (!device->is_bridge_itself)
		must(busway_platform_find_device(platform, device->name, &found, 1) == 1 &&
			     found.index == id.index,
		     "a device is not found by its path");
}

static void check_device(struct busway_platform *platform, busway_device_id id)
{
	const struct busway_device *device = busway_platform_device(platform, id);
	const struct busway_emission low = busway_emission_mask(32);
	struct busway_iova iova;

	check_notes(device->notes);
	check_notes(device->dma.notes);
	check_reach(platform, id, NULL);
	check_reach(platform, id, &low);
	check_windows(platform, id);
	if (busway_iova_build(platform, id, NULL, &memory, &iova) == 0)
		busway_iova_free(&iova);
}

/* ---- two devices ---- */

static void check_joint(const struct busway_platform *platform, busway_device_id a,
			busway_device_id b)
{
	struct busway_reach *reaches[2] = {NULL, NULL};
	const busway_device_id ids[2] = {a, b};
	struct busway_sharer sharers[2];
	struct busway_refusal why = {0};
	busway_phys_t phys;

	for (size_t i = 0; i < 2; i++) {
		if (busway_reach_build(platform, ids[i], NULL, &memory, &reaches[i]))
			break;
		sharers[i] = (struct busway_sharer){.reach = reaches[i]};
	}
	if (reaches[0] && reaches[1] &&
	    busway_joint_address(sharers, 2, 64, 64, NULL, 0, BUSWAY_ADDRESS_BYPASS_IOMMU, &memory,
				 &phys, &why) == 0) {
		must(phys.raw % 64 == 0, "joint memory is not aligned");
		for (size_t i = 0; i < 2; i++) {
			const struct subject s = {.platform = platform, .id = ids[i]};
			uint64_t lands = 0;

			must(landing(&s, sharers[i].dma.raw, BUSWAY_READ_WRITE, &lands) != NULL &&
				     lands == phys.raw,
			     "joint memory is elsewhere for one of the devices");
		}
	}
	for (size_t i = 0; i < 2; i++)
		busway_reach_destroy(reaches[i]);
}

/* A function that the tree does not list. */
static void check_function(struct busway_platform *platform, busway_device_id host)
{
	busway_device_id function;

	if (busway_platform_add_function(platform, host, 0x1ff, "function", &function) == 0)
		check_device(platform, function);
}

/* ---- the checker ---- */

static void check_findings(const void *blob, size_t size)
{
	const struct busway_finding *findings;
	struct busway_check *check;
	size_t count;

	if (busway_fdt_check(blob, size, &memory, &check, NULL))
		return;
	findings = busway_check_findings(check, &count);
	for (size_t i = 0; i < count; i++) {
		const struct busway_finding *f = &findings[i];

		must(busway_finding_code(f->code)[0] && f->node && f->node[0] == '/' &&
			     f->property && f->message && f->message[0] && f->advice,
		     "a finding is not whole");
		must(!f->has_range || f->range.first <= f->range.last,
		     "a finding is about a range that is none");
	}
	busway_check_destroy(check);
}

/* ---- one tree ---- */

static void check_platform(struct busway_platform *platform)
{
	const size_t count = busway_platform_device_count(platform);
	const uint32_t some = (uint32_t)(count < DEVICES_MAX ? count : DEVICES_MAX);
	size_t banks;

	check_notes(busway_platform_notes(platform));
	for (uint32_t i = 0; i < some; i++) {
		check_name(platform, (busway_device_id){i});
		check_device(platform, (busway_device_id){i});
		check_joint(platform, (busway_device_id){i},
			    (busway_device_id){(uint32_t)(count - 1 - i)});
	}
	for (uint32_t i = 0; i < some; i++)
		check_function(platform, (busway_device_id){i});
	busway_platform_banks(platform, &banks);
	for (size_t i = 0; i < banks && i < PIECES_MAX; i++) {
		uint64_t bytes;

		must(busway_platform_usable(platform, i, &memory, &bytes) == 0, "no usable bytes");
	}
}

static void import(const void *blob, size_t size, unsigned flags)
{
	struct busway_platform *platform;
	struct busway_fdt_error error;
	int status = busway_fdt_import(blob, size, flags, &memory, &platform, &error);

	if (status == 0) {
		check_platform(platform);
		busway_platform_destroy(platform);
	} else {
		must(status == -BUSWAY_EINVAL, "a tree is refused for another reason");
		must(error.message[0] != '\0', "a refused tree without a message");
	}
	must(outstanding == 0, "memory is not given back");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* aligned, as the importer asks, and with no byte behind it */
	void *blob = malloc(size ? size : 1);

	if (!blob)
		return 0;
	if (size)
		memcpy(blob, data, size);
	import(blob, size, 0);
	import(blob, size, BUSWAY_FDT_ALL_NODES);
	check_findings(blob, size);
	must(outstanding == 0, "the checker does not give memory back");
	free(blob);
	return 0;
}
