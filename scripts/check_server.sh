#!/usr/bin/env bash
# Holds a model behind a server against the same model in a file: starts the server of llama-cpp-python on the loopback address,
# asks the same prompts of both, compares every number of the logs, and stops the server.
# Usage: scripts/check_server.sh [OPTIONS of check_server.py]
#   --address URL   a server that runs already, of the same model; then none is started
# MODEL (a .gguf file, by default that of scripts/get_model.sh) and LABELPROBE name others.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
help_if_asked "$@"

model="${MODEL:-$build/models/SmolLM2-135M-Instruct.Q4_1.gguf}"
[ -e "$model" ] || fail "$model: expected a model, found none; run scripts/get_model.sh"
for argument in "$@"; do
  case "$argument" in --address | --address=*) exec python3 "$root/scripts/check_server.py" --model "$model" "$@" ;; esac
done

python=$("$root/scripts/get_server.sh")
log=$(mktemp)
port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$python" -m llama_cpp.server --model "$model" --model_alias local --host 127.0.0.1 --port "$port" --n_ctx 4096 --logits_all true \
  --verbose false >"$log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; rm -f "$log"' EXIT
address="http://127.0.0.1:$port/v1"
for _ in $(seq 300); do
  curl --silent --fail --output /dev/null "$address/models" && break
  kill -0 "$server" 2>/dev/null || { tail -n 20 "$log" >&2 && fail "the server ended (its last lines are above)"; }
  sleep 1
done
"$python" "$root/scripts/check_server.py" --model "$model" --address "$address" "$@"
