#!/usr/bin/env bash
# Tries the readers of files that may come from strangers with inputs that libFuzzer makes up, under the address and
# undefined-behaviour sanitizers.
# Usage: scripts/fuzz.sh                   lists the targets
#        scripts/fuzz.sh TARGET SECONDS    builds one and runs it so long
#        scripts/fuzz.sh all SECONDS       all of them, one after the other, each so long
#
# Needs clang with its runtime libraries (Debian: clang and libclang-rt-14-dev, or what belongs to that clang) besides what
# scripts/setup.sh installs; LABELPROBE_CLANG names another clang++. Everything stays below build/fuzz: the corpus of a target in
# corpus/TARGET, from which the next run goes on; what its inputs have found in findings/TARGET; what libFuzzer said in
# logs/TARGET.log; a line for each run in runs.tsv. Ends with status 1 if anything was found. tests/fuzz/README.md says more.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
help_if_asked "$@"

fuzz="$build/fuzz"
clang="${LABELPROBE_CLANG:-clang++}"

# "NAME MAX_BYTES" of each target.
list_targets() { sed -n 's/^fuzz_target(\([a-z_]*\) \([0-9]*\) .*/\1 \2/p' "$root/tests/fuzz/CMakeLists.txt"; }

if [ $# -eq 0 ]; then
  list_targets | cut -d ' ' -f 1
  exit 0
fi
[ $# -eq 2 ] || fail "expected a target and a number of seconds; scripts/fuzz.sh --help says more"
seconds="$2"
[[ "$seconds" =~ ^[1-9][0-9]*$ ]] || fail "expected a number of seconds, found '$seconds'"
if [ "$1" = all ]; then
  mapfile -t targets < <(list_targets)
else
  mapfile -t targets < <(list_targets | grep "^$1 " || true)
  [ ${#targets[@]} -gt 0 ] || fail "unknown target '$1' (known: $(list_targets | cut -d ' ' -f 1 | tr '\n' ' ')all)"
fi
has "$clang" || fail "$clang is not there; on Debian: apt-get install clang libclang-rt-14-dev"

# Assertions of the standard library find what stays inside of an allocation.
configure() {
  local generator=()
  if has ninja; then generator=(-G Ninja); fi
  cmake -S "$root" -B "$fuzz" "${generator[@]}" -DCMAKE_CXX_COMPILER="$clang" -DCMAKE_BUILD_TYPE=None \
    -DCMAKE_CXX_FLAGS="-O1 -g1 -D_GLIBCXX_ASSERTIONS -fno-sanitize-recover=all" -DLABELPROBE_FUZZ=ON -DLABELPROBE_WITH_MODEL=OFF \
    -DLABELPROBE_BUILD_TESTS=OFF -DLABELPROBE_SANITIZE=fuzzer-no-link,address,undefined \
    -DCMAKE_PREFIX_PATH="${cmake_prefixes:+$cmake_prefixes;}$arrow" >/dev/null
}

# The number behind a word of libFuzzer's last line of progress: "#8192 pulse cov: 312 ft: 845 corp: 90/2Kb".
progress_of() { grep -o "$2: [0-9]*" "$1" | tail -n 1 | cut -d ' ' -f 2; }

run_target() {
  local name="$1" max_bytes="$2" log="$fuzz/logs/$1.log" status=0 dictionary=() n_runs n_found
  mkdir -p "$fuzz/corpus/$name" "$fuzz/findings/$name" "$fuzz/logs"
  if [ -e "$root/tests/fuzz/dictionaries/$name.dict" ]; then
    dictionary=("-dict=$root/tests/fuzz/dictionaries/$name.dict")
  fi
  "$fuzz/labelprobe_fuzz_$name" "$fuzz/corpus/$name" "$root/tests/fuzz/seeds/$name" "${dictionary[@]}" \
    -max_total_time="$seconds" -max_len="$max_bytes" -timeout=25 -rss_limit_mb=2048 -malloc_limit_mb=1024 \
    -artifact_prefix="$fuzz/findings/$name/" -print_final_stats=1 >"$log" 2>&1 || status=$?
  n_runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  n_found=$(find "$fuzz/findings/$name" -type f | wc -l)
  [ -e "$fuzz/runs.tsv" ] || printf 'target\tseconds\texecutions\tedges\tfeatures\tcorpus\tfindings\n' >"$fuzz/runs.tsv"
  printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$name" "$seconds" "${n_runs:-?}" "$(progress_of "$log" cov)" "$(progress_of "$log" ft)" \
    "$(find "$fuzz/corpus/$name" -type f | wc -l)" "$n_found" | tee -a "$fuzz/runs.tsv"
  if [ "$status" -ne 0 ]; then
    say "$name: $(grep -m 1 -E 'ERROR:|runtime error|what\(\)|SUMMARY' "$log" || echo "ended with status $status"); see $log"
  fi
  return "$status"
}

configure
export ASAN_OPTIONS="detect_stack_use_after_return=1:${ASAN_OPTIONS:-}"
export UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1:${UBSAN_OPTIONS:-}"
ended_well=0
for line in "${targets[@]}"; do
  read -r name max_bytes <<<"$line"
  cmake --build "$fuzz" --parallel "$(n_jobs)" --target "labelprobe_fuzz_$name" >"$fuzz/build.log" 2>&1 ||
    { tail -n 20 "$fuzz/build.log" >&2; fail "labelprobe_fuzz_$name does not build; see $fuzz/build.log"; }
  if [ "$name" = parquet ] && [ ! -e "$fuzz/liblabelprobe_parquet.so" ]; then
    say "parquet: left out, for the module that reads it is built with Apache Arrow, which scripts/setup.sh installs"
    continue
  fi
  run_target "$name" "$max_bytes" || ended_well=1
done
exit "$ended_well"
