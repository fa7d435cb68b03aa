#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Install into a folder, and use what is there as a stranger would.
#   check-install.sh BUILD-FOLDER
set -eu
build=$1
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
DESTDIR=$root meson install -C "$build" --quiet --no-rebuild >/dev/null

fail() {
	echo "install: $1" >&2
	exit 1
}

prefix=$(find "$root" -path '*/bin/busway' | sed 's,/bin/busway$,,')
[ -n "$prefix" ] || fail "there is no command"
pc=$(find "$root" -name busway.pc)
[ -n "$pc" ] || fail "there is no pkg-config file"
for page in man1/busway.1 man1/busway-show.1 man1/busway-why.1 man1/busway-map.1 \
	man1/busway-alloc.1 man1/busway-bench.1 man1/busway-sim.1 man3/busway.3 man3/busway-dma.3 man3/busway-sim.3; do
	[ -f "$prefix/share/man/$page" ] || fail "there is no $page"
done
[ -f "$prefix/share/bash-completion/completions/busway" ] || fail "there is no completion"
[ -n "$(find "$root" -name 'libbusway.a')" ] || fail "there is no static library"
shared=$(find "$root" -name 'libbusway.so.*.*.*')
[ -n "$shared" ] || fail "there is no shared library"

# the library exports what its list says, and nothing else
listed=$(sed -n 's/^\t\t\(busway_[a-z0-9_]*\);$/\1/p' src/libbusway.map | sort)
exported=$(nm -D --defined-only "$shared" | awk '$2 ~ /[TDBR]/ {sub(/@.*/, "", $3); print $3}' | grep -v '^BUSWAY_' | sort)
[ "$listed" = "$exported" ] || fail "the exports are not those of src/libbusway.map"

# nor does the static one show anything else: a program may have a sort() of its own
archive=$(find "$root" -name libbusway.a)
seen=$(nm -g --defined-only "$archive" 2>/dev/null | awk 'NF == 3 {print $3}' | sort)
[ "$listed" = "$seen" ] || fail "the static library shows names that are not in src/libbusway.map"
cat >"$root/own.c" <<'END'
#include <busway/busway.h>
#include <stdlib.h>
void sort(void);
void sort(void)
{
	abort(); /* whoever calls this wanted another one */
}
#define main first
#include "first.c"
#undef main
int main(int argc, char **argv)
{
	return first(argc, argv);
}
END

# each public header stands on its own
for header in "$prefix"/include/busway/*.h; do
	echo "#include <busway/$(basename "$header")>" |
		gcc -std=c11 -Wall -Wextra -Werror -I"$prefix/include" -fsyntax-only -x c - ||
		fail "$(basename "$header") does not stand on its own"
done

# a program of a stranger, with pkg-config
export PKG_CONFIG_SYSROOT_DIR="$root" PKG_CONFIG_PATH="$(dirname "$pc")"
# shellcheck disable=SC2046 # flags are words
gcc -std=c11 examples/first.c -o "$root/first" $(pkg-config --cflags --libs busway) ||
	fail "examples/first.c does not build against what was installed"
dtc -qq -I dts -O dtb -o "$root/board.dtb" boards/rpi4-8g.dts
LD_LIBRARY_PATH=$(dirname "$shared") "$root/first" "$root/board.dtb" mmc@7e340000 0x1000 >/dev/null ||
	fail "examples/first.c does not run"
# shellcheck disable=SC2046
gcc -std=c11 -Iexamples "$root/own.c" -o "$root/own" $(pkg-config --cflags busway) "$archive" -lfdt -larchive -lpci ||
	fail "a program with names of its own does not build against the static library"
"$root/own" "$root/board.dtb" mmc@7e340000 0x1000 >/dev/null ||
	fail "a program with a sort() of its own runs into it"
echo "install: the command, the library, $(echo "$listed" | wc -l) exported functions"
