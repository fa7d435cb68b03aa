/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * refusal.c - sentences from refusal records, and the texts of codes.
 */
#include "../base/text.h"

#include <busway/acs.h>
#include <busway/busway.h>

static const struct {
	const char *code, *text;
} reasons[BUSWAY_REASON_COUNT] = {{"", ""},
#define X(id, code, text) {code, text},
				  BUSWAY_REASONS(X)
#undef X
};

static const struct {
	const char *code, *text;
} notes[BUSWAY_NOTE_COUNT] = {
#define X(id, code, text) {code, text},
	BUSWAY_NOTES(X)
#undef X
};

const char *busway_reason_code(enum busway_reason reason)
{
	return (unsigned)reason < BUSWAY_REASON_COUNT ? reasons[reason].code : "";
}

const char *busway_reason_text(enum busway_reason reason)
{
	return (unsigned)reason < BUSWAY_REASON_COUNT ? reasons[reason].text : "";
}

const char *busway_note_code(enum busway_note_code code)
{
	return (unsigned)code < BUSWAY_NOTE_COUNT ? notes[code].code : "";
}

const char *busway_note_text(enum busway_note_code code)
{
	return (unsigned)code < BUSWAY_NOTE_COUNT ? notes[code].text : "";
}

/* How the limit of each reason is put into words; NULL: it is not told. */
static const char *limit_words(const struct busway_refusal *refusal)
{
	switch (refusal->reason) {
	case BUSWAY_BEYOND_MASK:
	case BUSWAY_LIVE_MAPPING:
		return "it drives ";
	case BUSWAY_ADDRESS_BITS:
		return "the nearest it can emit is ";
	case BUSWAY_NO_WINDOW:
	case BUSWAY_BRIDGE_WINDOW:
		return "the nearest window is ";
	case BUSWAY_STRADDLES:
		return "one way goes ";
	case BUSWAY_ACCESS:
	case BUSWAY_APERTURE:
	case BUSWAY_SHADOWED:
	case BUSWAY_RESERVED:
	case BUSWAY_RESTRICTED:
	case BUSWAY_POOL_FULL:
	case BUSWAY_POOL_FRAGMENTED:
	case BUSWAY_POOL_TOO_SMALL:
	case BUSWAY_PEER_ROUTE:
	case BUSWAY_IOVA_TAKEN:
	case BUSWAY_IOVA_NOT_TAKEN:
	case BUSWAY_IOVA_WITHHELD:
	case BUSWAY_IOVA_NOT_ALLOWED:
	case BUSWAY_IOVA_MAPPED:
	case BUSWAY_IOVA_NOT_MAPPED:
	case BUSWAY_IOVA_CUT:
	case BUSWAY_VA_MAPPED:
	case BUSWAY_BUFFER_OVERLAP:
	case BUSWAY_BUFFER_PART:
	case BUSWAY_BUFFER_UNREACHED:
	case BUSWAY_BUFFER_ACCESS:
		return "which is ";
	case BUSWAY_BUFFER_UNKNOWN:
		return "the next one is ";
	case BUSWAY_BUFFER_END:
		return "in one buffer is ";
	case BUSWAY_IOVA_FULL:
	case BUSWAY_IOVA_NO_RUN:
	case BUSWAY_IOVA_SEARCH_CUT:
		return "within ";
	case BUSWAY_CACHE_LINE:
		return "the lines are ";
	case BUSWAY_LOW_BITS:
		return "it is ";
	case BUSWAY_NO_MEMORY:
		return refusal->by ? "which is " : "the nearest that is known is ";
	case BUSWAY_NO_ROOM:
		return "the longest is ";
	case BUSWAY_IOVA_WIDTH:
		return "it takes ";
	case BUSWAY_OUTPUT_WIDTH:
		return "they hold ";
	case BUSWAY_PAGE_ALIGNMENT:
		return "whole pages are ";
	case BUSWAY_ALREADY_MAPPED:
		return "what is mapped is ";
	case BUSWAY_NOT_MAPPED:
		return "nothing is at ";
	case BUSWAY_WOULD_SPLIT:
		return "the page is ";
	default:
		return NULL;
	}
}

/* Is it a number of bytes that was asked for, and no range of addresses? */
static bool asks_for_bytes(enum busway_reason reason)
{
	return reason == BUSWAY_NO_ROOM || reason == BUSWAY_NO_JOINT_MEMORY ||
	       reason == BUSWAY_UNKNOWN_MEMORY || reason == BUSWAY_NO_POOL ||
	       reason == BUSWAY_IOVA_FULL || reason == BUSWAY_IOVA_NO_RUN ||
	       reason == BUSWAY_IOVA_SEARCH_CUT;
}

/* Whose addresses are asked for? */
static const char *kind_of_address(const struct busway_refusal *refusal)
{
	switch (refusal->reason) {
	case BUSWAY_VA_MAPPED:
		return "memory ";
	case BUSWAY_BUFFER_OVERLAP:
	case BUSWAY_BUFFER_UNKNOWN:
	case BUSWAY_BUFFER_PART:
	case BUSWAY_BUFFER_END:
	case BUSWAY_BUFFER_UNREACHED:
	case BUSWAY_BUFFER_ACCESS:
		return "virtual ";
	default:
		return refusal->bus_addresses ? "bus " : "CPU ";
	}
}

static void put_asked(struct text *text, const struct busway_refusal *refusal)
{
	if (!asks_for_bytes(refusal->reason)) {
		text_put(text, kind_of_address(refusal));
		text_put_range(text, refusal->asked);
		text_put(text, ": ");
		return;
	}
	if (busway_range_span(refusal->asked) == UINT64_MAX)
		text_put(text, "all 2^64 bytes");
	else
		text_put_size(text, busway_range_span(refusal->asked) + 1);
	text_put(text, " wanted: ");
}

/* Who stands in the way, and the limit. */
static void put_limit(struct text *text, const struct busway_refusal *refusal)
{
	const char *words = refusal->has_limit ? limit_words(refusal) : NULL;

	if (!words && !refusal->by)
		return;
	text_put(text, " (");
	if (refusal->by) {
		text_put(text, refusal->by);
		text_put(text, words ? ", " : "");
	}
	if (words) {
		text_put(text, words);
		text_put_range(text, refusal->limit);
	}
	text_put(text, ")");
}

static void put_segments(struct text *text, const struct busway_refusal *refusal)
{
	text_put(text, "; it takes at most ");
	text_put_decimal(text, refusal->limit.last);
	text_put(text, " segments, ");
	if (refusal->needed > BUSWAY_SEGMENTS_MAX)
		text_put(text, "at least "); /* counting stopped there */
	text_put_decimal(text, refusal->needed);
	text_put(text, " are needed");
}

static void put_occupancy(struct text *text, const struct busway_refusal *refusal)
{
	text_put(text, "; ");
	text_put_size(text, refusal->needed);
	text_put(text, " wanted, ");
	text_put_size(text, refusal->pool.used);
	text_put(text, " of ");
	text_put_size(text, refusal->pool.size);
	text_put(text, " used, the longest free run is ");
	text_put_size(text, refusal->pool.longest);
}

size_t busway_refusal_detail(const struct busway_refusal *refusal, char *buf, size_t size)
{
	struct text text = text_open(buf, size);

	if (refusal->reason == BUSWAY_NOT_REFUSED)
		return 0;
	if (refusal->hop) {
		text_put(&text, refusal->hop);
		text_put(&text, ": ");
	}
	if (!refusal->no_addresses)
		put_asked(&text, refusal);
	/* something does answer there, and it is named */
	if (refusal->reason == BUSWAY_NO_MEMORY && refusal->by)
		text_put(&text, "what answers here is not memory");
	else
		text_put(&text, busway_reason_text(refusal->reason));
	put_limit(&text, refusal);
	if (refusal->reason == BUSWAY_SEGMENT_LIMITS && refusal->has_limit)
		put_segments(&text, refusal);
	if (refusal->pool.size)
		put_occupancy(&text, refusal);
	text_close(&text);
	return text.length;
}

/* Eight, eleven, eighteen. */
static bool sounds_like_a_vowel(unsigned bits)
{
	return bits == 8 || bits == 11 || bits == 18;
}

static void put_acs_advice(struct text *text, const struct busway_advice *advice)
{
	char bits[32];

	text_put(text, "clear ");
	text_put(text, busway_acs_text((uint16_t)advice->bits, bits, sizeof(bits)));
	text_put(text, " in the ACS control register of ");
	text_put(text, advice->hop);
	text_put(text, " (Linux: pci=disable_acs_redir=");
	text_put(text, advice->hop);
	text_put(text, "), which gives up isolation");
}

static void put_advice(struct text *text, const struct busway_advice *advice)
{
	switch (advice->kind) {
	case BUSWAY_ADVISE_MASK:
		text_put(text, sounds_like_a_vowel(advice->bits) ? "an " : "a ");
		text_put_decimal(text, advice->bits);
		text_put(text, "-bit mask would do");
		break;
	case BUSWAY_ADVISE_WINDOW_BASE:
		text_put(text, "a window's bus base must be below 2^");
		text_put_decimal(text, advice->bits);
		break;
	case BUSWAY_ADVISE_WINDOW:
		text_put(text, "a window of ");
		text_put(text, advice->hop ? advice->hop : "this hop");
		text_put(text, " that covers CPU ");
		text_put_range(text, advice->range);
		break;
	case BUSWAY_ADVISE_BOUNCE:
		text_put(text, "a bounce pool of ");
		text_put_size(text, advice->size);
		text_put(text, " inside CPU ");
		text_put_range(text, advice->range);
		break;
	case BUSWAY_ADVISE_POOL:
		text_put(text, "bounce through ");
		text_put(text, advice->hop);
		if (advice->range.last) {
			text_put(text, " inside CPU ");
			text_put_range(text, advice->range);
		}
		break;
	case BUSWAY_ADVISE_SPLIT:
		text_put(text, "split it behind ");
		text_put_hex(text, advice->range.last);
		break;
	case BUSWAY_ADVISE_NEAREST:
		text_put(text, advice->bus_addresses ? "the nearest that would do is bus "
						     : "the nearest that would do is CPU ");
		text_put_range(text, advice->range);
		break;
	case BUSWAY_ADVISE_DOMAIN:
		text_put(text, "map it in a domain of ");
		text_put(text, advice->hop ? advice->hop : "the IOMMU");
		text_put(text, ", or let the IOMMU pass this device untranslated");
		break;
	case BUSWAY_ADVISE_APERTURE:
		text_put(text, "move the aperture of ");
		text_put(text, advice->hop);
		text_put(text, " off bus ");
		text_put_range(text, advice->range);
		break;
	case BUSWAY_ADVISE_SMALLER:
		text_put(text, "ask for ");
		text_put_size(text, advice->size);
		text_put(text, " at most");
		break;
	case BUSWAY_ADVISE_UNMAP_FIRST:
		text_put(text, "unmap what is live at bus ");
		text_put_range(text, advice->range);
		text_put(text, " first");
		break;
	case BUSWAY_ADVISE_UNMAP_SOME:
		text_put(text, "wait until something is unmapped, or add a pool for ");
		text_put_size(text, advice->size);
		text_put(text, " more");
		break;
	case BUSWAY_ADVISE_OWN_LINES:
		text_put(text, "align it to cache lines of ");
		text_put_size(text, advice->size);
		text_put(text, ", or promise that nobody else writes to its lines");
		break;
	case BUSWAY_ADVISE_PLACE:
		text_put(text, "say where ");
		text_put(text, advice->hop);
		text_put(text, " was put");
		break;
	case BUSWAY_ADVISE_ACS:
		put_acs_advice(text, advice);
		break;
	case BUSWAY_ADVISE_PRIVILEGE:
		text_put(text, "read the configuration space of ");
		text_put(text, advice->hop);
		text_put(text, " as root: without privileges only its first 64 bytes can be read");
		break;
	case BUSWAY_ADVISE_ONE_SWITCH:
		text_put(text, "put both below one switch");
		break;
	case BUSWAY_ADVISE_MEMORY_NODE:
		text_put(text, "add the /memory node that the boot loader fills in, or ask with a "
			       "tree taken from the running machine");
		break;
	}
}

size_t busway_refusal_advice(const struct busway_refusal *refusal, char *buf, size_t size)
{
	struct text text = text_open(buf, size);

	for (unsigned i = 0; i < refusal->advice_count; i++) {
		text_put(&text, i ? "; or " : "");
		put_advice(&text, &refusal->advice[i]);
	}
	text_close(&text);
	return text.length;
}

const char *busway_version(void)
{
	return BUSWAY_VERSION;
}
