#!/usr/bin/env bash
# What libtorch's CUDA half asks for beside the functions that the stand-in has: libraries under the names of NVIDIA's, all of
# which are the stand-in, and functions that say that they are missing.
# Usage: make_libraries.sh functions TORCH_LIBRARIES FILE.cpp      writes the missing functions
#        make_libraries.sh libraries TORCH_LIBRARIES FOLDER CC     the libraries beside FOLDER/libstandin_gpu.so, and FOLDER/run
set -euo pipefail
what=$1 torch=$2 out=$3
halves=("$torch/libtorch_cuda.so" "$torch/libc10_cuda.so" "$torch/libtorch_nvshmem.so" "$torch/libcaffe2_nvrtc.so")

functions() {
  # C functions of NVIDIA's libraries: those of others have a version of their own, or libtorch's CPU half has them. Some are
  # looked for by name when they are needed.
  {
    nm --dynamic --undefined-only "${halves[@]}" | awk '$1 == "U" { print $2 }' | grep -E '^_*(cu|nv|nccl)' | sed 's/@.*//'
    strings "$torch/libc10_cuda.so" | grep -xE 'nvml[A-Z][A-Za-z0-9_]*'
  } | sort -u
}

names() {
  readelf --dynamic "${halves[@]}" | sed -n 's/.*NEEDED.*\[\(lib\(cu\|nv\|nccl\)[^]]*\)\].*/\1/p' | sort -u
  printf 'lib%s.so.1\n' cuda nvidia-ml # looked for by name
}

# The versions of a library's functions that are asked for, one per line.
versions() {
  objdump --private-headers "${halves[@]}" | awk -v file="$1:" '/required from/ { found = $3 == file; next } /^$/ { found = 0 } found { print $4 }' |
    sort -u
}

case "$what" in
  functions)
    {
      echo '// Written by make_libraries.sh.'
      echo 'extern "C" [[noreturn]] void standin_missing(const char* function);'
      echo '#define MISSING(name) extern "C" __attribute__((weak)) void name() { standin_missing(#name); }'
      functions | sed 's/.*/MISSING(&)/'
    } >"$out"
    ;;
  libraries)
    cc=$4
    # shellcheck disable=SC2016,SC2054 # $ORIGIN is for the loader, and the commas for the linker
    options=(-shared -x c++ /dev/null -x none -Wl,--no-as-needed "$out/libstandin_gpu.so" '-Wl,-rpath,$ORIGIN')
    for name in $(names); do
      script=()
      versions "$name" | sed 's/$/ { };/' >"$out/versions"
      [ ! -s "$out/versions" ] || script=("-Wl,--version-script=$out/versions")
      "$cc" "${options[@]}" "${script[@]}" "-Wl,-soname,$name" -o "$out/$name"
    done
    names | sed "s|^|$out/|" | paste -sd: >"$out/preload"
    cat >"$out/run" <<RUN
#!/usr/bin/env bash
# Runs a program with the stand-in for a GPU: $out/run PROGRAM ARGUMENTS; settings: tests/device/standin/world.h
LD_PRELOAD=$(cat "$out/preload") exec "\$@"
RUN
    chmod +x "$out/run"
    ;;
esac
