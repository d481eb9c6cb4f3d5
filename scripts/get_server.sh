#!/usr/bin/env bash
# Installs the OpenAI-compatible server of llama-cpp-python into build/server-env, for scripts/check_server.sh. pip compiles
# llama.cpp for it: 10 minutes or more on two cores. Prints the environment's Python.
# Usage: scripts/get_server.sh     PYTHON names the Python to begin with
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
help_if_asked "$@"

python="$build/server-env/bin/python3"
if ! "$python" -c 'import llama_cpp.server.app' 2>/dev/null; then
  say "installing llama-cpp-python into build/server-env"
  "${PYTHON:-python3}" -m venv "$build/server-env" || fail "no environment could be made (on Debian: apt-get install python3-venv)"
  # Pictures are of no use here, and the server is to be exact, not fast.
  CMAKE_ARGS="-DLLAVA_BUILD=OFF -DCMAKE_CXX_FLAGS_RELEASE=-O1 ${CMAKE_ARGS:-}" \
    "$python" -m pip install --quiet --disable-pip-version-check 'llama-cpp-python[server]' ||
    fail "pip could not install it (its message is above)"
fi
echo "$python"
