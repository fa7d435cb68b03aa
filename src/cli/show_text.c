/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * show_text.c - `busway show` for people.
 *
 * Most devices of a board share a bus, and with it windows and reach. So devices are shown in
 * groups: what they share is told once, and what is each one's own stands behind its name.
 */
#include "cli.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- notes ---- */

static void put_notes(struct page *page, const struct busway_note *notes)
{
	for (; notes; notes = notes->next) {
		fprintf(page->out, "  rule %s: %s: %s", busway_note_code(notes->code), notes->node,
			notes->property);
		if (notes->entry != UINT32_MAX)
			fprintf(page->out, "[%u]", notes->entry);
		fprintf(page->out, ": %s\n", busway_note_text(notes->code));
	}
}

/* ---- the platform ---- */

static void put_pool(struct page *page, const struct busway_pool *pool, int digits)
{
	fputs("    ", page->out);
	if (pool->dynamic)
		fprintf(page->out, "%-*s", 2 * digits + 6, "placed at boot");
	else if (pool->empty)
		fprintf(page->out, "%-*s", 2 * digits + 6, "filled in by firmware");
	else
		put_range(page, pool->range, digits);
	fprintf(page->out, "  %-10s %s", pool_type_name(pool->type), pool->name);
	if (pool->no_map)
		fputs(", no-map", page->out);
	if (pool->reusable)
		fputs(", reusable", page->out);
	if (!pool->enabled)
		fputs(", disabled", page->out);
	if (pool->ignored)
		fputs(", ignored with all of /reserved-memory", page->out);
	else if (!pool->valid)
		fputs(", its flags contradict its type: the kernel rejects it", page->out);
	if (pool->user_count)
		fprintf(page->out, " (%zu user%s)", pool->user_count,
			pool->user_count == 1 ? "" : "s");
	fputc('\n', page->out);
}

static int memory_digits(const struct busway_platform *platform)
{
	size_t count;
	const struct busway_memory_bank *banks = busway_platform_banks(platform, &count);
	int digits = 8;

	for (size_t i = 0; i < count; i++)
		if (digits_for(banks[i].range.last) > digits)
			digits = digits_for(banks[i].range.last);
	return digits;
}

/* What of a machine could not be read. */
static void put_gaps(struct page *page, const struct loaded *loaded, const struct options *options)
{
	size_t count = 0;
	const struct busway_system_gap *gaps =
		loaded->machine ? busway_system_gaps(loaded->machine, &count) : NULL;

	if (count && !options->verbose)
		fprintf(page->out, "  %zu thing%s could not be read (-v lists them)\n", count,
			count == 1 ? "" : "s");
	for (size_t i = 0; i < count && options->verbose; i++) {
		fputs("  gap ", page->out);
		put_safe(page, gaps[i].file);
		fputs(": ", page->out);
		put_safe(page, gaps[i].message);
		fputc('\n', page->out);
	}
}

static void put_platform(struct page *page, const struct loaded *loaded,
			 const struct options *options)
{
	size_t count;
	const char *const *names = busway_platform_compatible(loaded->platform, &count);
	const int digits = memory_digits(loaded->platform);
	const struct busway_memory_bank *banks;
	const struct busway_pool *pools;
	const char *model = busway_platform_model(loaded->platform);

	put_safe(page, model[0] ? model : "(no model)");
	if (count) {
		fputs(" (", page->out);
		put_safe(page, names[0]);
		fputc(')', page->out);
	}
	fputc('\n', page->out);
	banks = busway_platform_banks(loaded->platform, &count);
	fputs(count             ? "  memory\n"
	      : loaded->machine ? "  memory: the machine does not tell where (proc/iomem): reach "
				  "is unknown\n"
				: "  memory: the tree states none (boot loaders fill it in): reach "
				  "is unknown\n",
	      page->out);
	for (size_t i = 0; i < count; i++) {
		fputs("    ", page->out);
		put_range(page, banks[i].range, digits);
		fputs("  ", page->out);
		put_size(page, banks[i].range);
		fprintf(page->out, "  %s\n", banks[i].name);
	}
	pools = busway_platform_pools(loaded->platform, &count);
	if (count)
		fputs("  reserved\n", page->out);
	for (size_t i = 0; i < count; i++)
		put_pool(page, &pools[i], digits);
	put_notes(page, busway_platform_notes(loaded->platform));
	put_gaps(page, loaded, options);
}

/* ---- one answer ---- */

static int answer_digits(const struct answer *answer)
{
	size_t count;
	const struct busway_piece *pieces = busway_reach_pieces(answer->reach, &count);
	int digits = 8;

	for (size_t i = 0; i < count; i++) {
		const uint64_t phys_last =
			pieces[i].phys.raw + (pieces[i].dma.last.raw - pieces[i].dma.first.raw);
		const uint64_t top =
			phys_last > pieces[i].dma.last.raw ? phys_last : pieces[i].dma.last.raw;

		if (digits_for(top) > digits)
			digits = digits_for(top);
	}
	return digits;
}

static void put_piece(struct page *page, const struct busway_piece *p, int digits, const char *name)
{
	fputs("    bus ", page->out);
	put_range(page, busway_dma_raw(p->dma), digits);
	fprintf(page->out, "  ->  CPU 0x%0*" PRIx64 "  ", digits, p->phys.raw);
	put_size(page, busway_dma_raw(p->dma));
	fprintf(page->out, "%s%s\n", name ? "  " : "", name ? name : "");
}

static void put_windows(struct page *page, const struct answer *answer)
{
	const struct busway_dma_view *view = &answer->device->dma;
	int digits = 8;

	if (!view->restricted) {
		fputs("  windows: none; bus addresses are CPU addresses\n", page->out);
		return;
	}
	fprintf(page->out, "  windows of %s", view->source);
	if (view->has_bus_limit)
		fprintf(page->out, " (bus limit 0x%" PRIx64 ")", view->bus_limit);
	fputc('\n', page->out);
	if (answer_error(answer))
		put_styled(page, STYLE_BAD, "    %s: no entry leads to the CPU's addresses\n",
			   answer_error(answer));
	for (size_t i = 0; i < answer->window_count; i++) {
		const struct busway_piece *w = &answer->windows[i];
		const uint64_t top = w->phys.raw > w->dma.last.raw ? w->phys.raw : w->dma.last.raw;

		if (digits_for(top) > digits)
			digits = digits_for(top);
	}
	for (size_t i = 0; i < answer->window_count; i++)
		put_piece(page, &answer->windows[i], digits, NULL);
}

static void put_pieces(struct page *page, const struct loaded *loaded, const char *title,
		       const struct busway_reach *reach, int digits)
{
	size_t count;
	const struct busway_piece *pieces = busway_reach_pieces(reach, &count);

	if (!busway_platform_memory_known(loaded->platform))
		return;
	fprintf(page->out, count ? "  %s\n" : "  %s: no memory at all\n", title);
	for (size_t i = 0; i < count; i++)
		put_piece(page, &pieces[i], digits,
			  busway_platform_region(loaded->platform, pieces[i].target)->name);
}

static void put_missed(struct page *page, const struct answer *answer, int digits)
{
	if (!answer->missed.count)
		return;
	put_styled(page, STYLE_BAD, "  out of reach\n");
	for (size_t i = 0; i < answer->missed.count; i++) {
		fputs("    CPU ", page->out);
		put_range(page, answer->missed.runs[i], digits);
		fputs("  ", page->out);
		put_size(page, answer->missed.runs[i]);
		fputc('\n', page->out);
	}
}

static void put_way(struct page *page, const struct loaded *loaded, const struct options *options,
		    const struct answer *answer)
{
	const int digits = answer_digits(answer);

	put_windows(page, answer);
	put_pieces(page, loaded, "reach", answer->reach, digits);
	if (answer->coherent_reach)
		put_pieces(page, loaded, "reach of coherent memory", answer->coherent_reach,
			   digits);
	put_missed(page, answer, digits);
	if (options->verbose)
		put_notes(page, answer->device->dma.notes);
}

/* ---- what is a device's own ---- */

static void put_maps(struct page *page, const char *title, const struct busway_id_map *maps,
		     size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct busway_id_map *m = &maps[i];

		fprintf(page->out, "  %s %s", title, m->controller);
		if (m->is_range)
			fprintf(page->out, ", requesters 0x%x..0x%" PRIx64 " as 0x%x", m->id_base,
				(uint64_t)m->id_base + m->id_count - (m->id_count != 0),
				m->out_base);
		else if (m->cell_count)
			fprintf(page->out, ", ID 0x%x", m->out_base);
		if (m->has_doorbell)
			fprintf(page->out, ", doorbell at CPU 0x%" PRIx64, m->doorbell.raw);
		fputs(m->enabled ? "\n" : " (disabled)\n", page->out);
	}
}

static void put_iova(struct page *page, const struct answer *answer)
{
	const struct busway_iova *iova = &answer->iova;

	if (!answer->device->behind_iommu)
		return;
	fputs("  IOVAs that can be used\n", page->out);
	for (size_t i = 0; i < iova->allowed.count; i++) {
		fputs("    ", page->out);
		put_range(page, iova->allowed.runs[i], 16);
		fputc('\n', page->out);
	}
	for (size_t i = 0; i < iova->removed_count; i++) {
		fputs("    ", page->out);
		put_range(page, iova->removed[i].range, 16);
		fprintf(page->out, "  not: %s of %s\n", iova_cause_name(iova->removed[i].cause),
			iova->removed[i].by);
	}
}

static void put_outbound(struct page *page, const struct busway_device *device)
{
	if (device->outbound_count)
		fputs("  outbound windows\n", page->out);
	for (size_t i = 0; i < device->outbound_count; i++) {
		const struct busway_outbound *o = &device->outbound[i];

		fprintf(page->out, "    %-5s bus ", outbound_name(o->kind));
		put_range(page, o->bus, 8);
		if (o->has_cpu)
			fprintf(page->out, "  <-  CPU 0x%" PRIx64 "  ", o->cpu.raw);
		else
			fputs("  <-  (does not translate)  ", page->out);
		put_size(page, o->bus);
		fputs(o->prefetchable ? ", prefetchable\n" : "\n", page->out);
	}
}

static void put_u32(struct page *page, const char *title, uint32_t value)
{
	if (value != UINT32_MAX)
		fprintf(page->out, ", %u %s", value, title);
}

static void put_endpoint(struct page *page, const struct busway_endpoint *endpoint)
{
	if (!endpoint)
		return;
	fputs("  endpoint: outbound ", page->out);
	if (endpoint->has_outbound)
		put_range(page, busway_phys_raw(endpoint->outbound), 8);
	else
		fputs("space not stated", page->out);
	put_u32(page, "outbound windows", endpoint->ob_windows);
	put_u32(page, "inbound windows", endpoint->ib_windows);
	put_u32(page, "functions", endpoint->max_functions);
	fputc('\n', page->out);
}

static void put_pools_of(struct page *page, const struct loaded *loaded,
			 const struct busway_device *device)
{
	size_t count;
	const struct busway_pool *pools = busway_platform_pools(loaded->platform, &count);

	for (size_t i = 0; i < device->pool_count; i++)
		fprintf(page->out, "  pool %s (%s)\n", pools[device->pools[i]].name,
			pool_type_name(pools[device->pools[i]].type));
	if (device->restricted_pool == UINT32_MAX)
		return;
	if (device->behind_iommu && device->own.index == BUSWAY_NO_DEVICE.index) {
		fprintf(page->out, "  behind %s the kernel ignores the restricted pool %s\n",
			iommu_name(device), pools[device->restricted_pool].name);
		return;
	}
	fputs("  restricted: every mapping and allocation has to come from that pool", page->out);
	if (device->behind_iommu)
		fprintf(page->out, ", except behind %s, where the kernel ignores it",
			iommu_name(device));
	fputc('\n', page->out);
}

static void put_name(struct page *page, const struct busway_device *device)
{
	put_styled(page, STYLE_BOLD, "%s", device->name);
	fprintf(page->out, "  %s%s", kind_name(device->kind),
		device->is_bridge_itself ? " itself, as a master" : "");
	if (device->coherence != BUSWAY_COHERENCE_DEFAULT)
		fprintf(page->out, ", %s", coherence_name(device->coherence));
	if (!device->enabled)
		fputs(", disabled", page->out);
}

static bool has_note(const struct busway_device *device, enum busway_note_code code)
{
	for (const struct busway_note *note = device->notes; note; note = note->next)
		if (note->code == code)
			return true;
	return false;
}

/* What the operating system says of a function. */
static void put_function(struct page *page, const struct loaded *loaded, busway_device_id id)
{
	const struct busway_device *device = busway_platform_device(loaded->platform, id);
	const struct busway_pci_function *f = function_of_device(loaded, id);

	if (!f)
		return;
	if (f->dma_mask)
		fprintf(page->out, "  mask: %u bits, as its driver or the kernel has set it\n",
			f->dma_mask);
	if (has_note(device, BUSWAY_NOTE_NARROW_MASK))
		put_styled(page, STYLE_BAD,
			   "  the mask is narrower than memory, and no IOMMU translates: what lies "
			   "beyond is bounced, or refused\n");
	if (f->has_group)
		fprintf(page->out, "  IOMMU group %u%s\n", (unsigned)f->group,
			f->translation_unknown ? ""
			: f->translated        ? ", translated"
					       : ", not translated (identity)");
	if (has_note(device, BUSWAY_NOTE_IOMMU_UNKNOWN))
		put_styled(page, STYLE_BAD,
			   "  nothing says whether an IOMMU translates: it is taken for "
			   "translated\n");
}

/* One device, in full. */
static int put_device(struct page *page, const struct loaded *loaded, const struct options *options,
		      busway_device_id id)
{
	struct answer answer;
	const struct busway_device *d;

	if (answer_make(loaded, id, options, &answer))
		return EXIT_BAD;
	d = answer.device;
	put_name(page, d);
	fprintf(page->out, "%s\n",
		d->coherence == BUSWAY_COHERENCE_DEFAULT ? ", coherence: the architecture's default"
							 : "");
	put_way(page, loaded, options, &answer);
	put_function(page, loaded, id);
	put_maps(page, "IOMMU", d->iommu, d->iommu_count);
	put_iova(page, &answer);
	put_maps(page, "MSI to", d->msi, d->msi_count);
	put_outbound(page, d);
	put_endpoint(page, d->endpoint);
	put_pools_of(page, loaded, d);
	if (options->verbose)
		put_notes(page, d->notes);
	answer_free(&answer);
	if (d->own.index == BUSWAY_NO_DEVICE.index)
		return EXIT_YES;
	fputc('\n', page->out);
	return put_device(page, loaded, options, d->own);
}

/* ---- groups ---- */

static bool same_notes(const struct busway_note *a, const struct busway_note *b)
{
	for (; a && b && a != b; a = a->next, b = b->next)
		if (a->code != b->code || a->node != b->node || a->entry != b->entry)
			return false;
	return a == b;
}

static bool same_way(const struct loaded *loaded, const struct options *options, busway_device_id a,
		     busway_device_id b)
{
	const struct busway_device *x = busway_platform_device(loaded->platform, a);
	const struct busway_device *y = busway_platform_device(loaded->platform, b);

	return x->dma.enters.index == y->dma.enters.index && x->dma.source == y->dma.source &&
	       x->dma.restricted == y->dma.restricted && x->emission.zero == y->emission.zero &&
	       x->emission.one == y->emission.one &&
	       (!options->verbose || same_notes(x->dma.notes, y->dma.notes));
}

static void put_member(struct page *page, const struct loaded *loaded,
		       const struct busway_device *d)
{
	size_t count;
	const struct busway_pool *pools = busway_platform_pools(loaded->platform, &count);

	put_name(page, d);
	if (d->behind_iommu)
		fprintf(page->out, ", %sbehind %s", iommu_is_unknown(loaded, d) ? "perhaps " : "",
			iommu_name(d));
	/* behind an IOMMU a pool is ignored: it is for the other functions of a host bridge */
	if (d->restricted_pool != UINT32_MAX &&
	    (!d->behind_iommu || d->own.index != BUSWAY_NO_DEVICE.index))
		fprintf(page->out, ", %srestricted to %s", d->behind_iommu ? "else " : "",
			pools[d->restricted_pool].name);
	if (d->own.index != BUSWAY_NO_DEVICE.index)
		fputs(" (its functions)", page->out);
	fputc('\n', page->out);
}

static int put_group(struct page *page, const struct loaded *loaded, const struct options *options,
		     const busway_device_id *devices, size_t count, bool *shown)
{
	struct answer answer;

	for (size_t i = 0; i < count; i++) {
		if (shown[i] || !same_way(loaded, options, devices[0], devices[i]))
			continue;
		put_member(page, loaded, busway_platform_device(loaded->platform, devices[i]));
		shown[i] = true;
	}
	if (answer_make(loaded, devices[0], options, &answer))
		return EXIT_BAD;
	put_way(page, loaded, options, &answer);
	answer_free(&answer);
	return EXIT_YES;
}

/* Devices that are shown; disabled ones only where all are asked for. Bridges count twice. */
static size_t gather(const struct loaded *loaded, const struct options *options,
		     const busway_device_id *devices, size_t count, busway_device_id *out,
		     size_t *disabled)
{
	size_t gathered = 0;

	*disabled = 0;
	for (size_t i = 0; i < count; i++) {
		const struct busway_device *d =
			busway_platform_device(loaded->platform, devices[i]);

		if (!d->enabled && !options->all) {
			++*disabled;
			continue;
		}
		out[gathered++] = devices[i];
		if (d->own.index != BUSWAY_NO_DEVICE.index &&
		    !same_way(loaded, options, devices[i], d->own))
			out[gathered++] = d->own;
	}
	return gathered;
}

static int put_groups(struct page *page, const struct loaded *loaded, const struct options *options,
		      const busway_device_id *devices, size_t count)
{
	busway_device_id *chosen = calloc(2 * count + 1, sizeof(*chosen));
	bool *shown = calloc(2 * count + 1, sizeof(*shown));
	size_t disabled = 0;
	int status = EXIT_YES;

	if (chosen && shown) {
		count = gather(loaded, options, devices, count, chosen, &disabled);
	} else {
		status = complain("out of memory");
		count = 0;
	}
	for (size_t i = 0; i < count && status == EXIT_YES; i++) {
		if (shown[i])
			continue;
		if (i || !options->quiet)
			fputc('\n', page->out);
		status = put_group(page, loaded, options, chosen + i, count - i, shown + i);
	}
	if (disabled && !options->quiet)
		fprintf(page->out, "\n%zu disabled device%s not shown (--all shows them)\n",
			disabled, disabled == 1 ? " is" : "s are");
	free(chosen);
	free(shown);
	return status;
}

int show_text(const struct loaded *loaded, const struct options *options,
	      const busway_device_id *devices, size_t count, bool one)
{
	struct page page;
	int status;

	if (!page_open(&page, options))
		return EXIT_BAD;
	if (!one && !options->quiet)
		put_platform(&page, loaded, options);
	status = one ? put_device(&page, loaded, options, devices[0])
		     : put_groups(&page, loaded, options, devices, count);
	if (status == EXIT_BAD) {
		fclose(page.out);
		free(page.text);
		return status;
	}
	return page_print(&page, status);
}
