#!/usr/bin/env bash
# Every check and test. Arguments go to pytest.
#
#   bash scripts/test.sh
#   bash scripts/test.sh tests/text -k money
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/common.sh"

ensure_venv dev
bash scripts/check.sh
say "== tests (pytest)"
# The engine's threads wait as they do in a server (glm_tts_api/launch.py).
export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-PASSIVE}" GOMP_SPINCOUNT="${GOMP_SPINCOUNT:-10000}"
exec "$PYTHON" -m pytest "$@"
