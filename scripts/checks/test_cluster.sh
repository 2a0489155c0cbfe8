#!/usr/bin/env bash
# The suite's short test of a cluster; then two Ray nodes on this machine with the
# bundled model: replicas come and go with the load, one is killed, a node is killed, all are replaced. Prints what
# became of every request. Ten minutes and more; 6 GB of memory. What stands behind goes to pytest, for the second.
#
#   bash scripts/checks/test_cluster.sh
#   bash scripts/checks/test_cluster.sh -k redeploy
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/../lib/common.sh"

show_help "$@"
ensure_venv dev
(($# > 0)) || "$PYTHON" -m pytest -W ignore tests/cluster/test_replicas.py
exec "$PYTHON" -m pytest -s -v -W ignore --timeout 1200 tests/cluster/two_nodes.py "$@"
