#!/usr/bin/env bash
# Simulates servers in virtual time, each by a seed, and judges their histories. docs/reliability.md says how.
#   bash scripts/checks/simulate.sh [SECONDS [SEED]]   seeds from SEED (1) on for SECONDS (600) of one core
#   bash scripts/checks/simulate.sh seed SEED          one seed, with its history; `engine` before either: one engine
#   bash scripts/checks/simulate.sh faults [NAME...]   puts faults of tests/simulation/faults back, and looks for each
# Exit codes: 1, a fault was found, with its seed; 2, a program is missing.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/../lib/common.sh"
show_help "$@"
ensure_venv dev
ulimit -v "$((4 << 20))" # the code under test may be in a loop
exec env PYTHONHASHSEED=0 "$PYTHON" -m tests.simulation "${@:-600}"
