#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Python package with pip into a virtual environment and asks it. Ends with 77, which CTest reports as
# skipped, where PyPI cannot be reached. Usage: run.sh BIN WORK_DIR
set -euo pipefail
bin=$(cd "$1" && pwd) work=$2
here=$(cd "$(dirname "$0")" && pwd) root=$(cd "$(dirname "$0")/../.." && pwd)
rm -rf "$work" && mkdir -p "$work"
python=/usr/bin/python3
[[ ! -x /usr/bin/python3.11 ]] || python=/usr/bin/python3.11
"$python" -m venv "$work/venv"
pip=("$work/venv/bin/python3" -m pip --quiet --no-input --disable-pip-version-check)
if ! "${pip[@]}" download --no-deps --dest "$work/reached" 'pybind11>=2.10' >"$work/reach.log" 2>&1; then
  echo "skipped: PyPI cannot be reached" && exit 77
fi
cd "$root" # the compiler cache knows the tree by its relative paths
# shellcheck disable=SC1091
source tools/environment.sh
"${pip[@]}" install . >"$work/install.log" 2>&1 || { tail -40 "$work/install.log" && exit 1; }
cd "$work" # not beside the sources of the package
venv/bin/python3 "$here/package_test.py" "$bin/perfatlas"
