/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * answers_adapter.c - decides about pairs of functions of a machine that is described in JSON.
 *
 *   {"functions": [{"bus", "devfn", "type": a number of enum busway_pci_type, "vendor", "device",
 *                   "secondary", "subordinate", "windows": [[first, last] or null, ...]: memory,
 * and prefetchable memory; "bars": [[index, first, last], ...]}, ...], "questions": [{"initiator":
 * [bus, devfn], "target": [bus, devfn], "bar", "view"}, ...]}
 *
 * Addresses of the CPU are those on the bus. The answer is a list of
 * {"verdict", "certain", "distance", "address"}.
 */
#include <busway/p2p.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static void *take(void *ctx, size_t size, size_t align)
{
	(void)ctx;
	(void)align;
	return malloc(size);
}

static void give(void *ctx, void *mem, size_t size, size_t align)
{
	(void)ctx;
	(void)size;
	(void)align;
	free(mem);
}

static const struct busway_allocator memory = {take, give, NULL};

static uint64_t number(const json_t *of, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(of, key));
}

static uint64_t item(const json_t *of, size_t index)
{
	return (uint64_t)json_integer_value(json_array_get(of, index));
}

static bool read_window(const json_t *windows, size_t index, struct busway_range *range)
{
	const json_t *window = json_array_get(windows, index);

	*range = (struct busway_range){item(window, 0), item(window, 1)};
	return json_array_size(window) == 2;
}

static int add_function(struct busway_pci *pci, const json_t *described)
{
	const json_t *windows = json_object_get(described, "windows");
	const json_t *bars = json_object_get(described, "bars");
	struct busway_pci_function f = {
		.at = {0, (uint8_t)number(described, "bus"), (uint8_t)number(described, "devfn")},
		.type = (enum busway_pci_type)number(described, "type"),
		.vendor = (uint16_t)number(described, "vendor"),
		.device = (uint16_t)number(described, "device"),
		.config_size = 4096,
		.acs = {.known = BUSWAY_ABSENT},
		.ats = BUSWAY_ABSENT,
		.bridge = {.secondary = (uint8_t)number(described, "secondary"),
			   .subordinate = (uint8_t)number(described, "subordinate")},
	};

	f.bridge.memory_open = read_window(windows, 0, &f.bridge.memory);
	f.bridge.prefetch_open = read_window(windows, 1, &f.bridge.prefetch);
	for (size_t i = 0; i < json_array_size(bars); i++) {
		const json_t *bar = json_array_get(bars, i);

		f.bars[item(bar, 0) % BUSWAY_PCI_BARS] = (struct busway_pci_bar){
			.kind = BUSWAY_BAR_MEM64,
			.assigned = true,
			.sized = true,
			.has_cpu = true,
			.bus = {item(bar, 1), item(bar, 2)},
			.cpu = {item(bar, 1)},
		};
	}
	return busway_pci_add_function(pci, &f);
}

static busway_pci_id find(const struct busway_pci *pci, const json_t *at)
{
	return busway_pci_find(
		pci, (struct busway_pci_address){0, (uint8_t)item(at, 0), (uint8_t)item(at, 1)});
}

/* NULL: there are no such functions. */
static json_t *decide(const struct busway_pci *pci, const json_t *question)
{
	static const char *const verdicts[] = {"refused", "switch", "host-bridge", "iommu"};
	const char *view = json_string_value(json_object_get(question, "view"));
	const struct busway_p2p_policy policy = {
		.view = view && strcmp(view, "linux") == 0 ? BUSWAY_P2P_LINUX : BUSWAY_P2P_ROUTE};
	const busway_pci_id a = find(pci, json_object_get(question, "initiator"));
	const busway_pci_id b = find(pci, json_object_get(question, "target"));
	struct busway_p2p d;

	if (!busway_pci_some(a) || !busway_pci_some(b))
		return NULL;
	busway_p2p_decide(pci, a, b, (uint32_t)number(question, "bar"), &policy, &d);
	return json_pack("{s:s, s:b, s:i, s:I}", "verdict", verdicts[d.verdict], "certain",
			 d.certain, "distance", (int)d.distance, "address",
			 (json_int_t)d.refusal.asked.first);
}

static json_t *answer(const json_t *machine)
{
	const json_t *functions = json_object_get(machine, "functions");
	const json_t *questions = json_object_get(machine, "questions");
	json_t *answers = json_array();
	struct busway_pci *pci;
	int status = busway_pci_create(&memory, &pci);

	if (status)
		return answers;
	for (size_t i = 0; i < json_array_size(functions) && !status; i++)
		status = add_function(pci, json_array_get(functions, i));
	if (!status)
		status = busway_pci_seal(pci);
	for (size_t i = 0; i < json_array_size(questions) && !status; i++)
		status = json_array_append_new(answers, decide(pci, json_array_get(questions, i)));
	busway_pci_destroy(pci);
	return answers;
}

int main(void)
{
	json_t *machine = json_loadf(stdin, 0, NULL);
	json_t *answers = answer(machine);

	json_dumpf(answers, stdout, JSON_COMPACT);
	json_decref(answers);
	json_decref(machine);
	return machine ? 0 : 2;
}
