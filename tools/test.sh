#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What `make test` runs: tools/test.sh [lint] [ci] [asan] [tidy], all four by default, in that order.
# Ends after the first group with a failure. The last line is the sum: "12 passed, 0 failed".
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
source tools/environment.sh
exec </dev/null
export NINJA_STATUS='[%f/%t %es] ' UBSAN_OPTIONS=print_stacktrace=1
format=clang-format-14 tidy=${PERFATLAS_CLANG_TIDY:-clang-tidy-14}
jobs=$(nproc)
passed=0 failed=0

finish() {
  echo "$passed passed, $failed failed"
  exit $((failed > 0))
}

timed() { # name, command...: runs it, says how long it took, returns its status
  local name=$1 start=$EPOCHREALTIME status=0
  shift
  echo "== $name: $*"
  "$@" || status=$?
  echo "   $name: $( ((status == 0)) && echo ok || echo "FAILED ($status)"), $(seconds_since "$start") s"
  return "$status"
}

seconds_since() { awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }'; }

step() { # a command that is one check of its own
  if timed "$@"; then ((++passed)); else ((++failed)); fi
}

need() { # a command whose failure ends the run, such as a build; success is not a passed test
  timed "$@" || { ((++failed)) && finish; }
}

# --- groups ----------------------------------------------------------------------------------------------

# Other versions format differently.
format_check() {
  $format --version | grep -q 'version 14\.' || { echo "$format is missing; run tools/setup.sh" && return 1; }
  python3 tools/source_files.py | xargs -0 -r -P "$jobs" -n 16 $format --dry-run -Werror 2>&1 |
    sed -n -E 's/^([^:]+):[0-9]+:[0-9]+: error: .*/\1: not formatted; run make format/p' | sort -u
  return "${PIPESTATUS[1]}"
}

lint() {
  step layers-self-test tools/check_layers.py --self-test
  step layers tools/check_layers.py
  step size-self-test tools/check_size.py --self-test
  step size tools/check_size.py
  step text tools/check_text.py
  step format format_check
}

build() { # preset
  need "configure $1" cmake --preset "$1" --log-level=NOTICE
  need "build $1" cmake --build --preset "$1"
}

ctest_preset() { # preset; the results stay in build/<preset>/ctest.xml, passing tests are not listed
  ctest --preset "$1" --parallel "$jobs" --no-tests=error --output-junit ctest.xml |
    grep -v -E '^ +Start +[0-9]+: |\.\.+ +Passed +[0-9.]+ sec$'
  return "${PIPESTATUS[0]}"
}

attribute() { # JUnit file, attribute of its <testsuite>: the number, 0 when there is none
  local found
  found=$(sed '/<testcase/q' "$1" 2>/dev/null | grep -o -m 1 -E "\b$2=\"[0-9]+\"" | tr -dc 0-9)
  echo "${found:-0}"
}

tests() { # preset
  local results=build/$1/ctest.xml status=0 total bad skipped
  rm -f "$results"
  timed "tests $1" ctest_preset "$1" || status=$?
  total=$(attribute "$results" tests) bad=$(attribute "$results" failures) skipped=$(attribute "$results" skipped)
  ((status == 0 || bad > 0)) || bad=1 # ctest itself failed: no tests, a missing program, a damaged build folder
  ((skipped == 0)) || echo "   tests $1: $skipped skipped"
  passed=$((passed + (total > bad + skipped ? total - bad - skipped : 0))) failed=$((failed + bad))
}

ci() {
  build ci
  step docs-are-tested docs_are_tested
  tests ci
}

# Tests labelled `docs` compare the generated documents and the schema lock with the declarations.
docs_are_tested() { ctest --test-dir build/ci --show-only --label-regex docs | grep -q -E 'Total Tests: [1-9]'; }

# What has no kernels, under address and undefined-behaviour checks; the published tables are too much for it.
asan() {
  build asan
  PERFATLAS_WHEEL='' tests asan
}

# --- clang-tidy on what changed --------------------------------------------------------------------------

changed_files() { # against origin/main; on origin/main itself: what the last commit brought
  local base
  base=$(git merge-base HEAD origin/main 2>/dev/null)
  if [[ -z $base || ($base == "$(git rev-parse HEAD)" && -z $(git status --porcelain)) ]]; then
    base=$(git rev-parse --verify --quiet HEAD~1 || git hash-object -t tree /dev/null)
  fi
  git diff --name-only --diff-filter=d "$base" -- perfatlas
  git ls-files --others --exclude-standard -- perfatlas
}

tidy_units() { # the compiled files among them; a header stands for its own source and test
  sed -E 's/\.h$/.cpp\n&/' <(changed_files) | sed -E 's/\.h$/_test.cpp/' | sort -u |
    comm -12 - <(sed -n "s|.*\"file\": \"$PWD/\([^\"]*\.cpp\)\".*|\1|p" build/ci/compile_commands.json | sort -u)
}

run_tidy() { # file with the names of the units
  # omp.h lies among the compiler's own headers; searched last, they replace none of clang's.
  xargs -r -P "$jobs" -n 1 $tidy -p build/ci --quiet --extra-arg=-idirafter \
    --extra-arg="$("${CXX:-g++}" -print-file-name=include)" <"$1" 2>&1 |
    grep -v -E '^[0-9]+ warnings? generated\.$|^$'
  return "${PIPESTATUS[0]}"
}

tidy() {
  git rev-parse --verify --quiet HEAD >/dev/null || { echo "== tidy: skipped, no commit to compare with" && return; }
  [[ -f build/ci/compile_commands.json ]] || build ci
  local units=build/ci/tidy_units.txt
  tidy_units >"$units"
  [[ -s $units ]] || { echo "== tidy: skipped, no compiled file has changed" && return; }
  step "tidy of $(wc -l <"$units") files" run_tidy "$units"
}

for group in "${@:-}"; do
  case "$group" in
    '') set -- lint ci asan tidy ;;
    lint | ci | asan | tidy) ;;
    *) echo "usage: tools/test.sh [lint] [ci] [asan] [tidy]" >&2 && exit 2 ;;
  esac
done
start=$EPOCHREALTIME
for group in "$@"; do
  "$group"
  ((failed == 0)) || break
done
echo "   all: $(seconds_since "$start") s"
finish
