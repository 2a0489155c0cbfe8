#!/usr/bin/env bash
# Starts the server in the foreground and stops nothing. Its output also goes to the log file. Ctrl-C lets accepted
# requests end (DRAIN_TIMEOUT), and so does the end of its terminal; Ctrl-C again ends it at once.
#
#   bash start_api.sh
#   WORKERS=4 bash start_api.sh
#
# Exit codes: 2 a setting, the checkpoint or the port does not allow it; 3 the server runs already or another
# start, stop or restart is at work; else uvicorn's own.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/scripts/lib/common.sh"

take_arguments 0 "$@"
service start
