#!/usr/bin/env bash
# Two Ray nodes on this machine with the bundled model: replicas come and go with the load, one is killed, a node is
# killed, all are replaced. Prints what became of every request. Some minutes; 6 GB of memory.
#
#   bash scripts/test_cluster.sh
#   bash scripts/test_cluster.sh -k redeploy
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/common.sh"

ensure_venv dev
ensure_venv cluster
exec "$PYTHON" -m pytest -s -v -W ignore --timeout 1200 tests/cluster/two_nodes.py "$@"
