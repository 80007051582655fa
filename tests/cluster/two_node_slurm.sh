#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A collection by a real Slurm of two nodes (tools/slurm_testbed): three tasks share a plan; one is killed with SIGKILL,
# one node is drained in the middle, then tasks hit their time limit. In the end the tables have exactly the planned keys.
# Usage: two_node_slurm.sh BIN    BIN: folder with perfatlas and perfatlas-worker-fake. Exit code 77: no Slurm here.
set -euo pipefail
bin=$(realpath "$1")
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
chmod 755 "$work" # for the user munge
# Every sign that a shell, sbatch or a log's name could read otherwise; each part of the test goes through this folder.
run="$work/it's a \"100% %A %j\" \$HOME \`run\` #1 ünï;&(*)"
testbed() { "$root/tools/slurm_testbed" "$1" "$work/slurm" "${@:2}"; }
slurm() { testbed run "$@"; }
finish() {
  slurm scancel --user=root >/dev/null 2>&1 || true
  testbed stop || true
  rm -rf "$work"
}
trap finish EXIT
fail() {
  echo "two_node_slurm: $*" >&2
  tail -n 5 "$run"/*.log "$work"/slurm/log/* >&2 || true
  exit 1
}
wait_until() { # seconds, what, command...
  local end=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < end)) || fail "waited in vain until $what"
    sleep 0.3
  done
}

testbed start || exit $?

# Some 120 cases. `launch MILLISECONDS_PER_CASE OPTIONS...` submits them.
plan=(--ops gemm --grid aic --at-most m=1 --at-most n=768 --at-most k=16384 --case-filter gemm_dtype=bfloat16)
launch() {
  slurm "$bin/perfatlas" collect "${plan[@]}" --backend fake --devices 0 --no-probe --no-drift --runs 6 --repeat 6 \
    --worker "$bin/perfatlas-worker-fake --devices {device} --answer-us $(($1 * 1000))" \
    --out "$run" --launcher slurm --partition main --sbatch-option='--comment=two "words"' "${@:2}"
}
"$bin/perfatlas" plan "${plan[@]}" --list | sed 's/.* gemm_dtype=/gemm_dtype=/' | sort >"$work/planned"

launch 400 --tasks 3
[ "$(slurm squeue -h -o %k | sort -u)" = 'two "words"' ] || fail "the comment became: $(slurm squeue -h -o %k)"
records() { cat "$run/shard-$1-of-3"/journal-*.jsonl | grep -c '"type":"case"'; }
some_records() { (($(records "$1") >= 5)); }
wait_until 60 'task 1 measures' some_records 1
kill -9 "$(sed 's/process \([0-9]*\) .*/\1/' "$run/shard-1-of-3/lock")"
wait_until 60 'task 2 measures' some_records 2
slurm scontrol update nodename=n2 state=drain reason=test
if launch 400 --tasks 3 >"$work/second" 2>&1; then fail 'a second launch did not wait for the first'; fi
grep -q 'still queued or running' "$work/second" || fail "$(cat "$work/second")"
sleep 5
slurm scontrol update nodename=n2 state=resume
queue_empty() {
  local job # Slurm lets a requeued one wait for two minutes; nothing here depends on that
  for job in $(slurm squeue -h -t PENDING -o %A); do slurm scontrol update jobid="$job" starttime=now || true; done
  [ -z "$(slurm squeue -h)" ]
}
wait_until 300 'the queue is empty' queue_empty

"$bin/perfatlas" status "$run" --json >"$work/status"
grep -q '"complete": false' "$work/status" || fail 'the killed task finished its shard'

# The rest in two pieces, too slow for a minute of which the last twenty seconds are the warning's; Slurm may warn earlier,
# even before a task has done anything: then it stays unfinished and is launched again.
for _ in 1 2 3 4; do
  launch 3000 --tasks 2 --time 1 --sbatch-option=--signal=B:TERM@20
  wait_until 400 'the queue is empty again' queue_empty
  "$bin/perfatlas" status "$run" --json >"$work/status"
  grep -q '"complete": true' "$work/status" && break
done
grep -q 'asking to be queued again' "$run"/*.log || fail 'no task came to its time limit'
[ -d "$run/shard-1-of-3.piece-2-of-2" ] || fail 'the shard was not split'

"$bin/perfatlas" place "$run"/shard-* --into "$work/tables" --system testbed --format csv >/dev/null
table=$(find "$work/tables" -name gemm_perf.txt -not -path '*history*')
python3 - "$table" >"$work/measured" <<'EOF'
import csv
import sys

for row in csv.DictReader(open(sys.argv[1])):
    print(" ".join(f"{key}={row[key]}" for key in ("gemm_dtype", "m", "n", "k")))
EOF
sort -o "$work/measured" "$work/measured"
diff "$work/planned" "$work/measured" || fail "the tables do not have exactly the planned keys: $(cat "$work/status")"
# Ranks on both nodes, started by Slurm through PMIx.
if [ -x "$bin/perfatlas-worker-mpi" ]; then
  OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 PERFATLAS_MPI_LAUNCH='srun --overlap --mpi=pmix -n {ranks}' \
    slurm salloc --quiet --nodes=2 --ntasks=2 "$bin/perfatlas" collect --backend mpi --ops collective --grid aic --at-most num_gpus=2 \
    --at-most message_size=1024 --limit 2 --no-probe --no-drift --max-time 0.2 --out "$work/mpi" >"$work/mpi.log" 2>&1 ||
    fail "ranks by srun: $(cat "$work/mpi.log")"
  grep -q '"rank_ms"' "$work"/mpi/journal-*.jsonl || fail "no rank measured: $(cat "$work/mpi.log")"
fi
echo "two_node_slurm: $(wc -l <"$work/planned") planned keys, the same in the tables"
