#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The benchmarks: times in an optimized build, then instructions an operation, counted by
# callgrind as the difference between two runs (exact, whatever else the machine does).
#   bench.sh [NAME...]
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
build=$top/build-bench
[ -f "$build/build.ninja" ] ||
	meson setup "$build" "$top" --buildtype=release -Dtests=false >/dev/null
ninja -C "$build" >/dev/null
busway=$build/src/cli/busway

"$busway" bench "$@"

count() { # WORKLOAD OPERATIONS [FUNCTION: that alone, and what it calls]
	valgrind --tool=callgrind --callgrind-out-file=/dev/null ${3:+--toggle-collect="$3"} \
		"$busway" bench "$1" --count "$2" 2>&1 | awk '/Collected/ {print $NF}'
}

[ $# -gt 0 ] || set -- G-small G-big D-R0 D-R1 D-R4 D-R16 reach-1 reach-8 reach-64 resolve-1 resolve-8 resolve-64 \
	map-R0 map-R1 map-R4 map-R16 mapalone-R0 mapalone-R1 mapalone-R4 mapalone-R16 \
	list-R1 list-R16 listalone-R1 listalone-R16 owner-100 owner-10K owner-1M \
	E1-hot-to-64 E1-hot-to-4K E1-slots-2K E3-75-2K E3-95-64K E3-95-8192K \
	B1-64M-s1-map B1-64M-s1-unmap B2-s1-map B2-s1-unmap B3-s1-map B3-s1-unmap B4-s1-map B4-s1-unmap \
	B5-s1-map B5-s1-unmap B6-s1-map B6-s1-unmap B7-s1-map B7-s1-unmap B9-64M-s1 \
	C1-N1-dependent C1-N256-dependent C1-N65536-dependent C3-N4096-dependent C3-N65536-dependent
printf '\n%-14s %s\n' workload 'instructions an operation (with the loop around it)'
for name in "$@"; do
	function=
	case $name in
	G*) base=1 more=11 ;;
	mapalone*) base=1600 more=17600 function=busway_map ;;
	listalone*) base=1600 more=17600 function=busway_map_list ;;
	B[246]* | B3*) base=16 more=32 ;; # so many slots there are, each of which is mapped once
	B[157]*) base=64 more=128 ;;
	*) base=10000 more=110000 ;;
	esac
	printf '%-14s %d\n' "$name" \
		$((($(count "$name" $more $function) - $(count "$name" $base $function)) / (more - base)))
done
