#!/usr/bin/env bash
# Shows our server: its processes (also the workers, which ps calls multiprocessing.spawn), health and lanes.
#
#   bash scripts/status_api.sh
#
# Exit codes: 0 it is healthy; 1 it runs but is not healthy; 2 a setting does not hold; 3 it does not run.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/common.sh"
source scripts/lib/processes.sh
source scripts/lib/service.sh

# main: processes, then what the server says of itself.
main() {
  local pids
  require_venv 3
  load_settings
  mapfile -t pids < <(our_processes)
  if ((${#pids[@]} == 0)); then
    fail 3 "The server does not run (looked for: RUN_DIR=$RUN_DIR, PORT=$PORT)."
  fi
  say "Processes:"
  describe "${pids[@]}"
  say "Log: $LOG_FILE"
  ask status
}

main "$@"
