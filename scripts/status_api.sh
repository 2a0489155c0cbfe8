#!/usr/bin/env bash
# Shows the running server: its processes, its health, and the active and waiting requests for short and long texts.
#
#   bash scripts/status_api.sh
#
# Exit codes: 0 the server is healthy; 1 it runs but is not healthy, or this user may not see it; 2 a setting is
# invalid; 3 the server does not run.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/common.sh"

take_arguments 0 "$@"
service status
