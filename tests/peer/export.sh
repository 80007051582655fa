#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Measures on this CPU what a small dense model needs, exports the tables and lets the real aiconfigurator plan
# Qwen3-0.6B over them. Ends with 77, which CTest reports as skipped, where it cannot be installed.
# Usage: export.sh BIN WORK_DIR
set -euo pipefail
bin=$(cd "$1" && pwd) work=$2
root=$(cd "$(dirname "$0")/../.." && pwd)
rm -rf "$work" && mkdir -p "$work"
status=0
aiconfigurator=$("$root/tools/get_aiconfigurator.sh") || status=$?
if ((status == 77)); then echo "skipped: aiconfigurator cannot be fetched from PyPI" && exit 77; fi
((status == 0))
cd "$work"

"$bin/perfatlas" probe --system test_cpu --out system.json >probe.txt
measure() { # folder, arguments: a few seconds of one op
  "$bin/perfatlas" collect --out "$1" --system-file system.json --no-drift --runs 3 --warmups 1 --max-time 20ms \
    --model "$root/data/models/Qwen3-0.6B" --dtype bfloat16 "${@:2}" >>collect.txt 2>&1 || { tail collect.txt && exit 1; }
}
measure run --ops gemm --tp 1,2 --at-most m=512
measure run --ops attention_context --tp 1,2 --at-most isl=512 --at-most batch_size=2
measure run --ops attention_generation --tp 1,2 --at-most step=2048 --at-most batch_size=8
measure run --ops rms_norm --at-most tokens=16
measure messages --ops collective --backend mpi --tp 2 --at-most message_size=1048576
"$bin/perfatlas" place run messages --into tables --system test_cpu

export_tables() {
  "$bin/perfatlas" export --format aiconfigurator --as-backend vllm --as-version 0.24.0 --system test_cpu --data tables \
    --out "$1" "${@:2}"
}
# What neither the probe nor a table knows is asked for by name, and nothing is written.
export_tables systems >/dev/null 2>error.txt && exit 1
grep -q -- '--gpus-per-node' error.txt && [[ ! -e systems/test_cpu.yaml ]]
export_tables systems --gpus-per-node 2 --inter-node-bw 1.25e9 --other-mem 0 --nccl-mem 1:0,2:0 | tee export.txt
grep -q 'rms_norm_perf .* 0 rows' export.txt && grep -q 'left out: aiconfigurator has no such table' export.txt

# A limit on the whole request: with one on each token the planner looks at 1 to 295 ms only, and a busy CPU needs more.
"$aiconfigurator" cli default --no-color --model-path Qwen/Qwen3-0.6B --system test_cpu --backend vllm --total-gpus 2 \
  --isl 256 --osl 64 --request-latency 100000000 --systems-paths "default,$PWD/systems" >plan.txt 2>plan_log.txt ||
  { tail -30 plan.txt plan_log.txt && exit 1; }
cat plan.txt
grep -q 'Overall Best Configuration' plan.txt && grep -q 'agg Top Configurations' plan.txt
