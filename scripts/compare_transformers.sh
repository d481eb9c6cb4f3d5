#!/usr/bin/env bash
# Runs the same prompts through labelprobe and through Hugging Face transformers at batch size 1, in turn; compares time,
# greedy token ids and label probabilities. Takes minutes: one prompt at a time is what is compared with.
# Usage: scripts/compare_transformers.sh goemotions|hatexplain DATA_FOLDER ID_LIST [OPTIONS, e.g. --blocks 1 --json F]
#
# DATA_FOLDER holds the data set's published files, ID_LIST one example id per line. The reference software goes into a
# private environment, build/reference-env (gigabytes to download).
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
help_if_asked "$@"
[ $# -ge 3 ] || fail "expected a data set, its folder and an id list; see --help"

data=$(realpath "$2")
ids=$(realpath "$3")
case "$1" in
  goemotions)
    task=GoEmotions config=configs/GoEmotions/pipeline.yaml format=json
    incontext=$'Input: {text}\n{label}\n'
    labels=joy,optimism,admiration,surprise,fear,sadness,anger,none
    flags=(--emotion-clustering-json "$data/emotion_clustering.json")
    ;;
  hatexplain)
    task=Hatexplain config=configs/Hatexplain/pipeline.yaml format=default
    incontext=$'Question: {text}\nAnswer: {label}\n\n'
    labels=hate,normal,offensive
    flags=()
    ;;
  *) fail "unknown data set '$1' (known: goemotions, hatexplain)" ;;
esac
shift 3

"$root/scripts/build.sh"
"$root/scripts/get_model.sh"
reference="${LABELPROBE_REFERENCE_ENV:-$build/reference-env}"
if ! "$reference/bin/python" -c 'import gguf, tokenizers, torch, transformers, yaml' 2>/dev/null; then
  say "installing the reference software into $reference (gigabytes to download)"
  python3 -m venv "$reference"
  "$reference/bin/python" -m pip install --quiet --disable-pip-version-check \
    "torch==$torch_version" transformers==5.23.0 tokenizers==0.23.3 gguf==0.19.0 accelerate pyyaml
fi
cd "$root" # the configurations name their files from here
exec "$reference/bin/python" scripts/compare_transformers.py --gguf build/models/SmolLM2-135M-Instruct.Q4_1.gguf \
  --task "$task" --max-new-tokens 18 --incontext "$incontext" --label-format "$format" --labels "$labels" "$@" -- \
  --config "$config" --root-dir "$data" --test-ids-filename "$ids" "${flags[@]}"
