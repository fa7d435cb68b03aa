#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A static library in which only the exported names can be seen: what our files share among each
# other (sort(), fdt_get(), ...) must not meet a program's own functions of that name.
#   seal-archive.sh EXPORT-LIST INPUT.a OUTPUT.a COMPILER...
set -eu
list=$1 input=$2 output=$3
shift 3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
sed -n 's/^\t\t\(busway_[a-z0-9_]*\);$/\1/p' "$list" >"$folder/names"
"$@" -r -nostdlib -no-pie -Wl,--whole-archive "$input" -Wl,--no-whole-archive -o "$folder/busway.o"
${OBJCOPY:-objcopy} --keep-global-symbols="$folder/names" "$folder/busway.o"
rm -f "$output"
${AR:-ar} rcs "$output" "$folder/busway.o"
