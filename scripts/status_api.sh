#!/usr/bin/env bash
# Shows our server: its processes, health and lanes.
#
#   bash scripts/status_api.sh
#
# Exit codes: 0 it is healthy; 1 it runs but is not healthy, or may not be looked at; 2 a setting does not hold;
# 3 it does not run.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/common.sh"

take_arguments 0 "$@"
service status
