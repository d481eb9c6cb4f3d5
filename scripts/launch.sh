#!/usr/bin/env bash
# Starts one command as several processes of this machine, which compute a model together, each a part of every layer.
# Usage: scripts/launch.sh N -- COMMAND..., such as scripts/launch.sh 2 -- build/labelprobe run ...
#
# The first process has the terminal and writes all files. Where one ends with a failure the others end too; the exit code
# is that of the first process, or of the one that failed. Over several machines: torchrun, or srun with MASTER_ADDR and
# MASTER_PORT set (src/model/README.md).
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
help_if_asked "$@"

[[ "${1:-}" =~ ^[1-9][0-9]*$ && "${2:-}" == "--" && $# -ge 3 ]] || fail "expected N -- COMMAND..., found: $* (--help says more)"
n=$1
shift 2

# A port that nothing listens to; the first process takes it at once.
free_port() {
  local port used
  used=$(awk 'NR > 1 {split($2, place, ":"); print place[2]}' /proc/net/tcp /proc/net/tcp6 2>/dev/null || true)
  while :; do
    port=$((20000 + RANDOM % 12000))
    grep -qi "^$(printf '%04X' "$port")\$" <<<"$used" || break
  done
  echo "$port"
}

MASTER_ADDR=127.0.0.1 MASTER_PORT=$(free_port) WORLD_SIZE=$n
export MASTER_ADDR MASTER_PORT WORLD_SIZE
pids=()
for rank in $(seq 1 $((n - 1))); do
  RANK=$rank LOCAL_RANK=$rank "$@" </dev/null >/dev/null &
  pids+=($!)
done
code=0
RANK=0 LOCAL_RANK=0 "$@" || code=$?
for pid in "${pids[@]}"; do
  other=0
  wait "$pid" || other=$?
  [ "$code" -ne 0 ] || code=$other
done
exit "$code"
