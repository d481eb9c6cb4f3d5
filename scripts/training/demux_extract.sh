#!/usr/bin/env bash
# Writes scores.yml beside the Demux logs that the paper takes: with the intra loss for SemEval and GoEmotions, without it
# for MFRC, the only one of Hatexplain and of MSPPodcast.
# Usage: scripts/training/demux_extract.sh [SET | SET=NAME]...      default: all five sets
#
#   SET   SemEval, GoEmotions, MFRC, Hatexplain or MSPPodcast
#   NAME  the log's folder, in place of aggregate,None,None,None_1 (SemEval, GoEmotions) or _0. The published script has
#         _1 for Hatexplain and _2 for MSPPodcast: its authors had trained them before.
#
# From the environment: LOG_ROOT (default: ./logs); LABELPROBE, the program (default: that of build/).
set -euo pipefail
# shellcheck source=scripts/training/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
help_if_asked "$@"

[ $# -gt 0 ] || eval "set -- $sets"
program=$(program_path)
n_failed=0
for word in "$@"; do
  set="${word%%=*}"
  check_set "$set"
  case "$word" in
    *=*) name="${word#*=}" ;;
    SemEval | GoEmotions) name=aggregate,None,None,None_1 ;;
    *) name=aggregate,None,None,None_0 ;;
  esac
  "$program" extract-scores "$set" --experiment-name "$name" --log-root "$log_root" || n_failed=$((n_failed + 1))
done
[ "$n_failed" = 0 ] || fail "$n_failed of $# sets failed"
