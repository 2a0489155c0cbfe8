#!/usr/bin/env bash
# Stops our server: accepted requests are answered (DRAIN_TIMEOUT), then it ends; what stays is killed, and named.
#
#   bash scripts/stop_api.sh
#
# Exit codes: 0 nothing of ours runs any more; 1 something could not be stopped; 2 a setting does not hold;
# 3 another start, stop or restart is at work.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/common.sh"
source scripts/lib/processes.sh
source scripts/lib/service.sh

require_venv 0
load_settings
lock_service
say "Stopping our running server"
stop_service
