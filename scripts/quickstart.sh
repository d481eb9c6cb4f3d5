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
run=(build/labelprobe run GoEmotions --config configs/example/config.yaml
  --model-name-or-path build/models/SmolLM2-135M-Instruct.Q4_1.gguf)
# What stands in braces counts more than what stands outside of them.
if [ $# -gt 0 ]; then run+=('{' "$@" '}'); fi
say "running ${run[*]}"
log=$("${run[@]}")
log="${log#./}"
build/labelprobe show "$log" --items 4
say "the log is $root/$log; see all of it with: build/labelprobe show '$log' --items 0"
