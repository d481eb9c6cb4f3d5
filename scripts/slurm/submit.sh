#!/usr/bin/env bash
# Runs a labelprobe run in shards as a job array of Slurm: writes the job script, submits it, follows it, merges, and prints what
# failed. The logs end in the bytes that one process would have written. What is stopped or killed goes on where it was.
# Usage: scripts/slurm/submit.sh --shards N [OPTIONS] -- labelprobe run|classify|assess ARGUMENTS
#   --shards N            tasks of the array, each one shard
#   --gpus-per-task G     of each task (default: none)
#   --cpus-per-task C     of each task (default: the cluster's)
#   --partition P, --time T, --mem M, --account A, --qos Q, --constraint C, --job-name J   as sbatch has them
#   --at-once K           at most so many tasks at a time
#   --signal-before S     seconds before a time limit or a preemption at which a task is told to stop (default: 60)
#   --local-copy DIR      copies the model to DIR of each node first (a disk of its own), once per node, and reads it from there
#   --sbatch ARGUMENT     a further argument of sbatch; may be given again
#   --folder DIR          for the job script and what the tasks say (default: slurm/DATE-TIME); must be seen by all nodes
#   --restarts R          how often a task that was stopped or killed is started again (default: 20)
#   --dry-run             write the job script, print the command of sbatch, submit nothing
#   --no-wait             submit and end; --follow goes on
# scripts/slurm/submit.sh --follow DIR: follows, merges and tells of an array that was submitted before.
# SLURM_POLL_SECONDS says how often the queue is asked (default: 10). Exit code: that of the first shard that failed, else of the
# merge.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
help_if_asked "$@"

shards=0 at_once=0 before=60 local_copy="" folder="" restarts=20 dry=0 wait=1 follow=""
sbatch_args=()
while [ $# -gt 0 ]; do
  case "$1" in
    --) shift && break ;;
    --dry-run) dry=1 && shift && continue ;;
    --no-wait) wait=0 && shift && continue ;;
  esac
  [ $# -ge 2 ] || fail "$1: expected a value behind it (--help tells more)"
  case "$1" in
    --shards) shards=$2 ;;
    --at-once) at_once=$2 ;;
    --signal-before) before=$2 ;;
    --local-copy) local_copy=$2 ;;
    --folder) folder=$2 ;;
    --restarts) restarts=$2 ;;
    --follow) follow=$2 ;;
    --sbatch) sbatch_args+=("$2") ;;
    --gpus-per-task) sbatch_args+=("--ntasks=1" "--gpus-per-task=$2") ;;
    --cpus-per-task | --partition | --time | --mem | --account | --qos | --constraint | --job-name) sbatch_args+=("$1=$2") ;;
    *) fail "unknown option '$1' (--help lists them; the command stands behind --)" ;;
  esac
  shift 2
done

is_number() { [[ $1 =~ ^[1-9][0-9]*$ ]]; }

# Tasks that have begun and ended without a word, one number a line.
unfinished() {
  local i
  for i in $(seq "$shards"); do
    [ -e "$folder/task_$i.code" ] || [ ! -e "$folder/task_$i.log" ] || echo "$i"
  done
}

# submit_array LIST: submits these tasks, notes the job.
submit_array() {
  local list=$1
  [ "$at_once" = 0 ] || list="$list%$at_once"
  local command=(sbatch --parsable "--array=$list" --requeue --open-mode=append "--signal=B:TERM@$before"
    "--output=$folder/task_%a.out" "--error=$folder/task_%a.log" "${sbatch_args[@]}" "$folder/job.sh")
  if [ "$dry" = 1 ]; then
    printf '%q ' "${command[@]}"
    printf '\n'
    return
  fi
  "${command[@]}" >"$folder/job.id" || fail "sbatch refused the array (what it says is above)"
  say "submitted job $(cut -d';' -f1 "$folder/job.id"), tasks $list; it goes on if this script is stopped: $0 --follow $folder"
}

write_job() {
  {
    printf '#!/usr/bin/env bash\n# One shard of a run; written by scripts/slurm/submit.sh.\n'
    printf 'shards=%q restarts=%q folder=%q local_copy=%q\n' "$shards" "$restarts" "$folder" "$local_copy"
    printf 'cd %q || exit 70\ncommand=(' "$PWD"
    printf ' %q' "$@"
    printf ' )\n'
    sed '1,/^set -/{/^set -/!d}' "$root/scripts/slurm/shard.sh"
  } >"$folder/job.sh"
  chmod +x "$folder/job.sh"
}

if [ -n "$follow" ]; then
  folder=$(cd "$follow" && pwd) || fail "$follow: no such folder"
  [ -e "$folder/settings" ] || fail "$folder: expected the folder of an array that was submitted before, found none"
  # shellcheck disable=SC1091  # written below
  source "$folder/settings"
else
  is_number "$shards" || fail "--shards: expected a number from 1 on, found '$shards'"
  is_number "$before" || fail "--signal-before: expected seconds, found '$before'"
  [[ $restarts =~ ^[0-9]+$ ]] || fail "--restarts: expected a number, found '$restarts'"
  [ $# -ge 2 ] || fail "expected a command behind --, such as: -- labelprobe run GoEmotions --config ..."
  case "$2" in run | classify | assess) ;; *) fail "expected labelprobe run, classify or assess behind --, found '$2'" ;; esac
  for argument in "$@"; do
    case "$argument" in --shard | --shard=* | --time-limit | --time-limit=*) fail "expected no ${argument%%=*} in the command: Slurm gives it" ;; esac
  done
  has "$1" || fail "$1: no such program; name build/labelprobe by its whole path, or put its folder into PATH"
  [ "$dry" = 1 ] || has sbatch || fail "sbatch is not here: expected a machine that submits to Slurm"
  folder=${folder:-slurm/$(date +%Y-%m-%d-%H%M%S)}
  mkdir -p "$folder"
  folder=$(cd "$folder" && pwd)
  [ ! -e "$folder/job.id" ] || fail "$folder: has an array already; give another --folder, or --follow $folder"
  program=$(command -v "$1")
  case "$program" in /*) ;; *) program=$PWD/$program ;; esac
  write_job "$program" "${@:2}"
  printf '%s=%q\n' shards "$shards" restarts "$restarts" before "$before" at_once "$at_once" program "$program" >"$folder/settings"
  declare -p sbatch_args >>"$folder/settings"
  submit_array "1-$shards"
  if [ "$dry" = 1 ]; then
    say "the job script is $folder/job.sh; nothing was submitted"
    exit 0
  fi
  [ "$wait" = 1 ] || exit 0
fi

# Returns when no task of the array is left in the queue. A queue that does not answer is asked again.
follow_array() {
  local job states line before_line=""
  job=$(cut -d';' -f1 "$folder/job.id")
  while true; do
    if states=$(squeue --noheader --array --jobs "$job" --format '%T %r' 2>&1); then
      [ -n "$states" ] || break
      line=$(sort <<<"$states" | uniq -c | awk '{n = $1; s = tolower($2); r = $3; out = out (out == "" ? "" : ", ") n " " s (r == "None" ? "" : " (" r ")")} END {print out}')
    elif [[ $states == *"Invalid job id"* ]]; then
      break  # forgotten, as jobs are some minutes after their end
    else
      line="the queue does not answer: $states"
    fi
    [ "$line" = "$before_line" ] || say "$line; $(find "$folder" -name 'task_*.code' | wc -l) of $shards shards are over"
    before_line=$line
    sleep "${SLURM_POLL_SECONDS:-10}"
  done
}

# What was killed as a whole, the script of the task with it, could not ask to be started again. What a person has cancelled stays
# so, and so does what was cancelled before it began.
for round in 1 2 3; do
  follow_array
  mapfile -t left < <(unfinished)
  if [ ${#left[@]} = 0 ] || [ "$round" = 3 ] || grep -qs cancelled "$folder"/task_*.code; then break; fi
  say "tasks ${left[*]} ended without a word and are submitted again"
  submit_array "$(IFS=, && echo "${left[*]}")"
done

code=0
# The last shard merges by itself, unless it did not live to.
mapfile -t open < <(cat "$folder"/task_*.out 2>/dev/null | grep -E '\.shards-[0-9a-f]+$' | sort -u | while read -r line; do
  [ ! -e "$line/shards.json" ] || echo "$line"
done)
failed=()
for i in $(seq "$shards"); do
  if [ -e "$folder/task_$i.code" ]; then
    read -r of_task how <"$folder/task_$i.code" || true
  else
    of_task=137 how=killed
  fi
  [ "$of_task" != 0 ] || continue
  failed+=("$i")
  if [ -e "$folder/task_$i.log" ]; then
    say "shard $i of $shards: exit code $of_task${how:+ ($how)}; its log, $folder/task_$i.log, ends so:"
    tail -n 20 "$folder/task_$i.log" >&2
  else
    say "shard $i of $shards: was never begun"
  fi
  [ "$code" != 0 ] || code=$of_task
done
# Slurm says that all tasks are over, so that no other machine can be merging.
for line in "${open[@]}"; do
  "$program" merge --take-over "$line" || { of_merge=$? && [ "$code" != 0 ] || code=$of_merge; }
done
[ ${#failed[@]} -gt 0 ] || say "all $shards shards are over"
cat "$folder"/task_*.out 2>/dev/null | grep -vE '\.shards-[0-9a-f]+$' | sort -u || true
exit "$code"
