#!/usr/bin/env bash
# Stops our server, cleans up, starts it anew in the background and proves that it works.
#
#   bash restart_api.sh
#   SHORT_TEXT_CONCURRENCY=15 LONG_TEXT_CONCURRENCY=5 WORKERS=2 bash restart_api.sh
#   PRESET=short-heavy bash restart_api.sh
#   RESTART_MODE=rolling bash restart_api.sh    the new server proves itself beside the old one, then gets its port
#
# Settings: README.md. VERIFY_TTS=0 skips the test sentence, VERIFY_TIMEOUT limits it. A terminal that is lost, or
# this script killed, does not stop what it began: LOG_FILE tells how the check of the new server ended.
# Exit codes: 0 the server runs and everything checked holds; 1 it did not start or did not pass, and is stopped
# (with RESTART_MODE=rolling the old one runs on; or the new one has the port, and answers of the old one were cut:
# the last line says which);
# 2 a setting, the checkpoint or the port does not allow it, and a running server runs on;
# 3 another start, stop or restart is at work.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/scripts/lib/common.sh"

take_arguments 0 "$@"
service restart
