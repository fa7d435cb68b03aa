#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Install the Debian packages that building, testing and the demo need: only those missing.
# This list is the only one: `make demo`, `make check` and CI all come through here.
set -eu

packages="
meson ninja-build pkg-config
gcc libc6-dev
libfdt-dev libjansson-dev libarchive-dev libpci-dev
device-tree-compiler
libcmocka-dev python3 python3-jsonschema python3-yaml
clang libclang-rt-14-dev clang-format clang-tidy
gcc-arm-none-eabi gcc-riscv64-unknown-elf
valgrind man-db groff-base
"

missing=
for package in $packages; do
	case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) in
	"install ok installed") ;;
	*) missing="$missing $package" ;;
	esac
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
	as_root=sudo
	command -v sudo >/dev/null || {
		echo "setup: these packages are missing, and only root can install them:$missing" >&2
		exit 1
	}
fi
echo "setup: installing$missing"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # the list is meant to be split
$as_root apt-get install -y -q --no-install-recommends $missing >/dev/null 2>&1 || {
	$as_root apt-get update -q
	$as_root apt-get install -y -q --no-install-recommends $missing
}
