#!/usr/bin/env bash
# Makes this machine ready to build labelprobe: the packages of the distribution (Debian 12, Ubuntu 24.04) and libtorch.
# Usage: scripts/setup.sh
#
# Installs only what is missing, with apt-get, as root or through sudo; with neither it prints the command to hand to an
# administrator and stops. libtorch comes from the torch wheel, in build/torch-env; to use one that you already have, set
# CMAKE_PREFIX_PATH to its folder, e.g. "$(python3 -c 'import torch; print(torch.utils.cmake_prefix_path)')".
# Where NVIDIA's driver is, the wheel's libraries of CUDA come too, and a CUDA compiler if there is none that fits them.
# Apache Arrow, for Parquet files, comes from the pyarrow wheel, in build/arrow; one of your own is taken from CMAKE_PREFIX_PATH too.
# LABELPROBE_TORCH=cuda or cpu chooses, e.g. on a login node. What is in build/torch-env stays until its successor is whole.
# Silent when there is nothing to do.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
help_if_asked "$@"

# Package, and what it is needed for: where dpkg does not know it, that may have come from elsewhere.
needed=(
  "g++ command:c++"
  "cmake command:cmake"
  "ninja-build command:ninja,make"
  "python3-venv python:ensurepip,venv"
  "curl command:curl"
  "ca-certificates file:/etc/ssl/certs/ca-certificates.crt"
  "nlohmann-json3-dev header:nlohmann/json.hpp"
  "libyaml-cpp-dev header:yaml-cpp/yaml.h"
  "libcli11-dev header:CLI/CLI.hpp"
  "libspdlog-dev header:spdlog/spdlog.h"
  "libfmt-dev header:fmt/core.h"
  "libsentencepiece-dev header:sentencepiece_processor.h"
  "libpcre2-dev header:pcre2.h"
  "libutf8proc-dev header:utf8proc.h"
  "libcsv-dev header:csv.h"
  "libcurl4-openssl-dev header:curl/curl.h"
  "libyaml-dev header:yaml.h"
  "libzip-dev header:zip.h"
  "libpugixml-dev header:pugixml.hpp"
  "libxxhash-dev header:xxhash.h"
  "zlib1g-dev header:zlib.h"
  "libzstd-dev header:zstd.h"
  "catch2 header:catch2/catch.hpp,catch2/catch_all.hpp"
)
# Faster builds, and checks of the scripts: installed with the others, never asked for alone.
welcome=(ccache shellcheck)

installed_packages() {
  has dpkg-query || return 0
  # dpkg-query fails as soon as one package is unknown, and still lists the others.
  # shellcheck disable=SC2016  # the placeholders are dpkg-query's own
  dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null | sed -n 's/ installed$//p' || true
}

# is_there KIND:NAMES: one of the commands, all the Python modules or one of the headers can be used; the file is there.
is_there() {
  local names="${1#*:}" name prefix
  case "$1" in
    command:*)
      for name in ${names//,/ }; do has "$name" && return 0; done
      return 1
      ;;
    file:*) [ -e "$names" ] ;;
    python:*) python3 -c "import $names" >/dev/null 2>&1 ;;
    header:*)
      local flags=()
      for prefix in ${cmake_prefixes//;/ }; do flags+=(-I "$prefix/include"); done
      for name in ${names//,/ }; do
        printf '#if !__has_include(<%s>)\n#error missing\n#endif\n' "$name" |
          c++ -E -x c++ "${flags[@]}" - >/dev/null 2>&1 && return 0
      done
      return 1
      ;;
  esac
}

missing_packages() {
  local installed entry package
  installed=$(installed_packages "${needed[@]%% *}" "${welcome[@]}")
  local missing=() faster=()
  for entry in "${needed[@]}"; do
    package="${entry%% *}"
    grep -qxF "$package" <<<"$installed" || is_there "${entry#* }" || missing+=("$package")
  done
  for package in "${welcome[@]}"; do
    grep -qxF "$package" <<<"$installed" || faster+=("$package")
  done
  if [ ${#missing[@]} -gt 0 ]; then printf '%s ' "${missing[@]}" "${faster[@]}"; fi
}

install_packages() {
  local packages="$1" sudo="" command
  command="apt-get update && apt-get install -y --no-install-recommends ${packages% }"
  if ! has apt-get; then
    fail "missing: ${packages% } (names of Debian packages). Install their counterparts here, then run this again."
  fi
  if [ "$(id -u)" -ne 0 ]; then
    if has sudo && sudo -n true 2>/dev/null; then
      sudo="sudo -n"
    elif has sudo && [ -t 0 ] && [ -z "${CI:-}" ]; then
      sudo="sudo"
    else
      ask_administrator "$command"
    fi
  fi
  say "installing packages of the distribution (up to 100 MB to download): ${packages% }"
  mkdir -p "$build"
  # shellcheck disable=SC2086  # $sudo and the package list are words
  if ! { $sudo apt-get -qq update && $sudo env DEBIAN_FRONTEND=noninteractive \
    apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends $packages; } >"$build/apt.log" 2>&1; then
    tail -n 20 "$build/apt.log" >&2
    if [ -n "$sudo" ]; then ask_administrator "$command"; fi
    fail "apt-get failed (its last messages are above, all of them in build/apt.log); the command was: $command"
  fi
}

ask_administrator() {
  say "packages are missing, and installing them needs an administrator. Ask one to run, as root:"
  printf '\n  %s\n\n' "$1" >&2
  fail "then run this again."
}

# The CUDA wheel asks for libraries of CUDA even on machines without a GPU: there only the two that libtorch_cpu.so itself
# links to, elsewhere all of them. The wheel's own metadata has the versions.
cuda_requirements() { # ENV cpu|cuda|nvcc
  "$1/bin/python" - "$2" <<'PYTHON'
import importlib.metadata, re, sys
wanted = [line.split(";")[0].strip() for line in importlib.metadata.requires("torch") or []
          if line.startswith(("cuda-toolkit", "nvidia-"))]
# nvcc needs its own back end (nvvm), and headers of crt and cccl.
parts = {"cpu": "[cudart,cupti]", "nvcc": "[cccl,crt,nvcc,nvvm]"}.get(sys.argv[1])
if parts:
    wanted = [re.sub(r"\[.*\]", parts, line) for line in wanted if line.startswith("cuda-toolkit")]
print("\n".join(wanted))
PYTHON
}

pip_install() { # ENV REQUIREMENTS..
  local env="$1" quiet=()
  shift
  [ -t 2 ] || quiet=(--quiet)
  "$env/bin/python" -m pip install --disable-pip-version-check --no-input --no-warn-conflicts "${quiet[@]}" "$@" >&2
}

# What the private environment holds, e.g. "torch 2.11.0 cuda"; empty unless it is whole.
held() { cat "$torch_env/complete" 2>/dev/null || true; }

could_not_install() {
  local stays=""
  case "$(held)" in
    "torch $torch_version cpu") stays=" build/torch-env is as it was: LABELPROBE_TORCH=cpu goes on with it, without GPUs." ;;
    ?*) stays=" build/torch-env is as it was: $(held)." ;;
  esac
  fail "pip could not install $* (its message is above). With a network or a mirror run this again; or set CMAKE_PREFIX_PATH" \
    "to a libtorch, 2.9 or newer, that you already have.$stays"
}

# Beside the one that is there, which goes only when the new one is whole.
install_torch() {
  local kind="$1" size="550 MB to download, 1.3 GB on disk" new="$torch_env.new" old="$torch_env.old" torch unresolved requirements
  [ "$kind" = cpu ] || size="2.3 GB to download, 4 GB on disk"
  say "installing torch $torch_version for $kind into build/torch-env (about $size)"
  rm -rf "$new"
  mkdir -p "$build"
  python3 -m venv "$new"
  pip_install "$new" --no-deps "torch==$torch_version" || could_not_install "torch==$torch_version"
  requirements=$(cuda_requirements "$new" "$kind")
  # shellcheck disable=SC2086  # one requirement per word
  if [ -n "$requirements" ]; then pip_install "$new" $requirements || could_not_install $requirements; fi
  torch=$(torch_of "$new") || fail "the torch wheel has no lib/libtorch_cpu.so below $new"
  unresolved=$(ldd "$torch/lib/libtorch_cpu.so" | grep 'not found' || true)
  [ -z "$unresolved" ] || fail "libtorch lacks libraries: $unresolved"
  # For a test of what the CUDA compiler makes; it is skipped without.
  has cuobjdump || pip_install "$new" nvidia-cuda-cuobjdump || true
  printf 'torch %s %s\n' "$torch_version" "$kind" >"$new/complete"
  # Programs of the environment name its Python.
  { grep -lIr --null "$new" "$new/bin" || true; } | xargs -0 --no-run-if-empty sed -i "s|$new|$torch_env|g"
  rm -rf "$old"
  [ ! -e "$torch_env" ] || mv "$torch_env" "$old"
  mv "$new" "$torch_env"
  rm -rf "$old"
}

# An environment with all of CUDA serves machines without a GPU too, unless the smaller one is asked for.
provide_torch() {
  local kind=cpu
  if wants_cuda; then kind=cuda; fi
  # Left so by an end between two renames.
  if [ ! -e "$torch_env" ] && [ -e "$torch_env.old" ]; then mv "$torch_env.old" "$torch_env"; fi
  case "$(held)" in
    "torch $torch_version $kind") ;;
    "torch $torch_version cuda") [ "${LABELPROBE_TORCH:-}" != cpu ] || install_torch cpu ;;
    *) install_torch "$kind" ;;
  esac
}

# A CUDA compiler beside libtorch, unless one is there that fits; without one the program computes slowly on a GPU.
provide_nvcc() {
  local torch="$1" requirements cuda
  # What the build will say, too.
  if cmake -D TORCH_LIB_DIR="$torch/lib" -P "$root/scripts/cmake/labelprobe-nvcc.cmake" >/dev/null 2>&1; then return; fi
  requirements=$(cuda_requirements "$torch_env" nvcc)
  [ -n "$requirements" ] || return 0
  say "installing a CUDA compiler into build/torch-env (about 100 MB to download, 300 MB on disk)"
  # shellcheck disable=SC2086  # one requirement per word
  if ! pip_install "$torch_env" $requirements; then
    say "going on without a CUDA compiler: the GPU's kernels are not built, and GPUs compute slowly"
    return 0
  fi
  # The compiler looks for libraries where its own installer puts them, and under names that the wheels leave out.
  for cuda in "$torch"/../nvidia/cu*; do
    [ -e "$cuda/lib64" ] || ln -s lib "$cuda/lib64"
    for library in "$cuda"/lib/libcudart.so.*; do ln -sf "$(basename "$library")" "$cuda/lib/libcudart.so"; done
  done
}

# For Parquet files; without it the program says what is missing when it meets one.
provide_arrow() {
  local new="$arrow.new" wheel
  [ "$(cat "$arrow/complete" 2>/dev/null || true)" != "arrow $arrow_version" ] || return 0
  say "installing Apache Arrow $arrow_version into build/arrow (about 50 MB to download, 70 MB on disk)"
  rm -rf "$new"
  private_python >/dev/null
  if ! pip_install "$torch_env" --no-deps --target "$new/wheel" "pyarrow==$arrow_version"; then
    say "going on without Apache Arrow: Parquet files are not read"
    return 0
  fi
  # Of the wheel only what C++ links to, laid out as an installed Arrow is.
  wheel="$new/wheel/pyarrow"
  mkdir -p "$new/lib"
  mv "$wheel/include" "$new/"
  mv "$wheel"/libarrow.so.* "$wheel"/libparquet.so.* "$new/lib/"
  rm -rf "$new/wheel" "$arrow"
  printf 'arrow %s\n' "$arrow_version" >"$new/complete"
  mv "$new" "$arrow"
}

packages=$(missing_packages)
if [ -n "$packages" ]; then install_packages "$packages"; fi
if ! given_torch >/dev/null; then
  provide_torch
  if wants_cuda; then provide_nvcc "$(torch_of "$torch_env")"; fi
fi
if ! given_arrow; then provide_arrow; fi
