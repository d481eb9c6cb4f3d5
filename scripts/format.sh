#!/usr/bin/env bash
# Checks the format of every C++ and JavaScript file against .clang-format, and the scripts with shellcheck where it is installed.
# Usage: scripts/format.sh [--fix]     --fix formats the files instead
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
help_if_asked "$@"

has clang-format || fail "clang-format is missing: apt-get install clang-format"
cd "$root"
mapfile -t files < <(git ls-files '*.h' '*.cpp' '*.js')
if [ "${1:-}" = --fix ]; then
  clang-format -i "${files[@]}"
else
  clang-format --dry-run -Werror "${files[@]}" || fail "some files are not formatted: scripts/format.sh --fix"
fi
tests/scripts/shellcheck.sh
