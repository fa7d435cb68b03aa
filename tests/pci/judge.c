/* SPDX-License-Identifier: BSD-2-Clause */
#include "judge.h"

#include "../support/test.h"

#include <stdlib.h>
#include <string.h>

/* IOVAs are the CPU's addresses and these bits: nobody below the root complex answers there. */
#define IOVA_BITS 0xf000000000000000

/* What the fabric is told; .all overrides chance. */
struct told {
	const struct tree *tree;
	const struct busway_pci *pci;
	const struct busway_p2p_policy *policy;
	bool all_carry, none_carries;
	bool as_known;    /* forwards only what is known to */
	bool stays_below; /* nothing comes through a root complex */
};

/* ---- facts about chips, once more ---- */

static bool is_known(const struct told *t, uint32_t host, bool same)
{
	for (uint32_t i = 0; i < busway_pci_count(t->pci); i++) {
		const struct busway_pci_function *f =
			busway_pci_function(t->pci, (busway_pci_id){i});

		if (busway_pci_host_of(t->pci, (busway_pci_id){i}).index != host)
			continue;
		/* the first one of the host; Skylake-E, or Sandy Bridge-EP within one */
		return f->vendor == 0x8086 &&
		       (f->device == 0x2030 || (f->device == 0x3c00 && same));
	}
	return false;
}

static bool known_to_forward(const struct told *t, uint32_t a, uint32_t b)
{
	return t->policy->cpu_zen || t->policy->trust_unknown ||
	       (is_known(t, a, a == b) && is_known(t, b, a == b));
}

static bool forwards(void *ctx, busway_pci_host_id from, busway_pci_host_id to)
{
	const struct told *t = ctx;

	if (t->stays_below)
		return false;
	return known_to_forward(t, from.index, to.index) ||
	       (!t->as_known && t->tree->forwards[from.index][to.index]);
}

static bool carries(void *ctx, busway_pci_id function)
{
	const struct told *t = ctx;

	return t->all_carry || (!t->none_carries && t->tree->carries[function.index]);
}

static bool translate(void *ctx, busway_pci_id initiator, uint64_t address,
		      enum busway_access access, uint64_t *phys)
{
	(void)ctx;
	(void)initiator;
	(void)access;
	*phys = address & ~IOVA_BITS;
	return (address & IOVA_BITS) == IOVA_BITS;
}

static struct busway_pci_fabric *make_fabric(struct told *told)
{
	const struct busway_pci_fabric_options options = {
		.ctx = told, .forwards = forwards, .carries = carries, .translate = translate};
	struct busway_pci_fabric *fabric;

	assert_int_equal(busway_pci_fabric_create(told->pci, &options, &tree_memory, &fabric), 0);
	return fabric;
}

/* ---- which bytes ---- */

struct points {
	uint64_t offsets[64];
	size_t count;
};

static void add_point(struct points *p, uint64_t address, struct busway_range bar)
{
	if (address < bar.first || address > bar.last || p->count == 64)
		return;
	for (size_t i = 0; i < p->count; i++)
		if (p->offsets[i] == address - bar.first)
			return;
	p->offsets[p->count++] = address - bar.first;
}

/* First and last, and wherever some claim begins or ends in it. */
static struct points points_of(const struct busway_pci *pci, struct busway_range bar)
{
	struct points p = {.count = 0};

	add_point(&p, bar.first, bar);
	add_point(&p, bar.last, bar);
	for (uint32_t i = 0; i < busway_pci_count(pci); i++) {
		const struct busway_pci_function *f = busway_pci_function(pci, (busway_pci_id){i});
		const struct busway_range *ranges[BUSWAY_PCI_BARS + 2];
		size_t count = 0;

		for (unsigned k = 0; k < BUSWAY_PCI_BARS; k++)
			if (f->bars[k].assigned)
				ranges[count++] = &f->bars[k].bus;
		if (busway_pci_is_bridge(f->type)) {
			ranges[count++] = &f->bridge.memory;
			ranges[count++] = &f->bridge.prefetch;
		}
		for (size_t k = 0; k < count; k++) {
			add_point(&p, ranges[k]->first, bar);
			add_point(&p, ranges[k]->first - 1, bar);
			add_point(&p, ranges[k]->last, bar);
			add_point(&p, ranges[k]->last + 1, bar);
		}
	}
	return p;
}

/* ---- execution ---- */

struct trial {
	const struct busway_pci *pci;
	busway_pci_id a, b;
	unsigned bar;
	struct busway_range range;
	struct points points;
};

static bool arrives_at(const struct busway_pci_fabric *fabric, const struct trial *t, uint64_t base,
		       bool translated, struct busway_pci_outcome *out)
{
	for (size_t i = 0; i < t->points.count; i++) {
		const uint64_t offset = t->points.offsets[i];

		for (int access = BUSWAY_READ; access <= BUSWAY_WRITE; access++) {
			busway_pci_fabric_route(fabric,
						&(struct busway_pci_request){
							t->a, base + offset,
							(enum busway_access)access, translated},
						out);
			if (out->end != BUSWAY_PCI_ARRIVED || out->function.index != t->b.index ||
			    out->bar != t->bar || out->offset != offset)
				return false;
		}
	}
	return true;
}

/* By the form of address that @verdict says. */
static bool verdict_arrives(const struct busway_pci_fabric *fabric, const struct trial *t,
			    enum busway_p2p_verdict verdict, uint64_t cpu,
			    struct busway_pci_outcome *out)
{
	const struct busway_pci_function *f = busway_pci_function(t->pci, t->a);

	switch (verdict) {
	case BUSWAY_P2P_SWITCH:
		return arrives_at(fabric, t, t->range.first, false, out);
	case BUSWAY_P2P_HOST_BRIDGE:
		return arrives_at(fabric, t, cpu, false, out);
	case BUSWAY_P2P_IOMMU:
		return arrives_at(fabric, t, cpu | IOVA_BITS, false, out) &&
		       (!f->ats_enabled || arrives_at(fabric, t, cpu, true, out));
	default:
		return false;
	}
}

/* Write something by the fabric, see it in the BAR, read it back. */
static void carry_bytes(struct busway_pci_fabric *fabric, const struct trial *t, uint64_t address)
{
	const uint8_t sent[4] = {0xb5, 0x1e, (uint8_t)t->a.index, (uint8_t)address};
	uint8_t got[4] = {0}, back[4] = {0};
	struct busway_pci_outcome out;

	if (busway_range_span(t->range) < 3)
		return;
	assert_int_equal(busway_pci_fabric_write(fabric, t->a, address, sent, 4, &out), 0);
	busway_pci_fabric_look(fabric, t->b, t->bar, 0, got, 4);
	assert_memory_equal(sent, got, 4);
	assert_int_equal(busway_pci_fabric_read(fabric, t->a, address, back, 4, &out), 0);
	assert_memory_equal(sent, back, 4);
}

struct court {
	struct told by_chance, carrying, not_carrying;
	struct busway_pci *raw, *truth, *seen;
	struct busway_pci_fabric *raw_fabric, *fabric, *carrying_fabric, *not_carrying_fabric;
	const struct busway_p2p_policy *policy;
	bool all_seen;
	struct score *score;
};

static void print_tree(const struct busway_pci *pci)
{
	char acs[40];

	for (uint32_t i = 0; i < busway_pci_count(pci); i++) {
		const struct busway_pci_function *f = busway_pci_function(pci, (busway_pci_id){i});

		print_message("%*s%s type %u acs %u cap %x ctl %s ec %02x%02x port %u",
			      2 * (int)busway_pci_depth(pci, (busway_pci_id){i}), "",
			      busway_pci_name(pci, (busway_pci_id){i}), f->type, f->acs.known,
			      f->acs.capability, busway_acs_text(f->acs.control, acs, sizeof(acs)),
			      f->acs.egress[1], f->acs.egress[0], f->port_number);
		if (f->ats_enabled || f->translated)
			print_message(" ats %u translated %u", f->ats_enabled, f->translated);
		if (busway_pci_is_bridge(f->type))
			print_message(
				" buses %x-%x mem %u %llx-%llx pf %u %llx-%llx",
				f->bridge.secondary, f->bridge.subordinate, f->bridge.memory_open,
				(unsigned long long)f->bridge.memory.first,
				(unsigned long long)f->bridge.memory.last, f->bridge.prefetch_open,
				(unsigned long long)f->bridge.prefetch.first,
				(unsigned long long)f->bridge.prefetch.last);
		for (unsigned k = 0; k < BUSWAY_PCI_BARS; k++)
			if (f->bars[k].assigned)
				print_message(" bar%u %llx-%llx cpu %llx", k,
					      (unsigned long long)f->bars[k].bus.first,
					      (unsigned long long)f->bars[k].bus.last,
					      (unsigned long long)f->bars[k].cpu.raw);
		print_message("\n");
	}
}

static void complain(const struct court *c, const struct trial *t, const struct busway_p2p *d,
		     const struct busway_pci_outcome *out, const char *what)
{
	if (getenv("BUSWAY_TREE"))
		print_tree(t->pci);
	fail_msg("BUSWAY_SEED=%llu: %s: %s -> %s bar %u: verdict %d certain %d reason %s (%s); the "
		 "fabric: %s at %s "
		 "after %zu hops",
		 (unsigned long long)c->score->seed, what, busway_pci_name(t->pci, t->a),
		 busway_pci_name(t->pci, t->b), t->bar, (int)d->verdict, d->certain,
		 busway_reason_code(d->refusal.reason), d->refusal.hop ? d->refusal.hop : "-",
		 busway_pci_end_code(out->end),
		 busway_pci_some(out->function) ? busway_pci_name(t->pci, out->function) : "-",
		 out->hop_count);
}

/* ---- a pair ---- */

static bool delivers_always(struct court *c, const struct trial *t, enum busway_p2p_verdict verdict,
			    uint64_t cpu, struct busway_pci_outcome *out)
{
	c->carrying.stays_below = c->not_carrying.stays_below = verdict == BUSWAY_P2P_SWITCH;
	return verdict_arrives(c->carrying_fabric, t, verdict, cpu, out) &&
	       verdict_arrives(c->not_carrying_fabric, t, verdict, cpu, out);
}

static void judge_refusal(struct court *c, const struct trial *t, const struct busway_p2p *d,
			  uint64_t cpu)
{
	const bool translated = busway_pci_function(t->pci, t->a)->translated;
	struct busway_pci_outcome out = {0};

	if (!c->all_seen || !d->certain)
		return;
	if (delivers_always(c, t, BUSWAY_P2P_SWITCH, cpu, &out) ||
	    delivers_always(c, t, translated ? BUSWAY_P2P_IOMMU : BUSWAY_P2P_HOST_BRIDGE, cpu,
			    &out)) {
		complain(c, t, d, &out, "refused, although it arrives");
	}
}

static void judge_needs(const struct court *c, const struct trial *t, const struct busway_p2p *d,
			uint64_t cpu)
{
	struct busway_pci_outcome out = {0};

	const bool arrives = verdict_arrives(c->raw_fabric, t, d->verdict, cpu, &out);

	/* through the root complex, what only completions pass is counted, too */
	if (d->needs == 0 ? !arrives : arrives && d->verdict == BUSWAY_P2P_SWITCH)
		complain(c, t, d, &out, "what has to be turned on is wrong");
}

static void judge_pair(struct court *c, uint32_t a, uint32_t b, unsigned bar)
{
	const struct busway_pci_bar *memory =
		&busway_pci_function(c->truth, (busway_pci_id){b})->bars[bar];
	struct trial t = {.pci = c->truth, .a = {a}, .b = {b}, .bar = bar};
	struct busway_pci_outcome out = {0};
	struct busway_p2p d;

	busway_p2p_decide(c->seen, t.a, t.b, bar, c->policy, &d);
	c->score->verdicts[d.verdict]++;
	c->score->uncertain += !d.certain;
	if ((d.verdict == BUSWAY_P2P_REFUSED) != (d.refusal.reason != BUSWAY_NOT_REFUSED))
		complain(c, &t, &d, &out, "a reason where there is none, or none");
	if (memory->kind == BUSWAY_BAR_NONE)
		return;
	t.range = memory->bus;
	t.points = points_of(c->truth, t.range);
	if (d.verdict == BUSWAY_P2P_REFUSED) {
		judge_refusal(c, &t, &d, memory->cpu.raw);
		return;
	}
	if (!d.certain)
		return;
	if (!verdict_arrives(c->fabric, &t, d.verdict, memory->cpu.raw, &out))
		complain(c, &t, &d, &out, "it does not arrive");
	judge_needs(c, &t, &d, memory->cpu.raw);
	c->score->carried++;
	carry_bytes(c->fabric, &t,
		    d.verdict == BUSWAY_P2P_SWITCH        ? t.range.first
		    : d.verdict == BUSWAY_P2P_HOST_BRIDGE ? memory->cpu.raw
							  : memory->cpu.raw | IOVA_BITS);
}

static void judge_symmetry(const struct busway_pci *pci, uint32_t a, uint32_t b,
			   const struct busway_p2p_policy *policy)
{
	struct busway_p2p x, y;

	busway_p2p_decide(pci, (busway_pci_id){a}, (busway_pci_id){b}, BUSWAY_P2P_ANY_BAR, policy,
			  &x);
	busway_p2p_decide(pci, (busway_pci_id){b}, (busway_pci_id){a}, BUSWAY_P2P_ANY_BAR, policy,
			  &y);
	assert_int_equal(x.distance, y.distance);
	assert_int_equal(x.common.index, y.common.index);
	assert_int_equal(busway_p2p_forwards(pci, (busway_pci_id){a}, (busway_pci_id){b}, policy),
			 busway_p2p_forwards(pci, (busway_pci_id){b}, (busway_pci_id){a}, policy));
}

static bool initiates(const struct busway_pci *pci, uint32_t index)
{
	return !busway_pci_is_bridge(busway_pci_function(pci, (busway_pci_id){index})->type);
}

void judge_tree(const struct tree *truth, const struct tree *seen, bool all_seen,
		const struct busway_p2p_policy *policy, struct score *score)
{
	struct tree *enabled = malloc(sizeof(*enabled));
	struct court c = {.policy = policy, .all_seen = all_seen, .score = score};

	assert_non_null(enabled);
	*enabled = *truth;
	tree_enable(enabled);
	c.raw = tree_seal(truth);
	c.truth = tree_seal(enabled);
	c.seen = tree_seal(seen);
	c.by_chance = (struct told){.tree = truth, .pci = c.truth, .policy = policy};
	c.carrying = c.not_carrying = c.by_chance;
	c.carrying.all_carry = c.carrying.as_known = true;
	c.not_carrying.none_carries = c.not_carrying.as_known = true;
	c.fabric = make_fabric(&c.by_chance);
	c.carrying_fabric = make_fabric(&c.carrying);
	c.not_carrying_fabric = make_fabric(&c.not_carrying);
	c.by_chance.pci = c.raw;
	c.raw_fabric = make_fabric(&c.by_chance);
	for (uint32_t a = 0; a < truth->count; a++)
		for (uint32_t b = 0; initiates(c.truth, a) && b < truth->count; b++) {
			if (a == b || !initiates(c.truth, b))
				continue;
			judge_pair(&c, a, b, 0);
			judge_pair(&c, a, b, 2);
			if (a < b)
				judge_symmetry(c.seen, a, b, policy);
		}
	busway_pci_fabric_destroy(c.raw_fabric);
	busway_pci_fabric_destroy(c.fabric);
	busway_pci_fabric_destroy(c.carrying_fabric);
	busway_pci_fabric_destroy(c.not_carrying_fabric);
	busway_pci_destroy(c.raw);
	busway_pci_destroy(c.truth);
	busway_pci_destroy(c.seen);
	free(enabled);
}
