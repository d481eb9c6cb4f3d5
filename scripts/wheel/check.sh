#!/usr/bin/env bash
# Tries the wheel, and the tarball if there is one, on a machine with nothing but Python: a fresh Debian root. Installs, runs the
# bundled example with a small real model, and reads the run with pandas. Called by scripts/wheel.sh --check.
# Usage: scripts/wheel/check.sh FOLDER [SUITE]     FOLDER has the wheel; SUITE: bookworm (the default) or another
#
# Needs root, debootstrap, a network, and 9 GB for build/wheel/check: torch from PyPI brings the libraries of CUDA along.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=scripts/fresh_root.sh
source "$root/scripts/fresh_root.sh"
help_if_asked "$@"

if [ $# -lt 1 ] || [ $# -gt 2 ]; then fail "expected the folder of the wheel; see --help"; fi
dist=$(realpath "$1") suite="${2:-bookworm}"
model=SmolLM2-135M-Instruct.Q4_1.gguf
"$root/scripts/get_model.sh"
folder="$build/wheel/check"
mkdir -p "$folder"
make_fresh_root "$folder" "$suite" python3-venv
mkdir "$fresh_root/given"
cp "$dist"/* "$build/models/$model" "$fresh_root/given"

# timed WHAT WORDS..: runs them in the root and says how long they took; what they print goes on.
timed() {
  local what="$1" begin
  shift
  begin=$(date +%s)
  in_fresh_root "$@" || fail "$what failed"
  say "$what: $(($(date +%s) - begin)) s"
}

run_example="run GoEmotions --config configs/example/quickstart.yaml --alternative example --model-name-or-path /given/$model"
timed "making an environment and installing the wheel" \
  "python3 -m venv /venv && /venv/bin/pip install --quiet --disable-pip-version-check /given/*.whl"
timed "running the example" "mkdir /task && cd /task &&
  /venv/bin/labelprobe --version && /venv/bin/labelprobe $run_example --disable-tqdm"
timed "reading it with pandas" "cd /task && /venv/bin/python -c '
import labelprobe
run = labelprobe.read(\"logs/GoEmotions/example_0\")
print(run.items[[\"item\", \"gold\", \"predictions\"]].head())
print(run.steps.groupby([\"step\", \"label\"]).prob.mean().unstack().round(3))
assert len(run.items) == 40 and run.items.failure.isna().all()
'"
for tarball in "$dist"/*.tar.gz; do
  [ -e "$tarball" ] || continue
  timed "unpacking the tarball" "mkdir /carried && tar xzf /given/$(basename "$tarball") -C /carried"
  timed "running the example from it" "rm -rf /venv && cd /carried/* && ./labelprobe $run_example --disable-tqdm &&
    cmp {/task/,}logs/GoEmotions/example_0/indexed_metrics.yml && echo 'the same log'"
done
