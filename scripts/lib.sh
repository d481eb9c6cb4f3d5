# What the scripts of this folder share; sourced by them, never run.
# shellcheck shell=bash disable=SC2034  # the variables are read by those who source this file

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build="$root/build"
torch_version=2.11.0
arrow_version=26.0.1
cmake_prefixes="${CMAKE_PREFIX_PATH:-}"  # in CMake's own spelling, separated by semicolons
cmake_prefixes="${cmake_prefixes//:/;}"
torch_env="$build/torch-env"  # the private Python environment with the torch wheel

arrow="$build/arrow"  # headers and libraries of Apache Arrow, from the pyarrow wheel

say() { printf '%s: %s\n' "$(basename "$0" .sh)" "$*" >&2; }

fail() {
  say "$@"
  exit 1
}

# With --help as its first argument a script prints the comment at its top and ends.
help_if_asked() {
  case "${1:-}" in
    -h | --help)
      sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "$0"
      exit 0
      ;;
  esac
}

has() { command -v "$1" >/dev/null 2>&1; }

# The libtorch named by CMAKE_PREFIX_PATH (its root, its share/cmake or its site-packages); fails if there is none.
given_torch() {
  local prefixes prefix folder
  IFS=';' read -ra prefixes <<<"$cmake_prefixes"
  for prefix in "${prefixes[@]}"; do
    for folder in "$prefix" "$prefix/../.." "$prefix/torch"; do
      if [ -n "$prefix" ] && [ -e "$folder/include/ATen/ATen.h" ] && [ -e "$folder/lib/libtorch_cpu.so" ]; then
        (cd "$folder" && pwd)
        return
      fi
    done
  done
  return 1
}

# Whether CMAKE_PREFIX_PATH names an Apache Arrow with Parquet: its root, or a site-packages with pyarrow.
given_arrow() {
  local prefixes prefix
  IFS=';' read -ra prefixes <<<"$cmake_prefixes"
  for prefix in "${prefixes[@]}"; do
    [ -z "$prefix" ] || [ ! -e "$prefix/include/parquet/arrow/reader.h" ] || return 0
    [ -z "$prefix" ] || [ ! -e "$prefix/pyarrow/include/parquet/arrow/reader.h" ] || return 0
  done
  return 1
}

# torch_of ENV: the libtorch of a Python environment.
torch_of() {
  local found
  for found in "$1"/lib/python3*/site-packages/torch; do
    [ -e "$found/lib/libtorch_cpu.so" ] && printf '%s\n' "$found" && return
  done
  return 1
}

# The libtorch to build with: the given one, else the one of the private environment; fails if there is neither.
torch_root() { given_torch || torch_of "$torch_env"; }

# Whether to build for GPUs: what LABELPROBE_TORCH chooses, else whether this machine has NVIDIA's driver.
wants_cuda() {
  case "${LABELPROBE_TORCH:-}" in
    cuda) return 0 ;;
    cpu) return 1 ;;
    "") [ -e /dev/nvidiactl ] || has nvidia-smi ;;
    *) fail "LABELPROBE_TORCH is '$LABELPROBE_TORCH'; expected cuda or cpu" ;;
  esac
}

# A Python that has pip: that of the private environment, made for this where libtorch came from elsewhere.
private_python() {
  [ -x "$torch_env/bin/python" ] || python3 -m venv "$torch_env" >&2
  printf '%s\n' "$torch_env/bin/python"
}

# One compiler needs up to 2 GB where torch is included: as many at once as cores and memory allow.
n_jobs() {
  local by_memory cores
  by_memory=$(awk '/^MemAvailable:/ {print int($2 / 2000000)}' /proc/meminfo 2>/dev/null || true)
  cores=$(nproc)
  if [ "${by_memory:-1}" -lt 1 ]; then by_memory=1; fi
  if [ "${by_memory:-1}" -lt "$cores" ]; then printf '%s\n' "${by_memory:-1}"; else printf '%s\n' "$cores"; fi
}

# list_skipped FOLDER: the tests of the last ctest in a build folder that were skipped.
list_skipped() {
  local skipped
  skipped=$(grep -a 'SKIPPED: ' "$1/Testing/Temporary/LastTest.log" | sed 's/.*SKIPPED: //' | sort | uniq -c || true)
  if [ -n "$skipped" ]; then
    say "skipped (how many tests, and why):"
    printf '%s\n' "$skipped"
  else
    say "nothing was skipped"
  fi
}
