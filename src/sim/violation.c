/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * violation.c - what went wrong: counted all, kept while there is room, told in words.
 */
#include "../base/text.h"

#include "sim_internal.h"

/* ---- keeping ---- */

void sim_violate(struct busway_machine *machine, const struct busway_violation *violation)
{
	machine->violations++;
	machine->counts[violation->kind]++;
	machine->misuses[violation->misuse]++;
	if (machine->record_count == machine->options.records)
		return;
	machine->records[machine->record_count] = *violation;
	machine->records[machine->record_count++].number = machine->violations;
}

struct busway_violation sim_violation(const struct busway_machine *machine,
				      enum busway_violation_kind kind, busway_device_id device,
				      enum busway_access access,
				      const struct busway_landing *landing)
{
	const bool at_iommu =
		kind >= BUSWAY_VIOLATION_IOMMU_FAULT && kind <= BUSWAY_VIOLATION_TABLE_GONE;

	return (struct busway_violation){
		.kind = kind,
		.device = device,
		.name = sim_device(machine, device)->name,
		.access = access,
		.asked = landing->dma,
		.hop = at_iommu ? landing->iommu
				: busway_platform_space(machine->platform, landing->space)->name,
		.by = at_iommu          ? landing->reason
		      : landing->region ? landing->region->name
		      : landing->window ? landing->window->name
					: NULL,
		.at = landing->at,
	};
}

void sim_blind(struct busway_machine *machine)
{
	sim_violate(machine, &(struct busway_violation){.kind = BUSWAY_VIOLATION_BLIND,
							.device = BUSWAY_NO_DEVICE,
							.name = "the simulated machine"});
}

/* ---- reading ---- */

uint64_t busway_machine_violations(const struct busway_machine *machine)
{
	return machine->violations;
}

uint64_t busway_machine_count(const struct busway_machine *machine, enum busway_violation_kind kind)
{
	return (unsigned)kind < BUSWAY_VIOLATION_COUNT ? machine->counts[kind] : 0;
}

uint64_t busway_machine_misuses(const struct busway_machine *machine, enum busway_misuse misuse)
{
	return misuse != BUSWAY_NO_MISUSE && (unsigned)misuse < BUSWAY_MISUSE_COUNT
		       ? machine->misuses[misuse]
		       : 0;
}

const struct busway_violation *busway_machine_violation(const struct busway_machine *machine,
							size_t index)
{
	return index < machine->record_count ? &machine->records[index] : NULL;
}

void busway_machine_clear(struct busway_machine *machine)
{
	machine->violations = 0;
	machine->record_count = 0;
	memset(machine->counts, 0, sizeof(machine->counts));
	memset(machine->misuses, 0, sizeof(machine->misuses));
}

/* ---- words ---- */

const char *busway_violation_code(enum busway_violation_kind kind)
{
	static const char *const codes[] = {"",
#define X(id, code, text) code,
					    BUSWAY_VIOLATIONS(X)
#undef X
	};

	return (unsigned)kind < BUSWAY_VIOLATION_COUNT ? codes[kind] : "";
}

const char *busway_violation_sentence(enum busway_violation_kind kind)
{
	static const char *const sentences[] = {"",
#define X(id, code, text) text,
						BUSWAY_VIOLATIONS(X)
#undef X
	};

	return (unsigned)kind < BUSWAY_VIOLATION_COUNT ? sentences[kind] : "";
}

static const char *misuse_sentence(enum busway_misuse misuse)
{
	static const char *const sentences[] = {"",
#define X(id, code, text) text,
						BUSWAY_MISUSES(X)
#undef X
	};

	return (unsigned)misuse < BUSWAY_MISUSE_COUNT ? sentences[misuse] : "";
}

static void put_access(struct text *text, const struct busway_violation *v)
{
	static const char *const verbs[] = {": ", " reads ", " writes ", " reads and writes "};

	if (v->name)
		text_put(text, v->name);
	text_put(text, verbs[v->access & BUSWAY_READ_WRITE]);
	if (v->access) {
		text_put(text, v->device.index == BUSWAY_NO_DEVICE.index ? "CPU " : "dma ");
		text_put_range(text, v->asked);
		text_put(text, ": ");
	}
}

static void put_hop(struct text *text, const struct busway_violation *v)
{
	text_put(text, "; at ");
	text_put(text, v->hop);
	text_put(text, " ");
	text_put_range(text, v->at);
	if (v->by) {
		text_put(text, ", ");
		text_put(text, v->by);
	}
}

static void put_trace(struct text *text, const struct busway_trace *t)
{
	static const char *const directions[] = {"", "to-device", "from-device", "bidirectional"};

	text_put(text, t->live ? "; mapping " : "; mapping, gone by now, ");
	text_put_decimal(text, t->number);
	text_put(text, t->kind == BUSWAY_KIND_COHERENT ? ": coherent, dma " : ": ");
	if (t->kind != BUSWAY_KIND_COHERENT) {
		text_put(text, directions[t->direction & 3]);
		text_put(text, ", dma ");
	}
	text_put_range(text, busway_dma_raw(t->dma));
	text_put(text, ", CPU ");
	text_put_hex(text, t->phys.raw);
}

size_t busway_violation_text(const struct busway_violation *violation, char *buf, size_t size)
{
	struct text text = text_open(buf, size);

	put_access(&text, violation);
	text_put(&text, violation->kind == BUSWAY_VIOLATION_MISUSE
				? misuse_sentence(violation->misuse)
				: busway_violation_sentence(violation->kind));
	if (violation->hop)
		put_hop(&text, violation);
	if (violation->has_trace)
		put_trace(&text, &violation->trace);
	text_close(&text);
	return text.length;
}
