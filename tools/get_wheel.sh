#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fetches the published performance tables that the data tests read, the pinned wheel aiconfigurator-core of PyPI
# (Apache-2.0, about 75 MB), into build/wheel and prints its path. Does nothing when it is there. A wheel that
# PERFATLAS_WHEEL names is used instead. Called by tools/setup.sh; without it the data tests are skipped.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly package=aiconfigurator-core==0.12.0
readonly sha256=aadc4aad0a00bf8a61c477c62bef43de479849c3aa0b1c3078068e08309eccc4
readonly folder=build/wheel log=build/setup-wheel.log pip=(build/venv/bin/python3 -m pip)
readonly usage='usage: tools/get_wheel.sh [--check]
  (none)    fetch the wheel unless it is there; print its path
  --check   only say whether it is missing; exit code 1 when it is'

say() { echo "setup: wheel: $*" >&2; }
fail() { say "$*" && exit 1; }
present() { compgen -G "$folder/aiconfigurator_core-0.12.0-*.whl" | head -1; }

case "${1:-}" in
  '') ;;
  --check) [[ -n ${PERFATLAS_WHEEL:-} || -n $(present) ]] || { say "missing: $folder" && exit 1; } && exit 0 ;;
  --help | -h) echo "$usage" && exit 0 ;;
  *) echo "$usage" >&2 && exit 2 ;;
esac

if [[ -n ${PERFATLAS_WHEEL:-} ]]; then
  [[ -f $PERFATLAS_WHEEL ]] || fail "PERFATLAS_WHEEL names $PERFATLAS_WHEEL, which does not exist"
  echo "$PERFATLAS_WHEEL" && exit 0
fi
wheel=$(present) || true
if [[ -z $wheel ]]; then
  [[ -x build/venv/bin/python3 ]] || fail "run tools/setup.sh, which calls this script"
  mkdir -p "$folder"
  # Whatever this machine is: of the wheel only the data is read.
  "${pip[@]}" download --quiet --no-input --disable-pip-version-check --no-deps --only-binary :all: \
    --platform manylinux_2_28_x86_64 --implementation cp --abi abi3 --python-version 3.11 \
    --dest "$folder/part" "$package" >"$log" 2>&1 ||
    fail "pip could not fetch $package; check the network (HTTPS_PROXY, PIP_INDEX_URL, PIP_CERT; log: $log)"
  part=$(compgen -G "$folder/part/*.whl" | head -1)
  echo "$sha256  $part" | sha256sum --check --quiet >>"$log" 2>&1 ||
    fail "$part is not the pinned file (sha256 $sha256); remove $folder and run tools/setup.sh again"
  mv "$part" "$folder/" && rm -rf "$folder/part"
  wheel=$(present)
fi
echo "$wheel"
