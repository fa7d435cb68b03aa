/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iova_text.c - `busway show --iova` for people: the space from its beginning to its end, and who
 * took what away.
 */
#include "iova.h"

#include <stdlib.h>

static void put_members(struct page *page, const struct loaded *loaded,
			const struct iova_group *group)
{
	for (size_t i = 0; i < group->count; i++) {
		const struct busway_device *d =
			busway_platform_device(loaded->platform, group->devices[i]);

		put_styled(page, STYLE_BOLD, "%s", d->name);
		fprintf(page->out, "  %s%s", kind_name(d->kind),
			d->is_bridge_itself                      ? " itself, as a master"
			: d->own.index != BUSWAY_NO_DEVICE.index ? " (its functions)"
								 : "");
		if (d->behind_iommu)
			fprintf(page->out, ", %sbehind %s",
				iommu_is_unknown(loaded, d) ? "perhaps " : "", iommu_name(d));
		else
			fputs(", behind no IOMMU: what it emits is not translated", page->out);
		fputs(i < group->named ? "\n" : ", shares a stream with them\n", page->out);
	}
}

static void put_total(struct page *page, const struct iova_group *group)
{
	struct busway_range size;

	fprintf(page->out,
		"  IOVAs that %s: ", group->count > 1 ? "all of them can use" : "it can use");
	if (usable_size(&group->iova, &size))
		put_size(page, size);
	else
		put_styled(page, STYLE_BAD, "none");
	fputc('\n', page->out);
}

/* ####  what can be used;  ....  what cannot, and why */
static bool put_space(struct page *page, const struct iova_group *group)
{
	size_t count;
	struct iova_part *parts = make_parts(&group->iova, &count);

	for (size_t i = 0; parts && i < count; i++) {
		char causes[128], size[32];

		causes_text(parts[i].causes, causes, sizeof(causes));
		size_text(size, sizeof(size), parts[i].range);
		fputs("    ", page->out);
		put_styled(page, parts[i].causes ? STYLE_DIM : STYLE_GOOD, "%s",
			   parts[i].causes ? "...." : "####");
		fputs("  ", page->out);
		put_range(page, parts[i].range, 16);
		fprintf(page->out, *causes ? "  %-11s  %s\n" : "  %s\n", size, causes);
	}
	free(parts);
	return parts;
}

static void put_removed(struct page *page, const struct busway_iova *iova)
{
	if (iova->removed_count)
		fputs("  taken away\n", page->out);
	for (size_t i = 0; i < iova->removed_count; i++) {
		const struct busway_iova_removed *r = &iova->removed[i];
		char text[512], size[32];

		removed_text(r, text, sizeof(text));
		size_text(size, sizeof(size), r->range);
		fputs("    ", page->out);
		put_range(page, r->range, 16);
		fprintf(page->out, "  %-11s  %s: ", size, iova_cause_name(r->cause));
		put_safe(page, text);
		fputc('\n', page->out);
	}
}

int iova_text(const struct loaded *loaded, const struct options *options,
	      const struct iova_groups *groups)
{
	struct page page;
	bool ok = true;

	if (!page_open(&page, options))
		return EXIT_BAD;
	if (!groups->count && !options->quiet)
		fputs("no device is behind an IOMMU (name one to see what it can emit)\n",
		      page.out);
	for (size_t i = 0; ok && i < groups->count; i++) {
		if (i)
			fputc('\n', page.out);
		put_members(&page, loaded, &groups->list[i]);
		put_total(&page, &groups->list[i]);
		ok = put_space(&page, &groups->list[i]);
		put_removed(&page, &groups->list[i].iova);
	}
	if (groups->count && !groups->reports.count && !options->quiet)
		fputs("\nHow many bits an IOMMU itself translates, and where it keeps MSI windows, "
		      "no tree tells:\nadd what VFIO or iommufd says with --reported.\n",
		      page.out);
	if (ok)
		return page_print(&page, EXIT_YES);
	fclose(page.out);
	free(page.text);
	return EXIT_BAD;
}
