#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The main job: measure the kernels that Qwen3-0.6B needs on this CPU, and a few of mixture-of-experts and latent-attention
# models; check them, place them, ask five questions.
# Usage: tools/run_main_job.sh [--bin DIR] [--out DIR] [--budget 60s] [--model NAME_OR_DIR]
# Running it again continues the same collection; remove the folder to start over.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
bin=$root/build/release/bin out=$root/out budget=60s model=$root/data/models/Qwen3-0.6B
while (($# > 0)); do
  case $1 in
    --bin) bin=$2 ;;
    --out) out=$2 ;;
    --budget) budget=$2 ;;
    --model) model=$2 ;;
    *) echo "run_main_job.sh: unknown option $1; see the head of this file" >&2 && exit 2 ;;
  esac
  shift 2
done
perfatlas=$bin/perfatlas
run=$out/run tour=$out/tour tables=$out/tables
mkdir -p "$out"

say() { printf '\n== %s\n' "$*"; }

say "The machine"
if [[ ! -f $out/system.json ]]; then "$perfatlas" probe --out "$out/system.json"; fi
system=$(sed -n 's/^ *"system": *"\([^"]*\)".*/\1/p' "$out/system.json")

say "The plan"
"$perfatlas" plan --model "$model" --system-file "$out/system.json"

say "Measuring for $budget"
"$perfatlas" collect --model "$model" --out "$run" --budget "$budget" --system-file "$out/system.json"

say "A tour of other families: experts of Qwen3-30B-A3B, latent attention of DeepSeek-V3, an eighth of each"
"$perfatlas" collect --out "$tour" --budget 25s --system-file "$out/system.json" --no-drift --dtype bfloat16 --tp 8 \
  --model "$root/data/models/Qwen3-30B-A3B" --ops moe --at-most moe_ep_size=1 --at-most tokens=512
"$perfatlas" collect --out "$tour" --budget 15s --system-file "$out/system.json" --no-drift --dtype bfloat16 --tp 8 \
  --model "$root/data/models/DeepSeek-V3" --ops mla_context,mla_generation --at-most batch_size=8 --at-most isl=1024 \
  --at-most step=4096

say "Can these numbers be trusted?"
verdict=0
"$perfatlas" validate "$run" --model "$model" || verdict=$?

say "Into the database"
"$perfatlas" place "$run" "$tour" --into "$tables"

say "Five questions"
ask() {
  printf '$ perfatlas query %s\n' "$*"
  "$perfatlas" query "$@" --data "$tables"
}
answered=0
ask gemm --m 100 --n 6144 --k 1024 || answered=1
ask attention_generation --batch 8 --heads 16 --kv_heads 8 --head_dim 128 --step 1000 || answered=1
ask add_rms_norm --tokens 700 --hidden 1024 || answered=1
ask moe --tokens 20 --hidden 2048 --inter 768 --topk 8 --experts 128 --tp 8 --distribution power_law_1.2 || answered=1
ask mla_generation --heads 16 --batch 4 --step 1500 || answered=1

say "The report"
"$perfatlas" report "$run" --out "$out/report.html"

say "Next"
shown=${out#"$PWD"/}
cat <<END
  $perfatlas collect --model $model --out $shown/run --budget 10m   # measure more of the same plan
  $perfatlas query gemm --data $shown/tables --system $system --m 1 --n 4096 --k 1024
  $perfatlas ops                                                    # what else can be measured
  open $shown/report.html in a browser
END
if ((verdict != 0)); then echo "validate found something to look at: see above and the report"; fi
exit $answered
