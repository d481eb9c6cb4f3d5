#!/usr/bin/env bash
# Builds labelprobe and runs every test that needs no GPU; ends with a list of the tests that were skipped, and why.
# Usage: scripts/test.sh [OPTIONS FOR CTEST, e.g. -R prompt, or -L unit, golden or e2e for one tier]
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
help_if_asked "$@"

"$root/scripts/setup.sh"
"$root/scripts/get_model.sh" >/dev/null ||
  say "going on without the small model: the tests that need it say so and are skipped"
"$root/scripts/build.sh"

failed=0
ctest --test-dir "$build" --output-on-failure --label-exclude gpu --parallel "$(n_jobs)" "$@" || failed=$?

list_skipped "$build"
if [ "$failed" -ne 0 ]; then fail "some tests FAILED; the whole output is in build/Testing/Temporary/LastTest.log"; fi
say "all tests that ran passed"
