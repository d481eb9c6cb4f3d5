#!/usr/bin/env bash
# Every shell script of the project passes shellcheck.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
if ! command -v shellcheck >/dev/null; then
  echo "SKIPPED: shellcheck is not installed"
  exit 0
fi
mapfile -t scripts < <(find scripts tests .ci -name '*.sh' -o -path .ci/run | sort)
[ ${#scripts[@]} -ge 15 ] || {
  echo "expected the project's scripts below $PWD, found ${#scripts[@]}"
  exit 1
}
shellcheck -x "${scripts[@]}"
