#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Fuzz with libFuzzer, address and undefined-behaviour sanitizers: the importer, the DMA API, IOVA
# spaces, page tables, buffers, ACPI tables, PCI machines.
#   fuzz.sh [SECONDS [JOBS [TARGET...]]]    SECONDS for fdt, half of it for the others: dma, iova, buffers, pagetable, acpi,
#                                           config, lspci, sysfs
# What it finds is left in build-fuzz/finds. The corpus in the tree is read, not written; to
# take new inputs over, merge them: see fuzz/README.md.
set -eu
seconds=${1:-60}
jobs=${2:-2}
[ $# -gt 2 ] && shift 2 || set -- fdt dma iova buffers pagetable acpi config lspci sysfs
top=$(cd "$(dirname "$0")/.." && pwd)
build=$top/build-fuzz

[ -f "$build/build.ninja" ] ||
	CC=clang meson setup "$build" "$top" -Dtests=false -Dfuzz=true --buildtype=debugoptimized \
		-Db_sanitize=address,undefined -Db_lundef=false '-Dc_args=-fsanitize=fuzzer-no-link -fno-sanitize-recover=undefined' >/dev/null
ninja -C "$build" $(printf 'fuzz/%s_fuzz ' "$@") >"$build/ninja.log" || {
	cat "$build/ninja.log"
	exit 1
}

# boards of our own and the trees of the tests are seeds as well
mkdir -p "$build/corpus" "$build/seeds" "$build/finds"
for target in "$@"; do mkdir -p "$build/corpus-$target"; done
for source in "$top"/boards/*.dts "$top"/tests/import/trees/*.dts; do
	dtc -qq -I dts -O dtb -o "$build/seeds/$(basename "$source" .dts)" "$source"
done

fuzz_fdt() {
	"$build/fuzz/fdt_fuzz" "$@" -max_total_time="$seconds" -timeout=5 -max_len=65536 \
		-dict="$top/fuzz/fdt.dict" "$build/corpus" "$top/fuzz/corpus" "$build/seeds"
}

# a sequence of operations is long, whatever it is
fuzz_dma() {
	"$build/fuzz/dma_fuzz" "$@" -max_total_time=$(((seconds + 1) / 2)) -timeout=20 -max_len=1500 -len_control=0 \
		"$build/corpus-dma" "$top/fuzz/corpus-dma"
}

fuzz_iova() {
	"$build/fuzz/iova_fuzz" "$@" -max_total_time=$(((seconds + 1) / 2)) -timeout=5 -max_len=2048 \
		"$build/corpus-iova" "$top/fuzz/corpus-iova"
}

fuzz_buffers() {
	"$build/fuzz/buffers_fuzz" "$@" -max_total_time=$(((seconds + 1) / 2)) -timeout=5 -max_len=2048 \
		"$build/corpus-buffers" "$top/fuzz/corpus-buffers"
}

# calls to a page table need no seeds
fuzz_pagetable() {
	"$build/fuzz/pagetable_fuzz" "$@" -max_total_time=$(((seconds + 1) / 2)) -timeout=5 -max_len=516 \
		"$build/corpus-pagetable"
}

fuzz_acpi() {
	"$build/fuzz/acpi_fuzz" "$@" -max_total_time=$(((seconds + 1) / 2)) -timeout=5 -max_len=1024 -len_control=0 \
		"$build/corpus-acpi"
}

fuzz_config() {
	"$build/fuzz/config_fuzz" "$@" -max_total_time=$(((seconds + 1) / 2)) -timeout=10 -max_len=4096 \
		"$build/corpus-config" "$top/fuzz/corpus-config"
}

fuzz_lspci() {
	"$build/fuzz/lspci_fuzz" "$@" -max_total_time=$(((seconds + 1) / 2)) -timeout=10 -max_len=8192 \
		"$build/corpus-lspci" "$top/fuzz/corpus-lspci"
}

fuzz_sysfs() {
	"$build/fuzz/sysfs_fuzz" "$@" -max_total_time=$(((seconds + 1) / 2)) -timeout=10 -max_len=16384 \
		"$build/corpus-sysfs" "$top/fuzz/corpus-sysfs"
}

run() { # TARGET JOB
	"fuzz_$1" -rss_limit_mb=4096 -artifact_prefix="$build/finds/" -print_final_stats=1 -seed="$2" \
		>"$build/fuzz-$1-$2.log" 2>&1
}

status=0
for target in "$@"; do
	workers=
	for job in $(seq "$jobs"); do
		run "$target" "$job" &
		workers="$workers $!"
	done
	failed=0
	for worker in $workers; do wait "$worker" || failed=1; done
	for job in $(seq "$jobs"); do
		log=$build/fuzz-$target-$job.log
		if [ "$failed" -ne 0 ]; then grep -A 30 -E '^(==|ALARM|SUMMARY|[a-z]+_fuzz:)' "$log" | head -n 60 || true; fi
		awk -v target="$target" '/number_of_executed_units|new_units_added|peak_rss_mb/ {printf "%s ", $0}
			/cov:/ {cov = $0} END {print target; print cov}' "$log"
	done
	[ "$failed" -eq 0 ] || status=1
done
exit $status
