#!/usr/bin/env bash
# Proves the two commands of the README on a machine that has nothing but git: makes a Debian root with debootstrap, clones
# this checkout's last commit into it and runs scripts/quickstart.sh and scripts/test.sh there.
# Usage: scripts/check_fresh.sh FOLDER [SUITE]      SUITE: bookworm (the default), or another with the same packages
#
# FOLDER takes 5 GB and is made anew; what was said stands in FOLDER/quickstart.log and FOLDER/test.log. Needs root, debootstrap,
# a network and half an hour on two cores.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/fresh_root.sh
source "$root/scripts/fresh_root.sh"
help_if_asked "$@"

if [ $# -lt 1 ] || [ $# -gt 2 ]; then fail "expected a folder; see --help"; fi
folder=$(realpath -m "$1") suite="${2:-bookworm}"
make_fresh_root "$folder" "$suite" git
git clone -q "$root" "$fresh_root/work/labelprobe"
failed=0
for command in quickstart test; do
  say "running scripts/$command.sh in it"
  begin=$(date +%s)
  status=0
  in_fresh_root "cd /work/labelprobe && scripts/$command.sh" >"$folder/$command.log" 2>&1 || status=$?
  say "scripts/$command.sh ended with $status after $(($(date +%s) - begin)) s: $folder/$command.log"
  if [ "$status" -ne 0 ]; then failed=1; fi
done
exit "$failed"
