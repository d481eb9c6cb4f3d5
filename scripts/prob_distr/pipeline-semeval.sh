#!/usr/bin/env bash
# The paper's distributions on SemEval-2018 task 1 E-c, English, dev split.
# Usage: scripts/prob_distr/pipeline-semeval.sh ARGUMENTS
set -euo pipefail
# shellcheck disable=SC2034  # read by lib.sh
{
  task=SemEval
  default_model=meta-llama/Llama-2-7b-chat-hf
  data_folders=(semeval2018task1 SemEval semeval)
  data_mark=English/E-c
}
# shellcheck source=scripts/prob_distr/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
explain_if_asked "$@"
run_pipeline "$@"
