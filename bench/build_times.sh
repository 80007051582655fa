#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Build times of the CPU side without a compiler cache: full, and warm after touching one op.
# Usage: bench/build_times.sh [FOLDER]   (default: a temporary one, removed afterwards)
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
folder=${1:-$(mktemp -d)}
[[ $# -gt 0 ]] || trap 'rm -rf "$folder"' EXIT
export CCACHE_DISABLE=1
seconds() { # command...: wall seconds
  local start=$EPOCHREALTIME
  "$@" >"$folder/log" 2>&1 || { tail -20 "$folder/log" >&2; exit 1; }
  awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }'
}
cmake -S "$root" -B "$folder/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DPERFATLAS_BUILD_TESTS=OFF \
  -DPERFATLAS_WITH_CUDA=OFF >"$folder/log" 2>&1
echo "full build of the CPU side, $(nproc) cores: $(seconds cmake --build "$folder/build") s (target < 180)"
touch "$root/perfatlas/ops/gemm/gemm.cpp" "$root/perfatlas/ops/gemm/gemm.h"
echo "warm build after touching one op (gemm.h and gemm.cpp): $(seconds cmake --build "$folder/build") s (target < 15)"
