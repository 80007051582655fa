#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs by name what the build and the tests need: Debian 12, Ubuntu 22.04 and 24.04.
# System packages come from apt, Python packages go into a virtual environment in build/venv.
# Does nothing, in well under a second, when everything is there.
set -euo pipefail
cd "$(dirname "$0")/.."

usage='usage: tools/setup.sh [--check] [--no-apt] [--yes] [--slurm]
  (none)    install what is missing; not root: asks before it uses sudo
  --check   only say what is missing; exit code 1 when something is
  --no-apt  leave the system alone: name the missing packages, do the Python part
  --yes     use sudo without asking (for machines nobody sits at)
  --slurm   also Slurm and munge, for tests/cluster on a two-node Slurm of this machine; without them the test is skipped'
check=0 apt=1 yes=0 slurm=0
for argument in "$@"; do
  case "$argument" in
    --check) check=1 ;;
    --no-apt) apt=0 ;;
    --yes) yes=1 ;;
    --slurm) slurm=1 ;;
    --help | -h) echo "$usage" && exit 0 ;;
    *) echo "setup: unknown argument $argument" >&2 && echo "$usage" >&2 && exit 2 ;;
  esac
done

say() { echo "setup: $*" >&2; }
fail() { say "$*" && exit 1; }

readonly venv=build/venv stamp=build/venv/.packages pip_log=build/setup-pip.log
system_packages=(
  build-essential cmake ninja-build ccache pkg-config git python3 python3-venv
  libcli11-dev libfmt-dev nlohmann-json3-dev libyaml-cpp-dev libhwloc-dev libxxhash-dev libminizip-dev libsqlite3-dev
  libcpp-httplib-dev
  libopenmpi-dev openmpi-bin libgtest-dev libgmock-dev libbenchmark-dev librapidcheck-dev clang-format-14
)
((slurm)) && system_packages+=(slurm-wlm munge)
tidy=clang-tidy-14
python=/usr/bin/python3 # not the first on PATH: the wheels are chosen for the system's Python
requirements=(-r tools/requirements.txt)
environment='' # lines of build/env.sh, which the Makefile and tools/test.sh read before they call CMake
codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release 2>/dev/null || true)
case "$codename" in
  jammy) # Ubuntu 22.04: its defaults are g++ 11, CMake 3.22 and Python 3.10
    system_packages+=(g++-12 python3.11 python3.11-venv)
    python=/usr/bin/python3.11
    requirements+=(cmake==3.25.2)
    # shellcheck disable=SC2016
    environment='export CC=gcc-12 CXX=g++-12 PATH="$PWD/build/venv/bin:$PATH"'
    ;;
  noble) # Ubuntu 24.04: clang 14 cannot compile the <chrono> of its g++ 13
    tidy=clang-tidy-18
    environment='export PERFATLAS_CLANG_TIDY=clang-tidy-18'
    ;;
esac
system_packages+=("$tidy")

# --- system packages -------------------------------------------------------------------------------------

missing_packages() {
  local installed
  installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "${system_packages[@]}" 2>/dev/null |
    sed -n 's/^installed //p') || true
  comm -23 <(printf '%s\n' "${system_packages[@]}" | sort -u) <(sort -u <<<"$installed") | xargs
}

apt_install() { # $@: the prefix (sudo or nothing); packages in $missing
  local log=build/setup-apt.log
  "$@" apt-get update -qq >"$log" 2>&1 || say "apt-get update had trouble (see $log); trying to install anyway"
  # shellcheck disable=SC2086
  "$@" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
    -o DPkg::Lock::Timeout=300 $missing >>"$log" 2>&1 ||
    fail "apt-get could not install: $(grep -E '^E:' "$log" | head -1); see $log, then run tools/setup.sh again"
}

provide_system_packages() {
  if ! command -v dpkg-query >/dev/null; then
    ((apt)) || return 0
    fail "no apt on this system: install the equivalents of '${system_packages[*]}', then run tools/setup.sh --no-apt"
  fi
  missing=$(missing_packages)
  [[ -n $missing ]] || return 0
  local command="apt-get install --no-install-recommends $missing"
  if ((check)); then
    say "missing system packages: $missing" && complete=0
  elif ((!apt)); then
    say "not installed (--no-apt): $missing"
  elif ((EUID == 0)); then
    say "installing with apt: $missing"
    apt_install
  elif ! command -v sudo >/dev/null; then
    fail "missing system packages; as root, run: $command"
  elif ((yes)); then
    say "installing with sudo apt: $missing"
    apt_install sudo -n
  elif [[ -t 0 && -t 2 ]]; then
    read -r -p "setup: install with sudo: $missing ? [y/N] " answer
    [[ $answer == [yY]* ]] || fail "nothing installed; to do it yourself, run: sudo $command"
    sudo -v || fail "sudo refused; as root, run: $command"
    apt_install sudo
  else
    fail "missing system packages; run: sudo $command"
  fi
}

# --- Python packages -------------------------------------------------------------------------------------

# What the environment was made from. Another interpreter or place: made anew; another list: installed on top.
venv_origin() { echo "$PWD $(readlink -f "$python")"; }
python_identity() { venv_origin && echo "${requirements[*]}" && cat tools/requirements.txt; }

packages_present() { compgen -G "$venv/lib/python3*/site-packages/pyarrow/libarrow.so.*" >/dev/null; }

python_ready() {
  [[ -x $venv/bin/python3 && -f $stamp && $(<"$stamp") == "$(python_identity)" ]] && packages_present
}

make_venv() {
  if [[ -x $venv/bin/python3 && -f $stamp && $(head -1 "$stamp") == "$(venv_origin)" ]] && packages_present; then
    return 0
  fi
  # Only what this script could have made is replaced: never the target of a link, never a foreign folder.
  [[ ! -L $venv ]] || fail "$venv is a link; remove it, so that an environment can be made there"
  [[ ! -e $venv || -f $venv/pyvenv.cfg || -z $(ls -A "$venv") ]] || fail "$venv is no Python environment; move it away"
  "$python" -m venv --clear "$venv" >"$pip_log" 2>&1 ||
    fail "$python cannot make a virtual environment; install python3-venv (details: $pip_log)"
  venv_origin >"$stamp"
}

provide_python_packages() {
  # An interpreter is only looked for elsewhere when the system has none: containers, --no-apt.
  [[ -x $python ]] || python=$(command -v python3) || fail "no python3; install python3 and python3-venv"
  ! python_ready || return 0
  if ((check)); then
    say "missing Python packages in $venv: see tools/requirements.txt" && complete=0
    return 0
  fi
  say "installing Python packages into $venv"
  make_venv
  "$venv/bin/python3" -m pip install --quiet --no-input --disable-pip-version-check "${requirements[@]}" \
    >"$pip_log" 2>&1 ||
    fail "pip: $(grep -E '^ERROR' "$pip_log" | tail -1); check the network (HTTPS_PROXY, PIP_INDEX_URL, PIP_CERT), then run tools/setup.sh again (log: $pip_log)"
  python_identity >"$stamp"
}

# --- ggml ------------------------------------------------------------------------------------------------

# Optional: without it perfatlas-worker-ggml is not built, and the script says so.
provide_ggml() {
  if ((check)); then
    tools/get_ggml.sh --check || complete=0
  else
    tools/get_ggml.sh || say "going on without ggml: perfatlas-worker-ggml will not be built"
  fi
}

# --- published tables ------------------------------------------------------------------------------------

# Optional: the data tests are skipped without it.
provide_wheel() {
  if ((check)); then
    tools/get_wheel.sh --check || say "the data tests will be skipped"
  else
    tools/get_wheel.sh >/dev/null || say "going on without published tables: the data tests will be skipped"
  fi
}

# --- headers of CUDA libraries ---------------------------------------------------------------------------

# Optional, where nvcc is: without them perfatlas-worker-cuda has fewer kernels, and names those it lacks.
provide_cuda_headers() {
  command -v nvcc >/dev/null || [[ -x /usr/local/cuda/bin/nvcc ]] || return 0
  if ((check)); then
    tools/get_cuda_headers.sh --check || complete=0
  else
    tools/get_cuda_headers.sh || say "going on without them: perfatlas-worker-cuda gets no FlashInfer kernels"
  fi
}

# --- versions --------------------------------------------------------------------------------------------

at_least() { [[ $(printf '%s\n' "$1" "$2" | sort -V | head -1) == "$1" ]]; } # wanted, found

check_version() { # program, wanted version, found version
  [[ -z $3 ]] || ! at_least "$2" "$3" || return 0
  if ((check)); then
    say "$1 $2 or newer is needed, found ${3:-none}" && complete=0
  else
    fail "$1 $2 or newer is needed, found ${3:-none}: install one (or set CXX, PATH) and run tools/setup.sh again"
  fi
}

complete=1
mkdir -p build
exec 9>build/.setup.lock
flock 9 # two make commands at once: the second waits, then finds everything done
provide_system_packages
provide_python_packages
[[ -f build/env.sh && $(<build/env.sh) == "$environment" ]] || ((check)) || echo "$environment" >build/env.sh
eval "$environment"
check_version cmake 3.25 "$(cmake --version 2>/dev/null | sed -n '1s/[^0-9]*//p')"
check_version "${CXX:-g++}" 12 "$("${CXX:-g++}" -dumpfullversion -dumpversion 2>/dev/null)"
provide_ggml
provide_wheel
provide_cuda_headers
((complete)) || exit 1
((!check)) || say "nothing is missing"
