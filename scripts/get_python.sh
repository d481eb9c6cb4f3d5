#!/usr/bin/env bash
# Installs pandas, pyarrow and matplotlib into build/python-env (about 100 MB to download): for notebooks, and for the two
# commands that need a Python: labelprobe export --format parquet and labelprobe figure, with --python build/python-env/bin/python3.
# Usage: scripts/get_python.sh     PYTHON names the Python to begin with
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
help_if_asked "$@"

python="$build/python-env/bin/python3"
if ! "$python" -c 'import matplotlib, pandas, pyarrow' 2>/dev/null; then
  say "installing pandas, pyarrow and matplotlib into build/python-env"
  "${PYTHON:-python3}" -m venv "$build/python-env" || fail "no environment could be made (on Debian: apt-get install python3-venv)"
  "$python" -m pip install --quiet --disable-pip-version-check pandas pyarrow matplotlib ||
    fail "pip could not install them (its message is above)"
fi
echo "$python"
