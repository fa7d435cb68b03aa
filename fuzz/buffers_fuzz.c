/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buffers_fuzz.c - any bytes as a sequence of operations on a directory of buffers.
 *
 * Beside it runs a list of the buffers, looked through from end to end: overlaps are refused with
 * the first buffer in the way, parts are not unregistered, each answer is that of the list, and an
 * allocation that fails changes nothing.
 *
 * Input: options, then operations of twelve bytes: what, a size, an access, and an address.
 */
#include <busway/busway.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFERS = 512, OPERATION = 12 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz {
	struct busway_buffers *buffers;
	struct busway_buffer list[BUFFERS];
	unsigned count;
	int allocations; /* until one fails; negative: none does */
};

static void must(bool holds, const char *what)
{
	if (!holds) {
		fprintf(stderr, "buffers_fuzz: %s\n", what);
		abort();
	}
}

static void *take_memory(void *ctx, size_t size, size_t align)
{
	struct fuzz *f = ctx;

	(void)align;
	if (f->allocations == 0)
		return NULL;
	f->allocations -= f->allocations > 0;
	return malloc(size);
}

static void give_memory(void *ctx, void *mem, size_t size, size_t align)
{
	(void)ctx;
	(void)size;
	(void)align;
	free(mem);
}

/* ---- the list ---- */

/* The lowest buffer with a byte from @first to @last; NULL. */
static const struct busway_buffer *lowest_in(const struct fuzz *f, uint64_t first, uint64_t last)
{
	const struct busway_buffer *lowest = NULL;

	for (unsigned i = 0; i < f->count; i++)
		if (f->list[i].va.first <= last && f->list[i].va.last >= first &&
		    (!lowest || f->list[i].va.first < lowest->va.first))
			lowest = &f->list[i];
	return lowest;
}

static bool is_same(const struct busway_buffer *a, const struct busway_buffer *b)
{
	return a->va.first == b->va.first && a->va.last == b->va.last && a->dma.raw == b->dma.raw &&
	       a->access == b->access && a->owner == b->owner;
}

/* ---- operations ---- */

static void add(struct fuzz *f, struct busway_buffer buffer, bool fails)
{
	const struct busway_buffer *other = lowest_in(f, buffer.va.first, buffer.va.last);
	struct busway_refusal why = {0};
	int status;

	if (f->count == BUFFERS)
		return;
	f->allocations = fails ? (int)(buffer.va.first & 3) : -1;
	status = busway_buffers_register(f->buffers, &buffer, &why);
	f->allocations = -1;
	if (buffer.access && buffer.va.last - buffer.va.first > UINT64_MAX - buffer.dma.raw) {
		must(status == -BUSWAY_EINVAL, "addresses pass the end");
	} else if (other) {
		must(status == -BUSWAY_ERANGE && why.reason == BUSWAY_BUFFER_OVERLAP,
		     "an overlap is let in");
		must(why.limit.first == other->va.first && why.limit.last == other->va.last,
		     "another buffer is in the way");
	} else if (status == 0) {
		f->list[f->count++] = buffer;
	} else {
		must(fails && status == -BUSWAY_ENOMEM, "a buffer is not let in");
	}
}

static void drop(struct fuzz *f, struct busway_range va)
{
	const struct busway_buffer *there = lowest_in(f, va.first, va.first);
	const bool exact = there && there->va.first == va.first && there->va.last == va.last;
	int status;

	f->allocations = 0;
	status = busway_buffers_unregister(f->buffers, va, NULL);
	f->allocations = -1;
	must(status == (exact ? 0 : -BUSWAY_ERANGE), "unregistering");
	if (exact)
		f->list[there - f->list] = f->list[--f->count];
}

static void ask(const struct fuzz *f, uint64_t va, uint64_t length, enum busway_access access)
{
	const struct busway_buffer *there = lowest_in(f, va, va);
	const struct busway_buffer *next = lowest_in(f, va, UINT64_MAX);
	const bool goes = there && !(access & ~there->access) && length - 1 <= there->va.last - va;
	struct busway_buffer found;
	busway_dma_t dma;
	int status;

	if (!length || length - 1 > UINT64_MAX - va)
		return;
	status = busway_buffers_translate(f->buffers, va, length, access, &dma, NULL);
	must(status == (goes ? 0 : -BUSWAY_ERANGE), "whether it goes");
	if (goes)
		must(dma.raw - va == there->dma.raw - there->va.first, "where it goes");
	must(busway_buffers_next(f->buffers, va, &found) == (next != NULL), "whether one is next");
	if (next)
		must(is_same(&found, next), "which is next");
	must(busway_buffers_find(f->buffers, va, &found) == (there != NULL), "whether it is there");
}

/* Near what is there, or anywhere: small differences of addresses are what matters. */
static uint64_t place(const struct fuzz *f, const uint8_t *op)
{
	uint64_t address;

	memcpy(&address, op + 4, sizeof(address));
	if (op[3] & 0x80 && f->count) {
		const struct busway_range va = f->list[op[4] % f->count].va;

		return op[3] & 0x40 ? va.last + 1 + op[5] % 3 : va.first - op[5] % 3;
	}
	return address >> (op[3] & 63);
}

static void operate(struct fuzz *f, const uint8_t *op)
{
	const uint64_t first = place(f, op);
	const uint64_t span = ((uint64_t)1 << (op[1] & 63)) - 1 + (op[1] >> 6);
	const struct busway_range va = {first,
					first > UINT64_MAX - span ? UINT64_MAX : first + span};
	const enum busway_access access = (enum busway_access)(op[2] & 3);

	switch (op[0] % 6) {
	case 0:
	case 1:
		add(f,
		    (struct busway_buffer){
			    .va = va,
			    .dma = {op[2] & 4 ? first : (uint64_t)op[2] << 30 | op[5]},
			    .access = access,
			    .owner = f},
		    op[0] & 0x80);
		break;
	case 2:
		drop(f, op[2] & 8 && f->count ? f->list[op[4] % f->count].va : va);
		break;
	case 3:
		busway_buffers_reclaim(f->buffers, busway_buffers_ticket(f->buffers));
		break;
	default:
		ask(f, first, span + 1, access ? access : BUSWAY_READ);
		ask(f, va.last, 1, BUSWAY_WRITE);
		ask(f, va.last + 1, 2, BUSWAY_READ_WRITE);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct busway_buffers_options options = {0};
	struct fuzz f = {.allocations = -1};
	const struct busway_allocator memory = {take_memory, give_memory, &f};

	if (size < 1)
		return 0;
	options.exclusive = data[0] & 1;
	must(busway_buffers_create(&options, &memory, &f.buffers) == 0, "creating");
	for (size_t at = 1; size - at >= OPERATION; at += OPERATION)
		operate(&f, data + at);
	must(busway_buffers_count(f.buffers) == f.count, "how many there are");
	while (f.count) {
		ask(&f, f.list[0].va.last, 1, BUSWAY_READ);
		drop(&f, f.list[0].va);
	}
	busway_buffers_destroy(f.buffers);
	return 0;
}
