#!/usr/bin/env bash
# Runs the same items in the ways that must agree (shared prefixes or not, batches of any size, twice, killed and taken up
# again) and compares them: probabilities with `labelprobe compare`, repeated runs byte by byte. Slow; no part of test.sh.
# Usage: scripts/check_sharing.sh goemotions|hatexplain DATA_FOLDER ID_LIST [OPTIONS] [-- FLAGS OF labelprobe run]
#
# DATA_FOLDER holds the data set's published files, ID_LIST one example id per line.
#   --items N               only the first N examples; 0 = all of the list (default: 20)
#   --distributions LIST    separated by commas (default: baseline,unary,binary)
#   --ways LIST             separated by commas (default: all that the program has): unshared, batch1, batch7, undrafted,
#                           rerun, killed
#   --max-difference X      of a probability (default: 1e-5)
#   --folder F              where the logs go (default: build/check_sharing); runs that are finished there are not run again
#   --model M               folder or .gguf file (default: the small model of get_model.sh)
#   --program P             the program (default: build/labelprobe, built first)
#
# unshared computes every prompt in full: on two cores, with the small model and 10 shots, about 1.6 s per baseline prompt
# and 0.7 s per unary or binary one, so 20 GoEmotions items take 0.5, 2 and 7 minutes, the 231 of main_test_set 6, 25 and 80.
# The other ways take as long as a run, batch1 longer; estimates are printed. killed is stopped with SIGKILL once a part of
# its items is on disk and ends in the bytes of batch7. Exit code: 0 all agree, 1 some do not or a run failed.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
help_if_asked "$@"
[ $# -ge 3 ] || fail "expected a data set, its folder and an id list; see --help"

data=$(realpath "$2")
ids=$(realpath "$3")
case "$1" in
  goemotions) task=GoEmotions flags=(--emotion-clustering-json "$data/emotion_clustering.json") ;;
  hatexplain) task=Hatexplain flags=() ;;
  *) fail "unknown data set '$1' (known: goemotions, hatexplain)" ;;
esac
shift 3

items=20 distributions=baseline,unary,binary ways=unshared,batch1,batch7,undrafted,rerun,killed
max_difference=1e-5 folder="$build/check_sharing" model="" program=""
extra=()
while [ $# -gt 0 ]; do
  [ "$1" = -- ] && shift && extra=("$@") && break
  [ $# -ge 2 ] || fail "$1: expected a value; see --help"
  case "$1" in
    --items) items=$2 ;;
    --distributions) distributions=$2 ;;
    --ways) ways=$2 ;;
    --max-difference) max_difference=$2 ;;
    --folder) folder=$2 ;;
    --model) model=$2 ;;
    --program) program=$2 ;;
    *) fail "unknown option '$1'; see --help" ;;
  esac
  shift 2
done
[[ "$items" =~ ^[0-9]+$ ]] || fail "--items: expected a number, found '$items'"
if [ -z "$program" ]; then
  "$root/scripts/build.sh" --program
  program="$build/labelprobe"
fi
if [ -z "$model" ]; then
  "$root/scripts/get_model.sh"
  model="$build/models/SmolLM2-135M-Instruct.Q4_1.gguf"
fi
program=$(realpath "$program")
model=$(realpath "$model")
mkdir -p "$folder"
folder=$(realpath "$folder")
cd "$root" # the configurations name their files from here

if [ "$items" -gt 0 ]; then flags+=(--limit "$items"); fi
flags+=(--config "configs/$task/pipeline.yaml" --root-dir "$data" --test-ids-filename "$ids" --model-name-or-path "$model"
  --disable-tqdm --log-root "$folder/logs" --alternative-experiment-name "{distribution}")
# The program's own flag for greedy decoding without drafted tokens, if it has one.
undrafted=$("$program" run --help-all | grep -oE -- '--no-[a-z-]*draft[a-z-]*' | head -n 1 || true)
identity=$(sha256sum "$program" "$ids" | cut -c1-16 | tr '\n' ' ')

now() { date +%s.%N; }
since() { awk -v a="$1" -v b="$(now)" 'BEGIN {printf "%.1f", b - a}'; }

# The flags of a way, one per line.
flags_of() {
  case "$1" in
    unshared) printf '%s\n' --no-share-prefixes ;;
    batch1) printf '%s\n' --batch-size 1 ;;
    batch7 | killed) printf '%s\n' --batch-size 7 ;;
    undrafted) printf '%s\n' "$undrafted" ;;
    reference | rerun) ;;
    *) fail "--ways: unknown way '$1'; see --help" ;;
  esac
}

# Starts the program, lets it finish a part of its items and kills it. Says on standard output how many were on disk.
run_and_kill() {
  local journal="$folder/logs/$task/${distribution}_0/journal_0.jsonl" pid n=0
  "$program" "${command[@]}" >/dev/null 2>&1 &
  pid=$!
  while kill -0 "$pid" 2>/dev/null; do
    n=$(grep -c '"key"' "$journal" 2>/dev/null || true)
    [ "${n:-0}" -gt 0 ] && break
    sleep 0.05
  done
  kill -KILL "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
  grep -c '"key"' "$journal" 2>/dev/null || true
}

# Runs one way of one distribution, unless that is done; its logs lie in $folder/$distribution/$way afterwards. All write
# to the same log root, which is among the logged parameters, and are moved away.
run_way() {
  local way=$1 target="$folder/$distribution/$1" begin n_kept=""
  local -a of_way
  mapfile -t of_way < <(flags_of "$way")
  command=(run "$task" "${flags[@]}" --distribution "$distribution" "${of_way[@]}" "${extra[@]}")
  local stamp="$identity ${command[*]}"
  if [ "$(cat "$target/stamp" 2>/dev/null || true)" = "$stamp" ]; then return 0; fi
  rm -rf "$folder/logs" "$target"
  mkdir -p "$target"
  begin=$(now)
  if [ "$way" = killed ]; then
    n_kept=$(run_and_kill)
    if [ -f "$folder/logs/$task/${distribution}_0/indexed_metrics.yml" ]; then n_kept="all, too late"; fi
    printf '%s\n' "${n_kept:-0}" >"$target/kept"
  fi
  if ! "$program" "${command[@]}" >"$target/output" 2>&1; then
    tail -n 5 "$target/output" >&2
    return 1
  fi
  since "$begin" >"$target/seconds"
  mv "$folder/logs/$task/${distribution}_0" "$target/run"
  rm -rf "$folder/logs"
  printf '%s\n' "$stamp" >"$target/stamp"
}

# Whether two runs have the same files with the same bytes; the lock and the log with its times do not count.
same_bytes() {
  diff -rq --exclude=.lock --exclude=log.txt "$1" "$2" >&2
}

say_estimate() {
  local seconds computed whole
  seconds=$(cat "$folder/$distribution/reference/seconds")
  read -r computed whole < <(sed -nE 's/.*; ([0-9]+) of ([0-9]+) prompt tokens computed.*/\1 \2/p' \
    "$folder/$distribution/reference/run/log.txt" | tail -n 1) || return 0
  say "$distribution: $seconds s with shared prefixes, which leave $computed of $whole prompt tokens to compute; without" \
    "them expect up to $(awk -v s="$seconds" -v c="$computed" -v w="$whole" 'BEGIN {printf "%.0f", s * w / c}') s"
}

failed=0
rows=()
add_row() { rows+=("$(printf '%-9s %-10s %8s  %-12s %-6s %-9s %s' "$@")"); }

# Compares a way with the run it must agree with.
compare_way() {
  local way=$1 target="$folder/$distribution/$1" against=reference seconds verdict=ok numbers="- - -" note=""
  seconds=$(cat "$target/seconds")
  [ "$way" = killed ] && against=batch7 && note="$(cat "$target/kept") items on disk when killed; "
  if ! "$program" compare "$folder/$distribution/$against/run" "$target/run" --max-difference "$max_difference" \
    --json "$target/comparison.json" >"$target/comparison.txt" 2>"$target/comparison.err"; then
    verdict=FAILED
    note+="$(head -n 1 "$target/comparison.err")"
  elif [ "$way" = rerun ] || [ "$way" = killed ]; then
    if same_bytes "$folder/$distribution/$against/run" "$target/run"; then
      note+="same bytes as $against"
    else
      verdict=FAILED
      note+="other bytes than $against"
    fi
  fi
  if [ -s "$target/comparison.json" ]; then
    numbers=$(python3 -c 'import json, sys
c = json.load(open(sys.argv[1]))
print("%.1e" % c["largest"]["difference"] if c["largest"] else "-", len(c["flips"]), c["n_answers_apart"])' \
      "$target/comparison.json")
  fi
  [ "$verdict" = ok ] || failed=1
  # shellcheck disable=SC2086  # three words
  add_row "$distribution" "$way" "$seconds" $numbers "$verdict${note:+: $note}"
}

add_row run way seconds "largest |dp|" flips answers verdict
begin_all=$(now)
IFS=, read -ra distribution_list <<<"$distributions"
IFS=, read -ra way_list <<<"$ways"
for way in "${way_list[@]}"; do flags_of "$way" >/dev/null; done
for distribution in "${distribution_list[@]}"; do
  say "$distribution: with shared prefixes"
  if ! run_way reference; then
    failed=1
    add_row "$distribution" reference - - - - "FAILED: see $folder/$distribution/reference/output"
    continue
  fi
  say_estimate
  add_row "$distribution" reference "$(cat "$folder/$distribution/reference/seconds")" - - - \
    "$(sed -nE 's/.* info ([0-9]+ items) in .*/\1/p' "$folder/$distribution/reference/run/log.txt" | tail -n 1)"
  for way in "${way_list[@]}"; do
    if [ "$way" = undrafted ] && [ -z "$undrafted" ]; then continue; fi
    say "$distribution: $way"
    # killed ends in the bytes of a run with the same batches
    if { [ "$way" != killed ] || run_way batch7; } && run_way "$way"; then
      compare_way "$way"
    else
      failed=1
      add_row "$distribution" "$way" - - - - "FAILED: see $folder/$distribution/$way/output"
    fi
  done
done
printf '%s\n' "${rows[@]}" | tee "$folder/table.txt"
say "$(since "$begin_all") s in all; the comparisons are below $folder"
if [ "$failed" -ne 0 ]; then fail "some ways do NOT agree"; fi
say "all agree within $max_difference"
