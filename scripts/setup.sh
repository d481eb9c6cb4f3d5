#!/usr/bin/env bash
# Makes this machine ready to build labelprobe: the packages of the distribution (Debian 12, Ubuntu 24.04) and libtorch.
# Usage: scripts/setup.sh
#
# Installs only what is missing, with apt-get, as root or through sudo; with neither it prints the command to hand to an
# administrator and stops. libtorch comes from the torch wheel, in build/torch-env; to use one that you already have, set
# CMAKE_PREFIX_PATH to its folder, e.g. "$(python3 -c 'import torch; print(torch.utils.cmake_prefix_path)')".
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
  "libyaml-dev header:yaml.h"
  "libzip-dev header:zip.h"
  "libpugixml-dev header:pugixml.hpp"
  "libxxhash-dev header:xxhash.h"
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
cuda_requirements() {
  "$torch_env/bin/python" - "$1" <<'PYTHON'
import importlib.metadata, re, sys
wanted = [line.split(";")[0].strip() for line in importlib.metadata.requires("torch") or []
          if line.startswith(("cuda-toolkit", "nvidia-"))]
if sys.argv[1] == "cpu":
    wanted = [re.sub(r"\[.*\]", "[cudart,cupti]", line) for line in wanted if line.startswith("cuda-toolkit")]
print("\n".join(wanted))
PYTHON
}

has_nvidia_driver() { [ -e /dev/nvidiactl ] || has nvidia-smi; }

pip_install() {
  local quiet=()
  [ -t 2 ] || quiet=(--quiet)
  "$torch_env/bin/python" -m pip install --disable-pip-version-check --no-input --no-warn-conflicts "${quiet[@]}" "$@" >&2 ||
    fail "pip could not install $* (its message is above). With a network or a mirror run this again; or set" \
      "CMAKE_PREFIX_PATH to a libtorch, 2.6 or newer, that you already have."
}

install_torch() {
  local kind=cpu size="550 MB to download, 1.3 GB on disk" stamp="$torch_env/complete" torch unresolved requirements
  if has_nvidia_driver; then
    kind=cuda
    size="2.3 GB to download, 4 GB on disk"
  fi
  if [ "$(cat "$stamp" 2>/dev/null)" = "torch $torch_version $kind" ]; then return; fi
  say "installing torch $torch_version into build/torch-env (about $size)"
  rm -rf "$torch_env"
  mkdir -p "$build"
  python3 -m venv "$torch_env"
  pip_install --no-deps "torch==$torch_version"
  requirements=$(cuda_requirements "$kind")
  # shellcheck disable=SC2086  # one requirement per word
  if [ -n "$requirements" ]; then pip_install $requirements; fi
  torch=$(torch_root) || fail "the torch wheel has no lib/libtorch_cpu.so below $torch_env"
  unresolved=$(ldd "$torch/lib/libtorch_cpu.so" | grep 'not found' || true)
  [ -z "$unresolved" ] || fail "libtorch lacks libraries: $unresolved"
  printf 'torch %s %s\n' "$torch_version" "$kind" >"$stamp"
}

packages=$(missing_packages)
if [ -n "$packages" ]; then install_packages "$packages"; fi
if ! given_torch >/dev/null; then install_torch; fi
