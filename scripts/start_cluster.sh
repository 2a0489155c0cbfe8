#!/usr/bin/env bash
# Starts the server on several GPUs and machines with Ray Serve. On the first machine, the head, run:
#
#   MIN_REPLICAS=1 MAX_REPLICAS=8 bash scripts/start_cluster.sh
#
# On every other machine, run the following. The machine needs the same version of this project, the weights and
# PROMPTS_DIR at the same path as the head, and a copy of the head's ~/.ray/auth_token.
#
#   bash scripts/start_cluster.sh --join HEAD:6379
#
# After a change of a setting or of the code, run the first command on the head again: it replaces the replicas one
# after the other. Further arguments are passed to `ray start` (--num-cpus=8, --node-ip-address=10.0.0.5, --block).
#
# Exit codes: 1, fewer than MIN_REPLICAS replicas can speak; 2, a setting, the checkpoint or Ray prevents the start.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/common.sh"

readonly HEAD_PORT=6379

# start_ray ARGUMENT...: starts Ray on this machine in the background.
start_ray() {
  "$VENV/bin/ray" start --disable-usage-stats "$@" ||
    fail "$EXIT_REFUSED" "Ray could not be started (above)."
}

# is_in_cluster: succeeds if this machine is already part of a cluster.
is_in_cluster() {
  "$VENV/bin/ray" status >/dev/null 2>&1
}

show_help "$@"
ensure_venv cluster
export RAY_AUTH_MODE="${RAY_AUTH_MODE:-token}"
export RAY_worker_niceness="${RAY_worker_niceness:-0}" # Ray's default, 15, would give other programs precedence
# Without this, a request would wait in the queue of a replica on its own node while replicas on other nodes are idle.
export RAY_SERVE_PROXY_PREFER_LOCAL_NODE_ROUTING=0
export RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH=glm_tts_api.cluster.refusals:middlewares
if [[ ${1:-} == --join ]]; then
  [[ -n ${2:-} ]] || fail "$EXIT_REFUSED" "--join HEAD:PORT: which head? bash scripts/start_cluster.sh there says."
  head=$2
  shift 2
  start_ray --address="$head" "$@"
  exit
fi
"$PYTHON" -m glm_tts_api check checkpoint || exit "$EXIT_REFUSED"
if ! is_in_cluster; then
  [[ $RAY_AUTH_MODE != token ]] || "$VENV/bin/ray" get-auth-token --generate >/dev/null
  start_ray --head --port="$HEAD_PORT" "$@"
fi
exec "$PYTHON" -m glm_tts_api.cluster
