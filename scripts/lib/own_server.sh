# shellcheck shell=bash
# Starts a server with the bundled model for one script, on a free port, with temporary folders that are removed when
# the script ends. This file is sourced after common.sh.

WORK="$(mktemp -d)"
SERVER=''

# clean_up: ends the server that this script started, and removes its folder.
clean_up() {
  if [[ -n $SERVER ]]; then
    kill "$SERVER" 2>/dev/null || true
    wait "$SERVER" 2>/dev/null || true
  fi
  rm -rf -- "$WORK"
}

# start_server: starts the server and sets URL to its address.
start_server() {
  local port begin=$SECONDS
  ensure_venv
  port="$("$PYTHON" -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')"
  URL="http://127.0.0.1:$port"
  say "== a server at $URL"
  (cd -- "$WORK" && API_HOST=127.0.0.1 PORT="$port" API_KEYS='' exec "$PYTHON" -m glm_tts_api serve) \
    >"$WORK/server.log" 2>&1 &
  SERVER=$!
  until curl --noproxy '*' -sf "$URL/api/v1/health" >/dev/null; do
    if ! kill -0 "$SERVER" 2>/dev/null || ((SECONDS - begin > 300)); then
      tail -n 20 -- "$WORK/server.log" >&2
      fail "$EXIT_FAILED" "The server does not become healthy (its log's end is above)."
    fi
    sleep 1
  done
}

trap clean_up EXIT
