#!/usr/bin/env bash
# Builds with sanitizers and runs the tests: by default all that needs no libtorch, with the address and undefined-behaviour
# sanitizers.
# Usage: scripts/sanitize.sh [--threads] [--with-model] [--rooms LIST] [OPTIONS FOR CTEST, e.g. --label-regex unit]
#   --threads     the thread sanitizer instead, and of the tests those of what has threads: every room that starts some
#   --with-model  the rooms with libtorch too: their unit tests. libtorch itself is as it comes, so that its own reads and writes
#                 are not looked at; needs clang, with which our code does without OpenMP's threads, and about an hour
#   --rooms LIST  builds and tests these rooms alone, separated by commas, e.g. files,server: a part of the whole at a time
# Each of the four has a folder of its own beside build/.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
help_if_asked "$@"

sanitizers=address,undefined
with_model=OFF
rooms=""
while [ $# -gt 0 ]; do
  case "$1" in
    --threads) sanitizers=thread ;;
    --with-model) with_model=ON ;;
    --rooms)
      rooms="${2:-}"
      [[ "$rooms" =~ ^[a-z]+(,[a-z]+)*$ ]] || fail "expected rooms after --rooms, e.g. files,server; found '$rooms'"
      shift
      ;;
    *) break ;;
  esac
  shift
done
folder="$build-sanitize"
if [ "$sanitizers" = thread ]; then folder="$folder-threads"; fi
if [ "$with_model" = ON ]; then folder="$folder-model"; fi

"$root/scripts/setup.sh"
options=(-DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_CXX_FLAGS_RELWITHDEBINFO="-O1 -g1" -DLABELPROBE_WITH_MODEL="$with_model"
  -DLABELPROBE_SANITIZE="$sanitizers")
search="$cmake_prefixes"
if has ninja; then options+=(-G Ninja); fi
if [ "$with_model" = ON ]; then
  clang="${LABELPROBE_CLANG:-clang++}"
  has "$clang" || fail "$clang is not there; on Debian: apt-get install clang libclang-rt-14-dev"
  options+=(-DCMAKE_CXX_COMPILER="$clang")
  search="$(torch_root);$search"
  export CUDACXX=none  # kernels are for GPUs, which no sanitizer looks into
fi
cmake -S "$root" -B "$folder" "${options[@]}" -DCMAKE_PREFIX_PATH="$search" >/dev/null

# By room: the folders of tests/ whose programs are built and run.
targets=(all)
chosen=(--label-exclude gpu)
if [ "$with_model" = ON ]; then
  rooms="${rooms:-weights,model}"
  chosen=(-L unit)
elif [ "$sanitizers" = thread ]; then
  rooms="${rooms:-tokenizer,server,files}"
fi
if [ -n "$rooms" ]; then
  targets=()
  for room in ${rooms//,/ }; do targets+=("labelprobe_${room}_tests"); done
  chosen+=(-R "^(${rooms//,/|})\.")
fi
cmake --build "$folder" --parallel "$(n_jobs)" --target "${targets[@]}"
# libtorch keeps memory until the process ends.
leaks=1
if [ "$with_model" = ON ]; then leaks=0; fi
export ASAN_OPTIONS="detect_stack_use_after_return=1:detect_leaks=$leaks:${ASAN_OPTIONS:-}"
export UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1:${UBSAN_OPTIONS:-}"
export TSAN_OPTIONS="halt_on_error=1:second_deadlock_stack=1:${TSAN_OPTIONS:-}"
ctest --test-dir "$folder" --output-on-failure "${chosen[@]}" "$@"
