# shellcheck shell=bash
# Which processes are ours, and how they are stopped. Sourced after common.sh.
#
# The server's parent is known by its PID file, but a number alone proves nothing: it is ours only if
# /proc/PID/cmdline shows our uvicorn and /proc/PID/cwd this folder. Worker processes carry no such mark in ps
# and outlive a parent that was killed, so every process that we start carries our run id in its environment.

readonly STOP_MARGIN_S=15 # beyond DRAIN_TIMEOUT: the last answers, and freeing the model
readonly KILL_WAIT_S=15

# run_id: prints the mark of this RUN_DIR's processes; made once.
run_id() {
  local file="$RUN_DIR/run_id"
  if [[ ! -s $file ]]; then
    printf '%s\n' "$(</proc/sys/kernel/random/uuid)" >"$file.new"
    mv -- "$file.new" "$file"
  fi
  cat -- "$file"
}

# command_of PID: prints its command line; nothing if it is gone or a zombie.
command_of() {
  { tr '\0' ' ' <"/proc/$1/cmdline"; } 2>/dev/null || true
}

# is_alive PID: whether it runs; a zombie does not.
is_alive() {
  [[ -n $(command_of "$1") ]]
}

# is_our_server PID: whether it is a uvicorn of this project, started in this folder.
is_our_server() {
  [[ $(command_of "$1") == *uvicorn*glm_tts_api.api_server:app* ]] || return 1
  local folder
  folder="$(readlink "/proc/$1/cwd" 2>/dev/null)" || return 1
  [[ ${folder% (deleted)} == "$ROOT" ]]
}

# recorded_server: prints the PID that the PID file names if it is our server.
recorded_server() {
  local pid=''
  { read -r pid _ <"$PID_FILE"; } 2>/dev/null || true
  if [[ $pid =~ ^[0-9]+$ ]] && is_our_server "$pid"; then
    printf '%s\n' "$pid"
  fi
}

# our_servers: prints the PIDs of our server's parents: the recorded one, and one that listens on our PORT.
our_servers() {
  local file pid
  {
    recorded_server
    # pgrep would do, but procps is not everywhere.
    for file in $(grep -lzxF -- "glm_tts_api.api_server:app" /proc/[0-9]*/cmdline 2>/dev/null || true); do
      pid=${file#/proc/}
      pid=${pid%/cmdline}
      if is_our_server "$pid" && [[ $(command_of "$pid") == *" --port $PORT "* ]]; then
        printf '%s\n' "$pid"
      fi
    done
  } | sort -nu
}

# our_processes: prints the PIDs of every process of the service, workers and their helpers included.
our_processes() {
  local file pid
  {
    our_servers
    for file in $(grep -lzxF -- "GLM_TTS_RUN_ID=$(run_id)" /proc/[0-9]*/environ 2>/dev/null || true); do
      pid=${file#/proc/}
      pid=${pid%/environ}
      if [[ $pid != "$$" ]] && is_alive "$pid"; then
        printf '%s\n' "$pid"
      fi
    done
  } | sort -nu
}

# is_our_port: whether a process of ours listens on PORT, which a restart then frees.
is_our_port() {
  local pid
  for pid in $(our_processes); do
    case "$(command_of "$pid")" in
      *" --port $PORT "* | *multiprocessing.spawn*) return 0 ;;
    esac
  done
  return 1
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

# wait_until_gone SECONDS WHAT: waits until no process of ours is left, saying so every 5 s; fails if some are.
wait_until_gone() {
  local limit=$1 what=$2 begin=$SECONDS said=$SECONDS signalled='' left servers
  while mapfile -t left < <(our_processes) && ((${#left[@]} > 0)); do
    ((SECONDS - begin < limit)) || return 1
    mapfile -t servers < <(our_servers)
    if ((${#servers[@]} == 0)) && [[ -z $signalled ]]; then
      send TERM "${left[@]}" # their parent is gone and can't tell them
      signalled=yes
    fi
    if ((SECONDS - said >= 5)); then
      said=$SECONDS
      say "  waiting for $what: $((SECONDS - begin)) s of $limit, ${#left[@]} processes left"
    fi
    sleep 0.2
  done
}

# stop_service: TERM, time to drain, then KILL; says which. Leaves the stopped PIDs in STOPPED.
stop_service() {
  local drain servers left
  mapfile -t STOPPED < <(our_processes)
  if ((${#STOPPED[@]} == 0)); then
    say "  none is running"
    rm -f -- "$PID_FILE"
    return 0
  fi
  describe "${STOPPED[@]}"
  drain="$(drain_limit)"
  mapfile -t servers < <(our_servers)
  ((${#servers[@]} == 0)) || send TERM "${servers[@]}"
  if ! wait_until_gone $((drain + STOP_MARGIN_S)) "accepted requests to be answered"; then
    mapfile -t left < <(our_processes)
    say "  still there after $((drain + STOP_MARGIN_S)) s, ended by SIGKILL:"
    describe "${left[@]}"
    send KILL "${left[@]}"
    wait_until_gone $KILL_WAIT_S "killed processes to leave" || {
      mapfile -t left < <(our_processes)
      fail "$EXIT_FAILED" "Not even SIGKILL ended: ${left[*]}"
    }
  fi
  rm -f -- "$PID_FILE"
  say "  stopped"
}

# drain_limit: prints the whole seconds that the running server may take to drain, as it was started or as set now.
drain_limit() {
  local now=${DRAIN_TIMEOUT%.*} recorded=''
  { read -r recorded <"$RUN_DIR/drain_timeout"; } 2>/dev/null || true
  [[ $recorded =~ ^[0-9]+$ ]] || recorded=0
  printf '%s\n' $((recorded > now ? recorded : now))
}
