#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds ggml's CPU library, the kernels of llama.cpp, into build/ggml from the pinned source package that PyPI has of
# llama-cpp-python (about 80 MB to fetch, a minute to compile). Does nothing when it is there, built from the same
# source by the same compiler for the same CPU, or when the system has a ggml of its own. Called by tools/setup.sh.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly package=llama-cpp-python==0.3.36
readonly sha256=832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e
readonly folder=build/ggml log=build/setup-ggml.log pip=(build/venv/bin/python3 -m pip)
readonly usage='usage: tools/get_ggml.sh [--check] [--source]
  (none)    build build/ggml unless it is there
  --check   only say whether it is missing; exit code 1 when it is
  --source  unpack all of llama.cpp into build/ggml/source (for bench/ggml_beside.py) and print the folder'

say() { echo "setup: ggml: $*" >&2; }
fail() { say "$*" && exit 1; }

identity() { # what the library is made from and for
  echo "$package $sha256"
  "${CXX:-g++}" -march=native -Q --help=target -dumpfullversion 2>/dev/null | cksum
  cat cmake/ggml/* | cksum
}

ready() { [[ -f $folder/.identity && $(<"$folder/.identity") == "$(identity)" ]]; }

fetch() { # prints the path of the verified archive
  local archive
  mkdir -p "$folder/archive"
  archive=$(compgen -G "$folder/archive/*.tar.gz" | head -1) || true
  if [[ -z $archive ]]; then
    "${pip[@]}" download --quiet --no-input --disable-pip-version-check --no-deps \
      --no-binary llama-cpp-python --dest "$folder/archive" "$package" >>"$log" 2>&1 ||
      fail "pip could not fetch $package; check the network (HTTPS_PROXY, PIP_INDEX_URL, PIP_CERT; log: $log)"
    archive=$(compgen -G "$folder/archive/*.tar.gz" | head -1)
  fi
  echo "$sha256  $archive" | sha256sum --check --quiet >>"$log" 2>&1 ||
    fail "$archive is not the pinned file (sha256 $sha256); remove it and run tools/setup.sh again"
  echo "$archive"
}

unpack() { # archive, folder, paths below vendor/llama.cpp
  local archive=$1 to=$2
  shift 2
  rm -rf "$to" && mkdir -p "$to"
  tar -xzf "$archive" -C "$to" --strip-components=3 --wildcards "${@/#/*/vendor/llama.cpp/}"
}

build() {
  local work archive
  work=$(mktemp -d "${TMPDIR:-/tmp}/perfatlas-ggml.XXXXXX")
  # shellcheck disable=SC2064
  trap "rm -rf '$work'" EXIT
  archive=$(fetch)
  say "compiling it for this CPU (about a minute)"
  unpack "$archive" "$work/llama.cpp" ggml LICENSE
  rm -rf "${folder:?}"/{lib,include,share,.identity}
  { cmake -S cmake/ggml -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DLLAMA_CPP="$work/llama.cpp" \
    -DCMAKE_INSTALL_PREFIX="$PWD/$folder" -DCMAKE_INSTALL_LIBDIR=lib &&
    cmake --build "$work/build" && cmake --install "$work/build"; } >>"$log" 2>&1 ||
    fail "it does not compile (log: $log)"
  identity >"$folder/.identity"
}

case "${1:-}" in
  '') ;;
  --check) ready || pkg-config --exists ggml || { say "missing: $folder" && exit 1; } && exit 0 ;;
  --source)
    archive=$(fetch)
    [[ -f $folder/source/CMakeLists.txt ]] || unpack "$archive" "$folder/source" '*'
    echo "$folder/source" && exit 0
    ;;
  --help | -h) echo "$usage" && exit 0 ;;
  *) echo "$usage" >&2 && exit 2 ;;
esac
ready && exit 0
pkg-config --exists ggml && exit 0
[[ -x build/venv/bin/python3 ]] || fail "run tools/setup.sh, which calls this script"
mkdir -p "$folder"
: >"$log"
source tools/environment.sh
build
