#!/usr/bin/env bash
# Everything that only a GPU can show, in one go: tests, CPU against CUDA, equal bytes of equal runs, speed, memory, a profile.
# Usage: scripts/check_gpu.sh [--dry-run] [--minutes N] [--only STEP,..] MODEL PROMPTS [DATA_FOLDER ID_LIST]
#
#   MODEL        a small real model: folder or .gguf file
#   PROMPTS      prompts for it, as `labelprobe generate` takes them: JSON lines of id and text
#   DATA_FOLDER  GoEmotions' published files, ID_LIST one example id per line; without them bench and compare are left out
#   --minutes N  what would begin later than this is left out, and the report says so (default: 25)
#   --only STEPS some of build,tests,parity,compare,reruns,bench,fp4,large,profile
#   --dry-run    shows every step, and checks what can be checked without a GPU
#
# Needs torch 2.11 with CUDA (found through python3, or CMAKE_PREFIX_PATH), CMake, ninja and nvcc; installs nothing.
# From the environment: LABELPROBE, a program that was built elsewhere (cmake -DLABELPROBE_STATIC=ON), with its module and
# labelprobe_gpu_tests beside it, so that nothing is built here; it takes the libtorch of this machine.
# The report is build/gpu/report.md, beside the logs of all steps; a step that fails is reported and the others go on.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
help_if_asked "$@"

steps=(build tests parity compare reruns bench fp4 large profile)
dry="" minutes=25 only=""
while [ $# -gt 0 ]; do
  case "$1" in
    --dry-run) dry=yes ;;
    --minutes)
      [ $# -gt 1 ] || fail "--minutes takes a number"
      minutes="$2"
      shift
      ;;
    --only)
      [ $# -gt 1 ] || fail "--only takes steps: ${steps[*]}"
      only=",$2,"
      shift
      ;;
    -*) fail "unknown option '$1' (known: --dry-run, --minutes, --only, --help)" ;;
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
model=$(realpath "$1")
prompts=$(realpath "$2")
data="${3:+$(realpath "$3")}"
ids="${4:+$(realpath "$4")}"
for place in "$model" "$prompts" ${data:+"$data"} ${ids:+"$ids"}; do
  [ -e "$place" ] || fail "'$place' is not there"
done

cd "$root" # the configurations name their files from here
out="$build/gpu"
report="$out/report.md"
program="${LABELPROBE:-$build/labelprobe}"
failed=()
mkdir -p "$out"
: >"$report"

put() { printf '%s\n' "$@" >>"$report"; }

# note FILE [LINES]: the end of a log, as a block of the report.
note() {
  [ -e "$1" ] || return 0
  put '```'
  tail -n "${2:-20}" "$1" >>"$report"
  put '```'
}

# do_step NAME COMMAND..: runs it with its output in a log; in a dry run shows it.
do_step() {
  local name="$1" log="$out/$1.log" from=$SECONDS
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
  if "$@" >"$log" 2>&1; then
    put "- $name: done in $((SECONDS - from)) s"
  else
    put "- $name: FAILED with status $? after $((SECONDS - from)) s"
    note "$log"
    failed+=("$name")
    return 1
  fi
}

# begin STEP: whether it is wanted; heads its part of the report.
begin() {
  if [ -n "$only" ] && [[ "$only" != *",$1,"* ]]; then return 1; fi
  if [ -n "$dry" ]; then printf '%s\n' "$1"; else say "$1"; fi
  put "" "## $1"
}

generate() {  # NAME FLAGS..
  local name="$1"
  shift
  do_step "$name" "$program" generate --prompts "$prompts" --model-name-or-path "$model" --max-new-tokens 8 \
    --out "$out/$name.jsonl" "$@"
}

torch_here() {
  torch_root || python3 -c 'import os, torch; print(os.path.dirname(torch.__file__))'
}

configure_and_build() {
  local torch
  torch=$(torch_here)
  cmake -S "$root" -B "$build" -G Ninja -DCMAKE_PREFIX_PATH="$torch" -DLABELPROBE_CUDA=ON
  cmake --build "$build" --parallel "$(nproc)" --target labelprobe labelprobe_gpu_tests
}

put "# What a GPU showed" "" "$(date -u '+%Y-%m-%d %H:%M UTC')"
if has nvidia-smi; then
  put '```'
  nvidia-smi --query-gpu=name,driver_version,memory.total,memory.free --format=csv >>"$report" || true
  put '```'
elif [ -z "$dry" ]; then
  fail "there is no nvidia-smi: no NVIDIA driver; --dry-run shows the steps"
fi

if [ -n "${LABELPROBE:-}" ] && [ -z "$dry" ]; then
  LD_LIBRARY_PATH="$(torch_here)/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
  export LD_LIBRARY_PATH
fi
if [ -z "${LABELPROBE:-}" ] && begin build; then
  do_step build configure_and_build || fail "the build failed: see $out/build.log"
  do_step version "$program" --version && [ -z "$dry" ] && note "$out/version.log"
fi

if begin tests; then
  tests="$(dirname "$program")/labelprobe_gpu_tests"
  if [ -n "$dry" ] || [ -x "$tests" ]; then
    do_step tests "$tests" --durations yes || true
    if [ -z "$dry" ]; then note "$out/tests.log" 12; fi
  else
    put "- left out: $tests is not there"
  fi
fi

# Answers that differ between two files of `labelprobe generate`; a different choice between tokens that are nearly as likely
# is no error, so it is only counted.
count_differences() {
  python3 - "$@" <<'PYTHON'
import json, sys
answers = [{line["id"]: line for line in map(json.loads, open(path))} for path in sys.argv[1:3]]
same = sum(answers[0][key].get("token_ids") == answers[1][key].get("token_ids") for key in answers[0])
print(f"{same} of {len(answers[0])} answers have the same tokens")
sys.exit(answers[0].keys() != answers[1].keys())
PYTHON
}

if begin parity; then
  for dtype in float32 bfloat16 float16; do
    generate "cpu-$dtype" --device cpu --model-dtype "$dtype" || true
    generate "cuda-$dtype" --device cuda:0 --model-dtype "$dtype" || true
    do_step "parity-$dtype" count_differences "$out/cpu-$dtype.jsonl" "$out/cuda-$dtype.jsonl" &&
      [ -z "$dry" ] && note "$out/parity-$dtype.log"
  done
fi

if [ -n "$data" ]; then
  run=(run GoEmotions --config configs/GoEmotions/pipeline.yaml --root-dir "$data" --test-ids-filename "$ids" --limit 20
    --emotion-clustering-json "$data/emotion_clustering.json" --model-name-or-path "$model" --disable-tqdm --log-root "$out/logs")
  if begin compare; then
    [ -n "$dry" ] || rm -rf "$out/logs"
    do_step run-cpu "$program" "${run[@]}" --device cpu --alternative-experiment-name cpu || true
    do_step run-cuda "$program" "${run[@]}" --device cuda:0 --alternative-experiment-name cuda || true
    do_step run-tf32 "$program" "${run[@]}" --device cuda:0 --tf32 --alternative-experiment-name tf32 || true
    do_step run-fp4 "$program" "${run[@]}" --device cuda:0 --load-in-4bit --alternative-experiment-name fp4 || true
    for other in cuda tf32 fp4; do
      do_step "compare-$other" "$program" compare "$out/logs/GoEmotions/cpu_0" "$out/logs/GoEmotions/${other}_0" &&
        [ -z "$dry" ] && note "$out/compare-$other.log" 40
    done
  fi
fi

if begin reruns; then
  for dtype in float32 bfloat16; do
    generate "rerun-$dtype-1" --device cuda:0 --model-dtype "$dtype" || true
    generate "rerun-$dtype-2" --device cuda:0 --model-dtype "$dtype" || true
    do_step "cmp-$dtype" cmp "$out/rerun-$dtype-1.jsonl" "$out/rerun-$dtype-2.jsonl" || true
  done
fi

if [ -n "$data" ]; then
  bench=("$root/scripts/bench.sh" cuda "$data" "$ids" --peers transformers --blocks 1 --queries none --shots none --work "$out/work"
    --program "$program")
  if begin bench; then
    do_step bench-8b "${bench[@]}" --shape llama-3.1-8b --json "$out/8b.json" --markdown "$out/8b.md" || true
    if [ -z "$dry" ] && [ -e "$out/8b.md" ]; then cat "$out/8b.md" >>"$report"; fi
  fi
  if begin fp4; then
    for dtype in float32 bfloat16; do
      do_step "fp4-8b-$dtype" "${bench[@]}" --peers none --distributions baseline --shape llama-3.1-8b --dtype "$dtype" \
        --json "$out/fp4-$dtype.json" --markdown "$out/fp4-$dtype.md" -- --load-in-4bit || true
      if [ -z "$dry" ] && [ -e "$out/fp4-$dtype.md" ]; then cat "$out/fp4-$dtype.md" >>"$report"; fi
    done
  fi
fi

if begin large; then
  # 70 billion weights: 80 layers of 855.6 million in the seven matrices of a block, half a byte each and four bytes per block
  # of 64; embedding and head in bfloat16.
  put "70B in 4 bits: 80 x 855.6e6 x (0.5 + 4/64) B = 38.5 GB, embedding and head 2 x 128256 x 8192 x 2 B = 4.2 GB:" \
    "42.7 GB; keys and values of a token 80 x 2 x 8 x 128 x 2 B = 0.33 MB, so 80 GB hold 100,000 tokens besides."
  large="$out/work/llama-3.3-70b"
  n_free_kb=$(df --output=avail -k "$out" | tail -n 1)
  if [ -z "$dry" ] && [ "$n_free_kb" -lt 150000000 ]; then
    put "- llama-3.3-70b needs 141 GB of disk to write, $((n_free_kb / 1000000)) GB are free: llama-2-13b instead"
    large="$out/work/llama-2-13b"
  fi
  if do_step make-large "$program" make-model --shape "$(basename "$large")" --out "$large" --dtype bfloat16; then
    do_step run-large "$program" generate --prompts "$prompts" --model-name-or-path "$large" --device cuda:0 --model-dtype bfloat16 \
      --quant fp4 --max-new-tokens 4 --out "$out/large.jsonl" && [ -z "$dry" ] && note "$out/run-large.log"
  fi
fi

if begin profile; then
  profiled=("$program" generate --prompts "$prompts" --model-name-or-path "$model" --device cuda:0 --model-dtype bfloat16 --max-new-tokens 8
    --out "$out/profiled.jsonl")
  if has nsys; then
    do_step profile nsys profile --force-overwrite true --trace cuda,cublas --stats true --output "$out/profile" "${profiled[@]}" || true
  elif has ncu; then
    do_step profile ncu --clock-control none --launch-skip 500 --launch-count 300 --csv --log-file "$out/profile.csv" \
      --metrics gpu__time_duration.sum "${profiled[@]}" || true
  else
    put "- no profiler: neither nsys nor ncu is there"
  fi
  # What our kernels, and recorded steps, are worth: the same without them.
  generate with-kernels --device cuda:0 --model-dtype bfloat16 || true
  do_step without-kernels env LABELPROBE_CUDA_KERNELS=0 "${profiled[@]}" || true
  do_step without-graphs env LABELPROBE_CUDA_GRAPHS=0 "${profiled[@]}" || true
fi

if [ -n "$dry" ]; then
  rm -f "$report"
  exit 0
fi
put "" "Failed: ${failed[*]:-nothing}"
cat "$report"
[ ${#failed[@]} -eq 0 ] || fail "some steps failed: ${failed[*]}"
