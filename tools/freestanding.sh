#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Build the core for bare metal, as firmware would, and tell its size: no libc, no hosted header.
#   freestanding.sh [OUTPUT-FOLDER]
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
out=${1:-$top/build/freestanding}
version=$(cat "$top/VERSION")

# what the core may want from whoever links it: these four, and what compilers call for themselves
allowed='^(memcpy|memmove|memset|memcmp|__aeabi_.*|__[a-z]*di[0-9]|__stack_chk_.*)$'

build() { # TARGET COMPILER-PREFIX FLAGS...
	target=$1 prefix=$2
	shift 2
	mkdir -p "$out/$target"
	for source in "$top"/src/addr/*.c "$top"/src/base/*.c "$top"/src/buffers/*.c "$top"/src/iommu/*.c "$top"/src/iova/*.c "$top"/src/map/*.c "$top"/src/pci/*.c "$top"/src/platform/*.c "$top"/src/pool/*.c; do
		"${prefix}gcc" -std=c11 -Os -ffreestanding -nostdinc \
			-isystem "$("${prefix}gcc" -print-file-name=include)" \
			-ffunction-sections -fdata-sections -Wall -Wextra -Werror \
			-DBUSWAY_VERSION="\"$version\"" -I"$top/include" "$@" \
			-c "$source" -o "$out/$target/$(echo "${source#"$top"/src/}" | tr / _).o"
	done
	"${prefix}ld" -r -o "$out/$target.o" "$out/$target"/*.o
	unknown=$("${prefix}nm" -u "$out/$target.o" | awk '{print $2}' | grep -vE "$allowed" || true)
	if [ -n "$unknown" ]; then
		echo "freestanding: $target: the core needs what firmware may not have:" $unknown >&2
		exit 1
	fi
	data=$("${prefix}size" "$out/$target.o" | awk 'NR == 2 {print $2 + $3}')
	if [ "$data" -ne 0 ]; then
		echo "freestanding: $target: $data bytes of writable data: the core has no globals" >&2
		exit 1
	fi
	"${prefix}size" "$out/$target.o" |
		awk -v target="$target" 'NR == 2 {printf "freestanding core, %-9s %6d bytes of code and constants, no data\n", target ":", $1}'
}

rm -rf "$out"
build cortex-m4 arm-none-eabi- -mcpu=cortex-m4 -mthumb
build rv64imac riscv64-unknown-elf- -march=rv64imac -mabi=lp64 -mcmodel=medany
build "$(gcc -dumpmachine | cut -d- -f1)" '' -fno-pie # the host's own, as in a boot loader or a kernel's module
