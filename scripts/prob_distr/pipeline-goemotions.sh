#!/usr/bin/env bash
# The paper's distributions on GoEmotions: seven clusters of emotions, dev split.
# Usage: scripts/prob_distr/pipeline-goemotions.sh ARGUMENTS
set -euo pipefail
# shellcheck disable=SC2034  # read by lib.sh
{
  task=GoEmotions
  default_model=meta-llama/Llama-3.3-70B-Instruct
  data_folders=(goemotions GoEmotions)
  data_mark=emotions.txt
}
# shellcheck source=scripts/prob_distr/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
explain_if_asked "$@"
run_pipeline "$@"
