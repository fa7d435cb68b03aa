#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Fuzz the importer and page tables with libFuzzer, address and undefined-behaviour sanitizers.
#   fuzz.sh [SECONDS [JOBS]]
# What it finds is left in build-fuzz/finds. The corpus in the tree is read, not written; to
# take new inputs over, merge them: build-fuzz/fuzz/fdt_fuzz -merge=1 fuzz/corpus build-fuzz/corpus
set -eu
seconds=${1:-60}
jobs=${2:-2}
top=$(cd "$(dirname "$0")/.." && pwd)
build=$top/build-fuzz

[ -f "$build/build.ninja" ] ||
	CC=clang meson setup "$build" "$top" -Dtests=false -Dfuzz=true --buildtype=debugoptimized \
		-Db_sanitize=address,undefined -Db_lundef=false '-Dc_args=-fsanitize=fuzzer-no-link -fno-sanitize-recover=undefined' >/dev/null
ninja -C "$build" fuzz/fdt_fuzz fuzz/pagetable_fuzz >"$build/ninja.log" || {
	cat "$build/ninja.log"
	exit 1
}

# boards of our own and the trees of the tests are seeds as well
mkdir -p "$build/corpus" "$build/seeds" "$build/finds"
for source in "$top"/boards/*.dts "$top"/tests/import/trees/*.dts; do
	dtc -qq -I dts -O dtb -o "$build/seeds/$(basename "$source" .dts)" "$source"
done

run() {
	"$build/fuzz/fdt_fuzz" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=4096 -max_len=65536 \
		-dict="$top/fuzz/fdt.dict" -artifact_prefix="$build/finds/" -print_final_stats=1 -seed="$1" \
		"$build/corpus" "$top/fuzz/corpus" "$build/seeds" >"$build/fuzz-$1.log" 2>&1
}

# calls to a page table need no seeds: a fifth of the time finds what is within reach
mkdir -p "$build/corpus-pagetable"
"$build/fuzz/pagetable_fuzz" -max_total_time=$(((seconds + 4) / 5)) -timeout=5 -max_len=516 \
	-artifact_prefix="$build/finds/" -print_final_stats=1 -seed=1 "$build/corpus-pagetable" \
	>"$build/fuzz-pagetable.log" 2>&1 || {
	tail -n 40 "$build/fuzz-pagetable.log"
	exit 1
}
awk '/number_of_executed_units|new_units_added|peak_rss_mb/ {printf "%s ", $0} /cov:/ {cov = $0} END {print ""; print cov}' \
	"$build/fuzz-pagetable.log"

workers=
for job in $(seq "$jobs"); do
	run "$job" &
	workers="$workers $!"
done
status=0
for worker in $workers; do wait "$worker" || status=1; done
for job in $(seq "$jobs"); do
	if [ "$status" -ne 0 ]; then grep -A 30 -E '^(==|ALARM|SUMMARY|fdt_fuzz:)' "$build/fuzz-$job.log" | head -n 60 || true; fi
	awk '/number_of_executed_units|new_units_added|peak_rss_mb/ {printf "%s ", $0} /cov:/ {cov = $0} END {print ""; print cov}' \
		"$build/fuzz-$job.log"
done
exit $status
