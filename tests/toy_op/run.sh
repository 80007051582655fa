#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Proves that an op is declared once: copies the source tree, adds a toy op as one folder and one line in
# perfatlas/ops/CMakeLists.txt, and drives it through the whole chain.
# Usage: run.sh SOURCE_DIR WORK_DIR VENV
set -euo pipefail
source_dir=$1 work_dir=$2 venv=$3
tree=$work_dir/tree
build=$tree/build/toy  # as deep as the presets' folders, so that ccache finds what those builds compiled
rm -rf "$work_dir/tree" "$work_dir/run" "$work_dir/tables"
mkdir -p "$tree"
(cd "$source_dir" && git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$tree" 2>/dev/null || true)

# The whole change: one folder, one line.
mkdir "$tree/perfatlas/ops/toy"
cp "$source_dir"/tests/toy_op/toy*.{h,cpp} "$tree/perfatlas/ops/toy/"
sed -i '0,/^perfatlas_op(/s//perfatlas_op(toy Toy CPU)\n&/' "$tree/perfatlas/ops/CMakeLists.txt"
touched=$( (diff -rq "$source_dir/perfatlas" "$tree/perfatlas" || true) | grep -cv "ops: toy$" || true)
[ "$touched" = 1 ] || { echo "files touched outside the folder: $touched, expected 1"; exit 1; }

launcher=()
if command -v ccache >/dev/null; then
  export CCACHE_BASEDIR=$tree CCACHE_NOHASHDIR=1
  launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
fi
cmake -S "$tree" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DPERFATLAS_BUILD_TESTS=OFF \
  -DPERFATLAS_WITH_CUDA=OFF -DPERFATLAS_VENV="$venv" "${launcher[@]}" >"$work_dir/configure.log"
ninja -C "$build" >"$work_dir/build.log" || { tail -30 "$work_dir/build.log"; exit 1; }

bin=$build/bin
"$bin/perfatlas" ops toy | grep -q "toy_loop *runs here"
"$bin/perfatlas" check toy --count 1000
"$bin/perfatlas" collect --ops toy --grid model --model "$source_dir/data/models/Qwen3-0.6B" --out "$work_dir/run" --budget 20s --no-drift
head -1 "$work_dir/run/toy_perf.txt" | grep -q "^framework,version,device,op_name,kernel_source,toy_dtype,count,latency"
"$bin/perfatlas" place "$work_dir/run" --into "$work_dir/tables" --system toy_system
"$bin/perfatlas" query toy --data "$work_dir/tables" --system toy_system --dtype f32 --count 3000 | tee "$work_dir/answer.txt"
grep -q "interpolated" "$work_dir/answer.txt"
echo "toy op: one folder, one line, whole chain"
