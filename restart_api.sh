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
source scripts/lib/processes.sh
source scripts/lib/service.sh
source scripts/lib/gpu.sh
source scripts/lib/rolling.sh

STOPPED=()
SERVER=''
VERIFIER=''

# give_up: at every end but the good one, shows the log and stops what was started.
give_up() {
  local code=$?
  trap - EXIT INT TERM
  [[ -n $SERVER && $code -ne 0 ]] || exit "$code"
  say
  say "Last lines of $LOG_FILE:"
  tail -n 25 -- "$LOG_FILE" | sed 's/^/  | /' || true
  say "Stopping the server that did not pass:"
  [[ -z $VERIFIER ]] || kill "$VERIFIER" 2>/dev/null || true
  kill "$SERVER" 2>/dev/null || true # it may be too young to be found by its marks
  stop_service ''
  say "FAILED: the cause stands above the log lines; the server is stopped."
  exit "$code"
}

# main: the six steps of a stop and a start, or those of a restart without a gap.
main() {
  take_arguments 0 "$@"
  ensure_venv
  load_settings
  lock_service
  require_room
  require_log
  require_visible "$EXIT_FAILED"
  OLD="$(our_server)"
  if [[ $RESTART_MODE == rolling && -n $OLD ]]; then
    roll
    return
  fi
  check checkpoint port
  trap give_up EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  trap '' HUP PIPE # the terminal may go

  say "1/6 Stopping our running server"
  local gpu=''
  if has_gpu; then
    gpu=yes
    gpu_memory
  fi
  stop_service ''

  say "2/6 Cleaning temporary files and Python caches"
  clean_leftovers
  rotate_log

  say "3/6 Freeing GPU memory"
  if [[ -n $gpu ]]; then
    ((${#STOPPED[@]} == 0)) || wait_for_gpu_memory "${STOPPED[@]}"
    gpu_memory
  else
    say "  no GPU here: nothing to free"
  fi

  say "4/6 Waiting for the port"
  check port
  say "  $PORT is free"

  say "5/6 Starting the server, log: $LOG_FILE"
  start_in_background
  say "  PID $SERVER"

  say "6/6 Verifying"
  verify_in_background # so that a signal to this script is heard at once
  wait "$VERIFIER" || exit "$EXIT_FAILED"
}

main "$@"
