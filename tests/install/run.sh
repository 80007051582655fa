#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs a build, then configures, builds and runs a foreign project against it: run.sh BUILD_FOLDER SCRATCH_FOLDER
set -euo pipefail
source_folder=$(cd "$(dirname "$0")" && pwd) build=$1 scratch=$2
rm -rf "$scratch" && mkdir -p "$scratch/data/box/onednn/3.2.0"
cmake --install "$build" --component library --prefix "$scratch/prefix" >"$scratch/install.log"
cmake -S "$source_folder" -B "$scratch/build" -G Ninja -DCMAKE_PREFIX_PATH="$scratch/prefix" >"$scratch/configure.log"
cmake --build "$scratch/build" >"$scratch/build.log"
cat >"$scratch/data/box/onednn/3.2.0/gemm_perf.txt" <<'CSV'
framework,version,device,op_name,kernel_source,gemm_dtype,m,n,k,latency
onednn,3.2.0,box,gemm,brgemm,bfloat16,4,64,32,0.5
onednn,3.2.0,box,gemm,brgemm,bfloat16,12,64,32,1.5
CSV
answer=$("$scratch/build/ask" "$scratch/data")
[[ $answer == "1 ms" ]] || { echo "expected 1 ms, got '$answer'" && exit 1; }
if "$scratch/build/ask" "$scratch/nowhere" 2>"$scratch/error"; then echo "a missing folder was accepted" && exit 1; fi
grep -q nowhere "$scratch/error"
