# shellcheck shell=bash
# A restart without a gap: the new server proves itself beside the old one, gets its port, and the old one ends when
# its clients have left. Sourced after common.sh, processes.sh and service.sh.

OLD=''
OLD_GENERATION=''

# require_two_possible: fails if the server in charge (OLD) cannot have a successor beside it.
require_two_possible() {
  read_record
  [[ $SERVER_PORT == "$PORT" && $SERVER_HOST == "$API_HOST" ]] || fail "$EXIT_REFUSED" \
    "RESTART_MODE=rolling keeps the address: the server listens on $SERVER_HOST port $SERVER_PORT," \
    "set now is $API_HOST port $PORT."
  OLD_GENERATION="$(generation_of "$OLD")"
  GENERATION=$((1 - OLD_GENERATION))
  [[ -S $RUN_DIR/generation-$OLD_GENERATION/handover.sock ]] || fail "$EXIT_REFUSED" \
    "RESTART_MODE=rolling: the server (PID $OLD) has nothing to hand its port over by: is it still loading, or of an" \
    "earlier version? Without RESTART_MODE it is stopped, then started."
  local pids
  mapfile -t pids < <(ONLY_GENERATION=$OLD_GENERATION our_processes)
  PYTHONPATH="$ROOT" "$PYTHON" scripts/lib/room_for_two.py "${pids[@]}" || exit "$EXIT_REFUSED"
}

# is_in_charge PID: whether it is the server that the PID file names.
is_in_charge() {
  local recorded=''
  { read -r recorded _ <"$PID_FILE"; } 2>/dev/null || true
  [[ $recorded == "$1" ]]
}

# end_generation N SECONDS WHAT: ends the processes of one of the two servers.
end_generation() {
  ONLY_GENERATION=$1
  end_all TERM "$2" "$3" || kill_all "$2"
  ONLY_GENERATION=''
}

# end_what_is_left: ends what an earlier restart that was ended itself has left, usually nothing: a new server that
# had not proved itself, or an old one whose clients may still hear their answers.
end_what_is_left() {
  if [[ -e $RUN_DIR/server.next ]]; then
    end_generation "$GENERATION" "$STOP_MARGIN_S" "what a restart that was killed has left"
  else
    end_generation "$GENERATION" $((SERVER_ROLLING + STOP_MARGIN_S)) "the clients of the server before this one to leave"
  fi
}

# keep_old: at every end, stops the new server unless the port is its own by now.
keep_old() {
  local code=$?
  trap - EXIT INT TERM
  [[ -n $SERVER && $code -ne 0 ]] || exit "$code"
  if [[ -n $VERIFIER ]]; then
    kill "$VERIFIER" 2>/dev/null || true
    wait "$VERIFIER" 2>/dev/null || true
  fi
  if is_in_charge "$SERVER"; then
    send TERM "$OLD"
    say "The new server (PID $SERVER) has the port already. The old one ends by itself when its clients have left."
    exit "$code"
  fi
  say
  say "Last lines of $LOG_FILE:"
  tail -n 25 -- "$LOG_FILE" | sed 's/^/  | /' || true
  say "Stopping the server that did not pass:"
  kill "$SERVER" 2>/dev/null || true # it may be too young to be found by its marks
  end_generation "$GENERATION" "$STOP_MARGIN_S" "its end"
  rm -f -- "$RUN_DIR/server.next"
  say "FAILED: the cause stands above the log lines; the old server (PID $OLD) goes on."
  exit "$code"
}

# roll: the four steps.
roll() {
  say "1/4 Looking whether there is room for two servers"
  require_two_possible
  check checkpoint port
  trap keep_old EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  trap '' HUP PIPE # the terminal may go
  end_what_is_left

  say "2/4 Starting the new server beside PID $OLD, log: $LOG_FILE"
  start_in_background --succeed
  say "  PID $SERVER"

  say "3/4 Verifying it, then handing over the port"
  verify_in_background take-over
  wait "$VERIFIER" || exit "$EXIT_FAILED"
  VERIFIER=''

  say "4/4 The old server ends when its clients have left"
  end_generation "$OLD_GENERATION" $((SERVER_ROLLING + STOP_MARGIN_S)) "its clients to leave"
  trap - EXIT
  say "  PID $OLD is gone"
  PYTHONPATH="$ROOT" GLM_TTS_GENERATION="$OLD_GENERATION" \
    "$PYTHON" scripts/lib/ask_service.py answers || exit "$EXIT_FAILED"
}
