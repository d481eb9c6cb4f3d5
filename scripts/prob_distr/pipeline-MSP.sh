#!/usr/bin/env bash
# The paper's distributions on MSP-Podcast 1.11, one label per clip, test split.
# Usage: scripts/prob_distr/pipeline-MSP.sh ARGUMENTS
set -euo pipefail
# shellcheck disable=SC2034  # read by lib.sh
{
  task=MSPPodcast
  default_model=meta-llama/Llama-2-7b-chat-hf
  data_folders=(MSP-Podcast-1.11 MSP-Podcast MSPPodcast)
  data_mark=transcripts.csv
}
# shellcheck source=scripts/prob_distr/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
explain_if_asked "$@"
run_pipeline "$@"
