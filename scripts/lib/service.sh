# shellcheck shell=bash
# How the server is started, watched and shown. Sourced after common.sh and processes.sh.

# lock_service: lets one start, stop or restart work on RUN_DIR at a time; the lock goes with the script, whose
# children close descriptor 7.
lock_service() {
  { : >>"$RUN_DIR/lock"; } 2>/dev/null || fail "$EXIT_REFUSED" \
    "RUN_DIR=$RUN_DIR: user $(id -un 2>/dev/null) cannot write there (it belongs to $(stat -c %U -- "$RUN_DIR"));" \
    "choose another RUN_DIR, or run this as that user."
  exec 7>>"$RUN_DIR/lock"
  flock -n 7 || fail "$EXIT_BUSY" "Another start, stop or restart (PID $(<"$RUN_DIR/lock")) is at work in $RUN_DIR." \
    "Let it end, or end it with Ctrl-C or kill."
  { printf '%s\n' "$$" >"$RUN_DIR/lock"; } 2>/dev/null || true # on a full disk too a server can be stopped
}

# require_room: fails if what starts next could write nothing into RUN_DIR; lock_service tried.
require_room() {
  [[ -s $RUN_DIR/lock ]] || fail "$EXIT_REFUSED" "RUN_DIR=$RUN_DIR: nothing can be written there, is the disk full?" \
    "Make room, or choose another RUN_DIR."
}

# require_none_running: fails if the server runs, is loading, or has left workers behind.
require_none_running() {
  local server left
  require_visible "$EXIT_BUSY"
  mapfile -t left < <(our_processes)
  ((${#left[@]} > 0)) || return 0
  server="$(our_server)"
  read_record
  [[ -z $server ]] || fail "$EXIT_BUSY" "The server is already running (PID $server, port $SERVER_PORT)." \
    "bash restart_api.sh replaces it, bash scripts/stop_api.sh stops it."
  fail "$EXIT_BUSY" "Processes of an earlier server are left: ${left[*]}." \
    "bash restart_api.sh replaces them, bash scripts/stop_api.sh stops them."
}

# require_log: fails if LOG_FILE is no file that can be written.
require_log() {
  [[ ! -d $LOG_FILE ]] || fail "$EXIT_REFUSED" "LOG_FILE=$LOG_FILE: is a folder; name a file in it."
  { mkdir -p -- "$(dirname -- "$LOG_FILE")" && : >>"$LOG_FILE"; } 2>/dev/null ||
    fail "$EXIT_REFUSED" "LOG_FILE=$LOG_FILE: user $(id -un 2>/dev/null) cannot write it; choose another place."
}

# check WHAT...: fails if the port or the checkpoint would keep the server from starting.
check() {
  "$PYTHON" -m glm_tts_api check "$@" >/dev/null || exit "$EXIT_REFUSED"
}

# become_server COMMAND...: turns this shell into COMMAND, which claims the PID file. The mark comes with it, so that
# it is found from the first moment on.
become_server() {
  GLM_TTS_RUN_ID="$(run_id)" GLM_TTS_GENERATION="${GENERATION:-0}" exec "$@"
}

# start_in_background [--succeed]: starts the server into LOG_FILE, in a session of its own; leaves its PID in SERVER.
start_in_background() {
  (become_server setsid "$PYTHON" -m glm_tts_api serve --checked "$@") </dev/null >>"$LOG_FILE" 2>&1 7>&- &
  SERVER=$!
}

# rotate_log: keeps the last LOG_BACKUPS logs as LOG_FILE.1 (the newest) and so on. The old server is stopped by
# now: where no file of the folder can be renamed, the new one goes on in the old one's log.
rotate_log() {
  [[ -s $LOG_FILE ]] || return 0
  rename_logs || say "  $LOG_FILE goes on: it cannot be renamed (above)"
}

# rename_logs: leaves LOG_FILE empty; returns 1 where it cannot.
rename_logs() {
  local n
  for ((n = LOG_BACKUPS - 1; n >= 1; n--)); do
    [[ ! -f $LOG_FILE.$n ]] || mv -f -- "$LOG_FILE.$n" "$LOG_FILE.$((n + 1))" || return
  done
  mv -- "$LOG_FILE" "$LOG_FILE.1" && : >"$LOG_FILE"
}

# clean_leftovers: removes what dead servers left, and our own compiled Python; never .venv, weights or voices. In
# RUN_DIR only what bears our mark, for it may be a folder that holds other things.
clean_leftovers() {
  rm -rf -- "$RUN_DIR/tmp-$(run_id)" "$RUN_DIR/verify.token" "$RUN_DIR/server.next"
  find glm_tts_api scripts tests -type d -name __pycache__ -prune -exec rm -rf -- {} + 2>/dev/null || true
}

# ask_status: what the running server says of itself; see ask_service.py.
ask_status() {
  PYTHONPATH="$ROOT" "$PYTHON" scripts/lib/ask_service.py status
}

# verify_in_background [WHAT]: checks the server that was started (or what else ask_service.py does with it);
# leaves the PID of the check in VERIFIER.
verify_in_background() {
  PYTHONPATH="$ROOT" GLM_TTS_GENERATION="${GENERATION:-0}" \
    "$PYTHON" scripts/lib/ask_service.py "${1:-verify}" "$SERVER" 7>&- &
  VERIFIER=$!
}
