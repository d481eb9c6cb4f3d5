#!/usr/bin/env bash
# Tries the readers of files that may come from strangers with inputs that libFuzzer makes up, under the address and
# undefined-behaviour sanitizers.
# Usage: scripts/fuzz.sh                             lists the targets
#        scripts/fuzz.sh [OPTIONS] TARGETS SECONDS   builds TARGETS (names, or all) and runs each so long
#        scripts/fuzz.sh --totals                    all runs so far, target by target, as the table of tests/fuzz/README.md
#   --jobs N    targets at a time (default: 1)
#   --until N   leaves out a target whose runs together have N executions, and ends a run where they do
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

# Executions and seconds are sums; edges, features and corpus those of the last run that told them.
print_totals() {
  [ -e "$fuzz/runs.tsv" ] || fail "no run so far: expected build/fuzz/runs.tsv"
  awk -F '\t' '
    function grouped(n, text) {
      for (text = ""; n >= 1000; n = int(n / 1000)) text = sprintf(",%03d%s", n % 1000, text)
      return n text
    }
    BEGIN { sorted = "LC_ALL=C sort -t \\` -k 2,2" }
    NR == 1 { next }
    { n[$1] += $3; seconds[$1] += $2; sum += $3; if ($4 != "") edges[$1] = $4; if ($5 != "") features[$1] = $5; corpus[$1] = $6; found[$1] = $7 }
    END {
      print "| target | executions | seconds | edges | features | corpus | findings |\n|---|---|---|---|---|---|---|"
      for (name in n) {
        printf "| `%s` | %s | %s | %s | %s | %s | %d |\n", name, grouped(n[name]), grouped(seconds[name]), grouped(edges[name]),
          grouped(features[name]), grouped(corpus[name]), found[name] | sorted
      }
      close(sorted)
      print "\n" grouped(sum) " executions"
    }' "$fuzz/runs.tsv"
}

jobs=1
until=0
while [ $# -gt 0 ]; do
  case "$1" in
    --jobs) jobs="${2:-}" && shift 2 ;;
    --until) until="${2:-}" && shift 2 ;;
    --totals)
      print_totals
      exit 0
      ;;
    -*) fail "unknown option '$1'; scripts/fuzz.sh --help says more" ;;
    *) break ;;
  esac
done
if [ $# -eq 0 ]; then
  list_targets | cut -d ' ' -f 1
  exit 0
fi
[ $# -ge 2 ] || fail "expected targets and a number of seconds; scripts/fuzz.sh --help says more"
seconds="${*: -1}"
for number in "$seconds" "$jobs" "${until/#0/1}"; do
  [[ "$number" =~ ^[1-9][0-9]*$ ]] || fail "expected a number above 0, found '$number'"
done
targets=()
for name in "${@:1:$#-1}"; do
  if [ "$name" = all ]; then
    mapfile -t -O "${#targets[@]}" targets < <(list_targets)
  else
    line=$(list_targets | grep "^$name ") || fail "unknown target '$name' (known: $(list_targets | cut -d ' ' -f 1 | tr '\n' ' ')all)"
    targets+=("$line")
  fi
done
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
progress_of() { grep -ao "$2: [0-9]*" "$1" | tail -n 1 | cut -d ' ' -f 2; }

executions_of() { awk -F '\t' -v name="$1" '$1 == name { n += $3 } END { print n + 0 }' "$fuzz/runs.tsv"; }

# A run of a target, with options of libFuzzer.
call_target() { # NAME MAX_BYTES LOG OPTIONS..
  local name="$1" max_bytes="$2" log="$3" dictionary=()
  if [ -e "$root/tests/fuzz/dictionaries/$name.dict" ]; then
    dictionary=("-dict=$root/tests/fuzz/dictionaries/$name.dict")
  fi
  "$fuzz/labelprobe_fuzz_$name" "$fuzz/corpus/$name" "$root/tests/fuzz/seeds/$name" "${dictionary[@]}" -max_len="$max_bytes" \
    -timeout=25 -rss_limit_mb=2048 -malloc_limit_mb=1024 -artifact_prefix="$fuzz/findings/$name/" -print_final_stats=1 \
    "${@:4}" >"$log" 2>&1
}

# What stays on the stack of a function that has returned is looked at with the corpus alone, before anything new is tried: with
# every input it takes a third of the time, after exceptions above all.
run_target() { # NAME MAX_BYTES
  local name="$1" log="$fuzz/logs/$1.log" status=0 limit=() n_runs n_found
  if [ "$until" -gt 0 ]; then limit=("-runs=$((until - $(executions_of "$name")))"); fi
  mkdir -p "$fuzz/corpus/$name" "$fuzz/findings/$name" "$fuzz/logs"
  ASAN_OPTIONS="$ASAN_OPTIONS:detect_stack_use_after_return=1" call_target "$1" "$2" "$log" -runs=0 || status=$?
  if [ "$status" -eq 0 ]; then
    call_target "$1" "$2" "$log" -max_total_time="$seconds" "${limit[@]}" || status=$?
  fi
  n_runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  # What is slow for its 25 seconds is a finding; libFuzzer keeps what takes ten, too.
  n_found=$(find "$fuzz/findings/$name" -type f ! -name 'slow-unit-*' | wc -l)
  printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$name" "$seconds" "${n_runs:-0}" "$(progress_of "$log" cov)" "$(progress_of "$log" ft)" \
    "$(find "$fuzz/corpus/$name" -type f | wc -l)" "$n_found" | tee -a "$fuzz/runs.tsv"
  if [ "$status" -ne 0 ]; then
    say "$name: $(grep -am 1 -E 'ERROR:|runtime error|what\(\)|SUMMARY' "$log" || echo "ended with status $status"); see $log"
    touch "$fuzz/found"
  fi
}

configure
# Memory that was freed stays closed until 16 MiB more were: that is many inputs.
export ASAN_OPTIONS="quarantine_size_mb=16:malloc_context_size=8:detect_stack_use_after_return=0:${ASAN_OPTIONS:-}"
export UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1:${UBSAN_OPTIONS:-}"
[ -e "$fuzz/runs.tsv" ] || printf 'target\tseconds\texecutions\tedges\tfeatures\tcorpus\tfindings\n' >"$fuzz/runs.tsv"
rm -f "$fuzz/found"
for line in "${targets[@]}"; do
  read -r name max_bytes <<<"$line"
  if [ "$until" -gt 0 ] && [ "$(executions_of "$name")" -ge "$until" ]; then continue; fi
  cmake --build "$fuzz" --parallel "$(n_jobs)" --target "labelprobe_fuzz_$name" >"$fuzz/build.log" 2>&1 ||
    { tail -n 20 "$fuzz/build.log" >&2; fail "labelprobe_fuzz_$name does not build; see $fuzz/build.log"; }
  if [ "$name" = parquet ] && [ ! -e "$fuzz/liblabelprobe_parquet.so" ]; then
    say "parquet: left out, for the module that reads it is built with Apache Arrow, which scripts/setup.sh installs"
    continue
  fi
  run_target "$name" "$max_bytes" &
  if [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; then wait -n; fi
done
wait
[ ! -e "$fuzz/found" ]
