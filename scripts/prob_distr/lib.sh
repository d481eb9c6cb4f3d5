# What the pipelines of this folder share; sourced by them, never run.
# shellcheck shell=bash

# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

arguments='DISTRIBUTION ID_LIST GPU [MODEL] [SEED] [-- FLAGS OF labelprobe run]'

misused() {
  say "$@"
  printf 'Usage: %s %s      (-h explains)\n' "$(basename "$0")" "$arguments" >&2
  exit 2
}

explain_if_asked() {
  case "${1:-}" in
    -h | --help) ;;
    *) return 0 ;;
  esac
  help_if_asked "$@" | sed "s|ARGUMENTS|$arguments|"
  cat <<TEXT

  DISTRIBUTION  baseline, unary, binary or multilabel_ICL (also: multilabel_icl)
  ID_LIST       name of a list in prob_distr_ids/$task/, or the path of one
  GPU           number of the GPU, or cpu
  MODEL         folder, .gguf file or name in the Hugging Face cache (default: $default_model)
  SEED          seed of the demonstrations (default: 0); -1 = the seeds 0 to 4
  FLAGS         e.g. --limit 5, --dry-run, --model-dtype bfloat16; --quant none in place of the published 4-bit weights

From the environment: DATA_ROOT, which holds the data set's folder (default: ./data); LOG_ROOT (default: ./logs);
ID_ROOT in place of prob_distr_ids; LABELPROBE, the program (default: that of build/). The log is
LOG_ROOT/$task/<ID_LIST>/<DISTRIBUTION>/<MODEL, its / as -->_<k>. A run that is finished is not run again.
TEXT
  exit 0
}

program_path() {
  local path="${LABELPROBE:-$build/labelprobe}"
  [ -x "$path" ] || fail "no program $path: build it with scripts/build.sh, or name one in LABELPROBE"
  printf '%s\n' "$path"
}

device_of() {
  case "$1" in
    cpu | auto | cuda | cuda:*) printf '%s\n' "$1" ;;
    *[!0-9]* | '') fail "GPU: expected cpu or the number of one GPU, found '$1'" ;;
    *) printf 'cuda:%s\n' "$1" ;;
  esac
}

# pipeline SET DEFAULT_MODEL ARGUMENTS: one run. What it is made of, labelprobe table knows: its command line is asked for
# and run. Of the published command lines one flag is missing: --sentence-model, which nothing read.
pipeline() {
  task="$1" default_model="$2"
  shift 2
  explain_if_asked "$@"
  local positional=() flags=()
  while [ $# -gt 0 ]; do
    if [ "$1" = -- ]; then
      shift
      flags=("$@")
      break
    fi
    positional+=("$1")
    shift
  done
  set -- "${positional[@]}"
  if [ $# -lt 3 ] || [ $# -gt 5 ]; then misused "expected 3 to 5 arguments, found $#"; fi
  if [ "${4:-}" = vllm ] || [ "${5:-}" = vllm ]; then
    misused "there is no vLLM variant: labelprobe is its own engine, and the fifth argument is the seed"
  fi
  local distribution="$1" device program line
  if [ "$distribution" = multilabel_icl ]; then distribution=multilabel_ICL; fi
  # Not within `local`, which would hide that one of them failed.
  device=$(device_of "$3")
  program=$(program_path)
  line=$("$program" table pipelines "${4:-$default_model}" --commands --cells "$task/$distribution" --id-list "$2" \
    --device "$device" --seed "${5:-0}" --id-root "${ID_ROOT:-$root/prob_distr_ids}" --config-root "$root/configs" \
    -- "${flags[@]}")
  eval "set -- $line"  # quoted by the program; its first word is labelprobe
  shift
  exec "$program" "$@"
}
