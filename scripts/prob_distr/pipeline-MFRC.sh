#!/usr/bin/env bash
# The paper's distributions on the Moral Foundations Reddit Corpus, dev and test splits.
# Usage: scripts/prob_distr/pipeline-MFRC.sh ARGUMENTS
set -euo pipefail
# shellcheck source=scripts/prob_distr/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
pipeline MFRC meta-llama/Llama-2-7b-chat-hf "$@"
