#!/usr/bin/env bash
# What a task of the array does; submit.sh puts `shards`, `restarts`, `folder`, `local_copy` and `command` before it. Never run alone.
# shellcheck disable=SC2154  # those
set -u
task=$SLURM_ARRAY_TASK_ID
say() { printf 'task %s on %s, %s: %s\n' "$task" "$(hostname)" "$(date '+%Y-%m-%d %H:%M:%S')" "$*" >&2; }

rm -f "$folder/task_$task.code"

# As many threads as Slurm gives cores.
if [ -n "${SLURM_CPUS_PER_TASK:-}" ] && [[ " ${command[*]} " != *" --threads"* ]]; then
  export LABELPROBE_THREADS="${LABELPROBE_THREADS:-$SLURM_CPUS_PER_TASK}"
fi

# The value of the option --model-name-or-path.
model_of() {
  local before=""
  for word in "${command[@]}"; do
    case "$before" in --model-name-or-path | --model | -m) printf '%s' "$word" && return ;; esac
    case "$word" in --model-name-or-path=* | --model=*) printf '%s' "${word#*=}" && return ;; esac
    before=$word
  done
  printf '%s' "${LABELPROBE_MODEL_NAME_OR_PATH:-}"
}

# Copies a file or folder below `local_copy`, once for all tasks of the node; prints where the copy is.
copy_of() {
  local from=$1 size to
  size=$(du -sLB1 --apparent-size "$from" | cut -f1)
  to="$local_copy/$(basename "$from").$(printf '%s %s %s' "$(realpath "$from")" "$size" "$(stat -Lc %Y "$from")" | sha256sum | cut -c1-16)"
  mkdir -p "$local_copy" || return
  (
    flock 9 || exit
    [ ! -e "$to" ] || exit 0
    rm -rf "$to.partial"
    cp -rL "$from" "$to.partial" && mv -T "$to.partial" "$to"
  ) 9>"$to.lock" || { rm -rf "$to.partial" && return 1; }
  printf '%s' "$to"
}

if [ -n "$local_copy" ]; then
  model=$(model_of)
  if [ ! -e "$model" ]; then
    say "the model '$model' is no file or folder, so that it is not copied"
  elif copy=$(copy_of "$model"); then
    command+=(--model-copy "$copy")
  else
    say "the model could not be copied to $local_copy; it is read from $model"
  fi
fi

# Slurm starts a task again only when its earlier process is dead, wherever that was.
[ "${SLURM_RESTART_COUNT:-0}" = 0 ] || command+=(--take-over)

child=""
trap 'say "asked to stop"; [ -z "$child" ] || kill -TERM "$child"' TERM
"${command[@]}" --shard "$task/$shards" &
child=$!
while true; do
  wait "$child"
  code=$?
  kill -0 "$child" 2>/dev/null || break  # else a signal has ended the wait
done
# What Slurm has in mind with this task: `running`, `queued` (it has put it back by itself) or `cancelled` (by a person).
state_of_task() {
  local job
  job=$(scontrol show job "${SLURM_ARRAY_JOB_ID}_$task" 2>/dev/null)
  case "$job" in
    *JobState=RUNNING*) echo running ;;
    *)
      if [[ $job =~ Restarts=([0-9]+) ]] && [ "${BASH_REMATCH[1]}" -gt "${SLURM_RESTART_COUNT:-0}" ]; then
        echo queued
      else
        echo cancelled
      fi
      ;;
  esac
}

case "$code" in
  # Out of time, asked to stop, killed, or another process is at it: the same command goes on.
  124 | 143 | 137 | 75)
    case "$(state_of_task)" in
      queued)
        say "ended with code $code; Slurm has queued the task again"
        exit 0
        ;;
      cancelled) code="$code cancelled" ;;
      running)
        if [ "${SLURM_RESTART_COUNT:-0}" -lt "$restarts" ]; then
          say "ended with code $code, and is queued again"
          scontrol requeue "${SLURM_ARRAY_JOB_ID}_$task" && exit 0
        fi
        ;;
    esac
    ;;
esac
say "ended with code $code"
echo "$code" >"$folder/task_$task.code.partial" && mv "$folder/task_$task.code.partial" "$folder/task_$task.code"
exit "${code%% *}"
