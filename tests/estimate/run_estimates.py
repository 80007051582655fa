#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares `perfatlas estimate` with recorded answers of aiconfigurator 0.12 (estimates.jsonl.gz).

Needs the published tables (the aiconfigurator-core 0.12.0 wheel): --wheel, else PERFATLAS_WHEEL. Exits with 77, which
ctest shows as skipped, when there are none.
"""
import argparse
import gzip
import json
import os
import subprocess
import sys

FLAGS = {
    "model_path": "--model", "system_name": "--system", "backend_name": "--backend", "mode": "--mode",
    "decode_system_name": "--decode-system", "database_mode": "--database-mode",
    "isl": "--isl", "osl": "--osl", "prefix": "--prefix", "ctx_tokens": "--ctx-tokens", "batch_size": "--bs",
    "tp_size": "--tp", "pp_size": "--pp", "attention_dp_size": "--dp", "moe_tp_size": "--etp", "moe_ep_size": "--ep",
    "gemm_quant_mode": "--gemm-quant-mode", "moe_quant_mode": "--moe-quant-mode",
    "kvcache_quant_mode": "--kvcache-quant-mode", "fmha_quant_mode": "--fmha-quant-mode",
    "comm_quant_mode": "--comm-quant-mode", "nextn": "--nextn", "nextn_accepted": "--nextn-accepted",
    "prefill_tp_size": "--p-tp", "prefill_pp_size": "--p-pp", "prefill_attention_dp_size": "--p-dp",
    "prefill_moe_tp_size": "--p-etp", "prefill_moe_ep_size": "--p-ep", "prefill_batch_size": "--p-bs",
    "prefill_num_workers": "--p-workers", "decode_tp_size": "--d-tp", "decode_pp_size": "--d-pp",
    "decode_attention_dp_size": "--d-dp", "decode_moe_tp_size": "--d-etp", "decode_moe_ep_size": "--d-ep",
    "decode_batch_size": "--d-bs", "decode_num_workers": "--d-workers", "free_gpu_memory_fraction":
    "--free-gpu-memory-fraction", "max_seq_len": "--max-seq-len", "stride": "--stride",
}
TOLERANCE = 1e-6
# Ours alone: an aggregated worker of the reference has no such factor.
NOT_COMPARED = {"mix_efficiency"}


def differs(expected, got):
    if isinstance(expected, (int, float)) and not isinstance(expected, bool):
        if not isinstance(got, (int, float)):
            return True
        return abs(expected - got) > TOLERANCE * max(abs(expected), abs(got))
    return expected != got


def compare(where, expected, got, out):
    if isinstance(expected, dict):
        for key, value in expected.items():
            if key in NOT_COMPARED:
                continue
            if not isinstance(got, dict) or key not in got:
                out.append(f"{where}.{key}: missing")
            else:
                compare(f"{where}.{key}", value, got[key], out)
    elif differs(expected, got):
        out.append(f"{where}: expected {expected}, got {got}")


def check(record, got):
    """What differs, one line each."""
    out = []
    for key in ("version", "ttft", "tpot", "power_w"):
        compare(key, record[key], got[key], out)
    compare("columns", record["columns"], got["columns"], out)
    if record.get("memory_breakdown"):
        compare("memory", record["memory_breakdown"], got["memory"]["worker"], out)
    expected = dict(record["per_ops"] or {})
    if "scheduling" in expected:
        compare("scheduling", expected.pop("scheduling"), got["scheduling"], out)
    for phase in ("context", "generation"):
        if record.get(f"get_{phase}_latency_dict"):
            expected[phase] = record[f"get_{phase}_latency_dict"]
    compare("per_ops", expected, got["per_ops"], out)
    compare("source", record["per_ops_source"] or {}, got["per_ops_source"], out)
    return out


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    parser.add_argument("--wheel", default=os.environ.get("PERFATLAS_WHEEL", ""))
    parser.add_argument("--records", default=os.path.join(os.path.dirname(__file__), "estimates.jsonl.gz"))
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    if not args.wheel or not os.path.exists(args.wheel):
        print("skipped: no published tables (PERFATLAS_WHEEL)")
        return 77
    failed = count = 0
    with gzip.open(args.records, "rt") as records:
        for record in map(json.loads, records):
            count += 1
            command = [os.path.join(args.bin, "perfatlas"), "estimate", "--json", "--systems-path", args.wheel]
            for key, value in record["args"].items():
                command += [FLAGS[key], str(value)]
            run = subprocess.run(command, capture_output=True, text=True)
            if not record["ok"]:
                problems = [] if run.returncode == 2 and run.stderr.count("\n") == 1 else ["expected one line of error"]
            elif run.returncode != 0:
                problems = [run.stderr.strip()]
            else:
                problems = check(record, json.loads(run.stdout))
            if problems:
                failed += 1
                print(f"{record['id']}: {len(problems)} differences")
                for line in problems if args.verbose else problems[:5]:
                    print("   ", line)
    print(f"{count - failed} of {count} estimates agree within {TOLERANCE}")
    return 1 if failed or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
