# shellcheck shell=bash
# Which processes are ours, and how they are stopped. Sourced after common.sh.
#
# A process is ours if its environment carries the mark of this RUN_DIR and it works in this project's folder: a
# copied project or run folder has its own. Workers say nothing of this in ps and outlive a parent that was killed.

readonly STOP_MARGIN_S=15 # beyond the time to drain: the last answers, and freeing the model
readonly KILL_WAIT_S=15

# run_id: prints the mark of this RUN_DIR's processes, made once; the folder's own, not one that was copied with it.
run_id() {
  local id='' folder='' file="$RUN_DIR/run_id"
  { read -r id folder <"$file"; } 2>/dev/null || true
  [[ $id =~ ^[A-Za-z0-9-]+$ ]] || id=''
  if [[ -z $id || $folder != "$RUN_DIR" ]]; then
    if [[ -z $id ]] || { [[ -n $folder ]] && ! is_claimed; }; then # claimed: it was moved as it is
      id="$(</proc/sys/kernel/random/uuid)"
    fi
    printf '%s %s\n' "$id" "$RUN_DIR" >"$file.new" && mv -- "$file.new" "$file" || return
  fi
  printf '%s\n' "$id"
}

# is_claimed: whether a server of this very folder lives: it holds a lock on the PID file for as long.
is_claimed() {
  [[ -r $PID_FILE ]] && { ! flock --nonblock --shared 9; } 9<"$PID_FILE"
}

# command_of PID: prints its command line; nothing if it is gone or a zombie.
command_of() {
  { tr '\0' ' ' <"/proc/$1/cmdline"; } 2>/dev/null || true
}

# is_alive PID: whether it runs; a zombie does not.
is_alive() {
  [[ -n $(command_of "$1") ]]
}

# works_here PID: whether its folder is this project's.
works_here() {
  local folder
  folder="$(readlink "/proc/$1/cwd" 2>/dev/null)" && [[ ${folder% (deleted)} == "$ROOT" ]]
}

# generation_of PID: prints which of two servers it belongs to where a successor stands beside the one in charge.
generation_of() {
  if grep -qzxF -- "GLM_TTS_GENERATION=1" "/proc/$1/environ" 2>/dev/null; then
    echo 1
  else
    echo 0
  fi
}

# our_processes: prints the PIDs of every process of the service, workers and their helpers included; only of the
# server that ONLY_GENERATION names if that is set.
our_processes() {
  local id file pid
  id="$(run_id)" || return
  # pgrep would do for names, but procps is not everywhere.
  for file in $(grep -lzxF -- "GLM_TTS_RUN_ID=$id" /proc/[0-9]*/environ 2>/dev/null || true); do
    pid=${file#/proc/}
    pid=${pid%/environ}
    if [[ $pid != "$$" ]] && is_alive "$pid" && works_here "$pid" &&
      [[ -z ${ONLY_GENERATION:-} || $(generation_of "$pid") == "$ONLY_GENERATION" ]]; then
      printf '%s\n' "$pid"
    fi
  done | sort -n
}

# our_server: prints the PID that the PID file names if it is one of our processes.
our_server() {
  local recorded='' pid
  { read -r recorded _ <"$PID_FILE"; } 2>/dev/null || true
  for pid in $(our_processes); do
    if [[ $pid == "$recorded" ]]; then
      printf '%s\n' "$pid"
    fi
  done
}

# heads PID...: prints those whose parent is not among them; what they are told they tell the others. Not the log's
# writer: it ends by itself, after the last line.
heads() {
  local pid name parent
  for pid in "$@"; do
    [[ $(command_of "$pid") != *" -m glm_tts_api.log_writer "* ]] || continue
    parent=''
    while read -r name parent && [[ $name != PPid: ]]; do :; done <"/proc/$pid/status"
    if [[ " $* " != *" $parent "* ]]; then
      printf '%s\n' "$pid"
    fi
  done 2>/dev/null
}

# read_record: sets SERVER_PORT, SERVER_HOST, SERVER_DRAIN, SERVER_ROLLING and SERVER_LOG to what the server that runs, or whose
# workers are left, was started with; to the settings if nothing is recorded.
read_record() {
  local name value
  SERVER_PORT=$PORT SERVER_HOST=$API_HOST SERVER_DRAIN="$(whole_seconds "$DRAIN_TIMEOUT")" SERVER_LOG=$LOG_FILE
  SERVER_ROLLING=$SERVER_DRAIN # that of an earlier version
  [[ -r $RUN_DIR/server ]] || return 0
  while read -r name value; do
    case $name in
      host) SERVER_HOST=$value ;;
      port) SERVER_PORT=$value ;;
      drain_s) SERVER_DRAIN=$((10#0${value//[^0-9]/})) SERVER_ROLLING=$SERVER_DRAIN ;; # whatever stands there, a stop must go on
      rolling_s) SERVER_ROLLING=$((10#0${value//[^0-9]/})) ;;
      log_file) SERVER_LOG=$value ;;
    esac
  done <"$RUN_DIR/server"
}

# whole_seconds NUMBER: prints it rounded up.
whole_seconds() {
  local whole=${1%.*}
  [[ $1 == "$whole" ]] || whole=$((whole + 1))
  printf '%s\n' "$whole"
}

# say_port: tells where the running server listens if that is not what is set now.
say_port() {
  if [[ $SERVER_PORT != "$PORT" || $SERVER_HOST != "$API_HOST" ]]; then
    say "  The running server listens on $SERVER_HOST port $SERVER_PORT (set now: $API_HOST port $PORT)."
  fi
}

# require_visible: fails if a server runs here that this user may not see, or that another project started.
require_visible() {
  local pid=''
  for _ in 1 2 3 4 5; do # one that ends just now, or becomes another program, is not seen for a moment
    is_claimed && [[ -z $(our_processes) ]] || return 0
    sleep 0.2
  done
  { read -r pid _ <"$PID_FILE"; } 2>/dev/null || true
  fail "$1" "The server that runs here (PID ${pid:-unknown}, $RUN_DIR) belongs to user" \
    "$(stat -c %U "/proc/$pid" 2>/dev/null || echo unknown) or to another project folder;" \
    "only there, and as that user, can it be looked at or stopped."
}

# say_second PID...: tells what a server beside the one in charge does: their successor, or their predecessor.
say_second() {
  local head server
  server="$(our_server)"
  for head in $(heads "$@"); do
    [[ $head != "$server" ]] || continue
    if [[ -e $RUN_DIR/server.next && $(head -n 1 -- "$RUN_DIR/server.next") == "pid $head" ]]; then
      say "  A rolling restart is at work: PID $head has yet to prove itself, PID $server serves."
    elif [[ -n $server ]]; then
      say "  PID $server has the port; PID $head answers the clients that are left to it, and ends."
    fi
  done
}

# describe PID...: prints a line for each.
describe() {
  local pid command
  for pid in "$@"; do
    command="$(command_of "$pid")"
    say "  PID $pid: ${command:0:110}"
  done
}

# send SIGNAL PID...: signals each; one that is gone already is no error.
send() {
  local signal=$1 pid
  shift
  for pid in "$@"; do
    kill -s "$signal" -- "$pid" 2>/dev/null || ! is_alive "$pid" ||
      fail "$EXIT_FAILED" "PID $pid belongs to another user ($(stat -c %U "/proc/$pid" 2>/dev/null)): not stopped."
  done
}

# end_all SIGNAL SECONDS WHAT: sends SIGNAL to our processes' heads, and to those that become heads when their
# parent dies, and waits until none is left; fails if some are.
end_all() {
  local signal=$1 limit=$2 what=$3 begin=$SECONDS told=' ' left head
  progress_begins
  while mapfile -t left < <(our_processes) && ((${#left[@]} > 0)); do
    for head in $(heads "${left[@]}"); do
      if [[ $told != *" $head "* ]]; then
        send "$signal" "$head"
        told+="$head "
      fi
    done
    ((SECONDS - begin < limit)) || {
      progress_ends
      return 1
    }
    progress "waiting for $what: $((SECONDS - begin)) s of at most $limit"
    sleep 0.2
  done
  progress_ends
}

# last_log_lines N: prints the end of the running server's log.
last_log_lines() {
  tail -n "$1" -- "${SERVER_LOG:-$LOG_FILE}" 2>/dev/null | cut -c -300 || true
}

# stop_service SECONDS: TERM and time to drain, at most SECONDS if it is not empty; then QUIT, which answers the rest
# 503; then KILL. Says which. Leaves the stopped PIDs in STOPPED.
stop_service() {
  local patience
  require_visible "$EXIT_FAILED"
  mapfile -t STOPPED < <(our_processes)
  if ((${#STOPPED[@]} == 0)); then
    say "  none is running"
    rm -f -- "$PID_FILE" "$RUN_DIR/server"
    return 0
  fi
  read_record
  describe "${STOPPED[@]}"
  say_port
  patience=$((SERVER_DRAIN + STOP_MARGIN_S))
  if [[ -n $1 ]] && (($1 < SERVER_DRAIN)); then
    patience=$1
  fi
  end_all TERM "$patience" "accepted requests to be answered" || {
    say "  after $patience s: ending now; the requests that are left are answered 503"
    end_all QUIT "$STOP_MARGIN_S" "the end"
  } || kill_all "$STOP_MARGIN_S"
  rm -f -- "$PID_FILE" "$RUN_DIR/server"
  say "  stopped"
}

# kill_all SECONDS: SIGKILL for every process that SECONDS did not suffice for.
kill_all() {
  local left
  mapfile -t left < <(our_processes)
  say "  still there after $1 s, ended by SIGKILL:"
  describe "${left[@]}"
  say "  last lines of $SERVER_LOG:"
  last_log_lines 5 | sed 's/^/  | /'
  send KILL "${left[@]}"
  end_all KILL "$KILL_WAIT_S" "killed processes to leave" || {
    mapfile -t left < <(our_processes)
    fail "$EXIT_FAILED" "Not even SIGKILL ended: ${left[*]}"
  }
}
