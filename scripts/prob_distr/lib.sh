# What the pipelines of this folder share; sourced by them, never run.
# shellcheck shell=bash disable=SC2154  # the pipelines set what is theirs: task, default_model, data_folders, data_mark

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
  FLAGS         e.g. --limit 5, --dry-run, --model-dtype bfloat16

From the environment: DATA_ROOT, which holds the data set's folder (default: ./data); LOG_ROOT (default: ./logs);
ID_ROOT in place of prob_distr_ids; LABELPROBE, the program (default: that of build/). The log is
LOG_ROOT/$task/<ID_LIST>/<DISTRIBUTION>/<MODEL, its / as -->_<k>.
TEXT
  exit 0
}

# The first of the data set's usual folders that is there, by a file or folder that it must have.
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

# run_pipeline ARGUMENTS: the data set's settings are in its pipeline.yaml, all but what the arguments name.
# Of the published command lines two flags are missing: --sentence-model, which nothing read, and --load-in-4bit. The
# published numbers come from 4-bit weights (FP4) computed in float32, so numbers of full weights may differ from them.
run_pipeline() {
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
  local distribution="$1" ids device data model="${4:-$default_model}" seed="${5:-0}" list
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
  list=$(basename "$ids" .txt)
  if [ "$task" = GoEmotions ]; then flags=(--emotion-clustering-json "$data/emotion_clustering.json" "${flags[@]}"); fi
  if [ "$task" != GoEmotions ]; then flags=(--trust-remote-code "${flags[@]}"); fi

  local program="${LABELPROBE:-$build/labelprobe}"
  [ -x "$program" ] || fail "no program $program: build it with scripts/build.sh, or name one in LABELPROBE"
  exec "$program" run "$task" --config "$root/configs/$task/pipeline.yaml" --distribution "$distribution" \
    --root-dir "$data" --test-ids-filename "$ids" --model-name-or-path "$model" --device "$device" --seed "$seed" \
    --log-root "${LOG_ROOT:-./logs}" --alternative-experiment-name "$list/{distribution}/{model_name_or_path}" \
    --accelerate --logging-level debug "${flags[@]}"
}
