#!/usr/bin/env bash
# Trains Demux as published: multi-label sets with the intra loss and without it, single-label sets once.
# Usage: scripts/training/demux_ds.sh [SET...] [-- FLAGS OF labelprobe demux]      default: all five sets
#
#   SET    SemEval, GoEmotions, MFRC, Hatexplain or MSPPodcast
#   FLAGS  e.g. --dry-run, --device cpu, --max-steps 20
#
# From the environment: MODEL, folder or name of the encoder (default: bert-base-uncased); DATA_ROOT, which holds the data
# sets' folders (default: ./data); LOG_ROOT (default: ./logs); LABELPROBE, the program (default: that of build/). The logs
# are LOG_ROOT/DEMUX/<SET>/aggregate,None,None,None_<k>. What is finished is not done again.
set -euo pipefail
# shellcheck source=scripts/training/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
help_if_asked "$@"

chosen=() flags=()
while [ $# -gt 0 ]; do
  if [ "$1" = -- ]; then
    shift
    flags=("$@")
    break
  fi
  check_set "$1"
  chosen+=("$1")
  shift
done
if [ "${#chosen[@]}" = 0 ]; then read -ra chosen <<<"$sets"; fi
program=$(program_path)
data="${DATA_ROOT:-./data}"

# arguments_of SET: the published ones, one a line.
arguments_of() {
  local common=(--train-splits train --dev-splits dev --test-splits dev test --annotation-mode aggregate --text-preprocessor
    true --lr 2e-5 --train-batch-size 128 --eval-batch-size 256 --warmup-ratio 0.1 --early-stopping-patience 3)
  local coefficients=(--intra-loss-coef 0 0.2)
  case "$1" in
    SemEval) printf '%s\n' --root-dir "$data/semeval2018task1" --num-train-epochs 30 --max-length 64 "${coefficients[@]}" ;;
    GoEmotions)
      printf '%s\n' --root-dir "$data/goemotions" --emotion-clustering-json "$data/goemotions/emotion_clustering.json" \
        --num-train-epochs 20 --max-length 128 "${coefficients[@]}"
      ;;
    MFRC) printf '%s\n' --root-dir "$data/mfrc" --num-train-epochs 20 --max-length 128 "${coefficients[@]}" ;;
    Hatexplain) printf '%s\n' --root-dir "$data/HateXplain" --num-train-epochs 30 --max-length 64 --early-stopping-metric f1 ;;
    MSPPodcast)
      printf '%s\n' --root-dir "$data/MSP-Podcast-1.11" --annotator-labels --num-train-epochs 30 --max-length 64 \
        --early-stopping-metric f1
      ;;
  esac
  printf '%s\n' "${common[@]}"
}

n_failed=0
for set in "${chosen[@]}"; do
  mapfile -t arguments < <(arguments_of "$set")
  "$program" demux "$set" --model-name-or-path "${MODEL:-bert-base-uncased}" "${arguments[@]}" --log-root "$log_root" \
    "${flags[@]}" || n_failed=$((n_failed + 1))
done
[ "$n_failed" = 0 ] || fail "$n_failed of ${#chosen[@]} sets failed"
