#!/usr/bin/env bash
# Stops the server. Accepted requests are answered before the server ends. Processes that do not end in time are
# killed and named.
#
#   bash scripts/stop_api.sh                    within the DRAIN_TIMEOUT that the server was started with
#   DRAIN_TIMEOUT=5 bash scripts/stop_api.sh    within 5 s at most
#   bash scripts/stop_api.sh --now              at once: running requests get the answer 503
#
# Exit codes: 0 no process of the server runs any more; 1 a process could not be stopped; 2 a setting is invalid;
# 3 another start, stop or restart is running.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/common.sh"

show_help "$@"
[[ $# == 0 || $* == --now ]] || fail "$EXIT_REFUSED" "usage: bash scripts/stop_api.sh [--now]"
service stop "$@"
