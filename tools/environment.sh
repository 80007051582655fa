# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced in the repository root before CMake is called: the compiler of this machine (written by tools/setup.sh
# where the default is too old) and ccache, shared between clones, when there is one.
if [[ -f build/env.sh ]]; then
  # shellcheck disable=SC1091
  source build/env.sh
fi
if command -v ccache >/dev/null; then
  export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache CMAKE_CUDA_COMPILER_LAUNCHER=ccache
  export CCACHE_BASEDIR="$PWD" CCACHE_NOHASHDIR=1
fi
# The published tables that the data tests read (tools/get_wheel.sh).
if [[ -z ${PERFATLAS_WHEEL:-} ]]; then
  PERFATLAS_WHEEL=$(compgen -G "$PWD/build/wheel/aiconfigurator_core-*.whl" | head -1 || true)
  if [[ -n $PERFATLAS_WHEEL ]]; then export PERFATLAS_WHEEL; else unset PERFATLAS_WHEEL; fi
fi
