#!/usr/bin/env bash
# Runs clang-tidy with the checks of .clang-tidy over the sources; every finding is an error.
# Usage: scripts/tidy.sh [FILES, e.g. src/core/*.cpp]     (all of src/ by default, which takes minutes)
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
help_if_asked "$@"

has clang-tidy || fail "clang-tidy is missing: apt-get install clang-tidy"
"$root/scripts/setup.sh"
if [ $# -gt 0 ]; then
  mapfile -t files < <(realpath "$@")
else
  mapfile -t files < <(cd "$root" && git ls-files 'src/*.cpp' | sed "s|^|$root/|")
fi
# A folder of its own: a precompiled header of one compiler is of no use to the other, and here every source stands alone.
cmake -S "$root" -B "$build-tidy" -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON -DLABELPROBE_UNITY=OFF -DLABELPROBE_BUILD_TESTS=OFF \
  -DCMAKE_PREFIX_PATH="$(torch_root);$cmake_prefixes" >/dev/null
printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P "$(n_jobs)" clang-tidy --quiet -p "$build-tidy"
