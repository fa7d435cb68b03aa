/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * list.c - the list that workloads are put into.
 */
#include "bench.h"

volatile uint64_t bench_sink;

struct workload *add_workload(struct workloads *workloads, const char *name, const char *what,
			      const char *reference, void (*run)(void *, unsigned long),
			      void *state, unsigned long batch)
{
	struct workload *w = &workloads->list[workloads->count];

	if (workloads->count == WORKLOADS_MAX)
		return NULL;
	workloads->count++;
	*w = (struct workload){
		.what = what, .reference = reference, .batch = batch, .run = run, .state = state};
	snprintf(w->name, sizeof(w->name), "%s", name);
	return w;
}
