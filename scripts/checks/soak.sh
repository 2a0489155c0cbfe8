#!/usr/bin/env bash
# Asks a server of its own for everything, again and again, while its engines are killed and stopped, and fuzzes every
# parser of what comes from outside. docs/reliability.md has the results of whole runs.
#
#   bash scripts/checks/soak.sh [MINUTES [PYTEST ARGUMENTS]]   60 minutes of the server, then a third of that of the
#                                                              parsers; `-k soak` or `-k fuzz` runs one of them
# Exit codes: 1, a fault was found; 2, a program is missing.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/../lib/common.sh"
show_help "$@"
ensure_venv dev
export SOAK_MINUTES="${1:-60}"
export FUZZ_SECONDS="$((SOAK_MINUTES * 60 / 3 / 15))"
exec "$PYTHON" -m pytest -s scripts/checks/soak.py scripts/checks/fuzz.py "${@:2}"
