#!/usr/bin/env bash
# Everything that only a GPU can show, in steps, the most telling first: what is missing, tests, CPU against CUDA, equal bytes of
# equal runs, speed against the goals, where the time goes, memory. Adds to one report, which ends with what it showed of each
# promise of the documents.
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
#   --minutes N      ends what is running then; what is left is named in the report (default: 25)
#   --rehearse       every step, with models of a few layers, on the CPU: shows that they run, and nothing about a GPU
#   --dry-run        shows every step, and checks what can be checked without a GPU
#
# Steps, what they may take on one H200 in seconds (estimates; the report has what each took), and when they are ended. For
# machines that take a command away after 10 minutes, three calls: --only preflight,build,tests,parity,reruns,schedules;
# --only bench,fp4,goals,profile; --only compare,large.
#   preflight  10   60  driver, libtorch and compiler fit each other and the GPU; a first answer by our own kernels
#   build     300  600  the program, its CUDA module and the GPU's tests, in build/gpu/build; not where LABELPROBE names a program
#   tests      60  150  labelprobe_gpu_tests
#   parity     60  120  answers of the CPU against those of the GPU, in three precisions
#   reruns     40  120  the same command twice: the same bytes, of `generate` and of `run`
#   schedules 120  240  the same items in 12 schedules, in three precisions: the same bytes; and the time of --fast beside it
#   bench     300  420  the 8B shape in bfloat16 (16 GB are written first), against transformers where Python has it
#   fp4        90  240  the 8B shape in 4 bits, computing in float32 and in bfloat16
#   goals       0   10  what bench and fp4 measured beside what was wanted
#   profile   120  240  where the time goes, by the program's own --profile: with everything, without CUDA graphs, without our
#                       kernels; MODEL, and with data the 8B shape
#   compare    60  180  label probabilities of the CPU, CUDA, TF32 and 4 bits
#   large     240  420  the 70B shape in 4 bits: 43 GB are written, loaded and run
#
# Needs torch 2.11 with CUDA (build/torch-env, python3's, or CMAKE_PREFIX_PATH's), CMake, ninja and nvcc; installs nothing.
# From the environment: LABELPROBE, a program that was built elsewhere (cmake -DLABELPROBE_STATIC=ON), with its module and
# labelprobe_gpu_tests beside it, so that nothing is built here; it takes the libtorch of this machine.
# LABELPROBE_REFERENCE_ENV, a Python environment with the peers of bench (default: python3's).
# A step that fails is reported and the others go on, but after preflight and build.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
help_if_asked "$@"

steps=(preflight build tests parity reruns schedules bench fp4 goals profile compare large)
declare -A limits=([preflight]=60 [build]=600 [tests]=150 [parity]=120 [reruns]=120 [schedules]=240 [bench]=420 [fp4]=240 [goals]=10
  [profile]=240 [compare]=180 [large]=420)
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
[[ "$minutes" =~ ^[0-9]+(\.[0-9]+)?$ ]] || fail "--minutes is '$minutes'; expected a number"
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

cd "$root" # the configurations name their files from here
build_folder="$build/gpu/build" # of its own: what it is told about GPUs is not for other builds
[ -z "$rehearsal" ] || build_folder="$build"
program="${LABELPROBE:-$build_folder/labelprobe}"
device=cuda:0 shape=llama-3.1-8b large_shape=llama-3.3-70b limit=200 cut=()
if [ -n "$rehearsal" ]; then
  device=cpu shape=smollm2-135m large_shape=smollm2-360m limit=4 cut=(--layers 2)
fi
report="$out/report.md"
outcomes="$out/outcomes${rehearsal:+-of-rehearsals}.tsv" # of every command, over all calls
failed=()
if [ -n "$dry" ]; then
  report=/dev/null outcomes=/dev/null
else
  mkdir -p "$out" "$work"
fi
end=$(awk -v minutes="$minutes" 'BEGIN {print int(60 * minutes)}')
step_end=$end

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

# note_outcome NAME done|FAILED|ENDED
note_outcome() { printf '%s\t%s\n' "$@" >>"$outcomes"; }

# do_step NAME COMMAND..: runs it with its output in a log, as long as its step may take; in a dry run shows it.
do_step() {
  local name="$1" log="$out/$1.log" left=$((step_end - SECONDS)) from status=0
  from=$(now_ms)
  shift
  if [ -n "$dry" ]; then
    printf '  %s:' "$name"
    printf ' %q' "$@"
    printf '\n'
    return 0
  fi
  if [ "$left" -le 0 ]; then
    put "- $name: left out, the time for it was over"
    return 1
  fi
  timeout --kill-after=10 "$left" "$@" >"$log" 2>&1 || status=$?
  if [ "$status" -eq 0 ]; then
    put "- $name: done in $(seconds_since "$from") s"
    note_outcome "$name" "done"
    return 0
  fi
  failed+=("$name")
  if [ "$status" -eq 124 ]; then
    put "- $name: ENDED after $left s"
    note_outcome "$name" ENDED
  else
    put "- $name: FAILED with status $status after $(seconds_since "$from") s"
    note_outcome "$name" FAILED
  fi
  note "$log"
  return 1
}

# begin STEP: whether it is wanted; heads its part of the report.
begin() {
  if [ -n "$only" ] && [[ "$only" != *",$1,"* ]]; then return 1; fi
  if [ -n "$dry" ]; then printf '%s\n' "$1"; else say "$1"; fi
  put "" "## $1" ""
  step_end=$((SECONDS + limits[$1]))
  # A processor takes as long as it takes.
  if [ -n "$rehearsal" ] || [ "$step_end" -gt "$end" ]; then step_end=$end; fi
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

# gpu FIELDS: what nvidia-smi says of the first GPU.
gpu() { nvidia-smi --id=0 --query-gpu="$1" --format=csv,noheader,nounits 2>&1; }

build_all() {
  local cuda=(-DLABELPROBE_CUDA=ON "-DCMAKE_CUDA_ARCHITECTURES=90-real")
  # For this machine's GPU alone: others would take minutes more.
  [ -n "$dry" ] || [ -n "$rehearsal" ] || cuda[1]="-DCMAKE_CUDA_ARCHITECTURES=$(gpu compute_cap | tr -d .)-real"
  [ -z "$rehearsal" ] || cuda=(-DLABELPROBE_CUDA=AUTO)
  # What an earlier call found is forgotten: there may be another libtorch or compiler by now.
  do_step configure cmake -S "$root" -B "$build_folder" -G Ninja -U 'LABELPROBE_TORCH_*' \
    -DCMAKE_PREFIX_PATH="$(torch_here)" "${cuda[@]}" &&
    do_step build cmake --build "$build_folder" --parallel "$(n_jobs)" --target labelprobe labelprobe_gpu_tests
}

problems=()

# problem WHAT WHAT_TO_DO
problem() {
  problems+=("$1: $2")
  put "- PROBLEM: $1. $2"
}

# Whether driver, libtorch, compiler and memory are there and fit each other.
look_at_machine() {
  local torch torch_cuda least="" missing driver capability free nvcc
  if ! has nvidia-smi || ! driver=$(gpu driver_version); then
    problem "there is no NVIDIA driver, or it sees no GPU" "Run nvidia-smi; --rehearse runs the steps on the CPU"
    return
  fi
  capability=$(gpu compute_cap)
  [ "${capability%.*}" -ge 8 ] || problem "the GPU is of $capability" "The kernels are for GPUs of 8.0 and later"
  free=$(gpu memory.free)
  if [ "$free" -lt 4000 ]; then
    problem "$free MiB of the GPU's memory are free" \
      "End what holds it: $(nvidia-smi --query-compute-apps=pid,name,used_memory --format=csv,noheader | tr '\n' ';')"
  fi
  case "$(gpu compute_mode)" in
    Prohibited) problem "the GPU takes no programs" "An administrator allows them: nvidia-smi --compute-mode=DEFAULT" ;;
  esac
  if ! torch=$(torch_here 2>/dev/null); then
    problem "there is no libtorch" "Run LABELPROBE_TORCH=cuda scripts/setup.sh, or set CMAKE_PREFIX_PATH"
    return
  fi
  if [ ! -e "$torch/lib/libtorch_cuda.so" ]; then
    problem "libtorch in $torch has no CUDA half" "Set CMAKE_PREFIX_PATH to one with CUDA"
    return
  fi
  missing=$({ ldd "$torch/lib/libtorch_cuda.so" 2>/dev/null || true; } | awk '/ => not found/ {print $1}' | sort -u | tr '\n' ' ')
  if [ -n "$missing" ]; then
    problem "libtorch in $torch lacks libraries of CUDA: ${missing% }" \
      "Run LABELPROBE_TORCH=cuda scripts/setup.sh, or set CMAKE_PREFIX_PATH"
  fi
  torch_cuda=$(grep -aoE 'libcudart[^/]*\.so\.[0-9]+' "$torch/lib/libc10_cuda.so" | sed -n '1s/.*\.//p')
  case "$torch_cuda" in # CUDA's release notes: the oldest driver for any version of that number
    12) least=525 ;;
    13) least=580 ;;
  esac
  if [ -n "$least" ] && [ "${driver%%.*}" -lt "$least" ]; then
    problem "the driver is $driver, libtorch is of CUDA $torch_cuda" "Take a driver from $least on, or a libtorch of an older CUDA"
  fi
  if [ -z "${LABELPROBE:-}" ] &&
    ! nvcc=$(cmake -D TORCH_LIB_DIR="$torch/lib" -P scripts/cmake/labelprobe-nvcc.cmake 2>&1); then
    problem "there is no CUDA compiler that fits" "$(tail -n +2 <<<"$nvcc" | tr -s ' \n' ' ')"
  fi
}

# A first answer, of a model of a few hundred numbers: libtorch sees the GPU, the module loads and has code for it.
try_program() {
  local tiny="tests/fixtures/model/llama_mha" log="$out/first-answer.log"
  [ -n "$dry" ] || printf '{"id": "a", "token_ids": [1, 2, 3]}\n' >"$out/first-answer.prompts.jsonl"
  do_step first-answer "$program" generate --prompts "$out/first-answer.prompts.jsonl" --model-name-or-path "$tiny" \
    --device "$device" --max-new-tokens 2 --out "$out/first-answer.jsonl" || {
    if grep -q 'no kernel image' "$log"; then
      problem "the module has no code for this GPU" "Build it with -DCMAKE_CUDA_ARCHITECTURES=$(gpu compute_cap | tr -d .)"
    else
      problem "the program does not answer on $device" "See $log: $(tail -n 1 "$log")"
    fi
    return
  }
  if [ -z "$dry" ] && grep -q 'no own kernels' "$log"; then
    problem "our own kernels are not used" "$(sed -n 's/.*no own kernels: //p' "$log" | head -n 1)"
  fi
}

stop_at_problems() {
  [ ${#problems[@]} -eq 0 ] || fail "cannot go on: ${problems[*]}"
}

# outcome_of NAMES..: of these commands, in this call or an earlier one.
outcome_of() {
  local name last outcome=holds
  [ -z "$rehearsal" ] || outcome="was rehearsed"
  for name in "$@"; do
    last=$(awk -F '\t' -v name="$name" '$1 == name {last = $2} END {print last}' "$outcomes" 2>/dev/null || true)
    case "$last" in
      FAILED) printf 'does NOT hold (%s)\n' "$name" && return ;;
      ENDED) outcome="not shown in time ($name)" ;;
      "") outcome="not tried" ;;
    esac
  done
  printf '%s\n' "$outcome"
}

# What the documents promise of GPUs, and what was seen of it.
tell_promises() {
  local promise names title="What was seen of the promises"
  [ -z "$rehearsal" ] || title="What a GPU's report would say of the promises; this one was rehearsed, and says nothing"
  put "" "## $title" "" "| promise | in | shown by | |" "|---|---|---|---|"
  while IFS='|' read -r promise place names; do
    # shellcheck disable=SC2086  # one name per word
    put "| $promise | $place | $names | $(outcome_of $names) |"
  done <<'PROMISES'
The program uses its own kernels on this GPU|src/model/README.md|first-answer
The GPU's logits are the CPU's, within the tolerances of the tests|src/model/README.md|tests gpu-float32 parity-float32 gpu-bfloat16 parity-bfloat16 gpu-float16 parity-float16
4-bit and 8-bit weights have the CPU's bits|src/model/README.md|tests
Equal runs give equal bytes|src/model/README.md|rerun-float32-2 same-bytes-float32 rerun-bfloat16-2 same-bytes-bfloat16
Equal runs write equal logs|src/record/README.md|rerun-log-float32-2 same-bytes-log-float32 rerun-log-bfloat16-2 same-bytes-log-bfloat16
The numbers of an item are the same bits whatever the schedule|src/model/README.md|schedules
8B in bfloat16 and in 4 bits takes no longer than wanted|scripts/benchmark/RESULTS.md|goals-met
70B in 4 bits runs on one GPU|src/model/README.md|run-large
PROMISES
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
if begin preflight; then
  [ -n "$dry" ] || [ -n "$rehearsal" ] || look_at_machine
  if [ -n "$dry" ] || { [ ${#problems[@]} -eq 0 ] && [ -x "$program" ]; }; then try_program; fi
  stop_at_problems
fi
if [ -z "${LABELPROBE:-}" ] && begin build; then
  build_all || fail "the build failed: see configure.log and build.log in $out"
  try_program
  stop_at_problems
fi
do_step version "$program" --version || fail "'$program' does not run: see $out/version.log"
note "$out/version.log"

if begin tests; then
  tests="$(dirname "$program")/labelprobe_gpu_tests"
  if [ -n "$dry" ] || [ -x "$tests" ]; then
    [ -n "$rehearsal" ] || export LABELPROBE_EXPECT_GPU=1
    do_step tests "$tests" --durations yes || true
    note "$out/tests.log" 12
    [ -n "$dry" ] || put "- of these tests were skipped: $(grep -c SKIPPED "$out/tests.log" || true)"
  else
    left_out "$tests is not there"
  fi
fi

# Both of two commands are run, and then compared if both succeeded: else there may be files of an earlier call.
if begin parity; then
  for dtype in float32 bfloat16 float16; do
    are_there=yes
    generate "host-$dtype" --device cpu --model-dtype "$dtype" || are_there=""
    generate "gpu-$dtype" --device "$device" --model-dtype "$dtype" || are_there=""
    [ -n "$are_there" ] || continue
    do_step "parity-$dtype" python3 "$root/scripts/count_differences.py" "$out/host-$dtype.jsonl" "$out/gpu-$dtype.jsonl" || true
    note "$out/parity-$dtype.log"
  done
fi

if begin reruns; then
  for dtype in float32 bfloat16; do
    are_there=yes asked=(--device "$device" --model-dtype "$dtype")
    for number in 1 2; do
      generate "rerun-$dtype-$number" "${asked[@]}" || are_there=""
    done
    if [ -n "$are_there" ]; then
      do_step "same-bytes-$dtype" cmp "$out/rerun-$dtype-1.jsonl" "$out/rerun-$dtype-2.jsonl" || true
    fi
    [ -n "$data" ] || continue
    are_there=yes
    for number in 1 2; do
      run_data "rerun-log-$dtype-$number" "${asked[@]}" --model-name-or-path "$model" --limit 20 || are_there=""
    done
    [ -n "$are_there" ] || continue
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
    if [ -z "$dry" ] && grep -q '| yes |$' "$out/goals.log" && ! grep -q '| no |$' "$out/goals.log"; then
      note_outcome goals-met "done"
    elif [ -z "$dry" ] && grep -q '| no |$' "$out/goals.log"; then
      note_outcome goals-met FAILED
    fi
  fi
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

if [ -n "$data" ] && begin compare; then
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
tell_promises
put "" "All of this took $SECONDS s. Failed: ${failed[*]:-nothing}" ""
cat "$report"
[ ${#failed[@]} -eq 0 ] || fail "some steps failed: ${failed[*]}"
