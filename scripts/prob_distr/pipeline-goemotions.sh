#!/usr/bin/env bash
# The paper's distributions on GoEmotions: seven clusters of emotions, dev split.
# Usage: scripts/prob_distr/pipeline-goemotions.sh ARGUMENTS
set -euo pipefail
# shellcheck source=scripts/prob_distr/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
pipeline GoEmotions meta-llama/Llama-3.3-70B-Instruct "$@"
