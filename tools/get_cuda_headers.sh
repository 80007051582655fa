#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Unpacks the headers of FlashInfer, CUTLASS, CCCL and the cuDNN frontend into build/cuda-headers, from the pinned wheels
# that PyPI has (74 MB to fetch, 80 MB unpacked, nothing is compiled). Does nothing when they are there. Called by
# tools/setup.sh where nvcc is found; without them perfatlas-worker-cuda has cuBLASLt's and its own kernels only.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly flashinfer=flashinfer-python==0.7.2.post1
readonly flashinfer_sha256=bfdc18b9e1e4d8d0730fe4343dc0e284cd0c160086de80f99888bc4867922d49
readonly frontend=nvidia-cudnn-frontend==1.32.0
readonly frontend_sha256=c6006556017a4d1c914c52a556c71b1267f2d6a0500f742e7b4edef539878df0
readonly folder=build/cuda-headers log=build/setup-cuda-headers.log pip=(build/venv/bin/python3 -m pip)
readonly usage='usage: tools/get_cuda_headers.sh [--check]
  (none)    unpack build/cuda-headers unless it is there
  --check   only say whether it is missing; exit code 1 when it is'

say() { echo "setup: CUDA headers: $*" >&2; }
fail() { say "$*" && exit 1; }

identity() { echo "$flashinfer $flashinfer_sha256 $frontend $frontend_sha256" && cksum <"$0"; }
ready() { [[ -f $folder/.identity && $(<"$folder/.identity") == "$(identity)" ]]; }

fetch() { # package, sha256, folder: prints the path of the verified wheel
  # Headers are the same in the wheels of every Python; one is pinned.
  "${pip[@]}" download --quiet --no-input --disable-pip-version-check --no-deps --only-binary :all: \
    --python-version 3.11 --implementation cp --abi cp311 --abi none --platform manylinux_2_28_x86_64 --platform any \
    --dest "$3" "$1" >>"$log" 2>&1 ||
    fail "pip could not fetch $1; check the network (HTTPS_PROXY, PIP_INDEX_URL, PIP_CERT; log: $log)"
  local wheel
  wheel=$(compgen -G "$3/*.whl" | head -1)
  echo "$2  $wheel" | sha256sum --check --quiet >>"$log" 2>&1 || fail "$wheel is not the pinned file (sha256 $2)"
  echo "$wheel"
}

unpack() { # wheel of FlashInfer, wheel of the frontend, folder
  "${pip[0]}" - "$@" <<'PYTHON'
import sys, zipfile
from pathlib import Path

FLASHINFER = "flashinfer/data/"
# What kernels include; of csrc, mostly generated code of other kernels, the sources of XQA alone.
WANTED = ("include/", "csrc/xqa/", "cccl/libcudacxx/include/", "cccl/cub/cub/", "cccl/thrust/thrust/", "cutlass/include/",
          "cutlass/tools/util/include/", "spdlog/include/")


def unpack(wheel, prefix, wanted, to):
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            inside = name.removeprefix(prefix)
            licence = "licenses/LICENSE" in name and name.count("/") == 2
            if (name.startswith(prefix) and inside.startswith(wanted) and not name.endswith("/")) or licence:
                path = to / (inside if not licence else "LICENSE")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(archive.read(name))


flashinfer, frontend, to = sys.argv[1:]
unpack(flashinfer, FLASHINFER, WANTED, Path(to) / "flashinfer")
# Some of its headers name others as ../include/...
unpack(frontend, "include/", ("",), Path(to) / "cudnn_frontend/include")
PYTHON
}

case "${1:-}" in
  '') ;;
  --check) ready || { say "missing: $folder" && exit 1; } && exit 0 ;;
  --help | -h) echo "$usage" && exit 0 ;;
  *) echo "$usage" >&2 && exit 2 ;;
esac
ready && exit 0
[[ -x build/venv/bin/python3 ]] || fail "run tools/setup.sh, which calls this script"
: >"$log"
say "fetching and unpacking them"
work=$(mktemp -d "${TMPDIR:-/tmp}/perfatlas-headers.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/flashinfer" "$work/frontend"
first=$(fetch "$flashinfer" "$flashinfer_sha256" "$work/flashinfer")
second=$(fetch "$frontend" "$frontend_sha256" "$work/frontend")
rm -rf "$folder" && mkdir -p "$folder"
unpack "$first" "$second" "$folder"
identity >"$folder/.identity"
