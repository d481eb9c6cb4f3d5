#!/usr/bin/env bash
# Measures labelprobe against transformers and llama.cpp in one run, in turn: same prompts, same weights, same machine.
# Usage: scripts/bench.sh [cpu|cuda] DATA_FOLDER ID_LIST [OPTIONS]      (scripts/bench.sh --options lists them)
#
# DATA_FOLDER holds GoEmotions' published files, ID_LIST one example id per line. Below 25 minutes on two idle cores; nothing
# else should run meanwhile. E.g. the whole table, all figures and the plots:
#   scripts/bench.sh cpu data/GoEmotions ids.txt --json bench.json --markdown bench.md --plots plots
#   scripts/bench.sh cuda data/GoEmotions ids.txt --shape llama-3.1-8b
#   scripts/bench.sh cpu data/GoEmotions ids.txt --items 10 --blocks 1 --queries none --shots none    (tries it out)
#   scripts/bench.sh cuda data/GoEmotions ids.txt --shape llama-3.1-8b --dry-run                      (shows what it would do)
#
# Builds the program, gets the small model and installs the peers into a private environment, build/reference-env (gigabytes to
# download; llama-cpp-python is compiled, 6 minutes). A peer that cannot be installed is left out, and its row says why.
# From the environment: LABELPROBE, the program in place of that of build/; LABELPROBE_REFERENCE_ENV, a Python environment
# that is there already and is left as it is.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
help_if_asked "$@"
if [ "${1:-}" = --options ]; then exec python3 "$root/scripts/bench.py" --help; fi
case "${1:-}" in
  cpu | cuda) ;;
  *) set -- cpu "$@" ;;
esac
dry=""
for argument in "$@"; do
  case "$argument" in
    --) break ;;
    --dry-run) dry=yes ;;
  esac
done

install_peers() {
  local python="$1/bin/python"
  if ! "$python" -c 'import gguf, matplotlib, tokenizers, torch, transformers, yaml' 2>/dev/null; then
    say "installing the reference software into $1 (gigabytes to download)"
    [ -x "$python" ] || python3 -m venv "$1"
    "$python" -m pip install --quiet --disable-pip-version-check "torch==$torch_version" transformers==5.23.0 \
      tokenizers==0.23.3 gguf==0.19.0 accelerate pyyaml matplotlib==3.11.2 ||
      say "not all could be installed: the rows of what is missing will say so"
  fi
  if ! "$python" -c 'import llama_cpp' 2>/dev/null; then
    say "compiling llama-cpp-python (about 6 minutes on two cores)"
    "$python" -m pip install --quiet --disable-pip-version-check --no-binary llama-cpp-python llama-cpp-python==0.3.36 ||
      say "llama-cpp-python could not be installed: its rows will say so"
  fi
}

reference="${LABELPROBE_REFERENCE_ENV:-$build/reference-env}"
if [ -z "$dry" ]; then
  # Arguments are checked first: they are quicker to put right than an installation.
  python3 "$root/scripts/bench.py" --dry-run "$@" >/dev/null
  if [ -z "${LABELPROBE:-}" ]; then "$root/scripts/build.sh" --program; fi
  case " $* " in
    *" --model "* | *" --tokenizer "*) ;;
    *) "$root/scripts/get_model.sh" ;;
  esac
  if [ -z "${LABELPROBE_REFERENCE_ENV:-}" ]; then install_peers "$reference"; fi
fi
python="$reference/bin/python"
[ -x "$python" ] || python=python3
exec "$python" "$root/scripts/bench.py" "$@"
