# What the pipelines of this folder share; sourced by them, never run.
# shellcheck shell=bash

# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

# choose_set NAME: the data set of pipeline-NAME.sh: its name to the program, the published script's model, the names that
# its folder may have below DATA_ROOT, and a file or folder in it by which it is known.
choose_set() {
  default_model=meta-llama/Llama-2-7b-chat-hf
  case "$1" in
    goemotions)
      task=GoEmotions data_folders=(goemotions GoEmotions) data_mark=emotions.txt
      default_model=meta-llama/Llama-3.3-70B-Instruct
      ;;
    MFRC) task=MFRC data_folders=(mfrc MFRC) data_mark=splits.yaml ;;
    semeval) task=SemEval data_folders=(semeval2018task1 SemEval semeval) data_mark=English/E-c ;;
    hate) task=Hatexplain data_folders=(HateXplain Hatexplain hatexplain) data_mark=post_id_divisions.json ;;
    MSP) task=MSPPodcast data_folders=(MSP-Podcast-1.11 MSP-Podcast MSPPodcast) data_mark=transcripts.csv ;;
  esac
}

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
LOG_ROOT/$task/<ID_LIST>/<DISTRIBUTION>/<MODEL, its / as -->_<k>.
TEXT
  exit 0
}

# The first of the data set's usual folders that is there.
data_folder() {
  local data_root="${DATA_ROOT:-./data}" name
  for name in "${data_folders[@]}"; do
    if [ -e "$data_root/$name/$data_mark" ]; then
      printf '%s\n' "$data_root/$name"
      return
    fi
  done
  fail "no data of $task: expected $data_mark in one of the folders ${data_folders[*]} below $data_root" \
    "(DATA_ROOT); scripts/get_data.sh gets the public sets and says where to ask for the others"
}

# data_flags FOLDER ID_LIST_FILE: the flags that say which data; an array, since paths may hold anything.
data_flags() {
  flags_of_data=(--config "$root/configs/$task/pipeline.yaml" --root-dir "$1" --test-ids-filename "$2")
  if [ "$task" = GoEmotions ]; then flags_of_data+=(--emotion-clustering-json "$1/emotion_clustering.json"); fi
}

program_path() {
  local path="${LABELPROBE:-$build/labelprobe}"
  [ -x "$path" ] || fail "no program $path: build it with scripts/build.sh, or name one in LABELPROBE"
  printf '%s\n' "$path"
}

id_list_file() {
  local file="$1"
  case "$file" in
    */* | *.txt) ;;
    *) file="${ID_ROOT:-$root/prob_distr_ids}/$task/$file.txt" ;;
  esac
  [ -f "$file" ] || fail "no id list $file; expected the name of a list in ${ID_ROOT:-$root/prob_distr_ids}/$task or" \
    "the path of one"
  printf '%s\n' "$file"
}

device_of() {
  case "$1" in
    cpu | auto | cuda | cuda:*) printf '%s\n' "$1" ;;
    *[!0-9]* | '') fail "GPU: expected cpu or the number of one GPU, found '$1'" ;;
    *) printf 'cuda:%s\n' "$1" ;;
  esac
}

# say_how_weights_are_kept FLAGS...: whether one of them does, in place of the published --load-in-4bit.
say_how_weights_are_kept() {
  local flag
  for flag in "$@"; do
    case "${flag//_/-}" in
      --quant | --quant=* | --load-in-4* | --load-in-8*) return 0 ;;
    esac
  done
  return 1
}

# pipeline NAME ARGUMENTS: one run. The data set's settings are in its pipeline.yaml, all but what the arguments name.
# Of the published command lines one flag is missing: --sentence-model, which nothing read. The published numbers come
# from 4-bit weights (FP4) computed in float32: --load-in-4bit, unless FLAGS say how weights are kept.
pipeline() {
  choose_set "$1"
  shift
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
  local distribution="$1" ids device data program model="${4:-$default_model}" seed="${5:-0}"
  [[ "$seed" =~ ^-?[0-9]+$ ]] || misused "SEED: expected an integer, found '$seed'"
  case "$distribution" in
    baseline | unary | binary | multilabel_ICL) ;;
    multilabel_icl) distribution=multilabel_ICL ;;
    *) misused "unknown distribution '$distribution' (known: baseline, unary, binary, multilabel_ICL)" ;;
  esac
  # Not within `local`, which would hide that one of them failed.
  ids=$(id_list_file "$2")
  device=$(device_of "$3")
  data=$(data_folder)
  program=$(program_path)
  data_flags "$data" "$ids"
  # As published, for all but GoEmotions; it changes nothing.
  if [ "$task" != GoEmotions ]; then flags=(--trust-remote-code "${flags[@]}"); fi
  if ! say_how_weights_are_kept "${flags[@]}"; then flags=(--load-in-4bit "${flags[@]}"); fi
  exec "$program" run "$task" "${flags_of_data[@]}" --distribution "$distribution" --model-name-or-path "$model" \
    --device "$device" --seed "$seed" --log-root "${LOG_ROOT:-./logs}" \
    --alternative-experiment-name "$(basename "$ids" .txt)/{distribution}/{model_name_or_path}" \
    --accelerate --logging-level debug "${flags[@]}"
}
