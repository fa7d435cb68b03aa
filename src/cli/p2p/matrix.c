/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * matrix.c - all pairs for people: one row an initiator, one column a target, one character a pair.
 *
 *                    1 111
 *             012 34567890 123       A gap where another group begins; columns that do not fit
 *  pci0000:00                        into the line follow below, with all rows again.
 *    0 00:02.0  \.. ........ ...
 */
#include "p2p.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { WIDTH_USUAL = 120, WIDTH_LEAST = 40 };

/* The matrix as it is going to be printed. */
struct matrix {
	const struct question *question;
	struct place *places;
	size_t count;
	char *letters, *distances; /* by row, then by column */
	bool with_domains;
	int number_width, name_width;
	/* of the pairs of two functions */
	size_t pairs, by_verdict[4], uncertain;
	size_t different, surer, less_sure; /* what the other view says */
	size_t by_reason[BUSWAY_REASON_COUNT];
};

/* ---- deciding ---- */

/* Lower case where it is not certain. */
static char letter_of(const struct busway_p2p *p)
{
	return (p->certain ? ".SHI" : "?shi")[p->verdict];
}

static char distance_letter(unsigned distance)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";

	return distance < sizeof(digits) - 1 ? digits[distance] : '+';
}

static void count_pair(struct matrix *m, const struct views *v)
{
	m->pairs++;
	m->by_verdict[v->p.verdict]++;
	m->uncertain += !v->p.certain;
	if (v->p.verdict != v->other.verdict)
		m->different++;
	else if (v->differ)
		(*(v->other.certain ? &m->surer : &m->less_sure))++;
	m->by_reason[v->p.refusal.reason]++;
}

static void decide_all(struct matrix *m)
{
	for (size_t i = 0; i < m->count; i++) {
		for (size_t k = 0; k < m->count; k++) {
			const size_t at = i * m->count + k;
			struct views v;

			decide_both(m->question, m->places[i].id, m->places[k].id, &v);
			m->letters[at] = i == k ? '\\' : letter_of(&v.p);
			m->distances[at] = distance_letter(v.p.distance);
			if (i != k)
				count_pair(m, &v);
		}
	}
}

/* ---- layout ---- */

static int digits_of(size_t value)
{
	int digits = 1;

	for (; value >= 10; value /= 10)
		digits++;
	return digits;
}

/* Without the domain, where all have the same. */
static const char *short_name(const struct matrix *m, busway_pci_id id)
{
	const char *name = busway_pci_name(m->question->pci, id);

	return m->with_domains ? name : strchr(name, ':') + 1;
}

static void measure_names(struct matrix *m)
{
	const struct busway_pci *pci = m->question->pci;

	for (size_t i = 1; i < m->count; i++)
		if (busway_pci_function(pci, m->places[i].id)->at.domain !=
		    busway_pci_function(pci, m->places[0].id)->at.domain)
			m->with_domains = true;
	m->number_width = digits_of(m->count ? m->count - 1 : 0);
	for (size_t i = 0; i < m->count; i++) {
		const int width = (int)strlen(short_name(m, m->places[i].id));

		m->name_width = width > m->name_width ? width : m->name_width;
	}
}

static int line_width(void)
{
	struct winsize size;

	if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 &&
	    size.ws_col >= WIDTH_LEAST)
		return size.ws_col;
	return WIDTH_USUAL;
}

/* Behind the last column that fits into a line with column @from. */
static size_t end_of_band(const struct matrix *m, size_t from)
{
	int left = line_width() - (m->number_width + m->name_width + 5);
	size_t i = from;

	for (; i < m->count; i++) {
		left -= 1 + (i > from && begins_group(m->places, i));
		if (left < 0)
			break;
	}
	return i > from ? i : from + 1;
}

/* ---- printing ---- */

static void put_indent(struct page *page, const struct matrix *m)
{
	fprintf(page->out, "%*s", m->number_width + m->name_width + 5, "");
}

/* The numbers of the columns, one digit a line. */
static void put_head(struct page *page, const struct matrix *m, size_t from, size_t end)
{
	size_t unit = 1;

	for (int i = 1; i < m->number_width; i++)
		unit *= 10;
	for (; unit; unit /= 10) {
		put_indent(page, m);
		for (size_t i = from; i < end; i++) {
			if (i > from && begins_group(m->places, i))
				fputc(' ', page->out);
			fputc(i < unit && unit > 1 ? ' ' : (char)('0' + i / unit % 10), page->out);
		}
		fputc('\n', page->out);
	}
}

static void put_group(struct page *page, const struct matrix *m, const struct place *place)
{
	const struct busway_pci *pci = m->question->pci;
	const busway_pci_host_id host = {place->host};
	const busway_pci_id bridge = {place->group};

	fputs("  ", page->out);
	put_safe(page, busway_pci_host(pci, host)->name);
	if (busway_pci_some(bridge))
		fprintf(page->out, ", below %s %s",
			function_type_name(busway_pci_function(pci, bridge)->type),
			short_name(m, bridge));
	fputc('\n', page->out);
}

static void put_letter(struct page *page, char letter)
{
	if (letter == '\\')
		put_styled(page, STYLE_DIM, "%c", letter);
	else if (strchr("SHI", letter))
		put_styled(page, STYLE_GOOD, "%c", letter);
	else if (letter == '.')
		put_styled(page, STYLE_BAD, "%c", letter);
	else
		put_styled(page, STYLE_BOLD, "%c", letter);
}

static void put_row(struct page *page, const struct matrix *m, const char *cells, size_t row,
		    size_t from, size_t end)
{
	const char *line = cells + row * m->count;

	fprintf(page->out, "  %*zu %-*s  ", m->number_width, row, m->name_width,
		short_name(m, m->places[row].id));
	for (size_t i = from; i < end; i++) {
		if (i > from && begins_group(m->places, i))
			fputc(' ', page->out);
		if (page->color && cells == m->letters)
			put_letter(page, line[i]);
		else
			fputc(line[i], page->out);
	}
	fputc('\n', page->out);
}

static void put_cells(struct page *page, const struct matrix *m, const char *cells)
{
	for (size_t from = 0, end; from < m->count; from = end) {
		end = end_of_band(m, from);
		if (from)
			fputc('\n', page->out);
		put_head(page, m, from, end);
		for (size_t i = 0; i < m->count; i++) {
			if (begins_group(m->places, i))
				put_group(page, m, &m->places[i]);
			put_row(page, m, cells, i, from, end);
		}
	}
}

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

/* What refuses some pairs, where the text for one says "this" and "it". */
static const char *words_for_many(enum busway_reason reason)
{
	switch (reason) {
	case BUSWAY_PEER_ROUTE:
		return "the root complex is not known to forward from one device to another";
	case BUSWAY_NO_BAR:
		return "the target has no BAR of memory that has an address";
	case BUSWAY_BRIDGE_WINDOW:
		return "the windows of a bridge do not pass the BAR";
	case BUSWAY_BUS_CLAIMED:
		return "something else on the way answers to the address of the BAR";
	case BUSWAY_ACS_BLOCKED:
		return "ACS egress control forbids it";
	case BUSWAY_ACS_UNKNOWN:
		return "ACS decides, and could not be read";
	case BUSWAY_WIRING_UNKNOWN:
		return "what is above one of the two could not be read, or contradicts itself";
	case BUSWAY_ACS_NO_UPSTREAM:
		return "what ACS sends up leads back down at a port that does not forward it (UF "
		       "is off)";
	default:
		return busway_reason_text(reason);
	}
}

static void put_counts(struct page *page, const struct matrix *m)
{
	static const char *const names[] = {"refused", "inside a switch", "through a host bridge",
					    "through an IOMMU"};
	const char *separator = ": ";

	fprintf(page->out, "%zu pair%s", m->pairs, plural(m->pairs));
	for (int verdict = 3; verdict >= 0; verdict--) {
		if (!m->by_verdict[verdict])
			continue;
		fprintf(page->out, "%s%zu %s", separator, m->by_verdict[verdict], names[verdict]);
		separator = ", ";
	}
	if (m->uncertain)
		fprintf(page->out, "; %zu of them uncertain", m->uncertain);
	fputc('\n', page->out);
	for (unsigned reason = BUSWAY_NOT_REFUSED + 1; reason < BUSWAY_REASON_COUNT; reason++)
		if (m->by_reason[reason])
			fprintf(page->out, "  %zu %s: %s\n", m->by_reason[reason],
				busway_reason_code(reason), words_for_many(reason));
}

/* How the other view differs: in the verdict, or in how certain it is. */
static void put_other(struct page *page, const struct matrix *m)
{
	const enum busway_p2p_view other = other_view(m->question->policy.view);
	const char *who = other == BUSWAY_P2P_LINUX ? "by Linux" : "as the route carries it";

	if (m->different)
		fprintf(page->out,
			"%zu pair%s would be answered otherwise %s (--policy %s; both views of a "
			"pair: busway p2p PLATFORM A B)\n",
			m->different, plural(m->different), who, view_name(other));
	if (m->surer)
		fprintf(page->out, "%zu pair%s would be answered the same %s, and for certain\n",
			m->surer, plural(m->surer), who);
	if (m->less_sure)
		fprintf(page->out,
			"%zu pair%s would be answered the same %s, but not for certain\n",
			m->less_sure, plural(m->less_sure), who);
}

/* What else there is to say of all pairs. */
static void put_remarks(struct page *page, const struct matrix *m)
{
	const struct question *q = m->question;
	const size_t folded = q->a_count - m->count;

	put_other(page, m);
	if (folded)
		fprintf(page->out, "%zu function%s without memory of %s own left out (--all)\n",
			folded, plural(folded), folded == 1 ? "its" : "their");
	if (q->cpu_unknown &&
	    (m->by_reason[BUSWAY_PEER_ROUTE] || m->by_reason[BUSWAY_ACS_REDIRECT]))
		fputs("the processor is not known: AMD from family 17h on forwards (--cpu zen)\n",
		      page->out);
}

static int print(const struct matrix *m, const struct options *options)
{
	struct page page;

	if (!page_open(&page, options))
		return EXIT_BAD;
	if (!options->quiet)
		fprintf(page.out, "%s: rows emit requests to the memory of columns%s\n",
			m->question->loaded->source,
			m->question->policy.view == BUSWAY_P2P_LINUX ? ", as Linux decides" : "");
	put_cells(&page, m, m->letters);
	if (!options->quiet) {
		fputs("S switch, H host bridge, I IOMMU, . refused, \\ itself; s h i ? the same, "
		      "not certain\n",
		      page.out);
		put_counts(&page, m);
		put_remarks(&page, m);
	}
	if (options->verbose) {
		fputs("\ndistances, as Linux counts them (a is 10, b is 11, ...)\n", page.out);
		put_cells(&page, m, m->distances);
	}
	put_gaps(&page, m->question, options);
	return page_print(&page, EXIT_YES);
}

int p2p_matrix(const struct question *q, const struct options *options)
{
	struct matrix m = {.question = q};
	int status = EXIT_BAD;

	m.places = make_places(q, options->all, &m.count);
	if (!m.places)
		return EXIT_BAD;
	m.letters = malloc(m.count * m.count + 1);
	m.distances = malloc(m.count * m.count + 1);
	if (m.letters && m.distances) {
		measure_names(&m);
		decide_all(&m);
		status = print(&m, options);
	} else {
		complain("%s: out of memory", q->loaded->source);
	}
	free(m.letters);
	free(m.distances);
	free(m.places);
	return status;
}
