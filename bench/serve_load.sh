#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Load test of `perfatlas serve` with wrk on loopback, client and server sharing the machine.
# usage: bench/serve_load.sh BIN PRICES.json [seconds]
set -euo pipefail
bin=$1 prices=$2 seconds=${3:-5}
folder=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT

"$bin/perfatlas" serve --prices "$prices" --port 0 >"$folder/log" &
server=$!
for _ in $(seq 50); do grep -q listening "$folder/log" && break || sleep 0.1; done
url=$(grep -o 'http://[0-9.:]*' "$folder/log")

step='[[1,1000],[1,512],[1,2048],[1,77],[256,0],[128,900]]'
cat >"$folder/one.lua" <<LUA
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"batch": $step}'
LUA
cat >"$folder/many.lua" <<LUA
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"batches": [$(printf "$step,%.0s" $(seq 63))$step]}'
LUA

for connections in 1 2 4 8 16; do
  for kind in one many; do
    echo "== $kind step(s) per request, $connections connections"
    wrk -t 1 -c "$connections" -d "$seconds" --latency -s "$folder/$kind.lua" "$url/v1/step" |
      grep -E '50%|90%|99%|Requests/sec|Non-2xx' || true
  done
done
