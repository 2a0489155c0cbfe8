#!/usr/bin/env bash
# Stops our server: accepted requests are answered, then it ends; what stays is killed, and named.
#
#   bash scripts/stop_api.sh                    within the DRAIN_TIMEOUT that the server was started with
#   DRAIN_TIMEOUT=5 bash scripts/stop_api.sh    within 5 s at most
#   bash scripts/stop_api.sh --now              at once: requests that are being spoken are answered 503
#
# Exit codes: 0 nothing of ours runs any more; 1 something could not be stopped; 2 a setting does not hold;
# 3 another start, stop or restart is at work.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/common.sh"

show_help "$@"
[[ $# == 0 || $* == --now ]] || fail "$EXIT_REFUSED" "usage: bash scripts/stop_api.sh [--now]"
service stop "$@"
