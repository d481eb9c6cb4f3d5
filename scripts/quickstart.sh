#!/usr/bin/env bash
# From nothing to a first result: builds labelprobe, gets a small real model, asks it for the emotions of 40 invented
# comments, and shows for a few of them the probability of every label at each step of the answer.
# Usage: scripts/quickstart.sh [OPTIONS FOR labelprobe run, e.g. --seed 1]
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
help_if_asked "$@"

"$root/scripts/build.sh" --program
"$root/scripts/get_model.sh"

cd "$root" # the configuration names its data from here
run=(build/labelprobe run GoEmotions --config configs/example/quickstart.yaml
  --alternative quickstart --model-name-or-path build/models/SmolLM2-135M-Instruct.Q4_1.gguf)
# What stands in braces counts more than what stands outside of them.
if [ $# -gt 0 ]; then run+=('{' "$@" '}'); fi
say "running ${run[*]}"
log=$("${run[@]}")
log="${log#./}"
build/labelprobe show "$log" --bars --items 0 --id x1r6wem x659nf9 xo3v2qm xsrbp6b xe45mhi x5neivw
cat >&2 <<TEXT

The log is $root/$log.
Next, see all 40 answers, or hold them against the (invented) votes of annotators:
  build/labelprobe show '$log' --bars --items 0
  build/labelprobe align GoEmotions '$log' --config configs/example/quickstart.yaml
A table of your own needs a task file (src/data/README.md), as this one of messages to a town hall has:
  build/labelprobe data configs/example/own/messages.yaml
  build/labelprobe run configs/example/own/messages.yaml --alternative own -m build/models/SmolLM2-135M-Instruct.Q4_1.gguf
  build/labelprobe align configs/example/own/messages.yaml logs/messages/own_0
  build/labelprobe report logs/messages/own_0 --out messages.html
TEXT
