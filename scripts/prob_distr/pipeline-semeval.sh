#!/usr/bin/env bash
# The paper's distributions on SemEval-2018 task 1 E-c, English, dev split.
# Usage: scripts/prob_distr/pipeline-semeval.sh ARGUMENTS
set -euo pipefail
# shellcheck source=scripts/prob_distr/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
pipeline SemEval meta-llama/Llama-2-7b-chat-hf "$@"
