#!/usr/bin/env bash
# The paper's distributions on HateXplain, test split.
# Usage: scripts/prob_distr/pipeline-hate.sh ARGUMENTS
set -euo pipefail
# shellcheck source=scripts/prob_distr/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
pipeline Hatexplain meta-llama/Llama-2-7b-chat-hf "$@"
