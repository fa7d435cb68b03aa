#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Fuzz the importer and the IOVA allocator with libFuzzer, address and undefined-behaviour sanitizers:
# the allocator first, for a quarter of the time.
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
ninja -C "$build" fuzz/fdt_fuzz fuzz/iova_fuzz >"$build/ninja.log" || {
	cat "$build/ninja.log"
	exit 1
}

# boards of our own and the trees of the tests are seeds as well
mkdir -p "$build/corpus" "$build/seeds" "$build/finds"
for source in "$top"/boards/*.dts "$top"/tests/import/trees/*.dts; do
	dtc -qq -I dts -O dtb -o "$build/seeds/$(basename "$source" .dts)" "$source"
done

mkdir -p "$build/corpus-iova"
"$build/fuzz/iova_fuzz" -max_total_time=$((seconds / 4 + 1)) -timeout=5 -max_len=2048 \
	-artifact_prefix="$build/finds/iova-" -print_final_stats=1 "$build/corpus-iova" "$top/fuzz/corpus-iova" \
	>"$build/fuzz-iova.log" 2>&1 || {
	grep -A 30 -E '^(==|ALARM|SUMMARY|iova_fuzz:)' "$build/fuzz-iova.log" | head -n 60
	exit 1
}

run() {
	"$build/fuzz/fdt_fuzz" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=4096 -max_len=65536 \
		-dict="$top/fuzz/fdt.dict" -artifact_prefix="$build/finds/" -print_final_stats=1 -seed="$1" \
		"$build/corpus" "$top/fuzz/corpus" "$build/seeds" >"$build/fuzz-$1.log" 2>&1
}

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
