#!/usr/bin/env bash
# Everything that only a GPU can show, in steps: tests, CPU against CUDA, equal bytes of equal runs, where the time goes, speed
# against the goals, memory. Adds to one report.
# Usage: scripts/check_gpu.sh [OPTIONS] MODEL PROMPTS [DATA_FOLDER ID_LIST]
#
#   MODEL        a small real model: folder or .gguf file
#   PROMPTS      prompts for it, as `labelprobe generate` takes them: JSON lines of id and text, e.g. of `labelprobe prompts`
#   DATA_FOLDER  GoEmotions' published files, ID_LIST one example id per line; without them what runs over data is left out
#   --only STEPS     some of the steps below, separated by commas, in the order of the list
#   --out FOLDER     report.md and the logs of all steps (default: build/gpu); a report that is there is added to
#   --work FOLDER    big models (default: build/gpu/work), kept for the next call as long as the disk is large enough
#   --tokenizer FOLDER   a tokenizer for models of random weights, with a tokenizer.json (default: MODEL where it has one, else
#                    taken out of build/models' .gguf file with transformers)
#   --minutes N      what would begin later than this is left out, and the report says so (default: 25)
#   --rehearse       every step, with models of a few layers, on the CPU: shows that they run, and nothing about a GPU
#   --dry-run        shows every step, and checks what can be checked without a GPU
#
# Steps and what they may take on one H200, in seconds (estimates; the report has what each took). For machines that take a
# command away after 10 minutes, three calls: --only build,tests,parity,reruns,schedules,profile; --only bench,fp4,goals; --only compare,large.
#   build     300   the program, its CUDA module and the GPU's tests; left out where LABELPROBE names a program
#   tests      60   labelprobe_gpu_tests
#   parity     60   answers of the CPU against those of the GPU, in three precisions
#   reruns     40   the same command twice: the same bytes, of `generate` and of `run`
#   schedules 120   the same items in 12 schedules, in three precisions: the same bytes; and the time of --fast beside it
#   profile   120   where the time goes, by the program's own --profile: with everything, without CUDA graphs, without our
#                   kernels; MODEL, and with data the 8B shape
#   bench     300   the 8B shape in bfloat16 (16 GB are written first), against transformers where Python has it
#   fp4        90   the 8B shape in 4 bits, computing in float32 and in bfloat16
#   goals       0   what bench and fp4 measured beside what was wanted
#   compare    60   label probabilities of the CPU, CUDA, TF32 and 4 bits
#   large     240   the 70B shape in 4 bits: 43 GB are written, loaded and run
#
# Needs torch 2.11 with CUDA (found through python3, or CMAKE_PREFIX_PATH), CMake, ninja and nvcc; installs nothing.
# From the environment: LABELPROBE, a program that was built elsewhere (cmake -DLABELPROBE_STATIC=ON), with its module and
# labelprobe_gpu_tests beside it, so that nothing is built here; it takes the libtorch of this machine.
# LABELPROBE_REFERENCE_ENV, a Python environment with the peers of bench (default: python3's).
# A step that fails is reported and the others go on.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
help_if_asked "$@"

steps=(build tests parity reruns schedules profile bench fp4 goals compare large)
dry="" rehearsal="" minutes=25 only="" out="$build/gpu" work="" tokenizer=""
while [ $# -gt 0 ]; do
  case "$1" in
    --dry-run) dry=yes ;;
    --rehearse) rehearsal=yes ;;
    --only | --out | --work | --tokenizer | --minutes)
      [ $# -gt 1 ] || fail "$1: expected something after it; see --help"
      case "$1" in
        --only) only=",$2," ;;
        --out) out="$2" ;;
        --work) work="$2" ;;
        --tokenizer) tokenizer="$2" ;;
        --minutes) minutes="$2" ;;
      esac
      shift
      ;;
    -*) fail "unknown option '$1' (known: --only, --out, --work, --tokenizer, --minutes, --rehearse, --dry-run, --help)" ;;
    *) break ;;
  esac
  shift
done
[ $# -eq 2 ] || [ $# -eq 4 ] || fail "expected MODEL PROMPTS [DATA_FOLDER ID_LIST], found $# arguments; see --help"
[[ "$minutes" =~ ^[0-9]+$ ]] || fail "--minutes is '$minutes'; expected a number"
for step in ${only//,/ }; do
  case " ${steps[*]} " in
    *" $step "*) ;;
    *) fail "unknown step '$step' (known: ${steps[*]})" ;;
  esac
done
[ -d "$1" ] && [ -z "$tokenizer" ] && [ -e "$1/tokenizer.json" ] && tokenizer="$1"
for place in "$@" ${tokenizer:+"$tokenizer/tokenizer.json"}; do
  [ -e "$place" ] || fail "'$place' is not there"
done
model=$(realpath "$1")
prompts=$(realpath "$2")
data="${3:+$(realpath "$3")}"
ids="${4:+$(realpath "$4")}"
tokenizer="${tokenizer:+$(realpath "$tokenizer")}"
out=$(realpath -m "$out")
work=$(realpath -m "${work:-$build/gpu/work}")

if [ -z "$dry" ] && [ -z "$rehearsal" ] && ! has nvidia-smi; then
  fail "there is no nvidia-smi: no NVIDIA driver; --dry-run shows the steps, --rehearse runs them on the CPU"
fi
cd "$root" # the configurations name their files from here
program="${LABELPROBE:-$build/labelprobe}"
device=cuda:0 shape=llama-3.1-8b large_shape=llama-3.3-70b limit=200 cut=()
if [ -n "$rehearsal" ]; then
  device=cpu shape=smollm2-135m large_shape=smollm2-360m limit=4 cut=(--layers 2)
fi
report="$out/report.md"
failed=()
if [ -n "$dry" ]; then
  report=/dev/null
else
  mkdir -p "$out" "$work"
fi

put() { printf '%s\n' "$@" >>"$report"; }

# note FILE [LINES]: the end of a log, as a block of the report.
note() {
  [ -z "$dry" ] && [ -e "$1" ] || return 0
  put '```'
  tail -n "${2:-20}" "$1" >>"$report"
  put '```'
}

# note_beginning FILE LINES: likewise, its beginning.
note_beginning() {
  [ -z "$dry" ] && [ -e "$1" ] || return 0
  put '```'
  head -n "$2" "$1" >>"$report"
  put '```'
}

# note_profile NAME: the tables that --profile printed.
note_profile() {
  [ -z "$dry" ] && [ -e "$out/$1.log" ] || return 0
  put '```'
  sed -n '/profile of .* s of/,$p' "$out/$1.log" | sed 's/^info: //' >>"$report"
  put '```'
  gzip -f "$out/$1.json"
}

# left_out TEXT: says so in the report, or in the plan.
left_out() {
  [ -z "$dry" ] || printf '  left out: %s\n' "$1"
  put "- left out: $1"
}

# include FILE: Markdown that a step wrote.
include() {
  [ -z "$dry" ] && [ -e "$1" ] || return 0
  put ""
  cat "$1" >>"$report"
  put ""
}

now_ms() { printf '%s\n' $((${EPOCHREALTIME//[!0-9]/} / 1000)); }

# seconds_since MS: with one decimal.
seconds_since() {
  local ms=$(($(now_ms) - $1))
  printf '%d.%d' $((ms / 1000)) $((ms % 1000 / 100))
}

# do_step NAME COMMAND..: runs it with its output in a log; in a dry run shows it.
do_step() {
  local name="$1" log="$out/$1.log" from status=0
  from=$(now_ms)
  shift
  if [ -n "$dry" ]; then
    printf '  %s:' "$name"
    printf ' %q' "$@"
    printf '\n'
    return 0
  fi
  if [ "$SECONDS" -ge $((minutes * 60)) ]; then
    put "- $name: left out, $minutes minutes were over"
    return 1
  fi
  "$@" >"$log" 2>&1 || status=$?
  if [ "$status" -eq 0 ]; then
    put "- $name: done in $(seconds_since "$from") s"
  else
    put "- $name: FAILED with status $status after $(seconds_since "$from") s"
    note "$log"
    failed+=("$name")
    return 1
  fi
}

# begin STEP: whether it is wanted; heads its part of the report.
begin() {
  if [ -n "$only" ] && [[ "$only" != *",$1,"* ]]; then return 1; fi
  if [ -n "$dry" ]; then printf '%s\n' "$1"; else say "$1"; fi
  put "" "## $1" ""
}

# with_memory NAME COMMAND..: a step, and the largest memory in use on the GPU meanwhile, other programs' included.
with_memory() {
  local name="$1" watcher status=0
  if [ -n "$dry" ] || [ -n "$rehearsal" ]; then
    do_step "$@"
    return
  fi
  (
    while sleep 0.5; do
      nvidia-smi --id=0 --query-gpu=memory.used --format=csv,noheader,nounits
    done >"$out/$name.memory" 2>/dev/null
  ) &
  watcher=$!
  do_step "$@" || status=$?
  kill "$watcher" || true
  wait "$watcher" 2>/dev/null || true
  put "- $name: at most $(sort -n "$out/$name.memory" | tail -n 1) MiB of the GPU's memory in use"
  return "$status"
}

generate() { # NAME FLAGS..
  local name="$1"
  shift
  do_step "$name" "$program" generate --prompts "$prompts" --model-name-or-path "$model" --max-new-tokens 8 \
    --out "$out/$name.jsonl" "$@"
}

# Each in log folders of its own: a run that asks the same again would go on in those of the first.
run_data() { # NAME FLAGS..
  local name="$1"
  shift
  [ -n "$dry" ] || rm -rf "$out/logs/$name"
  do_step "$name" "$program" run GoEmotions --config configs/GoEmotions/pipeline.yaml --root-dir "$data" \
    --emotion-clustering-json "$data/emotion_clustering.json" --test-ids-filename "$ids" --disable-tqdm \
    --log-root "$out/logs/$name" --alternative-experiment-name run "$@"
}

log_of() { printf '%s/logs/%s/GoEmotions/run_0' "$out" "$1"; }

# free_disk GB: whether the folder for models has so much left.
free_disk() { [ "$(df --output=avail -k "$work" | tail -n 1)" -ge $(($1 * 1000000)) ]; }

# make_model NAME SHAPE FLAGS..: random weights below the folder for models, unless they are there.
make_model() {
  local name="$1" shape="$2"
  shift 2
  [ -z "$dry" ] && [ -e "$work/$name/config.json" ] && return
  do_step "make-$name" "$program" make-model --shape "$shape" --out "$work/$name" ${tokenizer:+--tokenizer "$tokenizer"} "$@"
}

torch_here() {
  torch_root || "$python" -c 'import os, torch; print(os.path.dirname(torch.__file__))'
}

configure_and_build() {
  local torch
  torch=$(torch_here)
  # For this machine's GPU alone: others would take minutes more.
  local cuda=(-DLABELPROBE_CUDA=ON -DCMAKE_CUDA_ARCHITECTURES=native)
  [ -z "$rehearsal" ] || cuda=(-DLABELPROBE_CUDA=AUTO)
  cmake -S "$root" -B "$build" -G Ninja -DCMAKE_PREFIX_PATH="$torch" "${cuda[@]}"
  cmake --build "$build" --parallel "$(n_jobs)" --target labelprobe labelprobe_gpu_tests
}

# Answers that differ between two files of `labelprobe generate`; a different choice between tokens that are nearly as likely
# is no error, so it is only counted.
count_differences() {
  python3 - "$@" <<'PYTHON'
import json, sys
answers = [{line["id"]: line for line in map(json.loads, open(path))} for path in sys.argv[1:3]]
same = sum(answers[0][key].get("token_ids") == answers[1].get(key, {}).get("token_ids") for key in answers[0])
print(f"{same} of {len(answers[0])} answers have the same tokens")
sys.exit(answers[0].keys() != answers[1].keys())
PYTHON
}

if [ -n "${LABELPROBE_REFERENCE_ENV:-}" ]; then
  python="$LABELPROBE_REFERENCE_ENV/bin/python"
else
  python=python3
  LABELPROBE_REFERENCE_ENV=$(python3 -c 'import sys; print(sys.prefix)') # bench installs nothing then
fi
export LABELPROBE_REFERENCE_ENV
if [ -n "$rehearsal" ]; then
  put "# A rehearsal on the CPU: every step runs, no GPU is used, and no number here says anything about one"
else
  put "# What a GPU showed"
fi
wanted="${only:-,all,}"
wanted="${wanted:1:-1}"
put "" "$(date -u '+%Y-%m-%d %H:%M UTC'), steps: $wanted"
if [ -z "$rehearsal" ] && has nvidia-smi; then
  put '```'
  nvidia-smi --query-gpu=name,driver_version,memory.total,memory.free --format=csv >>"$report" || true
  put '```'
fi

if [ -n "${LABELPROBE:-}" ] && [ -z "$dry" ]; then
  LD_LIBRARY_PATH="$(torch_here)/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
  export LD_LIBRARY_PATH
fi
if [ -z "${LABELPROBE:-}" ] && begin build; then
  do_step build configure_and_build || fail "the build failed: see $out/build.log"
fi
do_step version "$program" --version || fail "'$program' does not run: see $out/version.log"
note "$out/version.log"

if begin tests; then
  tests="$(dirname "$program")/labelprobe_gpu_tests"
  if [ -n "$dry" ] || [ -x "$tests" ]; then
    do_step tests "$tests" --durations yes || true
    note "$out/tests.log" 12
    [ -n "$dry" ] || put "- of these tests were skipped: $(grep -c SKIPPED "$out/tests.log" || true)"
  else
    left_out "$tests is not there"
  fi
fi

if begin parity; then
  for dtype in float32 bfloat16 float16; do
    generate "host-$dtype" --device cpu --model-dtype "$dtype" || true
    generate "gpu-$dtype" --device "$device" --model-dtype "$dtype" || true
    do_step "parity-$dtype" count_differences "$out/host-$dtype.jsonl" "$out/gpu-$dtype.jsonl" || true
    note "$out/parity-$dtype.log"
  done
fi

if begin reruns; then
  for dtype in float32 bfloat16; do
    generate "rerun-$dtype-1" --device "$device" --model-dtype "$dtype" || true
    generate "rerun-$dtype-2" --device "$device" --model-dtype "$dtype" || true
    do_step "same-bytes-$dtype" cmp "$out/rerun-$dtype-1.jsonl" "$out/rerun-$dtype-2.jsonl" || true
    [ -n "$data" ] || continue
    for number in 1 2; do
      run_data "rerun-log-$dtype-$number" --model-name-or-path "$model" --device "$device" --model-dtype "$dtype" --limit 20 || true
    done
    do_step "same-bytes-log-$dtype" cmp "$(log_of "rerun-log-$dtype-1")/indexed_metrics.yml" \
      "$(log_of "rerun-log-$dtype-2")/indexed_metrics.yml" || true
  done
fi

if begin schedules; then
  do_step schedules python3 "$root/scripts/check_schedules.py" --program "$program" --model "$model" --items 3 --schedules 12 \
    --kills 1 --modes float32,bfloat16,fp4-bfloat16 -- --device "$device" || true
  note "$out/schedules.log" 20
  generate schedules-invariant --device "$device" --model-dtype bfloat16 || true
  generate schedules-fast --device "$device" --model-dtype bfloat16 --fast || true
fi

if begin profile; then
  # What the graphs and our kernels are worth: the same without them.
  for way in all no-graphs no-kernels; do
    switch=(env)
    [ "$way" != no-graphs ] || switch+=(LABELPROBE_CUDA_GRAPHS=0)
    [ "$way" != no-kernels ] || switch+=(LABELPROBE_CUDA_GRAPHS=0 LABELPROBE_CUDA_KERNELS=0)
    do_step "profile-$way" "${switch[@]}" "$program" generate --prompts "$prompts" --model-name-or-path "$model" \
      --device "$device" --model-dtype bfloat16 --max-new-tokens 8 --out "$out/profile-$way.jsonl" \
      --profile "$out/profile-$way.json" || true
    note_profile "profile-$way"
  done
  if [ -n "$data" ] && [ -n "$tokenizer" ] && make_model "$shape" "$shape" "${cut[@]}"; then
    for way in all no-graphs; do
      if [ "$way" = no-graphs ]; then export LABELPROBE_CUDA_GRAPHS=0; fi
      for distribution in baseline binary; do
        name="profile-$shape-$distribution-$way"
        run_data "$name" --model-name-or-path "$work/$shape" --device "$device" --model-dtype bfloat16 --limit "$limit" \
          --distribution "$distribution" --profile "$out/$name.json" || true
        note_profile "$name"
      done
    done
    unset LABELPROBE_CUDA_GRAPHS
  else
    left_out "the shape $shape, which takes DATA_FOLDER, ID_LIST and --tokenizer"
  fi
  # A second opinion, where there is one; it fails on machines that forbid it.
  if [ -z "$rehearsal" ] && has nsys; then
    do_step nsys nsys profile --force-overwrite true --trace cuda,cublas --stats true --output "$out/nsys" "$program" generate \
      --prompts "$prompts" --model-name-or-path "$model" --device "$device" --model-dtype bfloat16 --max-new-tokens 8 \
      --out "$out/nsys.jsonl" || true
  fi
fi

if [ -n "$data" ]; then
  bench=(env "LABELPROBE=$program" "$root/scripts/bench.sh" cuda "$data" "$ids" --device "$device" --items "$limit" --shape "$shape"
    --blocks 1 --queries none --shots none --work "$work" --program "$program" --time-limit 8 ${tokenizer:+--tokenizer "$tokenizer"})
  [ -z "$rehearsal" ] || bench+=(--sample 0.1 --batch 2)
  if begin bench; then
    if [ -n "$tokenizer" ]; then make_model "$shape" "$shape" "${cut[@]}" || true; fi
    do_step bench-8b "${bench[@]}" --peers transformers --json "$out/bench-8b.json" --markdown "$out/bench-8b.md" || true
    include "$out/bench-8b.md"
  fi
  if begin fp4; then
    if [ -n "$tokenizer" ]; then make_model "$shape" "$shape" "${cut[@]}" || true; fi
    for dtype in float32 bfloat16; do
      do_step "fp4-8b-$dtype" "${bench[@]}" --peers none --distributions baseline --dtype "$dtype" --json "$out/fp4-$dtype.json" \
        --markdown "$out/fp4-$dtype.md" -- --load-in-4bit || true
      include "$out/fp4-$dtype.md"
    done
  fi
  if begin goals; then
    do_step goals python3 "$root/scripts/benchmark/goals.py" "$out/bench-8b.json" "$out/fp4-float32.json" "$out/fp4-bfloat16.json" || true
    include "$out/goals.log"
  fi
  if begin compare; then
    asked=(--model-name-or-path "$model" --limit 20)
    run_data compare-host "${asked[@]}" --device cpu || true
    run_data compare-gpu "${asked[@]}" --device "$device" || true
    run_data compare-tf32 "${asked[@]}" --device "$device" --tf32 || true
    run_data compare-fp4 "${asked[@]}" --device "$device" --load-in-4bit || true
    for other in gpu tf32 fp4; do
      do_step "compared-$other" "$program" compare "$(log_of compare-host)" "$(log_of "compare-$other")" || true
      note_beginning "$out/compared-$other.log" 40
    done
  fi
fi

if begin large; then
  large="$large_shape-fp4"
  do_step size-large "$program" make-model --shape "$large_shape" --quant fp4 --dry-run || true
  note "$out/size-large.log" 30
  if [ -z "$dry" ] && [ -z "$rehearsal" ] && [ ! -e "$work/$large/config.json" ] && ! free_disk 45; then
    rm -rf "${work:?}/$shape" # a later bench makes it again
    put "- $shape was removed to make room on the disk"
  fi
  if [ -z "$dry" ] && [ -z "$rehearsal" ] && [ ! -e "$work/$large/config.json" ] && ! free_disk 45; then
    large_shape=codellama-34b
    large="$large_shape-fp4"
    put "- the disk has less than 45 GB left: $large_shape instead"
  fi
  if make_model "$large" "$large_shape" --quant fp4 --dtype bfloat16 "${cut[@]}"; then
    # Tokens instead of texts, for any vocabulary: eight prompts of 256, most of it shared.
    [ -n "$dry" ] || python3 -c '
import json
for i in range(8):
    print(json.dumps({"id": str(i), "token_ids": [1 + (7 * k) % 5000 for k in range(240)] + [10 + i + k for k in range(16)]}))
' >"$out/large-prompts.jsonl"
    with_memory run-large "$program" generate --prompts "$out/large-prompts.jsonl" --model-name-or-path "$work/$large" \
      --device "$device" --model-dtype bfloat16 --ignore-eos --max-new-tokens 8 --out "$out/large.jsonl" \
      --profile "$out/run-large.json" || true
    note "$out/run-large.log" 60
    [ -n "$dry" ] || [ ! -e "$out/run-large.json" ] || gzip -f "$out/run-large.json"
    [ -n "$dry" ] || rm -rf "${work:?}/$large"
  fi
fi

[ -z "$dry" ] || exit 0
put "" "All of this took $SECONDS s. Failed: ${failed[*]:-nothing}" ""
cat "$report"
[ ${#failed[@]} -eq 0 ] || fail "some steps failed: ${failed[*]}"
