#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# gpu_check in a folder of its own, as it is carried to another machine: models are found, cases are measured, what cannot
# be had fails a step and not the program, and comes again. On the CPU, whose stages are the same.
#   packed.sh BIN WORK
set -euo pipefail
bin=$1 work=$2
here=$(cd "$(dirname "$0")/../.." && pwd)
rm -rf "$work" && mkdir -p "$work"
"$here/tools/gpu_check" --backend onednn --bin "$bin" --pack "$work/carried"
cd "$work/carried"
check=(tools/gpu_check --backend onednn --out "$work/results" --model DeepSeek-V3)

"${check[@]}" --stage collect --minutes 0.6 | tee "$work/collect.log"
grep -q '^collect/collect  *ok' "$work/collect.log"
compgen -G 'build/gpu_check/collect/*_perf.txt' >/dev/null || { echo 'nothing was measured' && exit 1; }
grep -q '"collect"' build/gpu_check/state.json

# A worker that does not answer is a failed step and a stage that is not done; the others still run.
mv bin/perfatlas-worker-cpu bin/real
printf '#!/bin/sh\n[ "$1" = --version ]\n' >bin/perfatlas-worker-cpu && chmod +x bin/perfatlas-worker-cpu
rm build/gpu_check/hello.json
"${check[@]}" --stage tests --stage probe --minutes 0.5 | tee "$work/broken.log" && exit 1
grep -q '^tests/hello  *failed' "$work/broken.log" && grep -q '^probe/probe  *failed' "$work/broken.log"
if grep -q '"tests"\|"probe"' build/gpu_check/state.json; then echo 'a stage that failed counts as done' && exit 1; fi
mv bin/real bin/perfatlas-worker-cpu
"${check[@]}" --stage tests --minutes 0.5 | tee "$work/mended.log"
grep -q '^tests/hello  *ok' "$work/mended.log"
[[ -s $work/results/summary.txt && -s $work/results/everything.tar.gz ]]
