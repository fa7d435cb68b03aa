/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * answers_adapter.c - decides about pairs of functions that are described line by line.
 *
 *   function DDDD:BB:DD.F TYPE VENDOR DEVICE SECONDARY SUBORDINATE   numbers in hexadecimal; TYPE:
 * a number of enum busway_pci_type window FIRST LAST 0|1        of the last one: memory, or
 * prefetchable memory bar INDEX FIRST LAST         of the last one; the CPU's addresses are those
 * on the bus decide INITIATOR TARGET BAR linux|route
 *
 * To each decide the answer is: verdict certain distance address
 */
#include <busway/p2p.h>

#include <stdio.h>
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

enum { FUNCTIONS_MAX = 64 };

static struct busway_pci_function functions[FUNCTIONS_MAX];
static size_t count;
static struct busway_pci *pci;

static bool read_address(const char *text, struct busway_pci_address *at)
{
	unsigned domain, bus, device, function;

	if (sscanf(text, "%x:%x:%x.%x", &domain, &bus, &device, &function) != 4)
		return false;
	*at = (struct busway_pci_address){domain, (uint8_t)bus, (uint8_t)(device << 3 | function)};
	return true;
}

static bool add_function(const char *line)
{
	struct busway_pci_function *f = &functions[count];
	unsigned type, vendor, device, secondary, subordinate;
	char at[32];

	if (count == FUNCTIONS_MAX || sscanf(line, "function %31s %x %x %x %x %x", at, &type,
					     &vendor, &device, &secondary, &subordinate) != 6)
		return false;
	*f = (struct busway_pci_function){
		.type = (enum busway_pci_type)type,
		.vendor = (uint16_t)vendor,
		.device = (uint16_t)device,
		.config_size = 4096,
		.acs = {.known = BUSWAY_ABSENT},
		.ats = BUSWAY_ABSENT,
		.bridge = {.secondary = (uint8_t)secondary, .subordinate = (uint8_t)subordinate},
	};
	count++;
	return read_address(at, &f->at);
}

static bool add_range(const char *line)
{
	struct busway_pci_function *f = &functions[count ? count - 1 : 0];
	unsigned long long first, last;
	unsigned which;

	if (sscanf(line, "window %llx %llx %u", &first, &last, &which) == 3) {
		*(which ? &f->bridge.prefetch_open : &f->bridge.memory_open) = true;
		*(which ? &f->bridge.prefetch : &f->bridge.memory) =
			(struct busway_range){first, last};
		return true;
	}
	if (sscanf(line, "bar %u %llx %llx", &which, &first, &last) != 3 ||
	    which >= BUSWAY_PCI_BARS)
		return false;
	f->bars[which] = (struct busway_pci_bar){.kind = BUSWAY_BAR_MEM64,
						 .assigned = true,
						 .sized = true,
						 .has_cpu = true,
						 .bus = {first, last},
						 .cpu = {first}};
	return true;
}

static bool seal(void)
{
	if (pci)
		return true;
	if (busway_pci_create(&memory, &pci))
		return false;
	for (size_t i = 0; i < count; i++)
		if (busway_pci_add_function(pci, &functions[i]))
			return false;
	return busway_pci_seal(pci) == 0;
}

static bool decide(const char *line)
{
	static const char *const verdicts[] = {"refused", "switch", "host-bridge", "iommu"};
	struct busway_p2p_policy policy = {.view = BUSWAY_P2P_ROUTE};
	struct busway_pci_address from, to;
	char initiator[32], target[32], view[8];
	busway_pci_id a, b;
	struct busway_p2p d;
	unsigned bar;

	if (sscanf(line, "decide %31s %31s %u %7s", initiator, target, &bar, view) != 4 ||
	    !read_address(initiator, &from) || !read_address(target, &to) || !seal())
		return false;
	if (strcmp(view, "linux") == 0)
		policy.view = BUSWAY_P2P_LINUX;
	a = busway_pci_find(pci, from);
	b = busway_pci_find(pci, to);
	if (!busway_pci_some(a) || !busway_pci_some(b))
		return false;
	busway_p2p_decide(pci, a, b, bar, &policy, &d);
	printf("%s %d %u 0x%llx\n", verdicts[d.verdict], d.certain, d.distance,
	       (unsigned long long)d.refusal.asked.first);
	return true;
}

int main(void)
{
	char line[256];
	int status = 0;

	while (status == 0 && fgets(line, sizeof(line), stdin))
		if (!add_function(line) && !add_range(line) && !decide(line)) {
			fprintf(stderr, "no sense in %s", line);
			status = 2;
		}
	busway_pci_destroy(pci);
	return status;
}
