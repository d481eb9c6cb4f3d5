#!/usr/bin/env bash
# Compiles everything for aarch64, as NVIDIA's Grace and other servers have, and runs the unit tests under qemu.
# Usage: scripts/check_aarch64.sh [--rooms LIST] [OPTIONS FOR CTEST in place of -L unit, e.g. -L golden]
#   --rooms LIST  compiles and tests these rooms alone, separated by commas, e.g. core,files: a part of the whole at a time; where
#                 none of them is weights, model, training, experiment or app, libtorch is not downloaded
#
# Needs root on Debian 12 for x86-64, whose cross compiler and qemu it installs; 600 MB to download the first time, and as long
# as a first build takes. All the rest stays in build/aarch64: packages for arm64 in sysroot/, libtorch and Apache Arrow in python/,
# what is built in cmake/. The host's own packages stay of one processor.
# Of the tests it leaves out those of scripts, documents and the architecture, which the processor is nothing to.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
help_if_asked "$@"

rooms=""
with_model=ON
if [ "${1:-}" = --rooms ]; then
  rooms="${2:-}"
  [[ "$rooms" =~ ^[a-z]+(,[a-z]+)*$ ]] || fail "expected rooms after --rooms, e.g. core,files; found '$rooms'"
  if [[ ! ",$rooms," =~ ,(weights|model|training|experiment|app), ]]; then with_model=OFF; fi
  shift 2
fi
folder="$build/aarch64"
sysroot="$folder/sysroot"
python="$folder/python"
# The distribution's numbers of compiler and libraries belong together.
system=$(. /etc/os-release 2>/dev/null && printf '%s %s' "${ID:-unknown}" "${VERSION_CODENAME:-}") || true
[ "$(uname -m)" = x86_64 ] || fail "expected a machine with x86-64, found $(uname -m); on aarch64 itself scripts/test.sh shows more"
[ "$system" = "debian bookworm" ] || fail "expected Debian 12 (bookworm), found '$system': try it in a root of debootstrap"
[ "$(id -u)" -eq 0 ] || fail "expected to be root, which installs the cross compiler and qemu"
mkdir -p "$folder"

install_tools() {
  local package missing=()
  for package in g++-aarch64-linux-gnu qemu-user cmake ninja-build python3-venv ca-certificates; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing packages of the distribution: ${missing[*]}"
  { apt-get -qq update && DEBIAN_FRONTEND=noninteractive \
    apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "${missing[@]}"; } >"$folder/apt.log" 2>&1 ||
    fail "apt-get could not install them: see $folder/apt.log"
}

# Packages for arm64 by an apt of its own: other lists, another state, nothing installed.
make_sysroot() {
  local packages=(libc6-dev libstdc++-12-dev) package link apt="$folder/apt"
  # What a build needs of headers stands in setup.sh.
  mapfile -t -O "${#packages[@]}" packages < <(sed -n 's/^  "\([^ ]*\) header:.*/\1/p' "$root/scripts/setup.sh")
  [ "$(cat "$sysroot/complete" 2>/dev/null || true)" != "${packages[*]}" ] || return 0
  say "unpacking packages for arm64 into build/aarch64/sysroot (about 35 MB to download, 150 MB on disk)"
  rm -rf "$sysroot" "$apt"
  mkdir -p "$apt"/{state/lists,cache/archives}/partial "$sysroot"/usr/{bin,sbin,lib}
  touch "$apt/status"
  local foreign=(apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o "Dir::State=$apt/state"
    -o "Dir::State::status=$apt/status" -o "Dir::Cache=$apt/cache" -o APT::Sandbox::User=root)
  { "${foreign[@]}" update && "${foreign[@]}" install -y --no-install-recommends --download-only "${packages[@]}"; } \
    >"$folder/apt.log" 2>&1 || fail "apt-get could not download packages for arm64: see $folder/apt.log"
  for link in bin sbin lib; do ln -s "usr/$link" "$sysroot/$link"; done
  for package in "$apt"/cache/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$package" | tar -x --keep-directory-symlink --no-same-owner -C "$sysroot"
  done
  # They name places below the root, which is elsewhere.
  find "$sysroot" -type l -lname '/*' -printf '%p\t%l\n' | while IFS=$'\t' read -r link package; do
    ln -sfrn "$sysroot$package" "$link"
  done
  rm -rf "$apt"
  printf '%s\n' "${packages[*]}" >"$sysroot/complete"
}

install_wheels() { # REQUIREMENTS..
  local tag platforms=(--platform manylinux2014_aarch64)
  for tag in {17..28}; do platforms+=(--platform "manylinux_2_${tag}_aarch64"); done
  "$(private_python)" -m pip install --quiet --disable-pip-version-check --no-input --root-user-action=ignore \
    --python-version 3.11 --only-binary=:all: "${platforms[@]}" --target "$python" "$@" >&2 ||
    fail "pip could not install $* for aarch64 (its message is above)"
}

# The published wheels: with CUDA, of which libtorch_cpu.so itself links to two libraries.
provide_wheels() {
  local requirement
  [ "$(cat "$python/complete" 2>/dev/null || true)" != "torch $torch_version arrow $arrow_version" ] || return 0
  say "unpacking torch $torch_version and pyarrow $arrow_version for aarch64 (about 500 MB to download, 1.1 GB on disk)"
  rm -rf "$python"
  install_wheels --no-deps "torch==$torch_version" "pyarrow==$arrow_version"
  requirement=$(sed -n 's/^Requires-Dist: cuda-toolkit\[[^]]*\]\(==[0-9.]*\).*/cuda-toolkit[cudart,cupti]\1/p' "$python"/torch-*/METADATA)
  if [ -n "$requirement" ]; then install_wheels "$requirement"; fi
  printf 'torch %s arrow %s\n' "$torch_version" "$arrow_version" >"$python/complete"
}

compile() {
  local room targets=(all)
  if [ -n "$rooms" ]; then
    targets=()
    for room in ${rooms//,/ }; do targets+=("labelprobe_${room}_tests"); done
  fi
  say "building for aarch64 in build/aarch64/cmake (all: as long as any first build)"
  cmake -S "$root" -B "$folder/cmake" -G Ninja --toolchain "$root/scripts/cmake/aarch64-toolchain.cmake" \
    -DLABELPROBE_AARCH64="$folder" -DLABELPROBE_CUDA=OFF -DLABELPROBE_WITH_MODEL="$with_model" \
    -DCMAKE_PREFIX_PATH="$python/torch;$python" >"$folder/configure.log" 2>&1 || {
    cat "$folder/configure.log" >&2
    fail "cmake could not configure build/aarch64/cmake (its messages are above)"
  }
  cmake --build "$folder/cmake" --parallel "$(n_jobs)" --target "${targets[@]}"
}

install_tools
make_sysroot
if [ "$with_model" = ON ]; then provide_wheels; fi
compile
[ $# -gt 0 ] || set -- -L unit
if [ -n "$rooms" ]; then set -- "$@" -R "^(${rooms//,/|})\\."; fi
failed=0
ctest --test-dir "$folder/cmake" --output-on-failure --parallel "$(nproc)" "$@" || failed=$?
list_skipped "$folder/cmake"
say "compiled $(find "$folder/cmake" -name '*.cpp.o' | wc -l) sources for aarch64, ran them under qemu $(dpkg-query -W -f '${Version}' qemu-user)"
if [ "$failed" -ne 0 ]; then
  fail "some tests FAILED; the whole output is in build/aarch64/cmake/Testing/Temporary/LastTest.log"
fi
say "all tests that ran passed"
