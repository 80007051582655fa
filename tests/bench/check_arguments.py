# SPDX-License-Identifier: Apache-2.0
"""check_arguments.py BIN PROGRAM...: wrong arguments of a benchmark end in one line on standard error and exit code 2."""
import os
import subprocess
import sys

WRONG = {
    "atlas_bench": [[], ["/nowhere"]],
    "estimate_bench": [["word"], []],
    "gemm_hand_loop": [["bf15"], ["bfloat16", "many"]],
    "query_bench": [["word"]],
    "scale_out": [[], ["word"], ["resume"], ["status", "100"], ["audit", "none"]],
    "serving_bench": [["none"], ["0"]],
    "table_loading": [["/nowhere"], ["/nowhere", "s", "vllm"], ["/nowhere", "s", "vllm", "no_op"]],
}


def main():
    environment = {name: value for name, value in os.environ.items() if name != "PERFATLAS_SYSTEMS"}
    failures = 0
    for program in sys.argv[2:]:
        for arguments in WRONG[program]:
            run = subprocess.run([os.path.join(sys.argv[1], program), *arguments], env=environment,
                                 capture_output=True, text=True, timeout=60, check=False)
            lines = run.stderr.strip().split("\n")
            if run.returncode != 2 or len(lines) != 1 or not lines[0]:
                failures += 1
                print(f"{program} {' '.join(arguments)}: exit code {run.returncode}, {run.stderr!r}")
    return 1 if failures else 0


sys.exit(main())
