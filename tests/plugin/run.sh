#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A worker in Python through the whole chain. Usage: run.sh BIN WORKER_PY WORK_DIR PYTHON
set -euo pipefail
bin=$1 worker=$2 work=$3 python=$4
rm -rf "$work" && mkdir -p "$work" && cd "$work"
for shard in 1 2; do
  "$bin/perfatlas" collect --backend lists --worker "$python $worker {device}" --devices any --grid aic --ops gemm \
    --case-filter "dtype=bfloat16 m=1 n=64 " --shard $shard/2 --out run$shard --no-probe --no-drift --max-time 50ms
done
head -1 run1/gemm_perf.txt | grep -q '^framework,version,device,op_name,kernel_source,gemm_dtype,m,n,k,latency,power,power_limit,samples,'
cat run?/gemm_perf.txt | grep -c nested_lists | grep -qx 8  # of 22: those up to 100,000 products
grep -q "anything printed goes to the worker's log" run1/worker-any.log
"$bin/perfatlas" place run1 run2 --into tables --system somewhere
"$bin/perfatlas" query gemm --data tables --m 1 --n 64 --k 128 | tee answer.txt
grep -q "measured" answer.txt && grep -q "somewhere / lists / 1.0" answer.txt
