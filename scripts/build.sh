#!/usr/bin/env bash
# Builds labelprobe: the program build/labelprobe, its libraries and its tests. Sets the machine up first.
# Usage: scripts/build.sh [--program] [OPTIONS FOR CMAKE, e.g. -DLABELPROBE_WERROR=ON]
#   --program   without the tests, which take half of the time
# Silent when there is nothing to do.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
help_if_asked "$@"
target=all
if [ "${1:-}" = --program ]; then
  target=labelprobe
  shift
fi

"$root/scripts/setup.sh"
torch=$(torch_root)

cached() { grep -qxF "$1" "$build/CMakeCache.txt" 2>/dev/null; }

# CMake itself looks again whenever one of its files changed; only other options, another libtorch or a CUDA compiler that was
# missing so far are ours to see.
needs_configuring() {
  [ $# -gt 0 ] || ! cached "LABELPROBE_TORCH_INCLUDE:PATH=$torch/include" ||
    ! { [ -e "$build/build.ninja" ] || [ -e "$build/Makefile" ]; } ||
    { wants_cuda && ! grep -q '^LABELPROBE_NVCC_WORKS:' "$build/CMakeCache.txt" && ! cached "LABELPROBE_CUDA:STRING=OFF"; }
}

if needs_configuring "$@"; then
  say "configuring build/"
  generator=()
  if has ninja && [ ! -e "$build/Makefile" ]; then generator=(-G Ninja); fi
  if ! cmake -S "$root" -B "$build" "${generator[@]}" -U 'LABELPROBE_TORCH_*' \
    -DCMAKE_PREFIX_PATH="$torch;$cmake_prefixes" "$@" >"$build/configure.log" 2>&1; then
    cat "$build/configure.log" >&2
    fail "cmake could not configure build/ (its messages are above and in build/configure.log)"
  fi
  if wants_cuda; then
    missing=$(sed -n 's/^-- CUDA kernels: not built: //p' "$build/configure.log")
    [ -z "$missing" ] || say "going on without the kernels for GPUs, which are slow then: $missing"
  fi
fi

if [ -e "$build/build.ninja" ] && ninja -C "$build" -n "$target" | grep -q 'no work to do'; then exit 0; fi
jobs=$(n_jobs)
say "building in build/ with $jobs jobs (minutes the first time, seconds after a change)"
cmake --build "$build" --target "$target" --parallel "$jobs"
