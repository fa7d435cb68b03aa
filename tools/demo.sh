#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The demo: what Busway is for, in a few questions to real boards.
#   demo.sh BUSWAY [TREE]     with TREE (a .dtb or .dts): that board's own answers first
set -eu
busway=$1
board=${2:-}
case $busway in /*) ;; *) busway=$PWD/$busway ;; esac
case $board in '' | /* | -) ;; *) board=$PWD/$board ;; esac
cd "$(dirname "$0")/.."
boards=boards history=tests/check/history/rk356x-pcie-64bit-aperture

if [ -t 1 ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m') color=always
else bold='' plain='' color=never; fi

say() { printf '\n%s# %s%s\n' "$bold" "$1" "$plain"; }

# ask WHAT-IT-MAY-EXIT-WITH COMMAND...: show the command and its answer
ask() {
	want=$1
	shift
	printf '%s$ busway %s%s\n' "$bold" "$*" "$plain"
	status=0
	"$busway" "$@" --color "$color" || status=$?
	[ "$status" -eq "$want" ] || {
		echo "demo: exit status $status, not $want" >&2
		exit 1
	}
}

if [ -n "$board" ]; then
	say "Your board"
	ask 0 show "$board"
	say "Mistakes in its tree (check --explain CODE tells more)"
	ask 0 check "$board" --fail-on never
	say "Random drivers of its devices, on the simulated machine"
	"$busway" sim "$board" --color "$color" 2>/dev/null ||
		ask 0 sim "$board" --memory 0x4000_0000+1G # the tree states none
	exit 0
fi

say "Raspberry Pi 4 with 8 GiB: who reaches how much of it?"
ask 0 show "$boards/rpi4-8g.dts"

say "One access of its PCIe devices, hop by hop"
ask 0 why "$boards/rpi4-8g.dts" pcie@7d500000 0x4000_0000+4K

say "A buffer above 3 GiB for a PCIe device: refused, with what would help"
ask 1 map "$boards/rpi4-8g.dts" pcie@7d500000 0x1_0000_0000+64K

say "Memory that the SD card and PCIe both reach, each under its own address"
ask 0 alloc "$boards/rpi4-8g.dts" mmc@7e340000,pcie@7d500000 1M

say "Raspberry Pi 5: a network card behind PCI behind two tables of windows"
ask 0 why "$boards/rpi5.dts" ethernet@40100000 0x10_4000_0000+4K

say "Arm Juno: the hole between two inbound windows"
ask 1 why "$boards/juno-r1.dts" pcie@40000000 0x1_0000_0000+4K

say "Stingray: banks behind a 512 GiB limit"
ask 1 map "$boards/stingray.dts" pcie@48000000 0x8000_0000+1M 0x90_0000_0000+1M

say "RK3588: memory ends where the bridge's own aperture begins"
ask 1 why "$boards/rk3588.dts" pcie@fe150000 0xf020_0000

say "X-Gene: a 40-bit device on a machine whose memory begins at 256 GiB; then a 32-bit one"
ask 0 map "$boards/xgene-mustang.dts" sata@1a400000 0x40_0000_0000+1M --mask 40
ask 1 map "$boards/xgene-mustang.dts" sata@1a400000 0x40_0000_0000+1M --mask 32

say "Chromebook: Wi-Fi behind a restricted pool never gets memory outside of it"
ask 0 map "$boards/chromebook-asurada.dts" pcie@11230000 0x9000_0000+4K
ask 0 alloc "$boards/chromebook-asurada.dts" pcie@11230000 2M

say "The same Wi-Fi driven by random drivers on the simulated machine: it gets its pool and nothing else"
ask 0 sim "$boards/chromebook-asurada.dts" wifi@0,0

say "Raspberry Pi 4 with 8 GiB: every master at once; what it does not reach, bounces"
ask 0 sim "$boards/rpi4-8g.dts"

say "A mistake that shipped: a PCIe window where functions reach RAM; then the tree as it was mended"
ask 1 check "$history/before.dts"
ask 0 check "$history/after.dts"

say "The same question asked of DMA: the RAM behind that window is lost"
ask 1 why "$history/before.dts" pcie@fe270000 0x4000_0000+4K

say "Peer-to-peer: a switch whose port redirects, and what that means for the card below it"
ask 0 p2p tests/data/machines/workstation
ask 1 p2p tests/data/machines/workstation 03:00.0 04:00.0

if [ -n "$(ls /sys/bus/pci/devices 2>/dev/null)" ]; then
	say "This machine: who reaches whose memory directly?"
	ask 0 p2p live
fi

printf '\nYour own board: %smake demo BOARD=path/to/board.dtb%s\n' "$bold" "$plain"
