#!/usr/bin/env bash
# Builds everything that needs no libtorch with the address and undefined-behaviour sanitizers, and runs its tests.
# Usage: scripts/sanitize.sh [OPTIONS FOR CTEST, e.g. -R tokenizer]
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
help_if_asked "$@"

"$root/scripts/setup.sh"
generator=()
if has ninja; then generator=(-G Ninja); fi
cmake -S "$root" -B "$build-sanitize" "${generator[@]}" -DCMAKE_BUILD_TYPE=RelWithDebInfo \
  -DLABELPROBE_WITH_MODEL=OFF -DLABELPROBE_SANITIZE=address,undefined \
  -DCMAKE_PREFIX_PATH="$cmake_prefixes" >/dev/null
cmake --build "$build-sanitize" --parallel "$(n_jobs)"
export ASAN_OPTIONS=detect_stack_use_after_return=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
ctest --test-dir "$build-sanitize" --output-on-failure --label-exclude gpu "$@"
