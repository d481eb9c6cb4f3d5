#!/usr/bin/env bash
# The paper's distributions on HateXplain, test split.
# Usage: scripts/prob_distr/pipeline-hate.sh ARGUMENTS
set -euo pipefail
# shellcheck disable=SC2034  # read by lib.sh
{
  task=Hatexplain
  default_model=meta-llama/Llama-2-7b-chat-hf
  data_folders=(HateXplain Hatexplain hatexplain)
  data_mark=post_id_divisions.json
}
# shellcheck source=scripts/prob_distr/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
explain_if_asked "$@"
run_pipeline "$@"
