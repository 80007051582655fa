#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The example back end through the whole chain, as docs/adding-a-backend.md shows it.
# Usage: numpy.sh BIN WORKERS_FOLDER WORK_DIR PYTHON
set -euo pipefail
bin=$1 workers=$2 work=$3
export PERFATLAS_WORKER_PATH=$workers PERFATLAS_PYTHON=$4
rm -rf "$work" && mkdir -p "$work" && cd "$work"

checks() { # arguments: one kernel is right on one case, judged by the reference
  "$bin/perfatlas" check "$@" --backend numpy >check.txt || { cat check.txt && exit 1; }
  grep -q '^  ok    against the reference' check.txt
}
f32=(--dtype float32)
checks gemm "${f32[@]}" --m 33 --n 77 --k 5
checks add_rms_norm "${f32[@]}" --tokens 3 --hidden 77
checks attention_context "${f32[@]}" --kv_dtype float32 --batch 2 --isl 33 --heads 4 --kv_heads 2 --step 70 --window 40
checks attention_generation "${f32[@]}" --kv_dtype float32 --batch 3 --heads 8 --kv_heads 2 --step 130
grep -q '^  ok    KV cache is read' check.txt
grep -q '^  ok    written KV cache' check.txt
# What it has no type for is a fact, not a failure, and is said in words.
"$bin/perfatlas" check gemm --backend numpy --dtype bf16 >skipped.txt && exit 1
grep -q 'skipped: numpy_matmul: NumPy has no type bfloat16' skipped.txt

for k in 2048 3072; do # the worker by its name, then by a command
  command=()
  ((k == 2048)) || command=(--worker "$workers/perfatlas-worker-numpy --devices {device}")
  "$bin/perfatlas" collect --backend numpy "${command[@]}" --model Qwen3-0.6B "${f32[@]}" --ops gemm \
    --case-filter "m=8 n=1024 k=$k" --out run$k --no-probe --no-drift --max-time 50ms
done
head -1 run2048/gemm_perf.txt | grep -q '^framework,version,device,op_name,kernel_source,gemm_dtype,m,n,k,latency,power,power_limit,samples,'
(($(cat run*/gemm_perf.txt | grep -c ',numpy_matmul,float32,8,1024,.*,serving,direct,') == 2))
"$bin/perfatlas" place run2048 run3072 --into tables --system somewhere
"$bin/perfatlas" query gemm --data tables "${f32[@]}" --m 8 --n 1024 --k 2048 | tee answer.txt
grep -q "measured" answer.txt && grep -q "somewhere / numpy / " answer.txt

# A worker that cannot start says why in one line.
PERFATLAS_PYTHON=/bin/false "$bin/perfatlas" check gemm --backend numpy 2>error.txt && exit 1
grep -q 'has no numpy; install it or set PERFATLAS_PYTHON' error.txt
