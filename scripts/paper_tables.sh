#!/usr/bin/env bash
# Runs the cells of the paper's Tables 1 and 5 for models of your choice and prints the tables, in Markdown.
# Usage: scripts/paper_tables.sh [OPTIONS] MODEL... [-- FLAGS OF labelprobe run]
#
#   MODEL           folder, .gguf file or name in the Hugging Face cache
#   --items N       only the first N examples of the list, to try things out
#   --cells LIST    some cells only, separated by commas: a set (GoEmotions), a distribution (unary) or both (MFRC/unary)
#   --id-list NAME  list in prob_distr_ids/<set>/ (default: main_test_set)
#   --gpu GPU       number of the GPU, or cpu (default: what the program finds)
#   --seed S        seed of the demonstrations (default: 0)
#   --paper TABLE   table1, table5 or none: whose published numbers stand beside (default: by the model's name, 70B or 8B)
#   --scores SET/NAME=FILE
#                   scores of another method in the table of a set, e.g. GoEmotions/BERT=scores.yml; may be repeated
#   --answer LIST   where unary and binary answers are read, separated by commas: greedy (the paper's, default), first, healed
#   --bootstrap N   intervals of the differences between methods, from N resamples
#
# Cells: baseline, unary and binary of GoEmotions, MFRC, Hatexplain and MSPPodcast, through the scripts of prob_distr/,
# whose variables hold here too (DATA_ROOT, LOG_ROOT, ID_ROOT, LABELPROBE). A cell whose run is finished is not run again;
# one that was interrupted goes on. A finished run is known by its settings: whether files behind the same names have
# changed since is not looked at (remove its log folder to run it again). Cells that cannot be run are listed with the
# reason. The tables are also written below LOG_ROOT/tables/, with what each run and alignment said.
# Exit code: 0 all cells, 1 some are missing or have failed items.
set -euo pipefail
# shellcheck source=scripts/prob_distr/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/prob_distr/lib.sh"
help_if_asked "$@"

items="" cells="" id_list=main_test_set gpu=auto seed=0 paper="" bootstrap="" answer=""
models=() extra=() scores=()
while [ $# -gt 0 ]; do
  case "$1" in
    --)
      shift
      extra=("$@")
      break
      ;;
    --items | --cells | --id-list | --gpu | --seed | --paper | --scores | --bootstrap | --answer)
      [ $# -ge 2 ] || fail "$1: expected a value; see --help"
      case "$1" in
        --items) items="$2" ;;
        --cells) cells="$2" ;;
        --id-list) id_list="$2" ;;
        --gpu) gpu="$2" ;;
        --seed) seed="$2" ;;
        --paper) paper="$2" ;;
        --scores) scores+=("$2") ;;
        --bootstrap) bootstrap="$2" ;;
        --answer) answer="$2" ;;
      esac
      shift 2
      ;;
    -*) fail "unknown flag '$1'; see --help" ;;
    *)
      models+=("$1")
      shift
      ;;
  esac
done
[ ${#models[@]} -gt 0 ] || fail "expected at least one model; see --help"
[[ -z "$items" || "$items" =~ ^[1-9][0-9]*$ ]] || fail "--items: expected a number of examples, found '$items'"
[[ "$seed" =~ ^[0-9]+$ ]] || fail "--seed: expected one seed, 0 or more, found '$seed'"
case "$paper" in
  '' | table1 | table5 | none) ;;
  *) fail "--paper: expected table1, table5 or none, found '$paper'" ;;
esac

sets=(GoEmotions MFRC Hatexplain MSPPodcast)
distributions=(baseline unary binary)
declare -A pipeline_of=([GoEmotions]=goemotions [MFRC]=MFRC [Hatexplain]=hate [MSPPodcast]=MSP)

IFS=, read -ra asked <<<"$cells"
for cell in "${asked[@]}"; do
  known=" ${sets[*]} ${distributions[*]} "
  for part in "${cell%%/*}" "${cell##*/}"; do
    [[ "$known" = *" $part "* ]] || fail "--cells: unknown '$part' (known: ${sets[*]} ${distributions[*]})"
  done
done
for given in "${scores[@]}"; do
  [[ "$given" =~ ^[^/=]+/[^=]+=.+$ && " ${sets[*]} " = *" ${given%%/*} "* ]] ||
    fail "--scores: expected SET/NAME=FILE with a set out of ${sets[*]}, found '$given'"
done

is_asked() {
  [ ${#asked[@]} -eq 0 ] && return
  local cell
  for cell in "${asked[@]}"; do
    case "$cell" in "$1" | "$2" | "$1/$2") return ;; esac
  done
  return 1
}

program=$(program_path)
log_root="${LOG_ROOT:-./logs}"
list_name=$(basename "$id_list" .txt)
title="$list_name${items:+, first $items examples}"
tables="$log_root/tables"
# The cells are in the name, so that some of them do not overwrite the whole table.
report="$tables/$list_name${items:+-$items}${cells:+-${cells//[,\/]/-}}.md"
notes="$tables/messages"
mkdir -p "$notes"
missing=0

# The parameters by which a finished run of these settings is known: names and values as labelprobe logs them.
run_params() {
  local model="$1" distribution="$2" flag name
  printf '%s\0' "distribution=$distribution" "model_name_or_path=$model" "seed=$seed" "limit=$items"
  if ! say_how_weights_are_kept "${extra[@]}"; then printf '%s\0' load_in_4bit=true; fi
  # Flags after --: a value belongs to the flag before it, a flag without one is on.
  set -- "${extra[@]}"
  while [ $# -gt 0 ]; do
    flag="${1#--}"
    name="${flag//-/_}"
    if [ $# -gt 1 ] && [[ "$2" != --* ]]; then
      # A run with weights as they are logs no mode.
      if [ "$name=$2" = quant=none ]; then set -- "$1" "" "${@:3}"; fi
      printf '%s\0' "$name=$2"
      shift 2
    else
      printf '%s\0' "$name=true"
      shift
    fi
  done
}

# run_cell MODEL SET DISTRIBUTION: sets run_folder and run_index, or `reason` why there is no run.
run_cell() {
  local model="$1" set="$2" distribution="$3" params found flags=() code=0
  local log="$notes/${model//\//--}-$set-$distribution.log" below="$log_root/$set/$list_name/$distribution"
  run_folder="" run_index="" reason=""
  mapfile -d '' params < <(run_params "$model" "$distribution")
  params+=("root_dir=$data" "test_ids_filename=$ids")
  finished() { [ -d "$below" ] && python3 "$root/scripts/prob_distr/finished_run.py" "$below" "${params[@]}"; }
  if found=$(finished); then
    say "$set/$distribution: finished before"
  else
    say "$set/$distribution: running (messages: $log)"
    if [ -n "$items" ]; then flags=(--limit "$items"); fi
    "$root/scripts/prob_distr/pipeline-${pipeline_of[$set]}.sh" "$distribution" "$id_list" "$gpu" "$model" "$seed" \
      -- --disable-tqdm "${flags[@]}" "${extra[@]}" >"$log" 2>&1 || code=$?
    # Code 1 may mean that the run is over and some of its items failed: its log folder tells.
    if ! found=$(finished); then
      reason=$(grep -v '^debug:' "$log" | tail -n 1)
      reason="${reason:-no message} (exit code $code)"
      return
    fi
    if [ "$code" -ne 0 ]; then
      cell_notes+=("$set/$distribution: the run ended with exit code $code, so some of its items may have failed: $log")
    fi
  fi
  run_index="${found%% *}"
  run_folder="${found#* }"
}

# align_set MODEL SET FOLDERS...: the table of one set, in Markdown.
align_set() {
  local model="$1" set="$2" beside="$paper" given answers flags=()
  shift 2
  if [ -z "$beside" ]; then
    case "${model,,}" in
      *70b*) beside=table1 ;;
      *8b*) beside=table5 ;;
    esac
  fi
  if [ -n "$beside" ] && [ "$beside" != none ]; then flags+=(--paper "$beside"); fi
  if [ -n "$bootstrap" ]; then flags+=(--bootstrap "$bootstrap"); fi
  if [ -n "$answer" ]; then
    IFS=, read -ra answers <<<"$answer"
    flags+=(--answer "${answers[@]}")
  fi
  for given in "${scores[@]}"; do
    if [ "${given%%/*}" = "$set" ]; then flags+=(--scores "${given#*/}"); fi
  done
  "$program" align "$set" "$@" "${flags_of_data[@]}" --experiment "$run_index" "${flags[@]}" --format markdown
}

# table_of MODEL SET: runs the set's cells and prints its table; what is missing goes to cell_notes.
table_of() {
  local model="$1" set="$2" distribution folders=() indices=() log
  choose_set "${pipeline_of[$set]}"
  local has_data=yes
  if ! data=$(data_folder 2>/dev/null); then has_data="no data of $set below ${DATA_ROOT:-./data}"; fi
  if ! ids=$(id_list_file "$id_list" 2>/dev/null); then has_data="no id list $id_list for $set"; fi
  for distribution in "${distributions[@]}"; do
    is_asked "$set" "$distribution" || continue
    if [ "$has_data" != yes ]; then
      reason="$has_data" run_folder=""
    else
      run_cell "$model" "$set" "$distribution"
    fi
    if [ -n "$run_folder" ]; then
      folders+=("$run_folder")
      indices+=("$run_index")
    else
      say "$set/$distribution: not run: $reason"
      cell_notes+=("$set/$distribution: $reason")
    fi
  done
  [ ${#folders[@]} -gt 0 ] || return 0
  printf '\n### %s\n\n' "$set" >>"$report"
  if [ "$(printf '%s\n' "${indices[@]}" | sort -u | wc -l)" -ne 1 ]; then
    cell_notes+=("$set: no table, for its runs have different places in their folders: ${folders[*]}")
    printf 'No table; see below.\n' >>"$report"
    return 0
  fi
  data_flags "$data" "$ids"
  log="$notes/${model//\//--}-$set-align.log"
  if ! align_set "$model" "$set" "${folders[@]}" >>"$report" 2>"$log"; then
    say "$set: no table: $(tail -n 1 "$log")"
    cell_notes+=("$set: no table: $(tail -n 1 "$log")")
    printf 'No table; see below.\n' >>"$report"
  fi
}

printf '# Distribution alignment: %s\n' "$title" >"$report"
for model in "${models[@]}"; do
  say "$model"
  printf '\n## %s\n' "$model" >>"$report"
  cell_notes=()
  for set in "${sets[@]}"; do table_of "$model" "$set"; done
  if [ ${#cell_notes[@]} -gt 0 ]; then
    missing=1
    printf '\n### Missing\n\n' >>"$report"
    printf -- '- %s\n' "${cell_notes[@]}" >>"$report"
  fi
done
cat "$report"
say "written to $report"
exit "$missing"
