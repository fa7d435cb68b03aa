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

count() { # WORKLOAD OPERATIONS
	valgrind --tool=callgrind --callgrind-out-file=/dev/null "$busway" bench "$1" --count "$2" 2>&1 |
		awk '/Collected/ {print $NF}'
}

[ $# -gt 0 ] || set -- G-small G-big D-R0 D-R1 D-R4 D-R16 reach-1 reach-8 reach-64 resolve-1 resolve-8 resolve-64
printf '\n%-14s %s\n' workload 'instructions an operation (with the loop around it)'
for name in "$@"; do
	case $name in G*) base=1 more=11 ;; *) base=10000 more=110000 ;; esac
	printf '%-14s %d\n' "$name" $((($(count "$name" $more) - $(count "$name" $base)) / (more - base)))
done
