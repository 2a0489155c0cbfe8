#!/usr/bin/env bash
# Tests the server in a Ray cluster. Runs the short test of the suite first. Then it starts two Ray nodes on this
# machine with the bundled model: replicas are added and removed with the load, a replica is killed, a node is killed,
# and all replicas are replaced. Prints the outcome of every request. Takes more than ten minutes and 6 GB of memory.
# Arguments are passed to the pytest of the second test; with arguments the short test is left out.
#
#   bash scripts/checks/test_cluster.sh
#   bash scripts/checks/test_cluster.sh -k redeploy
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/../lib/common.sh"

show_help "$@"
ensure_venv dev
(($# > 0)) || "$PYTHON" -m pytest -W ignore tests/cluster/test_replicas.py
exec "$PYTHON" -m pytest -s -v -W ignore --timeout 1200 tests/cluster/two_nodes.py "$@"
