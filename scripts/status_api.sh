#!/usr/bin/env bash
# Shows our server: its processes (also the workers, which ps calls multiprocessing.spawn), health and lanes.
#
#   bash scripts/status_api.sh
#
# Exit codes: 0 it is healthy; 1 it runs but is not healthy, or may not be looked at; 2 a setting does not hold;
# 3 it does not run.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/common.sh"
source scripts/lib/processes.sh
source scripts/lib/service.sh

# main: processes, then what the server says of itself.
main() {
  local pids
  take_arguments 0 "$@"
  require_venv 3
  load_settings
  require_visible "$EXIT_FAILED"
  mapfile -t pids < <(our_processes)
  if ((${#pids[@]} == 0)); then
    fail 3 "The server does not run (looked for: RUN_DIR=$RUN_DIR)."
  fi
  read_record
  say "Processes:"
  describe "${pids[@]}"
  say_second "${pids[@]}"
  say_port
  say "Log: $SERVER_LOG"
  PORT=$SERVER_PORT API_HOST=$SERVER_HOST ask_status || {
    say "Last lines of the log:"
    last_log_lines 5 | sed 's/^/  | /'
    exit "$EXIT_FAILED"
  }
}

main "$@"
