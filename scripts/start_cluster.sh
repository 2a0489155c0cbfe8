#!/usr/bin/env bash
# Serves on many GPUs and machines, with Ray Serve. On the first machine, the head:
#
#   MIN_REPLICAS=1 MAX_REPLICAS=8 bash scripts/start_cluster.sh
#
# On every other one, with the same version of this project, the weights and PROMPTS_DIR at the same path, and the
# head's ~/.ray/auth_token:
#
#   bash scripts/start_cluster.sh --join HEAD:6379
#
# On the head again, after a change of a setting or of the code: replaces the replicas one after the other.
# Whatever stands behind goes to `ray start` (--num-cpus=8, --node-ip-address=10.0.0.5, --block).
#
# Exit codes: 1, not all of MIN_REPLICAS can speak; 2, a setting, the checkpoint or Ray does not allow it.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/common.sh"

readonly HEAD_PORT=6379

# start_ray ARGUMENT...: this machine's part of the cluster, in the background.
start_ray() {
  "$VENV/bin/ray" start --disable-usage-stats "$@" ||
    fail "$EXIT_REFUSED" "Ray could not be started (above)."
}

# is_in_cluster: whether this machine is part of a cluster already.
is_in_cluster() {
  "$VENV/bin/ray" status >/dev/null 2>&1
}

show_help "$@"
ensure_venv cluster
export RAY_AUTH_MODE="${RAY_AUTH_MODE:-token}"
export RAY_worker_niceness="${RAY_worker_niceness:-0}" # Ray's own is 15: whatever else runs here would come first
# Otherwise a request would wait in the line of a replica of the node that it came to while others have nothing to do.
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
