#!/usr/bin/env bash
# The paper's distributions on the Moral Foundations Reddit Corpus, dev and test splits.
# Usage: scripts/prob_distr/pipeline-MFRC.sh ARGUMENTS
set -euo pipefail
# shellcheck disable=SC2034  # read by lib.sh
{
  task=MFRC
  default_model=meta-llama/Llama-2-7b-chat-hf
  data_folders=(mfrc MFRC)
  data_mark=splits.yaml
}
# shellcheck source=scripts/prob_distr/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
explain_if_asked "$@"
run_pipeline "$@"
