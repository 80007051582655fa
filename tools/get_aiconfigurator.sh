#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs aiconfigurator 0.12.0 from PyPI (0.9 GB) into build/peer-venv, for the test that it reads what
# `perfatlas export` writes, and prints the path of its program. Does nothing when it is there. A program that
# PERFATLAS_AICONFIGURATOR names is used instead. Ends with 77 when the package cannot be fetched.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly venv=build/peer-venv package=aiconfigurator==0.12.0 log=build/setup-peer.log
say() { echo "aiconfigurator: $*" >&2; }

if [[ -n ${PERFATLAS_AICONFIGURATOR:-} ]]; then
  [[ -x $PERFATLAS_AICONFIGURATOR ]] || { say "PERFATLAS_AICONFIGURATOR names no program: $PERFATLAS_AICONFIGURATOR" && exit 1; }
  echo "$PERFATLAS_AICONFIGURATOR" && exit 0
fi
mkdir -p build
exec 9>build/.peer.lock
flock 9
if [[ ! -f $venv/.complete || $(<"$venv/.complete") != "$package" ]]; then
  rm -rf "$venv"
  # The system's Python, as for build/venv: wheels are chosen for its version.
  python=/usr/bin/python3
  [[ ! -x /usr/bin/python3.11 ]] || python=/usr/bin/python3.11
  "$python" -m venv "$venv" >"$log" 2>&1 || { say "cannot make $venv; log: $log" && exit 1; }
  if ! "$venv/bin/python3" -m pip install --quiet --no-input --disable-pip-version-check "$package" >>"$log" 2>&1; then
    say "pip could not fetch $package; check the network (HTTPS_PROXY, PIP_INDEX_URL, PIP_CERT; log: $log)"
    exit 77
  fi
  echo "$package" >"$venv/.complete"
fi
echo "$PWD/$venv/bin/aiconfigurator"
