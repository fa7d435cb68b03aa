# SPDX-License-Identifier: BSD-2-Clause
# A front for Meson: each target does all the set-up that it needs on a fresh Debian 12.

BUILD := build

help:
	@echo "make demo     what the tool is for, on real boards"
	@echo "make check    all tests, as CI runs them"
	@echo "make test     the tests of one build: quick"
	@echo "make corpus   every device tree of Debian's arm64 kernel package: shown and checked"
	@echo "make bench    the hot paths, measured"
	@echo "make install  to the prefix that 'meson setup' was given"

setup:
	@tools/setup.sh

$(BUILD)/build.ninja: | setup
	@meson setup $(BUILD) >/dev/null

build: setup $(BUILD)/build.ninja
	@ninja -C $(BUILD) >$(BUILD)/ninja.log || { cat $(BUILD)/ninja.log; exit 1; }

demo: build
	@tools/demo.sh $(BUILD)/src/cli/busway $(BOARD)

test: build
	@meson test -C $(BUILD) --print-errorlogs

check: setup
	@tools/check.py

corpus: build
	@tools/corpus.py --binary $(BUILD)/src/cli/busway $(CORPUS)

bench: setup
	@tools/bench.sh

install: build
	@meson install -C $(BUILD)

clean:
	rm -rf build build-*

.PHONY: help setup build demo test check corpus bench install clean
