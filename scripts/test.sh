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
exec "$PYTHON" -m pytest "$@"
