#!/usr/bin/env bash
# The paper's distributions on MSP-Podcast 1.11, one label per clip, test split.
# Usage: scripts/prob_distr/pipeline-MSP.sh ARGUMENTS
set -euo pipefail
# shellcheck source=scripts/prob_distr/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
pipeline MSPPodcast meta-llama/Llama-2-7b-chat-hf "$@"
